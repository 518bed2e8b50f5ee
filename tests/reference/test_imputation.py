"""Imputation difference-in-differences against R didimputation, and against dummies written out on the same data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from tests.unit.dense import average, untreated_dense

from .rows import ABSOLUTE_FLOOR, frame, sample, values

SPECS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "cl=countyreal": (None, ()),
    "cl=id": (None, ()),
    "cl=dist": ("dist", ()),
    "lpopXyear|cl=countyreal": (None, ("lpop",)),
    "x123Xyear|cl=id": (None, ("x1", "x2", "x3")),
}
"""The cluster and the covariates that a spec names."""

COVARIATES = {"mpdta": ("lpop",), "sim2000": ("x1", "x2", "x3")}

LOOSE = {"mpdta": (0.0, 1e-8), "sim2000": (1e-7, 1e-8)}
"""(relative, absolute) where R itself is loose: it finds the first stage by alternating projections that stop early. On mpdta its
effects are up to 3.2e-9 from the exact answer (outcome near 6), on sim2000 1.8e-8 relative; the errors of didimputation's leads up
to 8.8e-8 relative; the leads of did2s, which are near zero, 8.5e-9. With covariates × year, on mpdta effects up to 4.8e-9 and the
errors of leads 1.1e-8 relative; on sim2000 effects 4.7e-8 relative, leads of did2s 1.1e-8. Ours equal dummies written out to 1e-10,
tested in these files. Everything else must agree to 1e-8 relative."""
TIGHT = (1e-8, ABSOLUTE_FLOOR)

FILES = [
    ("did2s_didimputation", "mpdta", 12, 8),
    ("did2s_didimputation", "sim2000", 44, 30),
    ("did2s_didimputation_covariates", "mpdta", 12, 8),
    ("did2s_didimputation_covariates", "sim2000", 22, 15),
]
"""Values, their data, rows required of imputation and of two stages."""


def rows_of(file: str, dataset: str, package: str) -> pd.DataFrame:
    return values(f"{file}_{dataset}").query("package == @package")


def answers(rows: pd.DataFrame, dataset: str, estimator: sme.ImputationDiD | sme.TwoStageDiD) -> list[str]:
    """Rows that differ; effects and errors of one package."""
    wrong, fits = [], {spec: estimator.fit(sample(dataset, SPECS[spec][0], None, SPECS[spec][1])) for spec in set(rows.spec)}
    for r in rows.itertuples():
        study = fits[r.spec]
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


@pytest.mark.parametrize(("file", "dataset", "required"), [(file, dataset, n) for file, dataset, n, _ in FILES])
def test_every_row(file: str, dataset: str, required: int) -> None:
    rows = rows_of(file, dataset, "didimputation")
    assert answers(rows, dataset, sme.ImputationDiD()) == []
    assert len(rows) == required


def small(dataset: str) -> pd.DataFrame:
    """Rows few enough for dummies written out."""
    data = frame(dataset)
    if dataset == "sim2000":
        data = data[data.id.isin(data.id.unique()[::5])]
    return data[["id", "year", "y", "g", *COVARIATES[dataset]]].reset_index(drop=True)


@pytest.mark.parametrize("given", [False, True], ids=["", "covariates"])
@pytest.mark.parametrize("dataset", ["mpdta", "sim2000"])
def test_dummies_written_out(dataset: str, given: bool) -> None:
    """The same data to 1e-10: where R is loose, this is the reference."""
    data, covariates = small(dataset), COVARIATES[dataset] if given else ()
    names = {"firm": "id", "year": "year", "outcome": "y", "cohort": "g"}
    fit = sme.ImputationDiD().fit(sme.Sample.from_frame(data, **names, covariates=covariates))
    dense = untreated_dense(data, None, (), covariates)
    event_time = np.where(dense.rows.g > 0, dense.rows.year - dense.rows.g, -99).astype(int)
    table = fit.to_frame().set_index("event_time")
    targets = {None: event_time >= 0, **{e: event_time == e for e in table.index[table.index >= 0]}}
    for e, target in targets.items():
        ours = (fit.estimate, fit.std_error) if e is None else tuple(table.loc[e, ["estimate", "std_error"]])
        np.testing.assert_allclose(ours, average(dense, target, "cohort and year"), rtol=1e-10)


def test_rows_are_those_of_the_reference() -> None:
    assert {spec for file, dataset, *_ in FILES for spec in values(f"{file}_{dataset}").spec} == set(SPECS)
