"""Cheaper credit: what entering the list did to credit and to the outcome, and what cannot be told from it."""

from __future__ import annotations

from sme_eval.briefing.document import Figure, Heading, Paragraph, Phrase, Piece, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_base import EffectRecord
from sme_eval.evaluation.record_sections import InstrumentRecord, ListingRecord, RatioRecord
from sme_eval.results.unavailable import Unavailable

from .common import Blocks, caption, interval, outcome_pointer, std_error
from .opening import FINDINGS

AT = pointer("listing")


def listing(evaluation: Evaluation) -> Blocks:
    """First stage, effect of listing, what is not identified, and why certified firms do not help."""
    found = evaluation.listing
    if found is None:
        return []
    mode = "demonstration" if evaluation.claim.demonstration else "observed"
    if mode == "observed" and (evaluation.claim.kind not in FINDINGS or evaluation.bracket is None):
        mode = "observed_open"
    return [
        Heading((Say("listing.title"),), anchor="listing"),
        Figure(name="first_stage", caption=caption("listing.caption", ""), alternative=(Say("listing.alternative"),)),
        _stages_table(evaluation, found),
        Paragraph((Say(f"listing.said_{mode}"),)),
        Paragraph((Say("listing.netted"),)),
        _effects_table(evaluation, found),
        Paragraph((Say("listing.main_cohort"),), role="note"),
        Heading((Say("listing.not_identified"),), level=3),
        *_identified_set(found),
        Heading((Say("listing.certified_title"),), level=3),
        Paragraph((Say("listing.certified"),)),
        _ratio_table(found),
    ]


def _stages_table(evaluation: Evaluation, found: ListingRecord) -> Table[Phrase]:
    keys = ("listing.term", "listing.change", "estimates.row_std_error", "estimates.row_interval", "listing.f")
    with_truth = any(stage.effect.truth is not None for stage in found.stages)
    keys = (*keys, *(("estimates.row_truth",) if with_truth else ()))
    rows: list[tuple[Phrase, ...]] = []
    for n, stage in enumerate(found.stages):
        where = AT + pointer("stages", n, "effect")
        truth: tuple[Phrase, ...] = ((Value(where + pointer("truth"), "coefficient"),),) if with_truth else ()
        rows.append(
            (
                (Say("cell.outcome", at=outcome_pointer(evaluation, stage.effect, "")),),
                (Value(where + pointer("estimate"), "coefficient"),),
                std_error(where, stage.effect.std_error),
                interval(where, stage.effect.conf_low),
                (Value(AT + pointer("stages", n, "f_statistic"), "decimals_0"),),
                *truth,
            )
        )
    return Table(
        caption=caption("listing.caption_stages", ""),
        columns=tuple((Say(key),) for key in keys),
        rows=tuple(rows),
        notes=((Say("listing.note_stages"),),),
    )


def _effects_table(evaluation: Evaluation, found: ListingRecord) -> Table[Phrase]:
    """The effect on the outcome: given past growth, netted, and by regression; then the regressions on terms of credit."""
    rows: list[tuple[str, str, EffectRecord]] = [
        ("listing.by_landmark", pointer("headline"), evaluation.headline),
        ("listing.by_netted", AT + pointer("netted"), found.netted),
    ]
    rows += [("listing.by_regression", AT + pointer("regressions", n), effect) for n, effect in enumerate(found.regressions)]
    keys = ("forest.outcome", "companion.method", "estimates.row_estimate", "estimates.row_std_error", "estimates.row_interval")
    with_truth = any(effect.truth is not None for _, _, effect in rows)
    return Table(
        caption=caption("listing.caption_effects", ""),
        columns=tuple((Say(key),) for key in (*keys, *(("estimates.row_truth",) if with_truth else ()))),
        rows=tuple(_effect_row(evaluation, key, where, effect, with_truth=with_truth) for key, where, effect in rows),
        notes=((Say("listing.note_effects"),),),
    )


