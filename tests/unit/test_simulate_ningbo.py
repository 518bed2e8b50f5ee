"""The simulated city: the counts and doses of the reply, its panel, and the arguments it refuses."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

from sme_eval.errors import ParameterError
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.truth import Truth
from sme_eval.simulate.firms import DISTRICT_SHARES, DISTRICTS, INDUSTRIES
from sme_eval.simulate.ningbo import simulate_ningbo
from sme_eval.simulate.scenario import BATCHES, LIBRARY_ONLY, SCENARIOS, SRDI_ONLY, Credit, Scenario
from sme_eval.terms import NEVER

OUTCOMES = (
    "log_revenue", "log_employment", "spread", "log_credit_balance", "unsecured_share",
    "log_exports", "log_fixed_assets", "log_wage", "log_rd_spending", "equity_share", "log_productivity",
)  # fmt: skip
STARTS = (
    "certified_year", "certified_year_half", "srdi_year", "library_year", "listed_year", "digital_year",
    "innovative_year", "key_year", "upgrade_library_year", "above_scale_year", "provincial_library_year",
    "board_year", "export_insurance_year", "land_year", "loan_platform_year", "loan_equity_year",
    "training_year", "internship_year", "clinic_year", "first_set_year", "first_loan_year", "bank_target_year",
)  # fmt: skip
DOSES = {"haishu": 50.0, "jiangbei": 50.0, "yinzhou": 50.0, "hightech": 50.0, "hangzhou_bay": 100.0}
ALL_DOSES = DOSES | {"beilun": 30, "zhenhai": 40, "fenghua": 50, "xiangshan": 10, "ninghai": 20, "yuyao": 60, "cixi": 50}


@pytest.fixture(scope="module")
def baseline() -> tuple[FirmPanel, Truth]:
    return simulate_ningbo(seed=1)


def _firms(panel: FirmPanel) -> pd.DataFrame:
    return panel.frame.drop_duplicates("firm")


def _changed(**parts: object) -> Scenario:
    return dataclasses.replace(SCENARIOS["baseline"], **parts)  # type: ignore[arg-type]


# --- facts -----------------------------------------------------------------------------------------------------------


def test_counts_are_those_of_the_published_reply() -> None:
    assert dict(BATCHES) == {2019: 5, 2020: 50, 2021: 127, 2022: 101}
    assert sum(BATCHES.values()) == 283
    assert sum(BATCHES.values()) + sum(SRDI_ONLY.values()) == 715
    assert (sum(LIBRARY_ONLY.values()), LIBRARY_ONLY[2022]) == (1020, 862)


@pytest.mark.parametrize("scenario", list(SCENARIOS))
def test_every_city_of_every_scenario_has_these_counts(scenario: str) -> None:
    panel, _ = simulate_ningbo(seed=2, scenario=scenario, firms=2500)
    cities = _firms(panel).groupby("city")
    assert len(cities) == SCENARIOS[scenario].cities
    for _, firms in cities:
        assert firms["certified_year"].value_counts().to_dict() == {0: 2500 - 283, **BATCHES}
        assert firms["srdi_year"].gt(0).sum() == 715
        only = firms[(firms["certified_year"] == 0) & (firms["srdi_year"] > 0)]
        assert only["srdi_year"].value_counts().to_dict() == dict(SRDI_ONLY)
        assert firms["library_year"].value_counts().to_dict() == {0: 1480, 2020: 60, 2021: 98, 2022: 862}
        assert firms["listed_year"].gt(0).sum() == 1735


def test_tiers_are_nested(baseline: tuple[FirmPanel, Truth]) -> None:
    firms = _firms(baseline[0])
    lag = firms["certified_year"] - firms["srdi_year"]
    assert set(lag[firms["certified_year"] > 0]) == {0, 1, 2}
    assert not ((firms["library_year"] > 0) & ((firms["certified_year"] > 0) | (firms["srdi_year"] > 0))).any()
    assert (firms["listed_year"] == firms[["srdi_year", "library_year"]].max(axis=1)).all()  # at most one of them is not 0
    assert firms.loc[firms["srdi_year"] > 0, "srdi_year"].min() >= 2017


def test_lags_have_their_shares() -> None:
    """20 panels, 5,660 little giants: a share of 0.4 has a Monte Carlo standard error of 0.0065."""
    lags = []
    for seed in range(20):
        firms = _firms(simulate_ningbo(seed)[0])
        giants = firms[firms["certified_year"] > 0]
        lags.append((giants["certified_year"] - giants["srdi_year"]).to_numpy())
    shares = np.bincount(np.concatenate(lags)) / 5660
    np.testing.assert_allclose(shares, [0.3, 0.4, 0.3], atol=4 * 0.0065)


def test_the_other_coding_moves_batches_of_a_second_half(baseline: tuple[FirmPanel, Truth]) -> None:
    firms = _firms(baseline[0])
    coded = set(zip(firms["certified_year"], firms["certified_year_half"], strict=True))
    assert coded == {(0, 0), (2019, 2019), (2020, 2021), (2021, 2022), (2022, 2023)}


@pytest.mark.parametrize(
    ("scenario", "doses"), [("baseline", DOSES), ("null", DOSES), ("cash_only", ALL_DOSES), ("pooled11", ALL_DOSES)]
)
def test_doses_are_the_stated_ones_unless_all_are_known(scenario: str, doses: dict[str, float]) -> None:
    firms = _firms(simulate_ningbo(seed=1, scenario=scenario, firms=2500)[0])
    key = firms["district"].astype(str).str.replace(r"^c\d\d_", "", regex=True)
    assert set(key) == set(DISTRICTS)
    pd.testing.assert_series_equal(firms["reward_dose"], key.map(doses), check_names=False)


def test_shares_of_districts_add_to_one() -> None:
    assert sum(DISTRICT_SHARES) == pytest.approx(1.0, abs=1e-12)


# --- the panel -------------------------------------------------------------------------------------------------------


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
    assert (frame["certified"] == ((frame["certified_year"] > 0) & (frame["year"] >= frame["certified_year"]))).all()
    assert (frame["city"] == 1).all()
    assert truth.outcomes == OUTCOMES and tuple(truth.starts) == STARTS
    for name in STARTS:
        np.testing.assert_array_equal(frame[name], np.where(truth.starts[name] == NEVER, 0, truth.starts[name]))


def test_same_arguments_same_panel(baseline: tuple[FirmPanel, Truth]) -> None:
    assert simulate_ningbo(seed=1)[0].content_hash() == baseline[0].content_hash()
    assert simulate_ningbo(seed=2)[0].content_hash() != baseline[0].content_hash()
    copied = pickle.loads(pickle.dumps(baseline[0]))
    assert copied.content_hash() == baseline[0].content_hash()
    assert copied.truth.average("log_revenue", estimand="own") == baseline[1].average("log_revenue", estimand="own")


def test_the_first_of_several_cities_is_the_city_alone() -> None:
    alone, _ = simulate_ningbo(seed=3, firms=2500)
    panel, _ = simulate_ningbo(seed=3, scenario=_changed(cities=2), firms=2500)
    assert panel.n_firms == 5000
    assert dict(panel.parameters) == {**alone.parameters, "scenario": "custom", "cities": 2}
    first, second = panel.frame.iloc[:25_000], panel.frame.iloc[25_000:]
    assert (first["city"] == 1).all() and (second["city"] == 2).all()
    named = ["district", "reward_jurisdiction", "stat_district", "stat_district_2015"]
    for name in named:
        assert first[name].astype(str).equals(alone.frame[name].astype(str)) and second[name].str.startswith("c02_").all()
    assert first.drop(columns=named).equals(alone.frame.drop(columns=named))
    levels = np.stack([part["log_revenue"].to_numpy() for part in (first, second)])
    assert abs(np.corrcoef(levels)[0, 1]) < 0.08  # 2,500 firms: standard error 0.02


# --- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("years", [(2016, 2022), (2012, 2024), (2016, 2030)])
def test_other_years_work(years: tuple[int, int]) -> None:
    panel, truth = simulate_ningbo(1, years=years, firms=2500)
    assert (panel.years[0], panel.years[-1]) == years
    assert truth.part("log_revenue", "certificate", event_time=0, among=truth.cohort == 2022) == pytest.approx(0.008, abs=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scenario": "basline"}, "did you mean 'baseline'"),
        ({"firms": 2499}, "simulate at least 2,500 firms"),
        ({"firms": 2500.5}, "simulate at least 2,500 firms"),
        ({"years": (2017, 2024)}, "start in 2016 or before"),
        ({"years": (2015, 2021)}, "end in 2022 or later"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
        ({"scenario": Scenario(cities=0)}, "The scenario has 0 cities"),
        ({"scenario": Scenario(cities=100)}, "give it 1 to 99"),
    ],
)
def test_refused_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        simulate_ningbo(**{"seed": 1, **arguments})  # type: ignore[arg-type]


def test_all_refusals_at_once() -> None:
    with pytest.raises(ParameterError, match="3 problems"):
        simulate_ningbo(-1, firms=10, years=(2020, 2021))


def test_scenarios_are_frozen_and_say_what_they_are() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SCENARIOS["null"].name = "baseline"  # type: ignore[misc]
    assert Scenario().certificate == SCENARIOS["baseline"].certificate
    for name, scenario in SCENARIOS.items():
        assert scenario.name == name
        assert scenario.description and "\n" not in scenario.description
    assert (SCENARIOS["informative"].cities, SCENARIOS["pooled11"].cities) == (4, 11)


def test_a_changed_scenario_does_not_keep_its_name() -> None:
    assert simulate_ningbo(1, SCENARIOS["null"], firms=2500)[0].parameters["scenario"] == "null"
    assert simulate_ningbo(1, _changed(credit=Credit(balance=0.2)), firms=2500)[0].parameters["scenario"] == "custom"
    assert simulate_ningbo(1, _changed(name="mine"), firms=2500)[0].parameters["scenario"] == "mine"
