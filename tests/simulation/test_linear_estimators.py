"""Known truth for the estimators of staggered effects: effects that differ by cohort and grow, cohorts chosen on the firm's level.

The truth is the mean true effect over treated firm-years of the panel drawn (or by event time); two-way fixed effects miss it here,
which is asserted too, so that a test that could not fail would show. With S panels the bias has a Monte Carlo error of sd/√S and a
true 95 % coverage one of sqrt(.95 · .05 / S) = 1.5 points at S = 200.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme

PANELS = 200
FIRMS, YEARS = 200, np.arange(2015, 2023)


def effect(cohort: np.ndarray, event_time: np.ndarray) -> np.ndarray:
    """0.2 at first and 0.3 more each year for the early cohort, half of it for the late one."""
    size = np.where(cohort == 2018, 1.0, 0.5)
    return np.where(event_time >= 0, size * (0.2 + 0.3 * event_time), 0.0)


def draw(seed: int, *, missing: float, weighted: bool) -> pd.DataFrame:
    """Parallel trends, heteroskedastic AR(1) errors; `effect` holds the truth of each firm-year."""
    rng = np.random.default_rng(seed)
    level = rng.standard_normal(FIRMS)
    cohort = np.where(rng.random(FIRMS) < 1 / (1 + np.exp(-0.5 * level)), rng.choice([2018, 2020], FIRMS), 0)
    noise = rng.standard_normal((FIRMS, len(YEARS))) * np.exp(0.3 * rng.standard_normal((FIRMS, 1)))
    for t in range(1, len(YEARS)):
        noise[:, t] = 0.5 * noise[:, t - 1] + noise[:, t]
    event_time = np.where(cohort[:, None] > 0, YEARS - cohort[:, None], -99)
    truth = effect(cohort[:, None], event_time)
    y = level[:, None] + rng.standard_normal(len(YEARS)) + truth + noise
    weights = rng.uniform(0.5, 1.5, FIRMS) if weighted else np.ones(FIRMS)
    columns = {"y": y, "effect": truth, "e": event_time}
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(FIRMS), len(YEARS)),
            "year": np.tile(YEARS, FIRMS),
            "g": np.repeat(cohort, len(YEARS)),
            "w": np.repeat(weights, len(YEARS)),
            **{name: values.ravel() for name, values in columns.items()},
        }
    )
    return frame[rng.random(len(frame)) >= missing]


def true_average(data: pd.DataFrame, rows: pd.Series) -> float:
    """Weighted mean effect over the firm-years `rows`."""
    return float(np.average(data["effect"][rows], weights=data["w"][rows]))


ESTIMATORS: dict[str, Callable[[sme.Sample], sme.EventStudy]] = {
    "ImputationDiD": lambda s: sme.ImputationDiD().fit(s),
    "TwoStageDiD": lambda s: sme.TwoStageDiD().fit(s),
    "SunAbraham": lambda s: sme.SunAbraham().fit(s),
}


@pytest.mark.parametrize(
    ("missing", "weighted"), [(0.0, False), (0.1, False), (0.1, True)], ids=["balanced", "unbalanced", "weighted"]
)
def test_bias_and_coverage(missing: float, weighted: bool) -> None:
    error: dict[tuple[str, str], list[float]] = {}
    covered: dict[tuple[str, str], list[bool]] = {}
    biased: list[float] = []
    for seed in range(PANELS):
        data = draw(seed, missing=missing, weighted=weighted)
        sample = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", weight="w" if weighted else None)
        average, second = true_average(data, data["e"] >= 0), true_average(data, data["e"] == 2)
        biased.append(float(sme.TwoWayFixedEffects().fit(sample).estimate) - average)
        for name, fit in ESTIMATORS.items():
            study = fit(sample)
            row = study.to_frame().set_index("event_time").loc[2]
            for what, truth, value, low, high in (
                ("overall", average, float(study.estimate), study.conf_low, study.conf_high),
                ("event time 2", second, row["estimate"], row["conf_low"], row["conf_high"]),
            ):
                error.setdefault((name, what), []).append(value - truth)
                covered.setdefault((name, what), []).append(low <= truth <= high)
    coverage_error = math.sqrt(0.95 * 0.05 / PANELS)
    for key, errors in error.items():
        assert abs(np.mean(errors)) < 3 * np.std(errors, ddof=1) / math.sqrt(PANELS), key
        assert abs(np.mean(covered[key]) - 0.95) < 3 * coverage_error, (key, np.mean(covered[key]))
    assert abs(np.mean(biased)) > 3 * np.std(biased, ddof=1) / math.sqrt(PANELS)


def test_the_stack_recovers_a_common_effect() -> None:
    """Its weights are its own, so the truth is one effect for all: 0.4 after treatment."""
    errors, covered, leads = [], [], []
    for seed in range(PANELS):
        data = draw(seed, missing=0.1, weighted=False).assign(y=lambda d: d["y"] - d["effect"] + 0.4 * (d["e"] >= 0))
        study = sme.StackedDiD(window=(-3, 2)).fit(sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g"))
        errors.append(float(study.estimate) - 0.4)
        covered.append(study.conf_low <= 0.4 <= study.conf_high)
        leads.append(study.pretrend_test().p_value < 0.05)
    assert abs(np.mean(errors)) < 3 * np.std(errors, ddof=1) / math.sqrt(PANELS)
    assert abs(np.mean(covered) - 0.95) < 3 * math.sqrt(0.95 * 0.05 / PANELS)
    assert abs(np.mean(leads) - 0.05) < 3 * math.sqrt(0.95 * 0.05 / PANELS)


def test_the_leads_of_imputation_keep_their_size() -> None:
    """Under parallel trends the joint test of the leads rejects at 5 % as often as it says."""
    rejected = []
    for seed in range(PANELS):
        data = draw(seed, missing=0.1, weighted=False)
        sample = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g")
        rejected.append(sme.ImputationDiD().fit(sample).pretrend_test().p_value < 0.05)
    assert abs(np.mean(rejected) - 0.05) < 3 * math.sqrt(0.95 * 0.05 / PANELS)


def test_the_decomposition_shows_where_two_way_fixed_effects_go_wrong() -> None:
    """With growing effects the comparisons against firms already treated are biased downwards, the others are not."""
    rows = pd.concat(
        sme.bacon_decomposition(
            sme.Sample.from_frame(draw(seed, missing=0.0, weighted=False), firm="id", year="year", outcome="y", cohort="g")
        )
        for seed in range(60)
    )
    late = rows[rows["cohort"] == 2020].groupby("kind")["estimate"]
    mean, margin = late.mean(), 3 * late.std() / math.sqrt(60)
    truth = float(np.mean(effect(np.array([2020]), np.arange(3))))
    clean, forbidden = "treated vs never treated", "later vs earlier treated"
    assert abs(mean[clean] - truth) < margin[clean]
    # Cohort 2018 grows by 0.3 a year: between the means of 2018–19 and 2020–22 that is 0.75.
    assert abs(mean[forbidden] - (truth - 0.75)) < margin[forbidden]
