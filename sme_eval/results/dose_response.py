"""Effects by dose, the line through them, the steps between them, and what each may be read as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sme_eval.errors import DesignError, Problem
from sme_eval.stats.arrays import FloatArray, frozen
from sme_eval.stats.inference import JointTest

from .effects import Effects
from .estimate import Estimate, counts_line
from .event_study import EventStudy
from .group_time import GroupTimeEffects
from .text import Printable, text_table
from .unavailable import Unavailable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SAME_DOSE = 1e-9
"""Relative difference below which a number that a user types is the dose of the data."""

OWN_READING = "ATT(d), its ratio to d and the step from 0 need parallel trends of the firms at dose d and their comparison."
STRONG_READING = (
    "What compares doses (slopes, later steps, linearity) is causal only under strong parallel trends: firms at one dose would "
    "have gained from another what those gained who got it. Leads cannot test this."
)
RATIO_READING = (
    "An average of ATT(d)/d with positive weights: as such it needs ordinary parallel trends; as the response to more dose, strong "
    "ones and effects proportional to dose."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class DoseEffects(Effects):
    """Effects whose rows have a dose (J,): `dose` stands first in every frame, the treated firms behind a row second."""

    dose: FloatArray

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "dose", frozen(self.dose))

    def to_frame(self) -> pd.DataFrame:
        """The columns dose, n_treated, those that identify the rows, then term, estimate, std_error, …, note."""
        frame = super().to_frame()
        frame.insert(0, "dose", self.dose)
        frame.insert(1, "n_treated", list(self.n_treated))
        return frame

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """Intervals at `level`, pointwise or simultaneous over all rows (sup-t from N(0, V), `draws` draws)."""
        frame = super().intervals(level, simultaneous, draws, seed)
        frame.insert(0, "dose", self.dose)
        return frame


@dataclass(frozen=True, kw_only=True, eq=False)
class DoseResponseResult(Printable):
    """ATT(d) for every dose d, and what compares doses.

    `effects` holds ATT(d), (D,), the average effect of dose d per treated firm and year on those who got d; `overall` averages over
    doses too, by treated firms and years. `cells` holds every ATT(g, t | d).

    `slope` and `intercept` are least squares of ATT(d) on d, each dose with the weight of its treated firm-years; `slope_origin`
    has no intercept: an average of ATT(d)/d with positive weights. `slope_within` has an intercept for every cohort and year, so
    that cohorts with other effects or longer exposure cannot pass for dose; `slope_by_event_time` is that by event time, its leads
    ask whether doses were on different paths before. `steps` are (ATT(d_j) − ATT(d_{j−1})) / (d_j − d_{j−1}), the first from
    ATT(0) = 0. `linearity` tests that the steps after the first are equal.

    ATT(d), `slope_origin` as an average of ATT(d)/d, and the first step need ordinary parallel trends; whatever else compares doses
    has a causal reading under strong parallel trends only.
    """

    effects: DoseEffects
    overall: Estimate
    cells: DoseEffects
    slope: Estimate
    intercept: Estimate
    slope_origin: Estimate
    slope_within: Estimate
    slope_by_event_time: EventStudy | Unavailable
    steps: DoseEffects
    linearity: JointTest | Unavailable
    by_dose: Mapping[float, GroupTimeEffects]
    anticipation: int
    name: str

    @property
    def estimate(self) -> float | Unavailable:
        """The overall effect."""
        return self.overall.estimate

    @property
    def std_error(self) -> float | Unavailable:
        """Standard error of the overall effect."""
        return self.overall.std_error

    @property
    def conf_low(self) -> float:
        """Lower end of the overall effect's interval."""
        return self.overall.conf_low

    @property
    def conf_high(self) -> float:
        """Upper end of the overall effect's interval."""
        return self.overall.conf_high

    def _place(self, dose: float) -> int:
        near = np.flatnonzero(np.isclose(self.effects.dose, dose, rtol=SAME_DOSE, atol=0.0))
        if not len(near):
            held = ", ".join(f"{d:g}" for d in self.effects.dose)
            raise DesignError(Problem(what=f"No treated firm has dose {dose!r}.", remedy=f"one of {held}"))
        return int(near[0])

    def group_time(self, dose: float) -> GroupTimeEffects | Unavailable:
        """ATT(g, t | d) of one dose, with every aggregation of group-time effects; DesignError if nobody has this dose."""
        place = self._place(dose)
        found = self.by_dose.get(float(self.effects.dose[place]))
        return Unavailable(self.effects.notes[place]) if found is None else found

    def event_study(self, dose: float) -> EventStudy | Unavailable:
        """Effects of one dose by event time, cohorts weighted by their firms; overall: ATT(d)."""
        found = self.group_time(dose)
        if isinstance(found, Unavailable):
            return found
        by_time = found.aggregate("dynamic").effects
        if by_time is None or not np.isfinite(by_time.estimate).any():
            return Unavailable(self.effects.notes[self._place(dose)] or "no effect is identified")
        return EventStudy(
            effects=by_time,
            overall=self.effects.row(self._place(dose)),
            reference=-1 - self.anticipation,
            anticipation=self.anticipation,
        )

    def pretrend_test(self) -> JointTest | Unavailable:
        """Joint test that every ATT(g, t | d) with t < g (less `anticipation`) is zero, over all doses."""
        return self.cells.joint_test(np.asarray(self.cells.keys["event_time"]) < -self.anticipation)

    def to_frame(self) -> pd.DataFrame:
        """One row per dose: dose, n_treated, term, estimate, std_error, statistic, p_value, conf_low, conf_high, note."""
        return self.effects.to_frame()

    def lines(self) -> pd.DataFrame:
        """One row each: overall effect, slope, intercept, slope through the origin, slope within cohort and year."""
        import pandas as pd

        rows = (self.overall, self.slope, self.intercept, self.slope_origin, self.slope_within)
        frame = pd.concat([row.to_frame() for row in rows], ignore_index=True)
        known = frame["estimate"].notna()
        return frame.assign(note=frame["note"].where(~known, ""))

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """Intervals of ATT(d), pointwise or simultaneous over the doses."""
        return self.effects.intervals(level, simultaneous, draws, seed)

    def summary(self) -> str:
        """Effects by dose, steps, lines, tests, and what each needs."""
        return "\n".join(self._parts())

    def _parts(self) -> Iterator[str]:
        basis = self.effects.basis
        yield f"effect of {self.name} on {basis.unit}, by dose"
        yield _short(self.effects.to_frame())
        yield OWN_READING
        yield ""
        yield f"steps, per unit of {self.name}"
        yield _short(self.steps.to_frame())
        yield ""
        yield _short(self.lines())
        yield f"linearity: {_test(self.linearity)}; no trends before treatment: {_test(self.pretrend_test())}"
        if len(self.steps) > 1:
            yield from (note for note in self.steps.basis.notes if note not in basis.notes)
        yield ""
        yield counts_line(basis.n_firms, basis.n_observations, basis.n_clusters)
        yield f"{basis.level:.0%} intervals; {basis.convention}"
        yield from basis.warnings()

    def plot(self, **labels: Any) -> Axes:
        """ATT(d) against dose with pointwise and simultaneous intervals, the fitted line, and zero at dose 0."""
        from .dose_response_plot import draw_dose_response

        line = (float(self.intercept.estimate), float(self.slope.estimate))
        band = self.intervals(level=self.effects.basis.level, simultaneous=True)
        given = {"labels": (self.name, f"effect on {self.effects.basis.unit}", "", "", ""), **labels}
        return draw_dose_response(self.to_frame(), line=line, band=band, **given)


def _short(frame: pd.DataFrame) -> str:
    """The table without the columns that only repeat or are empty."""
    empty = ["note"] if not frame["note"].astype(bool).any() else []
    return text_table(frame.drop(columns=["statistic", *empty]))


def _test(found: JointTest | Unavailable) -> str:
    if isinstance(found, Unavailable):
        return str(found)
    return f"chi-squared({found.restrictions}) = {found.statistic:.4g}, p = {found.p_value:.3g}"
