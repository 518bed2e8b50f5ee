"""Known truth given covariates: doubly robust effects when either model is wrong, and the single models when theirs is.

A small run for every test session. With S panels the mean's Monte Carlo error is sd / √S, that of a true 95 % coverage
sqrt(.95 · .05 / S).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

PANELS, FIRMS, YEARS = 200, 500, np.arange(2018, 2024)
EFFECT = 0.3
ERRORS = 4.0
"""Monte Carlo errors within which an unbiased mean and a true coverage must lie."""
METHODS = ("dr", "reg", "ipw")


def draw(seed: int, wrong: str) -> pd.DataFrame:
    """Entry and growth depend on x, one of them in a way that the models, linear in x, miss."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(FIRMS)
    index = 0.8 * np.abs(x) - 0.7 + 0.3 * x if wrong == "logit" else 0.6 * x - 0.2
    growth = 0.3 * x if wrong == "logit" else 0.15 * x + 0.15 * x**2
    cohort = np.where(rng.random(FIRMS) < 1.0 / (1.0 + np.exp(-index)), rng.choice([2020, 2022], FIRMS), 0)
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    y = rng.standard_normal((FIRMS, 1)) + growth[:, None] * (YEARS - YEARS[0]) + EFFECT * treated
    y += 0.5 * rng.standard_normal((FIRMS, len(YEARS)))
    names = {"id": np.repeat(np.arange(FIRMS), len(YEARS)), "year": np.tile(YEARS, FIRMS), "y": y.ravel()}
    return pd.DataFrame(names).assign(g=np.repeat(cohort, len(YEARS)), x=np.repeat(x, len(YEARS)))


@cache
def runs(wrong: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per method the estimates and whether their intervals cover the truth."""
    found: dict[str, list[tuple[float, bool]]] = {method: [] for method in METHODS}
    for seed in range(PANELS):
        sample = sme.Sample.from_frame(draw(seed, wrong), firm="id", year="year", outcome="y", cohort="g", covariates=("x",))
        for method in METHODS:
            overall = sme.CallawaySantAnna(method=method).fit(sample).aggregate("simple").overall
            found[method].append((float(overall.estimate), float(overall.conf_low) <= EFFECT <= float(overall.conf_high)))
    return {method: (np.array([e for e, _ in pairs]), np.array([c for _, c in pairs])) for method, pairs in found.items()}


@pytest.mark.parametrize(("wrong", "method"), [("logit", "dr"), ("logit", "reg"), ("regression", "dr"), ("regression", "ipw")])
def test_no_bias_and_coverage_while_one_model_is_right(wrong: str, method: str) -> None:
    estimates, covered = runs(wrong)[method]
    error = estimates.std(ddof=1) / math.sqrt(PANELS)
    assert abs(estimates.mean() - EFFECT) < ERRORS * error
    assert abs(covered.mean() - 0.95) < ERRORS * math.sqrt(0.95 * 0.05 / PANELS)


@pytest.mark.parametrize(("wrong", "method"), [("logit", "ipw"), ("regression", "reg")])
def test_the_wrong_model_alone_is_biased(wrong: str, method: str) -> None:
    """Otherwise the designs above would prove nothing."""
    estimates, _ = runs(wrong)[method]
    assert abs(estimates.mean() - EFFECT) > 2.0 * ERRORS * estimates.std(ddof=1) / math.sqrt(PANELS)
