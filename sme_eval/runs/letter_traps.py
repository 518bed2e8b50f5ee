"""Misreadings of the published reply that a reader is most likely to make, each really tried: what happens is what is shown."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sme_eval.errors import DesignError, Problem
from sme_eval.policies.facts import Fact
from sme_eval.policies.quantities import Quantity, mean_of
from sme_eval.policies.readings import benchmark, change_of, growth_per_firm
from sme_eval.policies.stated_reward import stated_reward
from sme_eval.policies.traps import Trap, TrapError, TrapWarning, load_traps

Facts = Mapping[str, Fact]
Happened = Literal["raises", "warns", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SprungTrap:
    """A trap and what happened when it was walked into."""

    trap: Trap
    happened: Happened


def _sum(facts: Facts, *names: str) -> Quantity:
    total, *rest = (facts[name].quantity() for name in names)
    for quantity in rest:
        total = total + quantity
    return total


_MISREADINGS: Final[Mapping[str, Callable[[Facts], object]]] = {
    "T3": lambda facts: _sum(facts, "F20", "F02"),
    "T4": lambda facts: mean_of(facts["F21"].quantity(), facts["F24"].quantity()),
    "T6": lambda facts: facts["F23"].quantity() / facts["F22"].quantity(),
    "T7": lambda facts: growth_per_firm(facts["F30"]),
    "T8": lambda facts: _sum(facts, "F36", "F31"),
    "T9": lambda facts: facts["F29"].quantity() * facts["F36"].quantity(),
    "T10": lambda facts: benchmark(facts["F36"].quantity() - facts["F37"].quantity(), "srdi"),
    "T11": lambda facts: change_of(facts["F33"]),
    "T12": lambda facts: change_of(facts["F34"]),
    "T15": lambda facts: stated_reward("cixi", facts=facts),
    "T16": lambda facts: facts["F02"].quantity() * facts["F16"].quantity(),
    "T18": lambda facts: _sum(facts, "F50", "F51", "F52"),
    "T21": lambda facts: facts["F65"].as_outcome(),
    "T24": lambda facts: _sum(facts, "F02", "F09"),
}
"""Trap → the computation that a reader would make."""


def spring_all(facts: Facts) -> tuple[SprungTrap, ...]:
    """Every misreading tried on `facts`.

    Raises
    ------
    DesignError
        One went through, or fell into another trap: the page would then say what is not so.
    """
    traps = load_traps()
    return tuple(SprungTrap(trap=traps[name], happened=_try(name, act, facts)) for name, act in _MISREADINGS.items())


def _try(name: str, act: Callable[[Facts], object], facts: Facts) -> Happened:
    """What happens, as a word; only where it is this trap that speaks."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", TrapWarning)
        try:
            result = act(facts)
        except TrapError as error:
            if name in error.traps:
                return "raises"
            raise
    if isinstance(result, Quantity) and name in result.traps and said:
        return "warns"
    if getattr(result, "reason", "").startswith(f"{name}:"):
        return "missing"
    raise DesignError(Problem(what=f"A misreading went through that {name} should stop.", where="letter_traps.py"))
