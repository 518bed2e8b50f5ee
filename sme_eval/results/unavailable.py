"""A number that cannot honestly be given stands as the reason why."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Stands where a number cannot; in frames it is NaN with the reason in `note`, in JSON `{"unavailable": reason}`."""

    reason: str

    def __float__(self) -> float:
        return math.nan

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"unavailable: {self.reason}"
