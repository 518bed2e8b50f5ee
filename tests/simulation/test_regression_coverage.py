"""Known truth: Poisson, differenced, Mundlak's and synthetic estimates against their Monte Carlo errors."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

YEARS = np.arange(2015, 2023)
EFFECT = 0.3


def frame(y: np.ndarray, **columns: np.ndarray) -> pd.DataFrame:
    n = len(y)
    base = {"id": np.repeat(np.arange(n), len(YEARS)), "year": np.tile(YEARS, n), "y": y.ravel()}
    return pd.DataFrame(base | {name: np.broadcast_to(c, y.shape).ravel() for name, c in columns.items()})


def counts(seed: int) -> sme.Estimate:
    """Overdispersed counts whose variance goes with x and whose firm effects do too."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((80, 1))
    x = rng.standard_normal((80, len(YEARS))) + 0.5 * own
    shock = rng.gamma(4.0, 0.25, x.shape)
    y = rng.poisson(np.exp(EFFECT * x + 0.5 * own + 0.05 * np.arange(len(YEARS))) * shock).astype(float)
    data = sme.Sample.from_frame(frame(y, x=x), firm="id", year="year", outcome="y", columns=("x",))
    return sme.PoissonRegression(regressors=("x",)).fit(data)["x"]


def regression(seed: int, errors: str) -> sme.Sample:
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((100, 1))
    x = rng.standard_normal((100, len(YEARS))) + own
    noise = rng.standard_normal(x.shape) * np.exp(0.3 * own)
    if errors == "walk":
        noise = noise.cumsum(axis=1)
    return sme.Sample.from_frame(frame(EFFECT * x + own + noise, x=x), firm="id", year="year", outcome="y", columns=("x",))


def changes(seed: int) -> sme.Estimate:
    return sme.FirstDifferences(regressors=("x",)).fit(regression(seed, "walk"))["x"]


def means(seed: int) -> sme.Estimate:
    return sme.MundlakRegression(regressors=("x",)).fit(regression(seed, "independent"))["x"]


def factors(seed: int) -> sme.Sample:
    """Treated firms load more on a common factor: their trends are not parallel to the average firm's."""
    rng = np.random.default_rng(seed)
    n, cohort = 200, np.where(np.arange(200) < 60, 2020, 0)
    loading = rng.standard_normal(n) + 0.7 * (cohort > 0)
    factor = np.array([0.0, 0.9, -0.4, 0.7, 1.2, 1.0, 1.5, 1.1])
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    y = rng.standard_normal((n, 1)) + np.outer(loading, factor) + EFFECT * treated + 0.15 * rng.standard_normal((n, len(YEARS)))
    return sme.Sample.from_frame(frame(y, g=cohort[:, None]), firm="id", year="year", outcome="y", cohort="g")


def synthetic(seed: int) -> sme.Estimate:
    return sme.SyntheticDiD().fit(factors(seed)).overall


@pytest.mark.parametrize(("estimate", "panels"), [(counts, 120), (changes, 200), (means, 200)])
def test_bias_and_coverage(estimate: Callable[[int], sme.Estimate], panels: int) -> None:
    found = [estimate(seed) for seed in range(panels)]
    values = np.array([float(e.estimate) for e in found])
    assert abs(values.mean() - EFFECT) < 3 * values.std(ddof=1) / math.sqrt(panels)
    covered = np.mean([e.conf_low <= EFFECT <= e.conf_high for e in found])
    assert abs(covered - 0.95) < 3 * math.sqrt(0.95 * 0.05 / panels)


def test_synthetic_follows_factors_where_two_way_effects_do_not() -> None:
    """Little noise before treatment: the bias left is small beside that of equal weights, and intervals cover at least as said."""
    panels = 200
    found = [synthetic(seed) for seed in range(panels)]
    values = np.array([float(e.estimate) for e in found])
    plain = np.array([float(sme.TwoWayFixedEffects().fit(factors(seed)).estimate) for seed in range(40)])
    assert abs(values.mean() - EFFECT) < 0.1 * abs(plain.mean() - EFFECT)
    covered = np.mean([e.conf_low <= EFFECT <= e.conf_high for e in found])
    assert covered > 0.95 - 3 * math.sqrt(0.95 * 0.05 / panels)


def test_the_means_test_keeps_its_size() -> None:
    """Firm effects unrelated to x: rejected at five per cent in about five per cent of panels."""
    rejected = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((100, len(YEARS))) + rng.standard_normal((100, 1))
        y = EFFECT * x + rng.standard_normal((100, 1)) + rng.standard_normal(x.shape)
        data = sme.Sample.from_frame(frame(y, x=x), firm="id", year="year", outcome="y", columns=("x",))
        rejected.append(sme.MundlakRegression(regressors=("x",)).fit(data).means_test().p_value < 0.05)
    assert abs(np.mean(rejected) - 0.05) < 3 * math.sqrt(0.05 * 0.95 / 200)
