"""The estimates: event study, the table of estimators, other outcomes."""

from __future__ import annotations

from collections.abc import Callable

from sme_eval.briefing.document import Figure, Heading, Paragraph, Phrase, Say, Table, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record import Evaluation, EventTimeRecord
from sme_eval.evaluation.record_base import EffectRecord
from sme_eval.results.unavailable import Unavailable

from .common import (
    Blocks,
    Pointed,
    caption,
    distinct_names,
    effects_of,
    estimator_choices,
    estimator_name,
    interval,
    mechanisms_of,
    outcome_pointer,
    std_error,
)

Cell = Callable[[str, EffectRecord], Phrase]


def event_study(evaluation: Evaluation) -> Blocks:
    """The figure, its making, the joint test before treatment, and the table behind it."""
    return [
        Heading((Say("event_study.title"),), anchor="event-study"),
        Figure(name="event_study", caption=caption("event_study.caption", ""), alternative=(Say("event_study.alternative"),)),
        Paragraph((Say(f"event_study.method{'_districts' if evaluation.dose is not None else ''}"),), role="note"),
        Paragraph(pretrend(evaluation, "")),
        event_study_table(evaluation, ""),
    ]


def pretrend(evaluation: Evaluation, root: str) -> Phrase:
    """The joint test of the effects before treatment, or why there is none."""
    missing = isinstance(evaluation.event_study.pretrend, Unavailable)
    return (Say(f"event_study.pretrend{'_unavailable' if missing else ''}", root=root),)


def event_study_table(evaluation: Evaluation, root: str) -> Table[Phrase]:
    """One row per event time."""
    rows = evaluation.event_study.rows
    with_truth = any(row.truth is not None for row in rows)
    keys = ["event_study.event_time", "estimates.row_estimate", "estimates.row_std_error", "estimates.row_interval"]
    keys += ["event_study.band", *(["event_study.truth"] if with_truth else []), "event_study.n_treated"]
    return Table(
        caption=caption("event_study.caption_table", root),
        columns=tuple((Say(key, root=root),) for key in keys),
        rows=tuple(_event_row(root + pointer("event_study", "rows", n), row, with_truth=with_truth) for n, row in enumerate(rows)),
        annex=(Say("event_study.details"),),
    )


def _event_row(where: str, row: EventTimeRecord, *, with_truth: bool) -> tuple[Phrase, ...]:
    time: Phrase = (Value(where + pointer("event_time"), "event_time"),)
    truth: tuple[Phrase, ...] = ((Value(where + pointer("truth"), "coefficient"),),) if with_truth else ()
    treated: Phrase = (Value(where + pointer("n_treated"), "count"),)
    estimate: Phrase = (Value(where + pointer("estimate"), "coefficient"),)
    if row.is_reference:
        return time, estimate, (Say("frame.dash"),), (Say("event_study.reference"),), (Say("frame.dash"),), *truth, treated
    return (
        time,
        estimate,
        std_error(where, row.std_error),
        interval(where, row.conf_low),
        interval(where, row.band_low, "cell.band", low_name="band_low"),
        *truth,
        treated,
    )


def estimates(evaluation: Evaluation) -> Blocks:
    """The main estimate beside the alternatives, one column each."""
    effects = effects_of(evaluation, "")
    columns = [(*name, *_main(n)) for n, name in enumerate(distinct_names(effects))]
    rows = tuple(
        ((Say(f"estimates.row_{name}"),), *(cell(where, effect) for where, effect in effects))
        for name, cell in _effect_rows(effects)
    )
    return [
        Heading((Say("estimates.title"),), anchor="estimates"),
        Paragraph((Say("estimates.lead"),)),
        Table(
            caption=caption("estimates.caption", ""),
            columns=((Say("frame.table_column"),), *columns),
            rows=rows,
            notes=((Say("estimates.note"),),),
        ),
        _methods_table(effects, columns),
    ]


def _methods_table(effects: list[Pointed], names: list[Phrase]) -> Table[Phrase]:
    """What the columns are, one row each: sentences do not fit into columns of numbers."""
    keys = ("estimator", "choices", "estimand", "convention")
    return Table(
        caption=caption("estimates.caption_methods", ""),
        columns=tuple((Say(f"estimates.row_{key}"),) for key in keys),
        rows=tuple(
            (
                name,
                estimator_choices(where + pointer("estimator"), effect.estimator),
                (Say("cell.estimand", at=where),),
                _convention(effect),
            )
            for name, (where, effect) in zip(names, effects, strict=True)
        ),
        layout="words",
    )


