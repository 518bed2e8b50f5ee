"""Imputation difference-in-differences against R didimputation, and against dummies written out on the same data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from tests.unit.dense import average, untreated_dense

from .rows import ABSOLUTE_FLOOR, frame, sample, values

CLUSTERS = {"cl=countyreal": None, "cl=id": None, "cl=dist": "dist"}

LOOSE = {"mpdta": (0.0, 1e-8), "sim2000": (1e-7, 1e-8)}
"""(relative, absolute) where R itself is loose: it finds the first stage by alternating projections that stop early. On mpdta its
effects are up to 3.2e-9 from the exact answer (outcome near 6), on sim2000 1.8e-8 relative; the errors of didimputation's leads up
to 8.8e-8 relative; the leads of did2s, which are near zero, 8.5e-9. Ours equal dummies written out to 1e-10, tested in these files.
Everything else must agree to 1e-8 relative."""
TIGHT = (1e-8, ABSOLUTE_FLOOR)


def answers(package: str, dataset: str, fit: dict[str | None, sme.EventStudy]) -> list[str]:
    """Rows that differ; effects and errors of one package."""
    wrong = []
    for r in values(f"did2s_didimputation_{dataset}").query("package == @package").itertuples():
        study = fit[CLUSTERS[r.spec]]
        table = study.to_frame().set_index("event_time")
        ours = (
            (study.estimate, study.std_error)
            if r.quantity == "static"
            else tuple(table.loc[int(r.term.split("::")[-1]), ["estimate", "std_error"]])
        )
        tight = r.quantity == "es_pretrends" and int(r.term) < 0
        loose = LOOSE[dataset]
        near = (close(ours[0], r.estimate, TIGHT if tight else loose), close(ours[1], r.se, loose if tight else TIGHT))
        if near != (True, True):
            wrong.append(f"{r.spec} {r.quantity} {r.term}: {ours} against {(r.estimate, r.se)}")
    return wrong


def close(ours: float, theirs: float, tolerance: tuple[float, float]) -> bool:
    return bool(abs(ours - theirs) <= tolerance[0] * abs(theirs) + tolerance[1])


@pytest.mark.parametrize(("dataset", "required"), [("mpdta", 12), ("sim2000", 44)])
def test_every_row(dataset: str, required: int) -> None:
    rows = values(f"did2s_didimputation_{dataset}").query("package == 'didimputation'")
    fits = {cluster: sme.ImputationDiD().fit(sample(dataset, cluster)) for cluster in {CLUSTERS[s] for s in rows.spec}}
    assert answers("didimputation", dataset, fits) == []
    assert len(rows) == required


@pytest.mark.parametrize("dataset", ["mpdta", "sim2000"])
def test_dummies_written_out(dataset: str) -> None:
    """The same data to 1e-10: where R is loose, this is the reference."""
    data = frame(dataset)
    if dataset == "sim2000":
        data = data[data.id.isin(data.id.unique()[::5])]
    data = data[["id", "year", "y", "g"]].reset_index(drop=True)
    fit = sme.ImputationDiD().fit(sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g"))
    dense = untreated_dense(data)
    event_time = np.where(dense.rows.g > 0, dense.rows.year - dense.rows.g, -99).astype(int)
    table = fit.to_frame().set_index("event_time")
    targets = {None: event_time >= 0, **{e: event_time == e for e in table.index[table.index >= 0]}}
    for e, target in targets.items():
        ours = (fit.estimate, fit.std_error) if e is None else tuple(table.loc[e, ["estimate", "std_error"]])
        np.testing.assert_allclose(ours, average(dense, target, "cohort and year"), rtol=1e-10)


def test_rows_are_those_of_the_reference() -> None:
    rows = pd.concat([values(f"did2s_didimputation_{d}") for d in ("mpdta", "sim2000")])
    assert set(rows.spec) == set(CLUSTERS)
