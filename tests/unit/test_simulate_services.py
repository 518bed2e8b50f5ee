"""Tiers, lists and services: who may have them, how many do, when, and exactly what each does to which outcome."""

import hashlib
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.panel.truth import STEP, Truth
from sme_eval.simulate.banks import ASSESSED, BANKS
from sme_eval.simulate.city import draw_city
from sme_eval.simulate.firms import Draws
from sme_eval.simulate.ningbo import simulate_ningbo
from sme_eval.simulate.scenario import SCENARIOS
from sme_eval.simulate.service_effects import ServiceEffects
from sme_eval.simulate.services import SERVICES
from sme_eval.simulate.tiers_more import INNOVATIVE_ONLY, KEY, certificate_spell, choose
from sme_eval.terms import NEVER

TODAY = {"baseline": "163ba5e66f5f19c9", "strong_selection": "e61cf0869fe156c2", "attrition": "89652bf929367cd4"}
"""Digest of the thirty columns that panels of 2,500 firms and seed 1 had before tiers, services and loans were added."""
NO_REVENUE = ("log_revenue", "log_employment", "spread", "log_credit_balance", "unsecured_share")


@pytest.fixture(scope="module")
def drawn() -> tuple[FirmPanel, Truth]:
    return simulate_ningbo(2, firms=2500)


@pytest.fixture(scope="module")
def firms(drawn: tuple[FirmPanel, Truth]) -> pd.DataFrame:
    return drawn[0].frame.drop_duplicates("firm")


def _digest(frame: pd.DataFrame) -> str:
    found = hashlib.sha256()
    for name in frame.columns[: list(frame.columns).index("supplier_exposure") + 1]:
        column = frame[name]
        found.update(name.encode())
        text = isinstance(column.dtype, pd.CategoricalDtype)
        rounded = b"" if text else (np.round(column.to_numpy(dtype=np.float64), 9) + 0.0).tobytes()
        found.update(" ".join(column.astype(str)).encode() if text else rounded)
    return found.hexdigest()[:16]


@pytest.mark.parametrize("scenario", list(TODAY))
def test_no_earlier_column_moves(scenario: str) -> None:
    assert _digest(simulate_ningbo(1, scenario, firms=2500)[0].frame) == TODAY[scenario]


# --- who and when ----------------------------------------------------------------------------------------------------


def _since(firms: pd.DataFrame, column: str, year: pd.Series) -> pd.Series:
    """Whether a firm's own `column` has begun by that `year`."""
    return (firms[column] > 0) & (firms[column] <= year)


def test_innovative_firms_hold_all_srdi_firms_in_time(firms: pd.DataFrame) -> None:
    srdi = firms[firms["srdi_year"] > 0]
    assert _since(srdi, "innovative_year", srdi["srdi_year"]).all()
    early = srdi["innovative_year"] < 2019
    assert (srdi["innovative_year"] == srdi["srdi_year"])[early].all()
    others = firms[firms["srdi_year"] == 0]["innovative_year"]
    assert others.value_counts().drop(0).to_dict() == dict(INNOVATIVE_ONLY)
    assert sum(INNOVATIVE_ONLY.values()) == 1566 - 715


def test_key_firms_are_little_giants_with_a_valid_certificate(firms: pd.DataFrame) -> None:
    key = firms[firms["key_year"] > 0]
    assert key["key_year"].value_counts().to_dict() == dict(KEY)
    assert _since(key, "certified_year", key["key_year"]).all()
    assert ((key["lapse_year"] == 0) | (key["lapse_year"] > key["key_year"])).all()


@pytest.mark.parametrize("service", list(SERVICES))
def test_services_go_to_those_who_may_have_them(firms: pd.DataFrame, service: str) -> None:
    offer, taken = SERVICES[service], firms[firms[f"{service}_year"] > 0]
    year = taken[f"{service}_year"]
    assert year.value_counts().to_dict() == dict(offer.batches)
    needed = {
        "srdi": "srdi_year",
        "srdi_exporter": "srdi_year",
        "listed": "listed_year",
        "certified": "certified_year",
        "key": "key_year",
    }
    if offer.who in needed:
        assert _since(taken, needed[offer.who], year).all()
    else:
        assert not _since(taken, "listed_year", year).any() and (taken["constrained"] == 1).all()
    assert offer.who != "srdi_exporter" or (taken["exporter"] == 1).all()


@pytest.mark.parametrize("scenario", ["attrition", "register", "clean"])
def test_batches_are_full_where_firms_are_few(scenario: str) -> None:
    firms = simulate_ningbo(6, scenario, firms=2500)[0].frame.drop_duplicates("firm")
    for service, offer in SERVICES.items():
        assert firms[f"{service}_year"].value_counts().drop(0).to_dict() == dict(offer.batches), service


