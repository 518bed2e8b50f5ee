"""Whether firms report more of what they are rewarded for than an independent measure finds.

The same design on an outcome as firms report it and on a better measured twin. A reward for spending invites relabelling: of the
reported effect the share 1 − (measured effect ÷ reported effect) is then a change of names. About a quarter of the research
spending that a tax notch brought forth in China was relabelled: Chen, Liu, Suárez Serrato and Xu (2021). Assumes that the twin is
not relabelled itself, and that its errors do not move with treatment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import critical_value

from .intervals import INTERVAL, firms_of, interval_of, is_known
from .protocol import CheckResult, Row, Table, Value

CLEAR_LEVEL = 0.95
"""Level of the normal intervals that must exclude zero: of the difference to say that the measures differ, of the reported effect
to divide by it."""

COLUMNS = (*INTERVAL, "share_relabelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPair:
    """One outcome as reported and as measured better: labels (Chinese, English), effects, and the error of their difference.

    `joint` says that the error counts that the firms are the same; without, it is the sum of both errors, the most it can be.
    """

    labels: tuple[tuple[str, str], tuple[str, str]]
    reported: Estimate | Unavailable
    measured: Estimate | Unavailable
    std_error: float
    joint: bool

    @property
    def difference(self) -> float:
        """Reported less measured; NaN without either."""
        return _number(self.reported) - _number(self.measured)

    @property
    def statistic(self) -> float:
        """The difference in standard errors; zero where the two measures are one."""
        return self.difference / self.std_error if self.std_error else 0.0

    @property
    def differs(self) -> bool:
        """Whether the difference is clearly not zero."""
        return abs(self.difference) > critical_value(CLEAR_LEVEL, math.inf) * self.std_error

    @property
    def relabelled(self) -> float | None:
        """Share of the reported effect that the better measure does not find; None where the reported effect may be zero."""
        if isinstance(self.reported, Unavailable) or not math.isfinite(self.difference):
            return None
        value, error = float(self.reported.estimate), float(self.reported.std_error)
        return self.difference / value if abs(value) > critical_value(CLEAR_LEVEL, math.inf) * error else None


def check_reported_measured(pairs: Sequence[MeasuredPair]) -> CheckResult:
    """All pairs in one table; the sentence is about the one whose measures differ most, in standard errors."""
    table = Table(columns=COLUMNS, rows=tuple(row for pair in pairs for row in _rows(pair)))
    known = [p for p in pairs if is_known(p.reported) and is_known(p.measured) and math.isfinite(p.std_error)]
    if not known:
        return CheckResult(
            name="reported_measured", threat="measurement", passed=None, reason="measured_unknown", table=table, figure="intervals"
        )
    most = max(known, key=lambda pair: abs(pair.statistic))
    numbers: dict[str, int | float] = {
        "reported": _number(most.reported),
        "measured": _number(most.measured),
        "difference": most.difference,
        "std_error": most.std_error,
    }
    share = most.relabelled if most.differs else None
    if share is None:
        return CheckResult(
            name="reported_measured",
            threat="measurement",
            passed=None,
            reason="measured_differ" if most.differs else "measured_agree",
            numbers=numbers,
            statistic=most.statistic,
            table=table,
            figure="intervals",
        )
    return CheckResult(
        name="reported_measured",
        threat="measurement",
        passed=None,
        reason="measured_relabelled",
        numbers={**numbers, "share_relabelled": share},
        statistic=most.statistic,
        table=table,
        figure="intervals",
    )


def _rows(pair: MeasuredPair) -> tuple[Row, Row, Row]:
    (zh, en), (other_zh, other_en) = pair.labels
    bound_zh, bound_en = ("", "") if pair.joint else ("（标准误取上限）", " (error: its upper bound)")
    half = critical_value(CLEAR_LEVEL, math.inf) * pair.std_error
    gap: dict[str, Value] = {
        "estimate": pair.difference,
        "std_error": pair.std_error,
        "conf_low": pair.difference - half,
        "conf_high": pair.difference + half,
        "share_relabelled": pair.relabelled,
    }
    firms = [n for n in (firms_of(pair.reported), firms_of(pair.measured)) if n is not None]
    return (
        Row(
            key="reported",
            label=(zh, en),
            values={**interval_of(pair.reported), "share_relabelled": None},
            n_firms=firms_of(pair.reported),
        ),
        Row(
            key="measured",
            label=(other_zh, other_en),
            values={**interval_of(pair.measured), "share_relabelled": None},
            n_firms=firms_of(pair.measured),
        ),
        Row(
            key="difference",
            label=(f"两者之差：{zh}{bound_zh}", f"difference: {en}{bound_en}"),
            values=gap,
            n_firms=min(firms, default=None),
        ),
    )


def _number(estimate: Estimate | Unavailable) -> float:
    return math.nan if isinstance(estimate, Unavailable) else float(estimate.estimate)
