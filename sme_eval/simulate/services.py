"""Who takes up which service of the reply, and when: yearly batches of fixed size among those who may have it.

Only the 95 firms with internships and the first 135 on the board are facts of the reply; every other count, all years and who may
have a service are assumptions. Take-up depends on R&D, size and past growth as the tiers do, in `strong_selection` and the like
on the hidden trait too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.simulate.firms import Draws, FlagArray, IntegerArray
from sme_eval.simulate.scenario import Scenario
from sme_eval.simulate.tiers_more import Candidates, choose
from sme_eval.simulate.traits import Traits, chance
from sme_eval.terms import NEVER

EXPORTER: Final = (0.2, 0.4)
"""Log odds of exporting: of a firm of average size, per standard deviation of size. About half of the firms."""

Who = Literal["srdi", "srdi_exporter", "listed", "certified", "key", "constrained"]
"""On the list by that year: with an SRDI certificate, and exporting, on any list, little giants, key ones. constrained: on no list
yet and financially constrained at baseline, which is who has not borrowed yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One service: who may have it, and year → how many firms have it for the first time."""

    who: Who
    batches: Mapping[int, int]


SERVICES: Final = FrozenMapping(
    {
        "board": Offer(who="srdi", batches=FrozenMapping({2022: 135, 2023: 80})),
        "export_insurance": Offer(who="srdi_exporter", batches=FrozenMapping({2019: 15, 2020: 35, 2021: 50, 2022: 100})),
        "land": Offer(who="srdi", batches=FrozenMapping({2019: 10, 2020: 20, 2021: 30, 2022: 40})),
        "loan_platform": Offer(who="listed", batches=FrozenMapping({2019: 30, 2020: 60, 2021: 100, 2022: 150})),
        "loan_equity": Offer(who="srdi", batches=FrozenMapping({2019: 10, 2020: 20, 2021: 30, 2022: 40})),
        "training": Offer(who="listed", batches=FrozenMapping({2019: 40, 2020: 60, 2021: 80, 2022: 120})),
        "internship": Offer(who="certified", batches=FrozenMapping({2022: 95})),
        "clinic": Offer(who="key", batches=FrozenMapping({2021: 8, 2022: 16, 2023: 12})),
        "first_set": Offer(who="srdi", batches=FrozenMapping({2019: 15, 2020: 20, 2021: 30, 2022: 35})),
        "first_loan": Offer(who="constrained", batches=FrozenMapping({2019: 30, 2020: 40, 2021: 60, 2022: 90})),
    }
)
"""Service (its column without `_year`) → its offer. The grant for a digital retrofit is older than these, see `concurrent.py`."""


@dataclass(frozen=True, slots=True)
class Services:
    """`exporter` (firms,) and service → first year (firms,), `NEVER` for most."""

    exporter: FlagArray
    starts: Mapping[str, IntegerArray]


def draw_services(draws: Draws, world: Scenario, who: Candidates, key: IntegerArray, traits: Traits) -> Services:
    """All services of one city; `key` (firms,) is the first year as a key little giant."""
    exporter = chance(draws, "exporter", EXPORTER[0] + EXPORTER[1] * who.firms.size)
    calendar = sorted({year for offer in SERVICES.values() for year in offer.batches})
    scores = {year: who.score(world, year) for year in calendar}
    starts = {}
    for name, offer in SERVICES.items():
        start = np.full(who.firms.count, NEVER, dtype=np.int64)
        generator = draws.stream(name)
        for year, count in offer.batches.items():
            may = _may(offer.who, year, who, key, (exporter, traits.constrained > 0))
            free = may & (start == NEVER) & who.there(year)
            start[choose(generator, scores[year], free, count)] = year
        starts[name] = start
    return Services(exporter, FrozenMapping(starts))


def _may(rule: Who, year: int, who: Candidates, key: IntegerArray, traits: tuple[FlagArray, FlagArray]) -> FlagArray:
    """(firms,) who may have a service in that year; `traits` are exporting and constrained firms."""
    exporter, constrained = traits
    tiers = who.tiers
    if rule == "constrained":
        return np.asarray(constrained & (tiers.listed > year))
    if rule == "srdi_exporter":
        return np.asarray(exporter & (tiers.srdi <= year))
    start = {"srdi": tiers.srdi, "listed": tiers.listed, "certified": tiers.certified, "key": key}[rule]
    return np.asarray(start <= year)
