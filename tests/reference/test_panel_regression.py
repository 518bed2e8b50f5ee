"""Panel regressions against R fixest on the job-training panel: classical, robust and clustered errors."""

from __future__ import annotations

import pytest

import sme_eval as sme

from .rows import mismatches, values

NAMES = {"lscrap": "log_scrap", "hrsemp": "training_hours", "lemploy": "log_employment", "fcode": "firm"}
COVARIANCE = {"coef_iid": "classical", "coef_hetero_HC1": "robust", "coef_cluster_fcode": "clustered"}


def fit(spec: str, quantity: str) -> sme.RegressionResult:
    formula = spec
    for theirs, ours in NAMES.items():
        formula = formula.replace(theirs, ours)
    regression = sme.PanelRegression.from_formula(formula, covariance=COVARIANCE[quantity])
    data = sme.Sample.from_frame(
        sme.open_source("jobtraining").frame,
        firm="firm",
        year="year",
        outcome=formula.split("~")[0].strip(),
        columns=("grant", "grant_1", "d88", "d89", "log_employment"),
    )
    return regression.fit(data)


def test_every_row() -> None:
    rows = values("fixest_jobtraining")
    fits = {key: fit(*key) for key in set(zip(rows.spec, rows.quantity, strict=True))}
    ours = {}
    for i, r in rows.iterrows():
        estimate = fits[r.spec, r.quantity][NAMES.get(r.term, r.term)]
        ours[i] = (float(estimate.estimate), float(estimate.std_error))
        assert estimate.n_observations == r.n
    assert mismatches(rows, ours) == []
    assert len(rows) == 42


def test_degrees_of_freedom() -> None:
    """The note holds R's t and p per coefficient, in the order d88, d89, grant, grant_1."""
    rows = values("fixest_jobtraining").query("spec == 'lscrap~d88+d89+grant+grant_1|fcode'")
    for quantity in COVARIANCE:
        note = rows[rows.quantity == quantity].note.iloc[0]
        p_values = [float(p) for p in note.split("p=")[1].split(";")]
        ours = fit("lscrap~d88+d89+grant+grant_1|fcode", quantity).to_frame()["p_value"]
        assert list(ours) == pytest.approx(p_values, rel=1e-7)
