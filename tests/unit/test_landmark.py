"""Landmark DiD: identities, its comparison, its twins, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import sme_eval as sme
from sme_eval.stats.arrays import FloatArray
from tests.unit.test_moments import frame


def panel(seed: int = 0, firms: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = frame(seed, firms=firms, missing=0.0)
    years = data["year"].nunique()
    return data.assign(
        x=np.repeat(rng.standard_normal(firms), years),
        kind=np.repeat(rng.choice(["a", "b", "c"], firms), years),
        listed=data["g"].where(data["id"] % 5 > 0, 2016),
        sales=rng.standard_normal(len(data)),
        asked=(data["id"] % 3 > 0).astype(int),
    )


COLUMNS = ("x", "kind", "listed", "sales", "asked")


def make(data: pd.DataFrame, **options: Any) -> sme.Sample:
    return sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", columns=COLUMNS, **options)


def design(data: pd.DataFrame, g: int, *, growth: str = "y", split: bool = False, squared: bool = False) -> pd.DataFrame:
    """Covariates of all firms as of g, written out."""
    wide, firm = data.pivot(index="id", columns="year", values=growth), data.groupby("id")[["x", "kind"]].first()
    x = pd.DataFrame({"one": 1.0, "x": firm.x}).join(pd.get_dummies(firm.kind, dtype=float).iloc[:, 1:])
    if squared:
        x["x2"] = firm.x**2
    if split:
        return x.assign(early=wide[g - 2] - wide[g - 3], late=wide[g - 1] - wide[g - 2])
    return x.assign(growth=wide[g - 1] - wide[g - 3])


def by_hand(
    data: pd.DataFrame,
    e: int,
    *,
    given: bool = True,
    listed: bool = False,
    weight: pd.Series | None = None,
    cohorts: tuple[int, ...] = (2018, 2020),
    **options: Any,
) -> float:
    """Pooled τ(e) by least squares on the comparison of each cohort, firm weights if given."""
    wide = data.pivot(index="id", columns="year", values="y")
    firm = data.groupby("id")[["g", "listed"]].first()
    w = pd.Series(1.0, index=firm.index) if weight is None else weight
    total, mass = 0.0, 0.0
    for g in cohorts:
        if g + e not in wide:
            continue
        change = wide[g + e] - wide[g - 1]
        x = design(data, g, **options) if given else pd.DataFrame({"one": 1.0}, index=firm.index)
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


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({"growth_of": "sales"}, {"growth": "sales"}),
        ({"growth_of": "y"}, {}),
        ({"growth_split": True}, {"split": True}),
        ({"squares": ("x",)}, {"squared": True}),
        ({"squares": "numeric"}, {"squared": True}),
    ],
    ids=str,
)
def test_what_is_conditioned_on(options: dict[str, Any], written: dict[str, Any]) -> None:
    data = panel()
    found = sme.LandmarkDiD(covariates=("x", "kind"), window=(0, 1), **options).fit(make(data)).to_frame().set_index("event_time")
    for e in (0, 1):
        assert found.loc[e, "estimate"] == pytest.approx(by_hand(data, e, **written), rel=1e-10)


def test_entrants_not_asked_about_are_in_neither_group() -> None:
    """Identity: they are as if they had no outcome from their entry on, and stay in the comparison of earlier cohorts."""
    data = panel()
    landmark = sme.LandmarkDiD(covariates=("x", "kind"), window=(0, 0))
    asked = sme.LandmarkDiD(covariates=("x", "kind"), window=(0, 0), among="asked").fit(make(data))
    silent = data.assign(y=data.y.where((data.asked == 1) | (data.g == 0) | (data.year < data.g)))
    left = landmark.fit(make(silent))
    assert float(asked.estimate) == pytest.approx(float(left.estimate), rel=1e-10)
    assert float(asked.std_error) == pytest.approx(float(left.std_error), rel=1e-10)
    assert float(asked.estimate) != pytest.approx(float(landmark.fit(make(data)).estimate), rel=1e-3)


@pytest.mark.parametrize("method", ["reg", "dr"])
def test_influence_is_the_derivative(method: Literal["reg", "dr"]) -> None:
    """Identity: the covariance is the cross-product of the derivatives with respect to each firm's log weight."""
    data = panel(firms=150)
    landmark = sme.LandmarkDiD(covariates=("x", "kind"), window=(-2, 1), method=method, growth_split=True, squares="numeric")

    def estimates(weight: FloatArray) -> tuple[FloatArray, sme.EventStudy]:
        fit = landmark.fit(make(data.assign(w=np.repeat(weight, data["year"].nunique())), weight="w"))
        assert fit.by_cohort is not None
        return np.concatenate([fit.effects.estimate, fit.by_cohort.estimate, [float(fit.estimate)]]), fit

    base, step = data.groupby("id")["w"].first().to_numpy(), 1e-4
    derivative = []
    for i in range(len(base)):
        ends = [estimates(base * np.exp(sign * step * (np.arange(len(base)) == i)))[0] for sign in (1.0, -1.0)]
        derivative.append((ends[0] - ends[1]) / (2 * step))
    expected = np.transpose(derivative) @ np.array(derivative)
    fit = estimates(base)[1]
    assert fit.by_cohort is not None
    scale = float(expected.max())
    np.testing.assert_allclose(fit.effects.covariance, expected[:4, :4], rtol=1e-6, atol=1e-7 * scale)
    np.testing.assert_allclose(fit.by_cohort.covariance, expected[4:6, 4:6], rtol=1e-6, atol=1e-7 * scale)
    assert float(fit.std_error) ** 2 == pytest.approx(float(expected[6, 6]), rel=1e-6)


