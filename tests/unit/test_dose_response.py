"""Discrete doses: equal to Callaway–Sant'Anna dose by dose, to weights differentiated firm by firm, and to another package."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme

from .dose_oracle import influences
from .test_moments import frame

OPTIONS = [{}, {"weight": "w"}, {"cluster": "d"}, {"weight": "w", "cluster": "d"}]
CHOICES = [
    {},
    {"comparison": "not_yet_treated"},
    {"base_period": "universal", "anticipation": 1},
    {"panel": "pairs"},
    {"panel": "pairs", "comparison": "not_yet_treated", "base_period": "universal"},
]
KINDS = ("simple", "group", "dynamic", "calendar")
TIGHT = 1e-12


def dosed(seed: int = 0, doses: tuple[float, ...] = (1.0, 2.0, 5.0), firms: int = 120, missing: float = 0.0) -> pd.DataFrame:
    """Two cohorts, each firm with a dose of its own, effects that bend, clusters `d` of ten firms and doses mixed."""
    data = frame(seed, firms=firms, missing=missing)
    draw = np.random.default_rng(seed + 99).choice(doses, firms)
    data["reward"] = np.where(data.g > 0, draw[data.id], 0.0)
    data["d"] = data.id // 10
    data["y"] += np.where((data.g > 0) & (data.year >= data.g), 0.3 * data.reward + 0.05 * data.reward**2, 0.0)
    return data


def make(data: pd.DataFrame, **options: object) -> sme.Sample:
    return sme.Sample.from_frame(
        data, firm="id", year="year", outcome="y", cohort="g", columns=("reward", *(("d",) if "d" in data else ())), **options
    )


def fit(data: pd.DataFrame, choices: dict[str, object] | None = None, **options: object) -> sme.DoseResponseResult:
    return sme.DoseResponse(dose="reward", **(choices or {})).fit(make(data, **options))


def numbers(result: sme.DoseResponseResult) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and errors of everything that is one number."""
    single = (result.overall, result.slope, result.intercept, result.slope_origin, result.slope_within)
    value = np.array([float(e.estimate) for e in single])
    error = np.array([float(e.std_error) for e in single])
    return (
        np.concatenate([result.effects.estimate, value, result.steps.estimate]),
        np.concatenate([result.effects.std_error, error, result.steps.std_error]),
    )


# --- identities ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("choices", CHOICES, ids=str)
def test_one_dose_is_callaway_santanna(choices: dict[str, object], options: dict[str, str]) -> None:
    data = dosed(doses=(3.0,), missing=0.1 if choices.get("panel") == "pairs" else 0.0)
    result, plain = fit(data, choices, **options), sme.CallawaySantAnna(**choices).fit(make(data, **options))
    np.testing.assert_allclose(result.cells.estimate, plain.effects.estimate, rtol=TIGHT, atol=TIGHT)
    np.testing.assert_allclose(result.cells.covariance, plain.effects.covariance, rtol=TIGHT, atol=TIGHT)
    for kind in KINDS:
        ours, theirs = result.group_time(3.0).aggregate(kind), plain.aggregate(kind)
        for name in ("estimate", "std_error"):
            np.testing.assert_allclose(ours.to_frame()[name], theirs.to_frame()[name], rtol=TIGHT, atol=TIGHT)
            assert float(getattr(ours.overall, name)) == pytest.approx(float(getattr(theirs.overall, name)), rel=TIGHT)
    simple = plain.aggregate("simple").overall
    for found in (result.overall, result.effects.row(0), result.event_study(3.0)):
        assert (found.estimate, found.std_error) == pytest.approx((simple.estimate, simple.std_error), rel=TIGHT)
    assert float(result.slope_origin.estimate) == pytest.approx(float(simple.estimate) / 3.0, rel=TIGHT)
    assert result.overall.n_treated == simple.n_treated


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("choices", [{}, {"panel": "pairs"}], ids=str)
def test_each_dose_is_callaway_santanna_on_its_firms_and_the_comparison(
    choices: dict[str, object], options: dict[str, str]
) -> None:
    data = dosed(missing=0.1 if choices else 0.0)
    result = fit(data, choices, **options)
    for place, dose in enumerate(result.effects.dose):
        alone = sme.CallawaySantAnna(**choices).fit(make(data[data.reward.isin([0.0, dose])], **options))
        simple = alone.aggregate("simple").overall
        row = result.effects.row(place)
        assert (row.estimate, row.std_error) == pytest.approx((simple.estimate, simple.std_error), rel=TIGHT)
        assert row.n_treated == simple.n_treated
        study, dynamic = result.event_study(dose), alone.aggregate("dynamic").effects
        np.testing.assert_allclose(study.effects.estimate, dynamic.estimate, rtol=1e-11, atol=TIGHT)
        np.testing.assert_allclose(study.effects.covariance, dynamic.covariance, rtol=1e-11, atol=TIGHT)
        assert result.group_time(dose).pretrend_test().statistic == pytest.approx(alone.pretrend_test().statistic, rel=1e-9)


