"""Known truth where trends are parallel only given x and within a district: imputation and two stages, unbalanced and weighted.

A small run for every test session. With S panels the mean's Monte Carlo error is sd / √S, that of a true 95 % coverage
sqrt(.95 · .05 / S): 1.5 points.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

PANELS, FIRMS, YEARS = 200, 240, np.arange(2018, 2024)
EFFECT = 0.3
ERRORS = 3.0
"""Monte Carlo errors within which an unbiased mean and a true coverage must lie."""
ESTIMATORS = (sme.ImputationDiD, sme.TwoStageDiD)


def draw(seed: int) -> pd.DataFrame:
    """Entry and growth both depend on x and on the district; every fifth firm or so leaves before the last two years."""
    rng = np.random.default_rng(seed)
    x, district = rng.standard_normal(FIRMS), rng.integers(0, 3, FIRMS)
    index = 0.6 * x + 0.5 * (district - 1) - 0.3
    cohort = np.where(rng.random(FIRMS) < 1.0 / (1.0 + np.exp(-index)), rng.choice([2020, 2022], FIRMS), 0)
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    growth = (0.2 * x + 0.2 * district)[:, None] * (YEARS - YEARS[0])
    y = rng.standard_normal((FIRMS, 1)) + growth + EFFECT * treated + 0.5 * rng.standard_normal((FIRMS, len(YEARS)))
    per_firm = {"id": np.arange(FIRMS), "g": cohort, "x": x, "d": district, "w": rng.uniform(0.5, 1.5, FIRMS)}
    data = pd.DataFrame({name: np.repeat(values, len(YEARS)) for name, values in per_firm.items()})
    data = data.assign(year=np.tile(YEARS, FIRMS), y=y.ravel())
    leaves = np.repeat(rng.random(FIRMS) < 0.2, len(YEARS))
    return data[~(leaves & (data.year >= 2022))]


@cache
def runs(covariates: tuple[str, ...], by: str | None) -> dict[type, tuple[np.ndarray, np.ndarray]]:
    """Per estimator the estimates and whether their intervals cover the truth."""
    found: dict[type, list[tuple[float, bool]]] = {kind: [] for kind in ESTIMATORS}
    for seed in range(PANELS):
        names = {"firm": "id", "year": "year", "outcome": "y", "cohort": "g", "weight": "w"}
        sample = sme.Sample.from_frame(draw(seed), **names, covariates=covariates, columns=("d",))
        for kind in ESTIMATORS:
            overall = kind(year_effects_by=by).fit(sample).overall
            found[kind].append((float(overall.estimate), float(overall.conf_low) <= EFFECT <= float(overall.conf_high)))
    return {kind: (np.array([e for e, _ in pairs]), np.array([c for _, c in pairs])) for kind, pairs in found.items()}


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_no_bias_and_coverage_given_both(kind: type) -> None:
    estimates, covered = runs(("x",), "d")[kind]
    assert abs(estimates.mean() - EFFECT) < ERRORS * estimates.std(ddof=1) / math.sqrt(PANELS)
    assert abs(covered.mean() - 0.95) < ERRORS * math.sqrt(0.95 * 0.05 / PANELS)


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize(("covariates", "by"), [((), "d"), (("x",), None)])
def test_either_alone_is_biased(kind: type, covariates: tuple[str, ...], by: str | None) -> None:
    """Otherwise the design above would prove nothing."""
    estimates, _ = runs(covariates, by)[kind]
    assert abs(estimates.mean() - EFFECT) > 2.0 * ERRORS * estimates.std(ddof=1) / math.sqrt(PANELS)
