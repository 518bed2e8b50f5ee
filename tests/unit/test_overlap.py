"""Overlap: propensities against statsmodels, shares by brute force, and each verdict."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from sme_eval.checks.overlap import FEWEST_EFFECTIVE, check_overlap
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.overlap import overlap, propensity

SAME_LOGIT = 1e-5
"""The ridge penalty and scikit-learn's stopping rule move a propensity in the sixth digit."""


def rows(seed: int, n: int = 600, apart: float = 0.8) -> tuple[FloatArray, BoolArray, IntArray, IntArray]:
    rng = np.random.default_rng(seed)
    x, group = rng.standard_normal((n, 2)), rng.integers(2, size=n)
    treated = rng.random(n) < 1.0 / (1.0 + np.exp(2.0 - apart * x[:, 0] - 0.5 * group))
    return x, np.asarray(treated), group, np.arange(n) // 2


def test_propensities_are_those_of_maximum_likelihood() -> None:
    x, treated, group, _ = rows(1)
    design = np.column_stack([np.ones(len(x)), group, x])
    oracle = sm.Logit(treated.astype(float), design).fit(disp=0).predict(design)
    np.testing.assert_allclose(propensity(x, treated, group, np.ones(len(x))), oracle, atol=SAME_LOGIT)


def test_shares_and_weights_by_brute_force() -> None:
    x, treated, group, unit = rows(2, apart=2.5)
    weight = np.random.default_rng(3).uniform(0.5, 2.0, len(x))
    chance = propensity(x, treated, group, weight)
    found = overlap(chance, treated, group, unit, weight)
    above = outside = 0.0
    carried: dict[int, float] = {}
    for g in (0, 1):
        theirs = [j for j in range(len(x)) if group[j] == g and not treated[j]]
        ours = [j for j in range(len(x)) if group[j] == g and treated[j]]
        odds = {j: weight[j] * chance[j] / (1.0 - chance[j]) for j in theirs}
        for j in theirs:
            carried[unit[j]] = carried.get(unit[j], 0.0) + odds[j] / sum(odds.values()) * sum(weight[k] for k in ours)
        above += sum(weight[j] for j in ours if chance[j] > max(chance[k] for k in theirs))
        outside += sum(weight[j] for j in ours if not min(chance[k] for k in theirs) <= chance[j] <= max(chance[k] for k in theirs))
    assert found.share_above == pytest.approx(above / weight[treated].sum(), abs=1e-12)
    assert found.share_outside == pytest.approx(outside / weight[treated].sum(), abs=1e-12)
    values = np.array(list(carried.values()))
    assert found.effective == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=1e-10)
    assert found.largest_share == pytest.approx(values.max() / values.sum(), rel=1e-10)
    assert found.n_comparison == len(carried) and found.n_treated_in.sum() == treated.sum()
    assert found.weight_in.sum() <= 1.0 + 1e-12


def test_like_groups_overlap() -> None:
    x, treated, group, unit = rows(4, n=2000)
    check = check_overlap(overlap(propensity(x, treated, group, np.ones(2000)), treated, group, unit, np.ones(2000)))
    assert check.passed is True and check.reason == "overlap_good"
    assert check.table is not None and len(check.table.rows) == 10
    assert all(row.n_firms == min(row.values["n_treated"], row.values["n_comparison"]) for row in check.table.rows)


def test_groups_told_apart_do_not() -> None:
    x, treated, group, unit = rows(5)
    x = x + 20.0 * treated[:, None]
    check = check_overlap(overlap(propensity(x, treated, group, np.ones(600)), treated, group, unit, np.ones(600)))
    assert check.passed is False and check.reason == "overlap_outside" and check.numbers["share_above"] > 0.9


def test_a_handful_of_comparison_firms_is_too_few() -> None:
    treated = np.arange(60) >= 25
    chance, group = np.full(60, 0.5), np.zeros(60, dtype=np.int64)
    check = check_overlap(overlap(chance, treated, group, np.arange(60), np.ones(60)))
    assert check.passed is False and check.reason == "overlap_few" and check.statistic == pytest.approx(25.0)
    assert check.numbers["n_effective"] == 25 < FEWEST_EFFECTIVE


def test_without_covariates_that_vary_everybody_is_as_likely() -> None:
    treated = np.arange(40) < 10
    chance = propensity(np.ones((40, 1)), treated, np.zeros(40, dtype=np.int64), np.ones(40))
    np.testing.assert_allclose(chance, 0.25)
