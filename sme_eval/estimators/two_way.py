"""Regressions with firm effects and (label ×) year effects, from moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sme_eval.errors import IdentificationError, Problem
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.results.basis import Basis
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.least_squares import dependent_columns
from sme_eval.stats.small_sample import SmallSample

from .year_effects import AbsorbedEffects, YearEffects, not_alone, parameters, within

NOT_IDENTIFIED = 1e-8
"""How far a coefficient may move along a direction that the fixed effects repeat; between dummies moves are of order one."""


def without_singletons(moments: Moments, by: YearEffects) -> Moments:
    """The table without observations that are alone in a firm or in a (label ×) year, again and again, as fixest does.

    They have no influence on the coefficients, but they count in N and G. A year level of one observation belongs to a cell of one
    firm, because nobody else shares its pattern; so taking that year out of the cell is exact.
    """
    observed = not_alone(moments, moments.observed, by)
    keep: BoolArray = np.asarray(observed.any(axis=1))
    if keep.all() and (observed == moments.observed).all():
        return moments
    return replace(
        moments,
        observed=observed,
        mean=moments.mean * observed,
        squared_weight_mean=moments.squared_weight_mean * observed,
    ).subset(keep)


def fit_two_way(
    moments: Moments, terms: Sequence[str], regressors: FloatArray, by: YearEffects, *, partly: bool = False
) -> Influence:
    """Regress the outcome on `regressors` (K, T, q) with firm and (by ×) year effects; `moments` must be without singletons.

    Coefficients that are not identified are refused; `partly` returns NaN for them and the others beside them.
    """
    return fit_stack(moments, terms, [(moments.observed, regressors)], by, partly=partly)


def fit_stack(
    moments: Moments,
    terms: Sequence[str],
    stack: Sequence[tuple[BoolArray, FloatArray]],
    by: YearEffects,
    *,
    partly: bool = False,
) -> Influence:
    """One regression on blocks of firm-years (K, T) with their regressors (K, T, q), every block with effects of its own.

    Each firm's means over its used years are taken out first, then the year effects are partialled out through their Gram matrix.
    With D the residual regressors of a cell, the influence of a firm is (Σ w D'D)⁻¹ D'(y − fit), summed over blocks: linear in y.
    """
    weight, n_terms, parts = moments.weight[:, None, None], len(terms), []
    gram, cross, scale = np.zeros((n_terms, n_terms)), np.zeros(n_terms), np.zeros(n_terms)
    for used, regressors in stack:
        effects = AbsorbedEffects.over(moments, used, by)
        residual = effects.residual(regressors)
        gram += flat(residual * weight).T @ flat(residual)
        cross += flat(residual * weight).T @ moments.mean.ravel()
        scale += (weight * within(regressors, used) ** 2).sum(axis=(0, 1))
        parts.append((effects, regressors, residual))
    solution = solve(terms, gram, scale, partly)
    beta = solution.bread @ cross
    slope, constant = np.zeros((len(moments.n_firms), n_terms, len(moments.years))), np.zeros((len(moments.n_firms), n_terms))
    for effects, regressors, residual in parts:
        fit = regressors @ beta
        fit += effects.predicted((moments.mean - fit)[:, :, None])[:, :, 0]
        slope += residual.transpose(0, 2, 1)
        constant -= np.einsum("kta,kt->ka", residual, fit)
    rows = sum(int(moments.n_firms @ used.sum(axis=1)) for used, _ in stack)
    n_parameters = parameters(moments, [used for used, _ in stack], by, solution.rank)
    return Influence(
        moments=moments,
        estimate=np.where(solution.identified, beta, np.nan),
        slope=np.matmul(solution.bread, slope),
        constant=constant @ solution.bread,
        small_sample=SmallSample(observations=rows, parameters=n_parameters),
    )


def flat(block: FloatArray) -> FloatArray:
    """(K, T, p) → (K·T, p)."""
    return block.reshape(-1, block.shape[2])


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """An inverse of the regressors' cross-products and which coefficients have one value only.

    `bread` (q, q) is zero for regressors that combine earlier ones; coefficients (q,) that no such combination touches are
    `identified`; `rank` counts the independent regressors.
    """

    bread: FloatArray
    identified: BoolArray
    rank: int


def solve(terms: Sequence[str], gram: FloatArray, scale: FloatArray, partly: bool) -> Solution:
    """Invert `gram` (q, q), the cross-products after fixed effects, of regressors whose own sums of squares are `scale` (q,).

    Regressors of which too little is left after fixed effects and earlier ones are refused, or left out if `partly`.
    """
    dropped = dependent_columns(gram, scale)
    if dropped.any() and not partly:
        names = ", ".join(str(t) for t, d in zip(terms, dropped, strict=True) if d)
        raise IdentificationError(
            Problem(
                what=f"Not identified beside the fixed effects: {names}.",
                remedy="some firms must be treated while others, seen in the same years, are not; without never-treated firms the "
                "last leads of an event study repeat the year effects",
            )
        )
    bread, kept = np.zeros_like(gram), np.ix_(~dropped, ~dropped)
    bread[kept] = np.linalg.inv(gram[kept])
    moves = np.abs(bread @ gram[:, dropped]).max(axis=1, initial=0.0)
    return Solution(bread=bread, identified=~dropped & (moves < NOT_IDENTIFIED), rank=int((~dropped).sum()))


class Fitted(Protocol):
    """What results are read from: estimates with their covariance, counts and convention."""

    @property
    def moments(self) -> Moments:
        """The table."""

    @property
    def estimate(self) -> FloatArray:
        """Estimates (J,)."""

    @property
    def small_sample(self) -> SmallSample | None:
        """Observations and parameters."""

    @property
    def n_clusters(self) -> int:
        """Firms, or the clusters above them."""

    @property
    def covariates(self) -> tuple[str, ...]:
        """Baseline covariates that are entered × year."""

    def covariance(self) -> FloatArray:
        """Covariance (J, J)."""


def regression_basis(influence: Fitted, level: float, by: YearEffects, dropped: int) -> Basis:
    """Counts and fixest's convention of a two-way regression."""
    moments, small = influence.moments, influence.small_sample
    groups = influence.n_clusters
    errors = "" if small is None else small.words(moments.cluster or "firm", groups)
    effects = ("firm", *("year" if b is None else f"{b} × year" for b in by))
    given = f" and {', '.join(influence.covariates)} × year" if influence.covariates else ""
    return Basis(
        n_firms=int(moments.n_firms.sum()),
        n_observations=moments.n_observations,
        n_clusters=groups,
        convention=f"{' and '.join(effects)} effects{given}; {errors}",
        degrees_of_freedom=float(groups - 1),
        level=level,
        unit=moments.outcome,
        notes=(f"{dropped} observations alone in their firm or year are left out",) if dropped else (),
        effects=effects,
        cluster=moments.cluster or "firm",
        covariance="clustered",
    )
