"""Synthetic difference-in-differences with both kinds of errors."""

from __future__ import annotations

from collections.abc import Iterator

from simulations.designs.trend_found import Found, single
from simulations.designs.trend_panels import Panel
from sme_eval.estimators.synthetic_did import SyntheticDiD


def synthetic(panel: Panel) -> Iterator[Found]:
    """Errors by jackknife, which keeps the weights and is conservative."""
    result = SyntheticDiD().fit(panel.sample())
    yield single("SyntheticDiD, jackknife", result.overall, panel.truth().overall, "conservative")


def synthetic_placebo(panel: Panel) -> Iterator[Found]:
    """Errors from placebos, for few treated firms."""
    result = SyntheticDiD(errors="placebo").fit(panel.sample())
    yield single("SyntheticDiD, placebo", result.overall, panel.truth().overall)
