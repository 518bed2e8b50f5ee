"""Reads the table `[curve]` of a policy file: dimensions, their options, combinations ruled out, contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from sme_eval.errors import Problem
from sme_eval.panel.declarations import Entry
from sme_eval.panel.frozen_mapping import FrozenMapping

from .rules import SUBSTANTIVE, Choice, CurveContrast, CurveDimension, CurveKind, CurveOption, CurveRule

FEWEST_KINDS: Final = 2
"""Kinds of substantive choices that a curve varies at least: with one it would be a row of a table."""
MISSING: Final = "missing"
"""Stands for no value, for which TOML has no sign."""


def read_curve(entry: Entry) -> CurveRule:
    """The rule of a specification curve; what is wrong is added to the entry's problems."""
    entry.only(("outcomes", "size", "dimensions", "excluded", "contrasts"))
    dimensions = tuple(_dimension(one) for one in _entries(entry, "dimensions"))
    rule = CurveRule(
        outcomes=entry.texts("outcomes", required=True),
        size=entry.text("size"),
        dimensions=dimensions,
        excluded=tuple(_pairs(one) for one in _entries(entry, "excluded")),
        contrasts=tuple(_contrast(one) for one in _entries(entry, "contrasts")),
    )
    _refuse(rule, entry)
    return rule


def _entries(entry: Entry, key: str) -> list[Entry]:
    found = entry.values.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        entry.problems.append(Problem(what=f"{key} must be a list of tables.", where=entry.where, remedy=f"write [[curve.{key}]]"))
        return []
    return [Entry(item, f"{entry.where} [[{key}]] {n}", entry.problems) for n, item in enumerate(found, start=1)]


def _dimension(entry: Entry) -> CurveDimension:
    entry.only(("name", "kind", "label", "options"))
    name = entry.text("name", required=True)
    kind = entry.choice("kind", get_args(CurveKind)) if "kind" in entry.values else name
    if kind not in get_args(CurveKind):
        entry.problems.append(Problem(what=f"{name!r} is no kind of choice.", where=entry.where, remedy="say its kind"))
    options = tuple(_option(one) for one in _entries(entry, "options"))
    names = [option.name for option in options]
    if not options or len(set(names)) < len(names):
        entry.problems.append(Problem(what=f"{name} has no options, or two of one name.", where=entry.where))
    return CurveDimension(name=name, kind=cast(CurveKind, kind), label=entry.label("label"), options=options)


def _option(entry: Entry) -> CurveOption:
    return CurveOption(
        name=entry.text("name", required=True), label=entry.label("label"), choices=_choices(entry, ("name", "label"))
    )


def _contrast(entry: Entry) -> CurveContrast:
    return CurveContrast(
        name=entry.text("name", required=True),
        label=entry.label("label"),
        replaces=entry.texts("replaces", required=True),
        choices=_choices(entry, ("name", "label", "replaces")),
    )


def _choices(entry: Entry, own: tuple[str, ...]) -> FrozenMapping[str, Choice | None]:
    """Every further key is a choice; a list is a tuple of constants."""
    made: dict[str, Choice | None] = {}
    for key, value in entry.values.items():
        parts = value if isinstance(value, list) else [value]
        if key not in own:
            if not all(isinstance(part, str | int | float | bool) for part in parts):
                entry.problems.append(Problem(what=f"{key}: a text, a number or a list of them is needed.", where=entry.where))
            made[key] = _choice(value)
    return FrozenMapping(made)


def _choice(value: Any) -> Choice | None:
    if isinstance(value, list):
        return tuple(value)
    return None if value == MISSING else cast(Choice, value)


def _pairs(entry: Entry) -> FrozenMapping[str, str]:
    return FrozenMapping({key: str(value) for key, value in entry.values.items()})


def _refuse(rule: CurveRule, entry: Entry) -> None:
    """Names that do not exist, and a curve that varies fewer than two substantive choices."""
    known = {dimension.name: {option.name for option in dimension.options} for dimension in rule.dimensions}
    wrong = [f"{d}={o}" for pairs in rule.excluded for d, o in pairs.items() if o not in known.get(d, set())]
    wrong += [name for contrast in rule.contrasts for name in contrast.replaces if name not in known]
    if wrong:
        entry.problems.append(Problem(what=f"The curve has no {', '.join(wrong)}.", where=entry.where, remedy="check the names"))
    varied = {d.kind for d in rule.dimensions if len(d.options) > 1} & set(SUBSTANTIVE)
    if len(varied) < FEWEST_KINDS:
        entry.problems.append(
            Problem(
                what=f"The curve varies {len(varied)} substantive choices; at least {FEWEST_KINDS} are needed.",
                where=entry.where,
                remedy=f"give options to two of: {', '.join(SUBSTANTIVE)}",
            )
        )
