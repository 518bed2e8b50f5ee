"""Placebo dates: Holm's adjustment, which dates count, and what the verdict is."""

from __future__ import annotations

import pytest
from scipy import stats

from sme_eval.checks.placebo_timing import PLACEBO_ALPHA, PlaceboDate, check_placebo_timing
from sme_eval.results.unavailable import Unavailable

GONE = Unavailable("not possible with these years")


def date(years: int, z: float | None, *, within: bool = False, firms: int | None = 100) -> PlaceboDate:
    if z is None:
        return PlaceboDate(years=years, estimate=GONE, std_error=GONE, n_treated=None, within_growth=within)
    return PlaceboDate(years=years, estimate=0.01 * z, std_error=0.01, n_treated=firms, within_growth=within)


def p(z: float) -> float:
    return float(2 * stats.norm.sf(abs(z)))


def test_holm_by_hand() -> None:
    check = check_placebo_timing([date(2, 2.1), date(3, -2.5), date(4, 0.3)])
    assert check.table is not None
    shown = [row.values["p_value_adjusted"] for row in check.table.rows]
    first = 3 * p(2.5)
    assert shown == pytest.approx([max(first, 2 * p(2.1)), first, max(first, 2 * p(2.1), p(0.3))])
    assert (check.passed, check.reason) == (False, "placebo_timing_rejected")
    assert check.statistic == check.numbers["p_value"] == pytest.approx(first)


def test_one_rejection_among_several_needs_the_adjusted_level() -> None:
    just = float(stats.norm.isf(PLACEBO_ALPHA / 2 / 3))
    assert check_placebo_timing([date(2, just + 0.01), date(3, 0.0), date(4, 0.0)]).passed is False
    assert check_placebo_timing([date(2, just - 0.01), date(3, 0.0), date(4, 0.0)]).passed is True


def test_dates_in_the_growth_window_and_small_ones_do_not_count() -> None:
    check = check_placebo_timing([date(2, 9.0, within=True), date(3, 9.0, firms=9), date(4, 1.0)])
    assert (check.passed, check.numbers["dates"]) == (True, 1)
    assert check.table is not None
    assert [row.values["conditions"] for row in check.table.rows] == ["within_growth_window", "few_firms", "counted"]
    assert [row.values["p_value_adjusted"] for row in check.table.rows] == [None, None, pytest.approx(p(1.0))]


@pytest.mark.parametrize("dates", [[], [date(2, 9.0, within=True)], [date(2, None), date(3, None)]])
def test_without_a_date_nothing_is_decided(dates: list[PlaceboDate]) -> None:
    check = check_placebo_timing(dates)
    assert (check.passed, check.reason, check.numbers) == (None, "placebo_timing_impossible", {})
