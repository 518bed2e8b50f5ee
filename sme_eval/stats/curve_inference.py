"""Joint inference about a specification curve: all estimates come from the same firms, so their covariance is known exactly.

With Ψ (G, S) the influences of G firms or clusters on S estimates, V = Ψ'Ψ is their joint covariance, and if there is no effect in
any specification the estimates are N(0, V). Drawing from that law gives the distribution of any summary of the curve; Simonsohn,
Simmons and Nelson (2020) propose three and shuffle or resample firms instead, which costs every specification again per draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, IntArray
from .inference import critical_value

RANK_CUTOFF = 1e-12
"""Relative eigenvalue of the correlation below which a direction is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveTest:
    """Three summaries of a curve with their two-sided p-values if there is no effect in any specification.

    `median` of the estimates; `share` of specifications that are significant in the majority's direction; `stouffer`, the sum of
    the Z over √S. `critical` is the sup-t value of the band that holds the whole curve. `effective` is how many uncorrelated
    specifications would carry as much: S² / Σ ρ².
    """

    median: float
    median_p: float
    share: float
    share_p: float
    stouffer: float
    stouffer_p: float
    critical: float
    effective: float
    draws: int


def joint_covariance(influence: FloatArray, cluster: IntArray | None = None) -> FloatArray:
    """Covariance (S, S) of estimates with influence (N, S), clustered by firm or by the codes `cluster` (N,)."""
    scores = influence
    if cluster is not None:
        scores = np.zeros((int(cluster.max()) + 1, influence.shape[1]))
        np.add.at(scores, cluster, influence)
    covariance: FloatArray = scores.T @ scores
    return covariance


def curve_test(estimate: FloatArray, covariance: FloatArray, rng: np.random.Generator, *, draws: int, level: float) -> CurveTest:
    """The three tests of a curve, estimates (S,) with covariance (S, S), from `draws` of N(0, V).

    p = (1 + draws at least as extreme) / (1 + draws). A draw's direction is that of its own majority, as the curve's is; a tie
    counts as positive. Every error must be positive.
    """
    error = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(error, error)
    null = _draws(correlation, draws, rng)
    pointwise = critical_value(level, np.inf)
    shown = _summaries((estimate / error)[None], error, pointwise)
    drawn = _summaries(null, error, pointwise)
    p_values = [
        (1.0 + float((np.abs(sample) >= abs(found[0]) - 1e-12).sum())) / (1.0 + draws)
        for found, sample in zip(shown, drawn, strict=True)
    ]
    largest = np.quantile(np.abs(null).max(axis=1), level, method="higher")
    return CurveTest(
        median=float(shown[0][0]),
        median_p=p_values[0],
        share=float(shown[1][0]),
        share_p=p_values[1],
        stouffer=float(shown[2][0]),
        stouffer_p=p_values[2],
        critical=max(float(largest), pointwise),
        effective=len(error) ** 2 / float((correlation**2).sum()),
        draws=draws,
    )


def _draws(correlation: FloatArray, draws: int, rng: np.random.Generator) -> FloatArray:
    """(draws, S) of N(0, correlation), by the directions that carry variance only: specifications of one firm set repeat others."""
    value, vector = np.linalg.eigh(correlation)
    carried = value > RANK_CUTOFF * value[-1]
    root = vector[:, carried] * np.sqrt(value[carried])
    drawn: FloatArray = rng.standard_normal((draws, root.shape[1])) @ root.T
    return drawn


def _summaries(z: FloatArray, error: FloatArray, pointwise: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Median estimate, share significant in the majority's direction, and Stouffer's Z, of each row of z (R, S)."""
    side = np.where((z > 0.0).mean(axis=1) >= 0.5, 1.0, -1.0)
    share = (z * side[:, None] > pointwise).mean(axis=1)
    return np.median(z * error, axis=1), share, z.sum(axis=1) / np.sqrt(z.shape[1])


def explained_shares(estimate: FloatArray, codes: Sequence[IntArray]) -> tuple[FloatArray, float]:
    """(D,) share of the estimates' variance that each dimension explains alone, and the share of all of them added up.

    `codes` are the options of the S specifications, one array per dimension. Alone: between-option over total sum of squares (the
    R² of a one-way analysis of variance); together: R² of the regression on every option's dummy. What is left are interactions.
    On a full product of options the shares alone add up to the share together. NaN where the estimates do not vary.
    """
    total = float(((estimate - estimate.mean()) ** 2).sum())
    if total <= 0.0:
        return np.full(len(codes), np.nan), float("nan")
    dummies = [(code[:, None] == np.unique(code)).astype(np.float64) for code in codes]
    shares = np.array([_explained(estimate, one) for one in dummies]) / total
    return shares, _explained(estimate, np.concatenate(dummies, axis=1)) / total


def _explained(estimate: FloatArray, dummies: FloatArray) -> float:
    """Sum of squares about the mean of the fit on dummies."""
    beta = np.linalg.lstsq(dummies, estimate - estimate.mean(), rcond=None)[0]
    return float(((dummies @ beta) ** 2).sum())
