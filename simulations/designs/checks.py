"""What every check says of certification on one panel, by the same calls as a user's evaluation.

All checks together take seconds a panel; 3,000 firms, the entrants of the full city among them, halve that.
"""

from __future__ import annotations

import numpy as np

from simulations.designs import Row
from simulations.designs.panels import policy_design
from simulations.worlds import World
from sme_eval.evaluation.asked import Effort, asked_of
from sme_eval.evaluation.checking import checks_of
from sme_eval.simulate.ningbo import simulate_ningbo

EFFORT = Effort(draws=199, placebos=99)
"""Fewer draws than on a page: a verdict at 5 % needs 19."""

FIRMS = 3000
"""Firms of a panel: as many entrants as in the full city, fewer to compare them with."""


def rows(world: World, seed: int) -> list[Row]:
    """One row: verdict (1, 0, or missing where a check only informs), reason and statistic of each check."""
    panel, _ = simulate_ningbo(seed, world.scenario, firms=FIRMS)
    row: Row = {"seed": seed}
    for check in checks_of(asked_of(policy_design("certification"), panel, EFFORT)):
        row[f"{check.name} passed"] = np.nan if check.passed is None else float(check.passed)
        row[f"{check.name} statistic"] = np.nan if check.statistic is None else check.statistic
        row[f"{check.name} reason"] = check.reason
    return [row]
