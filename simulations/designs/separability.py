"""What cannot be told apart when a panel lacks the variation: rank and null vectors, one panel each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from simulations.designs import Row
from simulations.designs.bundle import PARTS
from simulations.designs.panels import START, draw, policy_design, sample
from simulations.worlds import World
from sme_eval.estimators.entry_arm import EntryArm
from sme_eval.estimators.untangle import Untangle
from sme_eval.results.decomposition import combination_text


def rows(world: World, seed: int) -> list[Row]:
    """One row: rank, null vectors, and what is still given."""
    design = policy_design("bundle").estimator
    assert isinstance(design, Untangle)
    frame, arms = take_out(draw(world, seed).frame, dict(design.arms), world.without)
    result = replace(design, arms=arms).fit(sample(frame, cohort=None, columns=design.columns))
    sums = [name for name, value in zip(result.sums.term, result.sums.estimate, strict=True) if np.isfinite(value)]
    given = [name for name in PARTS if np.isfinite(float(result.parts.estimate[PARTS.index(name)]))]
    return [
        {
            "seed": seed,
            "without": world.without,
            "rank": result.rank,
            "parts": len(PARTS),
            "null": "; ".join(combination_text(vector) for vector in result.null_vectors) or "none",
            "given": ", ".join(given),
            "sums": ", ".join(sums),
        }
    ]


def take_out(frame: pd.DataFrame, arms: dict[str, EntryArm], what: str) -> tuple[pd.DataFrame, dict[str, EntryArm]]:
    """The panel and its arms without one source of variation."""
    if what == "doses_that_differ":
        same = frame["reward_dose"].mask(frame["reward_dose"].notna(), 50.0)
        kept = {name: arm for name, arm in arms.items() if name != "lg_high"}
        return frame.assign(reward_dose=same), kept
    if what == "library_arm":
        return frame, {name: arm for name, arm in arms.items() if name != "library"}
    if what == "srdi_arm":
        return frame, {name: arm for name, arm in arms.items() if name != "srdi"}
    if what == "library_firms":
        # Nobody who enters that tier later stands among the comparison firms, so that the null vector is what it is by hand.
        return frame[frame["library_year"] == 0], {name: arm for name, arm in arms.items() if name != "library"}
    if what in ("srdi_firms", "srdi_firms_and_date"):
        frame = frame[(frame["srdi_year"] == 0) | (frame[START] > 0)]
        frame, arms = take_out(frame, arms, "srdi_arm_and_date" if what.endswith("date") else "srdi_arm")
        return frame, arms
    if what == "srdi_arm_and_date":
        certified = frame[START] > 0
        dated = frame["srdi_year"].mask(certified, frame[START])
        listed = frame["listed_year"].mask(certified, frame[START])
        return frame.assign(srdi_year=dated, listed_year=listed), {name: arm for name, arm in arms.items() if name != "srdi"}
    return frame, arms
