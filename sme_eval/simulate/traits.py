"""What else firms are: owner, age, technology class, financing constraint and size class; nothing of it moves an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sme_eval.simulate.firms import INDUSTRIES, Draws, Firms, FlagArray, FloatArray, IntegerArray

OWNERS: Final = ("private", "state", "foreign")
OWNER_SHARES: Final = (0.88, 0.05, 0.07)
"""In the order of `OWNERS`: an assumption."""

FOUNDED: Final = (1985, 2014)
"""First and last year of foundation, and before the first year of the panel; every year is equally likely: an assumption."""
AGE_CLASSES: Final = ("young", "mature")
MATURE: Final = (2015, 10)
"""Mature are firms that were at least ten years old in 2015."""

HIGH_TECHNOLOGY: Final = ("C27", "C39", "C40")
"""Divisions whose firms count as high technology: pharmaceuticals, electronics, instruments (the classification of
high-technology manufacturing goes by finer classes; whole divisions are an assumption)."""

CONSTRAINED: Final = (-1.0, -0.8, 0.7)
"""Log odds of a financing constraint at baseline: of a mature firm of average size, per standard deviation of size, of a
young firm: an assumption."""

SIZE_CLASSES: Final = ("small", "medium", "large")
SIZE_BOUNDS: Final = (60.0, 200.0)
"""Persons in the panel's first year from which on a firm is medium and large. About a third is small, a fifth large."""


@dataclass(frozen=True, slots=True)
class Traits:
    """All (firms,); `ownership`, `age_class` and `size_class` index `OWNERS`, `AGE_CLASSES` and `SIZE_CLASSES`."""

    ownership: IntegerArray
    founded: IntegerArray
    age_class: IntegerArray
    high_technology: IntegerArray
    constrained: IntegerArray
    size_class: IntegerArray


def draw_traits(draws: Draws, firms: Firms, log_employment: FloatArray, first_year: int) -> Traits:
    """Traits of one city; `log_employment` (firms,) is that of the panel's first year."""
    edges = np.cumsum(OWNER_SHARES)[:-1]
    founded = draws.stream("founded").integers(FOUNDED[0], min(FOUNDED[1], first_year - 1) + 1, firms.count)
    mature = MATURE[0] - founded >= MATURE[1]
    level, size, young = CONSTRAINED
    of_industry = np.isin(INDUSTRIES, HIGH_TECHNOLOGY).astype(np.int64)
    return Traits(
        ownership=np.searchsorted(edges, draws.stream("ownership").random(firms.count), side="right"),
        founded=founded,
        age_class=mature.astype(np.int64),
        high_technology=of_industry[firms.industry],
        constrained=chance(draws, "constrained", level + size * firms.size + young * ~mature).astype(np.int64),
        size_class=np.searchsorted(np.log(SIZE_BOUNDS), log_employment, side="right"),
    )


def chance(draws: Draws, name: str, log_odds: FloatArray) -> FlagArray:
    """(firms,) whether it comes true, with these log odds (firms,)."""
    return np.asarray(draws.stream(name).random(log_odds.size) < 1.0 / (1.0 + np.exp(-log_odds)))
