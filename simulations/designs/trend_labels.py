"""Where trends differ between districts: effects of district × year."""

from __future__ import annotations

from collections.abc import Iterator

from simulations.designs.trend_found import Found, single, study
from simulations.designs.trend_panels import Panel
from sme_eval.estimators.event_study_regression import EventStudyRegression
from sme_eval.estimators.imputation import ImputationDiD
from sme_eval.estimators.stacked import StackedDiD
from sme_eval.estimators.sun_abraham import SunAbraham
from sme_eval.estimators.two_stage import TwoStageDiD
from sme_eval.estimators.two_way_fixed_effects import TwoWayFixedEffects
from sme_eval.moments.moments import Moments

BY = "district"


def district_trends(panel: Panel) -> Iterator[Found]:
    """Trends are parallel within districts only."""
    moments, truth = Moments.from_sample(panel.sample(columns=("district",)), by=("district",)), panel.truth()
    yield single("TwoWayFixedEffects", TwoWayFixedEffects().fit(moments), truth.overall, "shown")
    within = TwoWayFixedEffects(year_effects_by=BY).fit(moments)
    yield single("TwoWayFixedEffects, district × year", within, truth.overall)
    for estimator in (
        EventStudyRegression(year_effects_by=BY),
        SunAbraham(year_effects_by=BY),
        ImputationDiD(year_effects_by=BY),
        StackedDiD(window=(-3, 1), year_effects_by=BY),
    ):
        yield from study(f"{type(estimator).__name__}, district × year", estimator.fit(moments), truth)
    two_stage = TwoStageDiD(year_effects_by=BY).fit(moments)
    yield from study("TwoStageDiD, district × year", two_stage, truth, leads=False)  # its leads are pulled towards zero
