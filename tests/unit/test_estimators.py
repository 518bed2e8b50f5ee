"""Refusals and edges of the estimators; the numbers are in tests/reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from tests.unit.test_moments import frame, make


def test_two_by_two_is_the_difference_of_differences() -> None:
    """Identity: with two years and one cohort every estimator is the same four means."""
    data = frame(missing=0.0)
    data = data[data.year.isin([2019, 2020]) & (data.g != 2018)]
    means = data.groupby([data.g > 0, "year"])["y"].mean().unstack()
    expected = (means.loc[True, 2020] - means.loc[True, 2019]) - (means.loc[False, 2020] - means.loc[False, 2019])
    sample = make(data)
    for estimate in (
        sme.TwoWayFixedEffects().fit(sample).estimate,
        sme.EventStudyRegression().fit(sample).estimate,
        sme.CallawaySantAnna().fit(sample).aggregate("simple").overall.estimate,
    ):
        assert estimate == pytest.approx(expected, rel=1e-10)


def test_no_never_treated_firms() -> None:
    sample = make(frame().query("g > 0"))
    with pytest.raises(sme.IdentificationError, match="Not identified beside the fixed effects"):
        sme.EventStudyRegression().fit(sample)
    table = sme.CallawaySantAnna(panel="pairs").fit(sample).to_frame()
    assert table["estimate"].isna().all()
    assert table["note"].str.contains("no comparison firm").all()
    overall = sme.CallawaySantAnna(panel="pairs").fit(sample).aggregate("simple").overall
    assert isinstance(overall.estimate, sme.Unavailable)
    later = sme.CallawaySantAnna(panel="pairs", comparison="not_yet_treated").fit(sample).to_frame().set_index(["cohort", "year"])
    assert np.isfinite(later.loc[(2018, 2019), "estimate"])
    assert later.index.get_level_values("year").max() == 2019, "from 2020 on nobody is left to compare with"


def test_treated_by_everybody_at_once_is_not_identified() -> None:
    sample = make(frame().assign(g=2018))
    with pytest.raises(sme.IdentificationError, match="treated"):
        sme.TwoWayFixedEffects().fit(sample)


def test_too_little_data_for_an_error_is_refused() -> None:
    data = frame(missing=0.0).assign(one=1)
    with pytest.raises(sme.IdentificationError, match="Too little data for a standard error"):
        sme.TwoWayFixedEffects().fit(make(data, cluster="one"))
    few = data[data.year.isin([2019, 2020])].groupby(["g", "id"]).head(2)
    pair = few[few.id.isin(few[few.g.isin([0, 2020])].drop_duplicates("g").id)]
    with pytest.raises(sme.IdentificationError, match="Too little data"):
        sme.EventStudyRegression().fit(make(pair.assign(d=pair.id), cluster="one"))


def test_triple_difference_is_a_difference_of_differences() -> None:
    """Identity: two years, one cohort: the gap between eligible and other firms, treated against untreated."""
    data = frame(missing=0.0).assign(elig=lambda d: d.id % 2)
    data = data[data.year.isin([2019, 2020]) & (data.g != 2018)]
    means = data.groupby([data.g > 0, "elig", "year"])["y"].mean().unstack()
    change = means[2020] - means[2019]
    expected = (change[True, 1] - change[True, 0]) - (change[False, 1] - change[False, 0])
    sample = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", columns=("elig",))
    assert sme.TripleDifference(eligible="elig").fit(sample).estimate == pytest.approx(expected, rel=1e-10)
    with pytest.raises(sme.DesignError, match="not 0/1"):
        sme.TripleDifference(eligible="elig").fit(
            sme.Sample.from_frame(data.assign(elig=3), firm="id", year="year", outcome="y", cohort="g", columns=("elig",))
        )


def test_singletons_are_left_out_and_said() -> None:
    data = frame()
    lone = pd.DataFrame({"id": [900], "year": [2016], "y": [5.0], "g": [0], "w": [1.0], "d": [0]})
    plain, more = (sme.TwoWayFixedEffects().fit(make(d)) for d in (data, pd.concat([data, lone])))
    already = int((data.groupby("id").size() == 1).sum())
    assert (more.estimate, more.std_error) == pytest.approx((plain.estimate, plain.std_error), rel=1e-14)
    assert more.n_observations == plain.n_observations
    assert f"{already + 1} observations alone" in more.notes[0]


def test_balanced_rule_counts_what_it_drops() -> None:
    sample = make(frame())
    kept = sme.CallawaySantAnna().fit(sample)
    left = int(np.isnan(sample.outcome).any(axis=1).sum())
    assert kept.effects.basis.n_firms == sample.n_firms - left
    assert f"{left} firms not seen in every year" in kept.effects.basis.notes[0]


def test_cohorts_after_the_panel_count_as_never_treated() -> None:
    data = frame(missing=0.0)
    later = data.assign(g=data.g.replace(0, 2050))
    a, b = (sme.CallawaySantAnna().fit(make(d)) for d in (data, later))
    np.testing.assert_allclose(a.effects.estimate, b.effects.estimate, rtol=1e-13)
    assert any("2050" in note for note in b.effects.basis.notes)


def test_a_cohort_of_one_firm_is_estimated_with_a_note() -> None:
    """As R did: the firm's own variation cannot enter the error; the disclosure gate, not the estimator, withholds it."""
    data = frame(missing=0.0)
    data.loc[data.id == 0, "g"] = 2019
    table = sme.CallawaySantAnna().fit(make(data)).to_frame().query("cohort == 2019")
    assert np.isfinite(table[["estimate", "std_error"]]).all(axis=None)
    assert table["note"].str.contains("one treated firm").all()
    wide = data.pivot(index="id", columns="year", values="y")
    change = (wide[2020] - wide[2018])[data.groupby("id")["g"].first() == 0]
    error = change.std(ddof=0) / np.sqrt(len(change))
    assert table.set_index("year").loc[2020, "std_error"] == pytest.approx(error, rel=1e-10)


