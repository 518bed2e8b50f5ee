"""Reads a long frame into the parts of a sample: what is wrong gathers in one list and is raised together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sme_eval.errors import DataError, Problem, raise_if_any
from sme_eval.panel.codes import MISSING, Codes, RowCodes, RowFirms, count_places, row_blocks, row_codes, row_places
from sme_eval.panel.columns import Columns, Treatment
from sme_eval.panel.sample_flow import SampleFlow
from sme_eval.panel.validation import (
    any_row,
    counted,
    flag,
    per_firm,
    plain_numbers,
    read_cohort,
    read_number,
    read_whole_number,
    rows_text,
)
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.terms import NEVER

MAX_YEARS = 62
"""Observation patterns are kept as bits of one word."""

SMALLEST_WEIGHT, LARGEST_WEIGHT = 1e-100, 1e100
"""Errors need the sum of squares of weights."""


PerFirm = tuple[IntArray | None, FloatArray | None, Codes | None]
"""Cohort, weight and cluster (N,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A checked frame.

    table (n_firms, T) of outcomes, NaN where no row is kept · years (T,) · position (rows,) of every row in it, at
    `firm * T + year` · keep (rows,) · what each firm has · baseline (p, n_firms) covariates.
    """

    table: FloatArray
    years: IntArray
    position: NDArray[Any]
    keep: BoolArray
    flow: SampleFlow
    per_firm: PerFirm
    baseline: FloatArray


class SampleReader:
    """Reads one frame, column by column.

    Rows are worked on in blocks. What a firm has is read once per firm; only where that finds fault is a column read again row by
    row, because the messages count rows.
    """

    def __init__(self, frame: pd.DataFrame, names: Columns, coding: Treatment) -> None:
        self.frame, self.names, self.coding = frame, names, coding
        self.problems: list[Problem] = []

    def read(self) -> Parts:
        """Every check, then every problem at once."""
        outcome = self._outcome()
        year = read_whole_number(self.frame, self.names.year, self.problems)
        coded = row_codes(self.frame[self.names.firm])
        n_firms = len(coded.labels)
        if coded.missing:
            words = ("row has no firm", "rows have no firm")
            self._flag(coded[:] == MISSING, words, self.names.firm, "every row needs its firm")
            raise DataError(self.problems)
        if year is None:
            self._per_firm(coded, None, n_firms)
            raise DataError(self.problems)
        position, years = row_places(coded, year)
        del coded  # text has its codes in an array of the frame's length
        firm = RowFirms.of(position, len(years), n_firms)
        of_firm, baseline = self._per_firm(firm, year, n_firms)
        table = self._pivot(position, outcome, n_firms, years)
        self._refuse_far_cohorts(of_firm[0], years, firm)
        treated_first = self._treated_first(of_firm[0], year, outcome, firm)
        raise_if_any(DataError, self.problems)
        keep, flow = self._keep(firm, table, outcome, treated_first, np.asarray(np.isnan(baseline).any(axis=0)))
        return Parts(table=table, years=years, position=position, keep=keep, flow=flow, per_firm=of_firm, baseline=baseline)

    def _outcome(self) -> NDArray[Any]:
        """The outcome of every row, not copied if it is sound."""
        plain = plain_numbers(self.frame[self.names.outcome])
        if plain is not None and (plain.dtype.kind != "f" or not any_row(np.isinf, plain)):
            return plain
        return read_number(self.frame, self.names.outcome, self.problems)

    def _per_firm(self, firm: RowCodes | RowFirms, year: IntArray | None, n_firms: int) -> tuple[PerFirm, FloatArray]:
        cohort = self._cohort(firm, year, n_firms)
        return (cohort, self._weight(firm, n_firms), self._cluster(firm, n_firms)), self._covariates(firm, n_firms)

    def _pivot(self, position: NDArray[Any], outcome: NDArray[Any], n_firms: int, years: IntArray) -> FloatArray:
        """Outcomes by firm and year; repeated places are a problem."""
        if len(years) > MAX_YEARS:
            where, remedy = f"column {self.names.year}", f"at most {MAX_YEARS} years fit"
            self.problems.append(Problem(what=f"{len(years)} distinct years.", where=where, remedy=remedy))
            self._refuse_duplicates(position)
            return np.empty((0, 0))
        table = np.full(n_firms * len(years), np.nan)
        for rows in row_blocks(len(position)):
            table[position[rows]] = outcome[rows]
        # As many places hold an outcome as there are rows: none is missing and no place was taken twice.
        if _count_seen(table) < len(position) and count_places(position, len(table)) < len(position):
            self._refuse_duplicates(position)
        return table.reshape(n_firms, len(years))

    def _refuse_far_cohorts(self, cohort: IntArray | None, years: IntArray, firm: RowFirms) -> None:
        """A cohort further away than any panel is long is a code such as 9999: it would silently count as never, or as always."""
        if cohort is None:
            return
        far = (cohort != NEVER) & ((cohort > years[-1] + MAX_YEARS) | (cohort < years[0] - MAX_YEARS))
        if far.any():
            firms = counted(int(far.sum()), "firm has a cohort", "firms have cohorts")
            self.problems.append(
                Problem(
                    what=f"{firms} more than {MAX_YEARS} years away from the panel: a code, not a year.",
                    where=f"column {self.names.cohort or self.names.treatment}",
                    first=rows_text(far[firm[:]]),
                    remedy="if it stands for never treated, pass that code as never_treated; else give the first treated year",
                )
            )

    def _treated_first(self, cohort: IntArray | None, year: IntArray, outcome: NDArray[Any], firm: RowFirms) -> BoolArray | None:
        """Firms treated by the first year in which any outcome is seen: they have no before."""
        first = _first_seen(year, outcome)
        if cohort is None or first is None:
            return None
        treated_first = cohort <= first
        if treated_first.any() and self.coding.always_treated == "raise":
            firms = counted(int(treated_first.sum()), "firm is", "firms are")
            self.problems.append(
                Problem(
                    what=f"{firms} treated in the first year of the panel or before: there is no before.",
                    where=f"column {self.names.cohort or self.names.treatment}",
                    first=rows_text(treated_first[firm[:]]),
                    remedy='pass always_treated="drop" to leave them out, counted in the flow',
                )
            )
        return treated_first

    def _flag(self, bad: BoolArray, words: tuple[str, str], column: str, remedy: str) -> bool:
        return flag(self.problems, bad, words, f"column {column}", remedy)

    def _refuse_duplicates(self, position: NDArray[Any]) -> None:
        repeated = pd.Series(position).duplicated().to_numpy()
        words = ("row repeats a firm and year that stands above", "rows repeat a firm and year that stands above")
        columns = f"columns {self.names.firm} and {self.names.year}"
        flag(self.problems, repeated, words, columns, "keep one row per firm and year")

    def _constant(self, column: str, firm: RowCodes | RowFirms, n_firms: int) -> FloatArray | None:
        """A column of plain numbers that are constant within firms, (N,); None if it is to be read row by row."""
        plain, varies = plain_numbers(self.frame[column]), list[Problem]()
        if plain is None:
            return None
        value = per_firm(firm, plain, n_firms, column, varies, "")
        return None if varies else value.astype(np.float64, copy=False)

    def _cohort(self, firm: RowCodes | RowFirms, year: IntArray | None, n_firms: int) -> IntArray | None:
        column = self.names.cohort
        if column is None:
            return None if self.names.treatment is None or year is None else self._cohort_from_treatment(firm, year, n_firms)
        constant, found = self._constant(column, firm, n_firms), list[Problem]()
        cohort = None if constant is None else read_cohort(constant, self.coding.never_treated, column, found)
        if cohort is not None and not found:
            return cohort
        before = len(self.problems)
        values = read_number(self.frame, column, self.problems, infinite=True)
        if len(self.problems) > before:
            return None
        by_row = read_cohort(values, self.coding.never_treated, column, self.problems)
        remedy = "the cohort is a firm's first treated year: one per firm"
        return None if by_row is None else per_firm(firm, by_row, n_firms, column, self.problems, remedy)

    def _cohort_from_treatment(self, firm: RowCodes | RowFirms, year: IntArray, n_firms: int) -> IntArray | None:
        column = str(self.names.treatment)
        before = len(self.problems)
        values = read_number(self.frame, column, self.problems, missing=False)
        if any_row(_neither_0_nor_1, values):
            words = ("value is neither 0 nor 1", "values are neither 0 nor 1")
            self._flag(_neither_0_nor_1(values), words, column, "code treatment as 0 or 1 per year")
        if len(self.problems) > before:
            return None
        treated = values == 1.0
        cohort = np.full(n_firms, NEVER, dtype=np.int64)
        np.minimum.at(cohort, firm[treated], year[treated].astype(np.int64))
        lapsed = np.concatenate([~treated[rows] & (year[rows] > cohort[firm[rows]]) for rows in row_blocks(len(year))])
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

    def _weight(self, firm: RowCodes | RowFirms, n_firms: int) -> FloatArray | None:
        column = self.names.weight
        if column is None:
            return None
        constant = self._constant(column, firm, n_firms)
        if constant is not None and (np.isfinite(constant) & (constant >= SMALLEST_WEIGHT) & (constant <= LARGEST_WEIGHT)).all():
            return constant
        before = len(self.problems)
        values = read_number(self.frame, column, self.problems, missing=False)
        bad = ~np.isnan(values) & (values <= 0.0)
        words = ("weight is not positive", "weights are not positive")
        self._flag(bad, words, column, "leave such firms out beforehand")
        odd = (values > 0.0) & ((values < SMALLEST_WEIGHT) | (values > LARGEST_WEIGHT))
        words = ("weight has no square in double precision", "weights have no square in double precision")
        self._flag(odd, words, column, "only their ratios count: divide all by their mean")
        if len(self.problems) > before:
            return None
        remedy = "a weight belongs to a firm: use its baseline value"
        return np.asarray(per_firm(firm, values, n_firms, column, self.problems, remedy))

    def _cluster(self, firm: RowCodes | RowFirms, n_firms: int) -> Codes | None:
        column = self.names.cluster
        if column is None or column == self.names.firm:
            return None
        coded = row_codes(self.frame[column])
        if coded.missing:
            words = ("cluster is missing", "clusters are missing")
            self._flag(coded[:] == MISSING, words, column, "every row needs its cluster")
            return None
        remedy = "firms must nest in clusters: use one cluster per firm, such as its first"
        return per_firm(firm, coded, n_firms, column, self.problems, remedy)

    def _covariates(self, firm: RowCodes | RowFirms, n_firms: int) -> FloatArray:
        """Baseline values (p, N)."""
        values = np.empty((len(self.names.covariates), n_firms))
        for value, name in zip(values, self.names.covariates, strict=True):
            constant = self._constant(name, firm, n_firms)
            if constant is None or np.isinf(constant).any():
                by_row = read_number(self.frame, name, self.problems)
                constant = per_firm(firm, by_row, n_firms, name, self.problems, "covariates are baseline values: one per firm")
            value[:] = constant
        return values

    def _keep(
        self,
        firm: RowFirms,
        table: FloatArray,
        outcome: NDArray[Any],
        treated_first: BoolArray | None,
        covariate_missing: BoolArray,
    ) -> tuple[BoolArray, SampleFlow]:
        """Rows kept, each rule counted; the outcomes of firms left out leave the table."""
        keep, n_firms = np.ones(len(firm), dtype=bool), len(covariate_missing)
        flow = SampleFlow().then("rows_read", firms=n_firms, rows=len(firm))
        for rows in row_blocks(len(firm)):
            np.logical_not(np.isnan(outcome[rows]), out=keep[rows])
        flow = flow.then("without_outcome", firms=_count_firms(firm, keep, n_firms), rows=int(np.count_nonzero(keep)))
        rules: list[tuple[str, BoolArray]] = []
        if treated_first is not None and treated_first.any():
            rules.append(("always_treated", treated_first))
        if self.names.covariates:
            rules.append(("without_covariates", covariate_missing))
        for rule, dropped in rules:
            if dropped.any():
                table[dropped] = np.nan
                for rows in row_blocks(len(firm)):
                    keep[rows] &= ~dropped[firm[rows]]
            flow = flow.then(rule, firms=_count_firms(firm, keep, n_firms), rows=int(np.count_nonzero(keep)))
        return keep, flow


def _neither_0_nor_1(values: FloatArray) -> BoolArray:
    return np.asarray(~np.isnan(values) & (values != 0.0) & (values != 1.0))


def _first_seen(year: IntArray, outcome: NDArray[Any]) -> int | None:
    """First year in which any outcome is seen."""
    first: list[int] = []
    for rows in row_blocks(len(year)):
        missing = np.isnan(outcome[rows])
        years = year[rows][~missing] if missing.any() else year[rows]
        if len(years):
            first.append(int(years.min()))
    return min(first, default=None)


def _count_seen(table: FloatArray) -> int:
    return sum(int(np.count_nonzero(~np.isnan(table[places]))) for places in row_blocks(len(table)))


def _count_firms(firm: RowFirms, keep: BoolArray, n_firms: int) -> int:
    """Firms with a kept row; a table of flags, because hashing ten million codes takes seconds."""
    if keep.all():
        return n_firms
    present = np.zeros(n_firms, dtype=bool)
    for rows in row_blocks(len(firm)):
        present[firm[rows][keep[rows]]] = True
    return int(np.count_nonzero(present))
