"""From the effects of groups (cohort × dose) to the tables of a dose response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sme_eval.moments.moments import Moments
from sme_eval.results.basis import Basis
from sme_eval.results.dose_response import RATIO_READING, STRONG_READING, DoseEffects, DoseResponseResult
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.event_study import EventStudy
from sme_eval.results.group_time import OVERALL_TERMS, GroupTimeEffects
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.aggregation import average_by, treated_firms
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.dose_line import Combinations, bends, effects_by_dose, same_mix, slope_within, steps, weighted_line
from sme_eval.stats.inference import JointTest, wald_test

from .dose_groups import DoseGroups

STRONGLY = "under strong parallel trends"
ONE_DOSE = "one dose has no slope: only its ratio to no dose is known"
NOT_SEEN = "no firm with this dose is seen in the years needed"
COMPARED = "all firms with this dose start last and are comparison only: there are no never-treated firms"
NO_PAIR = "no cohort and year has two doses"
NO_NOISE = "effects do not vary within doses: there is only rounding to test"
ROUNDING = 1e-12
"""An error of steps below this share of the steps is rounding, not sampling."""


class DoseChoices(Protocol):
    """What the tables need to know of the estimator."""

    @property
    def dose(self) -> str:
        """Name of the dose."""

    @property
    def anticipation(self) -> int:
        """Years before treatment in which effects may start."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tables:
    """The effects of doses that have one: positions `held` (D,), ATT(d) and mass; the two bases: of effects, of comparisons."""

    choices: DoseChoices
    groups: DoseGroups
    basis: Basis
    comparing: Basis
    held: IntArray
    effect: Combinations
    mass: Combinations

    @property
    def dose(self) -> FloatArray:
        """Doses that have an effect (D,)."""
        return self.groups.doses[self.held]

    @property
    def firms(self) -> int:
        """Treated firms behind the averages."""
        groups = self.groups
        [firms] = treated_firms(groups.cells, groups.firms, np.zeros_like(groups.year), groups.after, [0])
        return firms

    def one(self, term: str, found: Combinations | None, reason: str, basis: Basis) -> Estimate:
        """The single function `found` as an estimate, or the reason why there is none."""
        if found is None:
            return Estimate.from_basis(term, Unavailable(reason), Unavailable(reason), basis)
        error = float(np.sqrt(self.groups.spread(found.gradient)[0, 0]))
        return Estimate.from_basis(term, float(found.value[0]), error, basis, self.firms)


def dose_response_result(choices: DoseChoices, moments: Moments, groups: DoseGroups, basis: Basis) -> DoseResponseResult:
    """Every table of a dose response; `groups` has at least one effect after treatment."""
    dose_of = groups.dose[groups.group]
    held, effect, mass = effects_by_dose(groups.cells, dose_of, groups.after)
    tables = _Tables(
        choices=choices,
        groups=groups,
        basis=basis,
        comparing=_comparing(choices, groups, basis),
        held=held,
        effect=effect,
        mass=mass,
    )
    whole = average_by(groups.cells, np.zeros_like(groups.year), groups.after, shares=True)
    overall = Combinations(value=whole.value, gradient=whole.gradient)
    slope, intercept, origin, within = _lines(tables)
    step, effects = steps(tables.dose, effect), _effects(tables)
    return DoseResponseResult(
        effects=effects,
        overall=tables.one(f"{OVERALL_TERMS['simple']}, over doses", overall, "", basis),
        cells=_cells(tables),
        slope=slope,
        intercept=intercept,
        slope_origin=origin,
        slope_within=within,
        slope_by_event_time=_slope_by_event_time(tables, within),
        steps=_steps(tables, step, tuple(effects.n_treated[d] for d in held)),
        linearity=_linearity(tables, step),
        by_dose=_by_dose(tables, moments),
        anticipation=choices.anticipation,
        name=choices.dose,
    )


