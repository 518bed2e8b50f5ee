"""Value for money: what was assumed about costs, and what the effect costs under these assumptions. Never a total."""

from __future__ import annotations

from typing import Final

from sme_eval.briefing.document import Heading, Paragraph, Phrase, Piece, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_value import AssumptionRecord, RangeRecord, ValueRecord, ValueRow
from sme_eval.results.unavailable import Unavailable

from .common import Blocks, caption

SIZED: Final = frozenset({"consistent", "no_effect_above", "cannot_tell_power"})
"""Claims whose interval may be set against a cost: it bounds the effect, whether or not it excludes zero."""
TOLD: Final = {"no upper bound": "open", "no finite bound": "none", "pays for itself": "pays"}
"""How the reason of an end that is not finite begins → the variant of its sentence."""
MAIN: Final = frozenset({"cost_per_job", "cost_per_revenue"})
"""Rows that the short forms tell."""
COUNTED: Final = ("administration", "compliance", "displacement", "tax_share")
"""Assumptions whose absence is told: what they stand for is then counted as nothing."""
OF_REVENUE: Final = ("compliance", "tax_share")
"""Those that no result about jobs asks for."""


def valued(evaluation: Evaluation) -> bool:
    """Whether the page sets the effect against its cost."""
    sized = evaluation.claim.demonstration or evaluation.claim.kind in SIZED
    return evaluation.value is not None and sized


def value(evaluation: Evaluation) -> Blocks:
    """The assumptions, and the results where the claim bounds the effect."""
    found = evaluation.value
    if found is None:
        return []
    mode = "demonstration" if evaluation.claim.demonstration else "observed"
    blocks: Blocks = [
        Heading((Say("value.title"),), anchor="value"),
        Paragraph((Say(f"value.lead_{mode}"), Say("frame.space"), Say("value.lead"))),
        _assumptions(found),
    ]
    if not valued(evaluation):
        return [*blocks, Paragraph((Say("value.no_size"),))]
    return [*blocks, _results(evaluation, found), Paragraph((Say(f"value.reading_{found.unit}"),), role="note")]


def value_rows(evaluation: Evaluation) -> list[tuple[str, Phrase]]:
    """The cost of one unit of the effect as a row of a short form's table."""
    found = evaluation.value
    if found is None or not valued(evaluation):
        return []
    places = [n for n, row in enumerate(found.rows) if row.name in MAIN]
    return [(found.rows[n].name, _widest(pointer("value", "rows", n), found.rows[n])) for n in places]


def _assumptions(found: ValueRecord) -> Table[Phrase]:
    """One row per assumption: what it is, how much, in what unit, and who says so."""
    stated = {one.name for one in found.assumptions}
    asked = [name for name in COUNTED if found.unit != "person" or name not in OF_REVENUE]
    untold = [name for name in asked if name not in stated]
    return Table(
        caption=caption("value.caption_assumptions", ""),
        columns=tuple((Say(f"value.{name}"),) for name in ("assumption", "amount", "unit", "basis")),
        rows=tuple(_assumption(pointer("value", "assumptions", n), one) for n, one in enumerate(found.assumptions)),
        notes=((Say("value.note_assumptions"),), *((_untold(untold),) if untold else ())),
        layout="words",
    )


def _untold(names: list[str]) -> Phrase:
    listed: list[Piece] = [Say("value.not_counted")]
    for place, name in enumerate(names):
        listed += [Say("frame.enumeration")] if place else []
        listed.append(Say(f"value.untold_{name}"))
    return (*listed, Say("brief.end"))


def _assumption(where: str, one: AssumptionRecord) -> tuple[Phrase, ...]:
    form = "share" if one.unit == "share" else "assumed"
    if one.low == one.high or isinstance(one.low, Unavailable):
        amount: Phrase = (Value(where + pointer("low"), "amount" if one.n_firms is not None else form),)
    else:
        amount = (Say(f"value.from_to_{form}", at=where),)
    basis = "confirmed" if one.confirmed else "assumed" if one.n_firms is None else "data"
    return (Say("value.what", at=where),), amount, (Say(f"value.unit_{one.unit}"),), (Say(f"value.basis_{basis}", at=where),)


def _results(evaluation: Evaluation, found: ValueRecord) -> Table[Phrase]:
    """One row per result: at the estimate, and over the range of the effect that the rest of the page prints."""
    hull = any(row.hull is not None for row in found.rows)
    inspection = not (evaluation.claim.demonstration or evaluation.claim.kind in SIZED - {"cannot_tell_power"})
    last = "hull" if hull else "interval"
    return Table(
        caption=caption("value.caption_results", ""),
        columns=((Say("value.result"),), (Say("value.central"),), (Say(f"value.{last}"),)),
        rows=tuple(_result(pointer("value", "rows", n), row, found.unit) for n, row in enumerate(found.rows)),
        notes=(
            (Say(f"value.note_{last}"),),
            *(((Say("value.note_marginal"),),) if any(row.name == "marginal_value" for row in found.rows) else ()),
            *(((Say("bureau.note_inspection"),),) if inspection else ()),
        ),
        layout="words",
    )


def _result(where: str, row: ValueRow, unit: str) -> tuple[Phrase, ...]:
    """Named by what it is, and by the unit where that says what it is."""
    name = Say(f"value.row_{row.name}_{unit}", otherwise=(f"value.row_{row.name}",))
    return (name,), _range(where + pointer("central"), row.central), _widest(where, row)


def _widest(where: str, row: ValueRow) -> Phrase:
    """Over the hull where there is one, else over the interval; a row without either stands at its one value."""
    for name in ("hull", "interval", "central"):
        found: RangeRecord | None = getattr(row, name)
        if found is not None:
            return _range(where + pointer(name), found)
    raise AssertionError("every row has a central range")


def _range(where: str, found: RangeRecord) -> Phrase:
    """From one end to the other; an end that is not finite in words, one that is not known as a dash."""
    low, high = found.low, found.high
    if isinstance(low, Unavailable):
        said = _said(low)
        return (Say(f"value.all_{said}"),) if said else (Value(where + pointer("low"), "amount"),)
    if isinstance(high, Unavailable):
        return (Say(f"value.from_{_said(high) or 'open'}", at=where),)
    if low == high:
        return (Value(where + pointer("low"), "amount"),)
    return (Say("value.from_to", at=where),)


def _said(end: Unavailable) -> str:
    return next((variant for beginning, variant in TOLD.items() if end.reason.startswith(beginning)), "")
