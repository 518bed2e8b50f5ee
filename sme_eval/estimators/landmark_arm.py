"""One arm of a landmark design: who enters when, who is compared, and the effects on any number of outcomes at once.

Everything here is linear in the outcomes: the same operator gives the effect on an outcome, and of an exposure (on the list,
certified, dose) how much more the arm got of it. That is what makes a bundle separable into its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from sme_eval.errors import IdentificationError, Problem
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.doubly_robust import PooledLogit, pooled_logit, treated_gap, trimmed_odds
from sme_eval.terms import NEVER

BASE = -1
"""Event time of the base year."""

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

    def groups(self, cohort: int, x: FloatArray) -> tuple[BoolArray, BoolArray]:
        """The cohort's members and their comparison, (N,) each, among firms whose covariates `x` (N, p) are known."""
        known, member = np.isfinite(x.sum(axis=1)), self.member & (self.entry == cohort)
        return member & known, self.comparison(cohort) & known & ~member


@dataclass(frozen=True, eq=False, kw_only=True)
class Propensity:
    """How likely entering was, by a logit with an intercept per cohort and common slopes.

    `odds` cohort → (N,), zero outside its groups and where trimmed; `influence` (N, q) of firms on all coefficients, of which
    `place` cohort → (1 + p,) are those of the covariates with their intercept; `n_trimmed` comparison firms left without weight.
    """

    odds: dict[int, FloatArray]
    influence: FloatArray
    place: dict[int, IntArray]
    n_trimmed: int


def entry_propensity(
    arm: Arm, years: IntArray, covariates: Covariates, weight: FloatArray | None = None, names: tuple[str, ...] = ()
) -> Propensity:
    """The propensity of entering in g given X_g among the members of g and their comparison, pooled over cohorts.

    Cohorts without a base year, members or comparison of known covariates have none. `names` (p,) of the covariates after the
    intercept are for the error: an `IdentificationError` where entering is certain for some firms or the logit has no maximum.
    """
    designs = {int(g): covariates(int(g)) for g in arm.cohorts(years) if g + BASE >= years[0]}
    groups = {g: arm.groups(g, x) for g, x in designs.items()}
    cohorts = [g for g, (treated, comparison) in groups.items() if treated.any() and comparison.any()]
    n_firms = len(arm.entry)
    if not cohorts:
        return Propensity(odds={}, influence=np.zeros((n_firms, 0)), place={}, n_trimmed=0)
    rows = [np.flatnonzero(groups[g][0] | groups[g][1]) for g in cohorts]
    firm = np.concatenate(rows)
    fit = pooled_logit(
        np.concatenate([designs[g][r, 1:] for g, r in zip(cohorts, rows, strict=True)]),
        np.concatenate([groups[g][0][r] for g, r in zip(cohorts, rows, strict=True)]),
        np.repeat(np.arange(len(cohorts)), [len(r) for r in rows]),
        firm,
        (np.ones(n_firms) if weight is None else weight)[firm],
    )
    _refuse_separation(fit, names)
    pieces = np.split(trimmed_odds(fit.probability), np.cumsum([len(r) for r in rows])[:-1])
    odds = {g: np.zeros(n_firms) for g in cohorts}
    for g, r, piece in zip(cohorts, rows, pieces, strict=True):
        odds[g][r] = piece
    influence = np.zeros((n_firms, fit.influence.shape[1]))
    influence[: len(fit.influence)] = fit.influence
    slopes = np.arange(len(cohorts), influence.shape[1])
    return Propensity(
        odds=odds,
        influence=influence,
        place={g: np.concatenate([[k], slopes]) for k, g in enumerate(cohorts)},
        n_trimmed=sum(int((groups[g][1][r] & (piece == 0.0)).sum()) for g, r, piece in zip(cohorts, rows, pieces, strict=True)),
    )


