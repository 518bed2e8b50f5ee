"""The simulated city: its batches, its truth, and that selection is where a scenario says it is."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.errors import DesignError, ParameterError
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.truth import Truth
from sme_eval.simulate.certification import dynamic_effect
from sme_eval.simulate.firms import DISTRICT_SHARES, DISTRICTS, INDUSTRIES
from sme_eval.simulate.ningbo import simulate_ningbo
from sme_eval.simulate.scenario import BATCHES, SCENARIOS, Scenario
from sme_eval.terms import NEVER

OUTCOMES = ("log_revenue", "log_employment")


@pytest.fixture(scope="module")
def baseline() -> tuple[FirmPanel, Truth]:
    return simulate_ningbo(seed=1)


def _firms(panel: FirmPanel) -> pd.DataFrame:
    return panel.frame.drop_duplicates("firm")


def test_batches_are_those_of_the_published_reply() -> None:
    assert dict(BATCHES) == {2019: 5, 2020: 50, 2021: 127, 2022: 101}
    assert sum(BATCHES.values()) == 283


@pytest.mark.parametrize("scenario", list(SCENARIOS))
@pytest.mark.parametrize("firms", [1000, 6000])
def test_every_panel_has_these_batches(scenario: str, firms: int) -> None:
    panel, _ = simulate_ningbo(seed=2, scenario=scenario, firms=firms)
    assert _firms(panel)["certified_year"].value_counts().to_dict() == {0: firms - 283, **BATCHES}


def test_panel_is_balanced_sorted_and_labelled(baseline: tuple[FirmPanel, Truth]) -> None:
    panel, truth = baseline
    frame = panel.frame
    assert panel.data_kind == "simulated"
    assert panel.source == "ningbo_simulated"
    assert panel.truth is truth
    assert dict(panel.parameters) == {"seed": 1, "scenario": "baseline", "firms": 6000, "first_year": 2015, "last_year": 2024}
    assert (panel.n_firms, panel.years) == (6000, tuple(range(2015, 2025)))
    assert frame.equals(frame.sort_values(["firm", "year"], ignore_index=True))
    assert set(frame["district"].cat.categories) == set(DISTRICTS)
    assert set(frame["industry"].cat.categories) == set(INDUSTRIES)
    expected = (frame["certified_year"] > 0) & (frame["year"] >= frame["certified_year"])
    assert (frame["certified"] == expected).all()


def test_same_arguments_same_panel(baseline: tuple[FirmPanel, Truth]) -> None:
    assert simulate_ningbo(seed=1)[0].content_hash() == baseline[0].content_hash()
    assert simulate_ningbo(seed=2)[0].content_hash() != baseline[0].content_hash()


def test_shares_of_districts_add_to_one() -> None:
    assert sum(DISTRICT_SHARES) == pytest.approx(1.0, abs=1e-12)


def test_effect_profile_is_exact(baseline: tuple[FirmPanel, Truth]) -> None:
    """Each cohort's path is the declared profile times its factor, constant after the last value."""
    _, truth = baseline
    certificate = SCENARIOS["baseline"].certificate
    for outcome, profile in zip(OUTCOMES, (certificate.revenue, certificate.employment), strict=True):
        for cohort, factor in zip(BATCHES, certificate.cohort_factor, strict=True):
            for event_time in range(2024 - cohort + 1):
                expected = profile[min(event_time, 3)] * factor
                got = truth.average(outcome, cohort=cohort, event_time=event_time)
                assert got == pytest.approx(expected, abs=1e-15)
            assert truth.average(outcome, cohort=cohort, event_time=-1) == 0.0


def test_effects_are_zero_where_not_treated(baseline: tuple[FirmPanel, Truth]) -> None:
    panel, truth = baseline
    assert (truth.treated == (panel.frame["certified"] == 1)).all()
    for outcome in OUTCOMES:
        assert not truth.effects[outcome][~truth.treated].any()


