"""Regression and doubly robust gaps on arrays: the logit, identities, and double robustness with one model wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.doubly_robust import TRIMMED_ABOVE, PooledLogit, pooled_logit, treated_gap, trimmed_odds

EXACT = 1e-10
"""Two computations of the same number: rounding, and the square of Newton's last step."""
SAMPLES, UNITS = 300, 800

Stack = tuple[FloatArray, BoolArray, IntArray, IntArray, FloatArray]


def stack(seed: int = 0, units: int = 300) -> Stack:
    """Units at risk in a first group, and those left in a second: covariates, treated, group, unit, weight."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.standard_normal(units), rng.integers(0, 2, units)])
    chance = 1.0 / (1.0 + np.exp(1.5 - x @ [0.8, -0.5]))
    first = rng.random(units) < chance
    left = np.flatnonzero(~first)
    second = rng.random(left.size) < chance[left]
    unit = np.concatenate([np.arange(units), left])
    weight = rng.uniform(0.5, 2.0, units)
    return x[unit], np.concatenate([first, second]), np.repeat([0, 1], [units, left.size]), unit, weight[unit]


def test_logit_is_the_maximum_that_statsmodels_finds() -> None:
    x, treated, group, unit, weight = stack()
    ours = pooled_logit(x, treated, group, unit, weight)
    z = np.column_stack([group == 0, group == 1, x]).astype(float)
    family = sm.families.Binomial()
    theirs = sm.GLM(treated.astype(float), z, family=family, freq_weights=weight).fit(tol=1e-14)
    assert ours.converged and ours.n_certain == 0
    np.testing.assert_allclose(ours.probability, theirs.fittedvalues, rtol=1e-9)
    np.testing.assert_allclose(z.T @ (weight * (treated - ours.probability)), 0.0, atol=EXACT)
    scores = np.zeros((300, 4))
    np.add.at(scores, unit, z * (weight * (treated - theirs.fittedvalues))[:, None])
    np.testing.assert_allclose(ours.influence, scores @ theirs.normalized_cov_params, rtol=1e-7, atol=1e-12)


def test_columns_that_repeat_others_change_nothing() -> None:
    x, *rest = stack()
    plain, repeated = pooled_logit(x, *rest), pooled_logit(np.column_stack([x, 2.0 * x[:, 0] - 1.0]), *rest)
    np.testing.assert_allclose(repeated.probability, plain.probability, rtol=EXACT)
    np.testing.assert_array_equal(repeated.influence[:, -1], 0.0)


def test_a_category_without_treated_is_as_if_its_units_were_away() -> None:
    x, treated, group, unit, weight = stack()
    alone = ~treated & (unit % 7 == 0)
    found = pooled_logit(np.column_stack([x, alone]), treated, group, unit, weight)
    away = pooled_logit(x[~alone], treated[~alone], group[~alone], unit[~alone], weight[~alone])
    np.testing.assert_array_equal(found.probability[alone], 0.0)
    np.testing.assert_allclose(found.probability[~alone], away.probability, rtol=EXACT)


def test_a_number_without_treated_below_a_bound_converges_to_the_same_limit() -> None:
    """Quasi-separation towards zero along no column of its own: two columns that differ for comparison units only."""
    x, treated, group, unit, weight = stack()
    alone = ~treated & (unit % 7 == 0)
    shifted = np.column_stack([x, x[:, 0] - 3.0 * alone])
    found = pooled_logit(shifted, treated, group, unit, weight)
    away = pooled_logit(x[~alone], treated[~alone], group[~alone], unit[~alone], weight[~alone])
    assert found.converged and found.probability[alone].max() < 1e-8
    np.testing.assert_allclose(found.probability[~alone], away.probability, rtol=1e-7)


@pytest.mark.parametrize("kind", ["category", "number"])
def test_separation_is_seen(kind: str) -> None:
    x, treated, group, unit, weight = stack()
    telling = treated & (unit % 9 == 0) if kind == "category" else np.where(treated, 1.0, -1.0) + 0.1 * x[:, 0]
    found: PooledLogit = pooled_logit(np.column_stack([x, telling]), treated, group, unit, weight)
    assert not found.converged or found.n_certain > 0
    assert found.n_certain >= (treated & (unit % 9 == 0)).sum()


def test_trimmed_odds() -> None:
    p = np.array([0.0, 0.5, 0.99, TRIMMED_ABOVE, 1.0])
    np.testing.assert_allclose(trimmed_odds(p), [0.0, 1.0, 99.0, 0.0, 0.0], rtol=1e-12)


def test_a_saturated_regression_leaves_nothing_for_the_odds() -> None:
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 4, 200)
    x = (kind[:, None] == np.arange(4)).astype(float)
    change, treated = rng.standard_normal((200, 3)), rng.random(200) < 0.2 + 0.15 * kind
    groups, weight = (treated, ~treated), rng.uniform(0.5, 2.0, 200)
    regression = treated_gap(change, x, groups, weight)
    robust = treated_gap(change, x, groups, weight, (0.2 + kind) / 3.0)
    assert regression is not None and robust is not None
    np.testing.assert_allclose(robust.effect, regression.effect, rtol=EXACT)
    np.testing.assert_allclose(robust.influence, regression.influence, atol=1e-14)
    np.testing.assert_allclose(robust.gradient, 0.0, atol=1e-14)


def test_no_gap_without_support() -> None:
    x, change, weight = np.column_stack([np.ones(4), [1.0, 0, 0, 0]]), np.ones((4, 1)), np.ones(4)
    first = np.array([True, False, False, False])
    assert treated_gap(change, x, (first, ~first), weight) is None
    assert treated_gap(change, x[:, :1], (first, np.zeros(4, dtype=bool)), weight) is None
    assert treated_gap(change, x[:, :1], (first, ~first), weight, np.zeros(4)) is None


def gap(change: FloatArray, treated: BoolArray, x: FloatArray, index: FloatArray) -> tuple[float, float]:
    """Effect and standard error with regressors `x` and another `index` for the logit, which takes a gradient of its own."""
    n = len(treated)
    ones = np.ones(n)
    found = pooled_logit(index, treated, np.zeros(n, dtype=np.int64), np.arange(n), ones)
    odds = trimmed_odds(found.probability)
    one = treated_gap(change[:, None], x, (treated, ~treated), ones, odds)
    assert one is not None
    residual = change - x @ np.linalg.lstsq(x[~treated], change[~treated], rcond=None)[0]
    tilt = odds * ~treated / odds[~treated].sum()
    gradient = -(np.column_stack([ones, index]).T @ (tilt * (residual - tilt @ residual)))
    return float(one.effect[0]), float(np.linalg.norm(one.influence[:, 0] + found.influence @ gradient))


@pytest.mark.parametrize("wrong", ["regression", "propensity", "both"])
def test_one_wrong_model_is_allowed(wrong: str) -> None:
    """Known truth zero: bias within 3 Monte Carlo errors and 95 % coverage with one model wrong, not with both."""
    errors, covered = [], []
    for seed in range(SAMPLES):
        rng = np.random.default_rng(40_000 + seed)
        v = rng.standard_normal(UNITS)
        x = np.column_stack([v, v**2])
        treated = rng.random(UNITS) < 1.0 / (1.0 + np.exp(1.5 - 0.4 * v - 0.15 * v**2))
        change = 0.5 * v + 0.5 * v**2 + rng.standard_normal(UNITS)
        right, poor = np.column_stack([np.ones(UNITS), x]), np.column_stack([np.ones(UNITS), v])
        regressors = right if wrong == "propensity" else poor
        index = x if wrong == "regression" else x[:, :1]
        effect, error = gap(change, treated, regressors, index)
        errors.append(effect)
        covered.append(abs(effect) <= 1.959963984540054 * error)
    mc = np.std(errors, ddof=1) / math.sqrt(SAMPLES)
    if wrong == "both":
        assert np.mean(errors) > 10 * mc
        return
    assert abs(np.mean(errors)) < 3 * mc
    assert abs(np.mean(covered) - 0.95) < 3 * math.sqrt(0.95 * 0.05 / SAMPLES)
