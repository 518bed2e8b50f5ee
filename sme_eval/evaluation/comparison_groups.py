"""The headline's effect against other groups: status quo, not yet or never treated, never listed, members of other lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from sme_eval.checks.comparison_groups import GroupSide
from sme_eval.checks.side_by_side import NOT_ESTIMATED, Side
from sme_eval.errors import DataError, DesignError, IdentificationError, Problem
from sme_eval.estimators.landmark import LandmarkDiD, clustered, read_landmark
from sme_eval.estimators.landmark_arm import Arm, arm_effects, entry_propensity
from sme_eval.estimators.landmark_covariates import LandmarkCovariates, firm_numbers
from sme_eval.estimators.protocol import Estimator
from sme_eval.panel.sample import Sample
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, IntArray
from sme_eval.terms import NEVER, Comparison

from .fitting import fit

NOT_SPANNED = Unavailable("not identified: too few comparison firms span the covariates")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Group:
    """Who may be compared with cohort g; whether that depends on what happened from g on, and how."""

    key: str
    comparison: Callable[[int], BoolArray]
    future: bool
    note: str


def landmark_groups(
    landmark: LandmarkDiD, sample: Sample, preferred: tuple[Comparison, ...], columns: tuple[str, ...]
) -> tuple[GroupSide, ...]:
    """The headline's own comparison, the `preferred` in their order, never listed, then the members of the lists in `columns`."""
    cohort = cast(IntArray, sample.cohort)
    covariates, arm = read_landmark(landmark, sample, cohort)
    found = []
    for group in _groups(landmark, sample, arm, preferred, columns):
        compared = replace(arm, comparison=group.comparison)
        side = _side(group.key, landmark, sample, covariates, compared)
        found.append(GroupSide(side=side, future=group.future, note=group.note))
    return tuple(found)


def _groups(
    landmark: LandmarkDiD, sample: Sample, arm: Arm, preferred: tuple[Comparison, ...], columns: tuple[str, ...]
) -> Iterator[_Group]:
    cohort, last = arm.entry, int(sample.years[-1])
    late = np.asarray(cohort > last)
    yield _Group(key="status_quo", comparison=arm.comparison, future=False, note="as_of_entry")
    for choice in preferred:
        if choice == "not_yet_treated":
            yield _Group(key=choice, comparison=lambda g: np.asarray(cohort > g), future=False, note="as_of_entry")
        else:
            yield _Group(key=choice, comparison=lambda g: late, future=True, note="not_chosen_later")
    if landmark.listed is not None:
        nowhere = np.asarray(arm.comparison(last + 1) & late)
        yield _Group(key="never_listed", comparison=lambda g: nowhere, future=True, note="not_chosen_later")
    for name in columns:
        start = first_years(sample, name)
        if start is not None and (start <= last).any():
            yield _members(name, start, arm, last)


def _members(name: str, start: IntArray, arm: Arm, last: int) -> _Group:
    """Members of another list, ever: those who joined from g on are known to be so only afterwards."""
    member, cohort = np.asarray(start <= last), arm.entry
    entered = np.unique(cohort[arm.member & (cohort <= last)])
    future = any(bool((member & (cohort > g) & (start >= g)).any()) for g in entered)
    note = "chosen_later" if future else "as_of_entry"
    return _Group(key=name, comparison=lambda g: np.asarray(member & (cohort > g)), future=future, note=note)


def first_years(sample: Sample, name: str) -> IntArray | None:
    """(N,) first years in a kept column, `NEVER` for zero and missing; None where it is no first year of firms."""
    problems: list[Problem] = []
    year = firm_numbers(sample, name, problems, "a first year is one per firm")
    if problems:
        return None
    known = np.isfinite(year) & (year > 0)
    return np.where(known, np.where(known, year, 0.0), NEVER).astype(np.int64)


def _side(key: str, landmark: LandmarkDiD, sample: Sample, covariates: LandmarkCovariates, arm: Arm) -> Side:
    """The headline's mean over event times from 0 on, against the arm's comparison."""
    window, outcome = (0, landmark.window[1]), sample.outcome[None]
    try:
        propensity = None
        if landmark.method == "dr":
            propensity = entry_propensity(arm, sample.years, covariates, sample.weight, covariates.names)
        effects = arm_effects(arm, outcome, sample.years, covariates, window, sample.weight, propensity)
    except IdentificationError as refused:
        return Side(key=key, estimate=Unavailable(f"not identified: {refused.problems[0].what}"))
    if not np.isfinite(effects.value).any():
        return Side(key=key, estimate=NOT_SPANNED)
    value, influence = effects.window_mean(*window)
    treated = np.any([c.treated[:, 0].any(axis=1) for c in effects.cohorts], axis=0)
    used = [c.cohort for c in effects.cohorts if np.isfinite(c.value[0]).any()]
    compared = np.any([arm.groups(g, covariates(g))[1] for g in used], axis=0)
    return Side(
        key=key,
        estimate=float(value[0]),
        std_error=float(np.sqrt(clustered(sample, influence)[0, 0])),
        n_treated=int(treated.sum()),
        n_comparison=int(compared.sum()),
    )


def estimator_groups(estimator: Estimator, sample: Sample, preferred: tuple[Comparison, ...]) -> tuple[GroupSide, ...]:
    """The comparison choices of an estimator that has them, its own first; empty for others.

    Not yet treated means until the year of the effect here, so that both choices depend on what happened after entry.
    """
    own = getattr(estimator, "comparison", None)
    if own is None:
        return ()
    notes = {"not_yet_treated": "not_by_the_year", "never_treated": "not_chosen_later"}
    sides, chosen = [], cast(Comparison, own)
    for name in dict.fromkeys((chosen, *preferred)):
        sides.append(GroupSide(side=_refit(estimator, sample, name), future=True, note=notes[name]))
    return tuple(sides)


def _refit(estimator: Estimator, sample: Sample, name: Comparison) -> Side:
    cohort, last = cast(IntArray, sample.cohort), int(sample.years[-1])
    try:
        overall = fit(cast(Estimator, replace(cast(Any, estimator), comparison=name)), sample).overall
    except (IdentificationError, DesignError, DataError) as refused:
        return Side(key=name, estimate=Unavailable(f"not identified: {refused.problems[0].what}"))
    compared = cohort > (last if name == "never_treated" else int(cohort.min()))
    error = overall.std_error
    return Side(
        key=name,
        estimate=overall.estimate,
        std_error=error if isinstance(error, Unavailable) or np.isfinite(error) else NOT_ESTIMATED,
        n_treated=overall.n_treated if overall.n_treated is not None else int((cohort <= last).sum()),
        n_comparison=int(compared.sum()),
    )
