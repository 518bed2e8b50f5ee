"""Overlap of propensities: who among the treated has no like in the comparison, and how few comparison units carry the weight."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .entropy_balancing import effective_size

PENALTY = 1e-6
"""Ridge penalty on slopes in standard deviations, so light that it moves no printed digit unless covariates tell groups apart: then
it keeps the propensity finite, where maximum likelihood has none."""
TENTHS = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlap:
    """Shares of the treated above the largest propensity of their group's comparison, and outside its range; weights.

    `largest_share` is that of the unit with the most weight, `effective` Kish's effective number of comparison units. Per tenth of
    the treated propensities, lowest first: `edges` (11,), treated and comparison units (10,) and the share of the weight (10,).
    """

    share_above: float
    share_outside: float
    largest_share: float
    effective: float
    n_comparison: int
    edges: FloatArray
    n_treated_in: IntArray
    n_comparison_in: IntArray
    weight_in: FloatArray


def propensity(x: FloatArray, treated: BoolArray, group: IntArray, weight: FloatArray) -> FloatArray:
    """(R,) probability of being treated: a logit with an intercept per group and common slopes of `x` (R, p), by scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    scale = x.std(axis=0)
    kept = scale > 0.0
    standard = (x[:, kept] - x[:, kept].mean(axis=0)) / scale[kept]
    groups = (group[:, None] == np.arange(1, int(group.max()) + 1)).astype(np.float64)
    design = np.concatenate([groups, standard], axis=1)
    if not design.shape[1]:
        return np.full(len(x), float(weight[treated].sum() / weight.sum()))
    logit = LogisticRegression(C=1.0 / PENALTY, solver="newton-cholesky", tol=1e-6, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps that no longer settle: groups told apart show in what is returned
        logit.fit(design, treated, sample_weight=weight / weight.mean())
    chance: FloatArray = np.asarray(logit.predict_proba(design)[:, 1], dtype=np.float64)
    return chance


def overlap(chance: FloatArray, treated: BoolArray, group: IntArray, unit: IntArray, weight: FloatArray) -> Overlap:
    """Overlap of propensities `chance` (R,); each group's range of its own comparison rows.

    Weights are the comparison's odds p / (1 − p), scaled to the treated weight of each group and summed over the rows of a unit
    (codes `unit` (R,)).
    """
    above, below, odds = np.zeros(len(chance), dtype=bool), np.zeros(len(chance), dtype=bool), np.zeros(len(chance))
    for g in range(int(group.max()) + 1):
        ours, theirs = (group == g) & treated, (group == g) & ~treated
        above[ours] = chance[ours] > chance[theirs].max()
        below[ours] = chance[ours] < chance[theirs].min()
        own = weight[theirs] * chance[theirs] / np.maximum(1.0 - chance[theirs], np.finfo(float).tiny)
        odds[theirs] = weight[ours].sum() * own / own.sum() if own.sum() > 0.0 else 0.0
    carried = np.asarray(np.bincount(unit[~treated], odds[~treated]), dtype=np.float64)
    mass = float(weight[treated].sum())
    edges = np.quantile(chance[treated], np.linspace(0.0, 1.0, TENTHS + 1))
    place = np.clip(np.searchsorted(edges[1:-1], chance, side="right"), 0, TENTHS - 1)
    inside = (chance >= edges[0]) & (chance <= edges[-1])
    tenths = [inside & (place == k) for k in range(TENTHS)]
    return Overlap(
        share_above=float(weight[above].sum() / mass),
        share_outside=float(weight[above | below].sum() / mass),
        largest_share=float(carried.max() / carried.sum()) if carried.sum() > 0.0 else 1.0,
        effective=effective_size(carried),
        n_comparison=len(np.unique(unit[~treated])),
        edges=edges,
        n_treated_in=np.array([int((rows & treated).sum()) for rows in tenths]),
        n_comparison_in=np.array([len(np.unique(unit[rows & ~treated])) for rows in tenths]),
        weight_in=np.array([odds[rows].sum() for rows in tenths]) / max(float(odds.sum()), np.finfo(float).tiny),
    )
