"""Whether the result rests on one cohort, district or industry: the headline without each of them in turn.

Assumes nothing beyond the headline; where effects truly differ between units, leaving one out moves the average for that reason
alone, so that a failure says "rests on that unit", not "is wrong".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable

from .protocol import CheckResult, Table
from .shifts import SHIFT_COLUMNS, LeftOut, allowed_shift, largest, shift_of, shift_row, turns

Unit = Literal["cohort", "district", "industry"]

NAMES: Final[Mapping[Unit, str]] = {
    "cohort": "leave_one_out_cohort",
    "district": "leave_one_out_district",
    "industry": "leave_one_out_industry",
}


def check_leave_one_out(unit: Unit, headline: Estimate, without: Sequence[LeftOut]) -> CheckResult:
    """Passed if no unit left out turns the sign of an estimate told from zero or shifts it by more than `allowed_shift`.

    Informative where fewer than two refits exist. The sentence quotes units of enough firms only; the verdict counts all.
    """
    known = [left for left in without if not isinstance(left.estimate, Unavailable)]
    told = [left.value for left in known if left.tellable]
    table = Table(columns=SHIFT_COLUMNS, rows=tuple(shift_row(headline, left) for left in without))
    if len(known) < 2 or not told:
        return CheckResult(
            name=NAMES[unit], threat="design", passed=None, reason="leave_one_out_unknown", table=table, figure="intervals"
        )
    allowed = allowed_shift(len(known))
    moved = [left for left in known if abs(shift_of(headline, left)) > allowed or turns(headline, left)]
    return CheckResult(
        name=NAMES[unit],
        threat="design",
        passed=not moved,
        reason="leave_one_out_moves" if moved else "leave_one_out_stable",
        numbers={
            "n_units": len(known),
            "n_moved": len(moved),
            "lowest": min(told),
            "highest": max(told),
            "allowed": allowed,
        },
        statistic=largest([shift_of(headline, left) for left in known if left.tellable]),
        table=table,
        figure="intervals",
    )
