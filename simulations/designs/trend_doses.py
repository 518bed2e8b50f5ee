"""Where effects are those of doses: the effect of each, and the lines through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from simulations.designs.trend_found import Found, by_event_time, pretest, single
from simulations.designs.trend_panels import DOSES, Panel, the_same
from sme_eval.estimators.dose_response import DoseResponse
from sme_eval.moments.moments import Moments
from sme_eval.results.event_study import EventStudy

DOSE: Final = np.array(list(DOSES))
EFFECT: Final = np.array(list(DOSES.values()))
SLOPE: Final = float(np.polyfit(DOSE, EFFECT, 1)[0])
ORIGIN: Final = float(DOSE @ EFFECT / (DOSE @ DOSE))


def doses(panel: Panel) -> Iterator[Found]:
    """Each dose's effect, their mean, lines through them, and the steps between them; doses are given at random."""
    moments = Moments.from_sample(panel.sample(columns=("dose",)), by=("dose",))
    result = DoseResponse(dose="dose").fit(moments)
    yield single("DoseResponse, overall", result.overall, float(EFFECT.mean()))
    for at, dose in enumerate(DOSES):
        yield single(f"DoseResponse, dose {dose:g}", result.effects.row(at), float(EFFECT[at]))
    yield single("DoseResponse, slope", result.slope, SLOPE)
    yield single("DoseResponse, slope through zero", result.slope_origin, ORIGIN)
    yield single("DoseResponse, slope within cohort and year", result.slope_within, SLOPE)
    for at in range(1, len(DOSES)):
        step = (EFFECT[at] - EFFECT[at - 1]) / (DOSE[at] - DOSE[at - 1])
        yield single(f"DoseResponse, step from {DOSE[at - 1]:g} to {DOSE[at]:g}", result.steps.row(at), float(step))
    slopes = result.slope_by_event_time
    assert isinstance(slopes, EventStudy)
    yield from by_event_time("DoseResponse, slope", slopes.effects, the_same(SLOPE))
    yield pretest("DoseResponse, slope", slopes.pretrend_test())
