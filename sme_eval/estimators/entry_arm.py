"""How firms enter a policy, and what they are exposed to from then on: the words in which a bundle is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sme_eval.panel.frozen_mapping import FrozenMapping

Value = float | int | str | None
"""What a condition asks of a column: a number, a text, or missing."""


@dataclass(frozen=True, slots=True)
class EntryArm:
    """Firms that enter something: `entry` is the column of their first year (0 or missing: never).

    `where` keeps the firms that fulfil every condition, column → value: a number or a text means equal to it, None means missing,
    and 0 means never in a column of first years.
    """

    entry: str
    where: Mapping[str, Value] = field(default_factory=FrozenMapping)

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", FrozenMapping(self.where))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns it reads."""
        return (self.entry, *self.where)


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a firm is exposed to: 1 from the year in column `start` on (0 or missing: never), else 0.

    With `times`, multiplied by that column over `per`; a missing value counts as 0, so another exposure must carry these firms,
    with `where={times: None}`. `where` as in `EntryArm`: 0 for all other firms.
    """

    start: str
    times: str | None = None
    per: float = 1.0
    where: Mapping[str, Value] = field(default_factory=FrozenMapping)

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", FrozenMapping(self.where))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns it reads."""
        return (self.start, *(() if self.times is None else (self.times,)), *self.where)


def where_text(where: Mapping[str, Value]) -> str:
    """Conditions as a person reads them."""
    return " and ".join(f"{name} is {'missing' if value is None else value}" for name, value in where.items())
