"""Checks as a record: the verdict, the sentence's numbers, and the table behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sme_eval.results.unavailable import Unavailable

from .record_base import Bilingual, Count, Number

if TYPE_CHECKING:
    from sme_eval.checks.protocol import CheckResult, Row, Value

CellValue = int | float | str | bool | Unavailable | None
"""Whole numbers first: a record that is read back keeps counts as counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRowRecord:
    """One row: named by `label` where the data name it, else by its key in words; a value for every column.

    `n_firms` is the fewest firms behind the row; None where no firm can be seen through it.
    """

    key: str
    label: Bilingual | None
    n_firms: Count | None
    values: Mapping[str, CellValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTableRecord:
    """The table of a check; the name of a column says how it is printed."""

    columns: tuple[str, ...]
    rows: tuple[CheckRowRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """What a check found: passed, failed, or informative (None). `reason` keys its sentence, `numbers` feed it.

    `threat` is what it is about, `statistic` the number that decided, `figure` how its table is drawn.
    """

    name: str
    threat: str
    passed: bool | None
    reason: str
    numbers: Mapping[str, int | float | Unavailable]
    statistic: Number | None = None
    table: CheckTableRecord | None = None
    figure: str | None = None


def check_record(check: CheckResult) -> CheckRecord:
    """A check as the record holds it."""
    table = None
    if check.table is not None:
        table = CheckTableRecord(columns=check.table.columns, rows=tuple(_row(row) for row in check.table.rows))
    return CheckRecord(
        name=check.name,
        threat=check.threat,
        passed=check.passed,
        reason=check.reason,
        numbers=dict(check.numbers),
        statistic=check.statistic,
        table=table,
        figure=check.figure,
    )


def _row(row: Row) -> CheckRowRecord:
    label = None if row.label is None else Bilingual(zh=row.label[0], en=row.label[1])
    return CheckRowRecord(key=row.key, label=label, n_firms=row.n_firms, values={k: _value(v) for k, v in row.values.items()})


def _value(value: Value) -> CellValue:
    return Unavailable("not estimated") if isinstance(value, float) and not math.isfinite(value) else value
