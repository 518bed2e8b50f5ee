"""Lee's bounds: by hand, against sorting and cutting, with a known truth, and the interval of a set."""

from __future__ import annotations

import numpy as np
import pytest

from sme_eval.stats.lee_bounds import SurvivalCell, imbens_manski, lee_bounds, trimmed_mean


def cell(treated: list[float], comparison: list[float], time: int = 0) -> SurvivalCell:
    """Changes of treated, then of comparison units; NaN for who left."""
    change = np.array([*treated, *comparison])
    first = np.arange(len(change)) < len(treated)
    return SurvivalCell(time=time, treated=first, comparison=~first, change=change)


GONE = float("nan")


def test_by_hand() -> None:
    """Treated: 4 of 4 stay (1, 2, 3, 10); comparison: 3 of 4 stay (0, 1, 2). q = 1/4 of the treated go: mean 2 or 5, less 1."""
    found = lee_bounds([cell([1, 2, 3, 10], [0, 1, 2, GONE])], np.random.default_rng(0), draws=20)
    assert (found.untrimmed, found.lower, found.upper) == pytest.approx((3.0, 1.0, 4.0))


def test_the_comparison_is_trimmed_where_it_has_more_survivors() -> None:
    """Treated: 2 of 4 stay (4, 6); comparison: 4 of 4 (0, 1, 2, 9). Half of the comparison goes: mean 0.5 or 5.5, from 5."""
    found = lee_bounds([cell([4, 6, GONE, GONE], [0, 1, 2, 9])], np.random.default_rng(0), draws=20)
    assert (found.untrimmed, found.lower, found.upper) == pytest.approx((2.0, 5.0 - 5.5, 5.0 - 0.5))


def test_no_difference_in_survival_leaves_a_point() -> None:
    found = lee_bounds([cell([1, 2, GONE], [0, 5, GONE])], np.random.default_rng(0), draws=20)
    assert found.lower == found.upper == found.untrimmed == pytest.approx(-1.0)


def test_cells_are_pooled_by_treated_units_and_times_averaged() -> None:
    a, b = cell([1, 1, 1], [0, 0, 0, GONE]), cell([5], [0, 0, 0, 0, 0, GONE])
    both = SurvivalCell(
        time=0,
        treated=np.r_[a.treated, np.zeros(7, dtype=bool)],
        comparison=np.r_[a.comparison, np.zeros(7, dtype=bool)],
        change=np.r_[a.change, np.zeros(7)],
    )
    other = SurvivalCell(
        time=0,
        treated=np.r_[np.zeros(7, dtype=bool), b.treated],
        comparison=np.r_[np.zeros(7, dtype=bool), b.comparison],
        change=np.r_[np.zeros(7), b.change],
    )
    later = SurvivalCell(time=1, treated=both.treated, comparison=both.comparison, change=both.change + 4.0 * both.treated)
    found = lee_bounds([both, other, later], np.random.default_rng(0), draws=20)
    assert found.untrimmed == pytest.approx(((3 * 1 + 1 * 5) / 4 + 5.0) / 2)


def test_trimming_equals_sorting_and_cutting() -> None:
    rng = np.random.default_rng(3)
    values = rng.standard_normal(40)
    ordered = np.sort(values)
    assert trimmed_mean(values, np.ones(40), 0.25, top=True) == pytest.approx(ordered[:30].mean())
    assert trimmed_mean(values, np.ones(40), 0.25, top=False) == pytest.approx(ordered[10:].mean())
    counts = rng.integers(1, 4, 40)
    repeated = np.sort(np.repeat(values, counts))
    cut = repeated[: len(repeated) - 7]
    assert trimmed_mean(values, counts.astype(float), 7 / len(repeated), top=True) == pytest.approx(cut.mean())
    both = lee_bounds([cell([*values], [*rng.standard_normal(30), *[GONE] * 10])], np.random.default_rng(0), draws=20)
    assert both.upper - both.lower == pytest.approx(ordered[10:].mean() - ordered[:30].mean())


def test_truth_lies_between_the_bounds() -> None:
    """Firms leave if their shock is low, fewer once treated: the raw difference is biased, the bounds hold the truth for stayers.

    60 panels of 800 firms, truth 0.5: the 95 % interval may miss in 5 %, Monte Carlo error 2.8 points.
    """
    held, raw = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        treated = rng.random(800) < 0.4
        shock = rng.standard_normal(800)
        change = np.where(shock > np.where(treated, -1.3, -0.5), shock + 0.5 * treated, np.nan)
        found = lee_bounds([SurvivalCell(time=0, treated=treated, comparison=~treated, change=change)], rng, draws=60)
        held.append(found.conf_low <= 0.5 <= found.conf_high)
        raw.append(found.untrimmed)
        assert found.lower < found.untrimmed < found.upper
    assert np.mean(held) > 0.95 - 3 * 0.028
    assert np.mean(raw) < 0.5 - 0.15


def test_bootstrap_errors_are_those_of_repeated_samples() -> None:
    """Standard deviation of the lower bound over 150 panels (5.8 % Monte Carlo error) against the mean bootstrap error."""
    lower, errors = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        treated = np.arange(300) < 120
        shock = rng.standard_normal(300)
        change = np.where(rng.random(300) < np.where(treated, 0.95, 0.8), shock, np.nan)
        found = lee_bounds([SurvivalCell(time=0, treated=treated, comparison=~treated, change=change)], rng, draws=60)
        lower.append(found.lower)
        errors.append(found.lower_error)
    assert np.mean(errors) == pytest.approx(np.std(lower), rel=4 * 0.058)


def test_the_interval_of_a_set() -> None:
    """A point is covered as ever, a wide set needs one side only (Imbens and Manski 2004)."""
    assert imbens_manski(0.0, 0.0, 1.0, 1.0, 0.95) == pytest.approx((-1.959964, 1.959964), abs=1e-6)
    assert imbens_manski(0.0, 99.0, 1.0, 1.0, 0.95) == pytest.approx((-1.644854, 100.644854), abs=1e-6)
    assert imbens_manski(0.0, 1.0, 0.0, 0.0, 0.95) == (0.0, 1.0)
