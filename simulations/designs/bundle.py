"""The bundle in its parts on one panel: estimates, errors and truths."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulations.designs import Row
from simulations.designs.panels import OUTCOME, START, WINDOW, draw, policy_design, sample
from simulations.worlds import World
from sme_eval.estimators.panel_regression import PanelRegression
from sme_eval.estimators.untangle import Untangle
from sme_eval.evaluation.bundle import true_part, true_sum
from sme_eval.panel.firm_panel import FirmPanel

PARTS = ("credit", "srdi", "certificate", "cash", "unnamed_cash")
SUM = "certificate_with_cash"
REGRESSED = ("baseline", "null")
"""Worlds in which the parts are also taken from one regression, which takes as long as all the rest."""


def rows(world: World, seed: int) -> list[Row]:
    """One row: each part and the sum by the policy's design; the parts by one regression with firm and year effects too."""
    panel = draw(world, seed)
    design, frame = policy_design("bundle"), published(panel.frame, world)
    untangle = design.estimator
    assert isinstance(untangle, Untangle)
    result = untangle.fit(sample(frame, cohort=None, columns=untangle.columns))
    truths = true_parts(panel, frame)
    row: Row = {"seed": seed, "condition": result.condition}
    for name in (*PARTS, SUM):
        one = result[name]
        row |= {f"{name} truth": truths[name], f"{name} estimate": float(one.estimate), f"{name} error": float(one.std_error)}
    if world.name not in REGRESSED:
        return [row]
    joint = PanelRegression(regressors=PARTS).fit(sample(exposed(frame), cohort=None, columns=PARTS))
    for name in PARTS:
        row |= {f"twfe_{name} estimate": float(joint[name].estimate), f"twfe_{name} error": float(joint[name].std_error)}
    return [row]


def published(frame: pd.DataFrame, world: World) -> pd.DataFrame:
    """The panel with the doses that this world publishes beyond the scenario's."""
    if not world.stated:
        return frame
    more = frame["district"].astype(str).map(world.stated).astype(float)
    return frame.assign(reward_dose=frame["reward_dose"].fillna(more))


def true_parts(panel: FirmPanel, frame: pd.DataFrame) -> dict[str, float]:
    """Mean true effect of each part over its own firms and years; of cash its slope over firms of different stated doses."""
    design, truth = policy_design("bundle"), panel.truth
    assert truth is not None
    found = {e.name: true_part(design, e, panel) for e in design.policy.exposures} | {SUM: true_sum(design, panel)}
    unnamed = frame["reward_dose"].isna().to_numpy()
    found["unnamed_cash"] = truth.part(OUTCOME, "cash", start=START, event_time=WINDOW, among=unnamed)
    assert all(value is not None for value in found.values())
    return {name: float(value) for name, value in found.items() if value is not None}


def exposed(frame: pd.DataFrame) -> pd.DataFrame:
    """The five exposures as columns 0, 1 or dose."""
    begun = {name: (frame[name] > 0) & (frame["year"] >= frame[name]) for name in ("listed_year", "srdi_year", START)}
    dose, on = frame["reward_dose"], begun[START].astype(np.float64)
    return frame.assign(
        credit=begun["listed_year"].astype(np.float64),
        srdi=begun["srdi_year"].astype(np.float64),
        certificate=on,
        cash=on * dose.fillna(0.0) / 50.0,
        unnamed_cash=on * dose.isna(),
    )
