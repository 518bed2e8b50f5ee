"""Which parts of a linear mixture can be told apart, which sums of them, and the solution with its influence.

τ = M θ: A observed effects, K parts. A combination c′θ is identified if and only if c lies in the row space of M, that is if it is
orthogonal to every null vector of M.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .inference import JointTest

RANK_CUTOFF = 1e-8
"""Singular value of the column-scaled matrix, relative to the largest, below which a direction counts as null.

Columns that repeat each other by construction leave about 1e-15 after the regressions; columns that differ in a single firm of
several thousand leave more than 1e-5. Between the two nothing is near; what is merely weak shows in the condition and the errors.
"""

NULL_SHARE = 1e-6
"""Coordinate of a normalised null vector above which its part is not separable."""

WEIGHT_CUTOFF = 1e-10
"""Relative eigenvalue below which an observed effect repeats others in the weight of the moments."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Separation:
    """What M (A, K) identifies.

    `separable` (K,); `null` (Q, K), Q = K − rank, reduced so that each vector leads with one; `sums` (P, K), identified
    combinations of parts that are not separable, each with coefficient one on a part that no other sum holds. `condition` is that
    of the column-scaled matrix, infinite without full rank. `scale` (K,) are the columns' norms.
    """

    rank: int
    condition: float
    separable: BoolArray
    null: FloatArray
    sums: FloatArray
    scale: FloatArray

    def identifies(self, combination: FloatArray) -> bool:
        """Whether c′θ, c (K,), is the same for every solution."""
        scaled = combination / self.scale
        lengths = np.linalg.norm(self.null * self.scale, axis=1) * np.linalg.norm(scaled)
        return bool((np.abs(self.null @ combination) <= NULL_SHARE * lengths).all())


def separate(matrix: FloatArray, unit: FloatArray, yields_first: BoolArray) -> Separation:
    """Rank, null vectors and identified sums of `matrix` (A, K).

    `unit` (K,) is the size that a column of zeros is held against. Null vectors lead with the earliest column they hold, but with
    one of `yields_first` (K,) where they hold any; the sums are then written in the other columns.
    """
    norms = np.linalg.norm(matrix, axis=0)
    moved = norms > RANK_CUTOFF * unit
    scale = np.where(moved, norms, 1.0)
    scaled = np.where(moved, matrix, 0.0) / scale
    _, singular, right = np.linalg.svd(scaled, full_matrices=True)
    rank = int((singular > RANK_CUTOFF * singular.max(initial=0.0)).sum()) if moved.any() else 0
    basis = right[rank:]
    separable = np.linalg.norm(basis, axis=0) <= NULL_SHARE
    order = np.argsort(~yields_first, kind="stable")
    reduced, leads = _reduced(basis, order)
    null = reduced / scale
    null /= null[np.arange(len(leads)), leads][:, None]
    full = rank == matrix.shape[1]
    return Separation(
        rank=rank,
        condition=float(singular[0] / singular[-1]) if full else math.inf,
        separable=separable,
        null=null,
        sums=_sums(null, leads),
        scale=scale,
    )


def _reduced(basis: FloatArray, order: IntArray) -> tuple[FloatArray, IntArray]:
    """Row-reduced echelon form of null vectors, columns visited in `order`; entries that are rounding become zero."""
    rows = basis.copy()
    leads: list[int] = []
    for column in order:
        done = len(leads)
        if done == len(rows):
            break
        pivot = done + int(np.argmax(np.abs(rows[done:, column])))
        if abs(rows[pivot, column]) <= NULL_SHARE:
            continue
        rows[[done, pivot]] = rows[[pivot, done]]
        rows[done] /= rows[done, column]
        others = np.arange(len(rows)) != done
        rows[others] -= np.outer(rows[others, column], rows[done])
        leads.append(int(column))
    largest = np.abs(rows).max(axis=1, initial=0.0, keepdims=True)
    return np.where(np.abs(rows) > NULL_SHARE * largest, rows, 0.0), np.array(leads, dtype=np.int64)


