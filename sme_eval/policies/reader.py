"""Reads a policy file strictly: every key known, every problem named, all at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

from sme_eval.errors import Problem, suggestion
from sme_eval.panel.declarations import Entry, read_tables
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.terms import Comparison, Covariance

from .cost_reader import read_cost
from .curve_reader import read_curve
from .entries import table, tables
from .instrument_reader import OF_THE_REPLY, REFUSAL, of_the_reply, read_refused
from .rules import (
    ArmRule,
    CheckRule,
    Choice,
    CodingRule,
    Constant,
    EstimatorRule,
    ExposureRule,
    Gain,
    Instrument,
    ListingRule,
    OutcomeRule,
    PageText,
    PublishedRule,
    Role,
    Scale,
    SumRule,
    TreatmentRule,
)

_KEYS: Final = (
    "name", "instrument", "label", "question", "data", "treatment", "outcomes", "design", "published", "published_counts",
    "numbers", "background", "reading", "limits", "sources", "checks", "curve", "cost", *OF_THE_REPLY,
)  # fmt: skip
CONSTANTS: Final = (str, int, float, bool)
MISSING: Final = "missing"


def read_policy(path: Path, problems: list[Problem]) -> dict[str, Any]:
    """The fields of the policy in one file, or of what is refused, which has a `refusal`; what is wrong is added to `problems`."""
    top = Entry(read_tables(path), path.name, problems)
    name = top.text("name", required=True)
    if name and name != path.stem:
        problems.append(Problem(what=f"name is {name!r}.", where=path.name, remedy="name the file after the policy"))
    if REFUSAL in top.values:
        return read_refused(top, name)
    top.only(_KEYS)
    data, design = table(top, "data"), table(top, "design")
    data.only(("source", "parameters", "companion", "sources"))
    design.only(("estimator", "alternatives", "cluster", "listing", "arms", "exposures", "sums"))
    return dict(
        name=name,
        instrument=cast(Instrument, top.choice("instrument", get_args(Instrument))),
        label=top.label("label"),
        question=top.label("question"),
        source=data.text("source", required=True),
        source_parameters=_constants(data, "parameters"),
        companion=data.text("companion") or None,
        treatment=_treatment(table(top, "treatment")),
        outcomes=FrozenMapping({entry.text("name"): _outcome(entry) for entry in tables(top, "outcomes", required=True)}),
        estimator=_estimator(table(design, "estimator")),
        alternatives=tuple(_estimator(entry) for entry in tables(design, "alternatives")),
        cluster=design.text("cluster") or None,
        published=tuple(_published(entry) for entry in tables(top, "published")),
        published_counts=tuple(_integers(top, "published_counts")),
        numbers=_constants(top, "numbers"),
        background=tuple(_text(entry) for entry in tables(top, "background")),
        reading=tuple(_text(entry) for entry in tables(top, "reading")),
        limits=tuple(_text(entry) for entry in tables(top, "limits", required=True)),
        sources=_citations(top),
        data_sources=_citations(data),
        listing=_listing(table(design, "listing")) if "listing" in design.values else None,
        arms=tuple(_arm(entry) for entry in tables(design, "arms")),
        exposures=tuple(_exposure(entry) for entry in tables(design, "exposures")),
        sums=tuple(_sum(entry) for entry in tables(design, "sums")),
        checks=_checks(table(top, "checks")) if "checks" in top.values else CheckRule(),
        curve=read_curve(table(top, "curve")) if "curve" in top.values else None,
        cost=read_cost(top) if "cost" in top.values else None,
        **of_the_reply(top),
    )


def _constants(entry: Entry, key: str) -> FrozenMapping[str, Constant]:
    value = entry.values.get(key, {})
    if not isinstance(value, Mapping) or not all(isinstance(item, str | int | float | bool) for item in value.values()):
        entry.problems.append(Problem(what=f"{key} must be a table of texts and numbers.", where=entry.where))
        return FrozenMapping({})
    return FrozenMapping(dict(value))


def _citations(entry: Entry) -> FrozenMapping[str, str]:
    return FrozenMapping({key: str(value) for key, value in _constants(entry, "sources").items()})


def _integers(entry: Entry, key: str) -> list[int]:
    value = entry.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        entry.problems.append(Problem(what=f"{key} must be a list of whole numbers.", where=entry.where))
        return []
    return list(value)


def _text(entry: Entry) -> PageText:
    entry.only(("zh", "en", "about"))
    about = entry.choice("about", ("policy", "data")) if "about" in entry.values else "policy"
    return PageText(label=entry.label(), about=cast(Literal["policy", "data"], about))


def _treatment(entry: Entry) -> TreatmentRule:
    entry.only(("cohort", "never_treated", "label", "comparisons", "codings", "estimand"))
    comparisons = entry.texts("comparisons", required=True)
    for name in comparisons:
        if name not in get_args(Comparison):
            entry.problems.append(
                Problem(
                    what=f"comparison {name!r} is not known.",
                    where=entry.where,
                    remedy=suggestion(name, get_args(Comparison)),
                )
            )
    return TreatmentRule(
        cohort=entry.text("cohort", required=True),
        never_treated=int(entry.number("never_treated") or 0),
        label=entry.label("label"),
        comparisons=cast(tuple[Comparison, ...], comparisons),
        codings=tuple(_coding(coding) for coding in tables(entry, "codings")),
        estimand=cast(Gain, entry.choice("estimand", get_args(Gain))) if "estimand" in entry.values else "own",
    )


def _coding(entry: Entry) -> CodingRule:
    entry.only(("column", "label"))
    return CodingRule(column=entry.text("column", required=True), label=entry.label("label"))


def _listing(entry: Entry) -> ListingRule:
    named = ("amount", "price", "certified", "year_effects_by")
    entry.only(("terms", *named))
    return ListingRule(terms=entry.texts("terms", required=True), **{key: entry.text(key, required=True) for key in named})


def _arm(entry: Entry) -> ArmRule:
    entry.only(("name", "label", "entry", "where"))
    name, column = entry.text("name", required=True), entry.text("entry", required=True)
    return ArmRule(name=name, label=entry.label("label"), entry=column, where=_where(entry))


def _exposure(entry: Entry) -> ExposureRule:
    entry.only(("name", "label", "start", "times", "per", "where", "truth_part", "truth_arm"))
    return ExposureRule(
        name=entry.text("name", required=True),
        label=entry.label("label"),
        start=entry.text("start", required=True),
        times=entry.text("times") or None,
        per=entry.number("per") or 1.0,
        where=_where(entry),
        truth_part=entry.text("truth_part"),
        truth_arm=entry.text("truth_arm"),
    )


def _sum(entry: Entry) -> SumRule:
    entry.only(("name", "label", "weights", "truth_parts", "truth_arm"))
    weights = {k: v for k, v in _constants(entry, "weights").items() if isinstance(v, int | float)}
    return SumRule(
        name=entry.text("name", required=True),
        label=entry.label("label"),
        weights=FrozenMapping({name: float(value) for name, value in weights.items()}),
        truth_parts=entry.texts("truth_parts"),
        truth_arm=entry.text("truth_arm"),
    )


def _checks(entry: Entry) -> CheckRule:
    named, listed = ("district", "industry", "size", "lapse"), ("groups", "concurrent", "exposure", "baseline", "comparisons")
    entry.only((*named, *listed, "measured"))
    measured = {outcome: str(twin) for outcome, twin in _constants(entry, "measured").items()}
    return CheckRule(
        measured=FrozenMapping(measured),
        **{key: entry.text(key) for key in named},  # type: ignore[arg-type]
        **{key: entry.texts(key) for key in listed},  # type: ignore[arg-type]
    )


def _where(entry: Entry) -> FrozenMapping[str, Constant | None]:
    """Conditions on columns; the text "missing" stands for no value, for which TOML has no sign."""
    return FrozenMapping({column: None if value == MISSING else value for column, value in _constants(entry, "where").items()})


def _outcome(entry: Entry) -> OutcomeRule:
    entry.only(("name", "scale", "role", "smallest_effect"))
    role = cast(Role, entry.choice("role", get_args(Role)))
    smallest = entry.number("smallest_effect")
    if role == "outcome" and not (smallest and smallest > 0):
        entry.problems.append(
            Problem(
                what="smallest_effect is missing or not positive.",
                where=entry.where,
                remedy="fix the smallest effect of interest before estimation",
            )
        )
    return OutcomeRule(
        name=entry.text("name", required=True),
        scale=cast(Scale, entry.choice("scale", get_args(Scale))),
        role=role,
        smallest_effect=smallest,
    )


def _estimator(entry: Entry) -> EstimatorRule:
    choices = {key: value for key, value in entry.values.items() if key != "name"}
    choices = {key: tuple(value) if isinstance(value, list) else value for key, value in choices.items()}
    odd = [key for key, value in choices.items() if not all(isinstance(v, CONSTANTS) for v in _each(value))]
    if odd:
        entry.problems.append(Problem(what=f"{', '.join(odd)}: a text, a number or a list of them is needed.", where=entry.where))
    return EstimatorRule(name=entry.text("name", required=True), choices=FrozenMapping(cast(dict[str, Choice], choices)))


def _each(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _published(entry: Entry) -> PublishedRule:
    entry.only(("outcome", "formula", "covariance", "decimals", "source", "coefficients"))
    coefficients = table(entry, "coefficients").values
    pairs = {k: v for k, v in coefficients.items() if isinstance(v, list) and len(v) == 2}
    if len(pairs) < len(coefficients) or not pairs:
        entry.problems.append(
            Problem(what="coefficients must be pairs.", where=entry.where, remedy="term = [estimate, standard error]")
        )
    return PublishedRule(
        outcome=entry.text("outcome", required=True),
        formula=entry.text("formula", required=True),
        covariance=cast(Covariance, entry.choice("covariance", get_args(Covariance))),
        decimals=int(entry.number("decimals") or 0),
        source=entry.text("source", required=True),
        coefficients=FrozenMapping({k: (float(v[0]), float(v[1])) for k, v in pairs.items()}),
    )
