"""Two stages: against dummies written out, beside imputation, its influences, and what it refuses or leaves out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.estimators.untreated_model import UntreatedModel
from sme_eval.moments.moments import Moments

from .dense import average, untreated_dense
from .test_moments import frame, make

OPTIONS = [{}, {"weight": "w"}, {"cluster": "d"}, {"weight": "w", "cluster": "d"}]


def fit(data: pd.DataFrame, **options: object) -> sme.EventStudy:
    return sme.TwoStageDiD().fit(make(data, **options))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_dense_dummies_give_the_same(missing: float, options: dict[str, str]) -> None:
    """Identity, also weighted and where firms cannot be imputed; leads too."""
    data = frame(4, missing=missing)
    study = fit(data, **options)
    dense = untreated_dense(data, options.get("weight"))
    cluster = options.get("cluster", "id")
    e = np.where(dense.rows.g > 0, dense.rows.year - dense.rows.g, -99)
    table = study.to_frame().set_index("event_time")
    for time in table.index[table.index != -1]:
        ours = table.loc[time, ["estimate", "std_error"]].astype(float)
        np.testing.assert_allclose(ours, average(dense, e == time, "mean", cluster), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose((study.estimate, study.std_error), average(dense, e >= 0, "mean", cluster), rtol=1e-9)


@pytest.mark.parametrize("weight", [None, "w"])
def test_effects_are_those_of_imputation(weight: str | None) -> None:
    data = frame(4)
    ours, theirs = (e().fit(make(data, weight=weight)) for e in (sme.TwoStageDiD, sme.ImputationDiD))
    assert ours.estimate == pytest.approx(theirs.estimate, rel=1e-12)
    after = ours.to_frame()["event_time"] >= 0
    np.testing.assert_allclose(ours.to_frame()["estimate"][after], theirs.to_frame()["estimate"][after], rtol=1e-12)
    assert ours.std_error != pytest.approx(theirs.std_error, rel=1e-6)


def test_influences_sum_to_zero() -> None:
    model = UntreatedModel.of(Moments.from_sample(make(frame(2)), by=()))
    influence = model.averages(model.treated_column())
    np.testing.assert_allclose(influence.slope.sum(axis=2), 0.0, atol=1e-12)
    level = np.einsum("kjt,kt->kj", influence.slope, model.moments.mean) + influence.constant
    np.testing.assert_allclose(model.moments.weight @ level, 0.0, atol=1e-10)


def test_what_is_not_identified() -> None:
    """Without never-treated firms late event times are unavailable; one cohort alone and one cluster are refused."""
    data = frame(3, missing=0.0)
    table = fit(data.query("g > 0")).to_frame().set_index("event_time")
    assert table.loc[[-2, 0, 1], "estimate"].notna().all()
    assert table.loc[[2, 3], "estimate"].isna().all()
    with pytest.raises(sme.IdentificationError, match="No treated firm-year has a counterfactual"):
        fit(data.query("g == 2018"))
    with pytest.raises(sme.IdentificationError, match="Too little data"):
        fit(data.assign(d=1), cluster="d")


def test_a_firm_never_seen_untreated_is_left_out_and_said() -> None:
    data = frame(3, missing=0.0)
    firm = data.loc[data.g == 2018, "id"].iloc[0]
    study, without = fit(data[(data.id != firm) | (data.year >= 2018)]), fit(data[data.id != firm])
    assert "4 treated firm-years have no counterfactual" in study.overall.notes[0]
    assert (study.estimate, study.std_error) == pytest.approx((without.estimate, without.std_error), rel=1e-12)
