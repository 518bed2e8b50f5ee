"""Lee's bounds: what an average effect can be when one group has more survivors, by trimming that group to the other's share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray

BOOTSTRAP_DRAWS = 200
"""Samples of units behind the bounds' standard errors: these are then known to 5 %."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SurvivalCell:
    """One cohort at one event time: units (N,) at risk as `treated` or `comparison`, and their `change` (N,), NaN for who left.

    Changes may be residuals: bounds are on the difference of their means. Cells of one `time` are pooled by treated units, times
    averaged.
    """

    time: int
    treated: BoolArray
    comparison: BoolArray
    change: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LeeBounds:
    """The `untrimmed` difference, bounds on that of units that survive either way, their errors, Imbens and Manski's interval."""

    untrimmed: float
    lower: float
    upper: float
    lower_error: float
    upper_error: float
    conf_low: float
    conf_high: float


def trimmed_mean(values: FloatArray, weight: FloatArray, share: float, *, top: bool) -> float:
    """Mean of `values` (n,) without the largest (`top`) or smallest `share` of their weight; the value at the cut counts in part.

    >>> trimmed_mean(np.array([1.0, 2.0, 3.0, 10.0]), np.ones(4), 0.25, top=True)
    2.0
    """
    order = np.argsort(values)
    order = order if top else order[::-1]
    w = weight[order]
    kept_mass = (1.0 - share) * w.sum()
    kept = np.clip(kept_mass - (np.cumsum(w) - w), 0.0, w)
    return float(kept @ values[order] / kept.sum()) if kept_mass > 0.0 else math.nan


def lee_bounds(
    cells: Sequence[SurvivalCell], rng: np.random.Generator, level: float = 0.95, draws: int = BOOTSTRAP_DRAWS
) -> LeeBounds:
    """Bounds on the mean difference of changes between treated and comparison units that survive whichever group they are in.

    With survival s₁ of the treated and s₀ of the comparison, q = (s₁ − s₀)/s₁ of the treated survivors are trimmed if q > 0: the
    largest for the lower bound, the smallest for the upper; if s₀ > s₁ the comparison is trimmed by (s₀ − s₁)/s₀, smallest for the
    lower. Assumes monotonicity (treatment moves survival of all units of a cohort one way) and assignment independent of potential
    changes and survival. Errors: bootstrap of units over all cells together, trimming shares estimated anew. Interval: Imbens and
    Manski (2004), covering the effect, not the whole set. Source: Lee (2009), Review of Economic Studies 76, 1071-1102.
    """
    n = len(cells[0].change)
    ordered = [_Ordered.of(cell) for cell in cells]
    untrimmed, lower, upper = _pooled(ordered, np.ones((1, n)))[0]
    samples = _pooled(ordered, rng.multinomial(n, np.full(n, 1.0 / n), size=draws).astype(np.float64))
    with np.errstate(invalid="ignore"):
        errors = np.nanstd(samples, axis=0, ddof=1)
    low, high = imbens_manski(lower, upper, float(errors[1]), float(errors[2]), level)
    return LeeBounds(
        untrimmed=float(untrimmed),
        lower=float(lower),
        upper=float(upper),
        lower_error=float(errors[1]),
        upper_error=float(errors[2]),
        conf_low=low,
        conf_high=high,
    )


def imbens_manski(lower: float, upper: float, lower_error: float, upper_error: float, level: float) -> tuple[float, float]:
    """Interval that covers a point of [lower, upper] with probability `level` wherever in it the point lies.

    [lower − c·se_l, upper + c·se_u] with Φ(c + (upper − lower)/max se) − Φ(−c) = level: 1.96 for a point, 1.645 for a wide set.
    """
    from scipy import optimize, stats

    widest = max(lower_error, upper_error)
    if not widest > 0.0:
        return lower, upper
    gap = (upper - lower) / widest
    c = float(optimize.brentq(lambda z: stats.norm.cdf(z + gap) - stats.norm.cdf(-z) - level, 0.0, 10.0))
    return lower - c * lower_error, upper + c * upper_error


@dataclass(frozen=True, eq=False, kw_only=True)
class _Ordered:
    """A cell's survivors by their change: places of treated and comparison units at risk, and of survivors in ascending order."""

    time: int
    at_risk: tuple[FloatArray, FloatArray]
    place: tuple[IntArray, IntArray]
    value: tuple[FloatArray, FloatArray]

    @classmethod
    def of(cls, cell: SurvivalCell) -> _Ordered:
        groups = (cell.treated, cell.comparison & ~cell.treated)
        order = np.argsort(cell.change, kind="stable")
        order = order[np.isfinite(cell.change[order])]
        treated, comparison = (order[group[order]].astype(np.int64) for group in groups)
        return cls(
            time=cell.time,
            at_risk=(groups[0].astype(np.float64), groups[1].astype(np.float64)),
            place=(treated, comparison),
            value=(cell.change[treated], cell.change[comparison]),
        )


def _pooled(cells: Sequence[_Ordered], weight: FloatArray) -> FloatArray:
    """(R, 3) untrimmed, lower and upper for each row of unit weights (R, N), NaN where no cell has survivors on both sides."""
    times = sorted({cell.time for cell in cells})
    total, mass = np.zeros((len(times), len(weight), 3)), np.zeros((len(times), len(weight)))
    for cell in cells:
        found, of = _cell(cell, weight)
        live = np.asarray(np.isfinite(found).all(axis=1))
        total[times.index(cell.time)] += np.where(live, of, 0.0)[:, None] * np.where(live[:, None], found, 0.0)
        mass[times.index(cell.time)] += np.where(live, of, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_time = np.where(mass[:, :, None] > 0.0, total / mass[:, :, None], np.nan)
    known: BoolArray = np.isfinite(by_time[:, :, :1])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(known, by_time, 0.0).sum(axis=0) / known.sum(axis=0))


def _cell(cell: _Ordered, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(R, 3) of one cell and (R,) its treated weight at risk."""
    at_risk = [weight @ group for group in cell.at_risk]
    own = [weight[:, place] for place in cell.place]
    with np.errstate(invalid="ignore", divide="ignore"):
        survival = [w.sum(axis=1) / n for w, n in zip(own, at_risk, strict=True)]
        more = np.maximum(1.0 - survival[1] / survival[0], 0.0), np.maximum(1.0 - survival[0] / survival[1], 0.0)
    means = [[_trimmed_rows(cell.value[k], own[k], share, top) for share, top in _cuts(more[k])] for k in (0, 1)]
    (plain, below, above), (c_plain, c_below, c_above) = means
    return np.stack([plain - c_plain, below - c_above, above - c_below], axis=1), at_risk[0]


def _cuts(share: FloatArray) -> tuple[tuple[FloatArray, bool], ...]:
    """Nothing trimmed, the top trimmed (a small mean), the bottom trimmed (a large one)."""
    return (np.zeros_like(share), True), (share, True), (share, False)


def _trimmed_rows(values: FloatArray, weight: FloatArray, share: FloatArray, top: bool) -> FloatArray:
    """`trimmed_mean` of ascending `values` (n,) for each row of weights (R, n) and share (R,)."""
    v, w = (values, weight) if top else (values[::-1], weight[:, ::-1])
    total = w.sum(axis=1)
    before = np.cumsum(w, axis=1) - w
    kept = np.clip(((1.0 - share) * total)[:, None] - before, 0.0, w)
    mass = kept.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(mass > 0.0, kept @ v / mass, np.nan))
