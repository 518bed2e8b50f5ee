"""What the simulated policies do, part by part: each part exactly as its scenario declares it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.truth import Truth
from sme_eval.simulate.effects import dynamic_effect
from sme_eval.simulate.ningbo import simulate_ningbo
from sme_eval.simulate.scenario import BATCHES, SCENARIOS, Certificate, Reward, Scenario
from sme_eval.terms import NEVER

OUTCOMES = (
    "log_revenue", "log_employment", "spread", "log_credit_balance", "unsecured_share",
    "log_exports", "log_fixed_assets", "log_wage", "log_rd_spending", "equity_share", "log_productivity",
)  # fmt: skip
LOANS = ("loan_balance", "unsecured_loans", "new_loans", "loan_rate")
"""Made of the credit terms as observed, effects included."""
DOSES = {
    "haishu": 50, "jiangbei": 50, "beilun": 30, "zhenhai": 40, "yinzhou": 50, "fenghua": 50,
    "xiangshan": 10, "ninghai": 20, "yuyao": 60, "cixi": 50, "hightech": 50, "hangzhou_bay": 100,
}  # fmt: skip
"""10,000 yuan, stated and invented."""
SINGLE = [name for name, scenario in SCENARIOS.items() if scenario.cities == 1]


@pytest.fixture(scope="module")
def baseline() -> tuple[FirmPanel, Truth]:
    return simulate_ningbo(seed=1)


def _changed(**parts: object) -> Scenario:
    return replace(SCENARIOS["baseline"], **parts)  # type: ignore[arg-type]


def test_certificate_is_exact(baseline: tuple[FirmPanel, Truth]) -> None:
    """Each cohort's path is the declared profile times its factor, constant after the last value."""
    _, truth = baseline
    rules = SCENARIOS["baseline"].certificate
    for outcome, profile in (("log_revenue", rules.revenue), ("log_employment", rules.employment)):
        for cohort, factor in zip(BATCHES, rules.cohort_factor, strict=True):
            arm = truth.cohort == cohort
            for event_time in range(2024 - cohort + 1):
                expected = profile[min(event_time, 3)] * factor
                assert truth.part(outcome, "certificate", event_time=event_time, among=arm) == pytest.approx(expected, abs=1e-15)
            assert truth.part(outcome, "certificate", event_time=-1, among=arm) == 0.0


def test_cash_follows_the_true_dose(baseline: tuple[FirmPanel, Truth]) -> None:
    panel, truth = baseline
    district = panel.frame["district"]
    for key, dose in DOSES.items():
        arm = (district == key).to_numpy()
        assert truth.part("log_revenue", "cash", among=arm) == pytest.approx(0.004 * (dose / 50) ** 0.8, abs=1e-15)
    assert not truth.parts["log_revenue"]["cash"][~truth.treated].any()
    assert truth.part("log_revenue", "srdi", start="srdi_year") == pytest.approx(0.01, abs=1e-15)
    assert not truth.parts["log_revenue"]["srdi"][~truth.begun("srdi_year")].any()


def test_credit_terms_are_exact(baseline: tuple[FirmPanel, Truth]) -> None:
    _, truth = baseline
    srdi = truth.starts["srdi_year"] < NEVER
    expected = {"log_credit_balance": (0.06, 0.12), "unsecured_share": (3.0, 6.0), "log_revenue": (0.009, 0.018)}
    for outcome, (first, later) in expected.items():
        for start in ("library_year", "listed_year"):
            paths = truth.by_event_time(outcome, start, "step")
            assert paths == pytest.approx({e: later if e else first for e in paths}, abs=1e-14)
    for start, arm, step in (("library_year", None, -0.20), ("listed_year", srdi, -0.35), ("listed_year", ~srdi, -0.20)):
        path = truth.by_event_time("spread", start, among=arm)
        assert path == pytest.approx(dict.fromkeys(path, step), abs=1e-14)
    for outcome in ("spread", "log_credit_balance", "unsecured_share"):
        assert not truth.effects[outcome][~truth.begun("listed_year")].any()


@pytest.mark.parametrize(("scenario", "first", "later"), [("price_only", 0.0180, 0.0180), ("price_and_access", 0.019, 0.028)])
def test_price_works_where_a_scenario_says_so(scenario: str, first: float, later: float) -> None:
    """Library firms: 0.20 points × 0.09, or × 0.05 + 0.15 × 0.12 ramped."""
    _, truth = simulate_ningbo(1, scenario, firms=2500)
    path = truth.by_event_time("log_revenue", "library_year")
    assert path == pytest.approx({e: later if e else first for e in path}, abs=1e-14)


