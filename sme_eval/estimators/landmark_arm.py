"""One arm of a landmark design: who enters when, who is compared, and the effects on any number of outcomes at once.

Everything here is linear in the outcomes: the same operator applied to an outcome gives its effect and applied to an exposure (on the list,
certified, dose) gives how much more of it the arm got. That is what makes a bundle separable into its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.least_squares import scaled_pseudoinverse
from sme_eval.terms import NEVER

BASE = -1
"""Event time of the base year."""
SPAN_TOLERANCE = 1e-6
"""Largest part of the treated firms' mean covariates that may lie outside what the comparison firms span."""

Comparison = Callable[[int], BoolArray]
"""Cohort → (N,) firms that may be compared with it."""
Covariates = Callable[[int], FloatArray]
"""Cohort → (N, p) covariates with an intercept; NaN where a firm's are not known."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Arm:
    """`entry` (N,) first year, `NEVER` without; `member` (N,) the entrants whose effect is asked; and their `comparison`.

    Other entrants of the same year are compared with nobody, unless the comparison takes them.
    """

    entry: IntArray
    member: BoolArray
    comparison: Comparison

    def cohorts(self, years: IntArray) -> IntArray:
        """Entry years of the arm's members within `years`."""
        return np.unique(self.entry[self.member & (self.entry != NEVER) & (self.entry <= years[-1])])


@dataclass(frozen=True, eq=False, kw_only=True)
class CohortEffects:
    """Effects of one cohort: `value` and `mass` (K, E), NaN and 0 where not identified; `influence` (N, K, E) on the effects.

    `treated` (N, K, E) marks the firms that a cell's effect is an average over.
    """

    cohort: int
    value: FloatArray
    mass: FloatArray
    treated: BoolArray
    influence: FloatArray


@dataclass(frozen=True, eq=False, kw_only=True)
class ArmEffects:
    """Cohorts pooled by their treated weight: `value` (K, E), NaN where no cohort is identified, `influence` (N, K, E)."""

    times: tuple[int, ...]
    value: FloatArray
    influence: FloatArray
    n_treated: IntArray
    cohorts: tuple[CohortEffects, ...]

    def window_mean(self, first: int, last: int) -> tuple[FloatArray, FloatArray]:
        """(K,) plain mean over the identified event times from `first` to `last`, and its influence (N, K)."""
        inside = [j for j, e in enumerate(self.times) if first <= e <= last and np.isfinite(self.value[:, j]).all()]
        return self.value[:, inside].mean(axis=1), self.influence[:, :, inside].mean(axis=2)


def arm_effects(
    arm: Arm,
    outcomes: FloatArray,
    years: IntArray,
    covariates: Covariates,
    window: tuple[int, int],
    weight: FloatArray | None = None,
) -> ArmEffects:
    """Effects by event time of entering, by regression on each cohort's comparison firms.

    Estimand: τ_k(e) = Σ_g s_g {E[Y_k,g+e − Y_k,g−1 | member, entry = g] − E[m_gek(X_g) | member, entry = g]}, s_g the cohort's
    share of the treated weight, m_gek the linear regression of the same change on X_g among the comparison firms of g.

    `outcomes` is (K, N, T) over `years` (T,), NaN where not seen; `weight` (N,) or ones. A cell whose treated firms lie
    outside what its comparison spans is left out. The influence counts the cohorts' shares as estimated.
    """
    times = tuple(e for e in range(window[0], window[1] + 1) if e != BASE)
    ones = np.ones(outcomes.shape[1])
    cohorts = tuple(
        fitted
        for g in arm.cohorts(years)
        if (fitted := _cohort(arm, int(g), outcomes, years, covariates(int(g)), times, ones if weight is None else weight))
    )
    return _pool(cohorts, times, outcomes.shape, ones if weight is None else weight)


