"""Changes of treated units against those of comparison units with the same covariates: by regression, or doubly robust.

Doubly robust means right if either the regression of the comparison's changes or the propensity of being treated is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .least_squares import dependent_columns, scaled_pseudoinverse

SPAN_TOLERANCE = 1e-6
"""Largest part of the treated units' mean covariates that may lie outside what the comparison units span."""
TRIMMED_ABOVE = 0.995
"""Comparison units this likely to be treated get no weight, as in DRDID: one of them would count for two hundred."""
CERTAIN = 1.0 - 1e-6
"""A propensity above this is no overlap."""
IMPOSSIBLE = 1e-9
"""Comparison units below this propensity have no weight; whether theirs still falls does not decide on convergence."""
SETTLED, MOST_STEPS, MOST_HALVINGS = 1e-7, 40, 30
"""Newton ends when no index moves by more than this; convergence is quadratic, so that the error left is its square."""
LARGEST_INDEX = 700.0
"""Beyond this the exponential function overflows."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TreatedGap:
    """Effects (m,), their influence (N, m) with a known propensity, and their gradient (p, m) in the propensity's coefficients.

    Without a propensity (regression only) the gradient is zero.
    """

    effect: FloatArray
    influence: FloatArray
    gradient: FloatArray


def treated_gap(
    change: FloatArray, x: FloatArray, groups: tuple[BoolArray, BoolArray], weight: FloatArray, odds: FloatArray | None = None
) -> TreatedGap | None:
    """Mean change of the treated beyond what comparison units with their covariates changed by.

    With r the residuals of the weighted least-squares regression of `change` (N, m) on `x` (N, p) among the comparison, the
    effect is Σ_D w r / Σ_D w and, if `odds` (N,) of being treated are given, minus Σ_C w·odds·r / Σ_C w·odds: Hájek weights,
    Sant'Anna and Zhao (2020), equation 3.1. `groups` are the treated and the comparison, (N,) each. None where a group is empty,
    no comparison unit has weight, or the treated lie outside what the comparison spans.
    """
    treated, comparison = groups
    if not treated.any() or not comparison.any():
        return None
    x_treated, x_comparison, w_treated, w_comparison = x[treated], x[comparison], weight[treated], weight[comparison]
    mass = float(w_treated.sum())
    mean = w_treated @ x_treated / mass
    weighted = x_comparison if (w_comparison == 1.0).all() else x_comparison * w_comparison[:, None]
    gram = weighted.T @ x_comparison
    inverse = scaled_pseudoinverse(gram)
    if np.abs(mean @ inverse @ gram - mean).max() > SPAN_TOLERANCE * max(1.0, float(np.abs(mean).max())):
        return None
    beta = inverse @ (weighted.T @ change[comparison])
    gap, residual = change[treated] - x_treated @ beta, change[comparison] - x_comparison @ beta
    effect: FloatArray = w_treated @ gap / mass
    influence, gradient = np.zeros_like(change), np.zeros((x.shape[1], change.shape[1]))
    influence[treated] = w_treated[:, None] * (gap - effect) / mass
    own: FloatArray | float = 0.0
    if odds is not None:
        tilted = w_comparison * odds[comparison]
        total = float(tilted.sum())
        if total <= 0.0:
            return None
        drift = tilted @ residual / total
        own = tilted[:, None] * (residual - drift) / total
        mean = mean - tilted @ x_comparison / total
        gradient = -(x_comparison.T @ own)
        effect = effect - drift
    influence[comparison] = -(weighted @ (inverse @ mean))[:, None] * residual - own
    return TreatedGap(effect=effect, influence=influence, gradient=gradient)


def trimmed_odds(probability: FloatArray) -> FloatArray:
    """Odds p / (1 − p), and zero where p is `TRIMMED_ABOVE` or more."""
    kept = probability < TRIMMED_ABOVE
    return np.where(kept, probability / np.where(kept, 1.0 - probability, 1.0), 0.0)


@dataclass(frozen=True, eq=False, kw_only=True)
class PooledLogit:
    """A logit with an intercept per group and common slopes, by maximum likelihood.

    `probability` (R,) per row; `influence` (N, groups + p) of each unit on the intercepts and slopes, zero for columns that were
    left out. `n_certain` counts rows with a probability above `CERTAIN`; `moving` (k,) are columns whose slopes had not settled.
    """

    probability: FloatArray
    influence: FloatArray
    converged: bool
    n_certain: int
    moving: IntArray


def pooled_logit(x: FloatArray, treated: BoolArray, group: IntArray, unit: IntArray, weight: FloatArray) -> PooledLogit:
    """Probability of `treated` (R,) given `x` (R, p) without an intercept, rows stacked over groups.

    `group` (R,) are ascending codes 0..G−1 with treated and comparison rows in each; `unit` (R,) codes, once in a group at most,
    over which scores are summed; `weight` (R,) positive. Rows that share a 0/1 column with no treated row have probability zero
    and are left out; columns that combine earlier ones get no slope.
    """
    n_groups = int(group.max()) + 1
    empty = _empty_of_treated(x, treated)
    possible = ~(x[:, empty] > 0.0).any(axis=1)
    known = weight * possible
    share = np.bincount(group, known * treated, n_groups) / np.bincount(group, known, n_groups)
    if (share == 1.0).any():  # a group whose comparison rows are all in categories without treated ones
        certain, none = treated & (share == 1.0)[group], np.zeros((int(unit.max()) + 1, n_groups + x.shape[1]))
        return PooledLogit(
            probability=1.0 * certain, influence=none, converged=False, n_certain=int(certain.sum()), moving=np.flatnonzero(empty)
        )
    full = np.concatenate([(group[:, None] == np.arange(n_groups)).astype(np.float64), x], axis=1)
    gram = _information(full, share[group], known)
    kept = ~dependent_columns(gram, np.diag(gram))
    z = full.take(np.flatnonzero(kept), axis=1)
    z, d, w, g = z if possible.all() else z[possible], treated[possible].astype(np.float64), weight[possible], group[possible]
    start = np.concatenate([np.log(share / (1.0 - share)), np.zeros(int(kept.sum()) - n_groups)])
    found = _newton(z, d, w, start)
    probability = np.zeros(len(x))
    probability[possible] = found.probability
    influence = np.zeros((int(unit.max()) + 1, len(kept)))
    score = _score_by_unit(z, w * (d - found.probability), g, unit[possible], len(influence))
    influence[:, kept] = score @ scaled_pseudoinverse(found.information)
    moving = np.flatnonzero(kept)[found.moving] - n_groups
    return PooledLogit(
        probability=probability,
        influence=influence,
        converged=found.converged,
        n_certain=int((found.probability > CERTAIN).sum()),
        moving=moving[moving >= 0],
    )


def _score_by_unit(z: FloatArray, residual: FloatArray, group: IntArray, unit: IntArray, n_units: int) -> FloatArray:
    """(N, q) scores summed over a unit's rows; within a group a unit stands once, so that adding by index is safe."""
    score = np.zeros((n_units, z.shape[1]))
    for first, last in pairwise(np.searchsorted(group, np.arange(int(group[-1]) + 2))):
        score[unit[first:last]] += z[first:last] * residual[first:last, None]
    return score


