"""Known truth: how often each way to judge the slope on dose rejects b = 0 at 5 %, with five districts and with twelve.

District summaries are drawn from their known normal law, τ_d = 3 + u_d + noise_d (percent), u_d what districts differ in beyond
their firms. With S draws a share p has the Monte Carlo error sqrt(p(1 − p) / S): 1.1 points at 5 % and S = 400. Whole panels come
last.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.few_clusters import dose_slope_knapp_hartung, dose_slope_ols, permutation_test
from sme_eval.stats.inference import two_sided_p
from sme_eval.stats.wild_bootstrap import districts_alone, wild_bootstrap

DRAWS, RESAMPLES, ALPHA = 400, 499, 0.05
MONTE_CARLO = math.sqrt(ALPHA * (1.0 - ALPHA) / DRAWS)
DOSES = {5: np.array([100.0, 50, 50, 50, 50]), 12: np.array([100.0, 50, 50, 50, 50, 50, 30, 40, 10, 20, 60, 50])}
ERRORS = {
    "equal": np.full(12, 4.5),
    "unequal": np.array([5.6, 3.4, 3.8, 4.3, 5.0, 6.7, 6.0, 5.5, 4.8, 6.4, 4.0, 3.6]),
}
"""In percent of the outcome; the districts at the top dose and without a stated one are small."""


@cache
def rejections(n_districts: int, errors: str, spread: float) -> dict[str, float]:
    """Method → share of draws with p ≤ 0.05 although b = 0; `spread` is the standard deviation of u_d."""
    rng = np.random.default_rng(n_districts)
    dose, error = DOSES[n_districts] / 50, ERRORS[errors][:n_districts]
    p_values = [summary_p_values(draw, error, dose, rng) for draw in draw_effects(rng, error, spread)]
    return {name: float(np.mean([p[name] <= ALPHA for p in p_values])) for name in p_values[0]}


def draw_effects(rng: np.random.Generator, error: FloatArray, spread: float) -> FloatArray:
    return 3.0 + np.sqrt(error**2 + spread**2) * rng.standard_normal((DRAWS, error.size))


def summary_p_values(tau: FloatArray, error: FloatArray, dose: FloatArray, rng: np.random.Generator) -> dict[str, float]:
    weight = (dose - dose.mean()) / np.sum((dose - dose.mean()) ** 2)
    firms = float(weight @ tau / np.sqrt(weight**2 @ error**2))
    found = {
        "least squares": dose_slope_ols(tau, dose).p_value,
        "Knapp–Hartung": dose_slope_knapp_hartung(tau, error, dose).p_value,
        "permutation": permutation_test(tau, error, dose, draws=RESAMPLES, rng=rng).p_value,
        "firms": float(two_sided_p(firms, math.inf)),
    }
    if not districts_alone(dose).any():
        found["bootstrap"] = wild_bootstrap(tau, dose, draws=RESAMPLES, rng=rng).p_value
    return found


@pytest.mark.parametrize("n_districts", [5, 12])
@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_least_squares_keeps_its_size_where_its_assumptions_hold(n_districts: int, spread: float) -> None:
    assert abs(rejections(n_districts, "equal", spread)["least squares"] - ALPHA) < 3 * MONTE_CARLO


@pytest.mark.parametrize("n_districts", [5, 12])
@pytest.mark.parametrize("errors", ["equal", "unequal"])
@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_knapp_hartung_permutation_and_bootstrap_never_reject_too_often(n_districts: int, errors: str, spread: float) -> None:
    found = rejections(n_districts, errors, spread)
    for name in {"Knapp–Hartung", "permutation", "bootstrap"} & set(found):
        assert found[name] < ALPHA + 3 * MONTE_CARLO, (name, found)


@pytest.mark.parametrize("errors", ["equal", "unequal"])
def test_five_districts_with_one_high_dose_never_let_a_permutation_reject(errors: str) -> None:
    found = rejections(5, errors, 3.0)
    assert found["permutation"] == 0.0
    assert "bootstrap" not in found


def test_twelve_exchangeable_districts_give_the_permutation_its_size() -> None:
    assert abs(rejections(12, "equal", 3.0)["permutation"] - ALPHA) < 3 * MONTE_CARLO


@pytest.mark.parametrize("n_districts", [5, 12])
@pytest.mark.parametrize("errors", ["equal", "unequal"])
def test_errors_of_firms_are_right_only_where_districts_differ_in_nothing_else(n_districts: int, errors: str) -> None:
    """With u_d the slope's variance is Σ weight²(error² + spread²), of which firms see the first part: the excess is known."""
    assert abs(rejections(n_districts, errors, 0.0)["firms"] - ALPHA) < 3 * MONTE_CARLO
    dose, error = DOSES[n_districts], ERRORS[errors][:n_districts]
    weight = (dose - dose.mean()) ** 2
    understated = math.sqrt(float(weight @ error**2 / (weight @ (error**2 + 3.0**2))))
    expected = float(two_sided_p(1.959964 * understated, math.inf))
    assert expected > 0.08
    found = rejections(n_districts, errors, 3.0)["firms"]
    assert abs(found - expected) < 3 * math.sqrt(expected * (1 - expected) / DRAWS)


