"""Landmark DiD against R did with covariates: one cohort at a time beside never-treated firms they are the same estimand."""

from __future__ import annotations

from functools import cache
from typing import Literal

import pandas as pd
import pytest

import sme_eval as sme

from .rows import frame, mismatches, values

COVARIATES = {"sim2000": ("x1", "x2", "x3"), "mpdta": ("lpop",)}


@cache
def table(dataset: str, cohort: int, method: Literal["reg", "dr"], weight: str | None, cluster: str | None) -> pd.DataFrame:
    data = frame(dataset)
    sample = sme.Sample.from_frame(
        data[data.g.isin([0, cohort])],
        firm="id",
        year="year",
        outcome="y",
        cohort="g",
        columns=COVARIATES[dataset],
        weight=weight,
        cluster=cluster,
    )
    landmark = sme.LandmarkDiD(covariates=COVARIATES[dataset], past_growth=None, window=(-9, 9), method=method)
    return landmark.fit(sample).to_frame().set_index("event_time")


@pytest.mark.parametrize(
    ("name", "count"), [("did_reg_sim2000", 60), ("did_dr_sim2000", 114), ("did_dr_mpdta", 15)], ids=lambda v: str(v)
)
def test_every_row(name: str, count: int) -> None:
    rows = values(name)
    ours = {}
    for i, r in rows.iterrows():
        given, _, method, _, _, weight, _ = r.spec.split("|")
        cluster = "dist" if given.endswith("cldist") else None
        cell = table(r.dataset, int(r.group), method, weight or None, cluster).loc[int(r.time - r.group)]
        ours[i] = (float(cell["estimate"]), float(cell["std_error"]))
    assert mismatches(rows, ours) == []
    assert len(rows) == count
