"""From an estimator's result to what is kept of it: error, standard error, and whether its interval holds the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from simulations.designs.trend_panels import Truth
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.event_study import EventStudy
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import JointTest

Asks = Literal["exact", "conservative", "shown"]
"""No bias and coverage of 95 %; no bias and coverage of 95 % or more, where effects that differ count as noise; nothing."""
WINDOW: Final = (0, 1, 2)
"""Event times that are kept; each is seen in several cohorts."""
SIZE: Final = 0.05
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One estimate on one panel: its error, its standard error and whether its interval holds the truth (0 or 1).

    Of a joint test `inside` says that it does not reject, of a band that it holds the whole path; they have no error of their own.
    NaN in `inside`: not identified in this panel.
    """

    row: str
    inside: float
    error: float = math.nan
    se: float = math.nan
    asks: Asks = "exact"


def single(row: str, estimate: Estimate, truth: float, asks: Asks = "exact") -> Found:
    """One estimate by its own interval."""
    value, se = float(estimate.estimate), float(estimate.std_error)
    inside = float(estimate.conf_low <= truth <= estimate.conf_high) if math.isfinite(se) else math.nan
    return Found(row=row, inside=inside, error=value - truth, se=se, asks=asks)


def by_event_time(row: str, effects: Effects | None, truth: Truth, asks: Asks = "exact") -> Iterator[Found]:
    """The effects at event times 0 to 2, as far as there are such."""
    assert effects is not None
    half, se, times = effects.critical_value(LEVEL), effects.std_error, effects.keys["event_time"]
    for e in WINDOW:
        if e not in times:
            continue
        at = times.index(e)
        error, own = float(effects.estimate[at]) - truth.at(e), float(se[at])
        inside = float(abs(error) <= half * own) if math.isfinite(own) else math.nan
        yield Found(row=f"{row}, event time {e}", inside=inside, error=error, se=own, asks=asks)


def band(row: str, effects: Effects | None, truth: Truth, asks: Asks = "exact") -> Found:
    """Whether the simultaneous band holds the whole path."""
    assert effects is not None
    known = np.isfinite(effects.std_error)
    path = np.array([truth.at(int(e)) for e in effects.keys["event_time"]])
    half = effects.critical_value(LEVEL, simultaneous=True) * effects.std_error
    return Found(row=f"{row}, band", inside=float((np.abs(effects.estimate - path) <= half)[known].all()), asks=asks)


def pretest(row: str, test: JointTest | Unavailable) -> Found:
    """Whether the joint test that all leads are zero does not reject."""
    inside = math.nan if isinstance(test, Unavailable) else float(test.p_value >= SIZE)
    return Found(row=f"{row}, pre-trend test", inside=inside)


def study(row: str, result: EventStudy, truth: Truth, asks: Asks = "exact", *, leads: bool = True) -> Iterator[Found]:
    """An event study: overall effect, event times and, if its leads are estimates of zero, band and pre-trend test."""
    yield single(row, result.overall, truth.overall, asks)
    yield from by_event_time(row, result.effects, truth, asks)
    if leads:
        yield band(row, result.effects, truth, asks)
        yield pretest(row, result.pretrend_test())
