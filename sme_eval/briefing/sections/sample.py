"""The firms behind the estimates: cohorts by year, and the way from raw records to the sample."""

from __future__ import annotations

from sme_eval.briefing.document import Figure, Heading, Paragraph, Phrase, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import CohortRecord, Evaluation

from .common import Blocks, caption, interval, std_error


def cohorts(evaluation: Evaluation) -> Blocks:
    """The map of cohorts and the average effect of each."""
    return [
        Heading((Say("cohorts.title"),), anchor="cohorts"),
        Paragraph((Say("cohorts.lead"),)),
        Figure(name="cohort_map", caption=caption("cohorts.caption", ""), alternative=(Say("cohorts.alternative"),)),
        _cohort_table(evaluation),
    ]


def _cohort_table(evaluation: Evaluation) -> Table[Phrase]:
    records = evaluation.cohort_map.cohorts
    with_truth = any(record.truth is not None for record in records)
    keys = ["cohorts.cohort", "cohorts.firms", *(f"estimates.row_{name}" for name in ("estimate", "std_error", "interval"))]
    keys += ["estimates.row_truth"] if with_truth else []
    rows = [_cohort_row(pointer("cohort_map", "cohorts", n), record, with_truth) for n, record in enumerate(records)]
    blank: tuple[Phrase, ...] = ((),) * (len(keys) - 2)
    never: Phrase = (Value(pointer("cohort_map", "n_never_treated"), "count"),)
    return Table(
        caption=caption("cohorts.caption_table", ""),
        columns=tuple((Say(key),) for key in keys),
        rows=(*rows, ((Say("cohorts.never"),), never, *blank)),
    )


def _cohort_row(where: str, record: CohortRecord, with_truth: bool) -> tuple[Phrase, ...]:
    truth: tuple[Phrase, ...] = ((Value(where + pointer("truth"), "coefficient"),),) if with_truth else ()
    return (
        (Value(where + pointer("cohort"), "cohort"),),
        (Value(where + pointer("n_firms"), "count"),),
        (Value(where + pointer("estimate"), "coefficient"),),
        std_error(where, record.std_error),
        interval(where, record.conf_low),
        *truth,
    )


def flow(evaluation: Evaluation) -> Blocks:
    """Every step from the raw records to the sample."""
    names = ("firms", "rows", "dropped_firms", "dropped_rows")
    rows = []
    for n, step in enumerate(evaluation.sample_flow):
        where = pointer("sample_flow", n)
        words: Phrase = (Say(f"word.rule.{step.rule}", at=where, otherwise=("flow.other",)),)
        rows.append((words, *((Value(where + pointer(name), "count"),) for name in names)))
    table: Table[Phrase] = Table(
        caption=caption("flow.caption_table", ""),
        columns=tuple((Say(f"flow.{name}"),) for name in ("step", *names)),
        rows=tuple(rows),
    )
    return [
        Heading((Say("flow.title"),), anchor="sample"),
        Figure(name="sample_flow", caption=caption("flow.caption", ""), alternative=(Say("flow.alternative"),)),
        table,
    ]
