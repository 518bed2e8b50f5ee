"""Whether a few extreme values make the estimate.

The outcome's level is drawn in (winsorised) or taken out (trimmed) at its outer quantiles of each year, before any logarithm is
taken, and the headline is estimated again. Trimming an outcome selects on it, and is shown because readers ask for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable

from .intervals import INTERVAL, firms_of, interval_of, is_known
from .protocol import CheckResult, Row, Table

MOST_ERRORS = 1.0
"""Standard errors of the headline by which a variant may move it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TailRow:
    """The headline with outer values altered, and the share of known firm-years that were."""

    key: str
    estimate: Estimate | Unavailable
    share_altered: float


def check_winsorising(headline: Estimate, variants: Sequence[TailRow]) -> CheckResult:
    """Every variant against the headline."""
    rows = (TailRow(key="headline", estimate=headline, share_altered=0.0), *variants)
    table = Table(columns=(*INTERVAL, "share_altered"), rows=tuple(_row(row) for row in rows))
    if not is_known(headline) or not all(is_known(row.estimate) for row in variants):
        return CheckResult(
            name="winsorising", threat="measurement", passed=None, reason="tails_untested", table=table, figure="intervals"
        )
    own, error = float(headline.estimate), float(headline.std_error)
    other = [_value(row.estimate) for row in variants]
    furthest = max(other, key=lambda value: abs(value - own))
    moved = abs(furthest - own) / error
    same_sign = all(value * own > 0.0 for value in other)
    stable = moved <= MOST_ERRORS and same_sign
    return CheckResult(
        name="winsorising",
        threat="measurement",
        passed=stable,
        reason="tails_do_not_matter" if stable else "tails_matter",
        numbers={"estimate": own, "furthest": furthest, "moved": moved, "allowed": MOST_ERRORS},
        statistic=moved,
        table=table,
        figure="intervals",
    )


def _value(estimate: Estimate | Unavailable) -> float:
    return float(estimate if isinstance(estimate, Unavailable) else estimate.estimate)


def _row(row: TailRow) -> Row:
    return Row(
        key=row.key, values={**interval_of(row.estimate), "share_altered": row.share_altered}, n_firms=firms_of(row.estimate)
    )