def test_few_clusters_are_said() -> None:
    estimate = sme.TwoWayFixedEffects().fit(make(frame(), cluster="d"))
    assert any("only 6 clusters" in note for note in estimate.notes)
    assert estimate.degrees_of_freedom == 5


@pytest.mark.parametrize(
    ("make_estimator", "message"),
    [
        (lambda: sme.CallawaySantAnna(comparison="not-yet"), "comparison='not-yet'"),
        (lambda: sme.CallawaySantAnna(base_period="fixed", panel="all"), "2 problems"),
        (lambda: sme.CallawaySantAnna(anticipation=-1), "anticipation=-1"),
        (lambda: sme.EventStudyRegression(reference=0), "after treatment"),
        (lambda: sme.PanelRegression(regressors=()), "No regressor"),
        (lambda: sme.PanelRegression.from_formula("y ~ log(x) | firm"), "cannot be read"),
        (lambda: sme.PanelRegression.from_formula("y + x | firm"), "cannot be read"),
    ],
)
def test_choices_are_checked_at_once(make_estimator, message: str) -> None:
    with pytest.raises(sme.DesignError, match=message):
        make_estimator()


def test_panel_regression_refuses_what_the_effects_absorb() -> None:
    data = frame().assign(x=lambda d: d.id * 1.0, z=lambda d: np.random.default_rng(1).standard_normal(len(d)))
    sample = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", columns=("x", "z"))
    with pytest.raises(sme.IdentificationError, match="absorbed"):
        sme.PanelRegression(regressors=("x", "z")).fit(sample)
    with pytest.raises(sme.DesignError, match="does not hold the column 'q'"):
        sme.PanelRegression(regressors=("q",)).fit(sample)
    with pytest.raises(sme.DesignError, match="fits a Sample"):
        sme.PanelRegression(regressors=("z",)).fit(sme.Moments.from_sample(sample))
    with pytest.raises(sme.DesignError, match="explains wages"):
        sme.PanelRegression.from_formula("wages ~ z | firm").fit(sample)


# Overlapping dummies are meant to be singular: the oracle solves them by a generalised inverse.
@pytest.mark.filterwarnings("ignore:The design matrix is rank-deficient")
@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("effects", [(), ("firm",), ("firm", "year"), ("firm", ("d", "year"))], ids=str)
def test_panel_regression_equals_dense_dummies(effects: tuple, weight: str | None) -> None:
    """Identity: statsmodels' least squares with every dummy written out, classical errors with K counted by levels."""
    import statsmodels.api as sm

    data = frame(missing=0.0).assign(x=lambda d: np.random.default_rng(3).standard_normal(len(d)))
    sample = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", columns=("x", "d"), weight=weight)
    fit = sme.PanelRegression(regressors=("x",), effects=effects, covariance="classical").fit(sample)["x"]
    keys = {"firm": data.id, "year": data.year, ("d", "year"): data.d.astype(str) + "," + data.year.astype(str)}
    blocks = [pd.get_dummies(keys[e], dtype=float).to_numpy() for e in effects] or [np.ones((len(data), 1))]
    design = np.column_stack([data.x, *blocks])
    oracle = sm.WLS(data.y.to_numpy(), design, weights=data.w if weight else np.ones(len(data))).fit(method="pinv")
    levels = 1 + sum(b.shape[1] for b in blocks) - (len(blocks) - 1)
    scale = np.sqrt(oracle.df_resid / (len(data) - levels))
    assert fit.estimate == pytest.approx(oracle.params[0], rel=1e-9)
    assert fit.std_error == pytest.approx(oracle.bse[0] * scale, rel=1e-9)
    bare = sm.WLS(data.y.to_numpy(), design[:, 1:], weights=data.w if weight else np.ones(len(data))).fit(method="pinv")
    within = sme.PanelRegression(regressors=("x",), effects=effects).fit(sample).r_squared_within
    assert within == pytest.approx(1.0 - oracle.ssr / bare.ssr, rel=1e-7)