@pytest.mark.parametrize("method", ["reg", "dr"])
def test_a_cohort_is_what_asking_about_it_alone_gives(method: Literal["reg", "dr"]) -> None:
    data = panel(firms=150)
    options: dict[str, Any] = {"window": (0, 2), "covariates": ("x",), "past_growth": None}
    whole = sme.LandmarkDiD(method="reg", **options).fit(make(data)).by_cohort
    assert whole is not None
    assert whole.keys["cohort"] == (2018, 2020)
    assert whole.notes == ("", "event times 0, 1 only")
    for j, g in enumerate((2018, 2020)):
        alone = sme.LandmarkDiD(among="asked", method=method, **options).fit(make(data.assign(asked=(data.g == g).astype(int))))
        assert alone.by_cohort is not None
        assert alone.by_cohort.estimate[0] == pytest.approx(float(alone.estimate), rel=1e-12)
        assert alone.by_cohort.std_error[0] == pytest.approx(float(alone.std_error), rel=1e-12)
        assert alone.by_cohort.n_treated == (data.loc[data.g == g, "id"].nunique(),)
        if method == "reg":
            assert whole.estimate[j] == pytest.approx(float(alone.estimate), rel=1e-12)
            assert whole.std_error[j] == pytest.approx(float(alone.std_error), rel=1e-12)