def test_nobody_is_served_after_leaving() -> None:
    frame = simulate_ningbo(4, "attrition", firms=2500)[0].frame
    last = frame.groupby("firm")["year"].transform("max")
    for start in STEP:
        if start not in ("digital_year", "certified_year_half"):  # drawn, or coded, without regard to the firm's stay
            assert (frame[start] <= last).all(), start


def test_fewer_candidates_than_places_are_all_chosen() -> None:
    among = np.array([False, True, True, False])
    for count in (2, 3):
        assert set(choose(np.random.default_rng(1), np.zeros(4), among, count)) == {1, 2}
    assert choose(np.random.default_rng(1), np.array([0.0, 0.0, 50.0, 90.0]), among, 1).tolist() == [2]
    assert choose(np.random.default_rng(1), np.zeros(4), ~among & among, 3).size == 0


def test_take_up_depends_on_research_and_growth_where_the_scenario_says_so() -> None:
    """6,000 firms, 215 on the board: a mean of a standardised trait has a standard error of 0.07."""
    for scenario, least, most in (("baseline", 0.3, 2.0), ("clean", -0.2, 0.2)):
        city = draw_city(Draws(3), SCENARIOS[scenario], 6000, np.arange(2015, 2025))
        taken = np.min(list(city.more.services.starts.values()), axis=0) < NEVER
        library = city.more.tiers.provincial_library < NEVER
        for chosen in (taken, library):
            assert least < city.firms.rd[chosen].mean() - city.firms.rd[~chosen].mean() < most
    small = city.more.tiers.upgrade_library < NEVER
    assert city.firms.size[small].mean() < city.firms.size[~small].mean() - 0.5
    assert 0.45 < city.more.services.exporter.mean() < 0.65
    raised = city.more.tiers.above_scale < NEVER
    distance = np.abs(city.untreated["log_revenue"][:, 6] - np.log(2000))
    assert distance[raised].mean() < 0.6 * distance[~raised].mean()


# --- certificates as spells ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("certified", "lapse", "last_year", "valid_to", "review"),
    [
        (2021, NEVER, 2023, 2023, "pending"),  # valid 2021–2023, the review is due in 2024
        (2021, NEVER, 2024, 2026, "renewed"),
        (2021, 2024, 2024, 2023, "not_renewed"),
        (2019, NEVER, 2024, 2024, "renewed"),
        (2019, NEVER, 2025, 2027, "renewed"),
        (2019, 2025, 2025, 2024, "not_renewed"),
        (2022, NEVER, 2022, 2024, "pending"),
        (NEVER, NEVER, 2024, NEVER, "none"),
    ],
)
def test_a_certificate_is_valid_for_three_years(certified: int, lapse: int, last_year: int, valid_to: int, review: str) -> None:
    rules = SCENARIOS["baseline"].review
    until, found = certificate_spell(rules, np.array([certified]), np.array([lapse]), last_year)
    assert until.tolist() == [valid_to]
    assert ("renewed", "not_renewed", "pending", "none")[int(found[0])] == review


def test_spells_agree_with_lapses(firms: pd.DataFrame) -> None:
    holds = firms["certified_year"] > 0
    assert (firms["valid_from"] == firms["certified_year"]).all() and ((firms["review"] == "none") == ~holds).all()
    lapsed = firms["lapse_year"] > 0
    assert ((firms["review"] == "not_renewed") == lapsed).all()
    assert (firms["valid_to"] + 1 == firms["lapse_year"])[lapsed].all()
    assert (firms["valid_to"] >= 2024)[holds & ~lapsed].all()
    assert ((firms["valid_to"] - firms["valid_from"] + 1) % 3 == 0)[holds].all()
    assert set(firms["review"]) == {"renewed", "not_renewed", "pending", "none"}


# --- what services do ------------------------------------------------------------------------------------------------


def _declared() -> list[tuple[str, str, tuple[float, ...]]]:
    """Part, outcome, profile."""
    found = []
    for each in fields(ServiceEffects):
        part, _, on = each.name.partition("_on_")
        found.append((part, on if on == "equity_share" else f"log_{on}", getattr(ServiceEffects(), each.name)))
    return found


@pytest.mark.parametrize(("part", "outcome", "profile"), _declared())
def test_effects_are_exact(drawn: tuple[FirmPanel, Truth], part: str, outcome: str, profile: tuple[float, ...]) -> None:
    truth, start = drawn[1], f"{part}_year"
    assert STEP[start] == (part,)
    path = truth.by_event_time(outcome, start, "step", leads=(-3, -1))
    assert path == pytest.approx({e: profile[min(e, len(profile) - 1)] if e >= 0 else 0.0 for e in path}, abs=1e-14)
    assert not truth.parts[outcome][part][~truth.begun(start)].any()


