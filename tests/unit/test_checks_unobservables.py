"""Coefficient stability and a direct effect of listing, against regressions written out and against brute force."""

from __future__ import annotations

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.checks.coefficient_stability import StabilityRow, check_coefficient_stability
from sme_eval.checks.plausibly_exogenous import check_plausibly_exogenous
from sme_eval.checks.protocol import CheckResult
from sme_eval.evaluation.checks_measurement import measurement_checks
from sme_eval.evaluation.checks_unobservables import unobservables_checks
from sme_eval.evaluation.direct_effect import direct_effect
from sme_eval.evaluation.other_values import sample_like
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.oster import Stability
from sme_eval.stats.plausibly_exogenous import PlausiblyExogenous
from tests.unit.asking import OBSERVED, asked, asked_of, with_columns


def found(policy: str, outcome: str | None, name: str) -> CheckResult:
    return next(check for check in unobservables_checks(asked(policy, outcome)) if check.name == name)


def values(check: CheckResult, key: str) -> dict[str, float]:
    assert check.table is not None
    return dict(next(row.values for row in check.table.rows if row.key == key))  # type: ignore[arg-type]


def test_the_landmark_rows_are_stacked_least_squares() -> None:
    """Cohorts stacked, with intercepts and slopes of their own, by statsmodels on written-out columns."""
    import pandas as pd
    import statsmodels.api as sm

    own = asked("certification")
    frame = own.panel.frame
    wide = frame.pivot(index="firm", columns="year", values="log_revenue")
    firms = frame.drop_duplicates("firm").set_index("firm")
    blocks = []
    for g in (2019, 2020, 2021, 2022):
        treated = firms["certified_year"] == g
        later = (firms["certified_year"] == 0) | (firms["certified_year"] > g)
        unlisted = (firms["listed_year"] == 0) | (firms["listed_year"] >= g)
        rows = treated | (later & unlisted)
        change = wide[[g, g + 1, g + 2]].mean(axis=1) - wide[g - 1]
        x = pd.get_dummies(firms[["industry", "district"]], drop_first=True).astype(float)
        x["rd"], x["growth"] = firms["rd_intensity"], wide[g - 1] - wide[g - 3]
        own_slopes = x.add_suffix(f"_{g}").assign(**{f"one_{g}": 1.0})
        blocks.append(own_slopes[rows].assign(y=change[rows], d=treated[rows].astype(float)))
    stacked = pd.concat(blocks, ignore_index=True).fillna(0.0)
    ones = [name for name in stacked if name.startswith("one_")]
    short = sm.OLS(stacked["y"], stacked[["d", *ones]]).fit()
    long = sm.OLS(stacked["y"], stacked.drop(columns="y")).fit()
    only = sm.OLS(stacked["y"], stacked[ones]).fit().ssr
    row = values(found("certification", None, "coefficient_stability"), "landmark_usual")
    assert (row["before"], row["after"]) == pytest.approx((short.params["d"], long.params["d"]), abs=1e-9)
    assert row["share_explained_before"] == pytest.approx(1.0 - short.ssr / only, abs=1e-9)
    assert row["share_explained_after"] == pytest.approx(1.0 - long.ssr / only, abs=1e-9)


def test_the_two_way_rows_are_those_of_the_estimator() -> None:
    own = asked("certification")
    row = values(found("certification", None, "coefficient_stability"), "two_way_usual")
    plain = sme.TwoWayFixedEffects().fit(sample_like(own.design, own.panel.frame, "log_revenue"))
    assert row["before"] == pytest.approx(float(plain.estimate), abs=1e-9)
    frame = own.panel.frame
    frame["entered"] = ((frame["certified_year"] > 0) & (frame["year"] >= frame["certified_year"])).astype(float)
    years = [int(year) for year in np.unique(frame["year"])][1:]
    for year in years:
        frame[f"rd_{year}"] = frame["rd_intensity"] * (frame["year"] == year)
    names = ("entered", *(f"rd_{year}" for year in years))
    columns = (*names, "industry", "district")
    sample = sme.Sample.from_frame(frame, firm="firm", year="year", outcome="log_revenue", columns=columns)
    effects = ("firm", ("industry", "year"), ("district", "year"))
    given = sme.PanelRegression(regressors=names, effects=effects).fit(sample)["entered"]
    assert row["after"] == pytest.approx(float(given.estimate), abs=1e-8)


def test_designs_without_a_coefficient_on_one_treatment_are_not_asked() -> None:
    for policy in ("rewards", "bundle"):
        assert list(unobservables_checks(asked(policy))) == []
    assert list(unobservables_checks(asked(OBSERVED))) == []  # no covariates


