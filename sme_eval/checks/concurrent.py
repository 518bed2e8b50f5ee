"""Whether another policy in the same years makes the result: its firms left out, treated and comparison alike.

Leaving out the other policy's firms conditions on something that may itself follow from treatment (certified firms apply for more);
the shares that entered it beside say how much could be at stake: only what treated firms entered more than comparison firms biases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable

from .protocol import CheckResult, Row, Table
from .shifts import SHIFT_COLUMNS, LeftOut, allowed_shift, largest, shift_of, shift_row, turns

COLUMNS = (*SHIFT_COLUMNS, "share_treated", "share_comparison")

ALL_TOGETHER = "all_together"
"""Key of the row without the firms of any other policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPolicy:
    """The headline without one policy's firms, and the shares of treated and comparison firms that entered it in the window."""

    without: LeftOut
    share_treated: float
    share_comparison: float

    @property
    def more(self) -> float:
        """By how much more treated than comparison firms entered it."""
        return self.share_treated - self.share_comparison


def check_concurrent(headline: Estimate, others: Sequence[OtherPolicy]) -> CheckResult:
    """Passed if no exclusion turns the sign of an estimate told from zero or shifts it by more than `allowed_shift`."""
    rows = tuple(_row(headline, other) for other in others)
    table = Table(columns=COLUMNS, rows=rows)
    known = [other for other in others if not isinstance(other.without.estimate, Unavailable)]
    if not known:
        return CheckResult(
            name="concurrent", threat="design", passed=None, reason="concurrent_unknown", table=table, figure="intervals"
        )
    allowed = allowed_shift(len(known))
    moved = [o for o in known if abs(shift_of(headline, o.without)) > allowed or turns(headline, o.without)]
    told = [o for o in known if o.without.tellable]
    numbers: dict[str, int | float] = {"n_policies": len(known), "n_moved": len(moved), "allowed": allowed}
    if told:
        numbers["most_more"] = max((o.more for o in told), key=abs)
    return CheckResult(
        name="concurrent",
        threat="design",
        passed=not moved,
        reason=_reason(bool(moved), bool(told)),
        numbers=numbers,
        statistic=largest([shift_of(headline, o.without) for o in told]),
        table=table,
        figure="intervals",
    )


def _reason(moved: bool, told: bool) -> str:
    """The verdict; without the difference in exposure where it would tell of few firms."""
    if told:
        return "concurrent_moves" if moved else "concurrent_stable"
    return "concurrent_moves_few" if moved else "concurrent_stable_few"


def _row(headline: Estimate, other: OtherPolicy) -> Row:
    row = shift_row(headline, other.without)
    shares = {"share_treated": other.share_treated, "share_comparison": other.share_comparison}
    return Row(key=row.key, label=row.label, values={**row.values, **shares}, n_firms=row.n_firms)
