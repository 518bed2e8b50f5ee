"""Adjusted p-values: against statsmodels, against enumeration written out, and by their error rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from sme_eval.stats.inference import wald_test
from sme_eval.stats.multiple_testing import benjamini_hochberg, drawn_wald_p, step_down

P_VALUES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12).map(np.array)


def enumerated(p_value: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The definition, hypothesis by hypothesis: the set of the undecided shrinks step by step."""
    adjusted, left, least = np.empty(len(p_value)), list(range(len(p_value))), 0.0
    while left:
        first = min(left, key=lambda h: p_value[h])
        reached = sum(min(draw[h] for h in left) <= p_value[first] for draw in drawn)
        least = max(least, (1 + reached) / (1 + len(drawn)), p_value[first])
        adjusted[first] = least
        left.remove(first)
    return adjusted


@settings(max_examples=100, deadline=None)
@given(p_value=P_VALUES)
def test_false_discovery_rates_are_those_of_statsmodels(p_value: np.ndarray) -> None:
    np.testing.assert_allclose(benjamini_hochberg(p_value), multipletests(p_value, method="fdr_bh")[1], rtol=1e-12)


def test_no_hypothesis_no_rate() -> None:
    assert benjamini_hochberg(np.zeros(0)).shape == (0,)


@settings(max_examples=60, deadline=None)
@given(p_value=P_VALUES, seed=st.integers(0, 99))
def test_step_down_is_its_definition(p_value: np.ndarray, seed: int) -> None:
    drawn = np.random.default_rng(seed).random((40, len(p_value)))
    np.testing.assert_allclose(step_down(p_value, drawn), enumerated(p_value, drawn), rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(p_value=P_VALUES, seed=st.integers(0, 99))
def test_adjusted_values_keep_the_order_and_are_never_smaller(p_value: np.ndarray, seed: int) -> None:
    drawn = np.random.default_rng(seed).random((40, len(p_value)))
    adjusted = step_down(p_value, drawn)
    assert (adjusted >= p_value).all() and (adjusted <= 1.0).all()
    assert (np.diff(adjusted[np.argsort(p_value, kind="stable")]) >= 0.0).all()
    turned = np.random.default_rng(seed).permutation(len(p_value))
    if len(set(p_value)) == len(p_value):
        np.testing.assert_array_equal(step_down(p_value[turned], drawn[:, turned]), adjusted[turned])


def test_one_hypothesis_is_hardly_adjusted_and_copies_of_it_count_once() -> None:
    """4,999 draws: a share has a standard error of at most 0.007."""
    covariance, contrast = np.diag([1.0, 2.0]), np.array([[1.0, -1.0]])
    drawn = drawn_wald_p(covariance, [contrast, contrast, 3.0 * contrast], 4999, seed=1)
    np.testing.assert_allclose(drawn[:, 1:], drawn[:, [0]].repeat(2, axis=1), rtol=1e-9)
    adjusted = step_down(np.full(3, 0.2), drawn)
    np.testing.assert_allclose(adjusted, 0.2, atol=4 * 0.006)


def test_independent_hypotheses_come_near_to_sidak() -> None:
    """Smallest of five independent p-values; 9,999 draws, standard error below 0.005."""
    contrasts = [np.eye(10)[[2 * h]] - np.eye(10)[[2 * h + 1]] for h in range(5)]
    drawn = drawn_wald_p(np.eye(10), contrasts, 9999, seed=2)
    p_value = np.array([0.01, 0.04, 0.5, 0.7, 0.9])
    expected = 1.0 - (1.0 - p_value) ** np.arange(5, 0, -1)
    np.testing.assert_allclose(step_down(p_value, drawn), np.maximum.accumulate(expected), atol=4 * 0.005)


def test_drawn_p_values_are_uniform_whatever_the_number_of_groups() -> None:
    root = np.random.default_rng(3).standard_normal((7, 7))
    covariance = root @ root.T
    wide = np.eye(7)[1:5] - np.eye(7)[0]
    drawn = drawn_wald_p(covariance, [wide, np.vstack([wide, wide]), wide[:1]], 2000, seed=4)
    np.testing.assert_allclose(drawn[:, 0], drawn[:, 1], rtol=1e-6)  # repeated restrictions count once
    for column in drawn.T:
        assert stats.kstest(column, "uniform").pvalue > 0.001
    theta = np.random.default_rng(5).multivariate_normal(np.zeros(7), covariance)
    found = wald_test(wide @ theta, wide @ covariance @ wide.T)
    assert found is not None and found.restrictions == 4


def test_the_same_seed_gives_the_same_draws() -> None:
    contrasts = [np.array([[1.0, -1.0]])]
    first, second, other = (drawn_wald_p(np.eye(2), contrasts, 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_any_false_finding_is_as_rare_as_asked() -> None:
    """400 sets of six dependent true hypotheses at 10 %: the share with a finding has a standard error of 0.015."""
    rng, contrasts = np.random.default_rng(6), [np.eye(7)[[h + 1]] - np.eye(7)[[0]] for h in range(6)]
    drawn, found = drawn_wald_p(np.eye(7), contrasts, 999, seed=7), 0
    for _ in range(400):
        theta = rng.standard_normal(7)
        p_value = np.array([2 * stats.norm.sf(abs(float((c @ theta)[0])) / np.sqrt(2)) for c in contrasts])
        found += step_down(p_value, drawn).min() <= 0.10
    assert found / 400 == pytest.approx(0.10, abs=3 * 0.015)
