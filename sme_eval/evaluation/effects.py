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
from .record import EventStudyRecord, EventTimeRecord, TestRecord
from .record_base import EffectRecord, IntervalRecord, Number

if TYPE_CHECKING:
    from sme_eval.panel.truth import Truth
    from sme_eval.policies.policy import Policy
    from sme_eval.policies.rules import Gain

    from .fitting import Fitted

BAND_DRAWS = 9_999
"""Draws behind a simultaneous band; cheap, because they come from N(0, V)."""
BAND_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How an outcome's effects are told: log or level, and the truth of a simulation for firms entering in `start`.

    `estimand` is the gain that the policy asks for.
    """

    outcome: str
    log: bool
    truth: Truth | None
    start: str
    estimand: Gain = "own"

    @classmethod
    def of(cls, policy: Policy, panel: FirmPanel, outcome: str, start: str = "") -> Scale:
        """The scale of one outcome of a panel, for entry by the policy's own column or by another one.

        A simulation may not know the gain that is asked for: then there is no truth to set beside the estimate.
        """
        begin, truth, estimand = start or policy.treatment.cohort, panel.truth, policy.treatment.estimand
        known = truth is not None and truth.knows(outcome, begin, estimand)
        return cls(
            outcome=outcome,
            log=policy.outcome(outcome).scale == "log",
            truth=truth if known else None,
            start=begin,
            estimand=estimand,
        )

    def percent(self, value: Number) -> Number:
        """100 (e^β − 1)."""
        return value if isinstance(value, Unavailable) else 100.0 * math.expm1(value)

    def percent_interval(self, estimate: Number, low: Number, high: Number) -> IntervalRecord | None:
        """The same in per cent; None where the outcome is no logarithm."""
        if not self.log:
            return None
        return IntervalRecord(estimate=self.percent(estimate), conf_low=self.percent(low), conf_high=self.percent(high))

    def true_average(self, fitted: Fitted) -> float | None:
        """The true gain that is asked for, averaged as an estimator averages."""
        if self.truth is None or fitted.estimand in ("dose_slope", "separated"):
            return None
        if fitted.estimand in ("event_average", "landmark", "before_after") and fitted.by_event_time is not None:
            times = [e for e in fitted.by_event_time.keys["event_time"] if e >= 0]
            by_time = self.truth.by_event_time(self.outcome, start=self.start, estimand=self.estimand)
            return float(np.mean([by_time[e] for e in times]))
        return self.truth.average(self.outcome, start=self.start, estimand=self.estimand)

    def true_by_event_time(self, times: tuple[int, ...], *, varying: bool) -> dict[int, float]:
        """The true gain by event time; before entry earlier lists make it differ from zero. A varying base gives yearly changes."""
        if self.truth is None:
            return {}
        leads = (min(times) - 1, -1)
        found = self.truth.by_event_time(self.outcome, start=self.start, estimand=self.estimand, leads=leads)
        if not varying:
            return found
        return {e: value if e >= 0 else value - found.get(e - 1, 0.0) for e, value in found.items()}

    def true_by_cohort(self, window: tuple[int, int] | None) -> dict[int, float]:
        """The true gain by cohort, over the event times of `window` or all from entry on."""
        if self.truth is None:
            return {}
        cohorts = np.unique(self.truth.starts[self.start][self.truth.begun(self.start)])
        return {int(g): self._true_cohort(self.truth, int(g), window) for g in cohorts}

    def _true_cohort(self, truth: Truth, cohort: int, window: tuple[int, int] | None) -> float:
        return truth.average(self.outcome, start=self.start, estimand=self.estimand, event_time=window, cohort=cohort)


def number(value: float | Unavailable, reason: str = "not estimated") -> Number:
    """A finite float, or the reason why there is none."""
    if isinstance(value, Unavailable) or math.isfinite(value):
        return value
    return Unavailable(reason)


def effect_record(
    key: str, outcome: str, fitted: Fitted, scale: Scale, *, truth: float | None = None, role: str | None = None
) -> EffectRecord:
    """One average effect; `truth` where the estimator aims at something else than the scale's own average."""
    overall = fitted.overall
    reason = overall.estimate.reason if isinstance(overall.estimate, Unavailable) else "not estimated"
    low, high = number(overall.conf_low, reason), number(overall.conf_high, reason)
    truth = scale.true_average(fitted) if truth is None else truth
    return EffectRecord(
        key=key,
        outcome=outcome,
        estimator=describe(fitted.estimator, fitted.covariates),
        estimand=fitted.estimand,
        estimate=overall.estimate,
        std_error=overall.std_error,
        p_value=number(overall.p_value, reason),
        conf_low=low,
        conf_high=high,
        level=overall.level,
        percent=scale.percent_interval(overall.estimate, low, high),
        n_firms=overall.n_firms,
        n_treated=overall.n_treated,
        n_observations=overall.n_observations,
        n_clusters=overall.n_clusters,
        truth=truth,
        truth_percent=None if truth is None or not scale.log else 100.0 * math.expm1(truth),
        covers_truth=None if truth is None or isinstance(overall.estimate, Unavailable) else _covers(overall, truth),
        role=role,
    )


def _covers(overall: Estimate, truth: float) -> bool:
    return overall.conf_low <= truth <= overall.conf_high


def event_study_record(fitted: Fitted, scale: Scale) -> EventStudyRecord:
    """Effects by event time with pointwise intervals and the simultaneous band."""
    effects = fitted.by_event_time
    if effects is None:
        raise AssertionError("an event study has effects by event time")
    times = effects.keys["event_time"]
    level = effects.basis.level
    critical = effects.critical_value(level, simultaneous=True, draws=BAND_DRAWS, seed=BAND_SEED)
    test = effects.joint_test(np.asarray(times) <= fitted.last_lead)
    varying = str(getattr(fitted.estimator, "base_period", "universal")) == "varying"
    truth = {} if fitted.estimand == "dose_slope" else scale.true_by_event_time(times, varying=varying)
    return EventStudyRecord(
        estimator=describe(fitted.estimator, fitted.covariates),
        rows=tuple(_event_time(effects, j, critical, truth) for j in range(len(times))),
        pretrend=test_record(test),
        level=level,
        band_draws=BAND_DRAWS,
        band_critical_value=critical,
        last_lead=fitted.last_lead,
    )


def test_record(test: JointTest | Unavailable) -> TestRecord | Unavailable:
    """A joint test, or why there is none."""
    if isinstance(test, Unavailable):
        return test
    return TestRecord(statistic=test.statistic, restrictions=test.restrictions, p_value=test.p_value)


test_record.__test__ = False  # type: ignore[attr-defined]  # pytest would take the name for a test


def _event_time(effects: Effects, j: int, critical: float, truth: dict[int, float]) -> EventTimeRecord:
    row, time = effects.row(j), effects.keys["event_time"][j]
    reference = effects.notes[j] == "reference" or (math.isfinite(effects.estimate[j]) and not math.isfinite(effects.std_error[j]))
    reason = "reference: fixed at zero" if reference else "not estimated"
    half = critical * float(effects.std_error[j])
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
        truth=truth.get(time, 0.0) if truth else None,
    )
