"""Where trends are parallel given x only, with both models right or one of them wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulations.designs.trend_found import Asks, Found, band, by_event_time, pretest, single, study
from simulations.designs.trend_panels import Panel
from sme_eval.estimators.callaway_santanna import CallawaySantAnna
from sme_eval.estimators.event_study_regression import EventStudyRegression
from sme_eval.estimators.group_time_covariates import Method
from sme_eval.estimators.imputation import ImputationDiD
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.sun_abraham import SunAbraham
from sme_eval.estimators.two_stage import TwoStageDiD
from sme_eval.estimators.two_way_fixed_effects import TwoWayFixedEffects
from sme_eval.moments.moments import Moments
from sme_eval.results.group_time import GroupTimeEffects

METHODS: Final[tuple[Method, ...]] = ("dr", "reg", "ipw")
WRONG: Final[dict[str, Method]] = {"wrong_outcome_model": "reg", "wrong_propensity": "ipw"}
"""World → the method that rests on the wrong model alone."""
AT_ENTRY: Final = LandmarkDiD(covariates=("x",), past_growth=None, window=(-2, 0))
"""Its comparison may be treated later, so that only the effect in the year of entry is the effect itself."""


def given_x(panel: Panel) -> Iterator[Found]:
    """Both models are right."""
    sample, truth = panel.sample(covariates=("x",)), panel.truth()
    plain = Moments.from_sample(panel.sample(), by=())
    yield single("TwoWayFixedEffects without x", TwoWayFixedEffects().fit(plain), truth.overall, "shown")
    without = CallawaySantAnna().fit(plain).aggregate("simple").overall
    yield single("CallawaySantAnna without x, simple", without, truth.overall, "shown")
    for method in METHODS:
        yield from _averages(f"CallawaySantAnna {method}", CallawaySantAnna(method=method).fit(sample), panel)
    not_yet = CallawaySantAnna(comparison="not_yet_treated", method="reg").fit(sample)
    yield from _averages("CallawaySantAnna not yet treated, reg", not_yet, panel)
    yield single("TwoWayFixedEffects", TwoWayFixedEffects().fit(sample), truth.overall)
    yield from study("EventStudyRegression", EventStudyRegression().fit(sample), truth)
    yield from study("SunAbraham", SunAbraham().fit(sample), truth)
    yield from study("ImputationDiD", ImputationDiD().fit(sample), truth)
    yield from study("TwoStageDiD", TwoStageDiD().fit(sample), truth, leads=False)  # its leads are pulled towards zero
    kept = panel.sample(columns=("x",))
    for landmark in (AT_ENTRY, AT_ENTRY.doubly_robust()):
        yield single(f"LandmarkDiD {landmark.method}, event time 0", landmark.fit(kept).overall, truth.at(0))


def doubly_robust(panel: Panel) -> Iterator[Found]:
    """One model is wrong: the method that rests on it alone is only shown."""
    sample = panel.sample(covariates=("x",))
    wrong = WRONG[panel.world.name]
    for method in METHODS:
        asks: Asks = "shown" if method == wrong else "exact"
        yield from _averages(f"CallawaySantAnna {method}", CallawaySantAnna(method=method).fit(sample), panel, asks)


def _averages(name: str, result: GroupTimeEffects, panel: Panel, asks: Asks = "exact") -> Iterator[Found]:
    truth, dynamic = panel.truth(), result.aggregate("dynamic").effects
    yield single(f"{name}, simple", result.aggregate("simple").overall, truth.overall, asks)
    yield from by_event_time(name, dynamic, truth, asks)
    if asks == "exact":
        yield band(name, dynamic, truth)
        yield pretest(name, result.pretrend_test())
