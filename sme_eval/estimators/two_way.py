"""Regressions with firm effects and (label ×) year effects, from moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from sme_eval.errors import IdentificationError, Problem
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.results.basis import Basis
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.least_squares import dependent_columns, scaled_pseudoinverse
from sme_eval.stats.small_sample import SmallSample

YearEffects = tuple[str | None, ...]
"""Sets of year effects: None for plain ones, a label (or "cohort") for label × year."""


def year_effects(moments: Moments, by: str | None) -> FloatArray:
    """Dummies of every year, or of every label × year: (K, T, p)."""
    n_cells, n_years = moments.observed.shape
    eye: FloatArray = np.broadcast_to(np.eye(n_years), (n_cells, n_years, n_years))
    if by is None:
        return eye
    label = moments.cohort if by == "cohort" else moments.label(by)
    group = label[:, None] == np.unique(label)
    return np.asarray(group[:, None, :, None] * eye[:, :, None, :]).reshape(n_cells, n_years, -1)


def parameters(moments: Moments, effects: Mapping[str | None, FloatArray], n_regressors: int) -> int:
    """Fixest's K: regressors + levels of each effect (1 if it nests in the cluster) − (number of effects − 1).

    Firm effects always nest in the cluster. Levels are counted, not rank.
    """
    levels = [1 if by is not None and by == moments.cluster else _levels(moments, dummies) for by, dummies in effects.items()]
    return n_regressors + 1 + sum(levels) - len(levels)


def _levels(moments: Moments, dummies: FloatArray) -> int:
    """Levels of an effect that are seen."""
    return int((np.einsum("k,kt,ktp->p", moments.n_firms, moments.observed, dummies) > 0).sum())


def without_singletons(moments: Moments, by: YearEffects) -> Moments:
    """The table without observations that are alone in a firm or in a (label ×) year, again and again, as fixest does.

    They have no influence on the coefficients, but they count in N and G. A year level of one observation belongs to a cell of one
    firm, because nobody else shares its pattern; so taking that year out of the cell is exact.
    """
    while True:
        observed = moments.observed.copy()
        levels = np.concatenate([year_effects(moments, b) for b in by], axis=2)
        count = np.einsum("k,kt,ktp->p", moments.n_firms, observed, levels)
        observed[(levels[:, :, count == 1] * observed[:, :, None]).any(axis=2)] = False
        keep = observed.sum(axis=1) > 1
        if keep.all() and (observed == moments.observed).all():
            return moments
        moments = replace(
            moments,
            observed=observed,
            mean=moments.mean * observed,
            squared_weight_mean=moments.squared_weight_mean * observed,
        ).subset(keep)


def fit_two_way(moments: Moments, terms: Sequence[str], regressors: FloatArray, by: YearEffects) -> Influence:
    """Regress the outcome on `regressors` (K, T, q) with firm and (by ×) year effects.

    Each firm's means over its observed years are taken out first, then the year dummies are partialled out through their Gram
    matrix. `moments` must be without singletons. With D the residual regressors of a cell, the influence of a firm is
    (Σ w D'D)⁻¹ D'(y − fit): linear in y.
    """
    effects = {b: year_effects(moments, b) for b in by}
    seen = moments.observed[:, :, None].astype(np.float64)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1.0)
    nuisance, own = (within(block, seen, count) for block in (np.concatenate(list(effects.values()), axis=2), regressors))
    weight = moments.weight[:, None, None]
    flat_nuisance, flat_own = flat(nuisance), flat(own)
    inverse = scaled_pseudoinverse(flat(nuisance * weight).T @ flat_nuisance)
    residual = (own - nuisance @ (inverse @ (flat(nuisance * weight).T @ flat_own))) * seen
    gram = flat(residual * weight).T @ flat(residual)
    refuse_dependent(terms, gram, np.einsum("kta,kta->a", own * weight, own))
    bread = np.linalg.inv(gram)
    beta = bread @ (flat(residual * weight).T @ moments.mean.ravel())
    rest = (moments.mean - regressors @ beta) * moments.observed * moments.weight[:, None]
    gamma = inverse @ (flat_nuisance.T @ rest.ravel())
    fit = (regressors @ beta + nuisance @ gamma) * moments.observed
    return Influence(
        moments=moments,
        estimate=beta,
        slope=np.matmul(bread, residual.transpose(0, 2, 1)),
        constant=-np.einsum("kta,kt->ka", residual, fit) @ bread,
        small_sample=SmallSample(observations=moments.n_observations, parameters=parameters(moments, effects, len(terms))),
    )


def within(block: FloatArray, seen: FloatArray, count: FloatArray) -> FloatArray:
    """Deviations from the mean over each cell's observed years."""
    return np.asarray((block - (block * seen).sum(axis=1, keepdims=True) / count) * seen)


def flat(block: FloatArray) -> FloatArray:
    """(K, T, p) → (K·T, p)."""
    return block.reshape(-1, block.shape[2])


def refuse_dependent(terms: Sequence[str], gram: FloatArray, scale: FloatArray) -> None:
    """Refuse regressors of which too little of `scale` (q,) is left in `gram` (q, q), after fixed effects and earlier ones."""
    dropped = dependent_columns(gram, scale)
    if dropped.any():
        names = ", ".join(str(t) for t, d in zip(terms, dropped, strict=True) if d)
        raise IdentificationError(
            Problem(
                what=f"Not identified beside the fixed effects: {names}.",
                remedy="some firms must be treated while others, seen in the same years, are not; without never-treated firms the "
                "last leads of an event study repeat the year effects",
            )
        )


class Fitted(Protocol):
    """What a regression's counts and convention are read from."""

    @property
    def moments(self) -> Moments:
        """The table."""

    @property
    def small_sample(self) -> SmallSample | None:
        """Observations and parameters."""

    @property
    def n_clusters(self) -> int:
        """Firms, or the clusters above them."""

    @property
    def covariates(self) -> tuple[str, ...]:
        """Baseline covariates that are entered × year."""


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
