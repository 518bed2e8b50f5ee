"""What every check says of certification on one panel, by the same calls as a user's evaluation."""

from __future__ import annotations

import numpy as np

from simulations.designs import Row
from simulations.designs.panels import draw, policy_design
from simulations.worlds import World
from sme_eval.evaluation.asked import Effort, asked_of
from sme_eval.evaluation.checking import checks_of

EFFORT = Effort(draws=199, placebos=99)
"""Fewer draws than on a page: a verdict at 5 % needs 19."""


def rows(world: World, seed: int) -> list[Row]:
    """One row: verdict (1, 0, or missing where a check only informs), reason and statistic of each check."""
    row: Row = {"seed": seed}
    for check in checks_of(asked_of(policy_design("certification"), draw(world, seed), EFFORT)):
        row[f"{check.name} passed"] = np.nan if check.passed is None else float(check.passed)
        row[f"{check.name} statistic"] = np.nan if check.statistic is None else check.statistic
        row[f"{check.name} reason"] = check.reason
    return [row]
