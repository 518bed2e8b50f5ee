"""Landmark DiD: identities, its comparison, what it refuses, and known truth under selection on past growth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import sme_eval as sme
from tests.unit.test_moments import frame

PANELS = 60


def panel(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = frame(seed, firms=80, missing=0.0)
    firms = data["id"].nunique()
    return data.assign(
        x=np.repeat(rng.standard_normal(firms), data["year"].nunique()),
        kind=np.repeat(rng.choice(["a", "b", "c"], firms), data["year"].nunique()),
        listed=data["g"].where(data["id"] % 5 > 0, 2016),
    )


def make(data: pd.DataFrame, **options: object) -> sme.Sample:
    columns = ("x", "kind", "listed")
    return sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", columns=columns, **options)


def by_hand(data: pd.DataFrame, e: int, *, given: bool, listed: bool, weight: pd.Series | None = None) -> float:
    """Pooled τ(e) by least squares on the comparison of each cohort, firm weights if given."""
    wide = data.pivot(index="id", columns="year", values="y")
    firm = data.groupby("id")[["g", "x", "kind", "listed"]].first()
    w = pd.Series(1.0, index=firm.index) if weight is None else weight
    total, mass = 0.0, 0.0
    for g in (2018, 2020):
        if g + e not in wide:
            continue
        change = wide[g + e] - wide[g - 1]
        x = pd.DataFrame({"one": 1.0}, index=firm.index)
        if given:
            x = x.assign(x=firm.x, growth=wide[g - 1] - wide[g - 3]).join(pd.get_dummies(firm.kind, dtype=float).iloc[:, 1:])
        comparison = (firm.g == 0) | (firm.g > g)
        if listed:
            comparison &= ~((firm.listed > 0) & (firm.listed < g))
        fit = sm.WLS(change[comparison], x[comparison], weights=w[comparison]).fit()
        treated = firm.g == g
        total += float((w * (change - fit.predict(x)))[treated].sum())
        mass += float(w[treated].sum())
    return total / mass


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("listed", [False, True])
def test_equals_least_squares_by_hand(given: bool, listed: bool) -> None:
    data = panel()
    landmark = sme.LandmarkDiD(
        covariates=("x", "kind") if given else (),
        past_growth=(-3, -1) if given else None,
        listed="listed" if listed else None,
        window=(-2, 1),
    )
    table = landmark.fit(make(data)).to_frame().set_index("event_time")
    for e in (-2, 0, 1):
        assert table.loc[e, "estimate"] == pytest.approx(by_hand(data, e, given=given, listed=listed), rel=1e-10)
    assert table.loc[-1, "note"] == "reference"


def test_influence_is_the_derivative() -> None:
    """Identity: the standard error is the norm of the effect's derivative with respect to each firm's weight."""
    data = panel()
    landmark = sme.LandmarkDiD(covariates=("x", "kind"), window=(0, 0))
    step = 1e-5
    derivative = []
    for firm in data["id"].unique():
        ends = []
        for sign in (1.0, -1.0):
            w = pd.Series(1.0, index=data["id"].unique())
            w[firm] += sign * step
            ends.append(by_hand(data, 0, given=True, listed=False, weight=w))
        derivative.append((ends[0] - ends[1]) / (2 * step))
    error = float(landmark.fit(make(data)).overall.std_error)
    assert error == pytest.approx(float(np.linalg.norm(derivative)), rel=1e-6)


def test_weights_and_clusters() -> None:
    data = panel()
    weight = data.groupby("id")["w"].first()
    fit = sme.LandmarkDiD(covariates=("x", "kind"), window=(0, 1)).fit(make(data, weight="w", cluster="d"))
    assert fit.effects.estimate[1] == pytest.approx(by_hand(data, 0, given=True, listed=False, weight=weight), rel=1e-10)
    assert fit.overall.n_clusters == data["d"].nunique()


def test_order_names_and_units_do_not_matter() -> None:
    data = panel()
    names = pd.Series(np.random.default_rng(5).permutation(80), index=range(80))
    landmark = sme.LandmarkDiD(covariates=("x", "kind"))
    first = landmark.fit(make(data)).to_frame()[["estimate", "std_error"]].to_numpy()
    changed = data.assign(id=data["id"].map(names), y=10.0 * data["y"]).sample(frac=1.0, random_state=1)
    second = landmark.fit(make(changed)).to_frame()[["estimate", "std_error"]].to_numpy()
    np.testing.assert_allclose(10.0 * first, second, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("make_landmark", "message"),
    [
        (lambda: sme.LandmarkDiD(window=(1, 2)), "does not hold event time 0"),
        (lambda: sme.LandmarkDiD(past_growth=(-1, -3)), "not a span before treatment"),
        (lambda: sme.LandmarkDiD(level=95.0), "not the level"),
        (lambda: sme.LandmarkDiD().fit(sme.Moments.from_sample(make(panel()))), "fits a Sample"),
        (lambda: sme.LandmarkDiD(covariates=("size",)).fit(make(panel())), "does not hold the column 'size'"),
    ],
)
def test_refusals(make_landmark, message: str) -> None:
    with pytest.raises(sme.DesignError, match=message):
        make_landmark()


def test_covariates_must_be_known_and_constant() -> None:
    with pytest.raises(sme.DataError, match="x changes within"):
        sme.LandmarkDiD(covariates=("x",)).fit(make(panel().assign(x=lambda d: np.arange(len(d)) * 1.0)))
    with pytest.raises(sme.DataError, match="2 firms have no x"):
        sme.LandmarkDiD(covariates=("x",)).fit(make(panel().assign(x=lambda d: d.x.where(d.id > 1))))


def test_treated_firms_outside_the_comparison_are_not_extrapolated() -> None:
    """A category that only treated firms have: no effect is given rather than one that rests on nothing."""
    data = panel().assign(kind=lambda d: d.kind.where(d.g == 0, "treated only"))
    data.loc[data.g == 2020, "kind"] = "treated only"
    with pytest.raises(sme.IdentificationError, match="span its covariates"):
        sme.LandmarkDiD(covariates=("kind",), window=(0, 0)).fit(make(data[data.g != 2020]))


def test_truth_under_selection_on_past_growth() -> None:
    """Known truth: given growth and R&D no bias within 3 Monte Carlo errors and 95 % coverage; the unconditional twin is biased."""
    errors: dict[str, list[float]] = {"given": [], "twin": []}
    covered = []
    for seed in range(PANELS):
        firms, truth = sme.simulate_ningbo(seed=30_000 + seed, scenario="baseline")
        sample = sme.Sample.from_frame(
            firms.frame, firm="firm", year="year", outcome="log_revenue", cohort="certified_year", columns=("rd_intensity",)
        )
        by_event_time = truth.by_event_time("log_revenue")
        target = float(np.mean([by_event_time[e] for e in (0, 1, 2)]))
        given = sme.LandmarkDiD(covariates=("rd_intensity",), window=(0, 2)).fit(sample)
        twin = sme.LandmarkDiD(past_growth=None, window=(0, 2)).fit(sample)
        errors["given"].append(float(given.estimate) - target)
        errors["twin"].append(float(twin.estimate) - target)
        covered.append(given.conf_low <= target <= given.conf_high)
    spread = {name: np.std(values, ddof=1) / math.sqrt(PANELS) for name, values in errors.items()}
    assert abs(np.mean(errors["given"])) < 3 * spread["given"]
    assert np.mean(errors["twin"]) < -3 * spread["twin"]
    assert abs(np.mean(covered) - 0.95) < 3 * math.sqrt(0.95 * 0.05 / PANELS)