def _main(place: int) -> Phrase:
    return (Say("estimates.main"),) if place == 0 else ()


def _effect_rows(effects: list[Pointed]) -> list[tuple[str, Cell]]:
    """The rows that at least one effect fills, in order."""
    percent = any(effect.percent is not None for _, effect in effects)
    truth = any(effect.truth is not None for _, effect in effects)
    rows: list[tuple[str, Cell, bool]] = [
        ("estimate", _value("estimate", "coefficient"), True),
        ("std_error", lambda where, effect: std_error(where, effect.std_error), True),
        ("interval", lambda where, effect: interval(where, effect.conf_low), True),
        ("p", _value("p_value", "p_value"), True),
        ("percent", percent_cell, percent),
        ("percent_interval", percent_interval_cell, percent),
        ("truth", _value("truth", "coefficient"), truth),
        ("covers", covers_cell, truth),
        ("firms", _value("n_firms", "count"), True),
        ("treated", _value("n_treated", "count"), True),
        ("observations", _value("n_observations", "count"), True),
        ("clusters", _value("n_clusters", "count"), True),
        ("estimand", lambda where, effect: (Say("cell.estimand_short", at=where),), True),
    ]
    return [(name, cell) for name, cell, shown in rows if shown]


def _value(name: str, form: str) -> Cell:
    return lambda where, effect: (Value(where + pointer(name), form),)


def percent_cell(where: str, effect: EffectRecord) -> Phrase:
    """The effect in per cent, if the outcome is a logarithm."""
    steps = ("percent",) if effect.percent is None else ("percent", "estimate")
    return (Value(where + pointer(*steps), "percent"),)


def percent_interval_cell(where: str, effect: EffectRecord) -> Phrase:
    """Its interval."""
    if effect.percent is None:
        return (Value(where + pointer("percent"), "percent"),)
    return interval(where + pointer("percent"), effect.percent.conf_low, "cell.percent_interval", form="percent")


def covers_cell(where: str, effect: EffectRecord) -> Phrase:
    """Whether the interval covers the truth."""
    if effect.covers_truth is None:
        return (Value(where + pointer("covers_truth"), "text"),)
    return (Say("cell.covers", at=where),)


def _convention(effect: EffectRecord) -> Phrase:
    name = effect.estimator.name
    kind = effect.estimator.choices.get("covariance") or "clustered"
    return (Say(f"convention.{name}.{kind}", otherwise=(f"convention.{name}", "convention.other")),)


def has_forest(evaluation: Evaluation) -> bool:
    """Whether there is more than one estimate to compare."""
    return bool(evaluation.alternatives or evaluation.mechanisms)


def forest(evaluation: Evaluation) -> Blocks:
    """All estimates in one figure, each outcome in its own panel; the numbers of other outcomes in a table."""
    if not has_forest(evaluation):
        return []
    blocks: Blocks = [
        Heading((Say("forest.title"),), anchor="other-estimates"),
        Figure(name="forest", caption=caption("forest.caption", ""), alternative=(Say("forest.alternative"),)),
    ]
    others = mechanisms_of(evaluation, "")
    if not others:
        return blocks
    blocks.insert(1, Paragraph((Say("forest.lead"),)))
    keys = ("forest.outcome", "forest.role", "companion.method", "estimates.row_estimate", "estimates.row_interval")
    table: Table[Phrase] = Table(
        caption=caption("forest.caption_table", ""),
        columns=tuple((Say(key),) for key in (*keys, "estimates.row_percent", "estimates.row_firms")),
        rows=tuple(_other_row(evaluation, where, effect) for where, effect in others),
        annex=(Say("forest.details"),),
    )
    return [*blocks, table]


def _other_row(evaluation: Evaluation, where: str, effect: EffectRecord) -> tuple[Phrase, ...]:
    outcome = outcome_pointer(evaluation, effect, "")
    return (
        (Say("cell.outcome", at=outcome),),
        (Say("cell.role", at=outcome),),
        estimator_name(where + pointer("estimator"), effect.estimator),
        (Value(where + pointer("estimate"), "coefficient"),),
        interval(where, effect.conf_low),
        percent_cell(where, effect),
        (Value(where + pointer("n_firms"), "count"),),
    )
