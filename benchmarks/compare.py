"""Differences of numbers and ratios of times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.packages import Numbers


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many numbers two packages both give, and the largest relative difference of estimates and of errors."""

    compared: int
    estimate: float
    error: float

    @classmethod
    def of(cls, ours: Numbers, theirs: Numbers) -> Agreement:
        """Over the names that both have; none in common is an error, so that silence is never taken for agreement."""
        names = sorted(set(ours) & set(theirs))
        if not names:
            raise ValueError(f"no number in common: {sorted(ours)[:3]} … and {sorted(theirs)[:3]} …")
        pairs = [(ours[name], theirs[name]) for name in names]
        worst = [max(relative(a[part], b[part]) for a, b in pairs) for part in (0, 1)]
        return cls(compared=len(names), estimate=worst[0], error=worst[1])


def relative(ours: float, theirs: float) -> float:
    """|a − b| over the larger of the two; 0 if equal, infinite if one of them is no number."""
    if not (math.isfinite(ours) and math.isfinite(theirs)):
        return math.inf
    return 0.0 if ours == theirs else abs(ours - theirs) / max(abs(ours), abs(theirs))


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, smallest and largest of some measurements."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(median=median(values), least=min(values), most=max(values))


def spread(lines: Sequence[dict[str, Any]], name: str) -> Spread | None:
    """Of one measurement over repetitions; None where it was not made."""
    values = [float(line[name]) for line in lines if line.get(name) is not None]
    return Spread.of(values) if values else None


def ratio(theirs: Sequence[dict[str, Any]], ours: Sequence[dict[str, Any]], name: str = "wall") -> float | None:
    """Median of theirs over median of ours."""
    above, below = spread(theirs, name), spread(ours, name)
    return above.median / below.median if above is not None and below is not None and below.median > 0.0 else None
