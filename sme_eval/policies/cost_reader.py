"""Reads the table `[cost]` of a policy file: assumptions about what the public pays and what comes back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, cast, get_args

from sme_eval.errors import Problem, suggestion
from sme_eval.panel.declarations import Entry
from sme_eval.panel.frozen_mapping import FrozenMapping

from .cost_rules import COSTS, OF_A_BALANCE, UNITS, VALUED, AssumptionName, AssumptionRule, CostRule

NAMES: Final = get_args(AssumptionName)
MOST_PERCENT: Final = 100.0


def read_cost(top: Entry) -> CostRule:
    """The costs declared in a policy file; what is wrong is added to the file's problems.

    Every assumption is a table of its name::

        [cost.award]
        low = 50
        high = 100
        unit = "ten_thousand_yuan_per_firm"
        confirmed = true
        source = "reply"
        zh = "…"
        en = "…"
    """
    sources = top.values.get("sources", {})
    known = tuple(sources) if isinstance(sources, Mapping) else ()
    made: dict[str, AssumptionRule] = {}
    for name, entry in top.inner("cost").items():
        if name in NAMES:
            made[name] = _assumption(cast(AssumptionName, name), entry, known)
        else:
            top.problems.append(
                Problem(what=f"{name} is no assumption about costs.", where=entry.where, remedy=suggestion(name, NAMES))
            )
    _refuse(made, top)
    return CostRule(assumptions=FrozenMapping(made))


def _assumption(name: AssumptionName, entry: Entry, sources: Collection[str]) -> AssumptionRule:
    entry.only(("value", "low", "high", "column", "unit", "confirmed", "source", "zh", "en"))
    low, high = _range(name, entry)
    confirmed, source = entry.flag("confirmed"), entry.text("source")
    if (confirmed or source) and source not in sources:
        remedy = "name a key of [sources], or write confirmed = false"
        entry.problems.append(Problem(what=f"{name} has no source {source!r}.", where=entry.where, remedy=remedy))
    return AssumptionRule(
        name=name,
        unit=entry.choice("unit", (UNITS[name],)),
        low=low,
        high=high,
        column=entry.text("column"),
        label=entry.label(),
        confirmed=confirmed,
        source=source,
    )


def _range(name: AssumptionName, entry: Entry) -> tuple[float | None, float | None]:
    """The ends of the range, equal where one number is stated; None where a column stands in their place."""
    stated = frozenset(key for key in ("value", "low", "high", "column") if key in entry.values)
    if stated == {"column"} and name == "balance":
        return None, None
    if stated not in ({"value"}, {"low", "high"}):
        remedy = "write value = …, or low = … and high = …" + (", or column = …" if name == "balance" else "")
        entry.problems.append(Problem(what=f"{name} needs one number or a range.", where=entry.where, remedy=remedy))
        return 0.0, 0.0
    ends = [entry.number(key) for key in (("value", "value") if "value" in stated else ("low", "high"))]
    low, high = (0.0 if end is None else end for end in ends)
    if wrong := _wrong(name, low, high):
        entry.problems.append(Problem(what=f"{name} is {low:g} to {high:g}.", where=entry.where, remedy=wrong))
    return low, high


def _wrong(name: AssumptionName, low: float, high: float) -> str:
    """What would be right, where a range is not."""
    if not 0.0 <= low <= high:
        return "write numbers that are not negative, the smaller first"
    if UNITS[name] == "share" and high > 1.0:
        return "write a share between zero and one"
    if UNITS[name] == "percent_per_year" and high >= MOST_PERCENT:
        return "write per cent below a hundred"
    if name == "years" and not (low >= 1.0 and low.is_integer() and high.is_integer()):
        return "write whole years, one at least"
    return ""


def _refuse(made: Mapping[str, AssumptionRule], top: Entry) -> None:
    """Costs of nothing, of no duration, on no balance, and costs that no outcome can be set against."""
    where = f"{top.where} [cost]"
    add = top.problems.append
    if "years" not in made:
        add(Problem(what="years is missing.", where=where, remedy="add [cost.years]: how many years of effect are counted"))
    if not any(name in made and made[name].low != 0.0 for name in COSTS):
        add(Problem(what="The costs may be nothing.", where=where, remedy=f"state one of {', '.join(COSTS)} above zero"))
    if any(name in made for name in OF_A_BALANCE) != ("balance" in made):
        remedy = "state the balance with what is given up or lost on it; a balance alone is no cost"
        add(Problem(what="A balance and its costs need each other.", where=where, remedy=remedy))
    if not set(_outcomes(top)) & set(VALUED):
        remedy = f"leave [cost] out, or declare {' or '.join(VALUED)}"
        add(Problem(what="No outcome of this policy can be set against a cost.", where=where, remedy=remedy))


def _outcomes(top: Entry) -> list[object]:
    declared = top.values.get("outcomes", [])
    return [one.get("name") for one in declared if isinstance(one, Mapping)] if isinstance(declared, list) else []
