"""Whether the effect is one of the scale on which the outcome is measured.

A logarithm, the inverse hyperbolic sine and ln(1 + x) agree while every value is far above one; with zeros the last two depend on
the unit in which x is counted, and can be made to say anything: with zeros there is no scale-free average effect in per cent.
A Poisson regression estimates the effect on the mean of the level. It weighs large firms more than a logarithm does, so the two
differ if effects differ by size, or if the spread of the logs moves with treatment. Compared like with like: the same rows, the
same firm and (label ×) year effects. Those two-way regressions are no headline: they do not condition on past growth.
Source: Chen and Roth (2024); Santos Silva and Tenreyro (2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable

from .intervals import INTERVAL, firms_of, interval_of, percent_of
from .protocol import CheckResult, Row, Table, Value

SCALE_ERRORS = 2.0
"""Standard errors of their difference by which the log and the Poisson estimate may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleRow:
    """One estimate of the same effect; `log_like` ones are read in per cent, a share of firms is not."""

    key: str
    estimate: Estimate | Unavailable
    log_like: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAndPoisson:
    """Two-way estimates on the same rows, and the standard error of their difference, which counts that the firms are the same."""

    log: float
    poisson: float
    std_error: float


def check_outcome_scale(
    rows: Sequence[ScaleRow], unit_rows: Sequence[ScaleRow], both: LogAndPoisson | Unavailable, share_zeros: float
) -> CheckResult:
    """`rows` are the estimates, `unit_rows` those on scales that depend on the unit, `share_zeros` of the known firm-years."""
    numbers: dict[str, int | float] = {"share_zeros": share_zeros, **_range(unit_rows)}
    table = Table(columns=(*INTERVAL, "percent"), rows=tuple(_row(row) for row in (*rows, *unit_rows)))
    if share_zeros > 0.0 and "percent_lowest" in numbers:
        return CheckResult(
            name="outcome_scale",
            threat="measurement",
            passed=None,
            reason="scales_zeros",
            numbers=numbers,
            table=table,
            figure="intervals",
        )
    if isinstance(both, Unavailable) or "percent_lowest" not in numbers:
        return CheckResult(
            name="outcome_scale", threat="measurement", passed=None, reason="scales_untested", table=table, figure="intervals"
        )
    difference = both.poisson - both.log
    agree = abs(difference) <= SCALE_ERRORS * both.std_error
    return CheckResult(
        name="outcome_scale",
        threat="measurement",
        passed=agree,
        reason="scales_agree" if agree else "scales_differ",
        numbers={
            **numbers,
            "log": both.log,
            "poisson": both.poisson,
            "difference": difference,
            "std_error": both.std_error,
        },
        statistic=difference / both.std_error if both.std_error else None,
        table=table,
        figure="intervals",
    )


def _row(row: ScaleRow) -> Row:
    percent: Value = percent_of(row.estimate) if row.log_like else None
    return Row(key=row.key, values={**interval_of(row.estimate), "percent": percent}, n_firms=firms_of(row.estimate))


def _range(rows: Sequence[ScaleRow]) -> dict[str, float]:
    """What the per cent would be, at least and at most, on scales that depend on the unit."""
    told = [percent for percent in (percent_of(row.estimate) for row in rows) if isinstance(percent, float)]
    return {"percent_lowest": min(told), "percent_highest": max(told)} if told else {}
