"""Poisson regression: against dense dummies, against pyfixest's own errors, and what it leaves out."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import sme_eval as sme
from tests.unit.panels import panel, sample

EXACT = {"rel": 1e-8}
TWO = ("x", "z")


def dummies(frame: pd.DataFrame) -> np.ndarray:
    parts = [frame[["x", "z"]], pd.get_dummies(frame.id), pd.get_dummies(frame.year, drop_first=True)]
    return np.column_stack([part.to_numpy(dtype=float) for part in parts])


def dense(frame: pd.DataFrame, groups: pd.Series, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of x and z by dense maximum likelihood, and their clustered sandwich without any factor."""
    design, y = dummies(frame), frame["count"].to_numpy()
    fit = sm.GLM(y, design, family=sm.families.Poisson(), var_weights=weight).fit(tol=1e-14, maxiter=100)
    bread = np.linalg.inv(design.T @ (design * (weight * fit.mu)[:, None]))
    scores = pd.DataFrame(design * (weight * (y - fit.mu))[:, None]).groupby(groups.to_numpy()).sum().to_numpy()
    return fit.params[:2], (bread @ scores.T @ scores @ bread)[:2, :2]


@pytest.mark.parametrize("cluster", [None, "town"])
@pytest.mark.parametrize("weight", [None, "w"])
def test_equals_dense_dummies(cluster: str | None, weight: str | None) -> None:
    frame = panel(missing=0.1)
    frame = frame[frame.groupby("id")["count"].transform("sum") > 0]
    fit = sme.PoissonRegression(regressors=TWO).fit(sample(frame, "count", cluster=cluster, weight=weight))
    own = np.ones(len(frame)) if weight is None else frame["w"].to_numpy()
    estimate, covariance = dense(frame, frame[cluster or "id"], own)
    n, g = len(frame), frame[cluster or "id"].nunique()
    k = 2 + frame.year.nunique()  # firm effects nest in the clusters
    factor = g / (g - 1) * (n - 1) / (n - k)
    assert list(fit.effects.estimate) == pytest.approx(list(estimate), **EXACT)
    assert fit.effects.covariance.ravel() == pytest.approx(factor * covariance.ravel(), rel=1e-8)