def test_the_assessment_asks_every_second_bank_for_loans_to_firms_certified_by_then(firms: pd.DataFrame) -> None:
    counts = firms["main_bank"].astype(int).value_counts()
    assert set(counts.index) == set(range(1, BANKS + 1)) and counts[1] > counts[BANKS] > 0
    asked, by_then = firms["bank_target_year"] > 0, (firms["srdi_year"] > 0) & (firms["srdi_year"] <= ASSESSED)
    assert (firms.loc[asked, "bank_target_year"] == ASSESSED).all()
    assert (asked == (by_then & (firms["main_bank"].astype(int) % 2 == 0))).all()


def test_banks_of_a_second_city_are_its_own() -> None:
    frame = simulate_ningbo(2, "informative", firms=2500)[0].frame
    assert len(frame[["main_bank", "city"]].drop_duplicates()) == frame["main_bank"].nunique() == 4 * BANKS


def test_every_start_has_a_step_and_nothing_else_acts(drawn: tuple[FirmPanel, Truth]) -> None:
    _, truth = drawn
    assert set(truth.starts) == set(STEP)
    acting = {(part, outcome) for part, outcome, _ in _declared()}
    assert {(part, o) for o in truth.outcomes if o not in NO_REVENUE for part in truth.parts[o]} == acting
    services = {f"{name}_year" for name in SERVICES} | {"key_year", "innovative_year", "upgrade_library_year", "digital_year"}
    for start in services:
        assert truth.average("log_revenue", start=start, estimand="step") == 0.0
        assert truth.average("log_employment", start=start, estimand="step") == 0.0
    for start in ("loan_platform_year", "first_loan_year", "above_scale_year", "provincial_library_year", "bank_target_year"):
        assert all(truth.average(outcome, start=start, estimand="step") == 0.0 for outcome in truth.outcomes)


def test_exports_are_those_of_exporters(drawn: tuple[FirmPanel, Truth]) -> None:
    panel, truth = drawn
    frame = panel.frame
    assert (frame["log_exports"].notna() == (frame["exporter"] == 1)).all()
    assert not truth.effects["log_exports"][(frame["exporter"] == 0).to_numpy()].any()
    assert (frame["log_exports"] > frame["log_revenue"]).sum() < 0.01 * len(frame)  # hardly anyone exports more than is sold
    spending = frame["log_rd_spending"] - frame["log_revenue"] - np.log(frame["rd_intensity"].clip(lower=0.5) / 100)
    assert abs(spending.mean()) < 0.05 and spending.std() < 0.35


def test_services_act_only_where_the_scenario_lets_them() -> None:
    zero = {name for name, world in SCENARIOS.items() if world.services == ServiceEffects().nothing()}
    assert zero == {name for name in SCENARIOS if name.startswith("null")} | {"credit_only", "certificate_only", "cash_only"}
    with_services, truth = simulate_ningbo(1, firms=2500)
    without, _ = simulate_ningbo(1, replace(SCENARIOS["baseline"], services=ServiceEffects().nothing()), firms=2500)
    for outcome in truth.outcomes:
        np.testing.assert_array_equal(
            with_services.frame[outcome],
            without.frame[outcome] + truth.effects[outcome] if outcome not in NO_REVENUE else without.frame[outcome],
        )


def test_landmark_recovers_the_effect_on_exports() -> None:
    """Ten panels of 2,500 firms: a Monte Carlo standard error of about 0.006 beside a truth of 0.05."""
    gaps = []
    for seed in range(10):
        panel, truth = simulate_ningbo(seed, firms=2500)
        frame = panel.frame[panel.frame["exporter"] == 1]
        sample = Sample.from_frame(
            frame,
            firm="firm",
            year="year",
            outcome="log_exports",
            cohort="export_insurance_year",
            columns=("rd_intensity", "log_revenue"),
        )
        design = LandmarkDiD(covariates=("rd_intensity",), growth_of="log_revenue", window=(-4, 2))
        true = truth.average("log_exports", start="export_insurance_year", estimand="step", event_time=(0, 2))
        estimate = design.fit(sample).estimate
        assert isinstance(estimate, float)
        gaps.append(estimate - true)
    error = np.std(gaps, ddof=1) / np.sqrt(len(gaps))
    assert true == pytest.approx(0.05, abs=1e-12)
    assert error < 0.01
    assert abs(np.mean(gaps)) < 3.5 * error
