"""Published first differences, correlated random effects and synthetic difference-in-differences, to the printed digits."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme


@pytest.mark.parametrize(
    ("outcome", "estimate", "error", "r_squared"), [("scrap", -0.739, 0.683, 0.022), ("log_scrap", -0.317, 0.164, 0.067)]
)
def test_wooldridge_training_grants_1987_to_1988(outcome: str, estimate: float, error: float, r_squared: float) -> None:
    """Wooldridge, Introductory Econometrics, section 13.4: changes of the scrap rate on the grant, 54 firms, classical errors."""
    frame = sme.open_source("jobtraining").frame.query("year < 1989").assign(scrap=lambda d: np.exp(d["log_scrap"]))
    data = sme.Sample.from_frame(frame, firm="firm", year="year", outcome=outcome, columns=("grant",))
    fit = sme.FirstDifferences(regressors=("grant",), covariance="classical").fit(data)
    assert (round(float(fit["grant"].estimate), 3), round(float(fit["grant"].std_error), 3)) == (estimate, error)
    assert round(fit.r_squared_within, 3) == r_squared
    assert fit["grant"].n_observations == 54


def test_wooldridge_table_14_2() -> None:
    """Wooldridge, Table 14.2, fixed effects (Vella and Verbeek's wages): what the within part must be."""
    from linearmodels.datasets import wage_panel

    printed = {"expersq": (-0.0052, 4), "married": (0.047, 3), "union": (0.080, 3)}
    frame = wage_panel.load()
    constants = ("educ", "black", "hisp")
    data = sme.Sample.from_frame(frame, firm="nr", year="year", outcome="lwage", columns=(*printed, *constants))
    fit = sme.MundlakRegression(regressors=tuple(printed), constants=constants).fit(data)
    for term, (value, digits) in printed.items():
        assert round(float(fit[term].estimate), digits) == value, term
    assert fit["union"].n_observations == 4360


CALIFORNIA_STATES = {"Nevada": 0.124, "New Hampshire": 0.105, "Connecticut": 0.078, "Delaware": 0.070}
CALIFORNIA_YEARS = {1986: 0.366, 1987: 0.206, 1988: 0.427}


def test_california_tobacco() -> None:
    """Arkhangelsky et al. (2021), Table 1: −15.6 packs per head; the heaviest weights as the R package synthdid prints them."""
    spec = find_spec("synthdid")
    assert spec is not None and spec.origin is not None
    frame = pd.read_csv(Path(spec.origin).parent / "data" / "california_prop99.csv", sep=";")
    data = sme.Sample.from_frame(frame, firm="State", year="Year", outcome="PacksPerCapita", treatment="treated")
    fit = sme.SyntheticDiD(errors="placebo").fit(data)
    assert round(float(fit.estimate), 1) == -15.6
    weight = fit.weights().set_index("firm").weight
    assert weight.index[:4].tolist() == list(CALIFORNIA_STATES)
    assert {state: round(float(weight[state]), 3) for state in CALIFORNIA_STATES} == CALIFORNIA_STATES
    years = fit.year_weights().query("weight > 1e-6").set_index("year").weight
    assert {int(year): round(float(w), 3) for year, w in years.items()} == CALIFORNIA_YEARS
