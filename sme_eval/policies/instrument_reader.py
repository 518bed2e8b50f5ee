"""Reads what a policy file says of the published reply: its system, facts and threats, and why it is not evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from sme_eval.errors import Problem
from sme_eval.panel.declarations import Entry
from sme_eval.panel.frozen_mapping import FrozenMapping

from .instruments import Refusal, RefusalKind, SmallSample, ThreatRule
from .rules import Instrument

REFUSAL: Final = "refusal"
OF_THE_REPLY: Final = ("system", "facts", "threats")
_REFUSED_KEYS: Final = ("name", "instrument", "label", "question", "sources", *OF_THE_REPLY, REFUSAL)


def read_refused(top: Entry, name: str) -> dict[str, Any]:
    """The fields of an instrument that is not evaluated: with a reason, and without a design."""
    top.only(_REFUSED_KEYS)
    sources = top.values.get("sources", {})
    return dict(
        name=name,
        instrument=cast(Instrument, top.choice("instrument", get_args(Instrument))),
        label=top.label("label"),
        question=top.label("question"),
        refusal=_refusal(top),
        sources=FrozenMapping({str(k): str(v) for k, v in sources.items()} if isinstance(sources, Mapping) else {}),
        **of_the_reply(top),
    )


def of_the_reply(top: Entry) -> dict[str, Any]:
    """System, facts and threats of a policy file; a policy of one's own needs none of them."""
    return dict(system=top.text("system"), facts=top.texts("facts"), threats=tuple(_threat(one) for one in _threats(top)))


def _threats(top: Entry) -> list[Entry]:
    found = top.values.get("threats", [])
    if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
        top.problems.append(Problem(what="threats must be a list of tables.", where=top.where, remedy="write [[threats]]"))
        return []
    return [Entry(item, f"{top.where} [[threats]] {n}", top.problems) for n, item in enumerate(found, start=1)]


def _threat(entry: Entry) -> ThreatRule:
    entry.only(("name", "zh", "en", "remedy"))
    return ThreatRule(name=entry.text("name", required=True), label=entry.label(), remedy=entry.label("remedy"))


def _refusal(top: Entry) -> Refusal:
    value = top.values[REFUSAL]
    entry = Entry(value if isinstance(value, Mapping) else {}, f"{top.where} [{REFUSAL}]", top.problems)
    entry.only(("kind", "zh", "en", "small_n", "unit"))
    kind = cast(RefusalKind, entry.choice("kind", get_args(RefusalKind)))
    for key, needed in (("small_n", "small_n"), ("unit", "other_unit")):
        if (key in entry.values) != (kind == needed):
            what = f"{key} belongs to a refusal of kind {needed!r}, and to no other."
            top.problems.append(Problem(what=what, where=entry.where, remedy=f"add {key}, or leave it out, or change the kind"))
    few = entry.values.get("small_n", {}) if kind == "small_n" else {}
    return Refusal(
        kind=kind,
        label=entry.label(),
        small_n=_small_sample(Entry(few, f"{entry.where}.small_n", top.problems)) if isinstance(few, Mapping) and few else None,
        unit=entry.label("unit") if kind == "other_unit" and "unit" in entry.values else None,
    )


def _small_sample(entry: Entry) -> SmallSample:
    numbers = ("treated", "smallest_effect", "standard_deviation", "compared")
    entry.only(("outcome", *numbers))
    given = {key: entry.number(key) or 0.0 for key in numbers}
    for key, value in given.items():
        if not value > 0.0:
            entry.problems.append(Problem(what=f"{key} is missing or not positive.", where=entry.where, remedy=f"add {key} = …"))
            given[key] = 1.0
    outcome, treated = entry.text("outcome", required=True), int(given.pop("treated"))
    if outcome and not outcome.startswith("log_"):
        what = f"outcome is {outcome!r}: effects are told in per cent, which needs a logarithm."
        entry.problems.append(Problem(what=what, where=entry.where, remedy="name an outcome such as log_revenue"))
    return SmallSample(outcome=outcome, treated=treated, **given)