def _comparing(choices: DoseChoices, groups: DoseGroups, basis: Basis) -> Basis:
    """The basis of what compares doses: other units, and what the comparison needs."""
    notes = [STRONG_READING]
    if not same_mix(groups.cells, groups.dose[groups.group], groups.block, groups.after):
        notes.append("doses differ in their cohorts: `slope_within` compares firms of the same cohort and year only")
    return replace(basis, unit=f"{basis.unit} per unit of {choices.dose}", notes=(*basis.notes, *notes))


def _effects(tables: _Tables) -> DoseEffects:
    """ATT(d) of every dose, NaN with the reason where there is none."""
    groups, held = tables.groups, tables.held
    n_doses = len(groups.doses)
    estimate, covariance = np.full(n_doses, np.nan), np.full((n_doses, n_doses), np.nan)
    estimate[held] = tables.effect.value
    covariance[np.ix_(held, held)] = groups.spread(tables.effect.gradient)
    place = range(n_doses)
    return DoseEffects(
        term=tuple(f"ATT({d:g})" for d in groups.doses),
        estimate=estimate,
        covariance=covariance,
        basis=tables.basis,
        keys={},
        notes=tuple(_note(groups, d) for d in place),
        n_treated=tuple(treated_firms(groups.cells, groups.firms, groups.dose[groups.group], groups.after, place)),
        dose=groups.doses,
    )


def _note(groups: DoseGroups, dose: int) -> str:
    """Why a dose has no effect, or what all its effects have to say; else empty."""
    if groups.only_compared[dose]:
        return COMPARED
    mine = np.flatnonzero((groups.dose[groups.group] == dose) & (groups.event_time >= 0))
    notes = {groups.notes[j] for j in mine}
    return "" if "" in notes else "; ".join(sorted(notes)) or NOT_SEEN


def _cells(tables: _Tables) -> DoseEffects:
    groups, n_rows = tables.groups, len(tables.groups.year)
    cohort, dose = groups.cohort[groups.group], groups.doses[groups.dose[groups.group]]
    return DoseEffects(
        term=tuple(f"ATT({g}, {t} | {d:g})" for g, t, d in zip(cohort, groups.year, dose, strict=True)),
        estimate=groups.estimate,
        covariance=groups.covariance[:n_rows, :n_rows],
        basis=tables.basis,
        keys=_keys(groups, np.arange(n_rows)),
        notes=groups.notes,
        n_treated=tuple(int(n) for n in groups.n_treated),
        dose=dose,
    )


def _keys(groups: DoseGroups, rows: IntArray) -> dict[str, tuple[int, ...]]:
    cohort, year = groups.cohort[groups.group[rows]], groups.year[rows]
    columns = {"cohort": cohort, "year": year, "event_time": year - cohort}
    return {name: tuple(int(v) for v in values) for name, values in columns.items()}


def _by_dose(tables: _Tables, moments: Moments) -> dict[float, GroupTimeEffects]:
    """The effects of each dose as group-time effects of their own, which aggregate in every way."""
    groups, n_rows = tables.groups, len(tables.groups.year)
    found = {}
    for d in np.unique(groups.dose):
        mine = np.flatnonzero(groups.dose == d)
        rows = np.flatnonzero(groups.dose[groups.group] == d)
        both = np.concatenate([rows, n_rows + mine])
        effects = Effects(
            term=tuple(f"ATT({g}, {t})" for g, t in zip(groups.cohort[groups.group[rows]], groups.year[rows], strict=True)),
            estimate=groups.estimate[rows],
            covariance=groups.covariance[np.ix_(rows, rows)],
            basis=tables.basis,
            keys=_keys(groups, rows),
            notes=tuple(groups.notes[j] for j in rows),
            n_treated=tuple(int(groups.n_treated[j]) for j in rows),
        )
        found[float(groups.doses[d])] = GroupTimeEffects(
            effects=effects,
            cohorts=groups.cohort[mine],
            firms=groups.firms[mine],
            share=groups.share[mine],
            joint_covariance=groups.covariance[np.ix_(both, both)],
            years=groups.years,
            anticipation=tables.choices.anticipation,
        )
    return found


