"""Known truth: staggered panels with parallel trends; bias and coverage against their Monte Carlo errors.

A small run for every test session. With S panels a true 95 % coverage has a Monte Carlo error of sqrt(.95 · .05 / S).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

PANELS = 300
FIRMS, YEARS = 200, np.arange(2015, 2023)
EFFECT = 0.3


def draw(seed: int, *, missing: float, weighted: bool) -> pd.DataFrame:
    """One common effect, cohorts chosen on the firm's level (not its trend), heteroskedastic AR(1) errors."""
    rng = np.random.default_rng(seed)
    level = rng.standard_normal(FIRMS)
    cohort = np.where(rng.random(FIRMS) < 1 / (1 + np.exp(-0.5 * level)), rng.choice([2018, 2020], FIRMS), 0)
    noise = rng.standard_normal((FIRMS, len(YEARS))) * np.exp(0.3 * rng.standard_normal((FIRMS, 1)))
    for t in range(1, len(YEARS)):
        noise[:, t] = 0.5 * noise[:, t - 1] + noise[:, t]
    treated = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    y = level[:, None] + rng.standard_normal(len(YEARS)) + EFFECT * treated + noise
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(FIRMS), len(YEARS)),
            "year": np.tile(YEARS, FIRMS),
            "y": y.ravel(),
            "g": np.repeat(cohort, len(YEARS)),
            "elig": np.repeat(np.arange(FIRMS) % 2, len(YEARS)),
            "w": np.repeat(rng.uniform(0.5, 1.5, FIRMS) if weighted else np.ones(FIRMS), len(YEARS)),
        }
    )
    return frame[rng.random(len(frame)) >= missing]


ESTIMATORS: dict[str, Callable[[sme.Sample], sme.Estimate]] = {
    "TwoWayFixedEffects": lambda s: sme.TwoWayFixedEffects().fit(s),
    "EventStudyRegression": lambda s: sme.EventStudyRegression().fit(s).overall,
    "CallawaySantAnna": lambda s: sme.CallawaySantAnna(panel="pairs").fit(s).aggregate("simple").overall,
    "CallawaySantAnna not yet": lambda s: (
        sme.CallawaySantAnna(panel="pairs", comparison="not_yet_treated").fit(s).aggregate("dynamic").overall
    ),
}


@pytest.mark.parametrize(
    ("missing", "weighted"), [(0.0, False), (0.1, False), (0.1, True)], ids=["balanced", "unbalanced", "weighted"]
)
def test_bias_and_coverage(missing: float, weighted: bool) -> None:
    estimates: dict[str, list[float]] = {name: [] for name in ESTIMATORS}
    covered: dict[str, list[bool]] = {name: [] for name in ESTIMATORS}
    for seed in range(PANELS):
        data = draw(seed, missing=missing, weighted=weighted)
        sample = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", weight="w" if weighted else None)
        for name, estimate in ESTIMATORS.items():
            one = estimate(sample)
            estimates[name].append(float(one.estimate))
            covered[name].append(one.conf_low <= EFFECT <= one.conf_high)
    for name in ESTIMATORS:
        bias_error = np.std(estimates[name], ddof=1) / math.sqrt(PANELS)
        assert abs(np.mean(estimates[name]) - EFFECT) < 3 * bias_error, name
        coverage_error = math.sqrt(0.95 * 0.05 / PANELS)
        assert abs(np.mean(covered[name]) - 0.95) < 3 * coverage_error, (name, np.mean(covered[name]))
