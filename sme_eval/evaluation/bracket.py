"""The bracket: the effect given past growth beside the one without, which err in opposite directions.

Given growth the effect is free of the bump that selection leaves, unless growth itself was chosen for a hidden trend; without
growth it is free of that, unless there is a bump. Where both agree, the hull of their intervals is what may be printed.
"""

from __future__ import annotations

import math

import numpy as np

from sme_eval.checks.trends import DRIFT_SHARE, DRIFT_YEARS, Drift, drift_of
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import critical_value

from .claim import ONE_SIDED, Bracketed
from .effects import Scale
from .fitting import Fitted, leads_of
from .record_base import EffectRecord, Number
from .record_sections import BracketRecord

CONDITIONAL, DOUBLY_ROBUST, UNCONDITIONAL = "conditional", "doubly_robust", "unconditional"


def role_of(estimator: object, headline: object) -> str | None:
    """What a landmark estimator is beside the headline; None for others."""
    if not isinstance(estimator, LandmarkDiD) or not isinstance(headline, LandmarkDiD):
        return None
    if estimator == headline:
        return CONDITIONAL
    if estimator == headline.doubly_robust():
        return DOUBLY_ROBUST
    return UNCONDITIONAL if estimator == headline.unconditional() else None


def bracket_record(
    headline: Fitted, record: EffectRecord, alternatives: tuple[EffectRecord, ...], scale: Scale, smallest_effect: float | None
) -> BracketRecord | None:
    """The bracket of a landmark design; None for other designs."""
    places = {effect.role: n for n, effect in enumerate(alternatives) if effect.role is not None}
    if DOUBLY_ROBUST not in places or UNCONDITIONAL not in places:
        return None
    bare = alternatives[places[UNCONDITIONAL]]
    low, high = _ends(min, record.conf_low, bare.conf_low), _ends(max, record.conf_high, bare.conf_high)
    drift = leads_drift(headline)
    return BracketRecord(
        doubly_robust=places[DOUBLY_ROBUST],
        unconditional=places[UNCONDITIONAL],
        hull_low=low,
        hull_high=high,
        hull_percent=scale.percent_interval(record.estimate, low, high),
        slope=Unavailable("no effect before treatment") if drift is None else drift.slope,
        slope_error=Unavailable("no effect before treatment") if drift is None else drift.std_error,
        reach=Unavailable("no effect before treatment") if drift is None else drift.reach,
        allowed=None if smallest_effect is None else DRIFT_SHARE * smallest_effect,
        adjusted_low=_adjusted(record, drift),
    )


def finite(value: Number) -> float:
    """A number, or NaN where there is none: for comparisons, which NaN fails."""
    return math.nan if isinstance(value, Unavailable) else float(value)


def bracketed(bracket: BracketRecord, alternatives: tuple[EffectRecord, ...]) -> Bracketed:
    """The bracket as the claim's decision table takes it."""
    robust, bare = alternatives[bracket.doubly_robust], alternatives[bracket.unconditional]
    return Bracketed(
        robust_low=finite(robust.conf_low),
        robust_high=finite(robust.conf_high),
        unconditional=finite(bare.estimate),
        unconditional_error=finite(bare.std_error),
        hull_low=finite(bracket.hull_low),
        hull_high=finite(bracket.hull_high),
        adjusted_low=finite(bracket.adjusted_low),
    )


def leads_drift(headline: Fitted) -> Drift | None:
    """Yearly drift of the leads that speak to trends."""
    effects = headline.by_event_time
    if effects is None:
        return None
    base = str(getattr(headline.estimator, "base_period", "universal"))
    return drift_of(effects, leads_of(headline), base)


def _ends(choose: object, first: Number, second: Number) -> Number:
    if isinstance(first, Unavailable):
        return first
    if isinstance(second, Unavailable):
        return second
    return float(choose(first, second))  # type: ignore[operator]


def _adjusted(record: EffectRecord, drift: Drift | None) -> Number:
    """The end of the interval nearer to zero, in the effect's direction, after taking off what the drift could make."""
    if drift is None or isinstance(record.estimate, Unavailable) or isinstance(record.std_error, Unavailable):
        return Unavailable("no effect before treatment")
    half = critical_value(record.level, np.inf) * record.std_error
    return abs(record.estimate) - half - DRIFT_YEARS * (abs(drift.slope) + ONE_SIDED * drift.std_error)
