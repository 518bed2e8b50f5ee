"""Reads the tables of `data/rules/*.toml` strictly into the forms of `tier_rules`: every key known, every problem named."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Final, cast, get_args

from sme_eval.errors import Problem, suggestion
from sme_eval.panel.declarations import Entry, Label
from sme_eval.panel.frozen_mapping import FrozenMapping

from .entries import flag_or, table, tables
from .tier_rules import (
    SIDES,
    TIERS,
    ClassScale,
    Condition,
    ConditionGroup,
    FirmInput,
    FirmInputs,
    InputKind,
    Requirement,
    RuleVersion,
    Scale,
    ScoreBlock,
    ScoreItem,
    ScoreRule,
    StepScale,
    SuppliedScale,
    Test,
    TierRule,
)

_TIER_KEYS: Final = (
    "kind", "name", "tier", "rule_version", "from", "until", "reviews_from", "source", "provenance", "valid_years", "label",
    "complete", "omitted", "requirements", "score", "routes",
)  # fmt: skip


def read_inputs(top: Entry) -> FirmInputs:
    """The declared inputs by name."""
    top.only(("kind", "inputs"))
    return FrozenMapping({name: _input(name, entry) for name, entry in top.inner("inputs").items()})


def _input(name: str, entry: Entry) -> FirmInput:
    entry.only(("type", "unit", "minimum", "maximum", "choices", "share", "zh", "en"))
    kind = cast(InputKind, entry.choice("type", get_args(InputKind)))
    return FirmInput(
        name=name,
        kind=kind,
        unit=entry.text("unit", required=kind == "number"),
        label=entry.label(),
        minimum=entry.number("minimum"),
        maximum=entry.number("maximum"),
        choices=entry.texts("choices", required=kind == "choice"),
        share=entry.flag("share"),
    )


def read_tier(top: Entry, inputs: FirmInputs) -> TierRule:
    """The rules of one tier; what is wrong is added to the entry's problems."""
    top.only(_TIER_KEYS)
    version = top.number("rule_version")
    if version not in get_args(RuleVersion):
        top.problems.append(Problem(what="rule_version must be 2022 or 2026.", where=top.where))
    valid = top.number("valid_years")
    return TierRule(
        name=top.text("name", required=True),
        tier=top.choice("tier", TIERS),  # type: ignore[arg-type]
        rule_version=cast(RuleVersion, int(version or 0)),
        since=_day(top, "from"),
        until=_day(top, "until"),
        reviews_from=_day(top, "reviews_from"),
        source=top.text("source", required=True),
        provenance=top.label("provenance"),
        valid_years=None if valid is None else int(valid),
        label=top.label("label"),
        complete=flag_or(top, "complete", True),
        omitted=tuple(_text(entry) for entry in tables(top, "omitted")),
        requirements=tuple(_requirement(entry, inputs) for entry in tables(top, "requirements", required=True)),
        score=_score(table(top, "score"), inputs) if "score" in top.values else None,
        routes=tuple(_requirement(entry, inputs) for entry in tables(top, "routes")),
    )


def _day(entry: Entry, key: str) -> date | None:
    value = entry.values.get(key)
    if value is not None and not isinstance(value, date):
        entry.problems.append(Problem(what=f"{key} must be a date.", where=entry.where, remedy=f"write {key} = 2026-04-01"))
        return None
    return value


def _text(entry: Entry) -> Label:
    entry.only(("zh", "en"))
    return entry.label()


def _requirement(entry: Entry, inputs: FirmInputs) -> Requirement:
    entry.only(("name", "label", "test", "confirmed", "waived_on_review"))
    return Requirement(
        name=entry.text("name", required=True),
        label=entry.label("label"),
        test=_test(table(entry, "test"), inputs),
        confirmed=flag_or(entry, "confirmed", True),
        waived_on_review=entry.flag("waived_on_review"),
    )


def _test(entry: Entry, inputs: FirmInputs) -> Test:
    if "all" in entry.values:
        entry.only(("all",))
        return ConditionGroup(how="all", parts=tuple(_test(part, inputs) for part in tables(entry, "all", required=True)))
    if "any" in entry.values:
        entry.only(("any",))
        return ConditionGroup(how="any", parts=tuple(_test(part, inputs) for part in tables(entry, "any", required=True)))
    return _condition(entry, inputs)


def _condition(entry: Entry, inputs: FirmInputs) -> Condition:
    asked = _known(entry, inputs)
    forms = {"number": SIDES, "flag": ("is",), "choice": ("one_of",), "text": ()}[asked.kind]
    entry.only(("input", "confirmed", *forms))
    given = [form for form in forms if form in entry.values]
    if len(given) != 1:
        entry.problems.append(Problem(what=f"{asked.name}: exactly one of {', '.join(forms)} is needed.", where=entry.where))
        return Condition(input=asked.name, how="is", bound=True)
    how = given[0]
    bound: float | bool | tuple[str, ...]
    if how == "is":
        bound = entry.flag(how)
    elif how == "one_of":
        bound = entry.texts(how, required=True)
        _refuse_classes(entry, asked, bound)
    else:
        bound = entry.number(how) or 0.0
    return Condition(input=asked.name, how=how, bound=bound, confirmed=flag_or(entry, "confirmed", True))  # type: ignore[arg-type]


