"""What may be added, subtracted, multiplied and divided, and which trap stands in the way otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sme_eval.errors import DesignError, Problem
from sme_eval.panel.frozen_mapping import FrozenMapping

from .traps import spring

if TYPE_CHECKING:
    from .quantities import Quantity

_PERCENTS: Final = ("percent", "percentage_points", "percent_relative")
_PEOPLE: Final = {"persons", "person_times"}
_MONEY: Final = ("yi_yuan", "wan_yuan")
_TIERS: Final = {"innovative", "srdi", "little_giants", "key_little_giants", "library", "srdi_and_library", "little_giants_nation"}
_EXCHANGE: Final = {"board_first_cohort", "whole_exchange"}
_WAN_PER_YI: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An operation that is allowed: traps to warn of, what changes on the result, a factor between units."""

    warned: tuple[str, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=FrozenMapping)
    scale: float = 1.0


def of_marks(quantity: Quantity) -> tuple[str, ...]:
    """Traps that a rate of change carries with it: a list that changes (T7), a base that is not stated (T12)."""
    rules = (("changing_list", "T7"), ("base_unstated", "T12"))
    return tuple(trap for mark, trap in rules if mark in quantity.marks)


def of_sum(left: Quantity, right: Quantity) -> Outcome:
    """A sum: parts of one partition; money of one population; a share and its gap."""
    where = _common(left, right, "+")
    if left.unit in _PERCENTS or right.unit in _PERCENTS:
        return _percent_sum(left, right, where)
    _one_unit(left, right, where)
    if left.unit == "cases":
        spring("T18", where)
    if left.unit in _MONEY:
        return Outcome() if left.population == right.population else spring("T9", where)
    if not _separate_parts(left, right):
        _refuse_members(left, right, where)
    return Outcome(changes=FrozenMapping({"cohort": f"{left.cohort}+{right.cohort}", "date": max(left.date, right.date)}))


def of_difference(left: Quantity, right: Quantity) -> Outcome:
    """A difference: a population and a part of it; money of one population; a level and its gap; two levels of one measure."""
    where = _common(left, right, "−")
    if left.unit in _PERCENTS or right.unit in _PERCENTS:
        return _percent_difference(left, right, where)
    _one_unit(left, right, where)
    if left.unit == "cases":
        spring("T18", where)
    if left.unit in _MONEY:
        return Outcome() if left.population == right.population else spring("T9", where)
    if left.population == right.population == "library" and left.cohort != right.cohort:
        return Outcome(warned=("T4", *_unknown_kind(left, right)), changes=_rest(left, right))
    same = left.population == right.population and left.cohort == right.cohort
    if not same and not _part_of(right, left):
        _refuse_members(left, right, where)
    return Outcome(warned=_unknown_kind(left, right), changes=_rest(left, right))


def of_product(left: Quantity, right: Quantity) -> Outcome:
    """A product: a factor or a share with what it is of; a price with the firms that are paid."""
    where = _common(left, right, "×")
    for share, base in ((left, right), (right, left)):
        if share.unit in ("percentage_points", "percent_relative"):
            spring("T12" if "base_unstated" in share.marks else "T8", where)
        if share.unit == "percent":
            return _share_product(share, base, where)
    for factor, base in ((left, right), (right, left)):
        if factor.unit == "ratio":
            return _factor_product(factor, base, where)
    for price, firms in ((left, right), (right, left)):
        if price.unit == "wan_yuan_per_firm" and firms.unit == "firms":
            return _bill(price, firms, where)
    raise _meaningless(where)