def test_saturated_is_doubly_robust_already() -> None:
    sample = make(panel(firms=150))
    landmark = sme.LandmarkDiD(covariates=("kind",), past_growth=None)
    first, second = landmark.fit(sample), landmark.doubly_robust().fit(sample)
    np.testing.assert_allclose(second.effects.estimate, first.effects.estimate, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(second.effects.covariance, first.effects.covariance, rtol=1e-9, atol=1e-12)


def test_twins_and_columns() -> None:
    landmark = sme.LandmarkDiD(
        covariates=("x", "kind"), growth_of="sales", listed="listed", among="asked", window=(-5, 1), level=0.9
    )
    assert landmark.columns == ("x", "kind", "sales", "listed", "asked")
    bare = landmark.unconditional()
    assert bare == sme.LandmarkDiD(past_growth=None, listed="listed", among="asked", window=(-5, 1), level=0.9)
    robust = landmark.doubly_robust()
    assert (robust.method, robust.growth_split, robust.squares) == ("dr", True, "numeric")
    assert (robust.covariates, robust.growth_of, robust.listed, robust.window) == (("x", "kind"), "sales", "listed", (-5, 1))
    assert not bare.doubly_robust().growth_split
    given = landmark.fit(make(panel())).overall.convention
    assert "given x, kind, growth of sales from g-3 to g-1" in given


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
        (lambda: sme.LandmarkDiD(listed="one", among="two").fit(make(panel())), "2 problems"),
        (lambda: sme.LandmarkDiD(method="ipw"), "method='ipw' is not a choice"),
        (lambda: sme.LandmarkDiD(past_growth=None, growth_of="sales"), "but past_growth=None"),
        (lambda: sme.LandmarkDiD(past_growth=None, growth_split=True), "but past_growth=None"),
        (lambda: sme.LandmarkDiD(covariates=("x",), squares=("z",)), "squares names 'z'"),
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
    with pytest.raises(sme.DataError, match="kind is no number"):
        sme.LandmarkDiD(covariates=("kind",), squares=("kind",)).fit(make(panel()))
    with pytest.raises(sme.DataError, match="asked is not 0 or 1"):
        sme.LandmarkDiD(among="asked").fit(make(panel().assign(asked=2)))
    with pytest.raises(sme.DataError, match="3 problems"):
        wrong = panel().assign(x=lambda d: np.arange(len(d)) * 1.0, listed=lambda d: np.arange(len(d)), asked=2)
        sme.LandmarkDiD(covariates=("x",), listed="listed", among="asked").fit(make(wrong))


def test_treated_firms_outside_the_comparison_are_not_extrapolated() -> None:
    """A category that only treated firms have: no effect is given rather than one that rests on nothing."""
    data = panel().assign(kind=lambda d: d.kind.where(d.g == 0, "treated only"))
    data.loc[data.g == 2020, "kind"] = "treated only"
    with pytest.raises(sme.IdentificationError, match="span its covariates"):
        sme.LandmarkDiD(covariates=("kind",), window=(0, 0)).fit(make(data[data.g != 2020]))


@pytest.mark.parametrize("telling", ["kind", "x"])
def test_certain_entry_has_no_propensity(telling: str) -> None:
    """Never silent: the covariate that tells entrants apart is named, and the regression, which needs span only, may go on."""
    data = panel()
    data = data.assign(kind=data.kind.where(data.g == 0, "entered") if telling == "kind" else data.kind)
    data = data.assign(x=data.x + 50.0 * (data.g > 0) if telling == "x" else data.x)
    landmark = sme.LandmarkDiD(covariates=("x", "kind"), window=(0, 0), method="dr")
    with pytest.raises(sme.IdentificationError, match=f"no overlap(.|\n)*covariates: .*{telling}"):
        landmark.fit(make(data[data.g != 2020]))


def test_a_category_that_nobody_enters_from_takes_no_part() -> None:
    data = panel(firms=150)
    data = data.assign(kind=data.kind.where((data.g > 0) | (data.id % 4 > 0), "quiet"))
    landmark = sme.LandmarkDiD(covariates=("x", "kind"), window=(0, 1), method="dr")
    with_quiet, without = landmark.fit(make(data)), landmark.fit(make(data[data.kind != "quiet"]))
    assert float(with_quiet.estimate) != pytest.approx(float(without.estimate), rel=1e-12)  # x's slope is common
    assert np.isfinite(float(with_quiet.std_error))


def test_firms_too_certain_to_enter_are_counted() -> None:
    """A comparison firm whose propensity is 0.995 or more has no weight, and the result says so."""
    data = panel(firms=400)
    data = data[data.g != 2020]
    far = data.id == data.loc[data.g == 0, "id"].iloc[0]
    x = np.where(far, 6.0, np.where(data.g > 0, 2.0, 0.0) + data.x)
    fit = sme.LandmarkDiD(covariates=("x",), past_growth=None, window=(0, 0), method="dr").fit(make(data.assign(x=x)))
    assert any("too certain to enter" in note for note in fit.overall.notes)


@pytest.mark.parametrize(("split", "settled"), [(False, {-3}), (True, {-3, -2})])
def test_growth_that_is_conditioned_on_shows_no_effect(split: bool, settled: set[int]) -> None:
    """Its leads are zero exactly, without an error, and no part of a test; growth of another column settles nothing."""
    landmark = sme.LandmarkDiD(covariates=("x",), growth_split=split, window=(-4, 0))
    table = landmark.fit(make(panel())).to_frame().set_index("event_time")
    assert set(table.index[table.note == "zero: conditioned on"]) == settled
    assert (table.loc[sorted(settled), "estimate"] == 0.0).all() and table.loc[sorted(settled), "std_error"].isna().all()
    assert table.drop([*settled, -1])["std_error"].gt(1e-3).all()
    other = replace(landmark, growth_of="sales").fit(make(panel()))
    assert not any("conditioned" in note for note in other.effects.notes)


@pytest.mark.parametrize("method", ["reg", "dr"])
def test_within_a_tier_is_the_fit_on_its_members(method: Literal["reg", "dr"]) -> None:
    """Oracle, one cohort at a time: firms that were not in the tier by g are neither entrants nor comparison."""
    data = panel(5, firms=200)
    tier = data["id"].map(dict(zip(range(200), np.random.default_rng(6).choice([0, 2016, 2018, 2020], 200), strict=True)))
    for g in (2018, 2020):
        one = data.assign(g=data["g"].where(data["g"].isin([0, g]), 0), listed=tier)
        members = one[(tier > 0) & (tier <= g)]
        estimator = sme.LandmarkDiD(covariates=("x",), past_growth=(-2, -1), window=(0, 1), method=method)
        found = replace(estimator, within="listed").fit(make(one))
        alone = estimator.fit(make(members))
        assert found.estimate == pytest.approx(alone.estimate, abs=1e-10)
        assert found.overall.std_error == pytest.approx(alone.overall.std_error, rel=1e-8)
        assert "in the same tier (listed) by g" in found.overall.convention


def test_every_twin_stays_within_the_tier() -> None:
    estimator = sme.LandmarkDiD(covariates=("x",), within="listed")
    assert estimator.unconditional().within == estimator.doubly_robust().within == "listed"
    assert estimator.columns == ("x", "listed")
