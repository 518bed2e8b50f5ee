"""District effects against dose: identities with the usual regression, least squares by hand, loops, refusals, what is shown."""

from __future__ import annotations

import dataclasses
import math
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import sme_eval as sme
from sme_eval.stats.few_clusters import attainable_p, dose_slope_knapp_hartung, dose_slope_ols, permutation_test
from sme_eval.stats.inference import wald_test
from sme_eval.stats.wild_bootstrap import wild_bootstrap

EXACT = 1e-10
DOSES = (100.0, 50.0, 50.0, 50.0, 25.0, math.nan, math.nan)
COLUMNS = ("district", "reward_dose", "rd_intensity", "industry", "listed_year", "other")
BARE: dict[str, Any] = {"covariates": (), "past_growth": None}


def panel(seed: int = 0, *, doses: tuple[float, ...] = DOSES, firms: int = 700, slope: float = 0.0) -> pd.DataFrame:
    """A tiny world, balanced: entry in 2019 or 2020, effect 0.3 + slope per 50 of dose."""
    rng = np.random.default_rng(seed)
    years = np.arange(2015, 2023)
    place = rng.integers(0, len(doses), firms)
    entry = np.where(rng.random(firms) < 0.25, rng.choice([2019, 2020], firms), 0)
    dose = np.array(doses)[place]
    y = rng.standard_normal((firms, 1)) + rng.standard_normal((firms, len(years)))
    on = (entry[:, None] > 0) & (years >= entry[:, None])
    y = y + on * (0.3 + slope * np.nan_to_num(dose) / 50)[:, None]
    per_firm = {
        "firm": np.arange(firms),
        "certified_year": entry,
        "listed_year": np.where(rng.random(firms) < 0.2, 2018, 0),
        "reward_dose": dose,
        "district": [f"d{k}" for k in place],
        "rd_intensity": rng.standard_normal(firms),
        "industry": rng.choice(["a", "b", "c"], firms),
    }
    frame = pd.DataFrame({name: np.repeat(values, len(years)) for name, values in per_firm.items()})
    return frame.assign(year=np.tile(years, firms), y=y.ravel(), other=rng.standard_normal(firms * len(years)))


def make(frame: pd.DataFrame, **options: Any) -> sme.Sample:
    columns = tuple(name for name in COLUMNS if name in frame)
    return sme.Sample.from_frame(frame, firm="firm", year="year", outcome="y", cohort="certified_year", columns=columns, **options)


@pytest.fixture(scope="module")
def fitted() -> sme.DistrictDoseResult:
    return sme.DistrictDose(listed="listed_year").fit(make(panel()))


def stated(fit: sme.DistrictDoseResult) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effects, errors and doses per 50 of the districts with a stated dose."""
    rows = np.isfinite(fit.dose)
    return fit.districts.estimate[rows], fit.districts.std_error[rows], fit.dose[rows] / fit.per


# --- the district effects --------------------------------------------------------------------------------------------


def effects_by_hand(frame: pd.DataFrame, e: int, growth: str) -> pd.Series:
    """τ_d(e): each cohort's change on covariates and district dummies among its comparison, by statsmodels."""
    wide, other = (frame.pivot(index="firm", columns="year", values=name) for name in ("y", growth))
    firm = frame.groupby("firm")[["certified_year", "listed_year", "district", "rd_intensity", "industry"]].first()
    gaps = []
    for g in (2019, 2020):
        change = wide[g + e] - wide[g - 1]
        x = pd.get_dummies(firm["district"], dtype=float).join(pd.get_dummies(firm["industry"], dtype=float).iloc[:, 1:])
        x = x.assign(rd=firm["rd_intensity"], growth=other[g - 1] - other[g - 3])
        comparison = (firm["certified_year"] == 0) | (firm["certified_year"] > g)
        comparison &= (firm["listed_year"] == 0) | (firm["listed_year"] >= g)
        own = firm["certified_year"] == g
        gaps.append((change - sm.OLS(change[comparison], x[comparison]).fit().predict(x))[own])
    return pd.concat(gaps).groupby(firm["district"]).mean()


