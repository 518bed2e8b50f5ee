"""Ratios: Fieller's set by the inequality that defines it, by hand, and beside draws; no bound where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.stats.ratios import WHOLE_LINE, RatioSet, drawn, fieller, known_over

NUMBER = st.floats(-50.0, 50.0).filter(lambda x: abs(x) > 0.1)
ERROR = st.floats(0.05, 20.0)
CORRELATION = st.floats(-0.95, 0.95)


def covariance(above: float, below: float, correlation: float = 0.0) -> np.ndarray:
    both = correlation * above * below
    return np.array([[above**2, both], [both, below**2]])


def rejected(ratio: float, a: float, b: float, v: np.ndarray, c: float) -> bool:
    """The test that Fieller inverts: a − rb against its own standard error."""
    return abs(a - ratio * b) > c * math.sqrt(v[0, 0] - 2 * ratio * v[0, 1] + ratio**2 * v[1, 1])


@given(a=NUMBER, b=NUMBER, above=ERROR, below=ERROR, correlation=CORRELATION, ratio=st.floats(-1e3, 1e3))
@settings(max_examples=300)
def test_the_set_is_what_the_test_does_not_reject(
    a: float, b: float, above: float, below: float, correlation: float, ratio: float
) -> None:
    v = covariance(above, below, correlation)
    found = fieller(a, b, v, 1.96)
    for tried in (ratio, a / b, *(end for pair in found.intervals for end in pair if math.isfinite(end))):
        for near in (tried * (1 - 1e-6) - 1e-9, tried * (1 + 1e-6) + 1e-9):
            inside = {found.covers(near * (1 - 1e-7)), found.covers(near), found.covers(near * (1 + 1e-7))}
            if len(inside) == 1:  # not at an end, where rounding decides
                assert inside == {not rejected(near, a, b, v, 1.96)}


def test_by_hand() -> None:
    """a = 10, b = 4, both of variance 1, c = 2: (10 − 4r)² ≤ 4 (1 + r²), that is 12r² − 80r + 96 ≤ 0, r = (20 ± √112)/6."""
    ((low, high),) = fieller(10.0, 4.0, np.eye(2), 2.0).intervals
    assert low == pytest.approx((20 - math.sqrt(112)) / 6, rel=1e-12)
    assert high == pytest.approx((20 + math.sqrt(112)) / 6, rel=1e-12)


@pytest.mark.parametrize(
    ("low", "high", "intervals"),
    [
        (4.0, 8.0, ((6.25, 12.5),)),
        (-2.0, 8.0, ((-math.inf, -25.0), (6.25, math.inf))),
        (-8.0, -4.0, ((-12.5, -6.25),)),
        (0.0, 8.0, ((6.25, math.inf),)),
        (-8.0, 0.0, ((-math.inf, -6.25),)),
        (0.0, 0.0, ()),
        (6.0, 6.0, ((50 / 6, 50 / 6),)),
        (-6.0, 6.0, ((-math.inf, -50 / 6), (50 / 6, math.inf))),
    ],
)
def test_a_known_numerator_over_an_interval(low: float, high: float, intervals: tuple[tuple[float, float], ...]) -> None:
    found = known_over(50.0, low, high).intervals
    assert len(found) == len(intervals)
    for pair, expected in zip(found, intervals, strict=True):
        assert pair == pytest.approx(expected, rel=1e-12)


def test_there_is_no_bound_where_nothing_is_gained() -> None:
    assert known_over(50.0, 4.0, 8.0).positive() == pytest.approx((6.25, 12.5))
    assert known_over(50.0, -2.0, 8.0).positive() == pytest.approx((6.25, math.inf))
    assert known_over(50.0, -8.0, -4.0).positive() is None
    assert known_over(50.0, -8.0, 0.0).positive() is None
    assert (known_over(50.0, 4.0, 8.0).bounded, known_over(50.0, -2.0, 8.0).bounded) == (True, False)


def test_everything_where_neither_differs_from_zero() -> None:
    assert fieller(0.5, 0.5, np.eye(2), 1.96) == WHOLE_LINE
    assert WHOLE_LINE.covers(1e9) and not WHOLE_LINE.bounded and WHOLE_LINE.positive() == (0.0, math.inf)
    assert not RatioSet(()).bounded and not RatioSet(()).covers(0.0)


@given(a=NUMBER, b=NUMBER, above=ERROR, below=ERROR, correlation=CORRELATION, scale=st.floats(0.01, 100.0))
@settings(max_examples=100)
def test_units_scale_it_and_signs_mirror_it(
    a: float, b: float, above: float, below: float, correlation: float, scale: float
) -> None:
    found = fieller(a, b, covariance(above, below, correlation), 1.96)
    in_other_units = fieller(scale * a, b, covariance(scale * above, below, correlation), 1.96)
    mirrored = fieller(-a, b, covariance(above, below, -correlation), 1.96)
    assert len(in_other_units.intervals) == len(mirrored.intervals) == len(found.intervals)
    assert np.ravel(in_other_units.intervals) == pytest.approx(scale * np.ravel(found.intervals), rel=1e-6)
    assert np.sort(np.ravel(mirrored.intervals)) == pytest.approx(np.sort(-np.ravel(found.intervals)), rel=1e-6)


@pytest.mark.parametrize(("a", "b"), [(10.0, 8.0), (10.0, 1.0), (10.0, -1.0), (10.0, -8.0), (-10.0, 0.5), (10.0, 0.0)])
def test_draws_agree_with_fieller(a: float, b: float) -> None:
    """Clear numerator, denominator from clear to hopeless: the same form of set, and the same ends within the draws' error."""
    rng = np.random.default_rng(7)
    up, right = a + 0.5 * rng.standard_normal(100_000), b + rng.standard_normal(100_000)
    exact, found = fieller(a, b, covariance(0.5, 1.0), 1.959964), drawn(up, right, 0.95)
    assert len(found.intervals) == len(exact.intervals)
    one, two = (np.ravel(s.intervals) for s in (found, exact))
    assert np.isfinite(one).tolist() == np.isfinite(two).tolist()
    # Compared as directions, since an end may be far away.
    assert np.arctan(one / 10) == pytest.approx(np.arctan(two / 10), abs=0.012)


@given(st.integers(0, 2**31), st.floats(0.001, 1000.0))
@settings(max_examples=20, deadline=None)
def test_draws_know_no_units(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    up, right = 5 + rng.standard_normal(500), rng.normal(1.0, 1.0, 500)
    one, other = drawn(up, right, 0.9), drawn(scale * up, right, 0.9)
    assert np.ravel(other.intervals) == pytest.approx(scale * np.ravel(one.intervals), rel=1e-9)
    flipped = drawn(-up, right, 0.9)
    assert np.sort(np.ravel(flipped.intervals)) == pytest.approx(np.sort(-np.ravel(one.intervals)), rel=1e-9)


def test_draws_from_everywhere_bound_nothing() -> None:
    rng = np.random.default_rng(1)
    assert drawn(rng.standard_normal(2_000), rng.standard_normal(2_000), 0.95) == WHOLE_LINE
