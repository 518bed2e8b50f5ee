"""Regressions on a column that says who is treated: firm and year effects, first differences, correlated random effects."""

from __future__ import annotations

from collections.abc import Iterator

from simulations.designs.trend_found import Found, single
from simulations.designs.trend_panels import Panel
from sme_eval.estimators.first_differences import FirstDifferences
from sme_eval.estimators.mundlak import MundlakRegression
from sme_eval.estimators.panel_regression import PanelRegression

TREATED = ("treated",)


def regressions(panel: Panel) -> Iterator[Found]:
    """One effect for all, errors clustered by firm."""
    sample, truth = panel.sample(columns=TREATED), panel.truth().overall
    yield single("PanelRegression", PanelRegression(regressors=TREATED).fit(sample)["treated"], truth)
    yield single("FirstDifferences", FirstDifferences(regressors=TREATED).fit(sample)["treated"], truth)
    yield single("MundlakRegression", MundlakRegression(regressors=TREATED).fit(sample)["treated"], truth)
