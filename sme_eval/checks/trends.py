"""Whether treated and comparison firms moved together before treatment.

The joint test asks whether all effects before treatment are zero. Not rejecting is no proof: it may be for want of power.
So the mean yearly drift before treatment is also held against the smallest effect of interest: carried over `DRIFT_YEARS`
years it must not explain half of it. Assumes that a drift before treatment would go on after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.results.effects import Effects
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray
from sme_eval.stats.inference import JointTest, critical_value
from sme_eval.stats.least_squares import scaled_pseudoinverse

from .protocol import CheckResult

TREND_ALPHA = 0.05
"""Joint test level below which trends count as different."""

TREND_ALPHA_GIVEN_GROWTH = 0.01
"""The same where past growth is conditioned on: there the drift's bound does the work, and the test stops gross failures only."""

DRIFT_YEARS = 2.0
"""Mean distance in years of the first effects after treatment from the base year."""

DRIFT_MARGIN = 0.84
"""Standard errors added to the drift: the 80 % point of the normal, so that an imprecise drift does not pass."""

DRIFT_SHARE = 0.5
"""Share of the smallest effect of interest that the drift may make."""

EQUIVALENCE_LEVEL = 0.9
"""Level of the drift's printed interval: two one-sided tests at 5 % find it within bounds that hold this interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Yearly drift before treatment, and what it could make of the effect if it went on."""

    slope: float
    std_error: float

    @property
    def reach(self) -> float:
        """The drift with its margin, carried over `DRIFT_YEARS`."""
        return DRIFT_YEARS * (abs(self.slope) + DRIFT_MARGIN * self.std_error)


def check_trends(test: JointTest | Unavailable, alpha: float = TREND_ALPHA) -> CheckResult:
    """Joint test of the effects before treatment."""
    if isinstance(test, Unavailable):
        return CheckResult(name="trends", threat="trends", passed=None, reason="trends_untestable")
    rejected = test.p_value <= alpha
    return CheckResult(
        name="trends",
        threat="trends",
        passed=not rejected,
        reason="trends_rejected" if rejected else "trends_not_rejected",
        numbers={"statistic": test.statistic, "restrictions": test.restrictions, "p_value": test.p_value},
        statistic=test.p_value,
    )


def drift_of(effects: Effects, leads: BoolArray, base_period: str) -> Drift | None:
    """Generalised least squares of the `leads` (marked among the effects) on time; None without a usable lead.

    With a varying base the effects before treatment are yearly changes and their mean is the drift. With a fixed base they are
    levels relative to the base year, and the drift is the slope through that base.
    """
    time = np.asarray(effects.keys["event_time"], dtype=np.float64)
    used = leads & (time < 0) & np.isfinite(effects.estimate) & (np.diag(effects.covariance) > 0.0)
    distance = np.ones(int(used.sum())) if base_period == "varying" else time[used] + 1.0
    if not (distance**2).sum():
        return None
    covariance = effects.covariance[np.ix_(used, used)]
    weight = scaled_pseudoinverse(covariance) @ distance
    weight /= weight @ distance
    return Drift(slope=float(weight @ effects.estimate[used]), std_error=float(np.sqrt(weight @ covariance @ weight)))


def check_drift(drift: Drift | None, smallest_effect: float | None) -> CheckResult:
    """Yearly drift before treatment against the smallest effect of interest."""
    if drift is None or not smallest_effect:
        return CheckResult(name="drift", threat="trends", passed=None, reason="drift_unknown")
    allowed = DRIFT_SHARE * smallest_effect
    small = drift.reach <= allowed
    half = critical_value(EQUIVALENCE_LEVEL, np.inf) * drift.std_error
    return CheckResult(
        name="drift",
        threat="trends",
        passed=small,
        reason="drift_small" if small else "drift_not_excluded",
        numbers={
            "drift": drift.slope,
            "std_error": drift.std_error,
            "reach": drift.reach,
            "allowed": allowed,
            "level": EQUIVALENCE_LEVEL,
            "conf_low": drift.slope - half,
            "conf_high": drift.slope + half,
        },
        statistic=drift.reach,
    )
