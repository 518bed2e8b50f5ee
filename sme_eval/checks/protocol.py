"""What a check returns: a verdict that needs no language, and where there is more to see a table and how to draw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sme_eval.results.unavailable import Unavailable

Threat = Literal["trends", "comparison", "design", "measurement", "unobservables", "heterogeneity", "inference"]
"""What a check is about: the heading under which a page shows it."""
Figure = Literal["intervals", "sensitivity", "balance", "pairs", "histogram"]
"""How a table is drawn: intervals side by side, an interval against a bound, two standardised differences or two effects a row,
counts of a distribution."""
Value = int | float | str | bool | Unavailable | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a check's table.

    `key` names it in words of the pages; `label` (Chinese, English) does so where the name comes from the data. `n_firms` is the
    fewest firms behind its numbers, which the disclosure gate needs; None where no firm can be seen through them.
    """

    key: str
    values: Mapping[str, Value]
    n_firms: int | None = None
    label: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows that have a value for every column; the name of a column says how it is printed."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Passed, failed, or informative (None). `reason` is a key that the pages put into words; `numbers` feed that sentence.

    `statistic` is the number that decided, where there is one.
    """

    name: str
    threat: Threat
    passed: bool | None
    reason: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    statistic: float | None = None
    table: Table | None = None
    figure: Figure | None = None