def _lines(tables: _Tables) -> tuple[Estimate, Estimate, Estimate, Estimate]:
    """Slope, intercept, slope through the origin, slope within cohort and year."""
    dose, groups, name = tables.dose, tables.groups, tables.choices.dose
    line = None
    if len(dose) > 1:
        # The mean dose is a shift like any other: centred, slope and level do not lean on each other in the arithmetic.
        middle = float(dose.mean())
        line = weighted_line(np.column_stack([np.ones(len(dose)), dose - middle]), tables.effect, tables.mass)
    slope = None if line is None else line.map(np.array([[0.0, 1.0]]))
    level = None if line is None else line.map(np.array([[1.0, -middle]]))
    origin = weighted_line(dose[:, None], tables.effect, tables.mass)
    within = slope_within(groups.cells, groups.doses[groups.dose[groups.group]], groups.block, groups.after)
    comparing = tables.comparing
    extrapolated = replace(comparing, unit=tables.basis.unit)
    ratio = replace(comparing, notes=(*tables.basis.notes, RATIO_READING))
    return (
        tables.one(f"slope of ATT on {name}, {STRONGLY}", slope, ONE_DOSE, comparing),
        tables.one(f"intercept: the line at {name} 0, {STRONGLY}", level, ONE_DOSE, extrapolated),
        tables.one(f"average of ATT/{name} (slope through the origin)", origin, "", ratio),
        tables.one(f"slope within cohort and year, {STRONGLY}", within, ONE_DOSE if len(dose) == 1 else NO_PAIR, comparing),
    )


def _steps(tables: _Tables, step: Combinations, n_treated: tuple[int, ...]) -> DoseEffects:
    """Steps between neighbouring doses that have an effect; the row's dose is the upper one."""
    lower = np.concatenate([[0.0], tables.dose[:-1]])
    return DoseEffects(
        term=tuple(f"from {a:g} to {b:g}" + (f", {STRONGLY}" if a else "") for a, b in zip(lower, tables.dose, strict=True)),
        estimate=step.value,
        covariance=tables.groups.spread(step.gradient),
        basis=tables.comparing,
        keys={},
        notes=("",) * len(tables.dose),
        n_treated=n_treated,
        dose=tables.dose,
    )


def _linearity(tables: _Tables, step: Combinations) -> JointTest | Unavailable:
    if len(tables.dose) < 3:
        return Unavailable(f"{len(tables.dose)} doses always lie on a line" if len(tables.dose) > 1 else ONE_DOSE)
    bend = bends(step)
    covariance = tables.groups.spread(bend.gradient)
    moving = np.sqrt(np.diag(covariance).max()) > ROUNDING * np.abs(step.value).max()
    found = wald_test(bend.value, covariance) if moving else None
    return found if found is not None else Unavailable(NO_NOISE)


def _slope_by_event_time(tables: _Tables, overall: Estimate) -> EventStudy | Unavailable:
    """The slope within cohort and year, event time by event time."""
    groups = tables.groups
    dose, time = groups.doses[groups.dose[groups.group]], groups.event_time
    moving: BoolArray = np.isfinite(groups.estimate) & np.array([note != "reference" for note in groups.notes])
    rows = {
        int(e): found
        for e in np.unique(time[moving])
        if (found := slope_within(groups.cells, dose, groups.block, moving & (time == e))) is not None
    }
    if not rows:
        return Unavailable(str(overall.estimate.reason) if isinstance(overall.estimate, Unavailable) else NO_PAIR)
    gradient = np.concatenate([found.gradient for found in rows.values()])
    times: Sequence[int] = tuple(rows)
    effects = Effects(
        term=tuple(f"slope at event time {e}" for e in times),
        estimate=np.concatenate([found.value for found in rows.values()]),
        covariance=groups.spread(gradient),
        basis=tables.comparing,
        keys={"event_time": tuple(times)},
        notes=("",) * len(times),
        n_treated=tuple(treated_firms(groups.cells, groups.firms, time, moving, times)),
    )
    anticipation = tables.choices.anticipation
    return EventStudy(effects=effects, overall=overall, reference=-1 - anticipation, anticipation=anticipation)
