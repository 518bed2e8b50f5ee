"""Known truth for doses: what is unbiased and covers, and that the warning about comparing doses is true.

With S panels a bias has a Monte Carlo error of sd/√S and a true 95 % coverage one of sqrt(.95 · .05 / S): 1.5 points at S = 200.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

PANELS, FEWER = 200, 60
FIRMS, YEARS = 300, np.arange(2017, 2022)
DOSES = np.array([1.0, 2.0, 4.0])


def panel(rng: np.random.Generator, gain: np.ndarray, cohort: np.ndarray, dose: np.ndarray, missing: float = 0.0) -> pd.DataFrame:
    """Parallel trends, AR(1) errors, `gain` (N, T) from treatment on; weights and towns of ten firms beside."""
    noise = rng.standard_normal((FIRMS, len(YEARS)))
    for t in range(1, len(YEARS)):
        noise[:, t] += 0.5 * noise[:, t - 1]
    on = (cohort[:, None] > 0) & (cohort[:, None] <= YEARS)
    y = rng.standard_normal((FIRMS, 1)) + 0.1 * dose[:, None] + rng.standard_normal(len(YEARS)) + on * gain + noise
    town = rng.permutation(FIRMS) // 5
    columns = {"g": cohort, "reward": np.where(cohort > 0, dose, 0.0), "w": rng.uniform(0.5, 1.5, FIRMS), "town": town}
    frame = pd.DataFrame({"id": np.repeat(np.arange(FIRMS), len(YEARS)), "year": np.tile(YEARS, FIRMS), "y": y.ravel()})
    frame = frame.assign(**{name: np.repeat(values, len(YEARS)) for name, values in columns.items()})
    return frame[rng.random(len(frame)) >= missing] if missing else frame


def fit(data: pd.DataFrame, choices: Mapping[str, str], **options: str) -> sme.DoseResponseResult:
    sample = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", columns=("reward",), **options)
    return sme.DoseResponse(dose="reward", **choices).fit(sample)


class Score:
    """Errors and coverage of several estimates over panels."""

    def __init__(self) -> None:
        self.error: dict[str, list[float]] = {}
        self.covered: dict[str, list[bool]] = {}

    def add(self, name: str, value: float, low: float, high: float, truth: float) -> None:
        self.error.setdefault(name, []).append(value - truth)
        self.covered.setdefault(name, []).append(low <= truth <= high)

    def effects(self, result: sme.DoseResponseResult, truth: np.ndarray) -> None:
        found = result.effects
        half = found.critical_value(0.95) * found.std_error
        for row in zip(found.term, found.estimate, found.estimate - half, found.estimate + half, truth, strict=True):
            self.add(*row)

    def one(self, name: str, estimate: sme.results.estimate.Estimate, truth: float) -> None:
        self.add(name, float(estimate.estimate), estimate.conf_low, estimate.conf_high, truth)

    def bias(self, name: str) -> tuple[float, float]:
        """Mean error and its Monte Carlo error."""
        errors = np.array(self.error[name])
        return float(errors.mean()), float(errors.std(ddof=1) / math.sqrt(len(errors)))

    def assert_right(self) -> None:
        for name, errors in self.error.items():
            bias, noise = self.bias(name)
            assert abs(bias) < 3 * noise, f"{name}: bias {bias:.4f}, Monte Carlo error {noise:.4f}"
            coverage, wobble = np.mean(self.covered[name]), 3 * math.sqrt(0.95 * 0.05 / len(errors))
            assert abs(coverage - 0.95) <= wobble, f"{name}: coverage {coverage:.3f}"


PAIRS = {"panel": "pairs", "comparison": "not_yet_treated"}
CASES = {
    "balanced": ({}, {}, 0.0),
    "unbalanced, weighted, clustered": (PAIRS, {"weight": "w", "cluster": "town"}, 0.05),
}


@pytest.mark.parametrize("case", CASES)
def test_a_homogeneous_slope_is_found_and_covered(case: str) -> None:
    """ATT(d) = 0.3 + 0.25 d for every firm and year: all parallel trends hold, strong ones too; linearity rejects as it should."""
    choices, options, missing = CASES[case]
    score, rejected = Score(), []
    for seed in range(PANELS):
        rng = np.random.default_rng([seed, list(CASES).index(case)])
        cohort, dose = rng.choice([0, 2019, 2020], FIRMS), rng.choice(DOSES, FIRMS)
        data = panel(rng, np.broadcast_to(0.3 + 0.25 * dose[:, None], (FIRMS, len(YEARS))), cohort, dose, missing)
        if "cluster" in options:  # a shock to the town and year
            shock = 0.5 * rng.standard_normal((60, len(YEARS)))
            data["y"] += shock[data["town"], data["year"] - YEARS[0]]
        result = fit(data, choices, **options)
        score.effects(result, 0.3 + 0.25 * DOSES)
        for name, found, truth in (
            ("slope", result.slope, 0.25),
            ("intercept", result.intercept, 0.3),
            ("slope within", result.slope_within, 0.25),
        ):
            score.one(name, found, truth)
        rejected.append(result.linearity.p_value < 0.05)
    score.assert_right()
    assert abs(np.mean(rejected) - 0.05) <= 3 * math.sqrt(0.05 * 0.95 / PANELS)


def test_selection_on_gains_leaves_att_right_and_the_slope_wrong() -> None:
    """Firms that gain more per unit take more: ordinary parallel trends hold, strong ones do not, and no lead can tell.

    The gain is β_i · dose with mean β = 0.4 among the treated: one more unit given to everybody brings 0.4. ATT(d) is right for
    those who got d; the slope through ATT(d) is far from 0.4, and its interval misses it nearly always.
    """
    score, missed, leads = Score(), [], []
    for seed in range(FEWER):
        rng = np.random.default_rng(1000 + seed)
        cohort = rng.choice([0, 2019, 2020], FIRMS)
        beta = 0.4 + 0.3 * rng.standard_normal(FIRMS)
        liking = beta + 0.15 * rng.standard_normal(FIRMS)
        dose = DOSES[np.digitize(liking, [0.25, 0.55])]
        data = panel(rng, np.broadcast_to((beta * dose)[:, None], (FIRMS, len(YEARS))), cohort, dose)
        result = fit(data, {})
        mass = np.where(cohort > 0, 2022 - cohort, 0)
        truth = np.array([np.average(beta[dose == d] * d, weights=mass[dose == d]) for d in DOSES])
        score.effects(result, truth)
        score.one("overall", result.overall, float(np.average(beta * dose, weights=mass)))
        missed.append(not result.slope.conf_low <= 0.4 <= result.slope.conf_high)
        score.one("slope, read as the response to more dose", result.slope, 0.4)
        leads.append(result.slope_by_event_time.pretrend_test().p_value < 0.05)
    bias, noise = score.bias("slope, read as the response to more dose")
    assert bias > 0.4, f"the slope exceeds the response by {bias:.3f} (Monte Carlo error {noise:.3f})"
    assert bias > 10 * noise
    assert np.mean(missed) > 0.8
    assert np.mean(leads) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / FEWER)
    for name in [name for name in score.error if not name.startswith("slope")]:
        bias, noise = score.bias(name)
        assert abs(bias) < 3 * noise, f"{name}: bias {bias:.4f}, Monte Carlo error {noise:.4f}"
        assert np.mean(score.covered[name]) >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / FEWER)


def test_early_cohorts_with_high_doses_bend_the_slope_but_not_the_one_within() -> None:
    """The dose does nothing beyond the first unit, effects grow with exposure, early cohorts got more: exposure passes for dose."""
    slopes = Score()
    for seed in range(FEWER):
        rng = np.random.default_rng(2000 + seed)
        cohort = rng.choice([0, 2019, 2021], FIRMS)
        high = np.where(cohort == 2019, 0.9, 0.1)
        dose = np.where(rng.random(FIRMS) < high, 4.0, 1.0)
        result = fit(panel(rng, 0.5 * np.maximum(1 + YEARS - cohort[:, None], 0), cohort, dose), {})
        slopes.one("slope", result.slope, 0.0)
        slopes.one("slope within", result.slope_within, 0.0)
    bias, noise = slopes.bias("slope")
    assert bias > 10 * noise
    within = Score()
    within.error, within.covered = ({"slope within": part["slope within"]} for part in (slopes.error, slopes.covered))
    within.assert_right()
