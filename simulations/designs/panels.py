"""Panels as arrays, and the policies' own designs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from simulations.worlds import World
from sme_eval.evaluation.design import Design
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.policies.policy import load_policies
from sme_eval.simulate.ningbo import simulate_ningbo
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.terms import NEVER

OUTCOME, START, WINDOW = "log_revenue", "certified_year", (0, 2)


def draw(world: World, seed: int) -> FirmPanel:
    """One panel of a world."""
    return simulate_ningbo(seed, world.scenario)[0]


@cache
def policy_design(name: str) -> Design:
    """The design that a policy file declares."""
    return Design.from_policy(load_policies()[name])


@dataclass(frozen=True, eq=False, kw_only=True)
class Wide:
    """A balanced panel: `outcome` (N, T), first years (N,) with `NEVER` for none, covariates (N,)."""

    years: IntArray
    outcome: FloatArray
    certified: IntArray
    srdi: IntArray
    library: IntArray
    listed: IntArray
    rd: FloatArray

    @property
    def never_listed(self) -> BoolArray:
        """Firms on no list in any year."""
        return np.asarray(self.listed == NEVER)


def wide(panel: FirmPanel) -> Wide:
    """The panel's columns that the comparisons need; rows are sorted by firm and year."""
    frame = panel.frame
    years = np.unique(frame["year"].to_numpy()).astype(np.int64)

    def firm(name: str) -> IntArray:
        values = frame[name].to_numpy()[:: years.size].astype(np.int64)
        return np.where(values == 0, NEVER, values)

    return Wide(
        years=years,
        outcome=frame[OUTCOME].to_numpy().reshape(-1, years.size),
        certified=firm(START),
        srdi=firm("srdi_year"),
        library=firm("library_year"),
        listed=firm("listed_year"),
        rd=frame["rd_intensity"].to_numpy()[:: years.size],
    )


def sample(frame: pd.DataFrame, outcome: str = OUTCOME, cohort: str | None = START, columns: tuple[str, ...] = ()) -> Sample:
    """A sample of firms and years."""
    return Sample.from_frame(frame, firm="firm", year="year", outcome=outcome, cohort=cohort, columns=columns)
