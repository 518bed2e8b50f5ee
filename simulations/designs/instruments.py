"""Every other instrument of the reply on one panel: the headline of its own design, and what its firms gained in truth."""

from __future__ import annotations

import numpy as np

from simulations.designs import Row
from simulations.designs.panels import draw, policy_design
from simulations.worlds import World
from sme_eval.errors import SmeEvalError
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.evaluation.design import Design
from sme_eval.evaluation.fitting import fit, sample_of
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.policies.policy import load_policies
from sme_eval.simulate.ningbo import SOURCE

OF_THEIR_OWN = ("certification", "rewards", "credit", "bundle")
"""Policies that have a table each."""


def others() -> tuple[str, ...]:
    """The policies that are tried here."""
    return tuple(name for name, policy in load_policies().items() if policy.source == SOURCE and name not in OF_THEIR_OWN)


def rows(world: World, seed: int) -> list[Row]:
    """One row per outcome that an instrument is judged by."""
    panel = draw(world, seed)
    designs = [policy_design(name) for name in others()]
    return [
        _row(seed, design, outcome, panel)
        for design in designs
        for outcome, rule in design.policy.outcomes.items()
        if rule.role == "outcome"
    ]


def _row(seed: int, design: Design, outcome: str, panel: FirmPanel) -> Row:
    """Estimate, error and truth; missing where a panel does not identify the headline."""
    estimator, asked, truth = design.estimator, design.policy.treatment, panel.truth
    assert isinstance(estimator, LandmarkDiD) and truth is not None
    row: Row = {"seed": seed, "instrument": design.policy.name, "outcome": outcome}
    row["truth"] = truth.average(outcome, start=asked.cohort, estimand=asked.estimand, event_time=(0, int(estimator.window[1])))
    try:
        overall = fit(estimator, sample_of(design, panel, outcome)).overall
    except SmeEvalError:
        return row | {"estimate": np.nan, "error": np.nan}
    return row | {"estimate": float(overall.estimate), "error": float(overall.std_error)}
