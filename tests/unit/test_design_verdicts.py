"""When the design checks pass, fail or say nothing: their rules on numbers made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sme_eval.checks.attrition import Survival, check_attrition
from sme_eval.checks.concurrent import OtherPolicy, check_concurrent
from sme_eval.checks.lapses import Lapsed, check_lapses
from sme_eval.checks.leave_one_out import check_leave_one_out
from sme_eval.checks.shifts import LARGEST_SHIFT, LeftOut, allowed_shift, shift_of, turns
from sme_eval.checks.spillovers import check_spillovers
from sme_eval.results.basis import Basis
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.lee_bounds import LeeBounds


def estimate(value: float, error: float, n_treated: int = 100) -> Estimate:
    basis = Basis(n_firms=1000, n_observations=9000, n_clusters=1000, convention="")
    return Estimate.from_basis("", value, error, basis, n_treated)


def left(value: float, error: float, out: int, key: str = "a", treated: int = 80) -> LeftOut:
    return LeftOut(key=key, estimate=estimate(value, error, treated), n_treated=out, n_firms=10 * max(out, 1))


def test_shift_of_a_part_is_the_variance_of_the_difference() -> None:
    """A mean of 100 against that of 80 of them: the difference has variance se²·0.2/0.8, by simulation too (2 % error of an sd)."""
    assert shift_of(estimate(1.0, 0.1), left(1.1, 0.1, 20)) == pytest.approx(0.1 / (0.1 * np.sqrt(0.25)))
    draws = np.random.default_rng(0).standard_normal((3000, 100))
    apart = (draws[:, :80].mean(axis=1) - draws.mean(axis=1)).std()
    assert apart == pytest.approx(0.1 * np.sqrt(0.25), rel=0.05)
    # Hausman's is taken where larger; without treated firms left out and without it, the headline's own error.
    assert shift_of(estimate(1.0, 0.1), left(1.1, 0.2, 20)) == pytest.approx(0.1 / np.sqrt(0.03))
    assert shift_of(estimate(1.0, 0.1), left(1.1, 0.1, 0)) == pytest.approx(1.0)


def test_several_exclusions_are_allowed_more() -> None:
    assert allowed_shift(1) == LARGEST_SHIFT
    assert allowed_shift(12) == pytest.approx(2.8578, abs=1e-3)


def test_only_an_estimate_told_from_zero_can_turn() -> None:
    assert turns(estimate(1.0, 0.1), left(-0.1, 0.1, 20))
    assert not turns(estimate(0.1, 0.1), left(-0.1, 0.1, 20))


def test_leave_one_out_verdicts() -> None:
    stable = [left(1.02, 0.11, 20, "a"), left(0.98, 0.11, 20, "b")]
    assert check_leave_one_out("district", estimate(1.0, 0.1), stable).passed is True
    moved = check_leave_one_out("district", estimate(1.0, 0.1), [*stable, left(1.6, 0.11, 20, "c")])
    assert (moved.passed, moved.numbers["n_moved"]) == (False, 1)
    alone = check_leave_one_out("district", estimate(1.0, 0.1), stable[:1])
    assert (alone.passed, alone.reason) == (None, "leave_one_out_unknown")
    small = LeftOut(key="s", estimate=estimate(2.0, 0.1, 97), n_treated=3, n_firms=30)
    told = check_leave_one_out("district", estimate(1.0, 0.1), [*stable, small])
    assert told.passed is False and told.numbers["highest"] == pytest.approx(1.02)
    gone = LeftOut(key="g", estimate=Unavailable("gone"), n_treated=20, n_firms=30)
    assert check_leave_one_out("district", estimate(1.0, 0.1), [*stable, gone]).numbers["n_units"] == 2


def test_concurrent_verdicts() -> None:
    stay = OtherPolicy(without=left(1.02, 0.11, 20), share_treated=0.2, share_comparison=0.1)
    go = OtherPolicy(without=left(1.6, 0.11, 20), share_treated=0.2, share_comparison=0.4)
    assert check_concurrent(estimate(1.0, 0.1), [stay]).passed is True
    both = check_concurrent(estimate(1.0, 0.1), [stay, go])
    assert (both.passed, both.numbers["most_more"]) == (False, pytest.approx(-0.2))
    few = OtherPolicy(without=left(1.02, 0.11, 3), share_treated=0.03, share_comparison=0.0)
    assert check_concurrent(estimate(1.0, 0.1), [few]).reason == "concurrent_stable_few"
    gone = OtherPolicy(
        without=LeftOut(key="g", estimate=Unavailable("gone"), n_treated=9, n_firms=30), share_treated=0.2, share_comparison=0.1
    )
    assert check_concurrent(estimate(1.0, 0.1), [gone]).passed is None


def test_spillover_verdicts() -> None:
    headline, same, other = estimate(1.0, 0.1), left(1.05, 0.1, 0), left(1.3, 0.1, 0)
    assert check_spillovers(headline, same, estimate(0.01, 0.1)).passed is True
    assert check_spillovers(headline, same, estimate(0.5, 0.1)).passed is False
    assert check_spillovers(headline, other, estimate(0.01, 0.1)).reason == "spillovers_moves"
    assert check_spillovers(headline, same, Unavailable("gone")).reason == "spillovers_unknown"


def survival(share: float, n_left: int, half: float = 0.005) -> Survival:
    return Survival(
        time=2,
        share_treated=1.0 - n_left / 100,
        share_comparison=share,
        conf_low=1.0 - n_left / 100 - share - half,
        conf_high=1.0 - n_left / 100 - share + half,
        n_treated=100,
        n_left=n_left,
    )


def bounds(low: float, high: float) -> LeeBounds:
    return LeeBounds(
        untrimmed=1.0, lower=low, upper=high, lower_error=0.1, upper_error=0.1, conf_low=low - 0.2, conf_high=high + 0.2
    )


def test_attrition_verdicts() -> None:
    told, untold = estimate(1.0, 0.1), estimate(0.1, 0.1)
    assert check_attrition(told, [survival(1.0, 0)], Unavailable("")).reason == "attrition_none"
    assert check_attrition(told, [survival(0.8, 20)], bounds(0.9, 1.1)).passed is True
    assert check_attrition(told, [survival(0.6, 20)], bounds(0.2, 1.9)).passed is None
    assert check_attrition(told, [survival(0.6, 20)], bounds(-0.2, 1.9)).passed is False
    assert check_attrition(untold, [survival(0.6, 20)], bounds(-0.2, 1.9)).passed is None
    quiet = check_attrition(told, [survival(0.97, 3)], bounds(0.9, 1.1))
    assert (quiet.reason, dict(quiet.numbers), quiet.statistic) == ("attrition_few", {}, None)
    assert quiet.table is not None and all(row.n_firms == 3 for row in quiet.table.rows)


def test_lapse_verdicts() -> None:
    headline, other = estimate(1.0, 0.1), estimate(1.1, 0.1)
    assert check_lapses(headline, other, Lapsed(share=0.0, n_firms=0)).reason == "lapses_none"
    few = check_lapses(headline, other, Lapsed(share=0.01, n_firms=4))
    assert (few.reason, dict(few.numbers)) == ("lapses_few", {})
    assert check_lapses(headline, other, Lapsed(share=0.1, n_firms=40)).numbers["until_lapse"] == 1.1