def test_the_order_of_rows_and_the_names_of_firms_are_without_effect() -> None:
    own, frame = asked("credit"), asked("credit").panel.frame
    order = np.random.default_rng(2).permutation(len(frame))
    shuffled = frame.iloc[order].reset_index(drop=True)
    other = with_columns(own.panel, **{name: shuffled[name] for name in frame if name != "firm"}, firm=7 * shuffled["firm"] + 3)
    again = asked_of("credit", None, other, industry="industry")
    for group in (measurement_checks, unobservables_checks):
        for first, second in zip(group(own), group(again), strict=True):
            assert first.reason == second.reason
            assert dict(first.numbers) == pytest.approx(dict(second.numbers), rel=1e-7, abs=1e-9)


def a_pair(short: float, long: float) -> StabilityRow:
    parts = {"short_r": 0.05, "long_r": 0.3, "outcome": 1.0, "treatment": 0.25, "treatment_left": 0.2}
    return StabilityRow(key="landmark", found=Stability(short=short, long=long, **parts), n_firms=20)


def test_a_small_move_towards_zero_is_stable_and_a_large_one_is_not() -> None:
    small, large = (check_coefficient_stability([a_pair(short, 0.10)]) for short in (0.11, 0.60))
    assert (small.reason, large.reason) == ("coefficient_stable", "coefficient_unstable")
    assert small.passed is None and small.numbers["delta"] > 1.0 > large.numbers["delta"] > 0.0


def test_without_regressions_the_check_says_so() -> None:
    check = check_coefficient_stability([StabilityRow(key="landmark", found=None, n_firms=0)])
    assert (check.passed, check.reason) == (None, "stability_unknown")
    assert check.table is not None and isinstance(dict(check.table.rows[0].values)["bound"], Unavailable)


# --- a direct effect of listing ---------------------------------------------------------------------------------------


def test_the_grid_is_instrumental_variables_on_revenue_less_the_direct_effect() -> None:
    own = asked("credit")
    rule = own.design.policy.listing
    assert rule is not None
    regressions, firms = direct_effect(own, rule)
    assert isinstance(regressions, PlausiblyExogenous)
    frame = own.panel.frame
    for name, start in (("in_library", "library_year"), ("certificate", "srdi_year")):
        frame[name] = ((frame[start] > 0) & (frame["year"] >= frame[start])).astype(float)
    choices = sme.InstrumentalVariables(
        endogenous=("log_credit_balance",),
        instruments=("in_library",),
        regressors=("certificate",),
        effects=("firm", ("industry", "year")),
    )
    for direct in (0.0, 0.01):
        net = frame.assign(net=frame["log_revenue"] - direct * frame["in_library"])
        columns = ("in_library", "certificate", "log_credit_balance", "industry")
        sample = sme.Sample.from_frame(net, firm="firm", year="year", outcome="net", columns=columns)
        row = choices.fit(sample)["log_credit_balance"]
        assert regressions.estimate(direct) == pytest.approx(float(row.estimate), abs=1e-8)
        assert regressions.std_error(direct) == pytest.approx(float(row.std_error), abs=1e-8)
        assert regressions.interval(direct) == pytest.approx((row.conf_low, row.conf_high), abs=1e-8)
    assert firms == int((frame.groupby("firm")["in_library"].max() > 0).sum())


def test_terms_of_credit_have_no_direct_effect_to_ask_about() -> None:
    assert "plausibly_exogenous" not in {check.name for check in unobservables_checks(asked("credit", "spread"))}


def test_the_breakdown_stands_in_the_table_between_its_neighbours() -> None:
    regressions = PlausiblyExogenous(reduced=0.03, first=0.1, covariance=np.array([[5e-5, 1e-5], [1e-5, 5e-5]]), critical=1.96)
    check = check_plausibly_exogenous(regressions, 100)
    assert check.table is not None and check.reason == "exclusion_breaks"
    bounds = [float(dict(row.values)["bound"]) for row in check.table.rows]  # type: ignore[arg-type]
    assert bounds == sorted(bounds) and len(bounds) == 12
    held = [float(dict(row.values)["conf_low"]) > 1e-12 for row in check.table.rows]  # type: ignore[arg-type]
    assert held == [bound < check.numbers["breakdown"] for bound in bounds]


def test_an_interval_that_holds_zero_at_once_says_nothing() -> None:
    regressions = PlausiblyExogenous(reduced=0.01, first=0.1, covariance=np.array([[5e-5, 1e-5], [1e-5, 5e-5]]), critical=1.96)
    check = check_plausibly_exogenous(regressions, 100)
    assert (check.reason, check.statistic) == ("exclusion_says_nothing", 0.0)
    assert "breakdown" not in check.numbers


def test_no_regression_is_said() -> None:
    assert check_plausibly_exogenous(Unavailable("not estimated"), 0).reason == "exclusion_untested"
