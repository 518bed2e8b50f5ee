"""Sun–Abraham against R fixest's `sunab`: cohort by cohort, by event time, by cohort and overall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.estimators.sun_abraham import cohort_effects
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments

from .rows import mismatches, sample, values

CLUSTERS = {"countyreal": None, "id": None, "dist": "dist"}


def bare(influence: Influence, quantity: str) -> Influence:
    """Without the small-sample factor where the row says so."""
    return replace(influence, small_sample=None) if "_nossc_" in quantity else influence


def answers(dataset: str, cluster: str | None, weight: str | None, kind: str, quantity: str) -> dict[object, tuple[float, float]]:
    """(estimate, standard error) by the row's identity: (cohort, event), event, cohort or None."""
    effects = cohort_effects(Moments.from_sample(sample(dataset, cluster, weight), by=()))
    after = effects.event_time >= 0
    if kind == "raw":
        keys, influence = list(zip(effects.cohort.tolist(), effects.event_time.tolist(), strict=True)), effects.influence
    elif kind == "period":
        times, influence = effects.average(effects.event_time)
        keys = times.tolist()
    elif kind == "cohort":
        names, influence = effects.average(np.where(after, effects.cohort, -1))
        keys = names.tolist()
    else:
        keys, influence = [None], effects.influence.combine(after * effects.mass / effects.mass[after].sum())
    influence = bare(influence, quantity)
    return dict(zip(keys, zip(influence.estimate, np.sqrt(np.diag(influence.covariance())), strict=True), strict=True))


@pytest.mark.parametrize(("dataset", "required"), [("mpdta", 46), ("sim2000", 450)])
def test_every_row(dataset: str, required: int) -> None:
    rows = values(f"sunab_{dataset}")
    tables, ours = {}, {}
    for i, r in rows.iterrows():
        _, kind, _, cluster = r.quantity.split("_")
        case = (dataset, CLUSTERS[cluster], "w" if r.spec.endswith("_w") else None, kind, r.quantity)
        if case not in tables:
            tables[case] = answers(*case)
        key = {"raw": (r.group, r.event), "period": r.event, "cohort": r.group, "att": None}[kind]
        ours[i] = tables[case][key]
    assert mismatches(rows, ours) == []
    assert len(rows) == required


@pytest.mark.parametrize("dataset", ["mpdta", "sim2000"])
def test_the_event_study_holds_them(dataset: str) -> None:
    """What `fit` returns are the rows by event time and `att`."""
    study = sme.SunAbraham().fit(sample(dataset))
    table = study.to_frame().set_index("event_time")
    rows = values(f"sunab_{dataset}").query("spec == 'sunab'")
    rows = rows[rows.quantity.str.fullmatch("sunab_(period|att)_cluster_(countyreal|id)")]
    ours = {
        i: (study.estimate, study.std_error) if np.isnan(r.event) else tuple(table.loc[r.event, ["estimate", "std_error"]])
        for i, r in rows.iterrows()
    }
    assert mismatches(rows, ours) == []
    assert len(table) == len(rows) - 1 + 1
