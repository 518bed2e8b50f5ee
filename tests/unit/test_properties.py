"""Invariances: order of rows, names of firms, units, irrelevant levels."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_moments import ESTIMATORS, frame, make

INVARIANT = 1e-10
"""Sums in another order; the largest difference seen is near 1e-13."""

SEEDS = st.integers(0, 10_000)


def tables(data: pd.DataFrame) -> list[pd.DataFrame]:
    sample = make(data)
    return [estimate(sample)[["estimate", "std_error"]] for estimate in ESTIMATORS.values()]


def assert_same(first: pd.DataFrame, second: pd.DataFrame, scale: float = 1.0) -> None:
    for a, b in zip(tables(first), tables(second), strict=True):
        np.testing.assert_allclose(scale * a.to_numpy(), b.to_numpy(), rtol=INVARIANT, atol=INVARIANT * scale)


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_order_of_rows(seed: int) -> None:
    data = frame(seed % 7)
    assert_same(data, data.sample(frac=1.0, random_state=seed))


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_names_of_firms(seed: int) -> None:
    data = frame(seed % 7)
    names = pd.Series(np.random.default_rng(seed).permutation(data.id.nunique()), index=data.id.unique())
    assert_same(data, data.assign(id=data.id.map(names)))
    assert_same(data, data.assign(id="企业" + data.id.map(names).astype(str)))
    assert_same(data, data.assign(id=data.id.map(names) * 10_000_019))


@settings(max_examples=8, deadline=None)
@given(st.floats(1e-4, 1e4), st.floats(-1e3, 1e3))
def test_units(scale: float, level: float) -> None:
    """In other units the estimates are in other units; a common level changes nothing."""
    data = frame(3)
    for a, b in zip(tables(data), tables(data.assign(y=scale * data.y + level)), strict=True):
        np.testing.assert_allclose(scale * a.to_numpy(), b.to_numpy(), rtol=1e-8, atol=1e-8 * scale + 1e-11 * abs(level))


@settings(max_examples=5, deadline=None)
@given(SEEDS)
def test_year_effects_change_nothing(seed: int) -> None:
    data = frame(seed % 5)
    shock = pd.Series(np.random.default_rng(seed).normal(0, 5, 40), index=range(2000, 2040))
    assert_same(data, data.assign(y=data.y + data.year.map(shock)))


@settings(max_examples=5, deadline=None)
@given(st.floats(0.1, 10.0))
def test_weights_count_relatively(factor: float) -> None:
    data = frame(2)
    for name, estimate in ESTIMATORS.items():
        a, b = (estimate(make(d, weight="w")) for d in (data, data.assign(w=data.w * factor)))
        np.testing.assert_allclose(a[["estimate", "std_error"]], b[["estimate", "std_error"]], rtol=INVARIANT, err_msg=name)


def test_small_integers_do_not_wrap() -> None:
    data = frame(1)
    narrow = data.assign(id=data.id.astype(np.int8), year=data.year.astype(np.int16), g=data.g.astype(np.int16))
    assert_same(data, narrow)