def test_null_has_no_effect() -> None:
    _, truth = simulate_ningbo(seed=1, scenario="null")
    for outcome in OUTCOMES:
        assert not truth.effects[outcome].any()
        assert truth.average(outcome) == 0.0


def test_outcome_is_untreated_outcome_plus_effect(baseline: tuple[FirmPanel, Truth]) -> None:
    """The null world is the baseline world without its effects: same firms, same draws, same selection."""
    panel, truth = baseline
    null, _ = simulate_ningbo(seed=1, scenario="null")
    assert (null.frame["certified_year"] == panel.frame["certified_year"]).all()
    for outcome in OUTCOMES:
        np.testing.assert_array_equal(panel.frame[outcome], null.frame[outcome] + truth.effects[outcome])


def test_averages_of_the_truth_agree(baseline: tuple[FirmPanel, Truth]) -> None:
    _, truth = baseline
    for outcome in OUTCOMES:
        event = truth.year - truth.cohort
        sizes = {e: int(((event == e) & truth.treated).sum()) for e in truth.by_event_time(outcome)}
        overall = np.average(list(truth.by_event_time(outcome).values()), weights=list(sizes.values()))
        assert overall == pytest.approx(truth.average(outcome), abs=1e-15)
        assert set(truth.by_cohort(outcome)) == set(BATCHES)
        for cohort, effect in truth.by_cohort(outcome).items():
            assert effect == pytest.approx(truth.average(outcome, cohort=cohort), abs=1e-15)
    window = truth.average("log_revenue", event_time=(0, 2))
    parts = [truth.average("log_revenue", event_time=e) for e in range(3)]
    assert window == pytest.approx(np.mean(parts), abs=1e-15)  # every cohort is seen at 0, 1, 2


def test_truth_refuses_what_it_does_not_know(baseline: tuple[FirmPanel, Truth]) -> None:
    _, truth = baseline
    with pytest.raises(DesignError, match="did you mean 'log_revenue'"):
        truth.average("log_revenu")
    with pytest.raises(DesignError, match="No firm-year is selected"):
        truth.average("log_revenue", cohort=2018)


