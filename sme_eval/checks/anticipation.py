"""Whether firms reacted before they entered: the headline with earlier base years.

If firms prepare for entry, the year before it is no base. Allowing k years of anticipation moves the base to g − 1 − k; a donut
leaves out the years just before entry altogether. Both buy this with trust in older years: where firms were chosen for a jump in
growth, the jump lies between the moved base and entry and is counted as an effect. So such rows are shown with that warning and
decide nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import critical_value

from .protocol import CheckResult, Row, Table
from .sizes import SMALL_COHORT

AS_DECLARED = "as_declared"
BUMP = "biased_under_growth_bump"
"""Condition of a row whose base lies before the growth for which firms may have been chosen."""
COLUMNS = ("estimate", "std_error", "conf_low", "conf_high", "difference", "conditions")


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedBase:
    """The headline with another base: `key` names it, `bump` marks rows that a jump in growth before entry biases."""

    key: str
    estimate: float | Unavailable
    std_error: float | Unavailable
    n_treated: int | None
    bump: bool


def check_anticipation(headline: MovedBase, others: Sequence[MovedBase], level: float = 0.95) -> CheckResult:
    """The headline beside the same with moved bases; informative. The statistic is the largest move among unflagged rows."""
    rows = (headline, *others)
    table = Table(columns=COLUMNS, rows=tuple(_row(row, headline, level) for row in rows))
    told = [row for row in others if row.n_treated is None or row.n_treated >= SMALL_COHORT]
    moves = [abs(d) for row in told if not row.bump and math.isfinite(d := _difference(row, headline))]
    flagged = [abs(d) for row in told if row.bump and math.isfinite(d := _difference(row, headline))]
    if not moves and not flagged:
        return CheckResult(name="anticipation", threat="trends", passed=None, reason="anticipation_unknown", table=table)
    return CheckResult(
        name="anticipation",
        threat="trends",
        passed=None,
        reason="anticipation_compared" if moves else "anticipation_biased",
        numbers={"estimate": float(headline.estimate), "largest": max(moves or flagged)},
        statistic=max(moves) if moves else None,
        table=table,
        figure="intervals",
    )


def _difference(row: MovedBase, headline: MovedBase) -> float:
    if isinstance(row.estimate, Unavailable) or isinstance(headline.estimate, Unavailable):
        return math.nan
    return row.estimate - headline.estimate


def _row(row: MovedBase, headline: MovedBase, level: float) -> Row:
    condition = BUMP if row.bump else AS_DECLARED
    if isinstance(row.estimate, Unavailable) or isinstance(row.std_error, Unavailable):
        reason = row.estimate if isinstance(row.estimate, Unavailable) else row.std_error
        values = {**dict.fromkeys(COLUMNS[:-1], reason), "conditions": condition}
        return Row(key=row.key, values=values, n_firms=row.n_treated)
    half = critical_value(level, math.inf) * row.std_error
    numbers = (row.estimate, row.std_error, row.estimate - half, row.estimate + half, _difference(row, headline))
    return Row(key=row.key, values=dict(zip(COLUMNS, (*numbers, condition), strict=True)), n_firms=row.n_treated)
