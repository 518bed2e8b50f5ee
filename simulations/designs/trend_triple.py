"""Where whole cohorts are hit: the triple difference."""

from __future__ import annotations

from collections.abc import Iterator

from simulations.designs.trend_found import Found, single
from simulations.designs.trend_panels import TAU, Panel
from sme_eval.estimators.triple_difference import TripleDifference
from sme_eval.estimators.two_way_fixed_effects import TwoWayFixedEffects
from sme_eval.moments.moments import Moments


def cohort_shocks(panel: Panel) -> Iterator[Found]:
    """Cohorts are hit as a whole in the year of their treatment."""
    moments = Moments.from_sample(panel.sample(columns=("eligible",)), by=("eligible",))
    yield single("TwoWayFixedEffects", TwoWayFixedEffects().fit(moments), panel.truth().overall, "shown")
    yield single("TripleDifference", TripleDifference(eligible="eligible").fit(moments), TAU)
