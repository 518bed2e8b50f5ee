"""Two-stage difference-in-differences against R did2s, and against dummies written out on the same data."""

from __future__ import annotations

import numpy as np
import pytest

import sme_eval as sme
from tests.unit.dense import average, untreated_dense

from .rows import frame, sample, values
from .test_imputation import CLUSTERS, answers


@pytest.mark.parametrize(("dataset", "required"), [("mpdta", 8), ("sim2000", 30)])
def test_every_row(dataset: str, required: int) -> None:
    """Tolerances: test_imputation.LOOSE, with its reason."""
    rows = values(f"did2s_didimputation_{dataset}").query("package == 'did2s'")
    fits = {cluster: sme.TwoStageDiD().fit(sample(dataset, cluster)) for cluster in {CLUSTERS[s] for s in rows.spec}}
    assert answers("did2s", dataset, fits) == []
    assert len(rows) == required


@pytest.mark.parametrize("dataset", ["mpdta", "sim2000"])
def test_dummies_written_out(dataset: str) -> None:
    """The same data to 1e-10: where R is loose, this is the reference."""
    data = frame(dataset)
    if dataset == "sim2000":
        data = data[data.id.isin(data.id.unique()[::5])]
    data = data[["id", "year", "y", "g"]].reset_index(drop=True)
    fit = sme.TwoStageDiD().fit(sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g"))
    dense = untreated_dense(data)
    event_time = np.where(dense.rows.g > 0, dense.rows.year - dense.rows.g, -99).astype(int)
    table = fit.to_frame().set_index("event_time")
    np.testing.assert_allclose((fit.estimate, fit.std_error), average(dense, event_time >= 0, "mean"), rtol=1e-10)
    for e in table.index[table.index != -1]:
        ours = tuple(table.loc[e, ["estimate", "std_error"]])
        np.testing.assert_allclose(ours, average(dense, event_time == e, "mean"), rtol=1e-10, atol=1e-14)
