"""How alike weighted groups are in a covariate: standardised differences of numbers and of categories, ratios of variances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray
from .least_squares import scaled_pseudoinverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Treated less comparison in standard deviations, and the treated's variance over the comparison's (NaN of categories)."""

    difference: float
    ratio: float


def standardised_difference(values: FloatArray, treated: BoolArray, weights: FloatArray, reference: FloatArray) -> Difference:
    """Difference of weighted means of `values` (R, k): one number, or the dummies of a category.

    A number (k = 1): (x̄_D − x̄_C) / √((s²_D + s²_C)/2). A category: the square root of d′S⁻d, d the differences of shares and S the
    mean of both multinomial covariances; never negative (Yang and Dalton 2012). Means with `weights` (R,); deviations with those of
    `reference` (R,), before any weighting, so that weights cannot make a difference small by making groups wide. Rows that are
    not finite are left out. NaN where a side has no weight.
    """
    known = np.isfinite(values).all(axis=1)
    x, inside = values[known], treated[known]
    sides = [(np.where(inside, w[known], 0.0), np.where(inside, 0.0, w[known])) for w in (weights, reference)]
    if any(not (ours.sum() > 0.0 and theirs.sum() > 0.0) for ours, theirs in sides):
        return Difference(difference=math.nan, ratio=math.nan)
    (ours, theirs), before = sides
    gap = ours @ x / ours.sum() - theirs @ x / theirs.sum()
    spread = 0.5 * (_covariance(x, before[0]) + _covariance(x, before[1]))
    if x.shape[1] > 1:
        return Difference(difference=math.sqrt(max(float(gap @ scaled_pseudoinverse(spread) @ gap), 0.0)), ratio=math.nan)
    deviation, theirs_now = math.sqrt(float(spread[0, 0])), float(_covariance(x, theirs)[0, 0])
    ratio = float(_covariance(x, ours)[0, 0]) / theirs_now if theirs_now > 0.0 else math.nan
    if deviation <= 0.0:
        return Difference(difference=0.0 if float(gap[0]) == 0.0 else math.nan, ratio=ratio)
    return Difference(difference=float(gap[0]) / deviation, ratio=ratio)


def _covariance(x: FloatArray, weight: FloatArray) -> FloatArray:
    centred = x - weight @ x / weight.sum()
    covariance: FloatArray = (centred * weight[:, None]).T @ centred / weight.sum()
    return covariance
