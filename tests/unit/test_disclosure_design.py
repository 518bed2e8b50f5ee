"""What surrounds a landmark design passes the gate: nothing computed from a withheld number stays, and no sum gives it back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sme_eval.evaluation.disclosure import THRESHOLD, WITHHELD, release, require_released
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_checks import CheckRecord
from sme_eval.results.unavailable import Unavailable
from tests.unit.landmark_record import landmark

GONE = Unavailable(WITHHELD)


def few_treated(evaluation: Evaluation) -> Evaluation:
    """The same record, resting on fewer treated firms than may be told."""
    few = THRESHOLD - 1
    headline = replace(evaluation.headline, n_treated=few)
    codings = (replace(evaluation.codings[0], effect=headline), *evaluation.codings[1:])
    return replace(
        evaluation,
        headline=headline,
        alternatives=tuple(replace(effect, n_treated=few) for effect in evaluation.alternatives),
        codings=codings,
    )


def test_large_samples_and_published_counts_stay() -> None:
    record = landmark()
    released = release(record)
    for name in ("power", "compared", "bracket", "codings"):
        assert getattr(released, name) == getattr(record, name)
    require_released(released)


def test_what_is_computed_from_a_withheld_effect_goes_with_it() -> None:
    released = release(few_treated(landmark()))
    row, bracket = released.power[0], released.bracket
    assert (row.std_error, row.detectable, row.detectable_percent, row.power_at_smallest, row.samples) == (GONE,) * 5
    assert released.power[1] == landmark().power[1]
    assert bracket is not None and bracket.hull_percent is not None
    assert (bracket.hull_low, bracket.hull_high, bracket.adjusted_low) == (GONE,) * 3
    assert (bracket.hull_percent.estimate, bracket.hull_percent.conf_low, bracket.hull_percent.conf_high) == (GONE,) * 3
    assert released.codings[0].effect == released.headline and released.headline.estimate == GONE
    assert released.codings[1].effect.estimate == landmark().codings[1].effect.estimate
    require_released(released)
    assert {entry.path for entry in released.withheld} >= {"/headline", "/power/0", "/bracket"}


def test_a_dating_with_few_treated_firms_is_withheld() -> None:
    record = landmark()
    asked, other = record.codings
    small = replace(record, codings=(asked, replace(other, effect=replace(other.effect, n_treated=THRESHOLD - 1))))
    released = release(small)
    assert released.codings[1].effect.estimate == GONE and released.codings[0] == asked
    require_released(released)


@pytest.mark.parametrize("name", ["n_treated", "n_listed", "n_later"])
def test_a_small_count_takes_the_comparison_of_every_cohort_with_it(name: str) -> None:
    record = landmark()
    rows = list(record.compared)
    rows[1] = replace(rows[1], **{name: 7})  # type: ignore[arg-type]
    released = release(replace(record, compared=tuple(rows)))
    assert getattr(released.compared[1], name) == GONE
    assert all((row.n_comparison, row.n_later) == (GONE, GONE) for row in released.compared)
    require_released(released)


def test_a_small_count_does_not_follow_from_the_others() -> None:
    """N = entering + comparison + listed before + entered earlier: with one row open, the small cell would be the remainder."""
    record = landmark()
    rows = list(record.compared)
    rows[1] = replace(rows[1], n_listed=7)
    released = release(replace(record, compared=tuple(rows)))
    for row in released.compared:
        unknown = sum(isinstance(getattr(row, name), Unavailable) for name in ("n_treated", "n_comparison", "n_listed"))
        assert unknown != 1 or not isinstance(row.n_listed, Unavailable)


def test_comparisons_that_differ_by_a_few_firms_are_withheld() -> None:
    record = landmark()
    first, second = record.compared
    assert isinstance(first.n_comparison, int)
    near = replace(second, n_comparison=first.n_comparison - (THRESHOLD - 1))
    released = release(replace(record, compared=(first, near)))
    assert all(row.n_comparison == GONE for row in released.compared)
    require_released(released)


def test_the_drift_goes_where_every_lead_went() -> None:
    record = landmark()
    study = record.event_study
    rows = tuple(replace(row, n_treated=3) if row.event_time <= study.last_lead else row for row in study.rows)
    drift = CheckRecord(
        name="drift", threat="trends", passed=True, reason="drift_small", numbers={"drift": 0.002, "reach": 0.01, "allowed": 0.015}
    )
    few = replace(record, event_study=replace(study, rows=rows), checks=(*record.checks, drift))
    released = release(few)
    assert released.bracket is not None
    assert (released.bracket.slope, released.bracket.reach, released.bracket.adjusted_low) == (GONE,) * 3
    assert released.bracket.hull_low == landmark().bracket.hull_low  # type: ignore[union-attr]
    assert released.checks[-1].numbers == {"drift": GONE, "reach": GONE, "allowed": 0.015}
    require_released(released)
