"""The design checks: each refit equals the estimator on data cut by hand, and every policy is coped with."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.briefing.wording import load_wording, placeholders
from sme_eval.checks.protocol import CheckResult
from sme_eval.evaluation.asked import Asked
from sme_eval.evaluation.checks_design import design_checks, entered_in_window
from sme_eval.evaluation.checks_design_data import attrition_check, treated_neighbours
from sme_eval.evaluation.refits import Refit
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.policies.rules import CheckRule
from sme_eval.results.estimate import Estimate
from tests.unit.design_asked import RULE, asked, city, shuffled, with_columns

FULL = replace(RULE, concurrent=("other_year", "tech_year"), lapse="lapse_year")


def first_years(panel: FirmPanel, seed: int = 7) -> dict[str, Any]:
    """Two policies that a tenth of firms enter each, and certificates a third of which lapse two years on."""
    rng = np.random.default_rng(seed)
    firm = panel.frame["firm"].to_numpy() - 1
    enters, tech = (np.where(rng.random(panel.n_firms) < 0.1, rng.integers(2018, 2024, panel.n_firms), 0)[firm] for _ in range(2))
    lapses = (rng.random(panel.n_firms) < 0.35)[firm]
    start = panel.frame["certified_year"].to_numpy()
    return {"other_year": enters, "tech_year": tech, "lapse_year": np.where(lapses & (start > 0), start + 2, 0)}


@cache
def full() -> Asked:
    panel = city()
    return asked(with_columns(panel, first_years(panel)), rule=FULL)


@cache
def results() -> dict[str, CheckResult]:
    return {check.name: check for check in design_checks(full())}


def refitted(one: Asked, frame: pd.DataFrame, estimator: Any = None) -> Any:
    sample = Refit.of(one).sample_from(frame)
    return (estimator or one.design.estimator).fit(sample).overall


def values(check: CheckResult) -> dict[str, Any]:
    assert check.table is not None
    return {row.key: row.values for row in check.table.rows}  # noqa: PD011  a row's cells


def test_every_check_is_asked() -> None:
    assert list(results()) == [
        "leave_one_out_cohort",
        "leave_one_out_district",
        "leave_one_out_industry",
        "concurrent",
        "placebo_assignment",
        "spillovers",
        "attrition",
        "lapses",
    ]


def test_a_lean_refit_is_the_headline() -> None:
    one = full()
    same = Refit.of(one).rows(np.ones(one.panel.n_rows, dtype=np.bool_))
    assert isinstance(same, Estimate)
    assert same.estimate == pytest.approx(one.headline.overall.estimate, rel=1e-12)
    assert same.std_error == pytest.approx(one.headline.overall.std_error, rel=1e-12)
    assert same.n_treated == one.headline.overall.n_treated


def test_leaving_out_a_district_is_fitting_without_its_firms() -> None:
    one, frame = full(), full().panel.frame
    for key in ("cixi", "yinzhou"):
        by_hand = refitted(one, frame[frame["district"].astype(str) != key])
        row = values(results()["leave_one_out_district"])[key]
        assert row["estimate"] == pytest.approx(by_hand.estimate, rel=1e-10)
        assert row["conf_low"] == pytest.approx(by_hand.conf_low, rel=1e-10)


def test_a_cohort_left_out_stays_where_it_is_compared() -> None:
    """Its entrants are not asked about but still compared with earlier cohorts: the pooled mean of the other cohorts' effects."""
    one = full()
    by_cohort = one.headline.by_cohort
    assert by_cohort is not None
    n, effect, cohorts = np.array(by_cohort.n_treated), np.asarray(by_cohort.estimate), by_cohort.keys["cohort"]
    for j, g in enumerate(cohorts):
        others = np.arange(len(cohorts)) != j
        row = values(results()["leave_one_out_cohort"])[str(g)]
        assert row["estimate"] == pytest.approx(np.average(effect[others], weights=n[others]), rel=1e-10)
        assert row["n_treated"] == n[others].sum()


def test_small_units_are_told_as_small() -> None:
    table = results()["leave_one_out_cohort"].table
    assert table is not None
    fewest = {row.key: row.n_firms for row in table.rows}
    assert fewest["2019"] == 5 and fewest["2021"] == 127


