"""A count as the outcome."""

from __future__ import annotations

from collections.abc import Iterator

from simulations.designs.trend_found import Found, single
from simulations.designs.trend_panels import COUNT_SCALE, Panel
from sme_eval.estimators.poisson_regression import PoissonRegression


def counts(panel: Panel) -> Iterator[Found]:
    """The effect on the log of the mean."""
    fit = PoissonRegression(regressors=("treated",)).fit(panel.sample(columns=("treated",)))
    yield single("PoissonRegression", fit["treated"], COUNT_SCALE * panel.truth().overall)
