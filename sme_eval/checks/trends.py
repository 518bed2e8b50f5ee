"""Whether treated and comparison firms moved together before treatment.

The joint test asks whether all effects before treatment are zero. Not rejecting is no proof: it may be for want of power.
So the mean yearly drift before treatment is also held against the smallest effect of interest: carried over `DRIFT_YEARS`
years it must not explain half of it. Assumes that a drift before treatment would go on after it.
"""

from __future__ import annotations

import numpy as np

from sme_eval.results.effects import Effects
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import JointTest

from .protocol import CheckResult

TREND_ALPHA = 0.05
"""Joint test level below which trends count as different."""

DRIFT_YEARS = 2.0
"""Mean distance in years of the first effects after treatment from the base year."""

DRIFT_MARGIN = 0.84
"""Standard errors added to the drift: the 80 % point of the normal, so that an imprecise drift does not pass."""

DRIFT_SHARE = 0.5
"""Share of the smallest effect of interest that the drift may make."""


def check_trends(test: JointTest | Unavailable) -> CheckResult:
    """Joint test of the effects before treatment."""
    if isinstance(test, Unavailable):
        return CheckResult(name="trends", passed=None, reason="trends_untestable")
    rejected = test.p_value <= TREND_ALPHA
    return CheckResult(
        name="trends",
        passed=not rejected,
        reason="trends_rejected" if rejected else "trends_not_rejected",
        numbers={"statistic": test.statistic, "restrictions": test.restrictions, "p_value": test.p_value},
    )


def check_drift(effects: Effects, base_period: str, smallest_effect: float | None) -> CheckResult:
    """Mean yearly drift before treatment against the smallest effect of interest.

    With a varying base the effects before treatment are yearly changes and their mean is the drift. With a fixed base they are
    levels relative to the base year, and the drift is the least-squares slope through that base.
    """
    time = np.asarray(effects.keys["event_time"], dtype=np.float64)
    leads = (time < 0) & np.isfinite(effects.estimate) & (np.diag(effects.covariance) > 0.0)
    if not leads.any() or not smallest_effect:
        return CheckResult(name="drift", passed=None, reason="drift_unknown")
    distance = np.ones(int(leads.sum())) if base_period == "varying" else time[leads] + 1.0
    if not (distance**2).sum():
        return CheckResult(name="drift", passed=None, reason="drift_unknown")
    weight = distance / (distance**2).sum()
    drift = float(weight @ effects.estimate[leads])
    error = float(np.sqrt(weight @ effects.covariance[np.ix_(leads, leads)] @ weight))
    reach = DRIFT_YEARS * (abs(drift) + DRIFT_MARGIN * error)
    small = reach <= DRIFT_SHARE * smallest_effect
    return CheckResult(
        name="drift",
        passed=small,
        reason="drift_small" if small else "drift_not_excluded",
        numbers={"drift": drift, "std_error": error, "reach": reach, "allowed": DRIFT_SHARE * smallest_effect},
    )
