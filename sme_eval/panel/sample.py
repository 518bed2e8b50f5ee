"""The sample: a validated firm × year outcome with its cohorts, weights, clusters and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sme_eval.errors import DataError, DesignError, Problem, raise_if_any, suggestion
from sme_eval.panel.codes import MISSING, Codes, factorise
from sme_eval.panel.columns import Columns, Treatment, refuse_contradictions
from sme_eval.panel.reader import Parts, SampleReader
from sme_eval.panel.sample_flow import SampleFlow
from sme_eval.panel.validation import per_firm, require_columns
from sme_eval.results.text import Printable
from sme_eval.stats.arrays import FloatArray, IntArray, sealed
from sme_eval.terms import NEVER, AlwaysTreated, Lapses


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample(Printable):
    """A validated panel of N firms over T years.

    outcome (N, T), NaN where not observed · cohort (N,), first treated year, `NEVER` if never, None if no treatment was named ·
    weight (N,) or None · cluster (N,) codes or None · position (rows,) places the kept rows of `frame` at `firm * T + year`.
    """

    names: Columns
    years: IntArray
    outcome: FloatArray
    cohort: IntArray | None
    weight: FloatArray | None
    cluster: Codes | None
    position: Codes
    frame: pd.DataFrame
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
        keep, position, years = parts.keep, parts.position[parts.keep], parts.years
        if not keep.any():
            rule = parts.flow.steps[-1].rule
            raise DataError(Problem(what="No row is left.", where=f"outcome {names.outcome}", remedy=f"the last rule was: {rule}"))
        flat = np.full(parts.n_firms * len(years), np.nan)
        flat[position] = parts.outcome[keep]
        wide = flat.reshape(parts.n_firms, len(years))
        seen = ~np.isnan(wide)
        firm_left, year_left = seen.any(axis=1), seen.any(axis=0)
        if not (firm_left.all() and year_left.all()):
            firm, year = np.divmod(position, len(years))
            position = (np.cumsum(firm_left) - 1)[firm] * int(year_left.sum()) + (np.cumsum(year_left) - 1)[year]
            wide, years = wide[firm_left][:, year_left], years[year_left]
        cohort, weight, cluster = (None if v is None else sealed(v[firm_left]) for v in parts.per_firm)
        return cls(
            names=names,
            years=sealed(years.copy()),
            outcome=sealed(wide),
            cohort=cohort,
            weight=weight,
            cluster=cluster,
            position=position,
            # A lazy copy: pandas copies a column only if the caller changes his frame afterwards.
            frame=frame.copy(deep=False) if keep.all() else frame[keep],
            flow=parts.flow,
        )

    @property
    def n_firms(self) -> int:
        """Firms with at least one kept row."""
        return len(self.outcome)

    @property
    def firm_codes(self) -> Codes:
        """Firm 0..N-1 of each kept row."""
        return self.position // len(self.years)

    @property
    def year_codes(self) -> Codes:
        """Position in `years` of each kept row."""
        return self.position % len(self.years)

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
        return self.frame[name]

    def label(self, name: str) -> NDArray[Any]:
        """A kept column that is constant within firms, one value per firm (N,)."""
        codes, labels = factorise(self.column(name))
        problems: list[Problem] = []
        if (codes == MISSING).any():
            problems.append(Problem(what=f"The label {name} is missing in {int((codes == MISSING).sum())} rows.", remedy="fill it"))
        value = per_firm(self.firm_codes, codes, self.n_firms, name, problems, "a label of firms must not change over time")
        raise_if_any(DataError, problems)
        return np.take(labels, value)

    def summary(self) -> str:
        """Counts only."""
        cohorts = "" if self.cohort is None else f", {int((self.cohort != NEVER).sum())} ever treated"
        span = f"{self.years[0]}–{self.years[-1]}"
        return f"Sample of {self.names.outcome}: {self.n_firms} firms{cohorts}, {span}, {len(self.position)} observations"


def _as_tuple(names: Any) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
