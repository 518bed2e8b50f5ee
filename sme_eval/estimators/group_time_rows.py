"""Which changes a group-time design looks at, and which cohorts each is compared with."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sme_eval.stats.arrays import BoolArray, IntArray
from sme_eval.terms import BasePeriod, Comparison, PanelRule

Row = tuple[int, int, int]
"""Cohort, position of the year, position of its base year."""


class GroupTimeChoices(Protocol):
    """The choices of a group-time design that say what is compared."""

    @property
    def comparison(self) -> Comparison:
        """Which firms are compared with."""

    @property
    def anticipation(self) -> int:
        """Years before treatment in which effects may start."""

    @property
    def base_period(self) -> BasePeriod:
        """From which year changes are taken before treatment."""

    @property
    def panel(self) -> PanelRule:
        """Which firms count on an unbalanced panel."""

    @property
    def level(self) -> float:
        """Level of the intervals."""


def in_use(choices: GroupTimeChoices, years: IntArray, cohorts: IntArray) -> tuple[IntArray, IntArray]:
    """The years that a design can look at, and those of `cohorts` (ascending) that have effects.

    A cohort that starts more than `anticipation` years after the last year is never treated within the panel; one that starts
    sooner may respond already. Without never-treated firms "not_yet_treated" compares nobody from the last cohort's start (less
    `anticipation`) on: these years are left out before anything else, and the last cohort is comparison only. As R did 2.5.
    """
    treated = cohorts[cohorts <= years[-1] + choices.anticipation]
    if choices.comparison == "not_yet_treated" and len(treated) == len(cohorts) > 0:
        return years[years < treated[-1] - choices.anticipation], treated[:-1]
    return years, treated


def years_left_out(years: IntArray, used: IntArray) -> list[str]:
    """A note about the years without anybody to compare with."""
    if len(used) == len(years):
        return []
    return [f"no never-treated firms: years from {years[len(used)]} on are left out, and the last cohort is comparison only"]


def group_time_rows(choices: GroupTimeChoices, years: IntArray, cohorts: IntArray) -> list[Row]:
    """(cohort, position of the year, position of its base year) of every ATT(g, t) of the treated `cohorts`."""
    rows = []
    for cohort in cohorts:
        before = np.flatnonzero(years < cohort - choices.anticipation)
        if not len(before):
            continue
        for j in range(0 if choices.base_period == "universal" else 1, len(years)):
            fixed = choices.base_period == "universal" or years[j] >= cohort - choices.anticipation
            rows.append((int(cohort), j, int(before[-1]) if fixed else j - 1))
    return rows


def compared_with(choices: GroupTimeChoices, years: IntArray, cohorts: IntArray, row: Row) -> BoolArray:
    """Which entries of `cohorts` (K,) an ATT(g, t) is compared with."""
    cohort, year, base = row
    never: BoolArray = np.asarray((cohorts > years[-1] + choices.anticipation) & (cohorts != cohort))
    if choices.comparison == "never_treated":
        return never
    later = cohorts > years[max(year, base)] + choices.anticipation
    return np.asarray(never | (later & (cohorts != cohort)))
