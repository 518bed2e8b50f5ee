"""Known truth where trends are parallel only among firms with the same x, or only within districts.

Treated eligible firms have higher x and sit in districts that grow faster. x × year effects, or district × year effects, must find
the truth; the same estimator without them must not, which shows that the worlds are hard. With S panels the bias has a Monte Carlo
error of sd/√S and a true 95 % coverage one of sqrt(.95 · .05 / S) = 3.1 points at S = 50.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

PANELS = 50
FIRMS, YEARS, DISTRICTS = 240, np.arange(2015, 2023), 8
EFFECT = 0.5


@cache
def draw(seed: int, world: str) -> pd.DataFrame:
    """`y` with effects that differ by cohort and grow, `same` with one effect, `only` with one effect on eligible firms alone."""
    rng = np.random.default_rng(seed)
    cohort, eligible = rng.choice([0, 0, 2018, 2020], FIRMS), rng.integers(0, 2, FIRMS)
    favoured = (cohort > 0) * eligible
    x = rng.standard_normal(FIRMS) + 0.8 * favoured
    tilt = np.exp(0.3 * favoured[:, None] * np.arange(DISTRICTS))
    district = (rng.random((FIRMS, 1)) > np.cumsum(tilt / tilt.sum(axis=1, keepdims=True), axis=1)).sum(axis=1)
    paths = 0.1 * np.arange(DISTRICTS)[:, None] * (YEARS - 2015) + 0.3 * rng.standard_normal((DISTRICTS, len(YEARS)))
    trend = 0.2 * x[:, None] * (YEARS - 2015) if world == "x" else paths[district]
    event_time = np.where(cohort[:, None] > 0, YEARS - cohort[:, None], -99)
    grows = np.where(event_time >= 0, np.where(cohort == 2018, 1.0, 0.5)[:, None] * (0.2 + 0.3 * event_time), 0.0)
    base = rng.standard_normal((FIRMS, 1)) + rng.standard_normal(len(YEARS)) + trend + rng.standard_normal((FIRMS, len(YEARS)))
    treated = event_time >= 0
    paths_of = {
        "y": base + grows,
        "same": base + EFFECT * treated,
        "only": base + EFFECT * treated * eligible[:, None],
        "truth": grows,
        "e": event_time,
    }
    constants = {"id": np.arange(FIRMS), "g": cohort, "elig": eligible, "x": x, "district": district}
    frame = pd.DataFrame({name: np.repeat(value, len(YEARS)) for name, value in constants.items()})
    frame = frame.assign(year=np.tile(YEARS, FIRMS), **{name: path.ravel() for name, path in paths_of.items()})
    return frame[rng.random(len(frame)) >= 0.1]


Fit = Callable[[sme.Sample, str | None], sme.Estimate]
ESTIMATORS: dict[str, tuple[str, Fit]] = {
    "TwoWayFixedEffects": ("same", lambda s, by: sme.TwoWayFixedEffects(year_effects_by=by).fit(s)),
    "EventStudyRegression": ("same", lambda s, by: sme.EventStudyRegression(year_effects_by=by).fit(s).overall),
    "SunAbraham": ("y", lambda s, by: sme.SunAbraham(year_effects_by=by).fit(s).overall),
    "StackedDiD": ("same", lambda s, by: sme.StackedDiD(window=(-3, 2), year_effects_by=by).fit(s).overall),
    "TripleDifference": ("only", lambda s, by: sme.TripleDifference(eligible="elig", year_effects_by=by).fit(s)),
}


def sample(data: pd.DataFrame, outcome: str, covariates: tuple[str, ...]) -> sme.Sample:
    names = {"firm": "id", "year": "year", "outcome": outcome, "cohort": "g"}
    return sme.Sample.from_frame(data, covariates=covariates, columns=("elig", "district"), **names)


@pytest.mark.parametrize(
    ("world", "name"), [(w, n) for w in ("x", "district") for n in ESTIMATORS if (w, n) != ("x", "StackedDiD")]
)
def test_bias_and_coverage(world: str, name: str) -> None:
    outcome, fit = ESTIMATORS[name]
    misses, naive, covered = [], [], []
    for seed in range(PANELS):
        data = draw(seed, world)
        truth = float(data["truth"][data["e"] >= 0].mean()) if outcome == "y" else EFFECT
        plain = sample(data, outcome, ())
        found = fit(sample(data, outcome, ("x",)), None) if world == "x" else fit(plain, "district")
        misses.append(float(found.estimate) - truth)
        naive.append(float(fit(plain, None).estimate) - truth)
        covered.append(float(found.conf_low) <= truth <= float(found.conf_high))
    assert abs(np.mean(misses)) < 3 * np.std(misses, ddof=1) / np.sqrt(PANELS)
    assert abs(np.mean(covered) - 0.95) < 3 * np.sqrt(0.95 * 0.05 / PANELS)
    assert abs(np.mean(naive)) > 5 * np.std(naive, ddof=1) / np.sqrt(PANELS)
