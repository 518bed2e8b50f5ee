"""The draft briefing for a bureau: abstract, findings, problems, recommendations of a named analyst, annex."""

from __future__ import annotations

from sme_eval.briefing.document import Callout, Figure, Heading, Items, Own, Paragraph, Phrase, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation
from sme_eval.results.unavailable import Unavailable

from .common import Blocks, caption, interval
from .evidence import percent_cell, percent_interval_cell
from .findings import abstract, findings, stands
from .problems import caveats, failures, not_evaluated
from .value import value_rows

AT = pointer("headline")


def bureau(evaluation: Evaluation) -> Blocks:
    """The whole page."""
    return [
        *_opening(evaluation),
        Heading((Say("bureau.findings"),), anchor="findings"),
        Items(findings(evaluation), ordered=True),
        Heading((Say("bureau.problems"),), anchor="problems"),
        Items((*failures(evaluation), *caveats(evaluation), *not_evaluated(evaluation)), ordered=True),
        Heading((Say("bureau.recommendations"),), anchor="recommendations"),
        *recommendations(evaluation),
        Heading((Say("bureau.annex"),), anchor="annex", numbered=False),
        *summary_figure(evaluation),
        main_figures(evaluation),
        Paragraph((Say("bureau.technical"),), role="note"),
    ]


def _opening(evaluation: Evaluation) -> Blocks:
    blocks: Blocks = [Paragraph((Say("header.status"),), role="label")]
    if evaluation.data_kind == "simulated":
        blocks.append(Callout(role="simulated", title=(Say("banner.title"),), blocks=(Paragraph((Say("bureau.banner"),)),)))
    return [*blocks, Paragraph((Say("bureau.abstract"), *abstract(evaluation)), role="claim")]


def recommendations(evaluation: Evaluation) -> Blocks:
    """What a named analyst recommends; nothing follows from an estimate by itself, and from simulated data nothing at all."""
    if evaluation.data_kind == "simulated":
        return [Paragraph((Say("bureau.no_recommendation"),))]
    found = evaluation.recommendations
    if found is None:
        return [Paragraph((Say("bureau.to_be_filled_in"),))]
    items: tuple[Phrase, ...] = tuple((Own(pointer("recommendations", "items", n)),) for n in range(len(found.items)))
    return [Paragraph((Say("bureau.recommended_by"),)), Items(items, ordered=True)]


def summary_figure(evaluation: Evaluation) -> Blocks:
    """The one chart of a short form, where there is an estimate to draw."""
    if not has_summary(evaluation):
        return []
    return [Figure(name="summary", caption=caption("summary.caption", ""), alternative=(Say("summary.alternative"),))]


def has_summary(evaluation: Evaluation) -> bool:
    """Whether there is an interval to draw."""
    headline = evaluation.headline
    return not any(isinstance(value, Unavailable) for value in (headline.estimate, headline.conf_low, headline.conf_high))


def main_figures(evaluation: Evaluation) -> Table[Phrase]:
    """The main figures, one a row."""
    effect = evaluation.headline
    rows: list[tuple[str, Phrase]] = [("outcome", (Say("cell.outcome", at=pointer("outcome")),))]
    rows += [("estimate", (Value(AT + pointer("estimate"), "coefficient"),)), ("interval", interval(AT, effect.conf_low))]
    if effect.percent is not None:
        rows += [("percent", percent_cell(AT, effect)), ("percent_interval", percent_interval_cell(AT, effect))]
    if evaluation.bracket is not None and evaluation.bracket.hull_percent is not None:
        at = pointer("bracket", "hull_percent")
        low = evaluation.bracket.hull_percent.conf_low
        rows.append(("hull", interval(at, low, "cell.percent_interval", form="percent")))
    if stands(evaluation):
        rows += value_rows(evaluation)
    if evaluation.outcome.smallest_effect is not None:
        rows.append(("smallest", (Value(pointer("outcome", "smallest_effect"), "coefficient"),)))
    rows += [("firms", (Value(AT + pointer("n_firms"), "count"),)), ("treated", (Value(AT + pointer("n_treated"), "count"),))]
    rows += [("years", _years(evaluation)), ("method", (Say("claim_facts.method_name"),))]
    return Table(
        caption=caption("bureau.caption_table", ""),
        columns=((Say("frame.table_column"),), (Say("bureau.content"),)),
        rows=tuple(((Say(f"bureau.row_{name}"),), cell) for name, cell in rows),
        notes=() if stands(evaluation) else ((Say("bureau.note_inspection"),),),
        layout="words",
    )


def _years(evaluation: Evaluation) -> Phrase:
    """First and last year of the sample."""
    years = pointer("cohort_map", "years")
    last = len(evaluation.cohort_map.years) - 1
    return (Value(years + pointer(0), "year"), Say("bureau.to"), Value(years + pointer(last), "year"))
