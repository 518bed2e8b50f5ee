"""Every estimator on panels whose trends are truly parallel: sums over a batch of panels, one row per estimator."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from simulations.designs import Row
from simulations.designs.trend_found import Asks, Found
from simulations.designs.trend_panels import Panel, draw
from simulations.trend_worlds import TrendWorld

HOMES: Final[Mapping[str, str]] = {
    "linear": "trend_moments",
    "unbalanced": "trend_moments",
    "weighted": "trend_moments",
    "heterogeneous": "trend_moments",
    "district_trends": "trend_labels",
    "cohort_shocks": "trend_triple",
    "given_x": "trend_covariates",
    "doubly_robust": "trend_covariates",
    "doses": "trend_doses",
    "learned": "trend_learned",
    "regressions": "trend_regressions",
    "counts": "trend_counts",
    "synthetic": "trend_synthetic",
    "synthetic_placebo": "trend_synthetic",
}
"""Set of estimators → the module with a function of its name, loaded when it is needed, so that a stamp names no other."""
SUMS: Final = ("error", "squared", "se", "inside")


def rows(world: TrendWorld, seed: int) -> list[Row]:
    """One row per estimator: sums over the panels of one batch, `n` of them."""
    fit: Callable[[Panel], Iterator[Found]] = getattr(
        importlib.import_module(f"simulations.designs.{HOMES[world.fits]}"), world.fits
    )
    sums: dict[str, dict[str, float]] = {}
    asked: dict[str, Asks] = {}
    for number in range(world.batch):
        for one in fit(draw(world, np.random.default_rng([seed, number]))):
            of = sums.setdefault(one.row, dict.fromkeys(("n", *SUMS), 0.0))
            asked[one.row] = one.asks
            if math.isnan(one.inside):
                continue
            of["n"] += 1.0
            for name, value in zip(SUMS, (one.error, one.error**2, one.se, one.inside), strict=True):
                of[name] += value
    return [{"seed": seed, "row": name, "asks": asked[name], **of, "n": int(of["n"])} for name, of in sums.items()]