def test_other_policies_are_left_out_one_by_one_and_together() -> None:
    one, frame = full(), full().panel.frame
    rows = values(results()["concurrent"])
    assert list(rows) == ["other_year", "tech_year", "all_together"]
    out = (frame["other_year"] > 0) & (frame["other_year"] <= 2024)
    by_hand = refitted(one, frame[~out])
    assert rows["other_year"]["estimate"] == pytest.approx(by_hand.estimate, rel=1e-10)
    both = out | (frame["tech_year"] > 0)
    assert rows["all_together"]["n_treated"] == frame[~both & (frame["certified_year"] > 0)]["firm"].nunique()


def test_the_difference_in_exposure_is_counted_by_cohort() -> None:
    one = full()
    firm = one.panel.frame.drop_duplicates("firm")
    year = firm["other_year"].replace(0, np.inf).to_numpy(dtype=float)
    shares = entered_in_window(one, year)
    counted, total = np.zeros(2), 0
    for g in (2019, 2020, 2021, 2022):
        treated = firm["certified_year"].to_numpy() == g
        later = (firm["certified_year"].to_numpy() == 0) | (firm["certified_year"].to_numpy() > g)
        unlisted = (firm["listed_year"].to_numpy() == 0) | (firm["listed_year"].to_numpy() >= g)
        inside = (year >= g) & (year <= g + 2)
        counted += treated.sum() * np.array([inside[treated].mean(), inside[later & unlisted].mean()])
        total += treated.sum()
    assert shares == pytest.approx(tuple(counted / total))


def test_treated_neighbours_by_brute_force() -> None:
    rng = np.random.default_rng(0)
    cell, year, treated = rng.integers(0, 6, 200), rng.integers(0, 3, 200), rng.random(200) < 0.3
    found = treated_neighbours(cell, year, treated)
    for j in range(200):
        others = (cell == cell[j]) & (year == year[j]) & (np.arange(200) != j)
        assert found[j] == pytest.approx(treated[others].mean() if others.any() else 0.0)


def test_the_slope_on_neighbours_is_pyfixests() -> None:
    import pyfixest as pf

    frame = full().panel.frame
    cell = frame["industry"].astype(str) + frame["district"].astype(str)
    treated = (frame["certified_year"] > 0) & (frame["certified_year"] <= frame["year"])
    share = treated_neighbours(cell.astype("category").cat.codes.to_numpy(), frame["year"].to_numpy(), treated.to_numpy())
    data = frame[["firm", "year", "log_revenue"]].assign(share=10 * share, cell=cell)
    theirs = pf.feols("log_revenue ~ share | firm + year", data[frame["certified_year"] == 0], vcov={"CRV1": "cell"})
    ours = values(results()["spillovers"])["on_neighbours"]
    assert ours["estimate"] == pytest.approx(float(theirs.coef().iloc[0]), rel=1e-6)
    half = float(theirs.confint().iloc[0, 1]) - float(theirs.coef().iloc[0])
    assert ours["conf_high"] - ours["estimate"] == pytest.approx(half, rel=1e-3)


def test_a_spillover_is_found() -> None:
    panel = city(seed=2, scenario="null")
    frame = panel.frame
    cell = (frame["industry"].astype(str) + frame["district"].astype(str)).astype("category").cat.codes.to_numpy()
    treated = ((frame["certified_year"] > 0) & (frame["certified_year"] <= frame["year"])).to_numpy()
    moved = frame["log_revenue"] - 0.6 * treated_neighbours(cell, frame["year"].to_numpy(), treated)
    touched = FirmPanel(frame.assign(log_revenue=moved), data_kind="simulated", source=panel.source)
    check = next(c for c in design_checks(asked(touched)) if c.name == "spillovers")
    assert (check.passed, check.reason) == (False, "spillovers_found")
    assert check.numbers["slope_low"] < -0.06 < check.numbers["slope_high"]


def test_lapsed_years_are_dropped() -> None:
    one, frame = full(), full().panel.frame
    start, lapse, year = frame["certified_year"], frame["lapse_year"], frame["year"]
    after = (lapse > 0) & (year >= lapse)
    window = (start > 0) & (year >= start) & (year <= start + 2)
    check = results()["lapses"]
    assert check.reason == "lapses_share"
    assert check.numbers["share"] == pytest.approx((after & window).sum() / window.sum())
    assert check.numbers["until_lapse"] == pytest.approx(refitted(one, frame[~after]).estimate, rel=1e-10)


