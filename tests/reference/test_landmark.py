"""Landmark DiD against R did's regression form: one cohort at a time beside never-treated firms they are the same estimand."""

from __future__ import annotations

import pytest

import sme_eval as sme

from .rows import frame, mismatches, values

COVARIATES = ("x1", "x2", "x3")


@pytest.fixture(scope="module")
def fits() -> dict[int, sme.EventStudy]:
    data = frame("sim2000")
    found = {}
    for cohort in sorted(set(data.g) - {0}):
        part = data[data.g.isin([0, cohort])]
        sample = sme.Sample.from_frame(part, firm="id", year="year", outcome="y", cohort="g", columns=COVARIATES)
        landmark = sme.LandmarkDiD(covariates=COVARIATES, past_growth=None, window=(-9, 9))
        found[cohort] = landmark.fit(sample)
    return found


def test_every_row(fits: dict[int, sme.EventStudy]) -> None:
    rows = values("did_reg_sim2000")
    ours = {}
    for i, r in rows.iterrows():
        table = fits[int(r.group)].to_frame().set_index("event_time")
        cell = table.loc[int(r.time - r.group)]
        ours[i] = (float(cell["estimate"]), float(cell["std_error"]))
    assert mismatches(rows, ours) == []
    assert len(rows) == 60