@pytest.mark.parametrize("scenario", SINGLE)
def test_parts_add_up_to_the_total(scenario: str) -> None:
    panel, truth = simulate_ningbo(1, scenario, firms=2500)
    for outcome in OUTCOMES:
        total = np.sum(list(truth.parts[outcome].values()), axis=0)
        np.testing.assert_allclose(truth.effects[outcome], total, rtol=0, atol=1e-12)
    world, null_world = SCENARIOS[scenario], SCENARIOS["null"]
    nothing = {"certificate": null_world.certificate, "credit": null_world.credit, "reward": replace(world.reward, per_50=0.0)}
    nothing["services"] = null_world.services
    null, _ = simulate_ningbo(1, replace(world, **nothing), firms=2500)  # type: ignore[arg-type]
    for outcome in OUTCOMES:
        np.testing.assert_array_equal(panel.frame[outcome], null.frame[outcome] + truth.effects[outcome])
    same = [name for name in panel.columns if name not in (*OUTCOMES, *LOANS)]
    assert panel.frame[same].equals(null.frame[same])


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name.startswith("null")])
def test_null_has_no_effect_anywhere(scenario: str) -> None:
    _, truth = simulate_ningbo(seed=1, scenario=scenario, firms=2500)
    assert truth.outcomes == OUTCOMES
    for outcome in OUTCOMES:
        assert not truth.effects[outcome].any()
        assert truth.average(outcome) == truth.average(outcome, estimand="step") == 0.0


@pytest.mark.parametrize(
    ("scenario", "acting"),
    [("credit_only", {"credit"}), ("certificate_only", {"certificate", "srdi"}), ("cash_only", {"cash"}), ("price_only", None)],
)
def test_single_policy_worlds(scenario: str, acting: set[str] | None) -> None:
    _, truth = simulate_ningbo(seed=1, scenario=scenario, firms=2500)
    found = {part for part, values in truth.parts["log_revenue"].items() if values.any()}
    assert found == (acting or {"certificate", "srdi", "cash", "credit"})


def test_cash_only_is_a_stress_test() -> None:
    panel, truth = simulate_ningbo(1, "cash_only", firms=2500)
    fifty = (panel.frame["reward_dose"] == 50).to_numpy()
    assert truth.average("log_revenue", among=fifty) == pytest.approx(0.10, abs=1e-15)
    assert "Stress test" in SCENARIOS["cash_only"].description


def test_only_the_concurrent_world_has_an_effect_of_another_policy() -> None:
    assert {name for name, world in SCENARIOS.items() if world.concurrent.effect or world.concurrent.aligned} == {"concurrent"}
    panel, truth = simulate_ningbo(1, "concurrent", firms=2500)
    frame = panel.frame
    held = (frame["high_tech_year"] > 0) & (frame["year"] >= frame["high_tech_year"])
    without = replace(SCENARIOS["concurrent"], concurrent=replace(SCENARIOS["concurrent"].concurrent, effect=0.0))
    usual, usual_truth = simulate_ningbo(1, without, firms=2500)
    np.testing.assert_allclose(frame["log_revenue"] - usual.frame["log_revenue"], 0.08 * held, atol=1e-12)
    np.testing.assert_array_equal(truth.effects["log_revenue"], usual_truth.effects["log_revenue"])
    assert frame.drop(columns="log_revenue").equals(usual.frame.drop(columns="log_revenue"))


def test_anticipation_and_unexplained_districts() -> None:
    _, truth = simulate_ningbo(1, _changed(certificate=Certificate(anticipation=0.5)), firms=2500)
    assert truth.part("log_revenue", "certificate", event_time=-1) == pytest.approx(0.005, abs=1e-15)
    assert truth.part("log_revenue", "certificate", event_time=-2) == 0.0
    panel, spread = simulate_ningbo(1, _changed(certificate=Certificate(district_sd=0.03)), firms=2500)
    extra = spread.parts["log_revenue"]["certificate"] - simulate_ningbo(1, firms=2500)[1].parts["log_revenue"]["certificate"]
    by_district = pd.Series(extra[spread.treated]).groupby(panel.frame["district"][spread.treated].to_numpy(), observed=True)
    assert by_district.std().max() < 1e-12 and 0.01 < by_district.mean().std() < 0.06
    assert not extra[~spread.treated].any()


def test_districts_that_pay_more_may_grow_faster_without_any_effect() -> None:
    faster, truth = simulate_ningbo(1, _changed(reward=Reward(richer_grow_faster=0.01)), firms=2500)
    usual, usual_truth = simulate_ningbo(1, firms=2500)
    extra = (faster.frame["log_revenue"] - truth.effects["log_revenue"]) - (
        usual.frame["log_revenue"] - usual_truth.effects["log_revenue"]
    )
    dose = faster.frame["district"].astype(str).map(DOSES)
    np.testing.assert_allclose(extra, 0.01 * dose / 50 * (faster.frame["year"] - 2015), atol=1e-12)


def test_spillovers_reach_every_firm_of_the_cell() -> None:
    panel, truth = simulate_ningbo(1, _changed(spillover_per_10pp=-0.003), firms=2500)
    frame = panel.frame
    share = frame.groupby(["industry", "district", "year"], observed=True)["certified"].transform("mean")
    np.testing.assert_allclose(truth.parts["log_revenue"]["spillover"], -0.03 * share, atol=1e-12)
    assert (truth.effects["log_revenue"][~truth.begun("listed_year")] < 0).any()


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
