"""Earlier base years: what is compared, what is flagged, what is quoted."""

from __future__ import annotations

import pytest

from sme_eval.checks.anticipation import AS_DECLARED, BUMP, MovedBase, check_anticipation
from sme_eval.results.unavailable import Unavailable

GONE = Unavailable("not possible with these years")


def row(key: str, estimate: float | Unavailable = 0.05, *, bump: bool = False, firms: int | None = 50) -> MovedBase:
    error = estimate if isinstance(estimate, Unavailable) else 0.02
    return MovedBase(key=key, estimate=estimate, std_error=error, n_treated=firms, bump=bump)


def test_flagged_rows_are_shown_and_not_counted() -> None:
    check = check_anticipation(row("headline"), [row("anticipation_1", 0.07), row("donut", 0.5, bump=True)])
    assert (check.passed, check.threat, check.reason, check.figure) == (None, "trends", "anticipation_compared", "intervals")
    assert check.numbers["largest"] == check.statistic == pytest.approx(0.02)
    assert check.table is not None
    assert [r.values["conditions"] for r in check.table.rows] == [AS_DECLARED, AS_DECLARED, BUMP]
    assert check.table.rows[1].values["difference"] == pytest.approx(0.02)
    assert check.table.rows[1].values["conf_low"] == pytest.approx(0.07 - 1.959963984540054 * 0.02)
    assert check.table.rows[1].n_firms == 50


def test_only_flagged_rows_are_said_to_be_biased() -> None:
    check = check_anticipation(row("headline"), [row("donut", 0.12, bump=True)])
    assert (check.reason, check.statistic) == ("anticipation_biased", None)
    assert check.numbers["largest"] == pytest.approx(0.07)


def test_small_rows_are_not_quoted_in_the_sentence() -> None:
    few = row("anticipation_2", 9.0, firms=9)
    assert check_anticipation(row("headline"), [row("anticipation_1", 0.06), few]).numbers["largest"] == pytest.approx(0.01)
    assert check_anticipation(row("headline"), [few]).reason == "anticipation_unknown"


def test_what_cannot_be_refitted_carries_its_reason() -> None:
    check = check_anticipation(row("headline"), [row("anticipation_1", GONE, firms=None)])
    assert (check.passed, check.reason, check.numbers) == (None, "anticipation_unknown", {})
    assert check.table is not None and check.table.rows[1].values["estimate"] == GONE
    assert set(check.table.rows[1].values) == set(check.table.columns)
