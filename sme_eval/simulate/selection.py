"""Who becomes a little giant, an SRDI firm or a firm of the library, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sme_eval.simulate.firms import Draws, Firms, FlagArray, FloatArray, IntegerArray
from sme_eval.simulate.scenario import BATCHES, LIBRARY_ONLY, SECOND_HALF, SRDI_ONLY, Scenario
from sme_eval.terms import NEVER

GROWTH_WINDOW: Final = (3, 1)
"""Growth that counts in year g: from g − 3 to g − 1."""


@dataclass(frozen=True, slots=True)
class Tiers:
    """First year on each list; (firms,), `NEVER` for most."""

    certified: IntegerArray
    srdi: IntegerArray
    """Of little giants too, in the year of their certificate or up to two years before."""
    library: IntegerArray
    """Of firms that get no certificate."""

    @property
    def listed(self) -> IntegerArray:
        """First year on any list, which opens the door to cheaper credit."""
        return np.minimum(self.srdi, self.library)

    @property
    def certified_half(self) -> IntegerArray:
        """Certification with announcements of the second half of a year counted from the next year."""
        later = np.isin(self.certified, SECOND_HALF)
        return np.where(later, self.certified + 1, self.certified)


def draw_tiers(draws: Draws, world: Scenario, firms: Firms, revenue: FloatArray, years: IntegerArray) -> Tiers:
    """The lists of one city, year by year: little giants first, then other SRDI firms, then the library.

    Every draw is from the firms on no list so far, on one score of untreated `revenue` (firms, years) and traits; later
    tiers weigh it less. So selection never depends on effects, and scenarios that differ in effects share their lists.
    """
    rules = world.selection
    certified, srdi, library = (np.full(firms.count, NEVER, dtype=np.int64) for _ in range(3))
    free = np.ones(firms.count, dtype=np.bool_)
    for year in BATCHES:
        score = entry_score(world, firms, past_growth(revenue, years, year))
        for name, start, count, weight in (
            ("certified", certified, BATCHES[year], 1.0),
            ("srdi", srdi, SRDI_ONLY[year], rules.srdi),
            ("library", library, LIBRARY_ONLY[year], rules.library),
        ):
            chosen = draw_batch(draws.stream(f"{name} {year}"), weight * score, free, count)
            start[chosen] = year
            free[chosen] = False
    lag = draws.stream("srdi lag").choice(len(rules.lags), firms.count, p=rules.lags)
    return Tiers(certified, np.where(certified < NEVER, certified - lag, srdi), library)


def past_growth(outcome: FloatArray, years: IntegerArray, year: int) -> FloatArray:
    """(firms,) change of `outcome` (firms, years) over the window that counts for `year`."""
    first, last = (int(np.searchsorted(years, year - before)) for before in GROWTH_WINDOW)
    return np.asarray(outcome[:, last] - outcome[:, first])


def draw_batch(generator: np.random.Generator, score: FloatArray, free: FlagArray, count: int) -> IntegerArray:
    """Positions of `count` of the `free` firms, drawn without replacement, probability proportional to exp(score).

    Gumbel top-k: adding independent Gumbel noise to the scores and taking the largest is drawing one after the other.
    """
    keys = np.where(free, score + generator.gumbel(size=score.size), -np.inf)
    return np.argpartition(-keys, count)[:count].astype(np.int64)


def entry_score(world: Scenario, firms: Firms, growth: FloatArray) -> FloatArray:
    """(firms,) what the draws of one year weigh."""
    rules = world.selection
    observed = rules.growth * (growth - growth.mean()) + rules.rd * firms.rd + rules.size * firms.size
    return np.asarray(observed + world.hidden.weight * firms.hidden)
