"""Tiers and lists beside those that lead to credit and cash: who is on them since when, and how long a certificate is valid.

Lists are filled from the firms still in the panel. How entries spread over the years, and whom a list prefers, are assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.simulate.beside import Review
from sme_eval.simulate.firms import Draws, Firms, FlagArray, FloatArray, IntegerArray
from sme_eval.simulate.scenario import Scenario
from sme_eval.simulate.selection import Tiers, entry_score, past_growth
from sme_eval.terms import NEVER

INNOVATIVE_ONLY: Final = FrozenMapping({2019: 120, 2020: 180, 2021: 230, 2022: 321})
"""Year → innovative firms without an SRDI certificate: 851, so that with the 715 SRDI firms all are the 1,566 of the reply."""
INNOVATIVE_LAGS: Final = (0.5, 0.5)
"""Probability that an SRDI firm has been innovative for 0, 1 years when it gets that certificate, but since 2019 at the earliest
unless the certificate is older."""
KEY: Final = FrozenMapping({2021: 30, 2022: 36})
"""Year → little giants that become key ones: 66."""
UPGRADE_LIBRARY: Final = FrozenMapping({2022: 2200})
ABOVE_SCALE: Final = FrozenMapping({2022: 888})
PROVINCIAL_LIBRARY: Final = FrozenMapping({2022: 682})
SMALL: Final = -1.5
"""Weight of a standard deviation of size in the library of firms below scale."""
ABOVE_SCALE_SALES: Final = 2000.0
"""10,000 yuan of yearly revenue from which on an industrial firm counts as above scale."""
NEAR: Final = -2.0
"""Weight of a log point of distance between last year's revenue and that threshold, for firms that are upgraded."""
WEIGHT: Final = 0.5
"""Factor on the score of little giants for these tiers and lists and for every service."""
REVIEWS: Final = ("renewed", "not_renewed", "pending", "none")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who could be chosen, and on what.

    `revenue` (firms, years) is untreated and in logs; `gone` (firms,) is the first year without a row.
    """

    firms: Firms
    tiers: Tiers
    revenue: FloatArray
    years: IntegerArray
    gone: IntegerArray

    def score(self, world: Scenario, year: int) -> FloatArray:
        """(firms,) what speaks for a firm in that year: as for little giants, less so."""
        return WEIGHT * entry_score(world, self.firms, past_growth(self.revenue, self.years, year))

    def there(self, year: int) -> FlagArray:
        """(firms,) whether the firm has a row in that year."""
        return np.asarray(self.gone > year)


@dataclass(frozen=True, slots=True)
class MoreTiers:
    """First years (firms,), `NEVER` for most; `review` (firms,) indexes `REVIEWS`."""

    innovative: IntegerArray
    key: IntegerArray
    upgrade_library: IntegerArray
    above_scale: IntegerArray
    provincial_library: IntegerArray
    valid_to: IntegerArray
    review: IntegerArray


def choose(generator: np.random.Generator, score: FloatArray, among: FlagArray, count: int) -> IntegerArray:
    """Positions of `count` firms `among` (firms,) these, or of all of them if there are fewer.

    As `selection.draw_batch`, but random numbers are drawn for the candidates only.
    """
    candidates = np.flatnonzero(among)
    keys = score[candidates] + generator.gumbel(size=candidates.size)
    if candidates.size <= count:
        return candidates
    return np.asarray(candidates[np.argpartition(-keys, count)[:count]])


def draw_more_tiers(draws: Draws, world: Scenario, who: Candidates, lapse: IntegerArray) -> MoreTiers:
    """All of one city; `lapse` (firms,) is the first year without a valid certificate."""
    year = max(UPGRADE_LIBRARY)
    score, last = who.score(world, year), who.revenue[:, int(np.searchsorted(who.years, year - 1))]
    near = score + NEAR * np.abs(last - np.log(ABOVE_SCALE_SALES))
    valid_to, review = certificate_spell(world.review, who.tiers.certified, lapse, int(who.years[-1]))
    return MoreTiers(
        innovative=_innovative(draws, world, who),
        key=_key(draws, world, who, lapse),
        upgrade_library=_list(draws, "upgrade library", SMALL * who.firms.size, who, year, UPGRADE_LIBRARY[year]),
        above_scale=_list(draws, "above scale", near, who, year, ABOVE_SCALE[year]),
        provincial_library=_list(draws, "provincial library", score, who, year, PROVINCIAL_LIBRARY[year]),
        valid_to=valid_to,
        review=review,
    )


def certificate_spell(
    rules: Review, certified: IntegerArray, lapse: IntegerArray, last_year: int
) -> tuple[IntegerArray, IntegerArray]:
    """(firms,) last year of the certificate's validity as known at the end of `last_year`, `NEVER` without one; and its review.

    A certificate of year g is valid in g, g + 1, …, g + validity − 1, and so on after every review that renews it.
    """
    holds, lapsed = certified < NEVER, lapse < NEVER
    passed = np.where(holds, (last_year - certified) // rules.validity, 0)
    running = certified + rules.validity * (np.maximum(passed, 0) + 1) - 1
    valid_to = np.where(lapsed, lapse - 1, running)
    review = np.select([~holds, lapsed, passed > 0], [3, 1, 0], 2)
    return np.where(holds, valid_to, NEVER), review.astype(np.int64)


def _innovative(draws: Draws, world: Scenario, who: Candidates) -> IntegerArray:
    """SRDI firms in the year of that certificate or the one before, and firms that never get it, year by year."""
    srdi, earliest = who.tiers.srdi, min(INNOVATIVE_ONLY)
    lag = draws.stream("innovative lag").choice(len(INNOVATIVE_LAGS), srdi.size, p=INNOVATIVE_LAGS)
    start = np.where(srdi < NEVER, np.minimum(srdi, np.maximum(srdi - lag, earliest)), NEVER)
    generator = draws.stream("innovative")
    for year, count in INNOVATIVE_ONLY.items():
        free = (start == NEVER) & who.there(year)
        start[choose(generator, who.score(world, year), free, count)] = year
    return start


def _key(draws: Draws, world: Scenario, who: Candidates, lapse: IntegerArray) -> IntegerArray:
    """Little giants with a valid certificate."""
    start = np.full(who.firms.count, NEVER, dtype=np.int64)
    generator = draws.stream("key")
    for year, count in KEY.items():
        free = (start == NEVER) & (who.tiers.certified <= year) & (lapse > year) & who.there(year)
        start[choose(generator, who.score(world, year), free, count)] = year
    return start


def _list(draws: Draws, name: str, score: FloatArray, who: Candidates, year: int, count: int) -> IntegerArray:
    """(firms,) a list of one year."""
    start = np.full(who.firms.count, NEVER, dtype=np.int64)
    start[choose(draws.stream(name), score, who.there(year), count)] = year
    return start