def exits(share_treated: float, share_others: float) -> FirmPanel:
    """The null city in which firms are dropped for good from a year after 2019 on, those of low revenue then first."""
    panel = city(seed=3, scenario="null")
    frame = panel.frame.sort_values(["firm", "year"])
    rng = np.random.default_rng(0)
    treated = (frame["certified_year"] > 0).to_numpy()
    leaves = rng.random(panel.n_firms)[frame["firm"].to_numpy() - 1] < np.where(treated, share_treated, share_others)
    year = rng.integers(2020, 2025, panel.n_firms)[frame["firm"].to_numpy() - 1]
    kept = frame[~(leaves & (frame["year"].to_numpy() >= year))]
    return FirmPanel(kept.reset_index(drop=True), data_kind="simulated", source=panel.source)


def test_attrition_counts_survivors() -> None:
    one = asked(exits(0.0, 0.4))
    (check,) = attrition_check(one)
    rows = values(check)
    frame = one.panel.frame
    seen = {(f, y) for f, y in zip(frame["firm"], frame["year"], strict=True)}
    firm = frame.drop_duplicates("firm").set_index("firm")[["certified_year", "listed_year"]]
    total, share = 0, 0.0
    for g in (2019, 2020, 2021, 2022):
        other = firm[((firm["certified_year"] == 0) | (firm["certified_year"] > g)) & ~firm["listed_year"].between(1, g - 1)]
        known = [f for f in other.index if (f, g - 1) in seen and (f, g - 3) in seen]
        n = int((firm["certified_year"] == g).sum())
        total, share = total + n, share + n * np.mean([(f, g + 2) in seen for f in known])
    assert rows["2"]["share_treated"] == 1.0
    assert rows["2"]["share_comparison"] == pytest.approx(share / total)
    assert rows["bounds"]["conf_low"] < rows["bounds"]["estimate"] < rows["bounds"]["conf_high"]


def test_untrimmed_changes_are_the_headline_where_all_stay_alike() -> None:
    """The residuals that are trimmed are the landmark's own: without trimming their pooled mean is the headline."""
    one = asked(exits(0.2, 0.2))
    (check,) = attrition_check(one)
    assert values(check)["bounds"]["estimate"] == pytest.approx(one.headline.overall.estimate, abs=0.02)


# --- all policies, and the order of rows ---------------------------------------------------------------------------


def spoken(check: CheckResult) -> None:
    """Words for name and reason, every number that the sentence refers to, a value for every column, numbers that are finite."""
    for language in ("zh", "en"):
        words = load_wording(language)
        assert words.has(f"check.{check.name}") and words.has(f"reason.{check.reason}")
        for path, _ in placeholders(words.template(f"reason.{check.reason}")):
            assert path.removeprefix(".numbers.") in check.numbers, (check.reason, path)
        if check.table is not None:
            assert all(words.has(f"column.{name}") for name in check.table.columns)
            for row in check.table.rows:
                assert set(row.values) == set(check.table.columns)
                free = row.label is not None or row.key.isdigit()
                assert free or words.has(f"row.{check.name}.{row.key}")
    assert all(np.isfinite(value) for value in check.numbers.values())


def test_every_result_can_be_said() -> None:
    for check in results().values():
        spoken(check)


@pytest.mark.parametrize("policy", ["credit", "rewards", "bundle"])
def test_other_policies_are_coped_with(policy: str) -> None:
    one = asked(full().panel, policy, FULL)
    few = replace(one, effort=replace(one.effort, placebos=2))
    found = list(design_checks(few))
    assert {"leave_one_out_cohort", "concurrent", "spillovers", "attrition"} <= {c.name for c in found}
    for check in found:
        spoken(check)


@pytest.mark.parametrize("outcome", ["log_scrap", "training_hours", "log_sales"])
def test_the_observed_panel_is_coped_with(outcome: str) -> None:
    from sme_eval.evaluation.design import Design
    from sme_eval.policies.policy import find_policy

    design = Design.from_policy(find_policy("training_grants"), outcome)
    one = asked(sme.open_source("jobtraining"), "training_grants", CheckRule(), outcome=outcome, mechanisms=design.mechanisms)
    found = list(design_checks(replace(one, effort=replace(one.effort, placebos=39))))
    assert [c.name for c in found] == ["leave_one_out_cohort", "placebo_assignment", "attrition"]
    for check in found:
        spoken(check)


def test_row_order_changes_nothing() -> None:
    one = full()
    again = {c.name: c for c in design_checks(asked(shuffled(one.panel), rule=FULL))}
    for name, check in results().items():
        if name == "placebo_assignment":  # firms are dealt in the order of the sample
            continue
        assert again[name].reason == check.reason
        for key, value in check.numbers.items():
            assert again[name].numbers[key] == pytest.approx(value, rel=1e-6, abs=1e-9), (name, key)
