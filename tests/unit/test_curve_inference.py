"""Joint inference about a curve: exact covariance, size under the null with its Monte Carlo error, shares of variance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sme_eval.stats.curve_inference import curve_test, explained_shares, joint_covariance

DETERMINISTIC = 1e-12


def test_covariance_is_the_sum_of_outer_products() -> None:
    rng = np.random.default_rng(1)
    influence, cluster = rng.standard_normal((30, 4)), rng.integers(0, 7, 30)
    by_firm = sum(np.outer(row, row) for row in influence)
    sums = [influence[cluster == c].sum(axis=0) for c in range(7)]
    assert np.allclose(joint_covariance(influence), by_firm, atol=DETERMINISTIC)
    assert np.allclose(joint_covariance(influence, cluster), sum(np.outer(s, s) for s in sums), atol=DETERMINISTIC)


def test_one_specification_gives_its_own_p_value() -> None:
    """With S = 1 median, share and Stouffer are one t-test: the p-value is the normal one up to the draws' Monte Carlo error."""
    draws = 20_000
    found = curve_test(np.array([0.03]), np.array([[0.02**2]]), np.random.default_rng(0), draws=draws, level=0.95)
    exact = 2.0 * stats.norm.sf(1.5)
    assert found.median_p == pytest.approx(exact, abs=4.0 * np.sqrt(exact * (1.0 - exact) / draws))
    assert found.stouffer_p == found.median_p and found.stouffer == pytest.approx(1.5)
    assert found.effective == pytest.approx(1.0)


def test_repeated_specifications_change_nothing() -> None:
    """A curve that says one thing a hundred times has the p-value of saying it once, and is worth one specification."""
    one = np.array([[0.02**2]])
    many = np.full((100, 100), 0.02**2)
    alone = curve_test(np.array([0.05]), one, np.random.default_rng(0), draws=4999, level=0.95)
    repeated = curve_test(np.full(100, 0.05), many, np.random.default_rng(0), draws=4999, level=0.95)
    assert repeated.effective == pytest.approx(1.0)
    assert repeated.median_p == pytest.approx(alone.median_p, abs=4.0 * np.sqrt(alone.median_p / 4999))
    assert repeated.critical == pytest.approx(stats.norm.ppf(0.975), rel=0.05)


def test_independent_specifications_have_the_sidak_band() -> None:
    """The sup-t value of S independent estimates is known: Φ⁻¹ of (1 + 0.95^(1/S)) / 2."""
    count, draws = 25, 20_000
    found = curve_test(np.zeros(count), np.eye(count), np.random.default_rng(3), draws=draws, level=0.95)
    exact = stats.norm.ppf(0.5 + 0.5 * 0.95 ** (1.0 / count))
    density = count * 0.95 ** (1.0 - 1.0 / count) * 2.0 * stats.norm.pdf(exact)
    assert found.critical == pytest.approx(exact, abs=4.0 * np.sqrt(0.95 * 0.05 / draws) / density)
    assert found.effective == pytest.approx(count)


def test_size_under_the_null() -> None:
    """Correlated estimates of nothing: each test at 5 % rejects in 5 % of 600 worlds, Monte Carlo error 0.9 points."""
    rng, worlds = np.random.default_rng(7), 600
    loading = rng.standard_normal((12, 3))
    covariance = loading @ loading.T + 0.3 * np.eye(12)
    root = np.linalg.cholesky(covariance)
    rejected = np.zeros(3)
    for _ in range(worlds):
        test = curve_test(root @ rng.standard_normal(12), covariance, rng, draws=399, level=0.95)
        rejected += np.array([test.median_p, test.share_p, test.stouffer_p]) <= 0.05
    error = np.sqrt(0.05 * 0.95 / worlds)
    assert (np.abs(rejected[[0, 2]] / worlds - 0.05) < 3.5 * error).all()
    assert rejected[1] / worlds < 0.05 + 3.5 * error  # a share has ties, which make its test conservative


def test_power_of_a_common_effect() -> None:
    """The same effect of four errors in every specification is found by each of the three."""
    found = curve_test(np.full(6, 0.4), 0.01 * (0.5 * np.eye(6) + 0.5), np.random.default_rng(0), draws=999, level=0.95)
    assert (found.median_p, found.share_p, found.stouffer_p) == (0.001, 0.001, 0.001)
    assert found.share == 1.0 and found.median == pytest.approx(0.4)


@given(st.integers(0, 2**31), st.floats(0.1, 1000.0))
def test_units_do_not_matter(seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    influence, estimate = rng.standard_normal((40, 5)), rng.standard_normal(5)
    first = curve_test(estimate, joint_covariance(influence), np.random.default_rng(1), draws=99, level=0.9)
    second = curve_test(unit * estimate, joint_covariance(unit * influence), np.random.default_rng(1), draws=99, level=0.9)
    assert (first.median_p, first.share_p, first.stouffer_p) == (second.median_p, second.share_p, second.stouffer_p)
    assert second.median == pytest.approx(unit * first.median) and second.critical == pytest.approx(first.critical)


def test_shares_of_variance_are_those_of_a_one_way_analysis() -> None:
    """On a full product the shares are R² of statsmodels' one-way regressions, and add up to that of all dummies."""
    import pandas as pd
    import statsmodels.formula.api as smf

    rng = np.random.default_rng(2)
    a, b = (codes.ravel() for codes in np.meshgrid(np.arange(3), np.arange(4)))
    estimate = 0.5 * a - 0.2 * (b == 1) + 0.05 * rng.standard_normal(12)
    shares, together = explained_shares(estimate, [a, b])
    frame = pd.DataFrame({"y": estimate, "a": a, "b": b})
    assert shares == pytest.approx([smf.ols(f"y ~ C({name})", frame).fit().rsquared for name in "ab"], abs=1e-10)
    assert together == pytest.approx(smf.ols("y ~ C(a) + C(b)", frame).fit().rsquared, abs=1e-10)
    assert together == pytest.approx(shares.sum(), abs=1e-10)


def test_estimates_that_do_not_vary_have_no_shares() -> None:
    shares, together = explained_shares(np.full(4, 0.1), [np.array([0, 0, 1, 1])])
    assert np.isnan(shares).all() and np.isnan(together)
