"""The effect given past growth beside the one without, why they differ, and the range that may be printed."""

from __future__ import annotations

from sme_eval.briefing.document import Figure, Heading, Paragraph, Phrase, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_base import EffectRecord
from sme_eval.evaluation.record_sections import BracketRecord
from sme_eval.results.unavailable import Unavailable

from .common import Blocks, Pointed, caption, interval
from .evidence import covers_cell, percent_cell, percent_interval_cell


def bracket(evaluation: Evaluation) -> Blocks:
    """Both answers and their hull, the reason why they differ, and what a lasting drift could make."""
    found = evaluation.bracket
    if found is None:
        return []
    return [
        Heading((Say("bracket.title"),), anchor="bracket"),
        Paragraph((Say("bracket.why"),)),
        Figure(name="bracket", caption=caption("bracket.caption", ""), alternative=(Say("bracket.alternative"),)),
        _table(evaluation, found),
        Paragraph((Say("bracket.printed"),)),
        *_drift(found),
    ]


def bracket_effects(evaluation: Evaluation, found: BracketRecord) -> tuple[Pointed, ...]:
    """Given growth, doubly robust, without covariates; each with its pointer."""
    others = (found.doubly_robust, found.unconditional)
    listed = [(pointer("alternatives", n), evaluation.alternatives[n]) for n in others]
    return ((pointer("headline"), evaluation.headline), *listed)


def _table(evaluation: Evaluation, found: BracketRecord) -> Table[Phrase]:
    effects = bracket_effects(evaluation, found)
    truth, percent = (any(getattr(effect, name) is not None for _, effect in effects) for name in ("truth", "percent"))
    keys = ["companion.method", "estimates.row_estimate", "estimates.row_interval"]
    keys += ["estimates.row_percent", "estimates.row_percent_interval"] if percent else []
    keys += ["estimates.row_truth", "estimates.row_covers"] if truth else []
    rows = [_row(where, effect, percent=percent, truth=truth) for where, effect in effects]
    return Table(
        caption=caption("bracket.caption_table", ""),
        columns=tuple((Say(key),) for key in keys),
        rows=(*rows, _hull_row(found, percent=percent, blank=2 if truth else 0)),
    )


def _row(where: str, effect: EffectRecord, *, percent: bool, truth: bool) -> tuple[Phrase, ...]:
    cells: list[Phrase] = [(Say("bracket.row", at=where),), (Value(where + pointer("estimate"), "coefficient"),)]
    cells.append(interval(where, effect.conf_low))
    cells += [percent_cell(where, effect), percent_interval_cell(where, effect)] if percent else []
    cells += [(Value(where + pointer("truth"), "coefficient"),), covers_cell(where, effect)] if truth else []
    return tuple(cells)


def _hull_row(found: BracketRecord, *, percent: bool, blank: int) -> tuple[Phrase, ...]:
    at = pointer("bracket")
    cells: list[Phrase] = [(Say("bracket.hull"),), (), interval(at, found.hull_low, "bracket.cell_hull", low_name="hull_low")]
    if percent:
        inside = at + pointer("hull_percent")
        low = None if found.hull_percent is None else found.hull_percent.conf_low
        last: Phrase = (
            (Value(inside, "percent"),) if low is None else interval(inside, low, "cell.percent_interval", form="percent")
        )
        cells += [(), last]
    return (*cells, *(((),) * blank))


def _drift(found: BracketRecord) -> Blocks:
    """What the leads outside the growth window say of a trend that lasts."""
    if isinstance(found.slope, Unavailable):
        return [Paragraph((Say("bracket.no_drift"),))]
    drift = "bracket.drift" if found.allowed is not None else "bracket.drift_only"
    after: Phrase = () if isinstance(found.adjusted_low, Unavailable) else (Say("frame.space"), Say("bracket.adjusted"))
    return [Paragraph((Say(drift), *after))]
