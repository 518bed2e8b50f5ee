"""What is known of a simulated panel and never of an observed one: the effect of treatment on each firm-year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sme_eval.errors import DataError, DesignError, Problem, suggestion
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.terms import NEVER

IntegerArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
FlagArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Truth:
    """Realised treatment effects, one per row of the panel they belong to.

    Estimand: for each firm-year, y(treated as it was) − y(never treated); averages run over the treated firm-years of
    this panel (year ≥ cohort). They are realised values of this panel, not parameters of the process that drew it.

    Attributes
    ----------
    firm, year : (rows,)
        The panel's identifiers, in its row order.
    cohort : (rows,) integers
        First treated year of the row's firm; `terms.NEVER` if it is never treated.
    effects : outcome → (rows,)
        Effect on that outcome in the outcome's own unit; 0 where not treated.
    """

    firm: NDArray[Any]
    year: IntegerArray
    cohort: IntegerArray
    effects: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        """Copy, make read-only, and require equal lengths."""
        for name in ("firm", "year", "cohort"):
            object.__setattr__(self, name, _read_only(getattr(self, name)))
        effects = {name: _read_only(np.asarray(values, dtype=np.float64)) for name, values in self.effects.items()}
        object.__setattr__(self, "effects", FrozenMapping(effects))
        lengths = {self.firm.size, self.year.size, self.cohort.size, *(values.size for values in effects.values())}
        if len(lengths) > 1:
            raise DataError(Problem(what="The parts of a truth have different lengths.", where=f"lengths {sorted(lengths)}"))

    def __reduce__(self) -> tuple[type[Truth], tuple[object, ...]]:
        """Pickle through the constructor, so that the arrays are read-only again."""
        return Truth, (self.firm, self.year, self.cohort, dict(self.effects))

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcomes whose true effect is known."""
        return tuple(self.effects)

    @property
    def treated(self) -> FlagArray:
        """(rows,): the firm's treatment has started."""
        treated: FlagArray = self.year >= self.cohort
        return treated

    def average(
        self,
        outcome: str,
        *,
        event_time: int | tuple[int, int] | None = None,
        cohort: int | None = None,
        year: int | None = None,
    ) -> float:
        """Mean true effect on `outcome` over treated firm-years, in the outcome's unit.

        `event_time` is one event time or an inclusive window of them (leads are allowed and give the effect before
        treatment, 0 without anticipation); `cohort` and `year` restrict further.

        Raises
        ------
        DesignError
            The outcome has no known effect, or no firm-year is selected.
        """
        chosen = self.treated if event_time is None else self._at(event_time)
        if cohort is not None:
            chosen = chosen & (self.cohort == cohort)
        if year is not None:
            chosen = chosen & (self.year == year)
        effect = self._effect(outcome)[chosen]
        if not effect.size:
            raise DesignError(
                Problem(
                    what="No firm-year is selected for the true average effect.",
                    where=f"event_time={event_time}, cohort={cohort}, year={year}",
                    remedy="choose a cohort, year and event time that the panel holds",
                )
            )
        return float(effect.mean())

    def by_event_time(self, outcome: str) -> dict[int, float]:
        """Event time (0, 1, …) → mean effect over all treated firms seen at it; cohorts weigh by their firms."""
        return self._means(outcome, self.year - self.cohort)

    def by_cohort(self, outcome: str) -> dict[int, float]:
        """Cohort → mean effect over all its treated firm-years."""
        return self._means(outcome, self.cohort)

    def _means(self, outcome: str, group: IntegerArray) -> dict[int, float]:
        treated = self.treated
        keys, codes = np.unique(group[treated], return_inverse=True)
        means = np.bincount(codes, self._effect(outcome)[treated]) / np.bincount(codes)
        return {int(key): float(mean) for key, mean in zip(keys, means, strict=True)}

    def _at(self, event_time: int | tuple[int, int]) -> FlagArray:
        first, last = event_time if isinstance(event_time, tuple) else (event_time, event_time)
        event = self.year - self.cohort
        chosen: FlagArray = (event >= first) & (event <= last) & (self.cohort != NEVER)
        return chosen

    def _effect(self, outcome: str) -> FloatArray:
        if outcome not in self.effects:
            raise DesignError(Problem(what=f"No true effect is known for {outcome!r}.", remedy=suggestion(outcome, self.outcomes)))
        return self.effects[outcome]

    def __repr__(self) -> str:
        """Counts only."""
        return f"Truth(outcomes={self.outcomes}, rows={self.year.size}, treated={int(self.treated.sum())})"


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    copied = np.array(values)
    copied.setflags(write=False)
    return copied