def _known(entry: Entry, inputs: FirmInputs) -> FirmInput:
    name = entry.text("input", required=True)
    if name and name not in inputs:
        remedy = suggestion(name, tuple(inputs))
        entry.problems.append(Problem(what=f"input {name!r} is not declared.", where=entry.where, remedy=remedy))
    nothing = FirmInput(name=name, kind="number", unit="", label=Label("", ""))
    return inputs.get(name, nothing)


def _refuse_classes(entry: Entry, asked: FirmInput, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in asked.choices:
            remedy = suggestion(name, asked.choices)
            entry.problems.append(Problem(what=f"{asked.name} has no class {name!r}.", where=entry.where, remedy=remedy))


def _score(entry: Entry, inputs: FirmInputs) -> ScoreRule:
    entry.only(("passing", "blocks", "items"))
    blocks = tuple(_block(one) for one in tables(entry, "blocks", required=True))
    items = tuple(_item(one, inputs) for one in tables(entry, "items", required=True))
    for block in blocks:
        sum_of_items = sum(item.maximum for item in items if item.block == block.name)
        if sum_of_items != block.maximum:
            what = f"block {block.name}: its items give {sum_of_items:g} points at most, not {block.maximum:g}."
            entry.problems.append(Problem(what=what, where=entry.where))
    names = tuple(block.name for block in blocks)
    for item in items:
        if item.block not in names:
            what, remedy = f"item {item.name}: no block {item.block!r}.", suggestion(item.block, names)
            entry.problems.append(Problem(what=what, where=entry.where, remedy=remedy))
    return ScoreRule(passing=entry.number("passing") or 0.0, blocks=blocks, items=items)


def _block(entry: Entry) -> ScoreBlock:
    entry.only(("name", "maximum", "minimum", "label"))
    maximum, minimum = entry.number("maximum") or 0.0, entry.number("minimum") or 0.0
    return ScoreBlock(name=entry.text("name", required=True), maximum=maximum, minimum=minimum, label=entry.label("label"))


def _item(entry: Entry, inputs: FirmInputs) -> ScoreItem:
    entry.only(("name", "block", "maximum", "label", "scales", "confirmed"))
    maximum = entry.number("maximum") or 0.0
    scales = tuple(_scale(one, inputs, maximum) for one in tables(entry, "scales", required=True))
    if any(max(scale.attainable) != maximum for scale in scales):
        entry.problems.append(Problem(what=f"a scale does not reach the maximum of {maximum:g}.", where=entry.where))
    return ScoreItem(
        name=entry.text("name", required=True),
        block=entry.text("block", required=True),
        maximum=maximum,
        label=entry.label("label"),
        scales=scales,
        confirmed=flag_or(entry, "confirmed", True),
    )


def _scale(entry: Entry, inputs: FirmInputs, maximum: float) -> Scale:
    asked = _known(entry, inputs)
    if asked.kind == "choice":
        return _class_scale(entry, asked)
    if "supplied" in entry.values:
        entry.only(("input", "supplied"))
        return SuppliedScale(input=asked.name, allowed=_numbers(entry, "supplied"), maximum=maximum)
    entry.only(("input", "points", *SIDES))
    given = [side for side in SIDES if side in entry.values]
    if len(given) != 1:
        entry.problems.append(Problem(what=f"exactly one of {', '.join(SIDES)} is needed.", where=entry.where))
    side = given[0] if given else SIDES[0]
    bounds, points = _numbers(entry, side), _numbers(entry, "points")
    rising = side in ("below", "at_most")
    ordered = all((a < b) if rising else (a > b) for a, b in pairwise(bounds)) and all(a > b for a, b in pairwise(points))
    if not bounds or len(bounds) != len(points) or not ordered:
        remedy = "as many points as bounds; points fall, bounds fall with at_least and rise with below"
        entry.problems.append(Problem(what="bounds and points do not match.", where=entry.where, remedy=remedy))
    return StepScale(input=asked.name, side=side, bounds=bounds, points=points)


def _class_scale(entry: Entry, asked: FirmInput) -> ClassScale:
    entry.only(("input", "classes"))
    classes = {name: value for name, value in table(entry, "classes").values.items() if isinstance(value, int | float)}
    _refuse_classes(entry, asked, tuple(classes))
    absent = [name for name in asked.choices if name not in classes]
    if absent:
        entry.problems.append(Problem(what=f"{asked.name}: no points for {', '.join(absent)}.", where=entry.where))
    return ClassScale(input=asked.name, classes=FrozenMapping({name: float(value) for name, value in classes.items()}))


def _numbers(entry: Entry, key: str) -> tuple[float, ...]:
    value = entry.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
        entry.problems.append(Problem(what=f"{key} must be a list of numbers.", where=entry.where))
        return ()
    return tuple(float(item) for item in value)