@pytest.mark.parametrize("growth", ["y", "other"])
def test_district_effects_are_least_squares_by_hand(growth: str) -> None:
    frame = panel()
    choices = sme.DistrictDose(listed="listed_year", growth_of=None if growth == "y" else growth)
    table = choices.fit(make(frame)).to_frame().set_index("district")
    expected = sum(effects_by_hand(frame, e, growth) for e in (0, 1, 2)) / 3
    np.testing.assert_allclose(table["estimate"], expected[table.index], rtol=EXACT, atol=EXACT)


def test_errors_are_those_of_two_means() -> None:
    """Without covariates and with one cohort, a district's effect is a difference of two means and districts share no firm."""
    frame = panel()
    frame = frame[frame["certified_year"] != 2019]
    fit = sme.DistrictDose(**BARE, window=(0, 0)).fit(make(frame))
    wide = frame.pivot(index="firm", columns="year", values="y")
    firm = frame.groupby("firm")[["district", "certified_year"]].first().assign(change=wide[2020] - wide[2019])
    groups = firm.groupby(["district", firm["certified_year"] > 0])["change"]
    expected = np.sqrt((groups.var(ddof=0) / groups.size()).groupby("district").sum())
    np.testing.assert_allclose(fit.districts.std_error, expected, rtol=EXACT)
    covariance = fit.districts.covariance
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0.0, atol=1e-14)


