"""Sun–Abraham: against the saturated regression with every dummy, its influences, and what it refuses or leaves out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.estimators.sun_abraham import cohort_effects
from sme_eval.estimators.two_way import without_singletons
from sme_eval.moments.moments import Moments

from .test_moments import frame, make

OPTIONS = [{}, {"weight": "w"}, {"cluster": "d"}, {"weight": "w", "cluster": "d"}]


def fit(data: pd.DataFrame, **options: object) -> sme.EventStudy:
    return sme.SunAbraham().fit(make(data, **options))


def year_effects(data: pd.DataFrame, weight: pd.Series) -> pd.Series:
    """Year effects of these firms alone, beside firm effects, up to a constant."""
    dummies = pd.get_dummies(data[["year", "id"]].astype(str), dtype=float)
    root = np.sqrt(weight.to_numpy())
    solution = np.linalg.lstsq(dummies.to_numpy() * root[:, None], data.y.to_numpy() * root, rcond=None)[0]
    return pd.Series(solution[: data.year.nunique()], index=sorted(data.year.unique()))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_every_cohort_may_be_fitted_alone(missing: float, options: dict[str, str]) -> None:
    """Identity: the regression is saturated, so δ_ge = (μ_{g,g+e} − μ_{g,g−1}) − (λ_{g+e} − λ_{g−1}), each from its own firms."""
    data = frame(4, missing=missing)
    moments = without_singletons(Moments.from_sample(make(data, **options), by=()), (None,))
    effects = cohort_effects(moments)
    weight = data.w if "weight" in options else data.w * 0.0 + 1.0
    path = {g: year_effects(data[data.g == g], weight[data.g == g]) for g in data.g.unique()}
    pairs = list(zip(effects.cohort, effects.event_time, strict=True))
    assert len(pairs) == 2 * 6
    alone = [path[g][g + e] - path[g][g - 1] - (path[0][g + e] - path[0][g - 1]) for g, e in pairs]
    np.testing.assert_allclose(effects.influence.estimate, alone, rtol=1e-9, atol=1e-11)
    kept = data.groupby("id")["y"].transform("size") > 1
    mass = [weight[kept & (data.g == g) & (data.year == g + e)].sum() for g, e in pairs]
    np.testing.assert_allclose(effects.mass, mass, rtol=1e-12)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_dummies_written_out(options: dict[str, str]) -> None:
    """The overall effect by least squares with every dummy, row by row, without moments."""
    data = frame(6, missing=0.2)
    data = data[data.groupby("id")["y"].transform("size") > 1].reset_index(drop=True)
    study = fit(data, **options)
    e = np.where(data.g > 0, data.year - data.g, -99)
    pairs = sorted({(g, t) for g, t in zip(data.g, e, strict=True) if g > 0 and t != -1})
    x = np.column_stack([(data.g == g) & (e == t) for g, t in pairs]).astype(float)
    dummies = pd.get_dummies(data[["id", "year"]].astype(str), dtype=float).to_numpy()
    w = data.w.to_numpy() if "weight" in options else np.ones(len(data))
    root = np.sqrt(w)[:, None]
    own = x - dummies @ np.linalg.lstsq(dummies * root, x * root, rcond=None)[0]
    bread = np.linalg.inv((own * w[:, None]).T @ own)
    z = np.column_stack([x, dummies])
    beta = np.linalg.lstsq(z * root, data.y * root[:, 0], rcond=None)[0]
    residual = data.y.to_numpy() - z @ beta
    share = np.array([w @ column * (t >= 0) for column, (_, t) in zip(x.T, pairs, strict=True)])
    share /= share.sum()
    cluster = data[options.get("cluster", "id")].to_numpy()
    score = pd.DataFrame(own * (w * residual)[:, None]).groupby(cluster).sum().to_numpy()
    n, g, k = len(data), len(score), len(pairs) + data.year.nunique()
    variance = share @ bread @ score.T @ score @ bread @ share * g / (g - 1) * (n - 1) / (n - k)
    np.testing.assert_allclose((study.estimate, study.std_error), (share @ beta[: len(pairs)], np.sqrt(variance)), rtol=1e-9)
    assert study.overall.degrees_of_freedom == g - 1


def test_influences_sum_to_zero() -> None:
    moments = without_singletons(Moments.from_sample(make(frame(2)), by=()), (None,))
    influence = cohort_effects(moments).influence
    np.testing.assert_allclose(influence.slope.sum(axis=2), 0.0, atol=1e-12)
    level = np.einsum("kjt,kt->kj", influence.slope, moments.mean) + influence.constant
    np.testing.assert_allclose(moments.weight @ level, 0.0, atol=1e-10)


def test_it_averages_group_time_effects_when_balanced() -> None:
    """On a balanced panel each cohort's coefficient is Callaway and Sant'Anna's ATT with a universal base."""
    data = frame(1, missing=0.0)
    effects = cohort_effects(Moments.from_sample(make(data), by=()))
    table = sme.CallawaySantAnna(base_period="universal").fit(make(data)).to_frame().set_index(["cohort", "event_time"])
    keys = list(zip(effects.cohort, effects.event_time, strict=True))
    np.testing.assert_allclose(effects.influence.estimate, table.loc[keys, "estimate"], rtol=1e-9, atol=1e-11)


