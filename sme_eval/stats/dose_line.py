"""Effects by dose, the line through them and the steps between them, with gradients in effects and shares.

Everything here is a smooth function of the effects ATT(g, t | d), (J,), and of the shares p of the groups (cohort × dose), (M,).
Its gradient (·, J + M) times their joint covariance gives the covariance, the shares being estimated too: the delta method of
`aggregation`, in which a group takes the place of a cohort.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .aggregation import GroupTimeCells, average_by
from .arrays import BoolArray, FloatArray, IntArray

SAME_MIX = 1e-9
"""Difference of two distributions over cohorts and years below which they count as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combinations:
    """Functions (A,) of effects and shares with their gradient (A, J + M)."""

    value: FloatArray
    gradient: FloatArray

    def map(self, matrix: FloatArray) -> Combinations:
        """Fixed combinations, `matrix` (B, A)."""
        return Combinations(value=matrix @ self.value, gradient=matrix @ self.gradient)


def effects_by_dose(cells: GroupTimeCells, dose: IntArray, selected: BoolArray) -> tuple[IntArray, Combinations, Combinations]:
    """Positions of the doses that have an effect, (D,), their average effects ATT(d), and their mass Σ p over selected cells.

    `dose` (J,) is the position of each cell's dose; ATT(d) weighs its cells by the share of their group.
    """
    average = average_by(cells, dose, selected, shares=True)
    keys = np.array(average.key, dtype=np.int64)
    member = ((dose == keys[:, None]) & selected).astype(np.float64)
    n_cells, index = len(cells.effect), cells.cohort_index
    gradient = np.zeros((len(keys), n_cells + len(cells.cohorts)))
    for a in range(len(keys)):
        np.add.at(gradient[a], n_cells + index, member[a])
    mass = Combinations(value=member @ cells.share[index], gradient=gradient)
    return keys, Combinations(value=average.value, gradient=average.gradient), mass


def weighted_line(design: FloatArray, effect: Combinations, mass: Combinations) -> Combinations:
    """Least squares of `effect` (n,) on `design` (n, q) with weights `mass` (n,), both estimated: coefficients (q,).

    β = (X'MX)⁻¹ X'M A, dβ = (X'MX)⁻¹ X' (M dA + diag(A − Xβ) dm). The design is scaled first, so that the unit of dose is none of
    the arithmetic's business.
    """
    scale = np.sqrt(mass.value @ design**2)
    scaled = design / scale
    weighted = scaled * mass.value[:, None]
    inverse = np.linalg.inv(weighted.T @ scaled)
    beta = inverse @ (weighted.T @ effect.value)
    residual = effect.value - scaled @ beta
    gradient = inverse @ (weighted.T @ effect.gradient + (scaled * residual[:, None]).T @ mass.gradient)
    return Combinations(value=beta / scale, gradient=gradient / scale[:, None])


def slope_within(cells: GroupTimeCells, dose: FloatArray, block: IntArray, selected: BoolArray) -> Combinations | None:
    """The slope of ATT(g, t | d) on `dose` (J,) with an intercept for every `block` (J,), (1,); None if no block has two doses.

    Least squares over the selected cells weighted by the shares of their groups. The gradient in the blocks' means drops out: they
    are least-squares coefficients too.
    """
    n_cells, index = len(cells.effect), cells.cohort_index
    chosen = np.flatnonzero(selected)
    weight = cells.share[index[chosen]]
    code = np.unique(block[chosen], return_inverse=True)[1]
    mass = np.bincount(code, weights=weight)
    x, y = (v - (np.bincount(code, weights=weight * v) / mass)[code] for v in (dose[chosen], cells.effect[chosen]))
    several = np.bincount(code, weights=np.abs(x) > SAME_MIX * np.abs(dose[chosen]))[code] > 0
    if not several.any():
        return None
    x = np.where(several, x, 0.0)
    eye = np.zeros((len(chosen), n_cells + len(cells.cohorts)))
    eye[np.arange(len(chosen)), chosen] = 1.0
    shares = np.zeros_like(eye)
    shares[np.arange(len(chosen)), n_cells + index[chosen]] = 1.0
    effect, mass_of = Combinations(value=y, gradient=eye), Combinations(value=weight, gradient=shares)
    return weighted_line(x[:, None], effect, mass_of)


def steps(dose: FloatArray, effect: Combinations) -> Combinations:
    """(ATT(d_j) − ATT(d_{j−1})) / (d_j − d_{j−1}) over ascending doses (D,), from d_0 = 0 with ATT(0) = 0: (D,)."""
    n = len(dose)
    change = np.eye(n) - np.eye(n, k=-1)
    return effect.map(change / np.diff(dose, prepend=0.0)[:, None])


def bends(step: Combinations) -> Combinations:
    """Differences of neighbouring steps, without the first step from zero, (D − 2,): all zero if the effects lie on a line."""
    n = len(step.value) - 1
    return step.map((np.eye(n, n + 1, k=1) - np.eye(n, n + 1))[1:])


def same_mix(cells: GroupTimeCells, dose: IntArray, block: IntArray, selected: BoolArray) -> bool:
    """Whether every dose averages the `block`s (cohorts and years) with the same weights."""
    keys, code = np.unique(dose[selected], return_inverse=True)
    place = np.unique(block[selected], return_inverse=True)[1]
    table = np.zeros((len(keys), int(place.max(initial=0)) + 1))
    np.add.at(table, (code, place), cells.share[cells.cohort_index[selected]])
    table /= table.sum(axis=1, keepdims=True)
    return bool(np.abs(table - table[0]).max(initial=0.0) < SAME_MIX)
