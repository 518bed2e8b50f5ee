"""Rank, null vectors, identified sums, and the solution of linear mixtures: arrays only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.stats.separation import clustered_covariance, separate, solve_parts

FloatArray = np.ndarray
GROUPS = np.arange(50)


def separated(matrix: FloatArray, unmoved: tuple[int, ...] = ()):
    yields = np.isin(np.arange(matrix.shape[1]), unmoved)
    return separate(matrix, np.ones(matrix.shape[1]), yields)


def solved(matrix: FloatArray, theta: FloatArray, seed: int = 0, misfit: FloatArray | float = 0.0):
    rng = np.random.default_rng(seed)
    influence = rng.standard_normal((50, len(matrix))) / 50
    found = solve_parts((matrix @ theta + misfit, influence), (matrix, np.zeros((50, *matrix.shape))), separated(matrix), GROUPS)
    assert found is not None
    return found, influence


def test_full_rank_has_nothing_to_report() -> None:
    matrix = np.array([[1.0, 0.2], [0.1, 1.0]])
    found = separated(matrix)
    assert found.rank == 2 and found.separable.all()
    assert found.null.shape == (0, 2) and found.sums.shape == (0, 2)
    assert found.condition == pytest.approx(np.linalg.cond(matrix / np.linalg.norm(matrix, axis=0)), rel=1e-12)


def test_null_vector_leads_with_the_earliest_and_sums_with_the_others() -> None:
    """Certificate = cash + unnamed: null (1, -1, -1); certificate + cash and certificate + unnamed are identified."""
    matrix = np.array([[1.0, 0.0, 0.0, 0.0], [0.3, 0.9, 0.9, 0.0], [0.2, 0.8, 0.0, 0.8]])
    found = separated(matrix)
    assert found.rank == 3 and np.isinf(found.condition)
    np.testing.assert_allclose(found.null, [[0.0, 1.0, -1.0, -1.0]], atol=1e-12)
    np.testing.assert_allclose(found.sums, [[0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]], atol=1e-12)
    assert found.separable.tolist() == [True, False, False, False]
    assert found.identifies(np.array([5.0, 2.0, 1.0, 1.0])) and not found.identifies(np.array([0.0, 1.0, -1.0, 0.0]))


def test_a_part_that_nothing_moves_yields_first() -> None:
    matrix = np.array([[1.0, 0.0, -0.01], [0.5, 1.0, -0.02]])
    null = separated(matrix, unmoved=(2,)).null
    assert null[0, 2] == 1.0 and np.abs(null[0, :2]).max() < 0.02
    np.testing.assert_allclose(matrix @ null[0], 0.0, atol=1e-15)
    assert separated(matrix).null[0, 0] == 1.0


def test_a_column_of_zeros_is_alone_in_its_null_vector() -> None:
    found = separated(np.array([[1.0, 0.0, 0.5], [0.0, 1e-14, 1.0]]))
    np.testing.assert_array_equal(found.null, [[0.0, 1.0, 0.0]])
    assert found.separable.tolist() == [True, False, True] and len(found.sums) == 0


def test_nothing_at_all_is_moved() -> None:
    found = separated(np.zeros((2, 2)))
    assert found.rank == 0 and not found.separable.any() and len(found.null) == 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
def test_what_is_identified_is_the_row_space(seed: int, arms: int, parts: int, rank: int) -> None:
    """Property: null vectors are annihilated, sums are identified, rows of M are, a random combination is not below full rank."""
    rng = np.random.default_rng(seed)
    rank = min(rank, arms, parts)
    matrix = rng.standard_normal((arms, rank)) @ rng.standard_normal((rank, parts)) * 10.0 ** rng.integers(-3, 4, parts)
    found = separated(matrix)
    assert found.rank == rank and found.null.shape == (parts - rank, parts)
    size = np.linalg.norm(matrix, axis=1, keepdims=True) * np.linalg.norm(found.null, axis=1)
    assert (np.abs(matrix @ found.null.T) <= 1e-6 * size).all()
    assert all(found.identifies(row) for row in (*matrix, *found.sums))
    assert found.separable.tolist() == [found.identifies(row) for row in np.eye(parts)]
    if rank < parts:
        assert not found.identifies(found.null[0] / np.linalg.norm(found.null[0]) * found.scale)


def test_units_of_a_column_do_not_matter() -> None:
    matrix = np.array([[1.0, 1.0, 0.0], [0.5, 0.5, 1.0], [0.2, 0.2, 0.3]])
    scale = np.array([1.0, 1e6, 1e-6])
    one, other = separated(matrix), separated(matrix * scale)
    assert one.rank == other.rank == 2
    np.testing.assert_array_equal(one.separable, other.separable)
    np.testing.assert_allclose(other.null * scale, one.null, atol=1e-9)


def test_just_identified_solution_is_the_inverse() -> None:
    matrix, theta = np.array([[1.0, 0.2], [0.3, 0.9]]), np.array([2.0, -1.0])
    found, influence = solved(matrix, theta)
    np.testing.assert_allclose(found.theta, theta, rtol=1e-12)
    np.testing.assert_allclose(found.influence, influence @ np.linalg.inv(matrix).T, rtol=1e-10)
    assert found.fit is None


def test_identified_parts_do_not_depend_on_the_choice_of_solution() -> None:
    """Minimum norm, or any column of the null vector fixed at zero: parts and sums that are identified agree."""
    matrix = np.array([[1.0, 0.0, 0.0, 0.0], [0.3, 0.9, 0.9, 0.0], [0.2, 0.8, 0.0, 0.8]])
    theta = np.array([2.0, 1.0, 0.5, 0.25])
    found, influence = solved(matrix, theta)
    for dropped in (1, 2, 3):
        kept = [k for k in range(4) if k != dropped]
        other, effect = np.zeros(4), np.zeros((50, 4))
        other[kept] = np.linalg.solve(matrix[:, kept], matrix @ theta)
        effect[:, kept] = influence @ np.linalg.inv(matrix[:, kept]).T
        for combination in (np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0, 1.0])):
            assert combination @ found.theta == pytest.approx(combination @ theta, rel=1e-12)
            assert combination @ other == pytest.approx(combination @ theta, rel=1e-12)
            np.testing.assert_allclose(found.influence @ combination, effect @ combination, atol=1e-14)


def test_overidentified_solution_is_two_step_gmm() -> None:
    matrix, theta = np.array([[1.0, 0.2], [0.3, 0.9], [0.5, 0.5], [0.9, 0.1]]), np.array([2.0, -1.0])
    found, influence = solved(matrix, theta, misfit=np.array([0.05, 0.0, 0.0, -0.05]))
    tau = matrix @ theta + [0.05, 0.0, 0.0, -0.05]
    weight = np.linalg.inv(influence.T @ influence)
    inverse = np.linalg.solve(matrix.T @ weight @ matrix, matrix.T @ weight)
    np.testing.assert_allclose(found.theta, inverse @ tau, rtol=1e-10)
    np.testing.assert_allclose(found.influence, influence @ inverse.T, rtol=1e-8, atol=1e-14)
    gap = tau - matrix @ found.theta
    assert found.fit is not None and found.fit.restrictions == 2
    assert found.fit.statistic == pytest.approx(gap @ weight @ gap, rel=1e-10)


def test_the_second_step_weights_with_the_matrix_estimated() -> None:
    rng = np.random.default_rng(3)
    matrix, tau = rng.standard_normal((3, 2)), rng.standard_normal(3)
    of_tau, of_matrix = rng.standard_normal((50, 3)) / 50, rng.standard_normal((50, 3, 2)) / 50

    def step(theta: FloatArray) -> FloatArray:
        scores = of_tau - of_matrix @ theta
        weight = np.linalg.inv(scores.T @ scores)
        return np.linalg.solve(matrix.T @ weight @ matrix, matrix.T @ weight @ tau)

    found = solve_parts((tau, of_tau), (matrix, of_matrix), separated(matrix), GROUPS)
    assert found is not None
    np.testing.assert_allclose(found.theta, step(step(np.zeros(2))), rtol=1e-9)


def test_an_arm_that_repeats_another_tests_nothing() -> None:
    matrix = np.array([[1.0, 0.2], [0.3, 0.9], [0.3, 0.9]])
    rng = np.random.default_rng(0)
    influence = rng.standard_normal((50, 2))[:, [0, 1, 1]] / 50
    theta = np.array([2.0, -1.0])
    found = solve_parts((matrix @ theta, influence), (matrix, np.zeros((50, 3, 2))), separated(matrix), GROUPS)
    assert found is not None and found.fit is None
    np.testing.assert_allclose(found.theta, theta, rtol=1e-10)


def test_too_few_clusters_to_weight() -> None:
    rng = np.random.default_rng(0)
    matrix, influence = rng.standard_normal((4, 3)), rng.standard_normal((50, 4))
    assert solve_parts((matrix[:, 0], influence), (matrix, np.zeros((50, 4, 3))), separated(matrix), GROUPS % 2) is None


def test_covariance_adds_up_within_clusters() -> None:
    influence = np.random.default_rng(0).standard_normal((50, 2))
    groups = GROUPS % 7
    sums = np.array([influence[groups == c].sum(axis=0) for c in range(7)])
    np.testing.assert_allclose(clustered_covariance(influence, groups), sums.T @ sums, rtol=1e-12)
