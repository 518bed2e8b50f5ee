"""What is known of a simulated panel and never of an observed one: the effect of every policy on each firm-year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sme_eval.errors import DataError, DesignError, Problem, suggestion
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.terms import NEVER

IntegerArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
FlagArray = NDArray[np.bool_]
Estimand = Literal["step", "own", "bundle"]
Window = int | tuple[int, int]

STEP: Final = FrozenMapping(
    {
        "certified_year": ("certificate", "cash"),
        "certified_year_half": ("certificate", "cash"),
        "srdi_year": ("srdi",),
        "library_year": ("credit",),
        "listed_year": ("credit",),
        "digital_year": ("digital",),
        "key_year": ("key",),
        "board_year": ("board",),
        "export_insurance_year": ("export_insurance",),
        "land_year": ("land",),
        "loan_equity_year": ("loan_equity",),
        "training_year": ("training",),
        "internship_year": ("internship",),
        "clinic_year": ("clinic",),
        "first_set_year": ("first_set",),
        "innovative_year": (),
        "upgrade_library_year": (),
        "above_scale_year": (),
        "provincial_library_year": (),
        "loan_platform_year": (),
        "first_loan_year": (),
        "bank_target_year": (),
    }
)
"""Start → the parts of the effect that the entry itself brings; none where it brings nothing to any outcome."""


@dataclass(frozen=True, eq=False, repr=False)
class Truth:
    """Realised treatment effects, one per row of the panel they belong to.

    For each firm-year, total = y(all policies as they were) − y(none). With g the firm's start and e the event time:

    * step: the parts of the total that the entry itself brings (`STEP`);
    * own: everything gained since the year before entry, total(g + e) − total(g − 1), 0 if g − 1 is before the panel;
    * bundle: everything since before any list, total(g + e).

    Averages run over the firm-years of this panel with year ≥ g. They are realised values, not parameters of the
    process that drew the panel.

    Attributes
    ----------
    firm, year : (rows,)
        The panel's identifiers, in its row order.
    starts : start → (rows,) integers
        First year of the row's firm under each policy, by the name of the panel's column; `terms.NEVER` if there is
        none. The first one is meant where no start is named.
    effects : outcome → (rows,)
        Total effect on that outcome in the outcome's own unit; 0 where no policy acts.
    parts : outcome → part → (rows,)
        What the total is the sum of; may be left out, and then `step` is not known.

    Examples
    --------
    >>> truth = Truth.from_cohort([1, 1, 2, 2], [2019, 2020] * 2, [2020, 2020, NEVER, NEVER], {"y": [0.0, 0.3, 0.0, 0.0]})
    >>> truth.average("y")
    0.3
    """

    firm: NDArray[Any]
    year: IntegerArray
    starts: Mapping[str, IntegerArray]
    effects: Mapping[str, FloatArray]
    parts: Mapping[str, Mapping[str, FloatArray]] = field(default_factory=FrozenMapping)

    @classmethod
    def from_cohort(cls, firm: Any, year: Any, cohort: Any, effects: Mapping[str, Any], start: str = "certified_year") -> Truth:
        """A truth with one start and no parts."""
        return cls(firm, year, {start: cohort}, effects)

    def __post_init__(self) -> None:
        """Copy, make read-only, and require equal lengths."""
        object.__setattr__(self, "firm", _read_only(self.firm))
        object.__setattr__(self, "year", _read_only(self.year))
        object.__setattr__(self, "starts", FrozenMapping({name: _read_only(start) for name, start in self.starts.items()}))
        object.__setattr__(self, "effects", _floats(self.effects))
        object.__setattr__(self, "parts", FrozenMapping({outcome: _floats(of) for outcome, of in self.parts.items()}))
        columns = [self.firm, self.year, *self.starts.values(), *self.effects.values()]
        columns += [part for of in self.parts.values() for part in of.values()]
        lengths = {column.size for column in columns}
        if len(lengths) > 1:
            raise DataError(Problem(what="The parts of a truth have different lengths.", where=f"lengths {sorted(lengths)}"))
        if not self.starts:
            raise DataError(Problem(what="A truth needs a start.", remedy="give the first treated year of each row's firm"))

    def __reduce__(self) -> tuple[type[Truth], tuple[object, ...]]:
        """Pickle through the constructor, so that the arrays are read-only again."""
        parts = {outcome: dict(of) for outcome, of in self.parts.items()}
        return Truth, (self.firm, self.year, dict(self.starts), dict(self.effects), parts)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcomes whose true effect is known."""
        return tuple(self.effects)

    def knows(self, outcome: str, start: str, estimand: Estimand) -> bool:
        """Whether that effect on an outcome is known for entry by `start`."""
        known = outcome in self.effects and start in self.starts
        return known and (estimand != "step" or (outcome in self.parts and start in STEP))

    @property
    def cohort(self) -> IntegerArray:
        """(rows,): the first start."""
        return next(iter(self.starts.values()))

    @property
    def treated(self) -> FlagArray:
        """(rows,): the firm's first start has come."""
        return self.begun()

    def begun(self, start: str | None = None) -> FlagArray:
        """(rows,): whether that start has come."""
        begun: FlagArray = self.year >= self._start(start)
        return begun

    def average(
        self,
        outcome: str,
        *,
        start: str | None = None,
        estimand: Estimand = "bundle",
        event_time: Window | None = None,
        cohort: int | None = None,
        year: int | None = None,
        among: FlagArray | None = None,
    ) -> float:
        """Mean true effect on `outcome` over treated firm-years, in the outcome's unit.

        `event_time` is one event time or an inclusive window of them. Leads are allowed; "own" at a lead is
        total(g + e) − total(g − 1), which differs from 0 where another policy came before. `cohort`, `year` and `among`,
        a mask (rows,), restrict further.

        Raises
        ------
        DesignError
            The outcome, the start or the estimand is not known, the mask does not fit, or no firm-year is selected.
        """
        chosen = self._chosen(start, event_time, among)
        if cohort is not None:
            chosen &= self._start(start) == cohort
        if year is not None:
            chosen &= self.year == year
        return _mean(self._values(outcome, start, estimand), chosen, f"event_time={event_time}, cohort={cohort}, year={year}")

    def by_event_time(
        self,
        outcome: str,
        start: str | None = None,
        estimand: Estimand = "bundle",
        *,
        among: FlagArray | None = None,
        leads: tuple[int, int] | None = None,
    ) -> dict[int, float]:
        """Event time (0, 1, …) → mean effect over all treated firms seen at it; cohorts weigh by their firms.

        `leads`, such as (−7, −1), adds the event times of that window which the panel holds.
        """
        chosen = self._chosen(start, None, among)
        if leads is not None:
            chosen |= self._chosen(start, leads, among)
        return _means(self._values(outcome, start, estimand), self.year - self._start(start), chosen)

    def by_cohort(
        self, outcome: str, start: str | None = None, estimand: Estimand = "bundle", *, among: FlagArray | None = None
    ) -> dict[int, float]:
        """Cohort → mean effect over all its treated firm-years."""
        return _means(self._values(outcome, start, estimand), self._start(start), self._chosen(start, None, among))

    def part(
        self,
        outcome: str,
        part: str,
        *,
        start: str | None = None,
        event_time: Window | None = None,
        among: FlagArray | None = None,
    ) -> float:
        """Mean of one part of the effect over the treated firm-years of `start`; restrictions as in `average`."""
        parts = self.parts.get(outcome, {})
        if part not in parts:
            raise DesignError(
                Problem(what=f"The effect on {outcome!r} has no part {part!r}.", remedy=suggestion(part, tuple(parts)))
            )
        return _mean(parts[part], self._chosen(start, event_time, among), f"event_time={event_time}")

    def _values(self, outcome: str, start: str | None, estimand: Estimand) -> FloatArray:
        """(rows,) the effect on `outcome` in the sense of `estimand`."""
        if outcome not in self.effects:
            raise DesignError(Problem(what=f"No true effect is known for {outcome!r}.", remedy=suggestion(outcome, self.outcomes)))
        if estimand not in get_args(Estimand):
            raise DesignError(Problem(what=f"estimand is {estimand!r}.", remedy=suggestion(estimand, get_args(Estimand))))
        if estimand == "step":
            return self._step(outcome, start)
        total = self.effects[outcome]
        return total if estimand == "bundle" else total - self._before(total, self._start(start))

    def _step(self, outcome: str, start: str | None) -> FloatArray:
        name = start or next(iter(self.starts))
        if not self.knows(outcome, name, "step"):
            raise DesignError(
                Problem(what=f"The effect of {name} itself on {outcome!r} is not known.", remedy="ask for own or bundle")
            )
        brought = [self.parts[outcome][part] for part in STEP[name] if part in self.parts[outcome]]
        return np.sum(brought, axis=0) if brought else np.zeros(self.year.size)

    def _before(self, total: FloatArray, start: IntegerArray) -> FloatArray:
        """(rows,) the firm's `total` in the year before its start; 0 if the panel does not hold it."""
        base = np.zeros(self._firms.max(initial=0) + 1)
        rows = self.year == start - 1
        base[self._firms[rows]] = total[rows]
        return base[self._firms]

    @cached_property
    def _firms(self) -> IntegerArray:
        """(rows,) the firms numbered from 0."""
        return np.unique(self.firm, return_inverse=True)[1].astype(np.int64)

    def _chosen(self, start: str | None, event_time: Window | None, among: FlagArray | None) -> FlagArray:
        """(rows,) treated firm-years, or those in a window of event time, within a mask."""
        begin = self._start(start)
        if event_time is None:
            chosen = self.year >= begin
        else:
            first, last = event_time if isinstance(event_time, tuple) else (event_time, event_time)
            event = self.year - begin
            chosen = (event >= first) & (event <= last) & (begin != NEVER)
        if among is None:
            return chosen
        mask = np.asarray(among)
        if mask.dtype != np.bool_ or mask.shape != self.year.shape:
            raise DesignError(Problem(what="among does not fit the truth.", remedy="give one true or false per row of the panel"))
        return chosen & mask

    def _start(self, start: str | None) -> IntegerArray:
        if start is None:
            return self.cohort
        if start not in self.starts:
            raise DesignError(Problem(what=f"The truth knows no start {start!r}.", remedy=suggestion(start, tuple(self.starts))))
        return self.starts[start]

    def __repr__(self) -> str:
        """Counts only."""
        return f"Truth(outcomes={self.outcomes}, rows={self.year.size}, treated={int(self.treated.sum())})"


def _mean(values: FloatArray, chosen: FlagArray, where: str) -> float:
    if not chosen.any():
        raise DesignError(
            Problem(
                what="No firm-year is selected for the true average effect.",
                where=where,
                remedy="choose a cohort, year and event time that the panel holds",
            )
        )
    return float(values[chosen].mean())


def _means(values: FloatArray, group: IntegerArray, chosen: FlagArray) -> dict[int, float]:
    keys, codes = np.unique(group[chosen], return_inverse=True)
    means = np.bincount(codes, values[chosen]) / np.bincount(codes)
    return {int(key): float(mean) for key, mean in zip(keys, means, strict=True)}


def _floats(columns: Mapping[str, Any]) -> FrozenMapping[str, FloatArray]:
    return FrozenMapping({name: _read_only(np.asarray(values, dtype=np.float64)) for name, values in columns.items()})


def _read_only(values: Any) -> NDArray[Any]:
    copied = np.array(values)
    copied.setflags(write=False)
    return copied
