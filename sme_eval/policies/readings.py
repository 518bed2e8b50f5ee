"""What one may want to read out of a fact, each refused where a trap of the published reply stands in the way."""

from __future__ import annotations

from collections.abc import Mapping

from sme_eval.errors import DesignError, Problem, suggestion

from .facts import Fact
from .letter import normalise
from .quantities import Quantity
from .traps import spring


def as_stock(fact: Fact) -> Quantity:
    """The number as what stood at a date.

    Raises
    ------
    TrapError
        T5: the letter does not say whether it is a stock or a flow.
    DesignError
        It is something else.
    """
    return _of_kind(fact, "stock")


def as_flow(fact: Fact) -> Quantity:
    """The number as what came about in a period; errors as of `as_stock`."""
    return _of_kind(fact, "flow")


def _of_kind(fact: Fact, kind: str) -> Quantity:
    if fact.kind == "unknown":
        spring("T5", f"{fact.id} as a {kind}")
    if fact.kind != kind:
        raise DesignError(Problem(what=f"{fact.id} is no {kind}.", where=fact.en, remedy=f"it is a {fact.kind}"))
    return fact.quantity()


def change_of(fact: Fact) -> Quantity:
    """The number as a change since a known time: "rose by", "was reduced by".

    Raises
    ------
    TrapError
        T12: its base year is not stated. T11: it is a level and has no comparator.
    """
    if fact.kind == "rate":
        return spring("T12", f"{fact.id} as a change") if "base_unstated" in fact.marks else fact.quantity()
    return spring("T11", f"{fact.id} as a change")


def growth_per_firm(fact: Fact) -> Quantity:
    """A rate of change as the growth of a firm.

    Raises
    ------
    TrapError
        T7: the list changes, so that its growth is not that of its firms. T8: it is no rate of change.
    """
    if fact.kind != "rate":
        spring("T8", f"{fact.id} as growth")
    if "changing_list" in fact.marks:
        spring("T7", f"{fact.id} as growth per firm")
    return fact.quantity()


def benchmark(quantity: Quantity, population: str) -> Quantity:
    """`quantity` as what firms of `population` are to be compared with.

    Raises
    ------
    TrapError
        T10: it is of all loans. T9: it is of another population that does not hold this one.
    """
    where = f"{quantity.name} as a benchmark of {population}"
    if quantity.population == "all_loans" != population:
        spring("T10", where)
    if quantity.population != population:
        spring("T9", where)
    return quantity


def fact_of_number(numeral: str, facts: Mapping[str, Fact]) -> tuple[Fact, ...]:
    """The facts whose number the letter writes so, in any width of digits ("3.１" is 3.1).

    Raises
    ------
    TrapError
        T19: the digits only name something ("246").
    DesignError
        No fact has that number.
    """
    asked = normalise(numeral)
    found = tuple(fact for fact in facts.values() if asked and asked in (fact.numeral, fact.second.numeral if fact.second else ""))
    if not found and any(asked == _digits(name) for fact in facts.values() for name in fact.names):
        spring("T19", asked)
    if not found:
        numerals = tuple(dict.fromkeys(fact.numeral for fact in facts.values() if fact.numeral))
        raise DesignError(Problem(what=f"No fact has the number {asked!r}.", remedy=suggestion(asked, numerals)))
    return found


def _digits(name: str) -> str:
    return "".join(character for character in normalise(name) if character.isdigit())