def test_later_firms_of_every_dose_are_compared_with_but_not_those_of_the_own_cohort() -> None:
    data = dosed()
    cells = fit(data, {"comparison": "not_yet_treated"}).cells.to_frame()
    for (dose, cohort), rows in cells.groupby(["dose", "cohort"]):
        others = data[(data.g != cohort) | (data.reward == dose)]
        alone = sme.CallawaySantAnna(comparison="not_yet_treated").fit(make(others)).to_frame().query(f"cohort == {cohort}")
        for name in ("estimate", "std_error"):
            np.testing.assert_allclose(rows[name], alone[name], rtol=TIGHT, atol=TIGHT)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("comparison", ["never_treated", "not_yet_treated"])
def test_the_overall_effect_does_not_know_the_doses(comparison: str, options: dict[str, str]) -> None:
    """Balanced: averaging doses back by their estimated shares is Callaway–Sant'Anna without doses, error included."""
    data = dosed()
    overall = fit(data, {"comparison": comparison}, **options).overall
    plain = sme.CallawaySantAnna(comparison=comparison).fit(make(data, **options)).aggregate("simple").overall
    assert (overall.estimate, overall.std_error) == pytest.approx((plain.estimate, plain.std_error), rel=1e-11)


@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize(
    ("panel", "comparison"), [("balanced", "never_treated"), ("balanced", "not_yet_treated"), ("pairs", "not_yet_treated")]
)
def test_weights_differentiated_firm_by_firm_give_the_same(panel: str, comparison: str, weight: str | None) -> None:
    """Identity: every estimate and its error from firm-level arithmetic, no moments and no formula of ours."""
    data = dosed(firms=70, missing=0.15 if panel == "pairs" else 0.02)
    value, influence, town = influences(data, weight, panel, comparison)
    for cluster, groups in ((None, np.arange(len(town))), ("d", town)):
        sums = pd.DataFrame(influence).groupby(groups).sum().to_numpy()
        covariance = sums.T @ sums
        result = fit(data, {"panel": panel, "comparison": comparison}, weight=weight, cluster=cluster)
        ours, errors = numbers(result)
        np.testing.assert_allclose(ours, value, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(errors, np.sqrt(np.diag(covariance)), rtol=1e-9)
        np.testing.assert_allclose(result.effects.covariance, covariance[:3, :3], rtol=1e-9, atol=1e-14)
        bend = np.array([0.0, -1.0, 1.0])
        wald = float((bend @ value[-3:]) ** 2 / (bend @ covariance[-3:, -3:] @ bend))
        assert (result.linearity.statistic, result.linearity.restrictions) == (pytest.approx(wald, rel=1e-8), 1)


def test_with_one_cohort_both_slopes_agree_and_by_event_time_it_is_the_line_through_the_event_studies() -> None:
    data = dosed().query("g != 2020")
    result = fit(data)
    both = [(float(s.estimate), float(s.std_error)) for s in (result.slope, result.slope_within)]
    assert both[0] == pytest.approx(both[1], rel=1e-10)
    studies = [result.event_study(d).to_frame().set_index("event_time")["estimate"] for d in result.effects.dose]
    firms = np.sqrt(np.array(result.effects.n_treated, dtype=float))
    slopes = result.slope_by_event_time.to_frame().set_index("event_time")["estimate"]
    for time, slope in slopes.items():
        expected = np.polyfit(result.effects.dose, [study[time] for study in studies], 1, w=firms)[0]
        assert slope == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_merged_and_stored_moments(tmp_path: object) -> None:
    data = dosed()
    parts = [sme.Moments.from_sample(make(part), by=("reward",)) for part in (data[data.id < 50], data[data.id >= 50])]
    merged = parts[0].merge(parts[1])
    estimator = sme.DoseResponse(dose="reward")
    for table in (merged, sme.Moments.read(merged.write(f"{tmp_path}/cells.npz"))):
        for ours, theirs in zip(numbers(estimator.fit(table)), numbers(estimator.fit(make(data))), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    with pytest.raises(sme.DesignError, match="not split by 'reward'"):
        estimator.fit(sme.Moments.from_sample(make(data), by=()))


# --- reference values ------------------------------------------------------------------------------------------------


def test_another_package_gives_the_same() -> None:
    """diff-diff 3.13.0, `ContinuousDiD(treatment_type="discrete", control_group="never_treated")`, on numbers in closed form.

    Its ACRT at a dose is our step up to that dose (at the lowest one it repeats the step above).
    """
    i = np.arange(40)
    dose = np.array([0.0, 1.0, 2.0, 5.0])[i % 4]
    gain = 0.3 * dose + 0.05 * dose**2
    years = [
        pd.DataFrame(
            {
                "id": i,
                "year": t,
                "reward": dose,
                "g": np.where(dose > 0, 2021, 0),
                "y": np.sin(3.0 * i) + 0.2 * (t - 2020) + (t == 2021) * gain + np.cos(7.0 * i + t),
            }
        )
        for t in (2020, 2021)
    ]
    result = fit(pd.concat(years))
    effects, errors = [0.37715328838820755, 0.8076953414544802, 2.7012032729498134], [
        0.2897691181832293, 0.29854846565635, 0.3121298775052407,
    ]  # fmt: skip
    np.testing.assert_allclose(result.effects.estimate, effects, rtol=1e-12)
    np.testing.assert_allclose(result.effects.std_error, errors, rtol=1e-12)
    np.testing.assert_allclose(result.steps.estimate[1:], [0.43054205306627263, 0.6311693104984444], rtol=1e-12)
    np.testing.assert_allclose(result.steps.std_error[1:], [0.2867922939897277, 0.10312276312490677], rtol=1e-12)
    assert (result.estimate, result.std_error) == pytest.approx((1.295350634264167, 0.30710050522361365), rel=1e-12)


# --- invariances -----------------------------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_rows_and_names_do_not_matter(seed: int) -> None:
    data = dosed(seed % 5, missing=0.1)
    names = pd.Series(np.random.default_rng(seed).permutation(data.id.nunique()), index=data.id.unique())
    shuffled = data.assign(id="企业" + data.id.map(names).astype(str)).sample(frac=1.0, random_state=seed)
    choices = {"panel": "pairs"}
    for a, b in zip(*(numbers(fit(d, choices, weight="w")) for d in (data, shuffled)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@settings(max_examples=8, deadline=None)
@given(st.floats(1e-4, 1e4), st.floats(1e-5, 1e5), st.floats(-1e3, 1e3))
def test_units(scale: float, per: float, level: float) -> None:
    """Outcome × scale, dose × per: effects × scale, slopes × scale / per, tests unchanged."""
    data = dosed(3)
    base, moved = fit(data), fit(data.assign(y=scale * data.y + level, reward=per * data.reward))
    factor = np.array([scale] * 4 + [scale / per, scale] + [scale / per] * 2 + [scale / per] * 3)
    for a, b in zip(numbers(base), numbers(moved), strict=True):
        np.testing.assert_allclose(b / factor, a, rtol=1e-10, atol=1e-10 + 1e-12 * abs(level) / scale)
    assert moved.linearity.p_value == pytest.approx(base.linearity.p_value, rel=1e-6)


def test_what_later_cohorts_got_does_not_matter() -> None:
    """Cohorts after the last year are untreated in every year seen, whatever they will get, known or not."""
    data = dosed()
    late = (data.g == 0) & (data.id % 2 == 0)
    plain = numbers(fit(data))
    for unknown in (0.0, 7.0):
        other = fit(data.assign(g=np.where(late, 2030, data.g), reward=np.where(late, unknown, data.reward)))
        assert list(other.effects.dose) == [1.0, 2.0, 5.0]
        for a, b in zip(plain, numbers(other), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
        assert "cohorts after the last year (2030)" in other.effects.basis.notes[0]


# --- what cannot be given --------------------------------------------------------------------------------------------


def test_one_dose_has_no_slope_and_two_are_always_linear() -> None:
    one, two = fit(dosed(doses=(3.0,))), fit(dosed(doses=(1.0, 3.0)))
    for missing in (one.slope, one.intercept, one.slope_within):
        assert isinstance(missing.estimate, sme.Unavailable)
        assert "one dose has no slope" in missing.to_frame()["note"][0]
    assert isinstance(one.slope_by_event_time, sme.Unavailable)
    assert isinstance(one.linearity, sme.Unavailable)
    assert list(one.steps.term) == ["from 0 to 3"]
    assert "2 doses always lie on a line" in str(two.linearity)
    assert float(two.slope.estimate) == pytest.approx(two.steps.estimate[1], rel=1e-11)
    assert float(two.slope.std_error) == pytest.approx(two.steps.std_error[1], rel=1e-9)
    one.plot()
    assert "one dose has no slope" in one.summary()


def test_effects_without_any_noise_are_not_tested() -> None:
    data = dosed()
    exact = fit(data.assign(y=np.where((data.g > 0) & (data.year >= data.g), 2.0 * data.reward, 0.0)))
    assert float(exact.slope.estimate) == pytest.approx(2.0, rel=1e-12)
    assert "only rounding to test" in str(exact.linearity)
    assert isinstance(exact.pretrend_test(), sme.Unavailable)


def test_doses_that_no_cohort_and_year_share_have_no_slope_within() -> None:
    data = dosed()
    data["reward"] = np.select([data.g == 2018, data.g == 2020], [1.0, 5.0], 0.0)
    result = fit(data)
    assert "no cohort and year has two doses" in str(result.slope_within.estimate)
    assert np.isfinite(float(result.slope.estimate))
    assert any(note.startswith("doses differ in their cohorts") for note in result.slope.notes)
    assert "doses differ in their cohorts" in result.summary()


def test_a_dose_without_an_effect_is_unavailable_with_the_reason() -> None:
    data = dosed()
    data = data[~((data.reward == 2.0) & (data.year == 2016))]
    result = fit(data)
    assert np.isnan(result.effects.estimate[1])
    assert result.to_frame()["note"][1] == "no firm with this dose is seen in the years needed"
    assert isinstance(result.event_study(2.0), sme.Unavailable)
    assert list(result.steps.dose) == [1.0, 5.0]
    alone = fit(data[data.reward != 2.0])
    assert (result.estimate, result.std_error) == pytest.approx((alone.estimate, alone.std_error), rel=1e-11)
    assert float(result.slope.estimate) == pytest.approx(float(alone.slope.estimate), rel=1e-11)
    result.plot()


@pytest.mark.parametrize("choices", [{}, {"panel": "pairs"}, {"base_period": "universal", "anticipation": 1}], ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_without_never_treated_firms_one_dose_is_callaway_santanna(choices: dict[str, object], options: dict[str, str]) -> None:
    """Years that compare nobody go first: firms with gaps only in those years stay, in both."""
    data = dosed(doses=(3.0,), missing=0.1 if choices.get("panel") == "pairs" else 0.0).query("g > 0")
    data = data[~((data.id % 3 == 0) & (data.year == 2021))]
    choices = {"comparison": "not_yet_treated", **choices}
    result, plain = fit(data, choices, **options), sme.CallawaySantAnna(**choices).fit(make(data, **options))
    np.testing.assert_allclose(result.cells.estimate, plain.effects.estimate, rtol=TIGHT, atol=TIGHT)
    np.testing.assert_allclose(result.cells.covariance, plain.effects.covariance, rtol=TIGHT, atol=TIGHT)
    assert result.cells.keys == plain.effects.keys
    simple = plain.aggregate("simple").overall
    assert (result.estimate, result.std_error) == pytest.approx((simple.estimate, simple.std_error), rel=TIGHT)
    assert result.overall.n_firms == simple.n_firms == data.id.nunique()
    left_out = next(note for note in result.effects.basis.notes if note.startswith("no never-treated firms"))
    assert left_out in plain.effects.basis.notes
    np.testing.assert_array_equal(result.group_time(3.0).years, plain.years)


def test_never_treated_firms_that_balancing_drops_are_not_compared_with() -> None:
    data = dosed(doses=(3.0,))
    data = data[~((data.g == 0) & (data.year == 2016))]
    result = fit(data, {"comparison": "not_yet_treated"})
    plain = sme.CallawaySantAnna(comparison="not_yet_treated").fit(make(data))
    np.testing.assert_allclose(result.cells.estimate, plain.effects.estimate, rtol=TIGHT, atol=TIGHT)
    np.testing.assert_allclose(result.cells.covariance, plain.effects.covariance, rtol=TIGHT, atol=TIGHT)


def test_without_never_treated_firms_years_that_compare_nobody_are_left_out() -> None:
    data = dosed().query("g > 0")
    result = fit(data, {"comparison": "not_yet_treated"})
    cells = result.cells.to_frame()
    assert np.isfinite(result.to_frame()["estimate"]).all() and np.isfinite(cells["estimate"]).all()
    assert set(cells["cohort"]) == {2018} and cells["year"].max() == 2019
    assert any("years from 2020 on are left out" in note for note in result.effects.basis.notes)
    early = data[data.year < 2020]
    later = fit(early.assign(g=early.g.where(early.g < 2020, 0), reward=early.reward.where(early.g < 2020, 0.0)))
    for ours, theirs in zip(numbers(result), numbers(later), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=TIGHT)


def test_a_dose_of_comparison_firms_alone_is_unavailable_with_the_reason() -> None:
    data = dosed().query("g > 0")
    data["reward"] = data.reward.where((data.g != 2020) | (data.id % 2 == 0), 9.0)
    result = fit(data, {"comparison": "not_yet_treated"})
    row = result.to_frame().set_index("dose").loc[9.0]
    assert np.isnan(row["estimate"]) and row["note"].startswith("all firms with this dose start last")
    assert isinstance(result.event_study(9.0), sme.Unavailable)
    assert list(result.steps.dose) == [1.0, 2.0, 5.0]


def test_one_treated_firm_is_said() -> None:
    data = dosed()
    first = data[data.g == 2018].id.iloc[0]
    result = fit(data.assign(reward=np.where(data.id == first, 9.0, data.reward)))
    row = result.to_frame().set_index("dose").loc[9.0]
    assert row["n_treated"] == 1
    assert row["note"].startswith("one treated firm")
    assert any("doses with fewer than 30 treated firms" in note and "9 (1)" in note for note in result.effects.basis.notes)


# --- notes -----------------------------------------------------------------------------------------------------------


def test_clusters_behind_each_dose_are_said() -> None:
    data = dosed()
    data["town"] = data.id % 8
    per_town = data.assign(reward=np.where(data.g > 0, np.where(data.town < 5, 1.0, 4.0), 0.0))
    sample = sme.Sample.from_frame(
        per_town, firm="id", year="year", outcome="y", cohort="g", columns=("reward", "town"), cluster="town"
    )
    notes = sme.DoseResponse(dose="reward").fit(sample).effects.basis.warnings()
    assert any(
        "no town holds two doses" in note and "at each dose: 1: 5, 4: 3)" in note and "DistrictDose" in note for note in notes
    )
    assert any("doses with fewer than 30 clusters by town with treated firms: 1 (5), 4 (3)" in note for note in notes)
    mixed = fit(data, cluster="d").effects.basis.warnings()
    assert not any("holds two doses" in note for note in mixed)


def test_a_trend_that_goes_with_dose_shows_in_the_leads_of_the_slope() -> None:
    data = dosed()
    quiet = fit(data).slope_by_event_time.pretrend_test()
    drift = fit(data.assign(y=data.y + 0.2 * data.reward * (data.year - 2015))).slope_by_event_time.pretrend_test()
    assert quiet.p_value > 0.01
    assert drift.p_value < 1e-6
    common = fit(data.assign(y=data.y + 2.0 * (data.g > 0) * (data.year - 2015)))
    assert common.slope_by_event_time.pretrend_test().p_value == pytest.approx(quiet.p_value, rel=1e-8)
    assert common.pretrend_test().p_value < 1e-6


# --- result ----------------------------------------------------------------------------------------------------------


def test_frames_and_text() -> None:
    result = fit(dosed())
    columns = ["dose", "n_treated", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "note"]
    assert list(result.to_frame()) == columns
    assert list(result.steps.to_frame()) == columns
    assert list(result.cells.to_frame()) == [*columns[:2], "cohort", "year", "event_time", *columns[2:]]
    assert list(result.lines().columns[:2]) == ["term", "estimate"]
    pointwise, band = result.intervals(0.9), result.intervals(0.9, simultaneous=True, draws=4000, seed=1)
    assert (band["conf_high"] - band["conf_low"] > pointwise["conf_high"] - pointwise["conf_low"]).all()
    assert list(band) == ["dose", "term", "estimate", "conf_low", "conf_high"]
    assert (result.estimate, result.std_error) == (result.overall.estimate, result.overall.std_error)
    assert (result.conf_low, result.conf_high) == (result.overall.conf_low, result.overall.conf_high)
    text = str(result)
    for words in ("effect of reward on y, by dose", "under strong parallel trends", "Leads cannot test this", "linearity:"):
        assert words in text
    assert "<pre" in result._repr_html_()
    assert result.slope.unit == "y per unit of reward"
    assert any("strong parallel trends" in note for note in result.slope.notes)
    assert not any("strong parallel trends" in note for note in result.overall.notes)
    with pytest.raises(sme.DesignError, match="No treated firm has dose 4"):
        result.event_study(4)
    with pytest.raises(ValueError, match="read-only"):
        result.effects.dose[0] = 3.0


def test_plot_draws_effects_and_line() -> None:
    import matplotlib.pyplot as plt

    result = fit(dosed())
    axes = result.plot(labels=("reward", "effect", "", "", "line"))
    lines = {line.get_label(): line for line in axes.get_lines()}
    ends = lines["line"]
    slope = np.diff(ends.get_ydata())[0] / np.diff(ends.get_xdata())[0]
    assert slope == pytest.approx(float(result.slope.estimate), rel=1e-9)
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "1", "2", "5"]
    assert axes.get_xlabel() == "reward"
    plt.close("all")
    result.event_study(2.0).plot()
    result.slope_by_event_time.plot()
    plt.close("all")


# --- refusals --------------------------------------------------------------------------------------------------------


def test_refused_data() -> None:
    data = dosed()
    treated = data.g > 0
    for bad, match in (
        (data.assign(reward=np.where(treated, np.nan, 0.0)), "reward is missing for .* treated firms"),
        (data.assign(reward=data.reward.where(treated)), r"reward is missing for .* never-treated firms(.|\n)*write 0"),
        (data.assign(reward=np.where(data.year >= data.g, data.reward, 0.0)), r"reward changes within(.|\n)*transform"),
        (data.assign(reward=-data.reward), "a dose below 0"),
        (data.assign(reward=np.where(treated, np.inf, 0.0)), "infinite"),
        (data.assign(reward=np.where(treated, "much", "none")), "text where numbers belong"),
    ):
        with pytest.raises(sme.DataError, match=match):
            fit(bad)


def test_refused_designs() -> None:
    data = dosed()
    treated, some = data.g > 0, data.id % 10 == 0
    both = data.assign(reward=np.where(some, np.where(treated, 0.0, 3.0), data.reward))
    with pytest.raises(sme.DesignError, match=r"2 problems(.|\n)*treated firms have dose 0(.|\n)*never-treated firms have a pos"):
        fit(both)
    with pytest.raises(sme.DesignError, match=r"distinct doses are a continuous dose(.|\n)*pd\.qcut"):
        fit(data.assign(reward=np.where(treated, 1.0 + data.id / 7, 0.0)))
    bare = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g")
    with pytest.raises(sme.DesignError, match="does not hold the column 'reward'"):
        sme.DoseResponse(dose="reward").fit(bare)
    with pytest.raises(sme.DesignError, match=r"does not condition on covariates(.|\n)*CallawaySantAnna"):
        fit(data, covariates=("w",))
    untold = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", columns=("reward",))
    with pytest.raises(sme.DesignError, match="who was treated when"):
        sme.DoseResponse(dose="reward").fit(untold)
    for choice in ({"comparison": "all"}, {"base_period": "first"}, {"panel": "any"}, {"anticipation": -1}, {"level": 95.0}):
        with pytest.raises(sme.DesignError):
            sme.DoseResponse(dose="reward", **choice)
    with pytest.raises(sme.DesignError, match="is no column"):
        sme.DoseResponse(dose=3)


def test_the_remedies_work() -> None:
    """What the messages tell people to type is what makes the data pass."""
    data = dosed()
    switched = data.assign(reward=np.where((data.g > 0) & (data.year >= data.g), data.reward, 0.0))
    switched["reward"] = switched.groupby("id")["reward"].transform("max")
    for a, b in zip(numbers(fit(data)), numbers(fit(switched)), strict=True):
        np.testing.assert_array_equal(a, b)
    many = data.assign(reward=np.where(data.g > 0, 1.0 + data.id / 7, 0.0))
    bins = pd.qcut(many["reward"].where(many["reward"] > 0), 5, duplicates="drop")
    many["reward"] = many["reward"].groupby(bins, observed=True).transform("mean").fillna(0)
    assert len(fit(many).effects) == 5


def test_what_is_not_identified() -> None:
    data = dosed()
    for bad, choices, match in (
        (data.query("g == 0"), {}, "No cohort is treated within the panel"),
        (data[(data.id % 2 == 0) == (data.year > 2017)], {}, "No firm is seen in every year"),
        (data, {"anticipation": 9}, "No cohort has a year before treatment"),
        (data.query("g > 0"), {}, r"No effect from treatment on is identified(.|\n)*no comparison"),
    ):
        with pytest.raises(sme.IdentificationError, match=match):
            fit(bad, choices)
