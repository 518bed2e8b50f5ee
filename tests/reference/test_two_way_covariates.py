"""Covariates × year against R fixest: treatment by `TwoWayFixedEffects`, every coefficient by `PanelRegression`."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

import sme_eval as sme

from .rows import frame, mismatches, sample, values

COVARIATES = {"mpdta": ("lpop",), "sim2000": ("x1", "x2", "x3")}
TREATED = {"mpdta": "treated", "sim2000": "treat"}
CLUSTERS = {"countyreal": None, "id": None, "dist": "dist"}
REQUIRED = [("mpdta", 10), ("sim2000", 224)]


def choices(spec: str, quantity: str) -> tuple[str | None, str | None, bool]:
    """(cluster, weight, without fixest's factor) of a row."""
    cluster = CLUSTERS[quantity.removesuffix("_nossc").split("_")[-1]]
    return cluster, "w" if spec.endswith("_w") else None, quantity.endswith("_nossc")


def factor(convention: str, groups: int, n: int) -> float:
    """The root of G/(G−1)·(N−1)/(N−K), which `_nossc` is without."""
    k = int(convention.split("K = ")[1].split(";")[0])
    return float(np.sqrt(groups / (groups - 1) * (n - 1) / (n - k)))


@cache
def written_out(dataset: str, cluster: str | None, weight: str | None) -> sme.RegressionResult:
    """The regression with one column per covariate and year, the last year as reference."""
    data = frame(dataset).assign(treated=lambda d: ((d.g > 0) & (d.year >= d.g)) * 1.0)
    names = ["treated"]
    for name in COVARIATES[dataset]:
        for year in sorted(data.year.unique())[:-1]:
            names.append(f"{name}:{year}")
            data[names[-1]] = data[name] * (data.year == year)
    columns = (*names, "dist") if dataset == "sim2000" else tuple(names)
    given = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", columns=columns, cluster=cluster, weight=weight)
    return sme.PanelRegression(regressors=tuple(names)).fit(given)


def term_of(dataset: str, term: str) -> str:
    """Our name of R's term: `x1:factor(year)2015` and `factor(year)2015:x2` are x1:2015 and x2:2015."""
    if term == TREATED[dataset]:
        return "treated"
    (year,) = re.findall(r"factor\(year\)(\d+)", term)
    (name,) = set(term.split(":")) - {f"factor(year){year}"}
    return f"{name}:{year}"


@pytest.mark.parametrize(("dataset", "required"), REQUIRED)
def test_every_row(dataset: str, required: int) -> None:
    rows = values(f"fixest_covariates_{dataset}")
    ours = {}
    for i, r in rows.iterrows():
        cluster, weight, bare = choices(r.spec, r.quantity)
        fit = written_out(dataset, cluster, weight)[term_of(dataset, r.term)]
        scale = factor(fit.convention, fit.n_clusters, fit.n_observations) if bare else 1.0
        ours[i] = (float(fit.estimate), float(fit.std_error) / scale)
        assert fit.n_observations == r.n
    assert mismatches(rows, ours) == []
    assert len(rows) == required


@pytest.mark.parametrize(("dataset", "required"), [("mpdta", 2), ("sim2000", 8)])
def test_every_row_of_treatment(dataset: str, required: int) -> None:
    """The estimator that partials the covariates out instead of writing their columns."""
    rows = values(f"fixest_covariates_{dataset}").query("term == @TREATED[@dataset]")
    ours = {}
    for i, r in rows.iterrows():
        cluster, weight, bare = choices(r.spec, r.quantity)
        fit = sme.TwoWayFixedEffects().fit(sample(dataset, cluster, weight, COVARIATES[dataset]))
        scale = factor(fit.convention, fit.n_clusters, fit.n_observations) if bare else 1.0
        ours[i] = (float(fit.estimate), float(fit.std_error) / scale)
    assert mismatches(rows, ours) == []
    assert len(rows) == required
