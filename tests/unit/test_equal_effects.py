"""Equality of the effects of groups: Welch's tests on independent means, and what changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

from sme_eval.stats.equal_effects import equal_effects


def _samples(seed: int, sizes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(n) * (1 + j) + 0.2 * j for j, n in enumerate(sizes)]


def _means(samples: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, their covariance from influences (no small-sample factor), and firms."""
    influence = [(x - x.mean()) / len(x) for x in samples]
    return np.array([x.mean() for x in samples]), np.diag([i @ i for i in influence]), np.array([len(x) for x in samples])


@pytest.mark.parametrize("seed", range(4))
def test_two_groups_are_welchs_t(seed: int) -> None:
    samples = _samples(seed, (11, 40))
    found, expected = equal_effects(*_means(samples)), stats.ttest_ind(*samples, equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-10)
    assert found.statistic == pytest.approx(expected.statistic**2, rel=1e-10)
    assert found.degrees_of_freedom == pytest.approx(expected.df, rel=1e-10)


@pytest.mark.parametrize("sizes", [(10, 12, 30), (15, 15, 15, 15, 60), (10,) * 12])
def test_several_groups_are_welchs_anova(sizes: tuple[int, ...]) -> None:
    samples = _samples(1, sizes)
    found, expected = equal_effects(*_means(samples)), anova_oneway(samples, use_var="unequal", welch_correction=True)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert (found.restrictions, found.degrees_of_freedom) == pytest.approx((expected.df_num, expected.df_denom), rel=1e-9)


def test_order_units_and_a_common_shift_change_nothing() -> None:
    value, covariance, firms = _means(_samples(2, (12, 20, 33)))
    found = equal_effects(value, covariance, firms)
    turned = np.array([2, 0, 1])
    for other in (
        equal_effects(value[turned], covariance[np.ix_(turned, turned)], firms[turned]),
        equal_effects(100 * value, 1e4 * covariance, firms),
        equal_effects(value + 5.0, covariance, firms),
    ):
        assert other.p_value == pytest.approx(found.p_value, rel=1e-9)


def test_an_error_that_all_groups_share_cancels_for_equally_many_firms() -> None:
    value, covariance, _ = _means(_samples(3, (20, 20, 20)))
    firms = np.array([20, 20, 20])
    apart, together = equal_effects(value, covariance, firms), equal_effects(value, covariance + 0.5, firms)
    k, own = 3, 3 / (3 * apart.degrees_of_freedom)
    assert 0.0 < own < k
    wald = [t.statistic * (1 + 2 * (k - 2) * (k**2 - 1) / (3 * t.degrees_of_freedom) / (k**2 - 1)) for t in (apart, together)]
    assert wald[0] == pytest.approx(wald[1], rel=1e-9)
