"""A total over a list that changes: who stayed, who entered, who left, and what each group had at both dates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from .arrays import BoolArray, FloatArray

Group = Literal["stayed", "entered", "left"]
GROUPS: Final[tuple[Group, ...]] = ("stayed", "entered", "left")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListGroup:
    """Firms of one group: those counted with their amounts at both dates, and those left out because an amount is missing.

    `omitted_start` and `omitted_end` are the amounts of firms left out that are known, at the date at which they are.
    """

    firms: int
    start: float
    end: float
    omitted: int
    omitted_start: float
    omitted_end: float

    @property
    def change(self) -> float:
        """Amount at the end less amount at the start."""
        return self.end - self.start


def list_change(
    start: FloatArray, end: FloatArray, listed_at_start: BoolArray, listed_at_end: BoolArray
) -> Mapping[Group, ListGroup]:
    """The three groups of firms that are on a list at either date; firms on neither are nobody's.

    All arguments have one entry per firm (N,), amounts NaN where missing. Sums are exactly rounded, so that the order of the firms
    changes no digit.
    """
    members = {
        "stayed": listed_at_start & listed_at_end,
        "entered": ~listed_at_start & listed_at_end,
        "left": listed_at_start & ~listed_at_end,
    }
    return {group: _group(start[members[group]], end[members[group]]) for group in GROUPS}


def _group(start: FloatArray, end: FloatArray) -> ListGroup:
    counted = np.isfinite(start) & np.isfinite(end)
    return ListGroup(
        firms=int(counted.sum()),
        start=math.fsum(start[counted]),
        end=math.fsum(end[counted]),
        omitted=int((~counted).sum()),
        omitted_start=math.fsum(start[~counted & np.isfinite(start)]),
        omitted_end=math.fsum(end[~counted & np.isfinite(end)]),
    )