def test_without_never_treated_firms_it_is_refused() -> None:
    with pytest.raises(sme.IdentificationError, match="no never-treated firms") as refusal:
        fit(frame(1).query("g > 0"))
    assert "ImputationDiD" in str(refusal.value)
    with pytest.raises(sme.IdentificationError, match="No cohort is treated"):
        fit(frame(1).query("g == 0"))
    with pytest.raises(sme.IdentificationError, match="seen in its last year before"):
        fit(frame(1).query("g == 0 or year != g - 1"))
    with pytest.raises(sme.IdentificationError, match="No effect from treatment on"):
        fit(frame(1, missing=0.0).query("g == 0 or year < g"))


def test_cohorts_after_the_last_year_are_comparison() -> None:
    data = frame(1)
    late = fit(data.assign(g=data.g.where(data.g != 2020, 2030)))
    never = fit(data.assign(g=data.g.where(data.g != 2020, 0)))
    assert late.to_frame()["estimate"].tolist() == pytest.approx(never.to_frame()["estimate"].tolist(), rel=1e-12)
    assert late.std_error == pytest.approx(never.std_error, rel=1e-12)
    assert any("2030" in note for note in late.overall.notes)


def test_a_cohort_without_its_reference_year_is_left_out_and_said() -> None:
    data = frame(1, missing=0.0)
    without = data[(data.g != 2018) | (data.year != 2017)]
    study = fit(without)
    assert any("left out: 2018" in note for note in study.overall.notes)
    alone = fit(data[data.g != 2018])
    assert (study.estimate, study.std_error) == pytest.approx((alone.estimate, alone.std_error), rel=1e-12)


def test_an_event_time_that_no_firm_connects_is_unavailable() -> None:
    """Never-treated firms are not seen in 2021: event time 3 of cohort 2018 and 1 of cohort 2020 have no comparison."""
    data = frame(1, missing=0.0)
    study = fit(data[(data.g > 0) | (data.year < 2021)])
    table = study.to_frame().set_index("event_time")
    assert np.isnan(table.loc[3, "estimate"])
    assert table.loc[3, "note"].startswith("no firm connects")
    assert table.loc[[0, 1, 2], "estimate"].notna().all()
    assert np.isfinite(study.std_error)


def test_what_other_effects_repeat_is_unavailable_and_the_rest_is_not_touched() -> None:
    """Year effects of a district in which all firms are of one cohort: its firms say nothing, the others as if alone."""
    data = frame(1, missing=0.0)
    data["d"] = np.where(data.g == 2018, 1, data.id % 2 * 2)
    study = sme.SunAbraham(year_effects_by="d").fit(make(data))
    table, alone = (s.to_frame().set_index("event_time") for s in (study, sme.SunAbraham().fit(make(data[data.g != 2018]))))
    assert "6 effects of a cohort and event time are not identified and left out of the averages" in study.overall.notes
    later = [e for e in table.index if table.loc[e, "note"] == "" and e in alone.index]
    assert set(table.index[table["estimate"].isna()]) == {2, 3}
    district = sme.SunAbraham(year_effects_by="d").fit(make(data[data.g != 2018])).to_frame().set_index("event_time")
    assert table.loc[later, "estimate"].tolist() == pytest.approx(district.loc[later, "estimate"].tolist(), rel=1e-9)


def test_a_covariate_that_repeats_a_cohort_leaves_the_other() -> None:
    """x marks cohort 2018: x × year takes its effects, those of 2020 stay what they are without cohort 2018."""
    data = frame(1, missing=0.0)
    names = {"firm": "id", "year": "year", "outcome": "y", "cohort": "g"}
    data["x"] = (data.g == 2018) * 1.0
    given = sme.SunAbraham().fit(sme.Sample.from_frame(data, covariates=("x",), **names))
    alone = sme.SunAbraham().fit(sme.Sample.from_frame(data[data.g != 2018], **names))
    assert given.estimate == pytest.approx(alone.estimate, rel=1e-9)
    table = given.to_frame().set_index("event_time")
    assert table.loc[[2, 3], "estimate"].isna().all()
    assert (table.loc[[2, 3], "note"].str.startswith("no firm connects")).all()


def test_one_cluster_is_refused() -> None:
    with pytest.raises(sme.IdentificationError, match="Too little data"):
        fit(frame().assign(d=1), cluster="d")


def test_counts_of_treated_firms() -> None:
    data = frame(1)
    table = fit(data).effects
    e = np.where(data.g > 0, data.year - data.g, -99)
    kept = data.groupby("id")["y"].transform("size") > 1
    counts = data[kept].assign(e=e[kept]).groupby("e")["id"].nunique()
    assert list(table.n_treated) == [counts[t] for t in table.keys["event_time"]]
