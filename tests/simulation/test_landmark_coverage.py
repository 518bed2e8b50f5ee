"""Known truth: entry chosen on past growth; A (given growth), B (its doubly robust twin) and U (unconditional) against it.

With S panels a true 95 % coverage has a Monte Carlo error of sqrt(.95 · .05 / S), a bias one of sd / sqrt(S).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

PANELS = 200
FIRMS, YEARS, ENTRANTS = 500, np.arange(2014, 2023), {2018: 30, 2020: 40}
EFFECT = 0.2


def draw(seed: int, *, selected: bool, curved: bool = False) -> sme.Sample:
    """Firms with AR(1) outcomes; each year those with the most growth from g−3 to g−1, plus luck, enter.

    `curved`: trends bend in a covariate that entry also looks at, so that a linear regression on it is wrong and a logit is right.
    """
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((FIRMS, len(YEARS)))
    for t in range(1, len(YEARS)):
        noise[:, t] = 0.6 * noise[:, t - 1] + 0.8 * noise[:, t]
    x, cohort = rng.standard_normal(FIRMS), np.zeros(FIRMS, dtype=np.int64)
    for g, number in ENTRANTS.items():
        j = g - YEARS[0]
        merit = 0.8 * x + (0.5 * (noise[:, j - 1] - noise[:, j - 3]) if selected else 0.0) + rng.gumbel(size=FIRMS)
        merit[cohort > 0] = -np.inf
        cohort[np.argsort(-merit)[:number]] = g
    after = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    trend = np.exp(0.7 * x) if curved else x
    y = rng.standard_normal((FIRMS, 1)) + 0.1 * trend[:, None] * np.arange(len(YEARS)) + 0.25 * noise
    y = y + EFFECT * after
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(FIRMS), len(YEARS)),
            "year": np.tile(YEARS, FIRMS),
            "y": y.ravel(),
            "g": np.repeat(cohort, len(YEARS)),
            "x": np.repeat(x, len(YEARS)),
        }
    )
    return sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g", columns=("x",))


def run(designs: dict[str, sme.LandmarkDiD], **options: bool) -> dict[str, tuple[float, float, float]]:
    """Bias, its Monte Carlo error and coverage of each design."""
    errors: dict[str, list[float]] = {name: [] for name in designs}
    covered: dict[str, list[bool]] = {name: [] for name in designs}
    for seed in range(PANELS):
        sample = draw(50_000 + seed, **options)
        for name, design in designs.items():
            fit = design.fit(sample)
            errors[name].append(float(fit.estimate) - EFFECT)
            covered[name].append(fit.conf_low <= EFFECT <= fit.conf_high)
    return {
        name: (float(np.mean(e)), float(np.std(e, ddof=1) / math.sqrt(PANELS)), float(np.mean(covered[name])))
        for name, e in errors.items()
    }


COVERAGE_ERROR = math.sqrt(0.95 * 0.05 / PANELS)
GIVEN = sme.LandmarkDiD(covariates=("x",), window=(0, 1))


@pytest.mark.slow
def test_selection_on_past_growth() -> None:
    """A and B are right; U, which entrants' growth reverts under, is not."""
    found = run({"A": GIVEN, "B": GIVEN.doubly_robust(), "U": GIVEN.unconditional()}, selected=True)
    for name in ("A", "B"):
        bias, error, coverage = found[name]
        assert abs(bias) < 3 * error, name
        assert abs(coverage - 0.95) < 3 * COVERAGE_ERROR, (name, coverage)
    assert abs(found["U"][0]) > 10 * found["U"][1]


@pytest.mark.slow
def test_right_propensity_wrong_regression() -> None:
    """Pooled over two cohorts, the doubly robust form is right where the linear regression is not."""
    linear = sme.LandmarkDiD(covariates=("x",), past_growth=None, window=(0, 1))
    found = run({"reg": linear, "dr": replace(linear, method="dr")}, selected=False, curved=True)
    bias, error, coverage = found["dr"]
    assert abs(bias) < 3 * error
    assert abs(coverage - 0.95) < 3 * COVERAGE_ERROR, coverage
    assert abs(found["reg"][0]) > 10 * found["reg"][1]
