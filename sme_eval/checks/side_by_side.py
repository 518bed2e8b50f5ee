"""Effects side by side: one row of a table that compares ways to the same effect."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import critical_value

from .protocol import Value

NOT_ESTIMATED = Unavailable("not estimated")
INTERVAL = ("estimate", "std_error", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One way: its effect and error, treated and comparison firms, and how many equally weighted ones these would equal."""

    key: str
    estimate: float | Unavailable
    std_error: float | Unavailable = NOT_ESTIMATED
    n_treated: int | None = None
    n_comparison: int | None = None
    n_effective: float | None = None
    label: tuple[str, str] | None = None

    @property
    def known(self) -> bool:
        """Whether there is an effect."""
        return isinstance(self.estimate, float) and math.isfinite(self.estimate)

    @property
    def n_firms(self) -> int | None:
        """The fewest firms on a side."""
        counts = [n for n in (self.n_treated, self.n_comparison) if n is not None]
        return min(counts) if counts else None

    def interval(self, level: float) -> dict[str, Value]:
        """Values of the columns `INTERVAL`, by normal critical values; without an effect its reason in all of them."""
        if not self.known:
            reason = self.estimate if isinstance(self.estimate, Unavailable) else NOT_ESTIMATED
            return dict.fromkeys(INTERVAL, reason)
        if isinstance(self.std_error, Unavailable) or not math.isfinite(self.std_error):
            reason = self.std_error if isinstance(self.std_error, Unavailable) else NOT_ESTIMATED
            return {"estimate": self.estimate, **dict.fromkeys(INTERVAL[1:], reason)}
        value, half = float(self.estimate), critical_value(level, np.inf) * self.std_error
        return dict(zip(INTERVAL, (value, self.std_error, value - half, value + half), strict=True))


def farthest(first: Side, others: Iterable[Side]) -> float | None:
    """Largest distance of an effect from the first; None where there is nothing to compare."""
    distances = [abs(float(side.estimate) - float(first.estimate)) for side in others if side.known and first.known]
    return max(distances) if distances else None
