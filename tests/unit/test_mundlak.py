"""Correlated random effects: the within part is fixed effects; the rest against least squares with the means."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import sme_eval as sme
from tests.unit.panels import panel, sample

EXACT = {"rel": 1e-8}
TWO = ("x", "z")


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("method", ["random", "pooled"])
@pytest.mark.parametrize("year_effects", [True, False])
def test_slopes_are_fixed_effects(missing: float, weight: str | None, method: str, year_effects: bool) -> None:
    data = sample(panel(missing=missing), weight=weight)
    fit = sme.MundlakRegression(regressors=TWO, constants=("size",), method=method, year_effects=year_effects).fit(data)
    within = sme.PanelRegression(regressors=TWO, effects=("firm", "year") if year_effects else ("firm",)).fit(data)
    assert [fit[name].estimate for name in TWO] == pytest.approx(list(within.effects.estimate), **EXACT)


@pytest.mark.parametrize("cluster", [None, "town"])
def test_pooled_is_least_squares_with_means(cluster: str | None) -> None:
    frame = panel()
    fit = sme.MundlakRegression(regressors=TWO, constants=("size",), method="pooled").fit(sample(frame, cluster=cluster))
    means = frame.groupby("id")[list(TWO)].transform("mean").add_prefix("mean of ")
    years = pd.get_dummies(frame.year, drop_first=True).astype(float)
    design = sm.add_constant(pd.concat([frame[[*TWO, "size"]], means, years], axis=1))
    other = sm.OLS(frame.y, design).fit(cov_type="cluster", cov_kwds={"groups": frame[cluster or "id"]}, use_t=True)
    for term in fit.effects.term:
        assert fit[term].estimate == pytest.approx(other.params[term], **EXACT)
        assert fit[term].std_error == pytest.approx(other.bse[term], **EXACT)
    hypothesis = np.eye(len(other.params))[[design.columns.get_loc(name) for name in means]]
    wald = other.wald_test(hypothesis, use_f=False, scalar=True)
    assert fit.means_test().statistic == pytest.approx(float(wald.statistic), **EXACT)
    assert fit.means_test().restrictions == 2


def test_random_effects_are_generalised_least_squares() -> None:
    """Balanced panel: quasi-demeaned by Swamy and Arora's θ, computed here from the within and between regressions."""
    frame = panel()
    means = frame.groupby("id")[list(TWO)].transform("mean").add_prefix("mean of ")
    design = sm.add_constant(pd.concat([frame[[*TWO, "size"]], means], axis=1))
    fit = sme.MundlakRegression(regressors=TWO, constants=("size",), year_effects=False, covariance="classical").fit(sample(frame))
    both = pd.concat([frame[["y"]], design], axis=1)
    average = both.groupby(frame.id).transform("mean")
    n, firms, years = len(frame), 60, 6
    inside = sm.OLS((both - average).y, (both - average)[list(TWO)]).fit().ssr / (n - firms - 2)
    between = average.groupby(frame.id).first()
    outside = sm.OLS(between.y, between[["const", "x", "z", "size"]]).fit().ssr / (firms - 4)
    theta = 1 - np.sqrt(inside / (years * max(outside - inside / years, 0) + inside))
    moved = both - theta * average
    other = sm.OLS(moved.y, moved[list(design)]).fit()
    for term in fit.effects.term:
        name = "const" if term == "intercept" else term
        assert fit[term].estimate == pytest.approx(other.params[name], rel=1e-7)
        assert fit[term].std_error == pytest.approx(other.bse[name], rel=1e-7)


def test_the_test_sees_what_the_means_are_for() -> None:
    """Firm effects go with x in `panel`; without that the test has nothing to find."""
    data = panel(seed=4, firms=300)
    assert sme.MundlakRegression(regressors=TWO).fit(sample(data)).means_test().p_value < 1e-6
    rng = np.random.default_rng(0)
    unrelated = data.assign(y=0.3 * data.x + rng.standard_normal(300)[data.id] + rng.standard_normal(len(data)))
    assert sme.MundlakRegression(regressors=TWO).fit(sample(unrelated)).means_test().p_value > 0.01


def test_a_mean_that_is_the_same_for_all_is_left_out_and_said() -> None:
    frame = panel()
    trend = frame.assign(z=(frame.year - 2015.0) ** 2)
    fit = sme.MundlakRegression(regressors=TWO, year_effects=False).fit(sample(trend))
    assert "mean of z" not in fit.effects.term
    assert "repeats other columns and is left out: mean of z" in fit["x"].notes


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"regressors": ("x", "size")}, "do not vary within firms: size"),
        ({"regressors": ("x",), "constants": ("z",)}, "change within firms: z"),
        ({"regressors": ("x",), "constants": ("q",)}, "does not hold"),
    ],
)
def test_refusals(choices: dict, words: str) -> None:
    with pytest.raises(sme.SmeEvalError, match=words):
        sme.MundlakRegression(**choices).fit(sample(panel()))


def test_repeated_columns() -> None:
    frame = panel()
    with pytest.raises(sme.IdentificationError, match="columns: z"):
        sme.MundlakRegression(regressors=TWO).fit(sample(frame.assign(z=frame.x + frame.year)))


def test_misuse() -> None:
    with pytest.raises(sme.DesignError, match="2 problems"):
        sme.MundlakRegression(regressors=("x",), constants=("x",), method="pooled", covariance="classical")
    with pytest.raises(sme.DesignError, match="fits a Sample"):
        sme.MundlakRegression(regressors=TWO).fit(panel())
    with pytest.raises(sme.IdentificationError, match="Too few"):
        sme.MundlakRegression(regressors=TWO).fit(sample(panel(firms=3)))
