"""Cheaper credit on one panel: the library arm's effects, ratios, and what regressions would say."""

from __future__ import annotations

import math

import numpy as np

from simulations.designs import Row
from simulations.designs.panels import OUTCOME, WINDOW, draw, policy_design, sample
from simulations.worlds import World
from sme_eval.estimators.entry_arm import EntryArm, Exposure
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.landmark_joint import JointEffects, joint_effects
from sme_eval.estimators.panel_regression import PanelRegression
from sme_eval.estimators.untangle import Untangle
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.stats.inference import critical_value
from sme_eval.stats.weak_instruments import RatioTest

TERMS = ("spread", "log_credit_balance", "unsecured_share")
COLUMNS = ("rd_intensity", "industry", "district", "listed_year", *TERMS)
REGRESSED = ("baseline", "price_only", "price_and_access")
"""Worlds in which revenue is also regressed on the balance, which takes as long as all the rest."""
GIVEN_GROWTH = LandmarkDiD(covariates=("rd_intensity",), growth_of=OUTCOME, listed="listed_year")
"""The arm as it was first measured: research intensity and past growth, no dummies."""


def rows(world: World, seed: int) -> list[Row]:
    """One row: truth, effects of entering the library with and without dummies, netted effect, ratios, regression."""
    panel = draw(world, seed)
    truth = panel.truth
    assert truth is not None
    row: Row = {"seed": seed, "truth": truth.part(OUTCOME, "credit", start="library_year", event_time=WINDOW)}
    policy = policy_design("credit").estimator
    assert isinstance(policy, LandmarkDiD)
    arm = sample(panel.frame, cohort="library_year", columns=COLUMNS)
    for name, design in (("plain", GIVEN_GROWTH), ("dummies", policy)):
        found = joint_effects(design, arm, TERMS)
        row |= _effects(name, found)
        row |= _ratios(name, found)
        row |= _netted(panel, name, design)
    bare = joint_effects(GIVEN_GROWTH.unconditional(), arm, ())
    row["unconditional estimate"], row["unconditional error"] = float(bare.value[0]), float(np.sqrt(bare.covariance[0, 0]))
    certified = joint_effects(GIVEN_GROWTH, sample(panel.frame, cohort="srdi_year", columns=COLUMNS), TERMS)
    row["certified ratio"] = float(certified.value[0] / certified.value[2])
    if world.name not in REGRESSED:
        return [row]
    ols = PanelRegression(regressors=("log_credit_balance",)).fit(sample(panel.frame, cohort=None, columns=TERMS))
    row["ols"] = float(ols["log_credit_balance"].estimate)
    return [row]


def _effects(name: str, found: JointEffects) -> Row:
    row: Row = {}
    for j, outcome in enumerate(("revenue", "spread", "balance", "unsecured")):
        row[f"{name} {outcome} estimate"] = float(found.value[j])
        row[f"{name} {outcome} error"] = float(np.sqrt(found.covariance[j, j]))
    return row


def _netted(panel: FirmPanel, name: str, design: LandmarkDiD) -> Row:
    """The library's effect per unit of being listed: comparison firms are listed later."""
    untangle = Untangle(
        arms={"library": EntryArm("library_year")},
        exposures={"listed": Exposure("listed_year")},
        covariates=design.covariates,
        growth_of=design.growth_of,
        listed=design.listed,
    )
    one = untangle.fit(sample(panel.frame, cohort=None, columns=("library_year", *COLUMNS)))["listed"]
    return {f"{name} netted estimate": float(one.estimate), f"{name} netted error": float(one.std_error)}


def _ratios(name: str, found: JointEffects) -> Row:
    """Revenue per unit of balance and of spread, with the ends of the values that Anderson and Rubin's test does not reject."""
    row: Row = {}
    for term, j in (("balance", 2), ("spread", 1)):
        low, high = anderson_rubin(found, j)
        row |= {f"{name} per {term}": float(found.value[0] / found.value[j])}
        row |= {f"{name} per {term} low": low, f"{name} per {term} high": high}
    return row


def anderson_rubin(found: JointEffects, j: int, level: float = 0.95) -> tuple[float, float]:
    """Ends of the set; infinite where it is not bounded."""
    pair = np.array([0, j])
    covariance = found.covariance[np.ix_(pair, pair)].reshape(2, 1, 2, 1)
    test = RatioTest.of(found.value[pair][:, None], covariance, np.ones((1, 1)))
    assert test is not None
    parts = test.intervals(critical_value(level, math.inf) ** 2)
    return (parts[0][0], parts[-1][1]) if parts else (math.nan, math.nan)
