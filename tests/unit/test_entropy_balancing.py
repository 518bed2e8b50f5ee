"""Entropy balancing: exact balance, the primal solved by scipy, base weights, caps, what cannot be balanced, invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from sme_eval.checks.entropy_balancing import check_entropy_balancing
from sme_eval.checks.side_by_side import Side
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.entropy_balancing import BALANCED, Balancing, effective_size, entropy_balance, with_squares

PRIMAL = 2e-6
"""SLSQP ends within about 1e-7 of its optimum; weights are of the order of one."""


def rows(seed: int, n: int = 400, groups: int = 3) -> tuple[FloatArray, BoolArray, IntArray, FloatArray]:
    """Covariates (a number, another, a category of four as dummies), treated, group, base weight; more likely where x is large."""
    rng = np.random.default_rng(seed)
    number, category, group = rng.standard_normal((n, 2)), rng.integers(4, size=n), rng.integers(groups, size=n)
    treated = rng.random(n) < 1.0 / (1.0 + np.exp(1.5 - 0.8 * number[:, 0] + 0.3 * number[:, 1] - 0.3 * (category == 2)))
    x = np.column_stack([number, category[:, None] == np.arange(4)])
    return x, np.asarray(treated), group, rng.uniform(0.5, 2.0, n)


def moments(x: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean = weight @ x / weight.sum()
    return mean, weight @ (x - mean) ** 2 / weight.sum()


@pytest.mark.parametrize("seed", range(3))
def test_means_variances_and_totals_by_group_are_those_of_the_treated(seed: int) -> None:
    x, treated, group, weight = rows(seed)
    found = entropy_balance(with_squares(x, treated), treated, group, weight)
    assert found.converged
    ours, theirs = moments(x[treated], weight[treated]), moments(x[~treated], found.weight[~treated])
    np.testing.assert_allclose(theirs[0], ours[0], rtol=0, atol=1e-8)
    np.testing.assert_allclose(theirs[1][:2], ours[1][:2], rtol=0, atol=1e-8)
    totals = [np.bincount(group[side], w[side]) for side, w in ((treated, weight), (~treated, found.weight))]
    np.testing.assert_allclose(totals[1], totals[0], rtol=1e-8)
    assert (found.weight[treated] == 0.0).all() and (found.weight[~treated] > 0.0).all()


def primal(x: FloatArray, treated: BoolArray, weight: FloatArray, cap: float) -> FloatArray:
    """Σ w log(w/q) − w + q minimised under the balancing equations, directly in the weights."""
    q, z = weight[~treated], np.column_stack([np.ones(len(x)), x])
    target = weight[treated] @ z[treated]
    found = minimize(
        lambda w: float((w * np.log(w / q) - w + q).sum()),
        np.full(len(q), target[0] / len(q)),
        jac=lambda w: np.log(w / q),
        method="SLSQP",
        bounds=[(1e-9, cap)] * len(q),
        constraints={"type": "eq", "fun": lambda w: z[~treated].T @ w - target, "jac": lambda w: z[~treated].T},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert found.success
    return np.asarray(found.x)


def tiny() -> tuple[FloatArray, BoolArray, FloatArray]:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((24, 2))
    treated = np.arange(24) < 6
    x[treated] = 0.5 * x[treated] + 0.4
    return x, treated, rng.uniform(0.5, 2.0, 24)


def test_the_dual_solves_the_primal() -> None:
    x, treated, weight = tiny()
    found = entropy_balance(x, treated, np.zeros(24, dtype=np.int64), weight)
    np.testing.assert_allclose(found.weight[~treated], primal(x, treated, weight, np.inf), atol=PRIMAL)


@pytest.mark.parametrize("share", [0.5, 0.6, 0.7, 0.9])
def test_a_cap_binds_and_still_solves_the_primal_or_is_too_tight(share: float) -> None:
    x, treated, weight = tiny()
    group, z = np.zeros(24, dtype=np.int64), np.column_stack([np.ones(24), x])
    cap = share * float(entropy_balance(x, treated, group, weight).weight.max())
    found = entropy_balance(x, treated, group, weight, largest=cap / float(weight[treated].mean()))
    equations = {"A_eq": z[~treated].T, "b_eq": weight[treated] @ z[treated]}
    if not linprog(np.zeros(18), bounds=[(0.0, cap)] * 18, **equations).success:
        assert share < 0.7 and not found.converged
        return
    assert found.converged and np.isclose(found.weight.max(), cap) and (found.slope[found.weight >= cap] == 0.0).all()
    np.testing.assert_allclose(found.weight[~treated], primal(x, treated, weight, cap), atol=PRIMAL)


def test_a_base_weight_of_two_is_a_row_twice() -> None:
    x, treated, group, _ = rows(7)
    one = np.ones(len(x))
    double = np.where(np.arange(len(x)) % 5 == 0, 2.0, 1.0)
    order = np.concatenate([np.arange(len(x)), np.flatnonzero(double == 2.0)])
    twice = entropy_balance(x[order], treated[order], group[order], one[order])
    once = entropy_balance(x, treated, group, double)
    np.testing.assert_allclose(twice.weight[: len(x)] * double, once.weight, rtol=1e-7, atol=1e-10)


def test_treated_beyond_all_comparison_rows_cannot_be_balanced() -> None:
    x, treated, group, weight = rows(1)
    x = x.copy()
    x[treated, 0] += 50.0
    found = entropy_balance(x, treated, group, weight)
    assert not found.converged and found.imbalance > BALANCED


def test_a_group_whose_comparison_has_no_treated_category_is_not_balanced() -> None:
    treated = np.array([True, False, False, True, False])
    x, group = np.array([[0.0], [0.0], [0.0], [0.0], [1.0]]), np.array([0, 0, 0, 1, 1])
    assert not entropy_balance(x, treated, group, np.ones(5)).converged


def test_rows_of_a_category_without_treated_rows_have_no_weight() -> None:
    x, treated, group, weight = rows(2)
    empty = treated & (x[:, 5] == 1.0)
    x, treated, group, weight = x[~empty], treated[~empty], group[~empty], weight[~empty]
    found = entropy_balance(x, treated, group, weight)
    assert found.converged and (found.weight[x[:, 5] == 1.0] == 0.0).all() and (x[:, 5] == 1.0).any()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e3), shift=st.floats(-50.0, 50.0))
def test_units_and_order_of_rows_do_not_matter(seed: int, scale: float, shift: float) -> None:
    x, treated, group, weight = rows(seed, n=250, groups=2)
    first = entropy_balance(with_squares(x, treated), treated, group, weight)
    order = np.random.default_rng(seed).permutation(len(x))
    moved = x * np.array([scale, 1.0, 1.0, 1.0, 1.0, 1.0]) + np.array([shift, 0.0, 0.0, 0.0, 0.0, 0.0])
    again = entropy_balance(with_squares(moved, treated)[order], treated[order], group[order], weight[order])
    assert first.converged == again.converged
    if first.converged:
        np.testing.assert_allclose(again.weight, first.weight[order], rtol=1e-6, atol=1e-8)


def test_effective_size_counts_equal_weights_and_one_alone() -> None:
    assert effective_size(np.full(7, 0.3)) == pytest.approx(7.0)
    assert effective_size(np.array([5.0, 0.0, 0.0])) == 1.0
    assert effective_size(np.zeros(3)) == 0.0


# --- the check -------------------------------------------------------------------------------------------------------------

HEADLINE = Side(key="headline", estimate=0.05, std_error=0.02, n_treated=40, n_comparison=300, n_effective=200.4)
ENTROPY = Side(key="entropy", estimate=0.06, std_error=0.02, n_treated=40, n_comparison=300, n_effective=150.0)
NONE = Side(key="entropy", estimate=Unavailable("not identified: no weights balance the covariates"))


def test_it_informs_and_tells_the_difference() -> None:
    check = check_entropy_balancing((HEADLINE, ENTROPY), True, True, 0.95)
    assert check.passed is None and check.reason == "entropy_balanced"
    assert check.statistic == pytest.approx(0.01) and check.numbers["n_effective"] == 150
    assert check.table is not None and check.table.rows[0].values["effective_n"] == 200
    assert check.table.rows[0].n_firms == 40 and check.table.rows[0].values["conf_low"] == pytest.approx(0.05 - 1.959964 * 0.02)
    assert check_entropy_balancing((HEADLINE, ENTROPY), True, False, 0.95).reason == "entropy_means_only"


def test_it_fails_where_nobody_resembles_the_treated() -> None:
    check = check_entropy_balancing((HEADLINE, NONE), False, False, 0.95)
    assert check.passed is False and check.reason == "entropy_not_balanced" and check.numbers == {}
    assert check.table is not None and isinstance(check.table.rows[1].values["conf_low"], Unavailable)


def test_the_design_repeats_no_column() -> None:
    x, treated, group, weight = rows(3)
    found: Balancing = entropy_balance(np.concatenate([x, x[:, :2]], axis=1), treated, group, weight)
    assert np.linalg.matrix_rank(found.design) == found.design.shape[1] == 3 + 2 + 3