def _empty_of_treated(x: FloatArray, treated: BoolArray) -> BoolArray:
    """(p,) non-negative columns that are zero for every treated row and not for all others."""
    return np.asarray(
        (x.min(axis=0, initial=0.0) >= 0.0) & (x[treated].max(axis=0, initial=0.0) <= 0.0) & (x.max(axis=0, initial=0.0) > 0.0)
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Maximum:
    """Where Newton's steps ended: `probability` (R,), `information` (q, q) there, and the columns that still moved."""

    probability: FloatArray
    information: FloatArray
    converged: bool
    moving: IntArray


def _newton(z: FloatArray, d: FloatArray, w: FloatArray, start: FloatArray) -> _Maximum:
    """Maximum likelihood of a logit of `d` on `z` with weights `w`, by Newton's steps, halved while they lose likelihood."""
    index = z @ start
    likelihood = _log_likelihood(index, d, w)
    converged, step = False, np.zeros_like(start)
    for _ in range(MOST_STEPS):
        p = _logistic(index)
        step = scaled_pseudoinverse(_information(z, p, w)) @ (z.T @ (w * (d - p)))
        move = z @ step
        for _ in range(MOST_HALVINGS):
            reached = _log_likelihood(index + move, d, w)
            if reached >= likelihood - 1e-12 * abs(likelihood):
                break
            move, step = 0.5 * move, 0.5 * step
        index, likelihood = index + move, reached
        matters = (d > 0.0) | (p > IMPOSSIBLE)
        if np.abs(move[matters]).max() < SETTLED:
            converged = True
            break
    p = _logistic(index)
    reach = np.abs(step) * (z.max(axis=0) - z.min(axis=0))
    moving = np.flatnonzero(reach >= 0.5 * reach.max()) if not converged else np.zeros(0, dtype=np.int64)
    return _Maximum(probability=p, information=_information(z, p, w), converged=converged, moving=moving)


def _logistic(index: FloatArray) -> FloatArray:
    p: FloatArray = 1.0 / (1.0 + np.exp(-np.clip(index, -LARGEST_INDEX, LARGEST_INDEX)))
    return p


def _information(z: FloatArray, p: FloatArray, w: FloatArray) -> FloatArray:
    scaled = z * np.sqrt(w * p * (1.0 - p))[:, None]
    information: FloatArray = scaled.T @ scaled
    return information


def _log_likelihood(index: FloatArray, d: FloatArray, w: FloatArray) -> float:
    """Σ w {d·index − log(1 + exp(index))}, without overflow."""
    return float(w @ (d * index - np.maximum(index, 0.0) - np.log1p(np.exp(-np.abs(index)))))