@pytest.mark.parametrize(("covariance", "theirs"), [("clustered", {"CRV1": "id"}), ("robust", "hetero"), ("classical", "iid")])
def test_errors_are_pyfixests(covariance: str, theirs: object) -> None:
    """Its defaults are tested against R fixest; ours are computed from its raw covariance by our own factor."""
    import pyfixest
    from pyfixest.demeaners import MapDemeaner

    frame = panel(seed=3)
    frame = frame[frame.groupby("id")["count"].transform("sum") > 0].reset_index(drop=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        demeaner = MapDemeaner(fixef_tol=1e-13)
        other = pyfixest.fepois("count ~ x + z | id + year", frame, vcov=theirs, iwls_tol=1e-12, demeaner=demeaner)
    table = sme.PoissonRegression(regressors=TWO, covariance=covariance).fit(sample(frame, "count")).to_frame()
    assert table["estimate"].tolist() == pytest.approx(other.coef().tolist(), **EXACT)
    assert table["std_error"].tolist() == pytest.approx(other.se().tolist(), **EXACT)
    assert table["p_value"].tolist() == pytest.approx(other.pvalue().tolist(), rel=1e-6)


def test_firms_that_are_always_zero_are_left_out_and_counted() -> None:
    frame = panel(seed=1)
    frame = frame[frame.groupby("id")["count"].transform("sum") > 0]
    silent = frame.assign(id=frame.id + 1000, count=0.0)[frame.id < 5]
    without = sme.PoissonRegression(regressors=TWO).fit(sample(frame, "count"))
    fit = sme.PoissonRegression(regressors=TWO).fit(sample(pd.concat([frame, silent]), "count"))
    assert list(fit.effects.estimate) == pytest.approx(list(without.effects.estimate), **EXACT)
    assert fit["x"].n_firms == without["x"].n_firms
    assert fit["x"].notes == (f"{len(silent)} observations of a fixed effect whose outcomes are all zero are left out",)


def test_a_regressor_that_goes_with_zeros_only_is_refused() -> None:
    """Its coefficient would be minus infinity; without the rows that it separates it does not vary."""
    frame = panel(seed=2)
    frame["z"] = (frame["count"] == 0) * (frame.index % 2)
    with pytest.raises(sme.IdentificationError, match="separated rows only"):
        sme.PoissonRegression(regressors=TWO).fit(sample(frame, "count"))


def test_observations_that_two_effects_separate_are_left_out_and_counted() -> None:
    """Half the firms are zero from 2018 on, the others are seen only then: no level is all zero, yet effects diverge."""
    frame = panel(seed=2, firms=60).query("id >= 30 and year >= 2018 or id < 30")
    separated = (frame.id < 30) & (frame.year >= 2018)
    frame = frame.assign(count=(frame["count"] + 1.0).where(~separated, 0.0))
    fit = sme.PoissonRegression(regressors=TWO).fit(sample(frame, "count"))
    clean = sme.PoissonRegression(regressors=TWO).fit(sample(frame[~separated], "count"))
    assert list(fit.effects.estimate) == pytest.approx(list(clean.effects.estimate), **EXACT)
    assert list(fit.effects.std_error) == pytest.approx(list(clean.effects.std_error), **EXACT)
    assert fit["x"].notes == (f"{separated.sum()} observations that the effects together separate are left out",)


def test_without_effects_it_is_a_glm() -> None:
    frame = panel()
    fit = sme.PoissonRegression(regressors=TWO, effects=(), covariance="robust").fit(sample(frame, "count"))
    glm = sm.GLM(frame["count"], sm.add_constant(frame[list(TWO)]), family=sm.families.Poisson()).fit(cov_type="HC0", tol=1e-14)
    assert list(fit.effects.estimate) == pytest.approx([glm.params[name] for name in ("x", "z", "const")], **EXACT)
    n, factor = len(frame), (len(frame) / (len(frame) - 3)) ** 0.5
    assert fit["x"].std_error == pytest.approx(glm.bse["x"] * factor, **EXACT)
    deviance = 1 - glm.deviance / sm.GLM(frame["count"], np.ones(n), family=sm.families.Poisson()).fit().deviance
    assert fit.r_squared_within == pytest.approx(deviance, **EXACT)


def test_per_cent() -> None:
    fit = sme.PoissonRegression(regressors=TWO).fit(sample(panel(), "count"))
    row, x = fit.percent().set_index("term").loc["x"], fit["x"]
    assert row["percent"] == pytest.approx(100 * (np.exp(float(x.estimate)) - 1))
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((100 * (np.exp(x.conf_low) - 1), 100 * (np.exp(x.conf_high) - 1)))
    assert "% per unit" in fit.summary()


def test_interacted_effects_and_singletons() -> None:
    frame = panel(missing=0.3)
    frame = frame[frame.groupby("id")["count"].transform("sum") > 0]
    frame = frame.drop(index=frame.index[(frame.id == 7)][1:])
    fit = sme.PoissonRegression(regressors=TWO, effects=("firm", ("industry", "year"))).fit(sample(frame, "count"))
    assert fit["x"].effects == ("firm", "industry × year")
    assert "1 observations alone in their fixed effect are left out" in fit["x"].notes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(count=f["count"] - 1), "below zero"),
        (lambda f: f.assign(count=0.0), "zero in every row"),
        (lambda f: f.assign(z=f["size"]), "absorbed"),
        (lambda f: f.assign(z=2 * f["x"]), "repeats"),
    ],
)
def test_refusals(change: object, words: str) -> None:
    with pytest.raises(sme.SmeEvalError, match=words):
        sme.PoissonRegression(regressors=TWO).fit(sample(change(panel()), "count"))


def test_misuse() -> None:
    with pytest.raises(sme.DesignError, match="3 problems"):
        sme.PoissonRegression(regressors=(), covariance="white", level=95)
    with pytest.raises(sme.DesignError, match="fits a Sample"):
        sme.PoissonRegression(regressors=TWO).fit(panel())
    with pytest.raises(sme.DesignError, match="does not hold"):
        sme.PoissonRegression(regressors=("q",)).fit(sample(panel(), "count"))