def _sums(null: FloatArray, leads: IntArray) -> FloatArray:
    """For each part j that leads no null vector but stands in one: θ_j less its coefficients times the leading parts."""
    n_parts = null.shape[1]
    sums = []
    for j in range(n_parts):
        if j not in leads and np.any(null[:, j] != 0.0):
            combination = np.zeros(n_parts)
            combination[j] = 1.0
            combination[leads] = -null[:, j]
            sums.append(combination)
    return np.array(sums).reshape(-1, n_parts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """θ (K,), one of its solutions where it is not unique, the influence (N, K) on it, and whether the effects fit together."""

    theta: FloatArray
    influence: FloatArray
    fit: JointTest | None


def solve_parts(
    effects: tuple[FloatArray, FloatArray], matrix: tuple[FloatArray, FloatArray], separation: Separation, groups: IntArray
) -> Parts | None:
    """Solve τ = M θ; None where the clusters are too few to weight the effects.

    `effects` are τ (A,) and its influence (N, A), `matrix` M (A, K) and its influence (N, A, K), `groups` (N,) the clusters' codes.
    With as many effects as the rank: θ = M⁺τ. With more: two steps of the generalised method of moments, weighted by the inverse
    clustered covariance of τ − Mθ, first at θ = 0. ψ_θ = L (ψ_τ − Σ_k θ_k ψ_Mk) with L the inverse used.
    Source: Hansen (1982) for weight and test.
    """
    (tau, tau_influence), (m, m_influence) = effects, matrix
    rank, scale = separation.rank, separation.scale
    theta = np.zeros(m.shape[1])
    if len(tau) == rank:
        inverse = _truncated_inverse(m / scale, rank) / scale[:, None]
        theta = inverse @ tau
        return Parts(theta=theta, influence=(tau_influence - m_influence @ theta) @ inverse.T, fit=None)
    for _ in range(2):
        root = _inverse_root(clustered_covariance(tau_influence - m_influence @ theta, groups))
        if len(root) < rank:
            return None
        inverse = (_truncated_inverse(root @ m / scale, rank) @ root) / scale[:, None]
        theta = inverse @ tau
    misfit, restrictions = root @ (tau - m @ theta), len(root) - rank
    return Parts(
        theta=theta,
        influence=(tau_influence - m_influence @ theta) @ inverse.T,
        fit=_chi_squared(float(misfit @ misfit), restrictions) if restrictions else None,
    )


def clustered_covariance(influence: FloatArray, groups: IntArray) -> FloatArray:
    """Covariance (K, K) of what firms' influences (N, K) add up to, summed within `groups` (N,) first."""
    scores = np.zeros((int(groups.max()) + 1, influence.shape[1]))
    np.add.at(scores, groups, influence)
    covariance: FloatArray = scores.T @ scores
    return covariance


def _truncated_inverse(matrix: FloatArray, rank: int) -> FloatArray:
    """Pseudo-inverse of a matrix whose rank is known."""
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    inverse: FloatArray = (right[:rank].T / singular[:rank]) @ left[:, :rank].T
    return inverse


def _inverse_root(covariance: FloatArray) -> FloatArray:
    """R (q, A) with R′R the generalised inverse of a covariance (A, A), q its rank."""
    scale = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    scale[scale == 0.0] = 1.0
    value, vector = np.linalg.eigh(covariance / np.outer(scale, scale))
    keep = value > WEIGHT_CUTOFF * max(float(value.max()), 1e-300)
    root: FloatArray = (vector[:, keep] / np.sqrt(value[keep])).T / scale
    return root


def _chi_squared(statistic: float, restrictions: int) -> JointTest:
    from scipy import stats

    return JointTest(statistic=statistic, restrictions=restrictions, p_value=float(stats.chi2.sf(statistic, restrictions)))
