"""Numbers measured now beside the earlier measurement, their difference in Monte Carlo errors, and why it is large where it is."""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from simulations.summaries import Measured

FOLDER: Final = Path(__file__).resolve().parent
EXPECTED: Final = FOLDER / "expected.csv"
REASONS: Final = FOLDER / "reasons.toml"
FAR: Final = 3.0
"""Monte Carlo errors beyond which a difference asks for a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A number of the earlier measurement: `decimals` as it was printed, `draws` behind it."""

    value: float
    decimals: int
    draws: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why numbers differ: patterns of table, world, row and metric, and the text."""

    table: str
    worlds: tuple[str, ...]
    rows: tuple[str, ...]
    metrics: tuple[str, ...]
    text: str

    def applies(self, one: Measured) -> bool:
        """Whether it is about this number."""
        pairs = ((one.world, self.worlds), (one.row, self.rows), (one.metric, self.metrics))
        return one.table == self.table and all(any(fnmatchcase(n, p) for p in patterns) for n, patterns in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A number, the earlier one if there is one, their difference in Monte Carlo errors of the difference, and reasons."""

    now: Measured
    earlier: Earlier | None
    distance: float
    reasons: tuple[str, ...]

    @property
    def far(self) -> bool:
        """Beyond three Monte Carlo errors."""
        return abs(self.distance) > FAR


def read_earlier(path: Path = EXPECTED) -> dict[tuple[str, str, str, str], Earlier]:
    """(table, world, row, metric) → the earlier number."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["table"], row["world"], row["row"], row["metric"]): Earlier(
            value=float(row["value"]), decimals=len(row["value"].partition(".")[2]), draws=int(row["draws"])
        )
        for row in rows
    }


def read_reasons(path: Path = REASONS) -> tuple[tuple[Reason, ...], tuple[Mapping[str, str], ...]]:
    """Reasons for differences, and what is not reproduced with why."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    reasons = tuple(
        Reason(
            table=one["table"],
            worlds=tuple(one.get("worlds", ["*"])),
            rows=tuple(one.get("rows", ["*"])),
            metrics=tuple(one.get("metrics", ["*"])),
            text=one["text"],
        )
        for one in found.get("reason", [])
    )
    return reasons, tuple(found.get("not_reproduced", []))


def compare(
    numbers: Sequence[Measured], earlier: Mapping[tuple[str, str, str, str], Earlier], reasons: Sequence[Reason]
) -> list[Compared]:
    """Every number with what was measured before."""
    found = []
    for one in numbers:
        before = earlier.get(one.key)
        distance = 0.0 if before is None else difference(one, before)
        why = tuple(reason.text for reason in reasons if reason.applies(one)) if abs(distance) > FAR else ()
        found.append(Compared(now=one, earlier=before, distance=distance, reasons=why))
    return found


def difference(now: Measured, before: Earlier) -> float:
    """In Monte Carlo errors of both; the earlier one's from its own rate, else from ours by its draws, and from its rounding."""
    rounding = 10.0**-before.decimals / math.sqrt(12.0)
    earlier = now.error * math.sqrt(now.draws / before.draws)
    if now.rate:
        smoothed = (before.value * before.draws + 1.0) / (before.draws + 2.0)
        earlier = math.sqrt(smoothed * (1.0 - smoothed) / before.draws)
    return (now.value - before.value) / math.sqrt(now.error**2 + earlier**2 + rounding**2)
