"""Reads a long frame into the parts of a sample: what is wrong gathers in one list and is raised together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sme_eval.errors import DataError, Problem, raise_if_any
from sme_eval.panel.codes import MISSING, Codes, factorise
from sme_eval.panel.columns import Columns, Treatment
from sme_eval.panel.sample_flow import SampleFlow
from sme_eval.panel.validation import counted, flag, per_firm, read_cohort, read_number, read_whole_number, rows_text
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.terms import NEVER

MAX_YEARS = 62
"""Observation patterns are kept as bits of one word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A checked frame: outcome and place of every row, the years, which rows are kept, and cohort, weight and cluster per firm."""

    outcome: FloatArray
    years: IntArray
    position: Codes
    n_firms: int
    keep: BoolArray
    flow: SampleFlow
    per_firm: tuple[IntArray | None, FloatArray | None, Codes | None]


class SampleReader:
    """Reads one frame, column by column."""

    def __init__(self, frame: pd.DataFrame, names: Columns, coding: Treatment) -> None:
        self.frame, self.names, self.coding = frame, names, coding
        self.problems: list[Problem] = []

    def read(self) -> Parts:
        """Every check, then every problem at once."""
        outcome = read_number(self.frame, self.names.outcome, self.problems)
        year = read_whole_number(self.frame, self.names.year, self.problems)
        firm, firms = factorise(self.frame[self.names.firm])
        if self._flag(firm == MISSING, ("row has no firm", "rows have no firm"), self.names.firm, "every row needs its firm"):
            raise DataError(self.problems)
        n_firms = len(firms)
        cohort = self._cohort(firm, year, n_firms)
        weight, cluster = self._weight(firm, n_firms), self._cluster(firm, n_firms)
        without_covariate = self._covariates(firm, n_firms)
        if year is None:
            raise DataError(self.problems)
        position, years = self._places(firm, year, n_firms)
        treated_first = self._treated_first(cohort, year, outcome, firm)
        raise_if_any(DataError, self.problems)
        keep, flow = self._keep(firm, outcome, treated_first, without_covariate)
        return Parts(
            outcome=outcome,
            years=years,
            position=position,
            n_firms=n_firms,
            keep=keep,
            flow=flow,
            per_firm=(cohort, weight, cluster),
        )

    def _places(self, firm: Codes, year: IntArray, n_firms: int) -> tuple[Codes, IntArray]:
        """Place of every row at `firm * T + year`, and the years in order; repeated places are a problem."""
        year_code, years = factorise(year)
        order = np.argsort(years)
        year_code, years = np.argsort(order)[year_code], years[order].astype(np.int64)
        if len(years) > MAX_YEARS:
            where, remedy = f"column {self.names.year}", f"at most {MAX_YEARS} years fit"
            self.problems.append(Problem(what=f"{len(years)} distinct years.", where=where, remedy=remedy))
        position = firm * len(years) + year_code
        self._refuse_duplicates(position, n_firms * len(years))
        return position, years

    def _treated_first(self, cohort: IntArray | None, year: IntArray, outcome: FloatArray, firm: Codes) -> BoolArray | None:
        """Firms treated by the first year in which any outcome is seen: they have no before."""
        seen = ~np.isnan(outcome)
        if cohort is None or not seen.any():
            return None
        treated_first = cohort <= int(year[seen].min())
        if treated_first.any() and self.coding.always_treated == "raise":
            firms = counted(int(treated_first.sum()), "firm is", "firms are")
            self.problems.append(
                Problem(
                    what=f"{firms} treated in the first year of the panel or before: there is no before.",
                    where=f"column {self.names.cohort or self.names.treatment}",
                    first=rows_text(treated_first[firm]),
                    remedy='pass always_treated="drop" to leave them out, counted in the flow',
                )
            )
        return treated_first

    def _flag(self, bad: BoolArray, words: tuple[str, str], column: str, remedy: str) -> bool:
        return flag(self.problems, bad, words, f"column {column}", remedy)

    def _refuse_duplicates(self, position: Codes, places: int) -> None:
        taken = np.zeros(places, dtype=bool)
        taken[position] = True
        if int(taken.sum()) == len(position):
            return
        order = np.argsort(position, kind="stable")
        repeated = np.zeros(len(position), dtype=bool)
        repeated[order[1:]] = np.diff(position[order]) == 0
        words = ("row repeats a firm and year that stands above", "rows repeat a firm and year that stands above")
        columns = f"columns {self.names.firm} and {self.names.year}"
        flag(self.problems, repeated, words, columns, "keep one row per firm and year")

    def _cohort(self, firm: Codes, year: IntArray | None, n_firms: int) -> IntArray | None:
        if self.names.cohort is not None:
            column = self.names.cohort
            before = len(self.problems)
            values = read_number(self.frame, column, self.problems, infinite=True)
            if len(self.problems) > before:
                return None
            cohort = read_cohort(values, self.coding.never_treated, column, self.problems)
            if cohort is None:
                return None
            return per_firm(firm, cohort, n_firms, column, self.problems, "the cohort is a firm's first treated year: one per firm")
        if self.names.treatment is None or year is None:
            return None
        return self._cohort_from_treatment(firm, year, n_firms)

    def _cohort_from_treatment(self, firm: Codes, year: IntArray, n_firms: int) -> IntArray | None:
        column = str(self.names.treatment)
        before = len(self.problems)
        values = read_number(self.frame, column, self.problems, missing=False)
        odd = ~np.isnan(values) & (values != 0.0) & (values != 1.0)
        words = ("value is neither 0 nor 1", "values are neither 0 nor 1")
        self._flag(odd, words, column, "code treatment as 0 or 1 per year")
        if len(self.problems) > before:
            return None
        treated = values == 1.0
        cohort = np.full(n_firms, NEVER, dtype=np.int64)
        np.minimum.at(cohort, firm[treated], year[treated])
        lapsed = ~treated & (year > cohort[firm])
        if lapsed.any() and self.coding.lapses == "raise":
            firms = np.unique(firm[lapsed]).size
            self.problems.append(
                Problem(
                    what=f"Treatment ends in {counted(firms, 'firm', 'firms')}.",
                    where=f"column {column}",
                    first=rows_text(lapsed),
                    remedy='pass lapses="first" to estimate the effect of first treatment, or model the spells',
                )
            )
        return cohort

    def _weight(self, firm: Codes, n_firms: int) -> FloatArray | None:
        if self.names.weight is None:
            return None
        before = len(self.problems)
        values = read_number(self.frame, self.names.weight, self.problems, missing=False)
        bad = ~np.isnan(values) & (values <= 0.0)
        words = ("weight is not positive", "weights are not positive")
        self._flag(bad, words, self.names.weight, "leave such firms out beforehand")
        if len(self.problems) > before:
            return None
        remedy = "a weight belongs to a firm: use its baseline value"
        return np.asarray(per_firm(firm, values, n_firms, self.names.weight, self.problems, remedy))

    def _cluster(self, firm: Codes, n_firms: int) -> Codes | None:
        if self.names.cluster is None or self.names.cluster == self.names.firm:
            return None
        codes, _ = factorise(self.frame[self.names.cluster])
        words = ("cluster is missing", "clusters are missing")
        if self._flag(codes == MISSING, words, self.names.cluster, "every row needs its cluster"):
            return None
        remedy = "firms must nest in clusters: use one cluster per firm, such as its first"
        return per_firm(firm, codes, n_firms, self.names.cluster, self.problems, remedy)

    def _covariates(self, firm: Codes, n_firms: int) -> BoolArray:
        missing = np.zeros(n_firms, dtype=bool)
        for name in self.names.covariates:
            values = read_number(self.frame, name, self.problems)
            value = per_firm(firm, values, n_firms, name, self.problems, "covariates are baseline values: one per firm")
            missing |= np.isnan(value)
        return missing

    def _keep(
        self, firm: Codes, outcome: FloatArray, treated_first: BoolArray | None, covariate_missing: BoolArray
    ) -> tuple[BoolArray, SampleFlow]:
        """Rows kept, each rule counted."""
        keep, n_firms = np.ones(len(firm), dtype=bool), len(covariate_missing)
        flow = SampleFlow().then("rows_read", firms=n_firms, rows=len(firm))
        rules: list[tuple[str, BoolArray]] = [("without_outcome", np.isnan(outcome))]
        if treated_first is not None and treated_first.any():
            rules.append(("always_treated", treated_first[firm]))
        if self.names.covariates:
            rules.append(("without_covariates", covariate_missing[firm]))
        for rule, dropped in rules:
            keep &= ~dropped
            flow = flow.then(rule, firms=_count_firms(firm, keep, n_firms), rows=int(keep.sum()))
        return keep, flow


def _count_firms(firm: Codes, keep: BoolArray, n_firms: int) -> int:
    """Firms with a kept row; a table of flags, because hashing ten million codes takes seconds."""
    if keep.all():
        return n_firms
    present = np.zeros(n_firms, dtype=bool)
    present[firm[keep]] = True
    return int(present.sum())