def of_quotient(left: Quantity, right: Quantity) -> Outcome:
    """A quotient: a part of its whole; money of one population; money per firm of one list; a balance before it grew."""
    where = _common(left, right, "÷")
    if left.unit in _PERCENTS or right.unit in _PERCENTS:
        return _percent_quotient(left, right, where)
    if right.unit == "ratio":
        return _factor_product(right, left, where, back=True)
    if left.unit == right.unit == "cases":
        return _ratio(warned=("T18",))
    if left.unit == right.unit and left.unit in _MONEY:
        return _ratio() if left.population == right.population else spring("T9", where)
    if left.unit in _MONEY and right.unit == "firms":
        same = left.population == right.population and left.cohort == right.cohort
        return Outcome(changes=FrozenMapping({"unit": f"{left.unit}_per_firm"})) if same else spring("T9", where)
    if left.unit != right.unit:
        return spring("T20", where) if "platform_users" in (left.population, right.population) else _refuse_units(where)
    if left.partition and left.population == right.population and right.everyone:
        return _ratio(warned=_unknown_kind(left, right))
    if not _part_of(left, right):
        _refuse_members(left, right, where)
    return _ratio(warned=(*_counted_alike(left, right), *_listed_alike(left, right), *_unknown_kind(left, right)))


# --- parts of the rules ----------------------------------------------------------------------------------------------


def _common(left: Quantity, right: Quantity, sign: str) -> str:
    """Refuse what no operation takes; otherwise how the operation is named."""
    where = f"{left.name} {sign} {right.name}"
    if "rank" in (left.unit, right.unit):
        spring("T23", where)
    if left.status != right.status:
        spring("T21", where)
    if {left.unit, right.unit} == _PEOPLE:
        spring("T17", where)
    return where


def _one_unit(left: Quantity, right: Quantity, where: str) -> None:
    if left.unit != right.unit:
        if "platform_users" in (left.population, right.population):
            spring("T20", where)
        _refuse_units(where, f"{left.unit} and {right.unit}")


def _refuse_units(where: str, units: str = "The units") -> Outcome:
    raise DesignError(Problem(what=f"{units} do not go together.", where=where, remedy="bring both to one unit"))


def _meaningless(where: str) -> DesignError:
    return DesignError(Problem(what="This product has no meaning.", where=where, remedy="multiply by a share, a factor or a price"))


def _refuse_members(left: Quantity, right: Quantity, where: str) -> None:
    """Raise the trap that lies between two counts whose members are not known to be the same or apart."""
    both = {left.population, right.population}
    if "platform_users" in both:
        spring("T20", where)
    if both & _EXCHANGE:
        spring("T13", where)
    if both == {"library"} and left.cohort != right.cohort:
        spring("T4", where)
    if "key_little_giants" in both and len(both) > 1:
        spring("T24", where)
    if len(both) > 1 and both <= _TIERS:
        spring("T3", where)
    if left.cohort != right.cohort or len(both) > 1:
        spring("T6", where)
    raise DesignError(Problem(what="The same members would be counted twice.", where=where))


def _separate_parts(left: Quantity, right: Quantity) -> bool:
    overlap = bool(set(left.facts) & set(right.facts))
    return bool(left.partition) and left.partition == right.partition and left.population == right.population and not overlap


def _part_of(part: Quantity, whole: Quantity) -> bool:
    return whole.population in part.inside and part.everyone and whole.everyone


def _rest(left: Quantity, right: Quantity) -> FrozenMapping[str, str]:
    return FrozenMapping({"cohort": f"{left.cohort}-{right.cohort}"})


def _unknown_kind(left: Quantity, right: Quantity) -> tuple[str, ...]:
    return ("T5",) if "unknown" in (left.kind, right.kind) else ()


def _counted_alike(left: Quantity, right: Quantity) -> tuple[str, ...]:
    return ("T2",) if {"gross", "net"} <= {*left.marks, *right.marks} else ()


def _listed_alike(left: Quantity, right: Quantity) -> tuple[str, ...]:
    """Nested tiers whose lists bear different dates; batches and key firms are chosen from the very list."""
    return ("T3",) if {left.population, right.population} == {"srdi", "innovative"} else ()


def _ratio(warned: tuple[str, ...] = ()) -> Outcome:
    return Outcome(warned=warned, changes=FrozenMapping({"unit": "ratio", "kind": "contrast", "partition": ""}))


