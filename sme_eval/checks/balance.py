"""Whether treated and comparison firms are alike at each cohort's baseline, before and after weighting.

What the headline conditions on must be balanced by the doubly robust twin's odds, or the propensity misses something. Other
declared characteristics are shown too: a difference in their level cancels in changes, and matters only if firms that differ in it
would have grown differently. So it informs, and fails nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .protocol import CheckResult, Row, Table, Value

ALIKE = 0.1
"""Standardised differences below this are commonly taken as balance (Austin 2011)."""
COLUMNS = ("before", "after", "after_entropy", "variance_ratio", "conditioned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariate:
    """Standardised differences of one covariate: before, after the odds' weights, after entropy balancing (None without).

    `ratio` of variances after weighting, before where there is none; `conditioned` says that the headline conditions on it.
    """

    key: str
    before: float
    after: float | None
    after_entropy: float | None
    ratio: float
    conditioned: bool
    label: tuple[str, str] | None = None


def check_balance(covariates: tuple[Covariate, ...], n_firms: int) -> CheckResult:
    """Largest difference left in what the headline conditions on against `ALIKE`; informative where nothing is weighted."""
    before = max((abs(c.before) for c in covariates if math.isfinite(c.before)), default=None)
    held = _largest([c for c in covariates if c.conditioned])
    shown = _largest([c for c in covariates if not c.conditioned])
    passed, reason = _verdict(held, shown, before)
    numbers: dict[str, int | float] = {"needed": ALIKE}
    numbers |= {name: value for name, value in (("before", before), ("after", held), ("beyond", shown)) if value is not None}
    return CheckResult(
        name="balance",
        threat="comparison",
        passed=passed,
        reason=reason,
        numbers=numbers,
        statistic=before if held is None else held,
        table=Table(columns=COLUMNS, rows=tuple(_row(c, n_firms) for c in covariates)),
        figure="balance",
    )


def _largest(covariates: list[Covariate]) -> float | None:
    """The largest difference left; infinity where a covariate cannot be balanced, None where nothing is weighted."""
    left = [abs(c.after) for c in covariates if c.after is not None and math.isfinite(c.after)]
    return max(left) if left else None


def _verdict(held: float | None, shown: float | None, before: float | None) -> tuple[bool | None, str]:
    if held is None:
        return None, "balance_unknown" if before is None else "balance_before_only"
    if held >= ALIKE:
        return False, "balance_not_reached"
    if shown is not None and shown >= ALIKE:
        return None, "balance_beyond"
    return True, "balance_reached"


def _row(c: Covariate, n_firms: int) -> Row:
    values: dict[str, Value] = {
        "before": c.before,
        "after": c.after,
        "after_entropy": c.after_entropy,
        "variance_ratio": c.ratio if math.isfinite(c.ratio) else None,
        "conditioned": c.conditioned,
    }
    return Row(key=c.key, values=values, n_firms=n_firms, label=c.label)
