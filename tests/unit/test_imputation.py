"""Imputation: against dummies written out, its influences, and what it refuses or leaves out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.estimators.untreated_model import UntreatedModel
from sme_eval.moments.moments import Moments

from .dense import average, same_average, untreated_dense
from .test_moments import frame, make

OPTIONS = [{}, {"weight": "w"}, {"cluster": "d"}, {"weight": "w", "cluster": "d"}]


def fit(data: pd.DataFrame, **options: object) -> sme.EventStudy:
    return sme.ImputationDiD().fit(make(data, **options))


def event_time(data: pd.DataFrame) -> np.ndarray:
    return np.where(data.g > 0, data.year - data.g, -99)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_dense_dummies_give_the_same(missing: float, options: dict[str, str]) -> None:
    """Identity, also weighted and where firms cannot be imputed: y minus the fit on untreated rows, averaged, scores summed."""
    data = frame(4, missing=missing)
    study = fit(data, **options)
    dense = untreated_dense(data, options.get("weight"))
    cluster = options.get("cluster", "id")
    e = event_time(dense.rows)
    table = study.to_frame().set_index("event_time")
    for time in range(4):
        ours = table.loc[time, ["estimate", "std_error"]].astype(float)
        np.testing.assert_allclose(ours, average(dense, e == time, "cohort and year", cluster), rtol=1e-9)
    np.testing.assert_allclose((study.estimate, study.std_error), average(dense, e >= 0, "cohort and year", cluster), rtol=1e-9)
    assert study.overall.n_observations == len(dense.rows)


@pytest.mark.parametrize("weight", [None, "w"])
def test_influences_sum_to_zero(weight: str | None) -> None:
    """V takes out every firm level and every common year path; the influences of all firms sum to zero."""
    model = UntreatedModel.of(Moments.from_sample(make(frame(2), weight=weight), by=()))
    influence = model.averages(model.treated_column(), model.cohort_year_effects())
    total = np.einsum("k,kjt->jt", model.moments.weight, influence.slope)
    np.testing.assert_allclose(influence.slope.sum(axis=2), 0.0, atol=1e-12)
    untreated_only = model.design.used.sum(axis=0) > 0
    assert untreated_only.all()
    np.testing.assert_allclose(total, 0.0, atol=1e-12)
    if weight is None:
        level = np.einsum("kjt,kt->kj", influence.slope, model.moments.mean) + influence.constant
        np.testing.assert_allclose(model.moments.weight @ level, 0.0, atol=1e-10)


def test_leads_are_a_regression_over_untreated_rows() -> None:
    """Dummies written out; firms with one untreated year count in N and G, as in R didimputation."""
    data = frame(5, missing=0.0)
    data = data.assign(g=data.g.where((data.id > 3) | (data.g == 0), 2016))
    rows = data[~((data.g > 0) & (data.year >= data.g))].reset_index(drop=True)
    assert (rows.groupby("id").size() == 1).any()
    table = fit(data).to_frame().set_index("event_time")
    leads = table.index[table.index < -1]
    x = np.column_stack([event_time(rows) == e for e in leads]).astype(float)
    dummies = pd.get_dummies(rows[["id", "year"]].astype(str), dtype=float).to_numpy()
    beta = np.linalg.lstsq(np.column_stack([x, dummies]), rows.y.to_numpy(), rcond=None)
    residual = rows.y.to_numpy() - np.column_stack([x, dummies]) @ beta[0]
    own = x - dummies @ np.linalg.lstsq(dummies, x, rcond=None)[0]
    bread = np.linalg.inv(own.T @ own)
    score = pd.DataFrame(own * residual[:, None]).groupby(rows.id).sum().to_numpy()
    n, g, k = len(rows), len(score), len(leads) + 7
    variance = bread @ score.T @ score @ bread * g / (g - 1) * (n - 1) / (n - k)
    np.testing.assert_allclose(table.loc[leads, "estimate"], beta[0][: len(leads)], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(table.loc[leads, "std_error"], np.sqrt(np.diag(variance)), rtol=1e-9)


def test_leads_and_effects_share_a_covariance() -> None:
    """The covariance of all rows is positive semi-definite and its blocks are not independent."""
    study = fit(frame(5))
    live = np.diag(study.effects.covariance) > 0
    covariance = study.effects.covariance[np.ix_(live, live)]
    assert np.linalg.eigvalsh(covariance).min() > -1e-12
    assert np.abs(covariance[0, -1]) > 0


def test_moments_give_the_same_as_the_sample() -> None:
    data = frame(1)
    whole = fit(data)
    halves = [Moments.from_sample(make(data[data.id % 2 == k])) for k in (0, 1)]
    merged = sme.ImputationDiD().fit(halves[0].merge(halves[1]))
    np.testing.assert_allclose(merged.to_frame()["std_error"], whole.to_frame()["std_error"], rtol=1e-10)
    np.testing.assert_allclose(merged.estimate, whole.estimate, rtol=1e-10)


def test_a_firm_never_seen_untreated_is_left_out_and_said() -> None:
    data = frame(3, missing=0.0)
    firm = data.loc[data.g == 2018, "id"].iloc[0]
    cut = data[(data.id != firm) | (data.year >= 2018)]
    study = fit(cut)
    assert "4 treated firm-years have no counterfactual" in study.overall.notes[0]
    without = fit(data[data.id != firm])
    assert (study.estimate, study.std_error) == pytest.approx((without.estimate, without.std_error), rel=1e-12)
    assert study.overall.term == "average over treated observations that have a counterfactual"
    assert study.overall.n_firms == without.overall.n_firms
    last = fit(cut[(cut.g != 2018) | (cut.id == firm)]).to_frame().set_index("event_time").loc[3]
    assert np.isnan(last["estimate"])
    assert last["note"].startswith("no firm seen at this event time")


def test_late_event_times_without_untreated_firms_are_unavailable() -> None:
    """Without never-treated firms nothing is untreated once the last cohort starts."""
    data = frame(3, missing=0.0).query("g > 0")
    study = fit(data)
    table = study.to_frame().set_index("event_time")
    assert table.loc[[0, 1], "estimate"].notna().all()
    assert table.loc[[2, 3], "estimate"].isna().all()
    assert table.loc[2, "note"].startswith("no firm seen at this event time has a counterfactual")
    assert table.loc[[-5, -4, -3, -2], "estimate"].isna().all()
    assert table.loc[-2, "note"].startswith("leads repeat")
    assert isinstance(study.pretrend_test(), sme.Unavailable)
    early = data[(data.g == 2018) & (data.year < 2020) | (data.g == 2020) & (data.year < 2020)].assign(
        g=lambda d: d.g.where(d.g == 2018, 0)
    )
    assert study.estimate == pytest.approx(fit(early).estimate, rel=1e-12)


def test_nothing_to_impute_is_refused() -> None:
    data = frame(3, missing=0.0).query("g == 2018")
    with pytest.raises(sme.IdentificationError, match="No treated firm-year has a counterfactual"):
        fit(data)
    with pytest.raises(sme.IdentificationError, match="No treated firm-year has a counterfactual"):
        fit(frame(3).query("g == 0"))


def test_one_cluster_is_refused() -> None:
    with pytest.raises(sme.IdentificationError, match="Too little data"):
        fit(frame(3).assign(d=1), cluster="d")


def test_a_cohort_of_one_firm_is_said() -> None:
    data = frame(3, missing=0.0)
    firm = data.loc[data.g == 2018, "id"].iloc[0]
    study = fit(data.assign(g=data.g.where(data.id != firm, 2017)))
    assert "cohorts of one firm: 2017" in study.overall.notes


def test_singletons_move_nothing() -> None:
    data = frame(3, missing=0.0)
    alone = data[(data.id == data.id[data.g == 0].iloc[0]) & (data.year == 2016)].assign(id=9999, y=1e3)
    a, b = fit(data), fit(pd.concat([data, alone]))
    assert (a.estimate, a.std_error) == pytest.approx((b.estimate, b.std_error), rel=1e-10)


def sparse(seed: int) -> pd.DataFrame:
    """A few firms in a few years with many gaps: cohorts alone, years apart, firms never seen untreated."""
    rng = np.random.default_rng(seed)
    firms, years = int(rng.integers(4, 20)), np.arange(2010, 2010 + int(rng.integers(3, 7)))
    cohort = rng.choice([0, 2012, 2013, 2014, 2030], firms, p=rng.dirichlet(np.ones(5)))
    data = pd.DataFrame({"id": np.repeat(np.arange(firms), len(years)), "year": np.tile(years, firms)})
    data = data.assign(g=np.repeat(cohort, len(years)), w=np.repeat(rng.uniform(0.2, 3.0, firms), len(years)), d=0)
    data = data.assign(y=rng.standard_normal(len(data)) + 10 * data.id)
    return data[rng.random(len(data)) > rng.choice([0.0, 0.3, 0.6])].reset_index(drop=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_sparse_panels(seed: int) -> None:
    """What dummies determine is given, and nothing else: the same effects by event time, or the same refusal."""
    data = sparse(seed)
    try:
        sample = make(data, weight="w", always_treated="drop")
    except (sme.DataError, sme.DesignError):
        return
    data = data[(data.g == 0) | (data.g > data.year.min())].reset_index(drop=True)
    dense = untreated_dense(data, "w")
    e = event_time(dense.rows)
    if not (e >= 0).any() or len(set(dense.rows.id)) == 1:
        with pytest.raises(sme.IdentificationError):
            sme.ImputationDiD().fit(sample)
        return
    study = sme.ImputationDiD().fit(sample)
    table = study.to_frame().set_index("event_time")["estimate"]
    assert same_average(study, dense, e >= 0, "cohort and year")
    for time in table.index[table.index >= 0]:
        if (e == time).any():
            np.testing.assert_allclose(table[time], average(dense, e == time, "mean")[0], rtol=1e-7, atol=1e-9)
        else:
            assert np.isnan(table[time])
