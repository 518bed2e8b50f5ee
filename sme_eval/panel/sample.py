"""The sample: a validated firm × year outcome with its cohorts, weights, clusters and labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sme_eval.errors import DataError, DesignError, Problem, raise_if_any, suggestion
from sme_eval.panel.codes import MISSING, Codes, RowFirms, row_blocks, row_codes
from sme_eval.panel.columns import Columns, Treatment, refuse_contradictions
from sme_eval.panel.reader import Parts, SampleReader
from sme_eval.panel.sample_flow import SampleFlow
from sme_eval.panel.validation import per_firm, require_columns
from sme_eval.results.text import Printable
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray, sealed
from sme_eval.terms import NEVER, AlwaysTreated, Lapses


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample(Printable):
    """A validated panel of N firms over T years.

    outcome (N, T), NaN where not observed · cohort (N,), first treated year, `NEVER` if never, None if no treatment was named ·
    weight (N,) or None · cluster (N,) codes or None · baseline (p, N) values of the covariates · position (rows,) places the kept
    rows at `firm * T + year` · source and keep (rows read,): the frame as it was, and which of its rows are kept (None: all).
    """

    names: Columns
    years: IntArray
    outcome: FloatArray
    cohort: IntArray | None
    weight: FloatArray | None
    cluster: Codes | None
    baseline: FloatArray
    position: NDArray[np.integer[Any]]
    source: pd.DataFrame
    keep: BoolArray | None
    flow: SampleFlow

    @classmethod
    def from_frame(  # noqa: PLR0913  the contract's signature
        cls,
        frame: pd.DataFrame,
        *,
        firm: str,
        year: str,
        outcome: str,
        cohort: str | None = None,
        treatment: str | None = None,
        never_treated: float | None = 0,
        lapses: Lapses = "raise",
        always_treated: AlwaysTreated = "raise",
        covariates: tuple[str, ...] = (),
        columns: tuple[str, ...] = (),
        cluster: str | None = None,
        weight: str | None = None,
    ) -> Sample:
        """Validate a long frame, one row per firm and year.

        Parameters
        ----------
        firm, year, outcome
            Names of the identifying columns and of the outcome. Rows without an outcome are left out and counted.
        cohort
            First treated year; constant within a firm. Or `treatment`, 0/1 per year. Or neither, for regressions only.
        never_treated
            The cohort code for never; infinity is always accepted. Pass None if a missing cohort means never treated.
        lapses
            With `treatment`: a firm whose treatment ends is an error ("raise"), or counts as treated from its first treated year
            on ("first"): the estimand is then the effect of *first* treatment.
        always_treated
            Firms treated in the first year of the panel have no before: "raise", or "drop" (counted in the flow).
        covariates
            Baseline values, numeric and constant within a firm; firms without one are left out and counted.
        columns
            Further columns that an estimator may name.
        cluster
            Column under which firms nest; None clusters by firm.
        weight
            Positive and constant within a firm.

        Raises
        ------
        DataError
            All violations at once: missing columns, text in numbers, repeated firm-years, a cohort that varies within a firm, …
        DesignError
            Arguments that contradict each other.
        """
        names = Columns(
            firm=firm,
            year=year,
            outcome=outcome,
            cohort=cohort,
            treatment=treatment,
            cluster=cluster,
            weight=weight,
            covariates=_as_tuple(covariates),
            columns=_as_tuple(columns),
        )
        refuse_contradictions(names, lapses, always_treated)
        require_columns(frame, names.needed)
        coding = Treatment(never_treated=never_treated, lapses=lapses, always_treated=always_treated)
        return cls._assemble(frame, names, SampleReader(frame, names, coding).read())

    @classmethod
    def _assemble(cls, frame: pd.DataFrame, names: Columns, parts: Parts) -> Sample:
        """Pivot the kept rows; firms and years of which none is left are taken out."""
        keep = parts.keep
        if not keep.any():
            rule = parts.flow.steps[-1].rule
            raise DataError(Problem(what="No row is left.", where=f"outcome {names.outcome}", remedy=f"the last rule was: {rule}"))
        wide, years, position = parts.table, parts.years, parts.position
        firm_left: BoolArray | slice = slice(None)
        everything = bool(keep.all())
        if not everything:
            position = position[keep]
            wide, years, firm_left = _without_empty(wide, years, position)
        cohort, weight, cluster = (None if v is None else sealed(v[firm_left]) for v in parts.per_firm)
        return cls(
            names=names,
            years=sealed(years.copy()),
            outcome=sealed(wide),
            cohort=cohort,
            weight=weight,
            cluster=cluster,
            baseline=sealed(parts.baseline[:, firm_left]),
            position=position,
            source=frame.copy(deep=False),  # pandas copies a column only if the caller changes his frame afterwards
            keep=None if everything else keep,
            flow=parts.flow,
        )

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The kept rows of the named columns; a copy if some rows are not kept, so made only when asked for."""
        return self.source if self.keep is None else self.source.loc[self.keep, list(dict.fromkeys(self.names.needed))]

    @property
    def n_firms(self) -> int:
        """Firms with at least one kept row."""
        return len(self.outcome)

    @property
    def firm_codes(self) -> Codes:
        """Firm 0..N-1 of each kept row."""
        return (self.position // len(self.years)).astype(np.intp, copy=False)

    @property
    def year_codes(self) -> Codes:
        """Position in `years` of each kept row."""
        return (self.position % len(self.years)).astype(np.intp, copy=False)

    def column(self, name: str) -> pd.Series[Any]:
        """A kept column, one value per kept row; a name that was not kept is a DesignError listing what is."""
        kept = {self.names.firm, self.names.year, *self.names.columns, *self.names.covariates}
        kept |= {n for n in (self.names.cohort, self.names.treatment, self.names.cluster, self.names.weight) if n}
        if name not in kept:
            raise DesignError(
                Problem(
                    what=f"The sample does not hold the column {name!r}.",
                    where=f"kept columns: {', '.join(sorted(kept))}",
                    remedy=f"name it in Sample.from_frame(columns=…); {suggestion(name, sorted(kept))}",
                )
            )
        return self.source[name] if self.keep is None else self.source[name][self.keep]

    def label(self, name: str) -> NDArray[Any]:
        """A kept column that is constant within firms, one value per firm (N,)."""
        problems: list[Problem] = []
        value, missing = self._label(name, problems)
        if missing:
            problems.insert(0, Problem(what=f"The label {name} is missing in {missing} rows.", remedy="fill it"))
        raise_if_any(DataError, problems)
        return value

    def label_or_none(self, name: str) -> NDArray[Any] | None:
        """As `label`; None for a column that is no label: it changes within firms, is missing somewhere, or holds measurements."""
        dtype = self.column(name).dtype
        discrete = isinstance(dtype, pd.CategoricalDtype) or dtype.kind in "iubOSTU" or pd.api.types.is_string_dtype(dtype)
        problems: list[Problem] = []
        value, missing = self._label(name, problems) if discrete else (None, 0)
        return None if missing or problems else value

    @cached_property
    def _row_firms(self) -> RowFirms:
        return RowFirms.of(self.position, len(self.years), self.n_firms)

    def _label(self, name: str, problems: list[Problem]) -> tuple[NDArray[Any], int]:
        """One value per firm (N,), and the number of rows without one."""
        coded = row_codes(self.column(name))
        remedy = "a label of firms must not change over time"
        codes = per_firm(self._row_firms, coded, self.n_firms, name, problems, remedy)
        return np.take(coded.labels, codes), int((coded[:] == MISSING).sum()) if coded.missing else 0

    def summary(self) -> str:
        """Counts only."""
        cohorts = "" if self.cohort is None else f", {int((self.cohort != NEVER).sum())} ever treated"
        span = f"{self.years[0]}–{self.years[-1]}"
        return f"Sample of {self.names.outcome}: {self.n_firms} firms{cohorts}, {span}, {len(self.position)} observations"


def _as_tuple(names: Any) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _without_empty(wide: FloatArray, years: IntArray, position: NDArray[Any]) -> tuple[FloatArray, IntArray, BoolArray]:
    """Outcomes and years without the firms and years of which nothing is left, and which firms are; moves `position` (rows,)."""
    seen = ~np.isnan(wide)
    firm_left: BoolArray = np.asarray(seen.any(axis=1))
    year_left: BoolArray = np.asarray(seen.any(axis=0))
    if firm_left.all() and year_left.all():
        return wide, years, firm_left
    new_firm, new_year = np.cumsum(firm_left) - 1, np.cumsum(year_left) - 1
    for rows in row_blocks(len(position)):
        firm, year = np.divmod(position[rows], len(years))
        position[rows] = new_firm[firm] * int(year_left.sum()) + new_year[year]
    return wide[np.ix_(firm_left, year_left)], years[year_left], firm_left
