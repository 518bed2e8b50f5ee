"""Where a scenario says that selection is, there it is and nowhere else; noise is as declared; averages over many panels."""

import dataclasses

import numpy as np
import pytest

from sme_eval.panel.truth import Estimand
from sme_eval.simulate.city import City, draw_city
from sme_eval.simulate.columns import panel_truth
from sme_eval.simulate.firms import Draws
from sme_eval.simulate.scenario import BATCHES, SCENARIOS, Scenario
from sme_eval.simulate.selection import Tiers
from sme_eval.terms import NEVER

YEARS = np.arange(2015, 2025)
SEEDS = range(40)
"""Monte Carlo: 40 panels of 6,000 firms. The largest standard error of a mean below is 0.0035 (0.35 % of revenue)."""


def _city(seed: int, scenario: str | Scenario, firms: int = 6000) -> City:
    world = scenario if isinstance(scenario, Scenario) else SCENARIOS[scenario]
    return draw_city(Draws(seed), world, firms, YEARS)


def _mean(values: list[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def test_step_own_and_bundle_are_those_of_the_design() -> None:
    """Little giants, e = 0..2: 3.1, 4.2 and 5.8 %. Batches and profiles are fixed; lags and districts are drawn, which
    leaves a Monte Carlo standard error of the mean of 40 panels below 0.01 %."""
    found: dict[Estimand, list[float]] = {"step": [], "own": [], "bundle": []}
    for seed in SEEDS:
        truth = panel_truth([_city(seed, "baseline")], YEARS)
        values = [truth.average("log_revenue", estimand=estimand, event_time=(0, 2)) for estimand in found]
        assert values == sorted(values)
        for estimand, value in zip(found, values, strict=True):
            found[estimand].append(value)
    for values, expected in zip(found.values(), (0.031, 0.042, 0.058), strict=True):
        mean, error = _mean(values)
        assert error < 0.0001
        assert mean == pytest.approx(expected, abs=0.0005)  # as printed, to a tenth of a per cent


def _bump(scenario: str, outcome: str, tier: str = "certified") -> tuple[float, float]:
    """Growth g−3 → g−1 of the entrants minus that of firms on no list: mean over panels and its standard error."""
    panels = []
    for seed in SEEDS:
        city = _city(seed, scenario)
        y, entry, never = city.untreated[outcome], getattr(city.tiers, tier), city.tiers.listed == NEVER
        gaps, sizes = [], []
        for year in BATCHES:
            entrants = entry == year
            if entrants.any():
                growth = y[:, year - 2016] - y[:, year - 2018]
                gaps.append(growth[entrants].mean() - growth[never].mean())
                sizes.append(entrants.sum())
        panels.append(float(np.average(gaps, weights=sizes)))
    return _mean(panels)


def test_selection_on_growth_shows_in_baseline_only() -> None:
    """Baseline: about 0.11 log points more in two years (w × var(growth) ≈ 1.2 × 0.08, and R&D); library entrants half
    as much; clean: none."""
    bump, error = _bump("baseline", "log_revenue")
    assert error < 0.0035
    assert bump == pytest.approx(0.115, abs=4 * error)
    library, library_error = _bump("baseline", "log_revenue", "library")
    assert 0.3 * bump < library - 4 * library_error and library + 4 * library_error < 0.7 * bump
    clean, clean_error = _bump("clean", "log_revenue")
    assert abs(clean) < 3 * clean_error


@pytest.mark.parametrize("scenario", ["baseline", "clean", "strong_selection"])
def test_employment_trends_are_parallel(scenario: str) -> None:
    bump, error = _bump(scenario, "log_employment")
    assert error < 0.0015
    assert abs(bump) < 3 * error


def test_selection_on_research_shows_in_baseline_only() -> None:
    gaps = {}
    for scenario in ("baseline", "clean"):
        means = []
        for seed in range(20):
            city = _city(seed, scenario)
            rd, certified = city.firms.rd_intensity, city.tiers.certified < NEVER
            means.append(float(rd[certified].mean() - rd[~certified].mean()))
        gaps[scenario] = _mean(means)
    assert gaps["baseline"][0] > 0.7  # exponential tilting of a standard normal by 0.8, less what 283 of 6,000 exhaust
    assert abs(gaps["clean"][0]) < 3 * gaps["clean"][1]


def _early_gap(scenario: str) -> tuple[float, float]:
    """Untreated growth per year 2015 → g − 4 of little giants, given R&D and the growth that counts: log points per year.

    Least squares of early growth on certification in g, R&D and growth g−3 → g−1 among firms not listed before g.
    """
    panels = []
    for seed in SEEDS:
        city = _city(seed, scenario)
        y, certified, listed = city.untreated["log_revenue"], city.tiers.certified, city.tiers.listed
        gaps = []
        for g in (2021, 2022):
            kept = (listed >= g) | (certified == g)
            growth, early = y[:, g - 2016] - y[:, g - 2018], (y[:, g - 2019] - y[:, 0]) / (g - 2019)
            columns = np.column_stack([certified == g, city.firms.rd, growth, np.ones(len(growth))])[kept]
            gaps.append(np.linalg.lstsq(columns, early[kept], rcond=None)[0][0])
        panels.append(float(np.average(gaps, weights=[BATCHES[2021], BATCHES[2022]])))
    return _mean(panels)


HIDDEN = {name for name, scenario in SCENARIOS.items() if scenario.hidden.slope}


def test_hidden_trends_are_where_their_names_say() -> None:
    strong = {"strong_selection", "null_strong_selection", "null_hidden_only"}
    assert {"literal", "null_literal", "null_hidden_weak"} | strong == HIDDEN
    assert {name for name, scenario in SCENARIOS.items() if scenario.hidden.weight} == HIDDEN


@pytest.mark.parametrize("scenario", ["null", "clean"])
def test_without_a_hidden_trend_selection_knows_nothing_more(scenario: str) -> None:
    gap, error = _early_gap(scenario)
    assert error < 0.0025
    assert abs(gap) < 3 * error


@pytest.mark.parametrize(("scenario", "slope"), [("null_hidden_weak", 0.006), ("null_hidden_only", 0.013)])
def test_with_a_hidden_trend_the_certified_grow_faster_all_along(scenario: str, slope: float) -> None:
    """slope × (mean of the hidden trait among the certified, ≈ its weight less what 283 of 6,000 exhaust)"""
    gap, error = _early_gap(scenario)
    assert gap > 4 * error
    assert gap == pytest.approx(slope, abs=4 * error)


def test_noise_is_as_declared() -> None:
    """Within an untreated panel: variance and first autocorrelation of the noise, after removing what is common."""
    process = dataclasses.replace(SCENARIOS["null"].revenue, sd_firm=0.0, sd_cell_year=0.0, slope_rd=0.0)
    city = _city(5, dataclasses.replace(SCENARIOS["null"], revenue=process), firms=20_000)
    noises = {}
    for outcome, sd in (("log_revenue", 0.25), ("unsecured_share", 12.0)):
        noise = city.untreated[outcome] - city.untreated[outcome].mean(axis=0)
        # 200,000 draws: relative standard error of a variance about 0.004, of a correlation about 0.003
        assert noise.std(axis=0).mean() == pytest.approx(sd, rel=0.01)
        for year in range(9):
            assert np.corrcoef(noise[:, year], noise[:, year + 1])[0, 1] == pytest.approx(0.6, abs=0.02)
        noises[outcome] = noise
    balance = np.diff(city.untreated["log_credit_balance"]).ravel()
    covariance = np.cov(balance, np.diff(noises["log_revenue"]).ravel())
    assert covariance[0, 1] / covariance[1, 1] == pytest.approx(0.5, abs=0.02)  # demand for credit follows revenue's shocks


def test_larger_firms_pay_less_and_borrow_more() -> None:
    """Slopes on the size of the firm, 20,000 firms: standard errors 0.003, 0.003 and 0.06."""
    city = _city(5, "null", firms=20_000)
    for outcome, slope, error in (("spread", -0.1, 0.003), ("log_credit_balance", 1.0, 0.003), ("unsecured_share", 0.0, 0.06)):
        assert np.polyfit(city.firms.size, city.untreated[outcome].mean(axis=1), 1)[0] == pytest.approx(slope, abs=4 * error)


def test_a_tier_that_never_comes_leaves_a_firm_unlisted() -> None:
    tiers = Tiers(*(np.array(years) for years in ([NEVER, 2020, NEVER], [NEVER, 2019, NEVER], [NEVER, NEVER, 2022])))
    assert tiers.listed.tolist() == [NEVER, 2019, 2022]
    assert tiers.certified_half.tolist() == [NEVER, 2021, NEVER]