def test_truth_cannot_be_changed(baseline: tuple[FirmPanel, Truth]) -> None:
    _, truth = baseline
    with pytest.raises(ValueError, match="read-only"):
        truth.effects["log_revenue"][0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        truth.year = truth.cohort  # type: ignore[misc]
    copied = pickle.loads(pickle.dumps(truth))
    assert not copied.effects["log_revenue"].flags.writeable
    assert copied.average("log_revenue") == truth.average("log_revenue")


SEEDS = range(40)
"""Monte Carlo: 40 panels. The largest standard error of a mean below is 0.0027 (0.27 % of revenue)."""


def _bump(scenario: str, outcome: str) -> tuple[float, float]:
    """Growth g−3 → g−1 of the certified minus that of the never certified: mean over panels and its standard error."""
    panels = []
    for seed in SEEDS:
        panel, truth = simulate_ningbo(seed, scenario)
        y = panel.frame[outcome].to_numpy().reshape(panel.n_firms, -1)
        cohort = truth.cohort.reshape(panel.n_firms, -1)[:, 0]
        gaps = []
        for batch in BATCHES:
            growth = y[:, batch - 2016] - y[:, batch - 2018]
            gaps.append(growth[cohort == batch].mean() - growth[cohort == NEVER].mean())
        panels.append(np.average(gaps, weights=list(BATCHES.values())))
    return float(np.mean(panels)), float(np.std(panels, ddof=1) / np.sqrt(len(panels)))


def test_selection_on_growth_shows_in_baseline_only() -> None:
    """Baseline: about 0.11 log points more in two years (w × var(growth) ≈ 1.2 × 0.08, and R&D); clean: none."""
    bump, error = _bump("baseline", "log_revenue")
    assert error < 0.003
    assert bump == pytest.approx(0.108, abs=4 * error)
    clean, clean_error = _bump("clean", "log_revenue")
    assert abs(clean) < 3 * clean_error


@pytest.mark.parametrize("scenario", ["baseline", "clean"])
def test_employment_trends_are_parallel(scenario: str) -> None:
    bump, error = _bump(scenario, "log_employment")
    assert error < 0.0015
    assert abs(bump) < 3 * error


def test_selection_on_research_shows_in_baseline_only() -> None:
    gaps = {}
    for scenario in ("baseline", "clean"):
        means = []
        for seed in range(20):
            firms = _firms(simulate_ningbo(seed, scenario)[0])
            certified = firms["certified_year"] > 0
            means.append(firms["rd_intensity"][certified].mean() - firms["rd_intensity"][~certified].mean())
        gaps[scenario] = (np.mean(means), np.std(means, ddof=1) / np.sqrt(len(means)))
    assert gaps["baseline"][0] > 0.7  # exponential tilting of a standard normal by 0.8, less what 283 of 6,000 exhaust
    assert abs(gaps["clean"][0]) < 3 * gaps["clean"][1]


def test_noise_is_as_declared() -> None:
    """Within an untreated panel: variance and first autocorrelation of the noise, after removing what is common."""
    flat = dataclasses.replace(
        SCENARIOS["null"],
        revenue=dataclasses.replace(SCENARIOS["null"].revenue, sd_firm=0.0, sd_cell_year=0.0, slope_rd=0.0),
    )
    panel, _ = simulate_ningbo(5, flat, firms=20_000)
    noise = panel.frame["log_revenue"].to_numpy().reshape(20_000, -1)
    noise = noise - noise.mean(axis=0)
    # 200,000 draws: relative standard error of a variance about 0.004, of a correlation about 0.003
    assert noise.std(axis=0).mean() == pytest.approx(0.25, rel=0.01)
    for year in range(9):
        assert np.corrcoef(noise[:, year], noise[:, year + 1])[0, 1] == pytest.approx(0.6, abs=0.02)
    assert panel.parameters["scenario"] == "null"


@pytest.mark.parametrize("years", [(2016, 2022), (2012, 2024), (2016, 2030)])
def test_other_years_work(years: tuple[int, int]) -> None:
    panel, truth = simulate_ningbo(1, years=years, firms=1000)
    assert (panel.years[0], panel.years[-1]) == years
    assert truth.average("log_revenue", event_time=0, cohort=2022) == pytest.approx(0.008, abs=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scenario": "basline"}, "did you mean 'baseline'"),
        ({"firms": 999}, "simulate at least 1,000 firms"),
        ({"years": (2017, 2024)}, "start in 2016 or before"),
        ({"years": (2015, 2021)}, "end in 2022 or later"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_refused_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        simulate_ningbo(**{"seed": 1, **arguments})  # type: ignore[arg-type]


def test_all_refusals_at_once() -> None:
    with pytest.raises(ParameterError, match="3 problems"):
        simulate_ningbo(-1, firms=10, years=(2020, 2021))


def test_scenarios_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SCENARIOS["null"].name = "baseline"  # type: ignore[misc]
    assert Scenario().certificate == SCENARIOS["baseline"].certificate


@settings(max_examples=50, deadline=None)
@given(
    profile=st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=6),
    starts=st.lists(st.sampled_from([2019, 2020, 2022, NEVER]), min_size=1, max_size=20),
    factor=st.floats(-2, 2),
)
def test_dynamic_effect_follows_event_time(profile: list[float], starts: list[int], factor: float) -> None:
    years, cohort = np.arange(2015, 2025), np.array(starts)
    effect = dynamic_effect(cohort, years, tuple(profile), dict.fromkeys((2019, 2020, 2022), factor))
    for row, start in enumerate(starts):
        for column, year in enumerate(years):
            event = int(year) - start
            assert effect[row, column] == (profile[min(event, len(profile) - 1)] * factor if event >= 0 else 0.0)
