"""Whether treated and comparison firms leave the data at different rates, and what that could make of the estimate.

Leaving the data is not closing down: a frame of firms above a scale loses those that shrink below it. If treatment keeps
firms in, the survivors differ; Lee's bounds say how far the average effect on firms that stay either way can then lie.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.lee_bounds import LeeBounds

from .protocol import CheckResult, Row, Table
from .sizes import SMALL_COHORT

SMALL_DIFFERENCE = 0.01
"""Difference in the share still observed that does not matter."""

COLUMNS = ("share_treated", "share_comparison", "estimate", "conf_low", "conf_high", "n_treated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """Shares still observed at an event time, the interval of their difference, and treated firms at risk and gone."""

    time: int
    share_treated: float
    share_comparison: float
    conf_low: float
    conf_high: float
    n_treated: int
    n_left: int

    @property
    def difference(self) -> float:
        """Share of the treated less that of the comparison."""
        return self.share_treated - self.share_comparison

    @property
    def alike(self) -> bool:
        """A difference that is small or not told from zero."""
        return abs(self.difference) < SMALL_DIFFERENCE or self.conf_low <= 0.0 <= self.conf_high


def check_attrition(headline: Estimate, survival: Sequence[Survival], bounds: LeeBounds | Unavailable) -> CheckResult:
    """Failed if the bounds cover zero while the estimate's interval does not; passed if firms leave alike and they do not."""
    if all(s.share_treated == s.share_comparison == 1.0 for s in survival):
        return CheckResult(name="attrition", threat="design", passed=None, reason="attrition_none")
    table = Table(columns=COLUMNS, rows=(*(_survival_row(s) for s in survival), *_bound_rows(bounds, survival)))
    last = survival[-1]
    if isinstance(bounds, Unavailable) or not math.isfinite(bounds.lower):
        return CheckResult(name="attrition", threat="design", passed=None, reason="attrition_unknown", table=table)
    told = headline.conf_low > 0.0 or headline.conf_high < 0.0
    lost = told and bounds.lower <= 0.0 <= bounds.upper
    alike = all(s.alike for s in survival)
    quiet = any(0 < s.n_left < SMALL_COHORT for s in survival)
    numbers: dict[str, int | float] = {"lower": bounds.lower, "upper": bounds.upper, "difference": last.difference}
    return CheckResult(
        name="attrition",
        threat="design",
        passed=False if lost else (True if alike else None),
        reason=_reason(lost, alike, quiet),
        numbers={} if quiet else numbers,
        statistic=None if quiet else last.difference,
        table=table,
        figure="intervals",
    )


def _reason(lost: bool, alike: bool, quiet: bool) -> str:
    """The verdict; without numbers where few treated firms left, whose number they would tell."""
    if quiet:
        return "attrition_few_decides" if lost else "attrition_few"
    if lost:
        return "attrition_decides"
    return "attrition_alike" if alike else "attrition_differs"


def _survival_row(s: Survival) -> Row:
    return Row(
        key=str(s.time),
        values={
            "share_treated": s.share_treated,
            "share_comparison": s.share_comparison,
            "estimate": s.difference,
            "conf_low": s.conf_low,
            "conf_high": s.conf_high,
            "n_treated": s.n_treated,
        },
        n_firms=min(s.n_treated, s.n_left) if s.n_left else s.n_treated,
    )


def _bound_rows(bounds: LeeBounds | Unavailable, survival: Sequence[Survival]) -> tuple[Row, ...]:
    """The difference among survivors as they are between its bounds, and between the ends of their confidence interval."""
    if isinstance(bounds, Unavailable):
        return ()
    fewest = min(n for s in survival for n in (s.n_treated, s.n_left) if n)
    ends = {"bounds": (bounds.lower, bounds.upper), "bounds_interval": (bounds.conf_low, bounds.conf_high)}
    empty = dict.fromkeys(("share_treated", "share_comparison"))
    return tuple(
        Row(
            key=key,
            values={
                **empty,
                "estimate": bounds.untrimmed,
                "conf_low": low,
                "conf_high": high,
                "n_treated": max(s.n_treated for s in survival),
            },
            n_firms=fewest,
        )
        for key, (low, high) in ends.items()
    )
