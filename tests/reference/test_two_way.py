"""Two-way fixed effects and event-study regression against R fixest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.estimators.two_way import fit_two_way
from sme_eval.moments.moments import Moments

from .rows import frame, mismatches, sample, values

CLUSTERS = {"countyreal": None, "id": None, "st": "st", "dist": "dist"}


def triple(cluster: str | None, weight: str | None, bare: bool) -> tuple[float, float]:
    """Triple difference of the outcome `y3`; `bare` without the small-sample factor G/(G−1)·(N−1)/(N−K)."""
    data = sme.Sample.from_frame(
        frame("sim2000"), firm="id", year="year", outcome="y3", cohort="g", columns=("elig",), cluster=cluster, weight=weight
    )
    fit = sme.TripleDifference(eligible="elig").fit(data)
    groups, n, k = fit.n_clusters, fit.n_observations, int(fit.convention.split("K = ")[1].split(";")[0])
    factor = groups / (groups - 1) * (n - 1) / (n - k)
    return float(fit.estimate), float(fit.std_error) / (np.sqrt(factor) if bare else 1.0)


def answer(dataset: str, spec: str, quantity: str, event: float) -> tuple[float, float]:
    """(estimate, standard error) for one reference row."""
    words = quantity.removesuffix("_nossc").split("_")
    weight = "w" if spec.endswith("_w") else None
    data = sample(dataset, CLUSTERS[words[-1]], weight)
    by = "dist" if "distXyear" in spec else None
    if spec.startswith("ddd"):
        return triple(cluster=CLUSTERS[words[-1]], weight=weight, bare=quantity.endswith("_nossc"))
    if spec.startswith("twfe_es"):
        table = sme.EventStudyRegression().fit(data).to_frame().set_index("event_time")
        return float(table.loc[event, "estimate"]), float(table.loc[event, "std_error"])
    if quantity.endswith("_nossc"):
        moments = Moments.from_sample(data, by=() if by is None else (by,))
        treated = (moments.treated & moments.observed)[:, :, None].astype(float)
        bare = replace(fit_two_way(moments, ["treated"], treated, (by,)), small_sample=None)
        return float(bare.estimate[0]), float(np.sqrt(bare.covariance()[0, 0]))
    estimate = sme.TwoWayFixedEffects(year_effects_by=by).fit(data)
    return float(estimate.estimate), float(estimate.std_error)


@pytest.mark.parametrize(("dataset", "required"), [("mpdta", 11), ("sim2000", 52)])
def test_every_row(dataset: str, required: int) -> None:
    rows = values(f"fixest_{dataset}")
    ours = {i: answer(dataset, r.spec, r.quantity, r.event) for i, r in rows.iterrows()}
    assert mismatches(rows, ours) == []
    assert len(rows) == required


def test_t_and_p_of_fixest() -> None:
    """The note of each row holds R's t and p."""
    row = values("fixest_mpdta").query("quantity == 'coef_cluster_countyreal' and spec == 'twfe'").iloc[0]
    t, p = (float(part.split("=")[1]) for part in row.note.split())
    ours = sme.TwoWayFixedEffects().fit(sample("mpdta"))
    assert ours.statistic == pytest.approx(t, rel=1e-8)
    assert ours.p_value == pytest.approx(p, rel=1e-8)
