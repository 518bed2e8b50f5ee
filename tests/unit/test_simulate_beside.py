"""Columns beside the policies: drawn from streams of their own, as declared, and in the scenarios that say so."""

import dataclasses
import hashlib

import numpy as np
import pandas as pd
import pytest

from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.truth import Truth
from sme_eval.simulate.beside import Concurrent, Exit, Review
from sme_eval.simulate.city import draw_city
from sme_eval.simulate.firms import Draws
from sme_eval.simulate.ningbo import simulate_ningbo
from sme_eval.simulate.scenario import SCENARIOS, Scenario
from sme_eval.simulate.traits import HIGH_TECHNOLOGY
from sme_eval.terms import NEVER

NUMBERS = (
    "log_revenue", "log_employment", "rd_intensity", "city", "certified_year", "certified_year_half", "srdi_year", "library_year",
    "listed_year", "certified", "spread", "log_credit_balance", "unsecured_share", "reward_dose",
)  # fmt: skip
FIVE = ("log_revenue", "log_employment", "spread", "log_credit_balance", "unsecured_share")
BEFORE = {
    "baseline": "57a995d2e9eb20ad",
    "null_strong_selection": "7e33ca8cccfb5524",
    "cash_only": "0de6dec511c9b7fd",
    "informative": "b7fbea3954ab53ff",
}
"""Digest of the columns and effects that panels of 2,500 firms and seed 7 had before the columns beside them were added."""


@pytest.fixture(scope="module")
def baseline() -> tuple[FirmPanel, Truth]:
    return simulate_ningbo(seed=1)


def _firms(panel: FirmPanel) -> pd.DataFrame:
    return panel.frame.drop_duplicates("firm")


def _digest(panel: FirmPanel, truth: Truth) -> str:
    """Of columns, effects and parts to nine decimals: what differs by rounding alone is the same."""
    found = hashlib.sha256()
    for name in NUMBERS:
        found.update(np.round(panel.frame[name].to_numpy(dtype=np.float64), 9).tobytes())
    for name in ("district", "industry"):
        found.update(" ".join(panel.frame[name].astype(str)).encode())
    for outcome in FIVE:
        found.update(np.round(truth.effects[outcome], 9).tobytes())
    return found.hexdigest()[:16]


@pytest.mark.parametrize("scenario", list(BEFORE))
def test_what_was_there_before_is_unchanged(scenario: str) -> None:
    assert _digest(*simulate_ningbo(7, scenario, firms=2500)) == BEFORE[scenario]


