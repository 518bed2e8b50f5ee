"""The gate for what surrounds a design: power, who is compared with whom, the bracket, other datings, natural units.

What is computed from a withheld effect is withheld with it: its power, and the hull that its interval enters. The counts of a
cohort add up to the sample's firms, so a small one takes the comparison's counts of every cohort with it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from sme_eval.results.unavailable import Unavailable

from .disclosure_base import THRESHOLD, WITHHELD, Log, hide, hide_effect
from .record import Evaluation
from .record_base import Count, IntervalRecord
from .record_checks import CheckRecord
from .record_reading import NaturalRecord
from .record_sections import BracketRecord, CodingRecord, ComparedRecord, PowerRecord

DRIFT = ("slope", "slope_error", "reach")
"""What a bracket says about the leads, by field."""
DRIFT_NUMBERS = ("drift", "std_error", "reach", "conf_low", "conf_high")
"""The same as numbers of the check of the drift."""
FROM_LEADS = ("drift", "pretrend_power")
"""Checks whose numbers are made of the leads."""


def release_design(evaluation: Evaluation, log: Log) -> Evaluation:
    """The evaluation, whose effects have passed the gate, with these parts passed through it too."""
    untold = _leads_withheld(evaluation)
    return replace(
        evaluation,
        power=tuple(_power(row, evaluation, f"/power/{n}", log) for n, row in enumerate(evaluation.power)),
        compared=_compared(evaluation.compared, log),
        bracket=None if evaluation.bracket is None else _bracket(evaluation.bracket, evaluation, untold, log),
        codings=tuple(_coding(coding, evaluation, f"/codings/{n}/effect", log) for n, coding in enumerate(evaluation.codings)),
        checks=tuple(_drift(check, log) if untold and check.name in FROM_LEADS else check for check in evaluation.checks),
        natural=None if evaluation.natural is None else _natural(evaluation.natural, evaluation, log),
    )


def _withheld(value: object) -> bool:
    return isinstance(value, Unavailable) and value.reason == WITHHELD


def _power(row: PowerRecord, evaluation: Evaluation, path: str, log: Log) -> PowerRecord:
    """Without numbers where the standard error that they come from was withheld."""
    bundle = evaluation.bundle
    errors = {effect.key: effect.std_error for effect in (evaluation.headline, *evaluation.mechanisms)}
    errors |= {} if bundle is None else {part.name: part.std_error for part in (*bundle.parts, *bundle.sums)}
    if not _withheld(errors.get(row.key)):
        return row
    hidden, count = hide(row, ("std_error", "detectable", "power_at_smallest", "samples"))
    log.add(path, "threshold", count)
    return replace(hidden, detectable_percent=None if row.detectable_percent is None else Unavailable(WITHHELD))


def _compared(rows: tuple[ComparedRecord, ...], log: Log) -> tuple[ComparedRecord, ...]:
    """Small counts, and where there is one, the comparison's counts of every cohort, from which it would follow."""
    small = [[name for name in ("n_treated", "n_listed", "n_later") if log.small(getattr(row, name))] for row in rows]
    apart = _few_apart([row.n_comparison for row in rows]) or any(_few_apart([row.n_comparison, row.n_later]) for row in rows)
    released = []
    for n, (row, names) in enumerate(zip(rows, small, strict=True)):
        hidden, count = hide(row, names)
        log.add(f"/compared/{n}", "threshold", count)
        if apart or any(small):
            hidden, count = hide(hidden, ("n_comparison", "n_later"))
            log.add(f"/compared/{n}", "complementary", count)
        released.append(hidden)
    return tuple(released)


def _few_apart(counts: Sequence[Count]) -> bool:
    """Whether two counts differ by a few firms, which their difference would name."""
    known = sorted(n for n in counts if isinstance(n, int))
    return any(0 < b - a < THRESHOLD for a, b in itertools.pairwise(known))


def _bracket(bracket: BracketRecord, evaluation: Evaluation, untold: bool, log: Log) -> BracketRecord:
    """Without the hull where one of its intervals was withheld, without the drift where its leads were."""
    gone = _hull_withheld(bracket, evaluation)
    names = (
        *(("hull_low", "hull_high") if gone else ()),
        *(DRIFT if untold else ()),
        *(("adjusted_low",) if gone or untold else ()),
    )
    hidden, count = hide(bracket, names)
    log.add("/bracket", "threshold", count)
    if gone and bracket.hull_percent is not None:
        missing = Unavailable(WITHHELD)
        hidden = replace(hidden, hull_percent=IntervalRecord(estimate=missing, conf_low=missing, conf_high=missing))
    return hidden


def _hull_withheld(bracket: BracketRecord, evaluation: Evaluation) -> bool:
    """Whether one of the intervals that the hull spans was withheld."""
    ends = (evaluation.headline.conf_low, evaluation.alternatives[bracket.unconditional].conf_low)
    return any(_withheld(end) for end in ends)


def _natural(natural: NaturalRecord, evaluation: Evaluation, log: Log) -> NaturalRecord:
    """Without numbers where the headline was withheld or the base rests on few firms; without the hull where that was."""
    gone = isinstance(natural.base_n_firms, Unavailable) or natural.base_n_firms < THRESHOLD
    gone = gone or _withheld(evaluation.headline.estimate)
    hull = evaluation.bracket is not None and _hull_withheld(evaluation.bracket, evaluation)
    names = [*(("base", "estimate", "conf_low", "conf_high") if gone else ())]
    names += ["base_n_firms"] if log.small(natural.base_n_firms) else []
    names += [name for name in ("hull_low", "hull_high") if (gone or hull) and getattr(natural, name) is not None]
    hidden, count = hide(natural, names)
    log.add("/natural", "threshold", count)
    return hidden


def _leads_withheld(evaluation: Evaluation) -> bool:
    """Whether no lead that speaks to trends is left: the drift is made of them."""
    study = evaluation.event_study
    leads = [row.estimate for row in study.rows if row.event_time <= study.last_lead and not row.is_reference]
    return any(_withheld(lead) for lead in leads) and all(isinstance(lead, Unavailable) for lead in leads)


def _coding(coding: CodingRecord, evaluation: Evaluation, path: str, log: Log) -> CodingRecord:
    """The asked dating is the headline itself, withheld and listed there."""
    effect = evaluation.headline if coding.asked else hide_effect(coding.effect, path, log)
    return replace(coding, effect=effect)


def _drift(check: CheckRecord, log: Log) -> CheckRecord:
    names = DRIFT_NUMBERS if check.name == "drift" else tuple(check.numbers)
    told = {name for name in names if name in check.numbers and not isinstance(check.numbers[name], Unavailable)}
    log.add("/bracket", "threshold", len(told))
    numbers = {n: Unavailable(WITHHELD) if n in told else value for n, value in check.numbers.items()}
    return replace(check, numbers=numbers, statistic=Unavailable(WITHHELD) if told else check.statistic)
