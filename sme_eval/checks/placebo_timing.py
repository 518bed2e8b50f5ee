"""Effects of an entry that had not happened yet: treatment pretended some years early, on data before it only.

With parallel trends (given what is conditioned on) every such effect is zero. Several dates are tried, so p-values are adjusted by
Holm. A date whose years lie within the growth for which firms were chosen shows that growth, not a trend: it is shown, and not
counted. Not rejecting is no proof, see the power of the test of trends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import critical_value, two_sided_p

from .protocol import CheckResult, Row, Table
from .sizes import SMALL_COHORT

PLACEBO_ALPHA = 0.05
"""Level of the family of counted placebo dates."""
COUNTED, GROWTH_WINDOW, FEW_FIRMS = "counted", "within_growth_window", "few_firms"
"""Why a date counts or not; one that rests on fewer than SMALL_COHORT firms is not trusted either."""
COLUMNS = ("estimate", "std_error", "conf_low", "conf_high", "p_value", "p_value_adjusted", "conditions")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceboDate:
    """Entry pretended so many `years` early: its effect, or why there is none. Dates within the growth window decide nothing."""

    years: int
    estimate: float | Unavailable
    std_error: float | Unavailable
    n_treated: int | None
    within_growth: bool

    @property
    def condition(self) -> str:
        """Whether the date is counted, and why not."""
        if self.within_growth:
            return GROWTH_WINDOW
        return FEW_FIRMS if self.n_treated is not None and self.n_treated < SMALL_COHORT else COUNTED

    @property
    def p_value(self) -> float:
        """Two-sided, normal; NaN without an estimate and its error."""
        if isinstance(self.estimate, Unavailable) or isinstance(self.std_error, Unavailable) or self.std_error <= 0.0:
            return math.nan
        return float(two_sided_p(self.estimate / self.std_error, math.inf))


def check_placebo_timing(dates: Sequence[PlaceboDate], level: float = 0.95) -> CheckResult:
    """Passed if no counted placebo date rejects at PLACEBO_ALPHA after Holm's adjustment; None if none can be tried."""
    p_values = {n: date.p_value for n, date in enumerate(dates) if date.condition == COUNTED and math.isfinite(date.p_value)}
    adjusted = dict(zip(p_values, _holm(list(p_values.values())), strict=True))
    table = Table(columns=COLUMNS, rows=tuple(_row(date, adjusted.get(n), level) for n, date in enumerate(dates)))
    if not adjusted:
        return CheckResult(
            name="placebo_timing", threat="trends", passed=None, reason="placebo_timing_impossible", table=table if dates else None
        )
    smallest = min(adjusted.values())
    passed = smallest > PLACEBO_ALPHA
    return CheckResult(
        name="placebo_timing",
        threat="trends",
        passed=passed,
        reason="placebo_timing_quiet" if passed else "placebo_timing_rejected",
        numbers={"dates": len(adjusted), "p_value": smallest},
        statistic=smallest,
        table=table,
        figure="intervals",
    )


def _holm(p_values: list[float]) -> list[float]:
    """Holm's adjusted p-values."""
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []


def _row(date: PlaceboDate, adjusted: float | None, level: float) -> Row:
    key, condition = f"early_{date.years}", date.condition
    if isinstance(date.estimate, Unavailable) or isinstance(date.std_error, Unavailable):
        reason = date.estimate if isinstance(date.estimate, Unavailable) else date.std_error
        values = {**dict.fromkeys(COLUMNS[:-1], reason), "conditions": condition}
        return Row(key=key, values=values, n_firms=date.n_treated)
    half = critical_value(level, math.inf) * date.std_error
    numbers = (date.estimate, date.std_error, date.estimate - half, date.estimate + half, date.p_value, adjusted)
    return Row(key=key, values=dict(zip(COLUMNS, (*numbers, condition), strict=True)), n_firms=date.n_treated)
