"""Estimates as records: with their per-cent form where the outcome is a log, and with the truth where it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import JointTest

from .design import describe
from .record import EffectRecord, EventStudyRecord, EventTimeRecord, IntervalRecord, Number, TestRecord

if TYPE_CHECKING:
    from sme_eval.panel.truth import Truth

    from .evaluate import Fitted

BAND_DRAWS = 9_999
"""Draws behind a simultaneous band; cheap, because they come from N(0, V)."""
BAND_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How an outcome's effects are told: log or level, and the truth of a simulation."""

    outcome: str
    log: bool
    truth: Truth | None

    @classmethod
    def of(cls, scale: str, panel: FirmPanel, outcome: str) -> Scale:
        """The scale of one outcome of a panel."""
        truth = panel.truth if panel.truth is not None and outcome in panel.truth.outcomes else None
        return cls(outcome=outcome, log=scale == "log", truth=truth)

    def percent(self, value: Number) -> Number:
        """100 (e^β − 1)."""
        return value if isinstance(value, Unavailable) else 100.0 * math.expm1(value)

    def true_average(self, estimand: str) -> float | None:
        """The true effect an estimator aims at: per treated firm and year, or averaged over event times."""
        if self.truth is None:
            return None
        if estimand == "event_average":
            return float(np.mean(list(self.truth.by_event_time(self.outcome).values())))
        return self.truth.average(self.outcome)


def number(value: float | Unavailable, reason: str = "not estimated") -> Number:
    """A finite float, or the reason why there is none."""
    if isinstance(value, Unavailable) or math.isfinite(value):
        return value
    return Unavailable(reason)


def effect_record(key: str, outcome: str, fitted: Fitted, scale: Scale) -> EffectRecord:
    """One average effect."""
    overall = fitted.overall
    reason = overall.estimate.reason if isinstance(overall.estimate, Unavailable) else "not estimated"
    low, high = number(overall.conf_low, reason), number(overall.conf_high, reason)
    truth = scale.true_average(fitted.estimand)
    percent = None
    if scale.log:
        percent = IntervalRecord(
            estimate=scale.percent(overall.estimate), conf_low=scale.percent(low), conf_high=scale.percent(high)
        )
    return EffectRecord(
        key=key,
        outcome=outcome,
        estimator=describe(fitted.estimator),
        estimand=fitted.estimand,
        estimate=overall.estimate,
        std_error=overall.std_error,
        p_value=number(overall.p_value, reason),
        conf_low=low,
        conf_high=high,
        level=overall.level,
        percent=percent,
        n_firms=overall.n_firms,
        n_treated=overall.n_treated,
        n_observations=overall.n_observations,
        n_clusters=overall.n_clusters,
        truth=truth,
        truth_percent=None if truth is None or not scale.log else 100.0 * math.expm1(truth),
        covers_truth=None if truth is None or isinstance(overall.estimate, Unavailable) else _covers(overall, truth),
    )


def _covers(overall: Estimate, truth: float) -> bool:
    return overall.conf_low <= truth <= overall.conf_high


def event_study_record(fitted: Fitted, scale: Scale) -> EventStudyRecord:
    """Effects by event time with pointwise intervals and the simultaneous band."""
    effects = fitted.by_event_time
    if effects is None:
        raise AssertionError("an event study has effects by event time")
    times = effects.keys["event_time"]
    anticipation = int(getattr(fitted.estimator, "anticipation", 0))
    level = effects.basis.level
    critical = effects.critical_value(level, simultaneous=True, draws=BAND_DRAWS, seed=BAND_SEED)
    test = effects.joint_test(np.asarray(times) < -anticipation)
    return EventStudyRecord(
        estimator=describe(fitted.estimator),
        rows=tuple(_event_time(effects, j, critical, scale) for j in range(len(times))),
        pretrend=test_record(test),
        level=level,
        band_draws=BAND_DRAWS,
        band_critical_value=critical,
    )


def test_record(test: JointTest | Unavailable) -> TestRecord | Unavailable:
    """A joint test, or why there is none."""
    if isinstance(test, Unavailable):
        return test
    return TestRecord(statistic=test.statistic, restrictions=test.restrictions, p_value=test.p_value)


test_record.__test__ = False  # type: ignore[attr-defined]  # pytest would take the name for a test


def _event_time(effects: Effects, j: int, critical: float, scale: Scale) -> EventTimeRecord:
    row, time = effects.row(j), effects.keys["event_time"][j]
    reference = effects.notes[j] == "reference" or (math.isfinite(effects.estimate[j]) and not math.isfinite(effects.std_error[j]))
    reason = "reference: fixed at zero" if reference else "not estimated"
    half = critical * float(effects.std_error[j])
    truth = None
    if scale.truth is not None:
        truth = scale.truth.by_event_time(scale.outcome).get(time, 0.0)
    return EventTimeRecord(
        event_time=time,
        estimate=number(row.estimate),
        std_error=number(row.std_error, reason),
        conf_low=number(row.conf_low, reason),
        conf_high=number(row.conf_high, reason),
        band_low=number(float(row.estimate) - half, reason),
        band_high=number(float(row.estimate) + half, reason),
        n_treated=effects.n_treated[j],
        is_reference=reference,
        truth=truth,
    )
