"""The estimators that share one table of moments: balanced, unbalanced, weighted, clustered, and with effects that differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulations.designs.trend_found import Asks, Found, band, by_event_time, pretest, single, study
from simulations.designs.trend_panels import Panel, Truth, truth_of_all
from sme_eval.estimators.callaway_santanna import CallawaySantAnna
from sme_eval.estimators.event_study_regression import EventStudyRegression
from sme_eval.estimators.imputation import ImputationDiD
from sme_eval.estimators.stacked import StackedDiD
from sme_eval.estimators.sun_abraham import SunAbraham
from sme_eval.estimators.two_stage import TwoStageDiD
from sme_eval.estimators.two_way_fixed_effects import TwoWayFixedEffects
from sme_eval.moments.moments import Moments
from sme_eval.terms import Comparison, PanelRule

STACK: Final = StackedDiD(window=(-3, 1))
"""Event times that all cohorts have."""
COMPARISONS: Final[dict[Comparison, str]] = {"never_treated": "never treated", "not_yet_treated": "not yet treated"}


def linear(panel: Panel) -> Iterator[Found]:
    """One effect for all."""
    moments, truth = moments_of(panel), panel.truth()
    yield single("TwoWayFixedEffects", TwoWayFixedEffects().fit(moments), truth.overall)
    yield from study("EventStudyRegression", EventStudyRegression().fit(moments), truth)
    yield from group_time(moments, truth)
    yield from averaging(moments, truth)
    yield from study("StackedDiD", STACK.fit(moments), truth)


def unbalanced(panel: Panel) -> Iterator[Found]:
    """The same, and the firms seen in both years of each comparison."""
    yield from linear(panel)
    yield from group_time(moments_of(panel), panel.truth(), panel="pairs")


def weighted(panel: Panel) -> Iterator[Found]:
    """The same, and what happens if the weights are left out."""
    yield from linear(panel)
    moments = Moments.from_sample(panel.sample(plain=True), by=())
    yield single("ImputationDiD without the weights", ImputationDiD().fit(moments).overall, panel.truth().overall, "shown")


def heterogeneous(panel: Panel) -> Iterator[Found]:
    """Effects differ: regressions that take them as alike are only shown."""
    moments, truth = moments_of(panel), panel.truth()
    yield single("TwoWayFixedEffects", TwoWayFixedEffects().fit(moments), truth.overall, "shown")
    regression = EventStudyRegression().fit(moments)
    yield from by_event_time("EventStudyRegression", regression.effects, truth, "shown")
    yield from group_time(moments, truth, asks="conservative")
    result, everyone = CallawaySantAnna().fit(moments), truth_of_all()
    name = "CallawaySantAnna never treated, all firms of the world"
    yield single(f"{name}, simple", result.aggregate("simple").overall, everyone.overall)
    dynamic = result.aggregate("dynamic").effects
    yield from by_event_time(name, dynamic, everyone)
    yield band(name, dynamic, everyone)
    yield from averaging(moments, truth, "conservative")
    yield from _own_average(panel, moments)


def group_time(moments: Moments, truth: Truth, panel: PanelRule = "balanced", asks: Asks = "exact") -> Iterator[Found]:
    """Group-time effects, averaged over firm-years and by event time, with both comparisons."""
    for comparison, words in COMPARISONS.items():
        result = CallawaySantAnna(comparison=comparison, panel=panel).fit(moments)
        name = f"CallawaySantAnna {words}" + (", pairs" if panel == "pairs" else "")
        yield single(f"{name}, simple", result.aggregate("simple").overall, truth.overall, asks)
        dynamic = result.aggregate("dynamic").effects
        yield from by_event_time(name, dynamic, truth, asks)
        yield band(name, dynamic, truth, asks)
        yield pretest(name, result.pretrend_test())


def averaging(moments: Moments, truth: Truth, asks: Asks = "exact") -> Iterator[Found]:
    """Estimators of the average over treated firm-years."""
    yield from study("SunAbraham", SunAbraham().fit(moments), truth, asks)
    yield from study("ImputationDiD", ImputationDiD().fit(moments), truth, asks)
    yield from study("TwoStageDiD", TwoStageDiD().fit(moments), truth, asks, leads=False)  # its leads are pulled towards zero


def _own_average(panel: Panel, moments: Moments) -> Iterator[Found]:
    """The stack averages effects with weights of its own: what it makes of the true effects is its truth."""
    without_noise = STACK.fit(Moments.from_sample(panel.sample(outcome="effect"), by=()))
    keys = without_noise.effects.keys["event_time"]
    by_time = {int(e): float(v) for e, v in zip(keys, without_noise.effects.estimate, strict=True)}
    truth = Truth(overall=float(without_noise.overall.estimate), by_time=by_time)
    yield from study("StackedDiD", STACK.fit(moments), truth, "conservative")


def moments_of(panel: Panel) -> Moments:
    """The table of moments, split by nothing but the cluster."""
    return Moments.from_sample(panel.sample(), by=())
