"""The slope of district effects on the dose, on full panels by the policy's own design."""

from __future__ import annotations

import numpy as np

from simulations.designs import Row
from simulations.designs.panels import OUTCOME, draw, policy_design
from simulations.worlds import World
from sme_eval.evaluation.dose import true_slope
from sme_eval.evaluation.fitting import fit, sample_of
from sme_eval.results.dose import DistrictDoseResult
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable


def rows(world: World, seed: int) -> list[Row]:
    """One row: true slope, estimate, intervals and p-values of each inference."""
    panel = draw(world, seed)
    design = policy_design("rewards")
    fitted = fit(design.estimator, sample_of(design, panel, OUTCOME))
    result = fitted.result
    assert isinstance(result, DistrictDoseResult)
    truth = true_slope(design, fitted, panel)
    assert truth is not None
    permutation = result.permutation
    row: Row = {"seed": seed, "truth": truth, "attainable": result.attainable}
    row["permutation_p"] = np.nan if isinstance(permutation, Unavailable) else permutation.p_value
    for name, slope in (
        ("ols", result.slope),
        ("knapp_hartung", result.knapp_hartung),
        ("firm_cluster", result.firm_clustered),
        ("triple_difference", result.triple_difference),
    ):
        row |= _slope(name, slope)
    return [row]


def _slope(name: str, slope: Estimate | Unavailable) -> Row:
    if isinstance(slope, Unavailable):
        return {f"{name} {what}": np.nan for what in ("estimate", "error", "low", "high")}
    return {
        f"{name} estimate": float(slope.estimate),
        f"{name} error": float(slope.std_error),
        f"{name} low": slope.conf_low,
        f"{name} high": slope.conf_high,
    }
