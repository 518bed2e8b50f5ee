"""Effects by weights: regression where outcomes are linear, influence as a derivative, the bootstrap, known truth."""

from __future__ import annotations

import numpy as np
import pytest

from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.doubly_robust import treated_gap
from sme_eval.stats.entropy_balancing import entropy_balance
from sme_eval.stats.weighted_change import WeightedChange, weighted_change

Rows = tuple[FloatArray, FloatArray, BoolArray, IntArray, IntArray]


def rows(rng: np.random.Generator, n: int = 300, effect: float = 0.5, noise: float = 0.5) -> Rows:
    """Changes (R, 2), covariates, treated, group and unit: firms not treated in the first group are rows of the second too."""
    x = rng.standard_normal((n, 2))
    first = rng.random(n) < 1.0 / (1.0 + np.exp(1.6 - 0.7 * x[:, 0]))
    second = ~first & (rng.random(n) < 1.0 / (1.0 + np.exp(1.4 - 0.7 * x[:, 1])))
    unit = np.concatenate([np.arange(n), np.flatnonzero(~first)])
    group = np.repeat([0, 1], [n, int((~first).sum())])
    treated = np.concatenate([first, second[~first]])
    slope = np.array([[1.0, 0.5], [-0.6, 0.9]])
    change = x[unit] @ slope + group[:, None] + effect * treated[:, None] + noise * rng.standard_normal((len(unit), 2))
    return change, x[unit], np.asarray(treated), group, unit


def balanced(data: Rows, weight: FloatArray) -> WeightedChange:
    change, x, treated, group, unit = data
    found = entropy_balance(x, treated, group, weight[unit])
    assert found.converged
    return weighted_change(change, treated, group, (unit, len(weight)), np.where(treated, weight[unit], found.weight), found)


def test_linear_outcomes_give_what_regression_and_the_doubly_robust_form_give() -> None:
    change, x, treated, group, unit = rows(np.random.default_rng(1), noise=0.0)
    found = balanced((change, x, treated, group, unit), np.ones(int(unit.max()) + 1))
    np.testing.assert_allclose(found.effect, 0.5, atol=1e-7)
    only = group == 0
    z = np.column_stack([np.ones(len(x)), x])
    odds = np.exp(0.7 * x[:, 0])
    for given in (None, odds):
        gap = treated_gap(change, z, (treated & only, ~treated & only), np.ones(len(x)), given)
        assert gap is not None
        np.testing.assert_allclose(gap.effect, found.effect, atol=1e-7)


def test_influence_is_the_derivative_in_a_firm_s_weight() -> None:
    """With the weights solved again: what the estimation of θ and of the groups' shares adds is all in it."""
    data = rows(np.random.default_rng(2), n=120)
    ones, step = np.ones(120), 1e-4
    found = balanced(data, ones)
    for firm in range(0, 120, 7):
        up, down = ones.copy(), ones.copy()
        up[firm], down[firm] = 1.0 + step, 1.0 - step
        derivative = (balanced(data, up).effect - balanced(data, down).effect) / (2.0 * step)
        np.testing.assert_allclose(found.influence[firm], derivative, atol=2e-7)


def test_gaps_keep_the_derivative() -> None:
    change, *others = rows(np.random.default_rng(3), n=120)
    change[np.random.default_rng(4).random(change.shape) < 0.15] = np.nan
    data = (change, *others)
    ones, step = np.ones(120), 1e-4
    found = balanced(data, ones)
    assert np.isfinite(found.effect).all()
    for firm in range(0, 120, 11):
        up, down = ones.copy(), ones.copy()
        up[firm], down[firm] = 1.0 + step, 1.0 - step
        derivative = (balanced(data, up).effect - balanced(data, down).effect) / (2.0 * step)
        np.testing.assert_allclose(found.influence[firm], derivative, atol=2e-7)


def test_the_error_is_that_of_the_bootstrap_and_far_from_that_of_given_weights() -> None:
    rng = np.random.default_rng(8)
    data = rows(rng, n=400)
    change, x, treated, group, unit = data
    found = balanced(data, np.ones(400))
    error = np.sqrt((found.influence**2).sum(axis=0))
    drawn = np.array([balanced(data, rng.multinomial(400, np.full(400, 1 / 400)) + 1e-12).effect for _ in range(200)])
    np.testing.assert_allclose(error, drawn.std(axis=0, ddof=1), rtol=0.15)  # 200 draws: 5 %, second order at 400 firms besides
    solved = entropy_balance(x, treated, group, np.ones(len(x)))
    given = weighted_change(change, treated, group, (unit, 400), np.where(treated, 1.0, solved.weight))
    assert (np.sqrt((given.influence**2).sum(axis=0)) > 1.3 * error).all()


def test_known_truth_is_covered_where_raw_changes_are_biased() -> None:
    draws, truth = 120, 0.5
    estimates, errors, raw = np.zeros(draws), np.zeros(draws), np.zeros(draws)
    for n in range(draws):
        change, x, treated, group, unit = rows(np.random.default_rng(100 + n), n=250, effect=truth)
        found = balanced((change, x, treated, group, unit), np.ones(250))
        estimates[n], errors[n] = found.effect[0], np.sqrt((found.influence[:, 0] ** 2).sum())
        raw[n] = weighted_change(change, treated, group, (unit, 250), np.ones(len(x))).effect[0]
    monte_carlo = estimates.std(ddof=1) / np.sqrt(draws)
    assert abs(estimates.mean() - truth) < 3.5 * monte_carlo
    assert abs(raw.mean() - truth) > 10.0 * monte_carlo
    covered = np.mean(np.abs(estimates - truth) < 1.96 * errors)
    assert covered > 0.95 - 3.5 * np.sqrt(0.95 * 0.05 / draws)


def test_a_group_without_weight_on_a_side_is_left_out() -> None:
    change = np.array([[1.0], [0.0], [4.0], [0.0]])
    treated, group = np.array([True, False, True, False]), np.array([0, 0, 1, 1])
    found = weighted_change(change, treated, group, (np.arange(4), 4), np.array([1.0, 1.0, 1.0, 0.0]))
    assert found.effect[0] == 1.0 and found.mass[0] == 1.0
    nobody = weighted_change(change, treated, group, (np.arange(4), 4), np.zeros(4))
    assert np.isnan(nobody.effect[0]) and nobody.mass[0] == 0.0


def test_without_a_balancing_the_effect_is_a_weighted_difference() -> None:
    rng = np.random.default_rng(6)
    change, treated, weight = rng.standard_normal((50, 1)), rng.random(50) < 0.4, rng.uniform(0.5, 2.0, 50)
    found = weighted_change(change, treated, np.zeros(50, dtype=np.int64), (np.arange(50), 50), weight)
    means = [np.average(change[side, 0], weights=weight[side]) for side in (treated, ~treated)]
    assert found.effect[0] == pytest.approx(means[0] - means[1], abs=1e-12)
