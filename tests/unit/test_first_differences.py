"""First differences: against least squares on differences, against firm effects with two years, and gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import sme_eval as sme
from tests.unit.panels import panel, sample

EXACT = {"rel": 1e-8}
TWO = ("x", "z")


def differences(frame: pd.DataFrame) -> pd.DataFrame:
    """Changes between neighbouring years, by joining each row with the row of the year before."""
    names = ["y", *TWO]
    before = frame[["id", "year", *names]].assign(year=frame.year + 1)
    both = frame.merge(before, on=["id", "year"], suffixes=("", "_before"))
    return both.assign(**{name: both[name] - both[f"{name}_before"] for name in names})


@pytest.mark.parametrize("cluster", [None, "town"])
@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize("year_effects", [True, False])
def test_equals_least_squares_on_changes(cluster: str | None, weight: str | None, year_effects: bool) -> None:
    frame = panel(missing=0.15)
    fit = sme.FirstDifferences(regressors=TWO, year_effects=year_effects).fit(sample(frame, cluster=cluster, weight=weight))
    data = differences(frame)
    design = data[list(TWO)].join(pd.get_dummies(data.year).astype(float)) if year_effects else data[list(TWO)]
    groups = pd.factorize(data[cluster or "id"])[0]
    model = sm.WLS(data.y, design, weights=data.w if weight else 1.0)
    other = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    assert list(fit.effects.estimate) == pytest.approx(list(other.params[:2]), **EXACT)
    assert list(fit.effects.std_error) == pytest.approx(list(other.bse[:2]), **EXACT)
    assert fit["x"].n_observations == len(data)
    assert fit["x"].n_clusters == len(np.unique(groups))


@pytest.mark.parametrize(("covariance", "theirs"), [("robust", "HC1"), ("classical", "nonrobust")])
def test_other_errors(covariance: str, theirs: str) -> None:
    data = differences(panel())
    fit = sme.FirstDifferences(regressors=TWO, covariance=covariance).fit(sample(panel()))
    other = sm.OLS(data.y, data[list(TWO)].join(pd.get_dummies(data.year).astype(float))).fit(cov_type=theirs, use_t=True)
    assert list(fit.effects.std_error) == pytest.approx(list(other.bse[:2]), **EXACT)
    assert list(fit.to_frame()["p_value"]) == pytest.approx(list(other.pvalues[:2]), rel=1e-7)
    years = pd.get_dummies(data.year).astype(float)
    without = sm.OLS(data.y, years).fit().ssr
    assert fit.r_squared_within == pytest.approx(1 - other.ssr / without, **EXACT)


def test_two_years_are_firm_effects() -> None:
    data = sample(panel(years=2))
    changes = sme.FirstDifferences(regressors=TWO, covariance="classical").fit(data)
    levels = sme.PanelRegression(regressors=TWO, covariance="classical").fit(data)
    assert list(changes.effects.estimate) == pytest.approx(list(levels.effects.estimate), **EXACT)
    assert list(changes.effects.std_error) == pytest.approx(list(levels.effects.std_error), **EXACT)


def test_a_gap_gives_no_difference() -> None:
    frame = panel(firms=30)
    frame = frame[~((frame.id < 10) & (frame.year == 2017))]
    lonely = frame[(frame.id == 20) & (frame.year == 2015)]
    frame = pd.concat([frame[frame.id != 20], lonely])
    fit = sme.FirstDifferences(regressors=TWO).fit(sample(frame))
    assert fit["x"].n_observations == 29 * 5 - 2 * 10
    assert "1 observations without a neighbour in time are left out" in fit["x"].notes


def test_a_year_without_regressor_is_not_bridged() -> None:
    frame = panel()
    unknown = frame.assign(x=frame.x.where(frame.year != 2017))
    fit = sme.FirstDifferences(regressors=TWO).fit(sample(unknown))
    other = sme.FirstDifferences(regressors=TWO).fit(sample(unknown.assign(y=frame.y + 5.0 * (frame.year >= 2017))))
    assert fit["x"].n_observations == 60 * 3
    assert "60 rows without a regressor are left out" in fit["x"].notes
    assert other["x"].estimate == pytest.approx(float(fit["x"].estimate))


def test_a_year_missing_for_all_is_said() -> None:
    frame = panel()
    fit = sme.FirstDifferences(regressors=TWO).fit(sample(frame[frame.year != 2017]))
    assert "years are missing for all firms: some differences span several years" in fit["x"].notes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(z=f["size"]), "does not change"),
        (lambda f: f.assign(z=f["x"] + f["size"]), "regressors: z"),
        (lambda f: f.assign(z=f["year"] * 1.0), "does not change"),
        (lambda f: f[f.year == 2016], "No firm has a first difference"),
    ],
)
def test_refusals(change: object, words: str) -> None:
    with pytest.raises(sme.IdentificationError, match=words):
        sme.FirstDifferences(regressors=TWO).fit(sample(change(panel())))


def test_misuse() -> None:
    with pytest.raises(sme.DesignError, match="2 problems"):
        sme.FirstDifferences(regressors=(), covariance="white")
    with pytest.raises(sme.DesignError, match="fits a Sample"):
        sme.FirstDifferences(regressors=TWO).fit(panel())
