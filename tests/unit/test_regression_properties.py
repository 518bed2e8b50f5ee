"""What must not matter to Poisson, differenced, Mundlak's and synthetic estimates: order of rows, names of firms, units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from tests.unit import panels, test_synthetic_did

TWO = ("x", "z")
Fit = Callable[[pd.DataFrame], pd.DataFrame]
FITS: dict[str, Fit] = {
    "poisson": lambda f: sme.PoissonRegression(regressors=TWO).fit(panels.sample(f, "count")).to_frame(),
    "differences": lambda f: sme.FirstDifferences(regressors=TWO).fit(panels.sample(f)).to_frame(),
    "mundlak": lambda f: sme.MundlakRegression(regressors=TWO, constants=("size",)).fit(panels.sample(f)).to_frame(),
    "synthetic": lambda f: sme.SyntheticDiD().fit(test_synthetic_did.sample(f)).to_frame(),
}


def data(name: str) -> pd.DataFrame:
    return test_synthetic_did.panel(cohorts=(2014, 2016)) if name == "synthetic" else panels.panel(missing=0.1)


def close(first: pd.DataFrame, second: pd.DataFrame, scale: float | np.ndarray = 1.0) -> None:
    columns = ["estimate", "std_error"]
    np.testing.assert_allclose(first[columns].to_numpy() * scale, second[columns].to_numpy(), rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("name", FITS)
@settings(max_examples=3, deadline=None)
@given(st.integers(0, 1000))
def test_order_of_rows_and_names_of_firms(name: str, seed: int) -> None:
    frame = data(name)
    mixed = frame.sample(frac=1.0, random_state=seed)
    names = pd.Series(np.random.default_rng(seed).permutation(frame.id.nunique()), index=frame.id.unique())
    close(FITS[name](frame), FITS[name](mixed))
    close(FITS[name](frame), FITS[name](mixed.assign(id="企业" + mixed.id.map(names).astype(str))))


@pytest.mark.parametrize("name", ["differences", "mundlak", "synthetic"])
@settings(max_examples=3, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-100.0, 100.0))
def test_units_of_the_outcome(name: str, scale: float, level: float) -> None:
    frame = data(name)
    close(FITS[name](frame), FITS[name](frame.assign(y=scale * frame.y + level)), scale)


@settings(max_examples=3, deadline=None)
@given(st.floats(1e-3, 1e3))
def test_units_of_a_count_change_nothing(scale: float) -> None:
    frame = data("poisson")
    first, second = FITS["poisson"](frame), FITS["poisson"](frame.assign(count=scale * frame["count"]))
    close(first, second)


@pytest.mark.parametrize("name", ["poisson", "differences", "mundlak"])
def test_units_of_a_regressor(name: str) -> None:
    frame = data(name)
    first, second = FITS[name](frame), FITS[name](frame.assign(x=1000.0 * frame.x))
    scale = np.where(first["term"].str.endswith("x"), 1e-3, 1.0)[:, None]
    close(first, second, scale)
