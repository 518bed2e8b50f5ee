"""The design checks: each refit equals the estimator on data cut by hand, verdicts follow their rules, every policy is coped with."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.briefing.wording import load_wording, placeholders
from sme_eval.checks.attrition import Survival, check_attrition
from sme_eval.checks.concurrent import OtherPolicy, check_concurrent
from sme_eval.checks.lapses import Lapsed, check_lapses
from sme_eval.checks.leave_one_out import check_leave_one_out
from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.shifts import LARGEST_SHIFT, LeftOut, allowed_shift, shift_of, turns
from sme_eval.checks.spillovers import check_spillovers
from sme_eval.evaluation.asked import Asked
from sme_eval.evaluation.checks_design import design_checks, entered_in_window
from sme_eval.evaluation.checks_design_data import attrition_check, treated_neighbours
from sme_eval.evaluation.refits import Refit
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.policies.rules import CheckRule
from sme_eval.results.basis import Basis
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.lee_bounds import LeeBounds
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
    return {row.key: row.values for row in check.table.rows}


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
    data = pd.DataFrame(
        {"y": frame["log_revenue"], "share": 10 * share, "firm": frame["firm"], "year": frame["year"], "cell": cell}
    )
    theirs = pf.feols("y ~ share | firm + year", data[frame["certified_year"] == 0], vcov={"CRV1": "cell"})
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


# --- rules -----------------------------------------------------------------------------------------------------------


def estimate(value: float, error: float, n_treated: int = 100) -> Estimate:
    basis = Basis(n_firms=1000, n_observations=9000, n_clusters=1000, convention="")
    return Estimate.from_basis("", value, error, basis, n_treated)


def left(value: float, error: float, out: int, key: str = "a", treated: int = 80) -> LeftOut:
    return LeftOut(key=key, estimate=estimate(value, error, treated), n_treated=out, n_firms=10 * max(out, 1))


def test_shift_of_a_part_is_the_variance_of_the_difference() -> None:
    """A mean of 100 against that of 80 of them: the difference has variance se²·0.2/0.8, by simulation too (2 % error of an sd)."""
    assert shift_of(estimate(1.0, 0.1), left(1.1, 0.1, 20)) == pytest.approx(0.1 / (0.1 * np.sqrt(0.25)))
    draws = np.random.default_rng(0).standard_normal((3000, 100))
    apart = (draws[:, :80].mean(axis=1) - draws.mean(axis=1)).std()
    assert apart == pytest.approx(0.1 * np.sqrt(0.25), rel=0.05)
    # Hausman's is taken where larger; without treated firms left out and without it, the headline's own error.
    assert shift_of(estimate(1.0, 0.1), left(1.1, 0.2, 20)) == pytest.approx(0.1 / np.sqrt(0.03))
    assert shift_of(estimate(1.0, 0.1), left(1.1, 0.1, 0)) == pytest.approx(1.0)


def test_several_exclusions_are_allowed_more() -> None:
    assert allowed_shift(1) == LARGEST_SHIFT
    assert allowed_shift(12) == pytest.approx(2.8578, abs=1e-3)


def test_only_an_estimate_told_from_zero_can_turn() -> None:
    assert turns(estimate(1.0, 0.1), left(-0.1, 0.1, 20))
    assert not turns(estimate(0.1, 0.1), left(-0.1, 0.1, 20))


def test_leave_one_out_verdicts() -> None:
    stable = [left(1.02, 0.11, 20, "a"), left(0.98, 0.11, 20, "b")]
    assert check_leave_one_out("district", estimate(1.0, 0.1), stable).passed is True
    moved = check_leave_one_out("district", estimate(1.0, 0.1), [*stable, left(1.6, 0.11, 20, "c")])
    assert (moved.passed, moved.numbers["n_moved"]) == (False, 1)
    alone = check_leave_one_out("district", estimate(1.0, 0.1), stable[:1])
    assert (alone.passed, alone.reason) == (None, "leave_one_out_unknown")
    small = LeftOut(key="s", estimate=estimate(2.0, 0.1, 97), n_treated=3, n_firms=30)
    told = check_leave_one_out("district", estimate(1.0, 0.1), [*stable, small])
    assert told.passed is False and told.numbers["highest"] == pytest.approx(1.02)
    gone = LeftOut(key="g", estimate=Unavailable("gone"), n_treated=20, n_firms=30)
    assert check_leave_one_out("district", estimate(1.0, 0.1), [*stable, gone]).numbers["n_units"] == 2


def test_concurrent_verdicts() -> None:
    stay = OtherPolicy(without=left(1.02, 0.11, 20), share_treated=0.2, share_comparison=0.1)
    go = OtherPolicy(without=left(1.6, 0.11, 20), share_treated=0.2, share_comparison=0.4)
    assert check_concurrent(estimate(1.0, 0.1), [stay]).passed is True
    both = check_concurrent(estimate(1.0, 0.1), [stay, go])
    assert (both.passed, both.numbers["most_more"]) == (False, pytest.approx(-0.2))
    few = OtherPolicy(without=left(1.02, 0.11, 3), share_treated=0.03, share_comparison=0.0)
    assert check_concurrent(estimate(1.0, 0.1), [few]).reason == "concurrent_stable_few"
    gone = OtherPolicy(
        without=LeftOut(key="g", estimate=Unavailable("gone"), n_treated=9, n_firms=30), share_treated=0.2, share_comparison=0.1
    )
    assert check_concurrent(estimate(1.0, 0.1), [gone]).passed is None


def test_spillover_verdicts() -> None:
    headline, same, other = estimate(1.0, 0.1), left(1.05, 0.1, 0), left(1.3, 0.1, 0)
    assert check_spillovers(headline, same, estimate(0.01, 0.1)).passed is True
    assert check_spillovers(headline, same, estimate(0.5, 0.1)).passed is False
    assert check_spillovers(headline, other, estimate(0.01, 0.1)).reason == "spillovers_moves"
    assert check_spillovers(headline, same, Unavailable("gone")).reason == "spillovers_unknown"


def survival(share: float, n_left: int, half: float = 0.005) -> Survival:
    return Survival(
        time=2,
        share_treated=1.0 - n_left / 100,
        share_comparison=share,
        conf_low=1.0 - n_left / 100 - share - half,
        conf_high=1.0 - n_left / 100 - share + half,
        n_treated=100,
        n_left=n_left,
    )


def bounds(low: float, high: float) -> LeeBounds:
    return LeeBounds(
        untrimmed=1.0, lower=low, upper=high, lower_error=0.1, upper_error=0.1, conf_low=low - 0.2, conf_high=high + 0.2
    )


def test_attrition_verdicts() -> None:
    told, untold = estimate(1.0, 0.1), estimate(0.1, 0.1)
    assert check_attrition(told, [survival(1.0, 0)], Unavailable("")).reason == "attrition_none"
    assert check_attrition(told, [survival(0.8, 20)], bounds(0.9, 1.1)).passed is True
    assert check_attrition(told, [survival(0.6, 20)], bounds(0.2, 1.9)).passed is None
    assert check_attrition(told, [survival(0.6, 20)], bounds(-0.2, 1.9)).passed is False
    assert check_attrition(untold, [survival(0.6, 20)], bounds(-0.2, 1.9)).passed is None
    quiet = check_attrition(told, [survival(0.97, 3)], bounds(0.9, 1.1))
    assert (quiet.reason, dict(quiet.numbers), quiet.statistic) == ("attrition_few", {}, None)
    assert quiet.table is not None and all(row.n_firms == 3 for row in quiet.table.rows)


def test_lapse_verdicts() -> None:
    headline, other = estimate(1.0, 0.1), estimate(1.1, 0.1)
    assert check_lapses(headline, other, Lapsed(share=0.0, n_firms=0)).reason == "lapses_none"
    few = check_lapses(headline, other, Lapsed(share=0.01, n_firms=4))
    assert (few.reason, dict(few.numbers)) == ("lapses_few", {})
    assert check_lapses(headline, other, Lapsed(share=0.1, n_firms=40)).numbers["until_lapse"] == 1.1


# --- all policies, and the order of rows ---------------------------------------------------------------------------


def spoken(check: CheckResult) -> None:
    """Words for name and reason, every number that the sentence refers to, a value for every column, numbers that are finite."""
    for language in ("zh", "en"):
        words = load_wording(language)  # type: ignore[arg-type]
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
