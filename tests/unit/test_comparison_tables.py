"""Comparison groups and forbidden comparisons: what their sentences quote, and the weights of the decomposition."""

from __future__ import annotations

import pytest

from sme_eval.checks.comparison_groups import GroupSide, check_comparison_groups
from sme_eval.checks.forbidden import TwoByTwo, check_forbidden
from sme_eval.checks.side_by_side import Side
from sme_eval.results.unavailable import Unavailable


def group(key: str, estimate: float | None, future: bool = False) -> GroupSide:
    if estimate is None:
        return GroupSide(side=Side(key=key, estimate=Unavailable("not identified: none")), future=future, note="as_of_entry")
    side = Side(key=key, estimate=estimate, std_error=0.01, n_treated=50, n_comparison=12)
    return GroupSide(side=side, future=future, note="chosen_later" if future else "as_of_entry")


def test_groups_say_how_far_they_are_and_which_look_ahead() -> None:
    check = check_comparison_groups((group("a", 0.05), group("b", 0.04), group("c", 0.09, True), group("d", None, True)), 0.95)
    assert check.passed is None and check.reason == "groups_compared" and check.statistic == pytest.approx(0.04)
    assert check.numbers == pytest.approx({"n_groups": 2, "n_future": 1, "apart": 0.04, "apart_past": 0.01})
    assert check.table is not None
    conditions = [row.values["conditions"] for row in check.table.rows]
    assert conditions == ["on_the_past", "on_the_past", "on_the_future", "on_the_future"]
    assert check.table.rows[0].n_firms == 12 and isinstance(check.table.rows[3].values["estimate"], Unavailable)


def test_groups_that_all_look_ahead_or_are_not_there() -> None:
    assert check_comparison_groups((group("a", 0.05), group("c", 0.09, True)), 0.9).reason == "groups_all_future"
    alone = check_comparison_groups((group("a", 0.05), group("b", None)), 0.9)
    assert alone.reason == "groups_alone" and alone.numbers == {} and alone.statistic is None


PAIRS = [TwoByTwo(kind="never", weight=0.7, estimate=0.2), TwoByTwo(kind="earlier", weight=0.2, estimate=0.1)]
LATER = [TwoByTwo(kind="later", weight=0.04, estimate=0.5), TwoByTwo(kind="later", weight=0.06, estimate=-0.5)]


def test_the_share_of_forbidden_comparisons_decides_and_estimates_are_averaged_by_weight() -> None:
    check = check_forbidden({"all": (PAIRS + LATER, 80), "treated": (LATER, 80)})
    assert check.reason == "forbidden_large" and check.passed is None and check.statistic == pytest.approx(0.1)
    assert check.table is not None
    rows = {row.key: row.values for row in check.table.rows}
    assert rows["all_later"] == pytest.approx({"share_weight": 0.1, "estimate": -0.1, "n_pairs": 2})
    small = check_forbidden({"all": (PAIRS + LATER[:1], 80), "treated": (LATER, 80)})
    assert small.reason == "forbidden_small" and small.numbers["share_treated"] == pytest.approx(0.1)


def test_one_cohort_and_panels_that_cannot_be_decomposed() -> None:
    assert check_forbidden({"all": (PAIRS[:1], 80)}).reason == "forbidden_one_cohort"
    assert check_forbidden({"all": (LATER, 80)}).reason == "forbidden_large_alone"
    nothing = check_forbidden({})
    assert nothing.reason == "forbidden_unknown" and nothing.numbers == {} and nothing.table is None