def _effect_row(evaluation: Evaluation, key: str, where: str, effect: EffectRecord, *, with_truth: bool) -> tuple[Phrase, ...]:
    truth: tuple[Phrase, ...] = ((Value(where + pointer("truth"), "coefficient"),),) if with_truth else ()
    return (
        (Say("cell.outcome", at=outcome_pointer(evaluation, effect, "")),),
        (Say(key),),
        (Value(where + pointer("estimate"), "coefficient"),),
        std_error(where, effect.std_error),
        interval(where, effect.conf_low),
        *truth,
    )


def _identified_set(found: ListingRecord) -> Blocks:
    """What the two channels could be, in the only words that a ratio may stand in."""
    blocks: Blocks = [Paragraph((Say("listing.channels"),))]
    if found.access_most is None or found.price_most is None:
        return [*blocks, Paragraph((Say("listing.no_set"),))]
    if isinstance(found.access_most, Unavailable) or isinstance(found.price_most, Unavailable):
        return blocks
    return [
        *blocks,
        Figure(name="identified_set", caption=caption("listing.caption_set", ""), alternative=(Say("listing.alternative_set"),)),
        Paragraph((Say("listing.set"),)),
    ]


def _ratio_table(found: ListingRecord) -> Table[Phrase]:
    """Ratios by design, then instruments in a regression; all of them conditional on one channel."""
    keys = ("listing.firms", "companion.method", "listing.ratio", "listing.anderson_rubin", "listing.effective_f", "listing.overid")
    dash: Phrase = (Say("frame.dash"),)
    rows: list[tuple[Phrase, ...]] = []
    for n, ratio in enumerate(found.ratios):
        if ratio.term == found.amount:
            where = AT + pointer("ratios", n)
            rows.append((*_ratio_head(ratio, where), anderson_rubin(where, ratio.anderson_rubin), dash, dash))
    for n, record in enumerate(found.instruments):
        rows.append(_instrument_row(AT + pointer("instruments", n), record))
    return Table(
        caption=caption("listing.caption_ratios", ""),
        columns=tuple((Say(key),) for key in keys),
        rows=tuple(rows),
        notes=((Say("listing.note_ratios"),),),
    )


def _ratio_head(ratio: RatioRecord, where: str) -> tuple[Phrase, ...]:
    return (Say(f"listing.arm_{ratio.arm}"),), (Say("listing.by_landmark"),), (Value(where + pointer("estimate"), "coefficient"),)


def _instrument_row(where: str, record: InstrumentRecord) -> tuple[Phrase, ...]:
    overid: Phrase = (Value(where + pointer("overidentification_p"), "p_value"),) if record.arm == "both" else (Say("frame.dash"),)
    return (
        (Say(f"listing.arm_{record.arm}"),),
        (Say(f"listing.method_{record.method}"),),
        (Value(where + pointer("estimate"), "coefficient"),),
        anderson_rubin(where, record.anderson_rubin),
        (Value(where + pointer("effective_f"), "decimals_0"),),
        overid,
    )


def anderson_rubin(where: str, intervals: tuple[tuple[float | None, ...], ...] | Unavailable) -> Phrase:
    """A list of intervals, ends without bound in words; where there is none, a dash, and where every value is rejected, that."""
    if isinstance(intervals, Unavailable):
        return (Value(where + pointer("anderson_rubin"), "coefficient"),)
    if not intervals:
        return (Say("listing.nothing"),)
    pieces: list[Piece] = []
    for n, (low, high) in enumerate(intervals):
        at = where + pointer("anderson_rubin", n)
        pieces += [Say("frame.separator")] if pieces else []
        form = {(False, False): "interval", (True, False): "below", (False, True): "above", (True, True): "all"}
        pieces.append(Say(f"listing.{form[(low is None, high is None)]}", at=at))
    return tuple(pieces)
