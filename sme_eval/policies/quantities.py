"""Typed arithmetic on figures: + − × ÷ that know unit, population, kind, date, status and cohort, and refuse or warn.

What is refused is refused by name: a trap of the published reply (`traps.py`), in its own words. The rules are in `trap_rules.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from sme_eval.errors import DesignError, Problem
from sme_eval.results.text import Printable

from . import trap_rules
from .traps import spring, warn
from .vocabulary import Exactness, Kind, Mark, Status

_DIFFERENCE_KINDS: Final[dict[tuple[str, str], Kind]] = {("stock", "stock"): "flow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity(Printable):
    """A number with what it means. `Fact.quantity()` gives one; one's own figures may be declared alike.

    `cohort` says which members of the population are counted (default: all of them, the population's own key). `inside` are the
    populations known to hold this one. `partition` names a division into parts that do not overlap. `whole` and `versus` are what a
    share is of and what a contrast is with. `facts` and `traps` say where it comes from and what it was warned of.

    Examples
    --------
    >>> from sme_eval.policies.facts import load_facts
    >>> facts = load_facts()
    >>> balance, growth = facts["F29"].quantity(), facts["F30"].quantity()
    >>> round((balance / 1.1984).value, 2)
    1241.23
    >>> balance * facts["F36"].quantity()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    sme_eval.policies.traps.TrapError: T9: The balance includes library firms, ...
    """

    value: float
    unit: str
    population: str
    kind: Kind = "unknown"
    date: str = ""
    status: Status = "in_force"
    exactness: Exactness = "exact"
    cohort: str = ""
    inside: tuple[str, ...] = ()
    measure: str = ""
    partition: str = ""
    whole: str = ""
    versus: str = ""
    places: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    facts: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.cohort:
            object.__setattr__(self, "cohort", self.population)

    @property
    def everyone(self) -> bool:
        """Whether the whole population is meant, not one cohort of it."""
        return self.cohort == self.population

    @property
    def name(self) -> str:
        """The facts it comes from, else its population."""
        return " ".join(self.facts) or self.population

    def summary(self) -> str:
        """Value, unit, population, date and traps."""
        noted = f"; {', '.join(self.traps)}" if self.traps else ""
        return f"{self.value:.10g} {self.unit} ({self.population}, {self.kind}, {self.date or 'no date'}{noted})"

    def __add__(self, other: Quantity) -> Quantity:
        outcome = trap_rules.of_sum(self, other)
        return self._with(other, self.value + other.value, outcome)

    def __sub__(self, other: Quantity) -> Quantity:
        outcome = trap_rules.of_difference(self, other)
        result = self._with(other, self.value - other.value, outcome)
        return (
            replace(result, kind=_DIFFERENCE_KINDS.get((self.kind, other.kind), result.kind))
            if self._dated_apart(other)
            else result
        )

    def __mul__(self, other: Quantity | float) -> Quantity:
        if not isinstance(other, Quantity):
            return self._scaled(float(other))
        outcome = trap_rules.of_product(self, other)
        return self._with(other, self.value * other.value * outcome.scale, outcome)

    def __rmul__(self, other: float) -> Quantity:
        return self._scaled(float(other))

    def __truediv__(self, other: Quantity | float) -> Quantity:
        divisor = other.value if isinstance(other, Quantity) else float(other)
        if divisor == 0:
            raise DesignError(Problem(what="Nothing is divided by 0.", where=self.name))
        if not isinstance(other, Quantity):
            return self._scaled(1 / divisor)
        outcome = trap_rules.of_quotient(self, other)
        return self._with(other, self.value / divisor * outcome.scale, outcome)

    def factor(self) -> Quantity:
        """What a rate of change multiplies its base by: 1.1984 for a growth of 19.84 %, 0.867 for a fall of 13.3 %.

        Raises
        ------
        TrapError
            T8: it is a level, a share or a gap in percentage points, not a rate of change.
        """
        if self.kind != "rate" or self.unit not in ("percent", "percent_relative"):
            spring("T8", f"factor of {self.name}")
        warned = trap_rules.of_marks(self)
        for trap in warned:
            warn(trap, f"factor of {self.name}")
        change = -self.value if "fall" in self.marks else self.value
        # The fall is in the factor now; marking it still would take it twice.
        marks = tuple(mark for mark in self.marks if mark != "fall")
        return replace(self, value=1 + change / 100, unit="ratio", marks=marks, traps=_union(self.traps, warned))

    def _scaled(self, by: float) -> Quantity:
        if self.unit == "rank":
            spring("T23", self.name)
        return replace(self, value=self.value * by)

    def _dated_apart(self, other: Quantity) -> bool:
        return bool(self.date and other.date) and self.date != other.date

    def _with(self, other: Quantity, value: float, outcome: trap_rules.Outcome) -> Quantity:
        for trap in outcome.warned:
            warn(trap, f"{self.name} with {other.name}")
        changed: dict[str, Any] = {
            "value": value,
            "date": self.date if outcome.changes.get("unit") != "ratio" or not self._dated_apart(other) else "",
            "exactness": _exactness(self, other),
            "marks": _union(self.marks, other.marks),
            "facts": _union(self.facts, other.facts),
            "traps": _union(self.traps, other.traps, outcome.warned),
        }
        return replace(self, **{**changed, **outcome.changes})


def mean_of(*quantities: Quantity) -> Quantity:
    """The plain mean, where a sum is allowed: the traps are those of a sum.

    Raises
    ------
    TrapError
        The figures do not add: T4 for the two library counts.
    """
    if not quantities:
        raise DesignError(Problem(what="There is nothing to average."))
    total = quantities[0]
    for quantity in quantities[1:]:
        total = total + quantity
    return total / len(quantities)


def _union(*groups: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(item for group in groups for item in group))


def _exactness(left: Quantity, right: Quantity) -> Exactness:
    return "exact" if left.exactness == right.exactness == "exact" else "about"