def _refuse_separation(fit: PooledLogit, names: tuple[str, ...]) -> None:
    """No propensity where covariates tell entrants and comparison firms apart."""
    if fit.converged and not fit.n_certain:
        return
    apart = list(dict.fromkeys(names[j] for j in fit.moving if j < len(names)))
    raise IdentificationError(
        Problem(
            what=f"The covariates tell {fit.n_certain} firms apart as certain to enter; their propensity has no overlap.",
            where=f"covariates: {', '.join(apart) or ', '.join(dict.fromkeys(names)) or 'not named'}",
            remedy='merge small categories, use fewer covariates, or method="reg"',
        )
    )


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
    propensity: Propensity | None = None,
) -> ArmEffects:
    """Effects by event time of entering, by regression on each cohort's comparison firms.

    Estimand: τ_k(e) = Σ_g s_g {E[Y_k,g+e − Y_k,g−1 | member, entry = g] − E[m_gek(X_g) | member, entry = g]}, s_g the cohort's
    share of the treated weight, m_gek the linear regression of the same change on X_g among the comparison firms of g.

    `outcomes` is (K, N, T) over `years` (T,), NaN where not seen; `weight` (N,) or ones. A cell whose treated firms lie
    outside what its comparison spans is left out. The influence counts the cohorts' shares as estimated. With a `propensity`
    the effects are doubly robust, as `treated_gap` says, and its estimation is in their influence.
    """
    times = tuple(e for e in range(window[0], window[1] + 1) if e != BASE)
    firm_weight = np.ones(outcomes.shape[1]) if weight is None else weight
    cohorts = []
    for g in (int(g) for g in arm.cohorts(years)):
        change = _changes(g, outcomes, years, times)
        if change is not None:
            x = covariates(g)
            cohorts.append(_cohort(g, change, x, arm.groups(g, x), firm_weight, propensity))
    return _pool(tuple(cohorts), times, outcomes.shape, firm_weight)


def _changes(g: int, outcomes: FloatArray, years: IntArray, times: tuple[int, ...]) -> FloatArray | None:
    """(N, K, E) changes from the base year of cohort g, NaN where not seen; None if there is no base year."""
    place = {int(year): j for j, year in enumerate(years)}
    if g + BASE not in place:
        return None
    n_outcomes, n_firms, _ = outcomes.shape
    change = np.full((n_firms, n_outcomes, len(times)), np.nan)
    for j, e in enumerate(times):
        if g + e in place:
            change[:, :, j] = (outcomes[:, :, place[g + e]] - outcomes[:, :, place[g + BASE]]).T
    return change


def _cohort(
    g: int,
    change: FloatArray,
    x: FloatArray,
    groups: tuple[BoolArray, BoolArray],
    weight: FloatArray,
    propensity: Propensity | None,
) -> CohortEffects:
    """All effects of cohort g."""
    shape = change.shape[1:]
    value, mass = np.full(shape, np.nan), np.zeros(shape)
    influence, counted = np.zeros(change.shape), np.zeros(change.shape, dtype=np.bool_)
    odds = None if propensity is None else propensity.odds.get(g, np.zeros(len(x)))
    for usable, cells in _same_firms(np.isfinite(change) & (groups[0] | groups[1])[:, None, None]):
        rows = (groups[0] & usable, groups[1] & usable)
        found = treated_gap(change[:, cells[0], cells[1]], x, rows, weight, odds)
        if found is None:
            continue
        own = found.influence
        if propensity is not None:
            own = own + propensity.influence[:, propensity.place[g]] @ found.gradient
        value[cells], influence[:, cells[0], cells[1]] = found.effect, own
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


def by_event_time(
    times: IntArray, value: FloatArray, covariance: FloatArray, treated: IntArray, basis: Basis, settled: tuple[int, ...]
) -> Effects:
    """The effects with the base year among them, fixed at zero."""
    notes = {**dict.fromkeys(settled, "zero: conditioned on"), BASE: "reference"}
    at = int(np.searchsorted(times, BASE))
    shown = [int(e) for e in np.insert(times, at, BASE)]
    return Effects(
        term=tuple(f"event time {e}" for e in shown),
        estimate=np.insert(value, at, 0.0),
        covariance=np.insert(np.insert(covariance, at, 0.0, axis=0), at, 0.0, axis=1),
        basis=basis,
        keys={"event_time": tuple(shown)},
        notes=tuple(notes.get(e, "") for e in shown),
        n_treated=tuple(int(n) for n in np.insert(treated, at, treated.max())),
    )