# --- percent ---------------------------------------------------------------------------------------------------------


def _percent_sum(left: Quantity, right: Quantity, where: str) -> Outcome:
    """A benchmark plus the gap above it gives the level; nothing else of this kind adds."""
    level, gap = (left, right) if right.unit == "percentage_points" else (right, left)
    if (level.unit, gap.unit) != ("percent", "percentage_points") or level.measure != gap.measure:
        spring("T8", where)
    if level.population != gap.versus:
        spring("T8", where)
    changes = {"unit": "percent", "population": gap.population, "versus": "", "kind": level.kind, "inside": gap.inside}
    return Outcome(changes=FrozenMapping(changes | {"cohort": gap.cohort}))


def _percent_difference(left: Quantity, right: Quantity, where: str) -> Outcome:
    if left.unit != "percent" or right.unit not in ("percent", "percentage_points") or left.measure != right.measure:
        spring("T8", where)
    if right.unit == "percentage_points":
        if left.population != right.population:
            spring("T9", where)
        other = right.versus or left.population
        return Outcome(warned=_benchmark(other), changes=FrozenMapping({"population": other, "cohort": other, "inside": ()}))
    if left.population != right.population and "all_loans" not in (left.population, right.population):
        spring("T9", where)
    changes = {"unit": "percentage_points", "kind": "contrast", "versus": right.population}
    return Outcome(warned=_benchmark(left.population, right.population), changes=FrozenMapping(changes))


def _percent_quotient(left: Quantity, right: Quantity, where: str) -> Outcome:
    if not left.unit == right.unit == "percent" or left.measure != right.measure:
        spring("T8", where)
    if left.population != right.population and "all_loans" not in (left.population, right.population):
        spring("T9", where)
    return _ratio(warned=_benchmark(left.population, right.population))


def _benchmark(*populations: str) -> tuple[str, ...]:
    return ("T10",) if "all_loans" in populations else ()


def _share_product(share: Quantity, base: Quantity, where: str) -> Outcome:
    if base.unit in (*_PERCENTS, "ratio"):
        spring("T8", where)
    if share.population != base.population or share.cohort != base.cohort:
        spring("T20" if base.population == "platform_users" else "T9", where)
    if share.kind == "flow" and base.kind == "stock":
        # A rate on this year's new loans says nothing of loans that stand.
        spring("T11", where)
    return Outcome(warned=of_marks(share), scale=0.01, changes=_like(base))


def _factor_product(factor: Quantity, base: Quantity, where: str, *, back: bool = False) -> Outcome:
    """A quantity times a factor, or (`back`) what it was before the factor."""
    if "base_unstated" in factor.marks:
        spring("T14" if factor.kind == "price" else "T12", where)
    if factor.population != base.population:
        spring("T9", where)
    changes = dict(_like(base))
    if factor.kind == "rate":
        start, end = _year_before(factor.date), factor.date
        changes["date"] = (start if base.date == end else "") if back else (end if base.date == start else "")
    return Outcome(changes=FrozenMapping(changes))


def _year_before(date: str) -> str:
    return f"{int(date[:4]) - 1}{date[4:]}" if date[:4].isdigit() else ""


def _bill(price: Quantity, firms: Quantity, where: str) -> Outcome:
    """Firms times what each is paid, in 亿元."""
    if price.population not in (firms.population, *firms.inside):
        spring("T9", where)
    elsewhere = ("T15",) if price.places and price.places != firms.places else ()
    ceiling = ("T16",) if "ceiling" in price.marks else ()
    changes = {**_like(firms), "unit": "yi_yuan", "kind": "flow"}
    return Outcome(warned=(*elsewhere, *ceiling), scale=1 / _WAN_PER_YI, changes=FrozenMapping(changes))


def _like(quantity: Quantity) -> FrozenMapping[str, Any]:
    names = ("unit", "population", "kind", "date", "cohort", "inside", "measure", "partition", "whole", "versus", "places")
    return FrozenMapping({name: getattr(quantity, name) for name in names})