def _cohort(
    arm: Arm, g: int, outcomes: FloatArray, years: IntArray, x: FloatArray, times: tuple[int, ...], weight: FloatArray
) -> CohortEffects | None:
    """All effects of cohort g; None if it has no base year."""
    place = {int(year): j for j, year in enumerate(years)}
    if g + BASE not in place:
        return None
    n_outcomes, n_firms, _ = outcomes.shape
    shape = (n_outcomes, len(times))
    value, mass = np.full(shape, np.nan), np.zeros(shape)
    influence = np.zeros((n_firms, *shape))
    counted = np.zeros((n_firms, *shape), dtype=np.bool_)
    treated, comparison = arm.member & (arm.entry == g), arm.comparison(g)
    known = np.isfinite(x).all(axis=1) & (treated | comparison)
    change = np.full((n_firms, *shape), np.nan)
    for j, e in enumerate(times):
        if g + e in place:
            change[:, :, j] = (outcomes[:, :, place[g + e]] - outcomes[:, :, place[g + BASE]]).T
    for usable, cells in _same_firms(np.isfinite(change) & known[:, None, None]):
        rows = (treated & usable, comparison & usable)
        found = _regression(change[:, cells[0], cells[1]], x, rows, weight)
        if found is not None:
            value[cells], influence[:, cells[0], cells[1]] = found
            mass[cells] = weight[rows[0]].sum()
            counted[:, cells[0], cells[1]] = rows[0][:, None]
    return CohortEffects(cohort=g, value=value, mass=mass, treated=counted, influence=influence)


def _same_firms(usable: BoolArray) -> Iterator[tuple[BoolArray, tuple[IntArray, IntArray]]]:
    """Cells (outcome, event time) that can use the same firms, together: on a balanced panel that is all of them."""
    n_times = usable.shape[2]
    flat = np.packbits(usable.reshape(len(usable), -1), axis=0).T
    keyed = sorted((row.tobytes(), j) for j, row in enumerate(flat))
    for _, group in groupby(keyed, key=lambda pair: pair[0]):
        cells = np.array([j for _, j in group])
        yield usable[:, cells[0] // n_times, cells[0] % n_times], (cells // n_times, cells % n_times)


def _regression(
    change: FloatArray, x: FloatArray, groups: tuple[BoolArray, BoolArray], weight: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Effects (m,) on changes (N, m) and their influence (N, m); None where the comparison does not span the treated."""
    treated, comparison = groups
    if not treated.any() or not comparison.any():
        return None
    mass = float(weight[treated].sum())
    mean = weight[treated] @ x[treated] / mass
    weighted = x[comparison] * weight[comparison][:, None]
    gram = weighted.T @ x[comparison]
    inverse = scaled_pseudoinverse(gram)
    if np.abs(mean @ inverse @ gram - mean).max() > SPAN_TOLERANCE * max(1.0, float(np.abs(mean).max())):
        return None
    beta = inverse @ (weighted.T @ change[comparison])
    gap = change[treated] - x[treated] @ beta
    effect = weight[treated] @ gap / mass
    influence = np.zeros_like(change)
    influence[treated] = weight[treated][:, None] * (gap - effect) / mass
    influence[comparison] = -(weighted @ (inverse @ mean))[:, None] * (change[comparison] - x[comparison] @ beta)
    return effect, influence


def _pool(cohorts: tuple[CohortEffects, ...], times: tuple[int, ...], shape: tuple[int, ...], weight: FloatArray) -> ArmEffects:
    """Cohorts by their treated weight; that weight is estimated, so a firm's own deviation enters its influence."""
    n_outcomes, n_firms, _ = shape
    total = sum((c.mass for c in cohorts), np.zeros((n_outcomes, len(times))))
    with np.errstate(invalid="ignore"):
        shares = [c.mass / total for c in cohorts]
    value = sum((s * np.nan_to_num(c.value) for s, c in zip(shares, cohorts, strict=True)), np.zeros_like(total))
    value = np.where(total > 0.0, value, np.nan)
    influence = np.zeros((n_firms, *value.shape))
    treated = np.zeros(influence.shape, dtype=np.bool_)
    for share, c in zip(shares, cohorts, strict=True):
        own = np.nan_to_num(share) * c.influence
        moved = np.where(c.mass > 0.0, (np.nan_to_num(c.value) - np.nan_to_num(value)) / np.where(total > 0.0, total, 1.0), 0.0)
        influence += own + c.treated * weight[:, None, None] * moved
        treated |= c.treated
    return ArmEffects(
        times=times, value=value, influence=influence, n_treated=treated.any(axis=1).sum(axis=0).astype(np.int64), cohorts=cohorts
    )
