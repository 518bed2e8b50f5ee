"""Firm and label × year effects taken out exactly: against written-out dummies, linearmodels and pyfixest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.stats.covariates_by_year import without_firm_and_covariates
from sme_eval.stats.two_way_within import linear_slope, poisson_slope, usable_rows, without_firm_and_year
from tests.unit.panels import panel


def wide(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame.pivot(index="id", columns="year", values=name).to_numpy(dtype=float)


def label_of(frame: pd.DataFrame) -> np.ndarray:
    return frame.groupby("id")["industry"].first().to_numpy().astype(np.intp)


def dummies(label: np.ndarray, years: int, by: np.ndarray) -> np.ndarray:
    """Written out, (N·T, columns): firms, and `by` (N, p) × year."""
    n = len(label)
    firm = np.kron(np.eye(n), np.ones((years, 1)))
    year = np.concatenate([np.kron(by[i], np.eye(years)) for i in range(n)])
    return np.concatenate([firm, year], axis=1)


def brute_force(values: np.ndarray, design: np.ndarray, weight: np.ndarray) -> np.ndarray:
    root, flat = np.sqrt(weight.ravel()), values.reshape(len(values), -1)
    fit = np.linalg.lstsq(design * root[:, None], (flat * root).T, rcond=None)[0]
    return np.where(weight.ravel() > 0, flat - (design @ fit).T, 0.0).reshape(values.shape)


def test_the_residuals_are_those_of_written_out_dummies() -> None:
    rng = np.random.default_rng(2)
    label = rng.integers(0, 3, 20).astype(np.intp)
    weight = rng.uniform(0.1, 3.0, (20, 5)) * (rng.random((20, 5)) < 0.8)
    values = rng.standard_normal((2, 20, 5))
    design = dummies(label, 5, np.eye(3)[label])
    np.testing.assert_allclose(without_firm_and_year(values, weight, label), brute_force(values, design, weight), atol=1e-10)


def test_covariates_by_year_are_those_of_written_out_columns() -> None:
    rng = np.random.default_rng(4)
    seen, firm_weight = rng.random((25, 4)) < 0.8, rng.uniform(0.5, 2.0, 25)
    covariates = np.column_stack([np.ones(25), rng.standard_normal(25), rng.integers(0, 2, 25)])
    values = rng.standard_normal((3, 25, 4))
    design = dummies(np.zeros(25, dtype=np.intp), 4, covariates)
    expected = brute_force(values, design, seen * firm_weight[:, None])
    np.testing.assert_allclose(without_firm_and_covariates(values, seen, covariates, firm_weight), expected, atol=1e-10)


@pytest.mark.parametrize("missing", [0.0, 0.25])
@pytest.mark.parametrize("weight", [None, "w"])
def test_poisson_equals_pyfixest(missing: float, weight: str | None) -> None:
    """Counts with many zeros, firms that never have any among them, and firms seen once."""
    frame = panel(11, firms=50, missing=missing)
    sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="count", columns=("x", "industry"), weight=weight)
    choices = sme.PoissonRegression(regressors=("x",), effects=("firm", ("industry", "year")))
    theirs = choices.fit(sample)["x"]
    regressor = np.nan_to_num(wide(frame, "x"))
    own = None if weight is None else frame.groupby("id")["w"].first().to_numpy()
    ours = poisson_slope(wide(frame, "count"), regressor, label_of(frame), own)
    assert ours is not None
    groups = theirs.n_clusters
    factor = groups / (groups - 1) * (ours.rows - 1) / (ours.rows - ours.parameters)
    assert ours.rows == theirs.n_observations
    assert ours.estimate == pytest.approx(float(theirs.estimate), abs=1e-8)
    assert np.sqrt(factor * ours.influence @ ours.influence) == pytest.approx(float(theirs.std_error), abs=1e-8)


def test_linear_equals_linearmodels() -> None:
    frame = panel(12, firms=40, missing=0.2)
    sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", columns=("x", "industry"))
    theirs = sme.PanelRegression(regressors=("x",), effects=("firm", ("industry", "year"))).fit(sample)["x"]
    ours = linear_slope(wide(frame, "y"), np.nan_to_num(wide(frame, "x")), label_of(frame))
    assert ours is not None
    groups = theirs.n_clusters
    factor = groups / (groups - 1) * (ours.rows - 1) / (ours.rows - ours.parameters)
    assert ours.rows == theirs.n_observations
    assert ours.estimate == pytest.approx(float(theirs.estimate), abs=1e-9)
    assert np.sqrt(factor * ours.influence @ ours.influence) == pytest.approx(float(theirs.std_error), abs=1e-9)


def test_the_unit_of_a_poisson_outcome_is_without_effect() -> None:
    frame = panel(13)
    y, x, label = np.exp(wide(frame, "y")), wide(frame, "x"), label_of(frame)
    yuan, hundred_million = poisson_slope(1e4 * y, x, label), poisson_slope(1e-4 * y, x, label)
    assert yuan is not None and hundred_million is not None
    assert yuan.estimate == pytest.approx(hundred_million.estimate, abs=1e-9)


def test_the_order_of_firms_is_without_effect() -> None:
    frame = panel(14)
    y, x, label = wide(frame, "count"), wide(frame, "x"), label_of(frame)
    order = np.random.default_rng(0).permutation(len(label))
    first, second = poisson_slope(y, x, label), poisson_slope(y[order], x[order], label[order])
    assert first is not None and second is not None
    assert first.estimate == pytest.approx(second.estimate, abs=1e-10)
    np.testing.assert_allclose(first.influence[order], second.influence, atol=1e-10)


def test_a_regressor_that_the_effects_absorb_has_no_slope() -> None:
    frame = panel(15)
    constant = np.repeat(np.arange(60.0)[:, None], 6, axis=1)
    assert linear_slope(wide(frame, "y"), constant, label_of(frame)) is None
    assert poisson_slope(wide(frame, "count"), constant, label_of(frame)) is None


def test_a_slope_that_runs_off_is_none() -> None:
    """The regressor is one exactly where the outcome is zero: no maximum."""
    rng = np.random.default_rng(1)
    on = rng.random((30, 4)) < 0.3
    assert poisson_slope(np.where(on, 0.0, rng.uniform(1.0, 2.0, (30, 4))), on.astype(float), np.zeros(30, dtype=np.intp)) is None


def test_rows_alone_and_levels_without_a_positive_outcome_are_left_out() -> None:
    outcome = np.array([[1.0, 2.0, np.nan], [0.0, 0.0, 0.0], [1.0, np.nan, np.nan], [3.0, 1.0, 2.0]])
    one = np.zeros(4, dtype=np.intp)
    assert usable_rows(outcome, one, positive=True).sum(axis=1).tolist() == [2, 0, 0, 2]
    assert usable_rows(outcome, one, positive=False).sum(axis=1).tolist() == [2, 3, 0, 3]
