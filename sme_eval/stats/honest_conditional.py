"""Conditional tests of moment inequalities with nuisance parameters, over a whole line of hypotheses at once.

For θ = l'τ, with β = δ + τ and A δ ≤ d, the hypothesis θ = θ₀ says that some τ with l'τ = θ₀ has A (β − τ) ≤ d. The statistic is
the least η with A β̂ − d − a θ₀ − X τ̃ ≤ η · sd; by duality the largest γ'(A β̂ − d − a θ₀) over the vertices γ of
{γ ≥ 0: γ'sd = 1, γ'X = 0}. The vertices do not depend on the data or on θ₀ and are known in closed form; the critical value of the
least favourable case is drawn once. Given the vertex that attains the maximum, γ'Y is normal, truncated to where it stays the
maximum.

Source: Andrews, Roth and Pakes (2023); Rambachan and Roth (2023), section 3.2; R's HonestDiD 0.2.6, whose conventions are kept:
the least-favourable hybrid spends κ = α/10 in its first stage, the second has level (α − κ)/(1 − κ); critical values are not
negative; with one period after the base all rows are used and the second stage is not truncated at the first one's value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .arrays import BoolArray, FloatArray, frozen

FIRST_STAGE = 0.1
"""Share of α that the hybrid spends on the least favourable test."""
DRAWS = 10_000
"""Draws behind the least favourable critical value: cheap, because each needs a product with the vertices only."""
SMALLEST = 1e-10
"""Rounding of what is zero in theory: multipliers, variances, slopes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hypotheses:
    """Everything that a line of hypotheses shares: vertices γ (V, R), covariance of the moments (R, R), and how they move.

    `level` (R,) are the moments at θ₀ = 0, `slope` (R,) what they lose per unit of θ₀; `first_stage` is the critical value.
    """

    vertices: FloatArray
    covariance: FloatArray
    level: FloatArray
    slope: FloatArray
    first_stage: float
    truncated: bool


def hypotheses(
    restriction: tuple[FloatArray, FloatArray | float],
    estimate: FloatArray,
    covariance: FloatArray,
    weights: FloatArray,
    *,
    alpha: float,
    seed: int,
) -> Hypotheses:
    """The tests of l'τ with A δ ≤ d: `restriction` (A, d), `estimate` (P + Q,), `weights` l (Q,)."""
    matrix, limit = restriction
    n_after = len(weights)
    after = matrix[:, -n_after:]
    moments = matrix @ estimate - limit
    spread = matrix @ covariance @ matrix.T
    rows = np.flatnonzero((np.abs(after) > SMALLEST).any(axis=1)) if n_after > 1 else np.arange(len(matrix))
    own = np.asarray(after @ weights / (weights @ weights))
    spread = spread[np.ix_(rows, rows)]
    vertices = _vertices(after[rows], weights, np.sqrt(np.diag(spread)))
    return Hypotheses(
        vertices=vertices,
        covariance=spread,
        level=moments[rows],
        slope=own[rows],
        first_stage=least_favourable(vertices, spread, 1.0 - FIRST_STAGE * alpha, seed),
        truncated=n_after > 1,
    )


def _vertices(after: FloatArray, weights: FloatArray, sd: FloatArray) -> FloatArray:
    """Vertices (V, R) of {γ ≥ 0: γ'sd = 1, γ'X = 0}.

    Rows that hold periods after the base come as ±D τ with D (Q, Q) invertible, so that γ = (γ₊, γ₋) has γ'X = 0 only if
    γ₊ − γ₋ is a multiple of D⁻ᵀl: a positive one, a negative one, or none, with one period bounded from both sides. With one
    period nothing is a nuisance, and every row is a vertex.
    """
    if len(weights) == 1:
        return np.diag(1.0 / sd)
    half = len(after) // 2
    line = np.linalg.solve(after[:half].T, weights)
    up, down = np.maximum(line, 0.0), np.maximum(-line, 0.0)
    corners = np.vstack([np.r_[up, down], np.r_[down, up], np.hstack([np.eye(half), np.eye(half)])])
    return np.asarray(corners / (corners @ sd)[:, None])


def least_favourable(vertices: FloatArray, covariance: FloatArray, level: float, seed: int) -> float:
    """The quantile of max γ'ξ, ξ ~ N(0, covariance): the statistic where every moment binds."""
    value, vector = np.linalg.eigh(vertices @ covariance @ vertices.T)
    keep = value > SMALLEST * max(float(value[-1]), 0.0)
    root = vector[:, keep] * np.sqrt(value[keep])
    return float(np.quantile((_normals(seed, int(keep.sum())) @ root.T).max(axis=1), level))


@lru_cache(maxsize=8)
def _normals(seed: int, size: int) -> FloatArray:
    """Standard normals (DRAWS, size), the same for every polyhedron, so that bounds are compared on the same draws."""
    return frozen(np.random.default_rng(seed).standard_normal((DRAWS, size)))


def accepted(asked: Hypotheses, values: FloatArray, alpha: float) -> BoolArray:
    """(G,) which of the hypotheses l'τ = `values` (G,) the hybrid test does not reject."""
    moments = asked.level[:, None] - asked.slope[:, None] * values
    each = asked.vertices @ moments
    best = each.argmax(axis=0)
    statistic = each[best, np.arange(len(values))]
    joint = asked.vertices @ asked.covariance @ asked.vertices.T
    variance = np.diag(joint)[best]
    fixed = variance < SMALLEST**2
    sd = np.sqrt(np.where(fixed, 1.0, variance))
    low, high = _truncation(each, joint, best, np.where(fixed, 1.0, variance))
    if asked.truncated:
        high = np.minimum(high, asked.first_stage)
    critical = _truncated_quantile(1.0 - second_level(alpha), low / sd, high / sd)
    inside = (low <= statistic * (1 + 1e-12) + 1e-15) & (statistic <= high * (1 + 1e-12) + 1e-15)
    rejected = np.where(fixed, statistic > 0.0, inside & (statistic / sd > np.maximum(0.0, critical)))
    return np.asarray(~(rejected | (statistic > asked.first_stage)))


def second_level(alpha: float) -> float:
    """Level of the conditional stage of the hybrid."""
    first = FIRST_STAGE * alpha
    return (alpha - first) / (1.0 - first)


def _truncation(each: FloatArray, joint: FloatArray, best: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Between what the maximum stays where it is, given all that is independent of it, (G,) each."""
    chosen = np.asarray(best, dtype=np.intp)
    share = joint[:, chosen] / variance
    rest = each - share * each[chosen, np.arange(each.shape[1])]
    gap = 1.0 - share
    with np.errstate(divide="ignore", invalid="ignore"):
        at = rest / gap
    low = np.where(gap > 1e-9, at, -np.inf).max(axis=0)
    high = np.where(gap < -1e-9, at, np.inf).min(axis=0)
    return low, high


def _truncated_quantile(level: float, low: FloatArray, high: FloatArray) -> FloatArray:
    """Quantile of the standard normal between `low` and `high`, in the tail that keeps digits."""
    from scipy.special import ndtr, ndtri

    upper = low > 0.0
    mass = np.where(upper, ndtr(-low), ndtr(high))
    other = np.where(upper, ndtr(-high), ndtr(low))
    right = -ndtri(np.clip(mass - level * (mass - other), 0.0, 1.0))
    left = ndtri(np.clip(other + level * (mass - other), 0.0, 1.0))
    return np.asarray(np.clip(np.where(upper, right, left), low, high))
