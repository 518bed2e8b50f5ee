"""The specification curve: every estimate that the policy file defends, what they say together, and which choice matters."""

from __future__ import annotations

from sme_eval.briefing.document import Figure, Heading, Own, Paragraph, Phrase, Piece, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_curve import CurveRecord
from sme_eval.results.unavailable import Unavailable

from .common import Blocks, caption

AT = pointer("curve")
TESTS = (("median", "coefficient"), ("share", "share"), ("stouffer", "statistic"))
"""Summary of the curve → how its value is printed; its p-value is `<name>_p`."""


def curve(evaluation: Evaluation) -> Blocks:
    """Lead, figure, joint inference and shares; nothing without a curve."""
    found = evaluation.curve
    if found is None:
        return []
    blocks: Blocks = [
        Heading((Say("curve.title"),), anchor="specification-curve"),
        Paragraph(_lead(found)),
        Figure(name="curve", caption=caption("curve.caption", ""), alternative=(Say("curve.alternative"),)),
    ]
    if found.n_contrasts:
        blocks.append(Paragraph((Say("curve.contrasts"),), role="note"))
    return [
        *blocks,
        Paragraph((Say("curve.joint"),)),
        _tests(),
        Paragraph((Say("curve.shares"),)),
        _shares(found),
    ]


def _lead(found: CurveRecord) -> Phrase:
    """How many, from where to where, and where the main estimate stands; ends that were withheld are not spoken of."""
    ends = not isinstance(found.lowest, Unavailable) and not isinstance(found.highest, Unavailable)
    pieces: list[Piece] = [Say("curve.lead")]
    if not isinstance(found.median, Unavailable):
        pieces += [Say("frame.space"), Say("curve.lead_ends" if ends else "curve.lead_median")]
    if found.headline_rank is not None and not isinstance(found.headline_rank, Unavailable):
        pieces += [Say("frame.space"), Say("curve.lead_headline")]
    if found.n_repeated or found.n_missing:
        pieces += [Say("frame.space"), Say("curve.lead_left_out")]
    return tuple(pieces)


def _tests() -> Table[Phrase]:
    rows: list[tuple[Phrase, ...]] = []
    for name, form in TESTS:
        value = "share_significant" if name == "share" else name
        rows.append(
            ((Say(f"curve.test_{name}"),), (Value(AT + pointer(value), form),), (Value(AT + pointer(f"{name}_p"), "p_value"),))
        )
    return Table(
        caption=caption("curve.caption_tests", ""),
        columns=tuple((Say(f"curve.{name}"),) for name in ("summary", "value", "p")),
        rows=tuple(rows),
        notes=((Say("curve.note_tests"),),),
    )


def _shares(found: CurveRecord) -> Table[Phrase]:
    rows: list[tuple[Phrase, ...]] = []
    for d, dimension in enumerate(found.dimensions):
        at = AT + pointer("dimensions", d)
        options: list[Piece] = []
        for n in range(len(dimension.options)):
            options += [Say("frame.separator")] if n else []
            options.append(Own(at + pointer("options", n, "label")))
        rows.append(((Own(at + pointer("label")),), tuple(options), (Value(at + pointer("share"), "share"),)))
    rows.append(((Say("curve.together"),), (Say("frame.dash"),), (Value(AT + pointer("together"), "share"),)))
    return Table(
        caption=caption("curve.caption_shares", ""),
        columns=tuple((Say(f"curve.{name}"),) for name in ("question", "options", "share")),
        rows=tuple(rows),
        notes=((Say("curve.note_shares"),),),
        layout="words",
    )
