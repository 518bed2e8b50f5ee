"""Checks of how the outcome is measured: every row is the headline's design on other values, every policy can be asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.briefing.wording import load_wording
from sme_eval.checks.outcome_scale import LogAndPoisson, ScaleRow, check_outcome_scale
from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.reported_measured import MeasuredPair, check_reported_measured
from sme_eval.checks.winsorising import TailRow, check_winsorising
from sme_eval.evaluation.checks_measurement import measurement_checks
from sme_eval.evaluation.checks_unobservables import unobservables_checks
from sme_eval.evaluation.fitting import fit
from sme_eval.evaluation.other_values import estimate_of, refitted, sample_like
from sme_eval.evaluation.two_scales import both_scales
from sme_eval.results.basis import Basis
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.tails import trimmed, winsorised
from sme_eval.terms import LANGUAGES
from tests.unit.asking import OBSERVED, asked, asked_of, city, grants, mapping, with_columns

EVERY = (
    ("certification", None), ("certification", "log_employment"), ("credit", None), ("credit", "spread"), ("rewards", None),
    ("bundle", None), (OBSERVED, None), (OBSERVED, "training_hours"), (OBSERVED, "log_sales"),
)  # fmt: skip


def found(policy: str, outcome: str | None, name: str) -> CheckResult:
    return next(check for check in measurement_checks(asked(policy, outcome)) if check.name == name)


def values(check: CheckResult, key: str) -> dict[str, float]:
    assert check.table is not None
    return dict(next(row.values for row in check.table.rows if row.key == key))  # type: ignore[arg-type]


def an_estimate(value: float, error: float = 0.01) -> Estimate:
    basis = Basis(n_firms=100, n_observations=1000, n_clusters=100, convention="")
    return Estimate.from_basis("effect", value, error, basis, 20)


@pytest.mark.parametrize(("policy", "outcome"), EVERY)
def test_every_policy_can_be_asked_and_every_row_has_words(policy: str, outcome: str | None) -> None:
    checks = [check for group in (measurement_checks, unobservables_checks) for check in group(asked(policy, outcome))]
    assert checks
    for check in checks:
        assert all(np.isfinite(number) for number in check.numbers.values())
        assert check.table is not None
        for row in check.table.rows:
            assert tuple(row.values) == check.table.columns
            if row.label is None:
                for language in LANGUAGES:
                    assert f"row.{check.name}.{row.key}" in load_wording(language).templates
        for language in LANGUAGES:
            assert all(f"column.{name}" in load_wording(language).templates for name in check.table.columns)


@pytest.mark.parametrize(("policy", "outcome"), [("certification", None), ("rewards", None), ("bundle", None), (OBSERVED, None)])
def test_the_cheap_estimate_is_the_headline(policy: str, outcome: str | None) -> None:
    own = asked(policy, outcome)
    cheap = estimate_of(own.design.estimator, own.sample)
    assert cheap.estimate == pytest.approx(float(own.headline.overall.estimate), rel=1e-10)
    assert cheap.std_error == pytest.approx(float(own.headline.overall.std_error), rel=1e-10)
    assert cheap.n_treated == own.headline.overall.n_treated
    same = refitted(own, own.panel.frame[own.design.outcome].to_numpy())
    assert isinstance(same, Estimate) and same.estimate == cheap.estimate


def test_what_cannot_be_refitted_is_a_reason() -> None:
    own = asked("certification")
    missing = refitted(own, np.full(len(own.panel.frame), np.nan))
    assert isinstance(missing, Unavailable) and missing.reason.startswith("not identified")


# --- scales -----------------------------------------------------------------------------------------------------------


def test_a_row_is_the_design_on_the_transformed_outcome() -> None:
    own = asked("certification")
    check = found("certification", None, "outcome_scale")
    revenue = np.exp(own.panel.frame["log_revenue"]) * 1e-4
    for scale, transform in (("ihs", np.arcsinh), ("log_plus_one", np.log1p)):
        frame = own.panel.frame.assign(log_revenue=transform(revenue))
        expected = fit(own.design.estimator, sample_like(own.design, frame, "log_revenue")).overall
        row = values(check, f"{scale}_hundred_million_yuan")
        assert row["estimate"] == pytest.approx(float(expected.estimate), rel=1e-9)
        assert row["std_error"] == pytest.approx(float(expected.std_error), rel=1e-9)


def test_in_a_small_unit_the_log_like_scales_are_the_log() -> None:
    check = found("certification", None, "outcome_scale")
    log = values(check, "log")["estimate"]
    assert values(check, "ihs_yuan")["estimate"] == pytest.approx(log, abs=1e-6)
    assert values(check, "log_plus_one_yuan")["estimate"] == pytest.approx(log, abs=1e-6)
    assert abs(values(check, "ihs_hundred_million_yuan")["estimate"] - log) > 1e-3


def test_the_two_way_rows_are_those_of_the_estimators() -> None:
    own = asked("certification")
    check = found("certification", None, "outcome_scale")
    sample = sample_like(own.design, own.panel.frame, "log_revenue", ("industry",))
    linear = sme.TwoWayFixedEffects(year_effects_by="industry").fit(sample)
    row = values(check, "two_way_log")
    assert row["estimate"] == pytest.approx(float(linear.estimate), abs=1e-9)
    assert row["std_error"] == pytest.approx(float(linear.std_error), abs=1e-9)
    frame = own.panel.frame
    frame["revenue"] = np.exp(frame["log_revenue"])
    frame["entered"] = ((frame["certified_year"] > 0) & (frame["year"] >= frame["certified_year"])).astype(float)
    sample = sme.Sample.from_frame(frame, firm="firm", year="year", outcome="revenue", columns=("entered", "industry"))
    poisson = sme.PoissonRegression(regressors=("entered",), effects=("firm", ("industry", "year"))).fit(sample)["entered"]
    row = values(check, "two_way_poisson")
    assert row["estimate"] == pytest.approx(float(poisson.estimate), abs=1e-8)
    assert row["std_error"] == pytest.approx(float(poisson.std_error), abs=1e-8)


def test_the_error_of_the_difference_counts_that_the_firms_are_the_same() -> None:
    """Against the jackknife over firms, which differs by terms of order 1/29: 10 % is wide enough."""
    own = asked(OBSERVED, "log_sales")
    whole = both_scales(own, logged=True).compared
    assert isinstance(whole, LogAndPoisson)
    gaps = []
    firms = own.panel.frame.loc[own.panel.frame["log_sales"].notna(), "firm"].unique()
    for firm in firms:
        frame = own.panel.frame
        without = with_columns(own.panel, log_sales=frame["log_sales"].where(frame["firm"] != firm))
        left = both_scales(replace(own, panel=without), logged=True).compared
        assert isinstance(left, LogAndPoisson)
        gaps.append(left.poisson - left.log)
    jackknife = np.sqrt((len(gaps) - 1) / len(gaps) * np.sum((np.array(gaps) - np.mean(gaps)) ** 2))
    assert whole.std_error == pytest.approx(jackknife, rel=0.10)


def test_zeros_make_the_scale_an_open_question() -> None:
    check = found(OBSERVED, "training_hours", "outcome_scale")
    hours = grants().frame["training_hours"].dropna()
    assert (check.passed, check.reason) == (None, "scales_zeros")
    assert check.numbers["share_zeros"] == pytest.approx((hours == 0).mean())
    own = asked(OBSERVED, "training_hours")
    frame = own.panel.frame.assign(
        training_hours=(own.panel.frame["training_hours"] > 0).where(own.panel.frame["training_hours"].notna())
    )
    frame["training_hours"] = frame["training_hours"].astype(float)
    expected = fit(own.design.estimator, sample_like(own.design, frame, "training_hours")).overall
    assert values(check, "positive")["estimate"] == pytest.approx(float(expected.estimate), rel=1e-10)


def test_an_outcome_without_a_logarithm_has_no_scale_to_ask_about() -> None:
    assert "outcome_scale" not in {check.name for check in measurement_checks(asked("credit", "spread"))}


@pytest.mark.parametrize(("poisson", "passed", "reason"), [(0.039, True, "scales_agree"), (0.061, False, "scales_differ")])
def test_two_errors_apart_is_too_far(poisson: float, passed: bool, reason: str) -> None:
    both = LogAndPoisson(log=0.02, poisson=poisson, std_error=0.02)
    check = check_outcome_scale([], [ScaleRow(key="ihs_yuan", estimate=an_estimate(0.02))], both, 0.0)
    assert (check.passed, check.reason) == (passed, reason)


def test_without_a_poisson_regression_nothing_is_decided() -> None:
    rows = [ScaleRow(key="ihs_yuan", estimate=an_estimate(0.02))]
    assert check_outcome_scale([], rows, Unavailable("not estimated"), 0.0).reason == "scales_untested"


# --- extreme values ---------------------------------------------------------------------------------------------------


def test_outer_values_are_those_of_pandas_by_year() -> None:
    rng = np.random.default_rng(0)
    import pandas as pd

    frame = pd.DataFrame({"year": rng.integers(0, 4, 500), "x": rng.standard_normal(500)})
    frame.loc[::17, "x"] = np.nan
    bounds = frame.groupby("year")["x"]
    low, high = bounds.transform("quantile", 0.05), bounds.transform("quantile", 0.95)
    group = frame["year"].to_numpy().astype(np.intp)
    np.testing.assert_allclose(winsorised(frame["x"].to_numpy(), group, 0.05), frame["x"].clip(low, high))
    np.testing.assert_allclose(trimmed(frame["x"].to_numpy(), group, 0.05), frame["x"].where(frame["x"].between(low, high)))


def test_levels_are_drawn_in_before_the_logarithm() -> None:
    own = asked("certification")
    check = found("certification", None, "winsorising")
    level = np.exp(own.panel.frame["log_revenue"])
    by_year = level.groupby(own.panel.frame["year"])
    drawn_in = level.clip(by_year.transform("quantile", 0.05), by_year.transform("quantile", 0.95))
    expected = refitted(own, np.log(drawn_in.to_numpy()))
    assert isinstance(expected, Estimate)
    row = values(check, "winsorised_wide")
    assert row["estimate"] == pytest.approx(float(expected.estimate), rel=1e-10)
    assert row["share_altered"] == pytest.approx((drawn_in != level).mean())


@pytest.mark.parametrize(("variant", "passed"), [(0.029, True), (0.031, False), (0.011, True), (0.009, False), (-0.001, False)])
def test_one_error_and_the_sign_are_the_limit(variant: float, passed: bool) -> None:
    rows = [TailRow(key="winsorised_wide", estimate=an_estimate(variant), share_altered=0.1)]
    assert check_winsorising(an_estimate(0.02), rows).passed is passed


def test_a_change_of_sign_fails_within_one_error() -> None:
    rows = [TailRow(key="winsorised_wide", estimate=an_estimate(-0.001), share_altered=0.1)]
    assert check_winsorising(an_estimate(0.005), rows).passed is False


def test_a_variant_without_an_estimate_leaves_the_question_open() -> None:
    rows = [TailRow(key="winsorised_wide", estimate=Unavailable("not estimated"), share_altered=0.1)]
    assert check_winsorising(an_estimate(0.02), rows).passed is None


# --- who measures -----------------------------------------------------------------------------------------------------


def a_city_that_relabels(share: float) -> sme.FirmPanel:
    """Certified firms spend more on research; `share` of what they report on top is other spending under its name."""
    frame, rng = city().frame, np.random.default_rng(5)
    on = ((frame["certified_year"] > 0) & (frame["year"] >= frame["certified_year"])).to_numpy()
    verified = rng.standard_normal(2500)[(frame["firm"] - 1).to_numpy()] + 0.1 * rng.standard_normal(len(frame)) + 0.3 * on
    reported = verified + 0.3 * share / (1.0 - share) * on + 0.05 * rng.standard_normal(len(frame))
    return with_columns(city(), rd_verified=verified, rd_reported=reported)


def test_the_difference_is_the_effect_on_the_difference() -> None:
    """One operator, linear in the outcome: estimate and error are those of the design on reported less verified."""
    panel = a_city_that_relabels(0.25)
    own = asked_of("certification", None, panel, measured=mapping(rd_reported="rd_verified"))
    check = list(measurement_checks(own))[-1]
    frame = panel.frame.assign(gap=panel.frame["rd_reported"] - panel.frame["rd_verified"])
    expected = fit(own.design.estimator, sample_like(own.design, frame, "gap", ("log_revenue",))).overall
    row = values(check, "difference")
    assert row["estimate"] == pytest.approx(float(expected.estimate), abs=1e-10)
    assert row["std_error"] == pytest.approx(float(expected.std_error), abs=1e-10)


def test_the_relabelled_share_is_found() -> None:
    """True share 0.25; its error is about 0.01 (that of the difference, 0.004, over an effect of 0.4): 0.04 is four of them."""
    own = asked_of("certification", None, a_city_that_relabels(0.25), measured=mapping(rd_reported="rd_verified"))
    check = list(measurement_checks(own))[-1]
    assert (check.passed, check.reason) == (None, "measured_relabelled")
    assert check.numbers["share_relabelled"] == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize("policy", ["rewards", "bundle"])
def test_designs_without_a_joint_error_take_the_most_it_can_be(policy: str) -> None:
    own = asked_of(policy, None, a_city_that_relabels(0.25), measured=mapping(rd_reported="rd_verified"))
    check = list(measurement_checks(own))[-1]
    assert check.table is not None
    assert values(check, "difference")["std_error"] == pytest.approx(
        values(check, "reported")["std_error"] + values(check, "measured")["std_error"]
    )
    assert "upper bound" in str(check.table.rows[2].label)


def test_twins_that_the_panel_lacks_are_not_asked_about() -> None:
    own = asked_of("certification", None, city(), measured=mapping(rd_reported="no_such_column"))
    assert "reported_measured" not in {check.name for check in measurement_checks(own)}


def a_pair(reported: float, measured: float, std_error: float) -> MeasuredPair:
    labels = (("申报", "reported"), ("核实", "verified"))
    return MeasuredPair(
        labels=labels, reported=an_estimate(reported), measured=an_estimate(measured), std_error=std_error, joint=True
    )


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (a_pair(0.10, 0.10, 0.0), "measured_agree"),
        (a_pair(0.10, 0.09, 0.01), "measured_agree"),
        (a_pair(0.10, 0.05, 0.01), "measured_relabelled"),
        (a_pair(0.01, -0.05, 0.01), "measured_differ"),
    ],
)
def test_the_reason_follows_the_difference_and_the_reported_effect(pair: MeasuredPair, reason: str) -> None:
    assert check_reported_measured([pair]).reason == reason


def test_the_sentence_is_about_the_pair_that_differs_most() -> None:
    check = check_reported_measured([a_pair(0.10, 0.09, 0.01), a_pair(0.20, 0.10, 0.01)])
    assert check.numbers["reported"] == 0.20
    assert check.table is not None and len(check.table.rows) == 6
