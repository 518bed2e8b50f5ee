"""Two-stage difference-in-differences against R did2s, and against dummies written out on the same data."""

from __future__ import annotations

import numpy as np
import pytest

import sme_eval as sme
from tests.unit.dense import average, untreated_dense

from .test_imputation import COVARIATES, FILES, answers, rows_of, small


@pytest.mark.parametrize(("file", "dataset", "required"), [(file, dataset, n) for file, dataset, _, n in FILES])
def test_every_row(file: str, dataset: str, required: int) -> None:
    """Tolerances: test_imputation.LOOSE, with its reason."""
    rows = rows_of(file, dataset, "did2s")
    assert answers(rows, dataset, sme.TwoStageDiD()) == []
    assert len(rows) == required


@pytest.mark.parametrize("given", [False, True], ids=["", "covariates"])
@pytest.mark.parametrize("dataset", ["mpdta", "sim2000"])
def test_dummies_written_out(dataset: str, given: bool) -> None:
    """The same data to 1e-10: where R is loose, this is the reference."""
    data, covariates = small(dataset), COVARIATES[dataset] if given else ()
    names = {"firm": "id", "year": "year", "outcome": "y", "cohort": "g"}
    fit = sme.TwoStageDiD().fit(sme.Sample.from_frame(data, **names, covariates=covariates))
    dense = untreated_dense(data, None, (), covariates)
    event_time = np.where(dense.rows.g > 0, dense.rows.year - dense.rows.g, -99).astype(int)
    table = fit.to_frame().set_index("event_time")
    np.testing.assert_allclose((fit.estimate, fit.std_error), average(dense, event_time >= 0, "mean"), rtol=1e-10)
    for e in table.index[table.index != -1]:
        ours = tuple(table.loc[e, ["estimate", "std_error"]])
        np.testing.assert_allclose(ours, average(dense, event_time == e, "mean"), rtol=1e-10, atol=1e-14)