def test_some_numbers_from_before(baseline: tuple[FirmPanel, Truth]) -> None:
    frame = baseline[0].frame
    expected = {
        "log_revenue": (8.800971913580227, 6.947846195980997, 8.57343128861913),
        "log_employment": (5.182982744479036, 3.6285554797750823, 4.206512302670345),
        "spread": (0.9319968255213881, 0.7667632475293521, 0.9288698459166377),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(frame[name].iloc[[0, 31_234, 59_999]], values, rtol=0, atol=1e-12)


def test_traits_are_as_declared(baseline: tuple[FirmPanel, Truth]) -> None:
    """6,000 firms: a share has a standard error of at most 0.0065."""
    firms = _firms(baseline[0])
    shares = firms["ownership"].value_counts(normalize=True)
    for owner, share in {"private": 0.88, "state": 0.05, "foreign": 0.07}.items():
        assert shares[owner] == pytest.approx(share, abs=0.017)
    assert (firms["founded_year"].min(), firms["founded_year"].max()) == (1985, 2014)
    assert ((firms["age_class"] == "mature") == (2015 - firms["founded_year"] >= 10)).all()
    assert (firms["high_technology"] == firms["industry"].isin(HIGH_TECHNOLOGY)).all()
    persons = np.exp(firms["log_employment"])  # rows of 2015, when no policy acts
    expected = np.select([persons < 60, persons < 200], ["small", "medium"], "large")
    assert (firms["size_class"].astype(str) == expected).all()
    assert firms["size_class"].value_counts(normalize=True).min() > 0.15


def test_small_and_young_firms_are_constrained_more_often(baseline: tuple[FirmPanel, Truth]) -> None:
    firms = _firms(baseline[0])
    by = {name: firms.groupby(name, observed=True)["constrained"].mean() for name in ("size_class", "age_class")}
    assert by["size_class"]["small"] > by["size_class"]["large"] + 0.1
    assert by["age_class"]["young"] > by["age_class"]["mature"] + 0.05


def test_other_policies_follow_their_log_odds() -> None:
    """20,000 firms; among 283 little giants a share has a standard error of 0.03."""
    rules = Concurrent()
    city = draw_city(Draws(5), SCENARIOS["baseline"], 20_000, np.arange(2015, 2025))
    giant, holds = city.tiers.certified < NEVER, city.beside.high_tech < NEVER
    odds = rules.base + rules.rd * city.firms.rd + rules.giant * giant
    expected = 1 / (1 + np.exp(-odds))
    assert holds[giant].mean() == pytest.approx(expected[giant].mean(), abs=0.09)
    assert holds[~giant].mean() == pytest.approx(expected[~giant].mean(), abs=4 * 0.003)
    years = city.beside.high_tech[holds]
    assert (years.min(), years.max()) == rules.years
    assert np.corrcoef(city.beside.digital < NEVER, city.firms.size)[0, 1] > 0.1


def test_in_the_concurrent_world_status_and_certificate_come_together() -> None:
    """About 140 little giants with the status: 0.8 of them aligned and an eighth of the others by chance."""
    together = {}
    for scenario in ("baseline", "concurrent"):
        firms = _firms(simulate_ningbo(1, scenario)[0])
        both = firms[(firms["certified_year"] > 0) & (firms["high_tech_year"] > 0)]
        together[scenario] = float((both["certified_year"] == both["high_tech_year"]).mean())
    assert together["baseline"] == pytest.approx(1 / 8, abs=4 * 0.03)
    assert together["concurrent"] == pytest.approx(0.8 + 0.2 / 8, abs=4 * 0.035)


def test_certificates_lapse_at_a_review(baseline: tuple[FirmPanel, Truth]) -> None:
    firms = _firms(baseline[0])
    lapsed = firms[firms["lapse_year"] > 0]
    assert (lapsed["certified_year"] > 0).all()
    assert set(lapsed["lapse_year"] - lapsed["certified_year"]) == {3}  # the second review is after 2024
    reviewed = firms["certified_year"].between(1, 2021).sum()
    assert len(lapsed) / reviewed == pytest.approx(0.15, abs=4 * np.sqrt(0.15 * 0.85 / reviewed))
    always = dataclasses.replace(SCENARIOS["baseline"], review=Review(not_renewed=1.0))
    longer = _firms(simulate_ningbo(1, always, firms=2500, years=(2015, 2030))[0])
    assert (longer["lapse_year"] == np.where(longer["certified_year"] > 0, longer["certified_year"] + 3, 0)).all()


def test_statuses_raise_the_reported_figure_only() -> None:
    """Mean change of little giants less that of the others: 200 verified ones have a standard error below 0.04."""
    frame = simulate_ningbo(1)[0].frame
    giants = frame["certified_year"] > 0
    untouched = frame["high_tech_year"] == 0
    for name, jump in (("rd_reported", 0.6), ("rd_verified", 0.0)):
        later = frame["year"] >= np.where(giants, frame["certified_year"], 2021)
        means = frame[untouched].groupby([giants[untouched], later[untouched]])[name].mean()
        assert means[True, True] - means[True, False] - (means[False, True] - means[False, False]) == pytest.approx(jump, abs=0.12)
    known = frame.groupby("firm")["rd_verified"].count()
    assert set(known) == {0, 10}
    assert (known == 10).mean() == pytest.approx(0.7, abs=4 * 0.006)
    assert frame["rd_reported"].notna().all() and frame["rd_reported"].min() >= 0


def test_exposure_is_that_of_the_other_firms(baseline: tuple[FirmPanel, Truth]) -> None:
    frame = baseline[0].frame
    cells = frame.groupby(["industry", "district", "year"], observed=True)["certified"]
    others = cells.transform("size") - 1
    expected = np.where(others > 0, (cells.transform("sum") - frame["certified"]) / np.maximum(others, 1), 0.0)
    np.testing.assert_allclose(frame["supplier_exposure"], expected, atol=1e-12)


@pytest.mark.parametrize("scenario", [name for name, world in SCENARIOS.items() if world.cities == 1])
def test_only_in_two_scenarios_are_firms_not_there_all_the_time(scenario: str) -> None:
    panel, truth = simulate_ningbo(1, scenario, firms=2500)
    assert (panel.n_rows == 25_000) == (scenario not in ("attrition", "register"))
    assert panel.truth is truth and truth.year.size == panel.n_rows


def test_who_leaves_and_what_is_left() -> None:
    """Rows that stay are those of baseline, with their truth; a firm that is gone never comes back.

    Services and further lists are filled from the firms still there, so that these columns differ.
    """
    panel, truth = simulate_ningbo(1, "attrition")
    full, full_truth = simulate_ningbo(1)
    kept = pd.MultiIndex.from_frame(full.frame[["firm", "year"]]).isin(pd.MultiIndex.from_frame(panel.frame[["firm", "year"]]))
    names = [*full.columns[: full.columns.index("supplier_exposure") + 1], "valid_to", "review", "exporter", "entered_year"]
    assert panel.frame[names].equals(full.frame.loc[kept, names].reset_index(drop=True))
    for outcome in FIVE:
        np.testing.assert_array_equal(truth.effects[outcome], full_truth.effects[outcome][kept])
        assert set(truth.parts[outcome]) == set(full_truth.parts[outcome])
    np.testing.assert_array_equal(truth.cohort, full_truth.cohort[kept])
    of_firm = panel.frame.groupby("firm")["year"].agg(["min", "max", "size"])
    assert (of_firm["size"] == of_firm["max"] - of_firm["min"] + 1).all() and (of_firm["min"] == 2015).all()
    assert of_firm["max"].min() == 2016
    firms = _firms(panel)
    gone = firms["firm"].map(of_firm["max"]) < 2024
    assert gone[firms["certified_year"] > 0].mean() < 0.5 * gone[firms["listed_year"] == 0].mean()
    entry = firms[["certified_year", "srdi_year", "library_year"]].max(axis=1)
    assert (firms["firm"].map(of_firm["max"]) >= entry).all()


def test_firms_that_shrank_leave_more_often() -> None:
    world = Scenario(exit=Exit(hazard=0.05))
    city = draw_city(Draws(3), world, 20_000, np.arange(2015, 2025))
    growth = np.diff(city.untreated["log_revenue"], axis=1)
    leaves = city.beside.gone == 2019
    assert growth[leaves, 2].mean() < growth[~leaves, 2].mean() - 0.02  # growth 2017 → 2018


def test_firms_are_founded_before_the_panel_begins() -> None:
    assert simulate_ningbo(1, years=(2012, 2024), firms=2500)[0].frame["founded_year"].max() == 2011