# --- whole panels ----------------------------------------------------------------------------------------------------

PANELS = 120
SLOPE = 0.2
PAID = np.array([100.0, 50, 50, 25, 0, np.nan])
TRUTH = 0.1 + SLOPE * np.where(np.isnan(PAID), 80.0, PAID) / 50


def panel(seed: int) -> sme.Sample:
    """Balanced, entry in 2020 more likely after growth and with research; effect 0.1 + SLOPE per 50 of dose."""
    rng = np.random.default_rng(seed)
    firms, years = 900, np.arange(2015, 2023)
    place, research = np.arange(firms) % PAID.size, rng.standard_normal(firms)
    y = rng.standard_normal((firms, 1)) + 0.3 * rng.standard_normal((firms, years.size))
    y = y + 0.1 * rng.standard_normal((PAID.size, years.size))[place] + 0.02 * research[:, None] * (years - 2015)
    score = -1.8 + y[:, 4] - y[:, 2] + 0.5 * research
    entry = np.where(rng.random(firms) < 1.0 / (1.0 + np.exp(-score)), 2020, 0)
    y = y + TRUTH[place][:, None] * ((entry[:, None] > 0) & (years >= entry[:, None]))
    per_firm = {"firm": np.arange(firms), "certified_year": entry, "district": place, "rd_intensity": research}
    frame = pd.DataFrame({name: np.repeat(values, years.size) for name, values in per_firm.items()})
    return sme.Sample.from_frame(
        frame.assign(reward_dose=PAID[frame["district"]], year=np.tile(years, firms), log_revenue=y.ravel()),
        firm="firm",
        year="year",
        outcome="log_revenue",
        cohort="certified_year",
        columns=("district", "rd_intensity", "reward_dose"),
    )


@cache
def fits(given_growth: bool) -> tuple[sme.DistrictDoseResult, ...]:
    span = (-3, -1) if given_growth else None
    choices = sme.DistrictDose(covariates=("rd_intensity",), past_growth=span, window=(0, 2))
    return tuple(choices.fit(panel(seed)) for seed in range(PANELS))


def distance(values: FloatArray, truth: FloatArray | float) -> FloatArray:
    """Bias over its Monte Carlo error."""
    return np.asarray((values.mean(axis=0) - truth) / (values.std(axis=0, ddof=1) / math.sqrt(PANELS)))


def test_given_growth_effects_slope_and_errors_are_right() -> None:
    found = fits(True)
    effects = np.array([fit.districts.estimate for fit in found])
    assert np.abs(distance(effects, TRUTH)).max() < 3.5
    assert abs(distance(np.array([float(fit.slope.estimate) for fit in found]), SLOPE)) < 3.0
    stated = np.array([fit.districts.std_error for fit in found]).mean(axis=0)
    assert np.abs(effects.std(axis=0, ddof=1) / stated - 1.0).max() < 3.5 / math.sqrt(2 * PANELS)
    covered = np.mean([fit.conf_low <= SLOPE <= fit.conf_high for fit in found])
    unnamed = np.mean([fit.unnamed.conf_low <= TRUTH[-1] <= fit.unnamed.conf_high for fit in found])
    for share in (covered, unnamed):
        assert abs(share - 0.95) < 3 * math.sqrt(0.95 * 0.05 / PANELS)


def test_without_growth_effects_are_wrong_and_the_slope_is_not() -> None:
    """Selection that is equal across districts shifts every τ_d alike and cancels in the slope: the design's strength."""
    found = fits(False)
    assert distance(np.array([fit.districts.estimate for fit in found]), TRUTH).max() < -3.5
    assert abs(distance(np.array([float(fit.slope.estimate) for fit in found]), SLOPE)) < 3.0
