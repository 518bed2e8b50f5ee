"""Before any result: what a sample of this size could find."""

from __future__ import annotations

from sme_eval.briefing.document import Heading, Paragraph, Phrase, Piece, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_sections import PowerRecord
from sme_eval.results.unavailable import Unavailable

from .common import Blocks, caption

HEADLINE = 0
"""Place of the headline's row, and of the bundle's first sum."""


def power(evaluation: Evaluation) -> Blocks:
    """What the headline's design could find in words, and a row for every outcome or part."""
    if not evaluation.power:
        return []
    return [
        Heading((Say("power.title"),), anchor="power"),
        Paragraph(_sentence(evaluation, evaluation.power[HEADLINE])),
        _table(evaluation),
    ]


def _sentence(evaluation: Evaluation, row: PowerRecord) -> Phrase:
    """What the headline could find, and the smallest effect of interest beside it."""
    if isinstance(row.detectable, Unavailable):
        return (Say("power.unavailable"),)
    at = pointer("power", HEADLINE)
    scale = "level" if row.detectable_percent is None else "log"
    said = [f"power.{_subject(evaluation)}", f"power.found_{scale}"]
    said += [] if row.smallest_effect is None else [f"power.smallest_{scale}"]
    said += [] if row.degrees_of_freedom is None else ["power.few"]
    pieces: list[Piece] = []
    for key in said:
        pieces += [Say("frame.space"), Say(key, at=at)] if pieces else [Say(key, at=at)]
    return tuple(pieces)


def _subject(evaluation: Evaluation) -> str:
    """Of what the headline is the effect: entering, more of a dose, a part of a bundle."""
    if evaluation.bundle is not None:
        return "part"
    return "entering" if evaluation.dose is None else "dose"


def _table(evaluation: Evaluation) -> Table[Phrase]:
    records = evaluation.power
    percent = any(row.detectable_percent is not None for row in records)
    few = any(row.degrees_of_freedom is not None for row in records)
    keys = ["frame.table_column", "power.std_error", "power.detectable", *(["power.percent"] if percent else [])]
    keys += ["power.smallest", "power.found", "power.samples", *(["power.degrees"] if few else [])]
    return Table(
        caption=caption("power.caption", ""),
        columns=tuple((Say(key),) for key in keys),
        rows=tuple(_row(evaluation, n, row, percent=percent, few=few) for n, row in enumerate(records)),
        notes=((Say("power.note"),), *(((Say("power.note_parts"),),) if evaluation.bundle is not None else ())),
    )


def _row(evaluation: Evaluation, place: int, row: PowerRecord, *, percent: bool, few: bool) -> tuple[Phrase, ...]:
    at = pointer("power", place)
    values = [
        ("std_error", "coefficient"),
        ("detectable", "coefficient"),
        *([("detectable_percent", "percent")] if percent else []),
    ]
    values += [("smallest_effect", "coefficient"), ("power_at_smallest", "share"), ("samples", "samples")]
    values += [("degrees_of_freedom", "integer")] if few else []
    # Without a smallest effect of interest nothing is missing: what rests on it does not apply.
    rests = ("power_at_smallest", "samples") if row.smallest_effect is None else ()
    cells = (((Value(at + pointer("smallest_effect" if name in rests else name), form)),) for name, form in values)
    return (_name(evaluation, at, row), *cells)


def _name(evaluation: Evaluation, at: str, row: PowerRecord) -> Phrase:
    """An outcome with its unit, or a part by its own name."""
    others = {effect.key: effect.outcome for effect in evaluation.mechanisms}
    if row.key in others:
        return (Say("cell.outcome", at=pointer("mechanism_outcomes", others[row.key])),)
    if evaluation.bundle is None and row.key == evaluation.headline.key:
        return (Say("cell.outcome", at=pointer("outcome")), Say("estimates.main"))
    return (Say("power.row", at=at),)
