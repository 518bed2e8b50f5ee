"""The disclosure gate: the only door from internal to released.

Rules of this first gate (defaults of the field: acro 1.0, UK LLC, Eurostat's handbook):

1. *threshold*: a number that rests on fewer than `THRESHOLD` firms is withheld. Counts that the bureau itself published are public;
   what was estimated from them is not.
2. *complementary*: where a released total would give a withheld cell back by subtraction, the next smallest cell goes too.
3. *degrees of freedom*: an estimate with fewer than `THRESHOLD` clusters beyond its one parameter is withheld.
4. *small steps*: a step of the sample flow that dropped fewer than `THRESHOLD` firms is told together with the next.
5. *samples alike*: of two specifications whose samples differ by fewer than `THRESHOLD` firms, one is withheld (as complementary).

What was withheld is listed by place, rule and number, never by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sme_eval.errors import DisclosureError, Problem
from sme_eval.results.unavailable import Unavailable

from .disclosure_base import THRESHOLD, WITHHELD, Log, hide, hide_effect
from .disclosure_bundle import release_bundle
from .disclosure_checks import release_checks
from .disclosure_curve import release_curve
from .disclosure_design import release_design
from .disclosure_dose import release_dose
from .disclosure_listing import release_listing
from .disclosure_value import release_value
from .record import CohortMapRecord, CohortRecord, Evaluation, EventStudyRecord, EventTimeRecord, FlowRecord
from .record_base import Count

__all__ = ["THRESHOLD", "WITHHELD", "release", "require_released"]


def release(evaluation: Evaluation) -> Evaluation:
    """The copy of an internal evaluation that may leave the house."""
    log = Log(frozenset(evaluation.policy.published_counts))
    released = replace(
        evaluation,
        audience="release",
        headline=hide_effect(evaluation.headline, "/headline", log),
        alternatives=tuple(hide_effect(e, f"/alternatives/{n}", log) for n, e in enumerate(evaluation.alternatives)),
        mechanisms=tuple(hide_effect(e, f"/mechanisms/{n}", log) for n, e in enumerate(evaluation.mechanisms)),
        event_study=_event_study(evaluation.event_study, log),
        cohort_map=_cohort_map(evaluation.cohort_map, log),
        sample_flow=_flow(evaluation.sample_flow, log),
        companions=tuple(release(other) for other in evaluation.companions),
    )
    released = release_design(release_bundle(release_listing(release_dose(released, log), log), log), log)
    released = release_curve(released, log)
    released = release_value(release_checks(released, log), log)
    return replace(released, withheld=tuple(log.entries))


def require_released(evaluation: Evaluation) -> None:
    """Refuse a record that claims to be released but would still be changed by the gate."""
    again = replace(release(replace(evaluation, audience="internal")), withheld=evaluation.withheld)
    companions = tuple(replace(a, withheld=b.withheld) for a, b in zip(again.companions, evaluation.companions, strict=True))
    if evaluation.audience != "release" or replace(again, companions=companions) != evaluation:
        raise DisclosureError(
            Problem(
                what="This record has not passed the disclosure gate.",
                where=evaluation.slug,
                remedy="make the released copy with sme_eval.evaluation.disclosure.release",
            )
        )


def _withheld_positions(counts: Sequence[int], totalled: Sequence[bool]) -> tuple[set[int], set[int]]:
    """(too small, withheld besides because a total would give the small ones back).

    Cells in `totalled` enter a released total. If those withheld hold fewer than THRESHOLD firms together, the next smallest
    goes too.
    """
    small = {j for j, n in enumerate(counts) if n < THRESHOLD}
    inside = [j for j in small if totalled[j]]
    also: set[int] = set()
    if inside and sum(counts[j] for j in inside) < THRESHOLD:
        rest = [j for j, t in enumerate(totalled) if t and j not in small]
        also = {min(rest, key=lambda j: counts[j])} if rest else set()
    return small, also


def _event_study(study: EventStudyRecord, log: Log) -> EventStudyRecord:
    counts = [row.n_treated if isinstance(row.n_treated, int) else 0 for row in study.rows]
    small, also = _withheld_positions(counts, [row.event_time >= 0 for row in study.rows])
    names = ("estimate", "std_error", "conf_low", "conf_high", "band_low", "band_high")

    def treat(j: int, row: EventTimeRecord) -> EventTimeRecord:
        if (j not in small and j not in also) or row.is_reference:
            return _count_only(row, f"/event_study/rows/{j}", log)
        hidden, count = hide(row, names)
        log.add(f"/event_study/rows/{j}", "threshold" if j in small else "complementary", count)
        return _count_only(hidden, f"/event_study/rows/{j}", log)

    return replace(study, rows=tuple(treat(j, row) for j, row in enumerate(study.rows)))


def _count_only(row: EventTimeRecord, path: str, log: Log) -> EventTimeRecord:
    if not log.small(row.n_treated if isinstance(row.n_treated, int) else None):
        return row
    log.add(path, "threshold", 1)
    return replace(row, n_treated=Unavailable(WITHHELD))


def _cohort_map(cohorts: CohortMapRecord, log: Log) -> CohortMapRecord:
    counts = [c.n_firms if isinstance(c.n_firms, int) else 0 for c in cohorts.cohorts]
    small, also = _withheld_positions(counts, [True] * len(counts))
    rows = []
    for j, cohort in enumerate(cohorts.cohorts):
        path, row = f"/cohort_map/cohorts/{j}", cohort
        if j in small or j in also:
            row, count = hide(row, ("estimate", "std_error", "conf_low", "conf_high"))
            log.add(path, "threshold" if j in small else "complementary", count)
        rows.append(_cohort_counts(row, path, log))
    never = _counts((cohorts.n_never_treated, *cohorts.never_observed), "/cohort_map/never_observed", log)
    return replace(cohorts, cohorts=tuple(rows), n_never_treated=never[0], never_observed=never[1:])


def _cohort_counts(row: CohortRecord, path: str, log: Log) -> CohortRecord:
    counts = _counts((row.n_firms, *row.observed), f"{path}/observed", log)
    return replace(row, n_firms=counts[0], observed=counts[1:])


def _counts(counts: Sequence[Count], path: str, log: Log) -> tuple[Count, ...]:
    """Small counts withheld; so are counts that differ from the cohort's size by fewer than THRESHOLD firms."""
    size = counts[0] if isinstance(counts[0], int) else 0
    hidden: list[Count] = []
    for n in counts:
        gap = isinstance(n, int) and 0 < size - n < THRESHOLD
        hidden.append(Unavailable(WITHHELD) if log.small(n if isinstance(n, int) else None) or gap else n)
    log.add(path, "threshold", sum(a is not b for a, b in zip(hidden, counts, strict=True)))
    return tuple(hidden)


def _flow(steps: tuple[FlowRecord, ...], log: Log) -> tuple[FlowRecord, ...]:
    """Steps that dropped few firms are told together with their neighbours, so that no difference names them."""
    kept: list[FlowRecord] = []
    for step in steps:
        dropped = step.dropped_firms
        if kept and isinstance(dropped, int) and 0 < dropped < THRESHOLD:
            log.add("/sample_flow", "small_steps", 1)
            kept[-1] = (
                _together(kept[-1], step) if len(kept) > 1 else replace(step, rule="rows_kept", dropped_firms=0, dropped_rows=0)
            )
        else:
            kept.append(step)
    return tuple(kept)


def _together(first: FlowRecord, second: FlowRecord) -> FlowRecord:
    return replace(
        second,
        rule="rows_kept",
        dropped_firms=_add(first.dropped_firms, second.dropped_firms),
        dropped_rows=_add(first.dropped_rows, second.dropped_rows),
    )


def _add(a: Count, b: Count) -> Count:
    return a + b if isinstance(a, int) and isinstance(b, int) else Unavailable(WITHHELD)
