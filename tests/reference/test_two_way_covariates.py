"""Two-way fixed effects with covariates × year against R fixest: the coefficient on treatment; the covariates' own are nuisance."""

from __future__ import annotations

import numpy as np
import pytest

import sme_eval as sme

from .rows import mismatches, sample, values

COVARIATES = {"mpdta": ("lpop",), "sim2000": ("x1", "x2", "x3")}
CLUSTERS = {"countyreal": None, "id": None, "dist": "dist"}


def answer(dataset: str, spec: str, quantity: str) -> tuple[float, float]:
    """(estimate, standard error) for one reference row; `_nossc` is without the factor G/(G−1)·(N−1)/(N−K)."""
    bare, words = quantity.endswith("_nossc"), quantity.removesuffix("_nossc").split("_")
    data = sample(dataset, CLUSTERS[words[-1]], "w" if spec.endswith("_w") else None, COVARIATES[dataset])
    fit = sme.TwoWayFixedEffects().fit(data)
    groups, n, k = fit.n_clusters, fit.n_observations, int(fit.convention.split("K = ")[1].split(";")[0])
    factor = groups / (groups - 1) * (n - 1) / (n - k)
    return float(fit.estimate), float(fit.std_error) / (np.sqrt(factor) if bare else 1.0)


@pytest.mark.parametrize(("dataset", "required"), [("mpdta", 2), ("sim2000", 8)])
def test_every_row(dataset: str, required: int) -> None:
    rows = values(f"fixest_covariates_{dataset}")
    ours = {i: answer(dataset, r.spec, r.quantity) for i, r in rows.iterrows()}
    assert mismatches(rows, ours) == []
    assert len(rows) == required
