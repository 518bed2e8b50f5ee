"""The gate for checks: small rows, rows that would give them back, and what the sentence quotes of either."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.evaluation.disclosure import THRESHOLD, WITHHELD, release, require_released
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_checks import CheckRecord, CheckRowRecord, CheckTableRecord
from sme_eval.results.unavailable import Unavailable
from tests import factories
from tests.unit.landmark_record import landmark

GONE = Unavailable(WITHHELD)


def forest(sizes: tuple[int, ...], **numbers: float) -> CheckRecord:
    """One row of an effect per group of so many firms; the effect of the n-th is 0.01 n."""
    rows = tuple(
        factories.row(f"group {n}", size, estimate=0.01 * n, conf_low=-0.5, conf_high=0.5 + n, n_treated=size, year=2019)
        for n, size in enumerate(sizes)
    )
    table = CheckTableRecord(columns=("estimate", "conf_low", "conf_high", "n_treated", "year"), rows=rows)
    return CheckRecord(
        name="groups", threat="heterogeneity", passed=None, reason="groups", numbers=numbers, table=table, figure="intervals"
    )


def with_check(check: CheckRecord, treated: int = 283) -> Evaluation:
    record = factories.simulated()
    return replace(record, headline=replace(record.headline, n_treated=treated), checks=(*record.checks[:1], check))


def released_rows(check: CheckRecord, treated: int = 283) -> tuple[CheckRowRecord, ...]:
    released = release(with_check(check, treated))
    require_released(released)
    require_released(Evaluation.from_json(released.to_json()))
    table = released.checks[1].table
    assert table is not None
    return table.rows


def test_rows_on_enough_firms_stay_as_they_are() -> None:
    check = forest((100, 120, 63), lowest=0.0, highest=0.02)
    assert release(with_check(check)).checks[1] == check


def test_a_small_row_takes_the_next_smallest_where_they_add_up() -> None:
    rows = released_rows(forest((100, 5, 60, 118)))
    told = [not isinstance(row.values["estimate"], Unavailable) for row in rows]
    assert told == [True, False, False, True]
    assert rows[1].values["year"] == 2019 and rows[1].n_firms == GONE and rows[1].values["n_treated"] == GONE
    rules = {w.path: w.rule for w in release(with_check(forest((100, 5, 60, 118)))).withheld if w.path.startswith("/checks")}
    assert rules == {"/checks/1/table/rows/1": "threshold", "/checks/1/table/rows/2": "complementary"}


def test_a_small_row_beside_rows_of_other_firms_goes_alone() -> None:
    """Two groups that are no partition of the treated: no subtraction gives the small one back."""
    rows = released_rows(forest((200, 5, 150)))
    assert [isinstance(row.n_firms, Unavailable) for row in rows] == [False, True, False]


def test_two_groupings_in_one_table_are_looked_at_one_by_one() -> None:
    rows = released_rows(forest((275, 8, 90, 93, 100)))
    assert [isinstance(row.n_firms, Unavailable) for row in rows] == [True, True, False, False, False]


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 60), min_size=2, max_size=7), before=st.lists(st.integers(61, 99), max_size=2))
def test_no_withheld_row_follows_from_the_total(sizes: list[int], before: list[int]) -> None:
    """Whatever the partition: none is withheld, or at least two that hold enough firms together, or all are."""
    rows = released_rows(forest((*before, *sizes)), treated=sum(sizes)) if sum(sizes) >= THRESHOLD else ()
    gone = [n for n, row in zip(sizes, rows[len(before) :], strict=False) if isinstance(row.n_firms, Unavailable)]
    if gone and len(gone) < len(sizes):
        assert len(gone) >= 2 and sum(gone) >= THRESHOLD


def test_what_the_sentence_quotes_of_a_withheld_row_goes_with_it() -> None:
    check = replace(forest((100, 5, 60, 118), lowest=0.0, second=0.02, largest=0.03, n_groups=4), statistic=0.01)
    released = release(with_check(check)).checks[1]
    assert dict(released.numbers) == {"lowest": 0.0, "second": GONE, "largest": 0.03, "n_groups": 4}
    assert released.statistic == GONE


def test_small_counts_of_a_sentence_and_of_other_rows_go() -> None:
    check = replace(forest((100, 120, 63)), numbers={"smallest": 7, "n_entrants": 3, "n_clusters": 3})
    released = release(with_check(check)).checks[1]
    assert dict(released.numbers) == {"smallest": GONE, "n_entrants": GONE, "n_clusters": 3}


def test_published_counts_stay_and_their_effects_go() -> None:
    record = with_check(forest((100, 5, 60, 118)))
    record = replace(record, policy=replace(record.policy, published_counts=(5, 60)))
    table = release(record).checks[1].table
    assert table is not None
    assert [(row.values["n_treated"], row.values["estimate"]) for row in table.rows[1:3]] == [(5, GONE), (60, GONE)]


@pytest.mark.parametrize("check", factories.checks_with_figures(), ids=lambda check: check.name)
def test_a_withheld_headline_takes_every_effect_of_the_checks(check: CheckRecord) -> None:
    released = release(with_check(check, treated=THRESHOLD - 1))
    require_released(released)
    found = released.checks[1]
    assert released.headline.estimate == GONE and found.reason == check.reason and found.passed is check.passed
    assert not [value for value in found.numbers.values() if isinstance(value, float)]
    assert found.table is not None and not isinstance(found.statistic, float)
    numbers = [v for row in found.table.rows for name, v in row.values.items() if name != "bound" and isinstance(v, float)]
    assert numbers == []
    text = released.to_json()
    hidden = [v for row in check.table.rows for v in row.values.values() if isinstance(v, float)] if check.table else []
    assert [value for value in hidden if len(repr(value)) > 7 and repr(value) in text] == []


def test_the_statistic_of_a_withheld_drift_goes() -> None:
    record = factories.simulated()
    study = replace(record.event_study, last_lead=-2)
    rows = tuple(replace(row, n_treated=3) if row.event_time <= -2 else row for row in study.rows)
    drift = CheckRecord(
        name="drift", threat="trends", passed=True, reason="drift_small", numbers={"drift": 0.002, "reach": 0.01}, statistic=0.01
    )
    few = replace(landmark(), event_study=replace(study, rows=rows), checks=(drift,))
    assert release(few).checks[0].statistic == GONE