def test_a_cluster_of_single_firms_changes_nothing_and_larger_ones_do() -> None:
    frame = panel().assign(own=lambda f: f["firm"], pair=lambda f: f["firm"] // 2)
    alone, plain, pair = (sme.DistrictDose(**BARE).fit(make(frame, cluster=name)) for name in ("own", None, "pair"))
    np.testing.assert_allclose(alone.districts.covariance, plain.districts.covariance, rtol=EXACT, atol=1e-15)
    assert np.abs(pair.districts.std_error / plain.districts.std_error - 1.0).max() > 0.01


def test_a_weight_of_two_is_a_firm_twice() -> None:
    frame = panel().assign(w=lambda f: 1.0 + (f["firm"] % 3 == 0))
    twice = frame[frame["w"] == 2.0].assign(firm=lambda f: f["firm"] + 10_000)
    weighted = sme.DistrictDose().fit(make(frame, weight="w"))
    doubled = sme.DistrictDose().fit(make(pd.concat([frame, twice], ignore_index=True)))
    np.testing.assert_allclose(weighted.districts.estimate, doubled.districts.estimate, rtol=1e-9)
    assert weighted.unnamed.estimate == pytest.approx(doubled.unnamed.estimate, rel=1e-9)


# --- the identity: the usual regression is a weighted regression of district effects on dose -------------------------


def usual_regression(frame: pd.DataFrame) -> sme.RegressionResult:
    on = ((frame["certified_year"] > 0) & (frame["year"] >= frame["certified_year"])).astype(float)
    known = frame["reward_dose"].notna()
    frame = frame.assign(treated=on * known, treated_dose=on * frame["reward_dose"].fillna(0.0) / 50, treated_open=on * ~known)
    names = ("treated", "treated_dose", "treated_open")
    sample = sme.Sample.from_frame(frame, firm="firm", year="year", outcome="y", columns=(*names, "district"))
    return sme.PanelRegression(regressors=names, effects=("firm", ("district", "year"))).fit(sample)


def weighted_slope(tau: np.ndarray, dose: np.ndarray, weight: np.ndarray) -> float:
    return float(sm.WLS(tau, sm.add_constant(dose), weights=weight).fit().params[1])


def overlap(frame: pd.DataFrame) -> np.ndarray:
    """n₁n₀ / (n₁ + n₀) of each district with a stated dose."""
    firm = frame[frame["reward_dose"].notna()].groupby("firm")[["district", "certified_year"]].first()
    counts = pd.crosstab(firm["district"], firm["certified_year"] > 0)
    return (counts[True] * counts[False] / (counts[True] + counts[False])).to_numpy()


def test_triple_difference_is_a_weighted_regression_of_district_effects_on_dose() -> None:
    """One cohort and one year before.

    With firm and district × year effects, treated × post has within district d the sum of squares T·p(1 − p)·n₁n₀/(n₁ + n₀),
    p the share of years after; its coefficient there is the district's DiD. So the slope on dose is WLS by n₁n₀/(n₁ + n₀).
    """
    frame = panel(slope=0.2)
    frame = frame[(frame["certified_year"] != 2019) & (frame["year"] >= 2019)]
    fit = sme.DistrictDose(**BARE).fit(make(frame))
    tau, _, dose = stated(fit)
    usual = usual_regression(frame)["treated_dose"]
    assert weighted_slope(tau, dose, overlap(frame)) == pytest.approx(float(usual.estimate), rel=EXACT)
    assert fit.triple_difference.estimate == pytest.approx(float(usual.estimate), rel=EXACT)
    assert fit.triple_difference.std_error == pytest.approx(float(usual.std_error), rel=EXACT)


def test_with_more_years_before_the_usual_regression_takes_their_mean() -> None:
    frame = panel(slope=0.2)
    frame = frame[frame["certified_year"] != 2019]
    after = frame.assign(after=frame["year"] >= 2020).pivot_table(index="firm", columns="after", values="y")
    firm = frame.groupby("firm")[["district", "certified_year", "reward_dose"]].first()
    firm = firm.assign(change=after[True] - after[False])[firm["reward_dose"].notna()]
    means = firm.groupby(["district", firm["certified_year"] > 0])["change"].mean().unstack()
    dose = firm.groupby("district")["reward_dose"].first().to_numpy() / 50
    slope = weighted_slope((means[True] - means[False]).to_numpy(), dose, overlap(frame))
    assert slope == pytest.approx(float(usual_regression(frame)["treated_dose"].estimate), rel=EXACT)
    assert sme.DistrictDose().fit(make(frame)).triple_difference.estimate == pytest.approx(slope, rel=EXACT)


def test_usual_regression_on_staggered_and_unbalanced_panels() -> None:
    frame = panel()
    frame = frame[np.random.default_rng(1).random(len(frame)) > 0.1]
    mine, usual = sme.DistrictDose(**BARE).fit(make(frame)).triple_difference, usual_regression(frame)["treated_dose"]
    assert mine.estimate == pytest.approx(float(usual.estimate), rel=1e-8)
    assert mine.std_error == pytest.approx(float(usual.std_error), rel=1e-8)


def test_what_shifts_every_district_alike_cancels_in_the_slope() -> None:
    """One cohort: with later ones, entrants to come are in the comparison and carry a part of the shift."""
    frame = panel()
    frame = frame[frame["certified_year"] != 2019]
    on = (frame["certified_year"] > 0) & (frame["year"] >= frame["certified_year"])
    shifted = frame.assign(y=frame["y"] + 0.7 * on)
    one, other = (sme.DistrictDose().fit(make(data)) for data in (frame, shifted))
    np.testing.assert_allclose(other.districts.estimate, one.districts.estimate + 0.7, rtol=EXACT)
    assert other.slope.estimate == pytest.approx(one.slope.estimate, abs=1e-12)
    assert other.intercept.estimate == pytest.approx(one.intercept.estimate + 0.7, rel=EXACT)


# --- the slope, by every method --------------------------------------------------------------------------------------


def test_each_method_is_the_function_on_the_district_summaries(fitted: sme.DistrictDoseResult) -> None:
    tau, error, dose = stated(fitted)
    ols, other = dose_slope_ols(tau, dose), dose_slope_knapp_hartung(tau, error, dose)
    for got, expected in ((fitted.slope, ols), (fitted.knapp_hartung, other)):
        values = (got.estimate, got.std_error, got.conf_low, got.conf_high, got.p_value, got.degrees_of_freedom)
        assert values == pytest.approx(
            (expected.estimate, expected.std_error, expected.conf_low, expected.conf_high, expected.p_value, 3), rel=EXACT
        )
    rng = np.random.default_rng(0)
    assert fitted.permutation == permutation_test(tau, error, dose, rng=rng)
    assert fitted.wild_bootstrap.p_value == wild_bootstrap(tau, dose, rng=rng).p_value
    assert fitted.attainable == attainable_p(dose) == fitted.plan.attainable == 1 / 20
    line = sm.OLS(tau, sm.add_constant(dose)).fit()
    assert (fitted.intercept.estimate, fitted.intercept.std_error) == pytest.approx((line.params[0], line.bse[0]), rel=EXACT)
    assert "extrapolation: stated doses are 25 to 100" in fitted.intercept.term
    assert (fitted.slope.n_clusters, fitted.estimate, fitted.std_error) == (5, fitted.slope.estimate, fitted.slope.std_error)
    weights = (dose - dose.mean()) / np.sum((dose - dose.mean()) ** 2)
    rows = np.isfinite(fitted.dose)
    variance = weights @ fitted.districts.covariance[np.ix_(rows, rows)] @ weights
    assert fitted.firm_clustered.std_error == pytest.approx(math.sqrt(variance), rel=EXACT)
    assert fitted.plan.std_error == fitted.slope.std_error


def test_a_lone_dose_leaves_no_bootstrap_and_no_significance() -> None:
    frame = panel(doses=(100.0, 50.0, 50.0, 50.0, 50.0, math.nan), slope=5.0)
    fit = sme.DistrictDose(**BARE).fit(make(frame))
    assert isinstance(fit.wild_bootstrap, sme.Unavailable)
    assert fit.wild_bootstrap.reason.startswith("degenerate: ")
    assert fit.slope.p_value < 0.05  # and yet:
    assert (fit.attainable, fit.permutation.p_value, fit.significance_attainable) == (0.2, 0.2, False)
    assert "no statement about significance can be made" in fit.summary()


def test_slope_is_given_per_unit_asked_for(fitted: sme.DistrictDoseResult) -> None:
    per_one = sme.DistrictDose(listed="listed_year", per=1.0).fit(make(panel()))
    ratio = [per_one.slope.estimate / fitted.slope.estimate, per_one.std_error / fitted.std_error]
    ratio += [float(per_one.triple_difference.estimate) / float(fitted.triple_difference.estimate)]
    ratio += [per_one.sensitivity.conf_low / fitted.sensitivity.conf_low]
    np.testing.assert_allclose(ratio, 1 / 50, rtol=EXACT)
    assert per_one.slope.p_value == pytest.approx(fitted.slope.p_value, rel=EXACT)
    assert per_one.intercept.estimate == pytest.approx(fitted.intercept.estimate, rel=1e-9)


# --- districts without a stated dose ---------------------------------------------------------------------------------


def test_unnamed_districts_keep_their_effects_and_share_a_mean(fitted: sme.DistrictDoseResult) -> None:
    table = fitted.to_frame()
    unnamed = table[table["dose"].isna()]
    assert set(unnamed["district"]) == {"d5", "d6"}
    assert (unnamed["note"] == "dose not stated").all()
    share = unnamed["n_treated"] / unnamed["n_treated"].sum()
    assert fitted.unnamed.estimate == pytest.approx(float(share @ unnamed["estimate"]), rel=EXACT)
    rows = unnamed.index.to_numpy()
    variance = share @ fitted.districts.covariance[np.ix_(rows, rows)] @ share
    assert fitted.unnamed.std_error == pytest.approx(math.sqrt(variance), rel=EXACT)
    without = panel()
    without = without[without["reward_dose"].notna()]
    alone = sme.DistrictDose(**BARE).fit(make(without))
    assert alone.slope.estimate == pytest.approx(sme.DistrictDose(**BARE).fit(make(panel())).slope.estimate, rel=EXACT)
    assert isinstance(alone.unnamed, sme.Unavailable)
    assert isinstance(alone.sensitivity, sme.Unavailable)


def test_sensitivity_is_the_refit_with_the_doses_written_in() -> None:
    frame = panel()
    fit = sme.DistrictDose(possible_doses=(0.0, 80.0)).fit(make(frame))
    refits = []
    for first, second in product((0.0, 80.0), repeat=2):
        given = frame["district"].map({"d5": first, "d6": second})
        filled = frame.assign(reward_dose=frame["reward_dose"].fillna(given))
        refits.append(sme.DistrictDose().fit(make(filled)))
    found = fit.sensitivity
    assert found.n_assignments == 4
    slopes = [float(refit.slope.estimate) for refit in refits]
    assert (found.slope_low, found.slope_high) == pytest.approx((min(slopes), max(slopes)), rel=1e-9)
    hull = (min(refit.conf_low for refit in refits), max(refit.conf_high for refit in refits))
    assert (found.conf_low, found.conf_high) == pytest.approx(hull, rel=1e-9)
    assert found.attainable_best == min(refit.attainable for refit in refits)


# --- by event time ---------------------------------------------------------------------------------------------------


def test_slopes_by_event_time_are_those_of_that_year_alone() -> None:
    frame = panel()
    study = sme.DistrictDose(**BARE, window=(-3, 2)).fit(make(frame)).by_event_time
    table = study.to_frame().set_index("event_time")
    for e in (0, 1, 2):
        one = sme.DistrictDose(**BARE, window=(min(e, 0), e)).fit(make(frame)).by_event_time.to_frame().set_index("event_time")
        assert table.loc[e, "estimate"] == pytest.approx(one.loc[e, "estimate"], rel=EXACT)
    first = sme.DistrictDose(**BARE, window=(0, 0)).fit(make(frame)).slope
    row = table.loc[0]
    assert (row["estimate"], row["std_error"], row["conf_low"], row["p_value"]) == pytest.approx(
        (first.estimate, first.std_error, first.conf_low, first.p_value), rel=EXACT
    )
    assert table.loc[-1, "note"] == "reference"
    assert study.overall.estimate == pytest.approx(table.loc[[0, 1, 2], "estimate"].mean(), rel=EXACT)


def test_joint_tests_use_firms_and_leave_out_the_growth_window() -> None:
    study = sme.DistrictDose(window=(-5, 2)).fit(make(panel())).by_event_time
    effects = study.effects
    table = study.to_frame().set_index("event_time")
    assert table.loc[-3, "estimate"] == 0.0 and table.loc[-3, "note"].startswith("zero by construction")
    assert table.loc[-2, "note"].startswith("inside the growth window")
    np.testing.assert_allclose(np.sqrt(np.diag(effects.covariance)), table["std_error"].fillna(0.0), rtol=EXACT)
    early = np.asarray(effects.keys["event_time"]) <= -4
    # 2019 − 5 is before the panel: only the later cohort is seen there, still in every district
    expected = wald_test(effects.estimate[early], effects.firm_covariance[np.ix_(early, early)])
    assert study.pretrend_test() == expected
    assert expected is not None and expected.restrictions == 2
    wide = study.intervals(simultaneous=True).set_index("event_time")
    assert wide.loc[0, "conf_high"] - wide.loc[0, "conf_low"] > table.loc[0, "conf_high"] - table.loc[0, "conf_low"]


def test_growth_of_another_column_fixes_nothing_at_zero() -> None:
    table = sme.DistrictDose(growth_of="other").fit(make(panel())).by_event_time.to_frame().set_index("event_time")
    assert table.loc[-3, "note"].startswith("inside the growth window")
    assert abs(table.loc[-3, "estimate"]) > 1e-6


def test_an_event_time_that_a_district_lacks_has_no_slope() -> None:
    frame = panel()
    frame = frame[~((frame["district"] == "d1") & (frame["certified_year"] == 2019))]
    fit = sme.DistrictDose(**BARE, window=(-7, 3)).fit(make(frame))
    table = fit.by_event_time.to_frame().set_index("event_time")
    assert math.isnan(table.loc[3, "estimate"])
    assert table.loc[3, "note"] == "seen in 4 of 5 districts with a stated dose"
    assert fit.to_frame().set_index("district").loc["d1", "note"] == "event times 0 to 2 only"
    assert -6 in table.index and np.isfinite(table.loc[2, "estimate"])


# --- odd districts ---------------------------------------------------------------------------------------------------


def only_entrants(frame: pd.DataFrame, district: str, number: int) -> pd.DataFrame:
    inside = frame[(frame["district"] == district) & (frame["certified_year"] > 0)]["firm"].unique()
    return frame[~frame["firm"].isin(inside[number:])]


def test_a_district_with_one_entrant_has_no_error_but_counts_in_the_line() -> None:
    fit = sme.DistrictDose(**BARE).fit(make(only_entrants(panel(), "d0", 1)))
    row = fit.to_frame().set_index("district").loc["d0"]
    assert np.isfinite(row["estimate"]) and math.isnan(row["std_error"]) and "single entrant" in row["note"]
    assert isinstance(fit.knapp_hartung, sme.Unavailable) and isinstance(fit.permutation, sme.Unavailable)
    assert (fit.slope.n_clusters, fit.attainable) == (5, 1 / 20)
    assert "single entrant" in fit.summary()


def test_a_district_without_its_own_comparison_has_no_effect() -> None:
    frame = panel()
    frame = frame[~((frame["district"] == "d1") & (frame["certified_year"] == 0))]
    frame = frame[~((frame["district"] == "d1") & (frame["certified_year"] == 2020))]
    fit = sme.DistrictDose().fit(make(frame))
    row = fit.to_frame().set_index("district").loc["d1"]
    assert math.isnan(row["estimate"]) and "no comparison of its own" in row["note"]
    assert fit.slope.n_clusters == 4


@pytest.mark.parametrize("kind", ["numbers", "categories"])
def test_districts_are_labels_whatever_their_type(kind: str) -> None:
    frame = panel()
    codes = frame["district"].str[1:].astype(int)
    other = frame.assign(district=codes if kind == "numbers" else frame["district"].astype("category"))
    one, two = (sme.DistrictDose().fit(make(data)) for data in (frame, other))
    np.testing.assert_allclose(one.districts.estimate, two.districts.estimate, rtol=EXACT)


def test_only_entrants_doses_are_read() -> None:
    """Firms that never enter get nothing; whether the column says so, repeats the offer or is empty changes nothing."""
    frame = panel()
    never = frame["certified_year"] == 0
    plain, zero, empty = (
        sme.DistrictDose().fit(make(data)).slope.estimate
        for data in (frame, frame.assign(reward_dose=frame["reward_dose"].mask(never, 0.0)),
                     frame.assign(reward_dose=frame["reward_dose"].mask(never)))
    )  # fmt: skip
    assert plain == zero == empty


# --- refusals --------------------------------------------------------------------------------------------------------


def test_wrong_choices_come_together() -> None:
    with pytest.raises(sme.DesignError) as refused:
        sme.DistrictDose(per=0.0, window=(1, 2), past_growth=(-1, -3), possible_doses=(), level=95.0, covariates=("district",))  # type: ignore[arg-type]
    assert len(refused.value.problems) == 6


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(sme.DesignError, match="fits a Sample, not DataFrame"):
        sme.DistrictDose().fit(panel())  # type: ignore[arg-type]
    sample = sme.Sample.from_frame(panel(), firm="firm", year="year", outcome="y", columns=COLUMNS)
    with pytest.raises(sme.DesignError, match="who entered when"):
        sme.DistrictDose().fit(sample)
    with pytest.raises(sme.DesignError, match="does not hold the column 'reward'"):
        sme.DistrictDose(dose="reward").fit(make(panel()))


def test_doses_and_covariates_that_break_the_contract_come_together() -> None:
    frame = panel()
    firm = frame["firm"]
    entrants = frame[frame["certified_year"] > 0].groupby("district")["firm"].first()
    frame.loc[firm == entrants["d0"], "reward_dose"] = 70.0
    frame.loc[firm == entrants["d1"], "reward_dose"] = np.nan
    frame["rd_intensity"] = frame["rd_intensity"] + (firm == 3) * frame["year"]
    with pytest.raises(sme.DataError) as refused:
        sme.DistrictDose().fit(make(frame))
    text = str(refused.value)
    assert len(refused.value.problems) == 3
    for words in ("varies within 1 of 7 districts", "for some entrants only in 1 of 7", "rd_intensity changes within 1 firm"):
        assert words in text


def test_too_few_districts_and_one_dose_come_together() -> None:
    frame = panel(doses=(50.0, 50.0, math.nan, math.nan))
    with pytest.raises(sme.IdentificationError) as refused:
        sme.DistrictDose().fit(make(frame))
    text = str(refused.value)
    assert "needs 3 districts" in text and "the same in all districts" in text
    assert "4 districts with entrants, 2 of them with a stated dose, 2 of these with an effect" in text


def test_nobody_enters() -> None:
    with pytest.raises(sme.IdentificationError, match="No firm enters"):
        sme.DistrictDose().fit(make(panel().assign(certified_year=0)))


# --- what is shown ---------------------------------------------------------------------------------------------------


def test_tables_and_texts(fitted: sme.DistrictDoseResult) -> None:
    frame = fitted.to_frame()
    assert list(frame.columns[:4]) == ["district", "dose", "n_treated", "estimate"]
    assert len(frame) == 7
    methods = fitted.inferences()
    assert list(methods.columns) == ["method", "estimate", "std_error", "conf_low", "conf_high", "p_value", "note"]
    assert methods.loc[0, "p_value"] == fitted.slope.p_value
    assert methods["note"].str.contains("not valid with few districts").sum() == 2
    text = str(fitted)
    for words in ("per 50 of dose", "Knapp–Hartung", "smallest p-value", "extrapolation", "unnamed cash", "9 assignments"):
        assert words in text
    assert fitted._repr_html_().startswith("<pre")
    band = fitted.intervals(simultaneous=True)
    assert ((band["conf_high"] - band["conf_low"]).to_numpy() > (frame["conf_high"] - frame["conf_low"]).to_numpy()).all()


def test_result_cannot_be_changed(fitted: sme.DistrictDoseResult) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        fitted.per = 1.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        fitted.dose[0] = 1.0


def test_plot_draws_the_line_and_the_lane(fitted: sme.DistrictDoseResult) -> None:
    import matplotlib.pyplot as plt

    axes = fitted.plot(labels=("award", "effect", "unnamed", "line"))
    [line] = [drawn for drawn in axes.get_lines() if drawn.get_label() == "line"]
    x, y = (np.asarray(values, dtype=float) for values in line.get_data())
    assert (y[1] - y[0]) / (x[1] - x[0]) * 50 == pytest.approx(float(fitted.slope.estimate), rel=1e-9)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "25", "50", "100", "unnamed"], (
        "the line reaches down to dose zero"
    )
    [above] = axes.child_axes
    assert len([label for label in above.get_xticklabels() if label.get_text().startswith("d")]) == 7
    plt.close("all")
