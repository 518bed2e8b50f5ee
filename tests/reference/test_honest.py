"""Sensitivity to trends against R's HonestDiD 0.2.6: every row, and why one fixed-length interval lies elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from numpy.random import MT19937
from scipy import stats

from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.honest_intervals import Path, honest_interval
from sme_eval.stats.honest_length import _Frontier, shortest_interval

from .rows import FOLDER

ALPHA = 0.05
SMOOTH = 1e-4
"""Fixed-length intervals: R's critical value comes from a million draws, whose error is 3e-5 here."""
GRID_RM, GRID_SD = 200, 1000
LOOSE = "M=0.005"
"""The half-length is flat around its minimum, so that R's draws decide where its search ends: reproduced below."""


def inputs() -> Path:
    read = pd.read_csv(FOLDER / "values" / "honest_input_mpdta_twfe_es.csv")
    weights = np.array([1.0, 0.0, 0.0, 0.0])
    return Path(estimate=read["beta"].to_numpy(), covariance=read.iloc[:, 2:].to_numpy(), weights=weights)


def expected(quantity: str) -> dict[str, tuple[float, float]]:
    read = pd.read_csv(FOLDER / "values" / "honestdid_mpdta_twfe_es.csv", dtype={"term": str})
    chosen = read[read["quantity"] == quantity]
    return {term: (float(of["estimate"].min()), float(of["estimate"].max())) for term, of in chosen.groupby("term")}


def test_every_row_is_compared() -> None:
    read = pd.read_csv(FOLDER / "values" / "honestdid_mpdta_twfe_es.csv")
    sizes = read.groupby("quantity").size().to_dict()
    assert sizes == {"original": 2, "DeltaRM_C-LF_first_grid200": 10, "DeltaSD_FLCI_first": 12, "DeltaSD_C-LF_first": 6}


def test_original_interval() -> None:
    assert inputs().original(ALPHA) == pytest.approx(expected("original")["first;lb;ub"], rel=1e-10)


@pytest.mark.parametrize("term", sorted(expected("DeltaRM_C-LF_first_grid200")))
def test_relative_magnitudes_to_one_grid_step(term: str) -> None:
    """R's ends are the outermost accepted points of its grid, ours lie between them and the next ones."""
    path = inputs()
    step = 40.0 * path.std_error / (GRID_RM - 1)
    low, high = honest_interval(path, "relative_magnitudes", float(term.removeprefix("Mbar=")), alpha=ALPHA)
    first, last = expected("DeltaRM_C-LF_first_grid200")[term]
    assert -step <= low - first <= 1e-9
    assert -1e-9 <= high - last <= step


@pytest.mark.parametrize("term", sorted(expected("DeltaSD_C-LF_first")))
def test_conditional_smoothness_to_one_grid_step(term: str) -> None:
    path, bound = inputs(), float(term.removeprefix("M="))
    step = (40.0 * path.std_error + 2.0 * bound) / (GRID_SD - 1)
    found = honest_interval(path, "smoothness_conditional", bound, alpha=ALPHA)
    assert found == pytest.approx(expected("DeltaSD_C-LF_first")[term], abs=step)


@pytest.mark.parametrize("term", sorted(set(expected("DeltaSD_FLCI_first")) - {LOOSE}))
def test_fixed_length_smoothness(term: str) -> None:
    found = honest_interval(inputs(), "smoothness", float(term.removeprefix("M=")), alpha=ALPHA)
    assert found == pytest.approx(expected("DeltaSD_FLCI_first")[term], abs=SMOOTH)


# --- the one that lies elsewhere -------------------------------------------------------------------------------------


def r_normals(count: int) -> FloatArray:
    """R's `set.seed(0); rnorm(count)`: Mersenne twister seeded by its congruential generator, normals by inversion."""
    seed, state = 0, []
    for n in range(50 + 625):
        seed = (69069 * seed + 1) % 2**32
        if n >= 50:
            state.append(seed)
    twister = MT19937()
    twister.state = {"bit_generator": "MT19937", "state": {"key": np.array(state[1:], dtype=np.uint32), "pos": 624}}
    uniform = twister.random_raw(2 * count).astype(np.float64) * 2.3283064365386963e-10
    big = 134217728.0
    return np.asarray(stats.norm.ppf((np.floor(big * uniform[0::2]) + uniform[1::2]) / big))


def test_rs_normals() -> None:
    """The first draws of `set.seed(0); rnorm(3)` as R prints them."""
    assert r_normals(3).round(7).tolist() == [1.2629543, -0.3262334, 1.3297993]


def test_where_rs_draws_end_its_search_is_no_shorter() -> None:
    """With R's draws in place of the exact critical value, R's own bisection over the standard error gives R's interval."""
    path, bound = inputs(), 0.005
    frontier = _Frontier.of(path.covariance, path.n_before, path.weights)
    draws = r_normals(1_000_000)
    theirs = expected("DeltaSD_FLCI_first")[LOOSE]

    def at(h: float) -> tuple[FloatArray, float]:
        """The least bias with a standard error of at most h, and R's half-length there."""
        low, high = 0.0, frontier.largest_penalty()
        for _ in range(100):
            middle = 0.5 * (low + high)
            weights = frontier.weights(frontier.solve(middle))
            low, high = (middle, high) if weights @ path.covariance @ weights < h * h else (low, middle)
        weights = frontier.weights(frontier.solve(low))
        bias = bound * float(np.abs(frontier.slopes.T @ weights).sum())
        return weights, float(np.quantile(np.abs(draws + bias / h), 1.0 - ALPHA)) * h

    ends = [frontier.weights(frontier.solve(penalty)) for penalty in (0.0, frontier.largest_penalty())]
    low, high = (math.sqrt(float(w @ path.covariance @ w)) for w in ends)
    step = min((high - low) / 100, abs(high) * np.finfo(float).eps ** (1 / 3))
    while high - low > step:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if at(middle + step)[1] > at(middle - step)[1] else (middle, high)
    weights, half = at(0.5 * (low + high))
    centre = float(weights @ path.estimate)
    assert (centre - half, centre + half) == pytest.approx(theirs, abs=SMOOTH)
    exact = shortest_interval(path.covariance, path.n_before, path.weights, bound, ALPHA)
    assert exact.half_length == pytest.approx((theirs[1] - theirs[0]) / 2, abs=SMOOTH)
    bias, sd = bound * float(np.abs(frontier.slopes.T @ weights).sum()), math.sqrt(float(weights @ path.covariance @ weights))
    assert exact.half_length <= sd * math.sqrt(stats.ncx2.ppf(1.0 - ALPHA, 1, (bias / sd) ** 2))
