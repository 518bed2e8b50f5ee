"""A record of a landmark design made by hand: power, cohorts and their comparison, three effects, bracket, two datings."""

from __future__ import annotations

import math
from dataclasses import replace

from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_base import Bilingual, EffectRecord, EstimatorRecord, IntervalRecord
from sme_eval.evaluation.record_sections import BracketRecord, CodingRecord, ComparedRecord, EstimandRecord, PowerRecord
from sme_eval.results.unavailable import Unavailable
from tests import factories

LANDMARK = EstimatorRecord(name="LandmarkDiD", choices={})


def landmark() -> Evaluation:
    """A simulated evaluation of a landmark design with every part that such a design has."""
    headline = _effect("headline", 0.059, 0.0137, "conditional")
    robust, bare = _effect("dr", 0.061, 0.0138, "doubly_robust"), _effect("bare", 0.023, 0.0150, "unconditional")
    hours = replace(factories.effect("hours", 15.2, 3.1, outcome="hours", log=False), n_treated=135)
    base = factories.simulated()
    return replace(
        base,
        headline=headline,
        alternatives=(robust, bare),
        mechanisms=(hours,),
        mechanism_outcomes={"hours": factories.HOURS},
        event_study=replace(base.event_study, last_lead=-4),
        power=(_power(headline), _power_without_smallest(hours)),
        compared=(_compared(2019, 50, 5851, 94), _compared(2020, 127, 5586, 232)),
        estimands=tuple(_estimand(name, truth) for name, truth in (("step", 0.031), ("own", 0.042), ("bundle", 0.058))),
        bracket=_bracket(headline, bare),
        codings=(
            CodingRecord(column="year", label=Bilingual(zh="当年", en="that year"), asked=True, effect=headline),
            CodingRecord(
                column="year_half",
                label=Bilingual(zh="下半年的次年起算", en="second half: from the next year"),
                asked=False,
                effect=_effect("coding_1", 0.052, 0.0138, None),
            ),
        ),
    )


def _effect(key: str, estimate: float, error: float, role: str | None) -> EffectRecord:
    made = factories.effect(
        key, estimate, error, estimator=LANDMARK, estimand="landmark", outcome="log_revenue", truth=0.042, n_firms=6000
    )
    return replace(made, n_treated=283, role=role)


def _power(effect: EffectRecord) -> PowerRecord:
    return PowerRecord(
        key=effect.key,
        label=Bilingual(zh="营业收入", en="revenue"),
        std_error=effect.std_error,
        degrees_of_freedom=None,
        alpha=0.05,
        power=0.8,
        detectable=0.0384,
        detectable_percent=100 * math.expm1(0.0384),
        smallest_effect=0.03,
        smallest_percent=100 * math.expm1(0.03),
        power_at_smallest=0.593,
        samples=1.63,
    )


def _power_without_smallest(effect: EffectRecord) -> PowerRecord:
    nothing = Unavailable("not estimated")
    return replace(
        _power(effect),
        label=factories.HOURS.label,
        detectable=8.7,
        detectable_percent=None,
        smallest_effect=None,
        smallest_percent=None,
        power_at_smallest=nothing,
        samples=nothing,
    )


def _compared(cohort: int, treated: int, comparison: int, listed: int) -> ComparedRecord:
    return ComparedRecord(
        cohort=cohort,
        n_treated=treated,
        n_comparison=comparison,
        n_listed=listed,
        n_later=comparison - 4265,
        first_lead=2015,
        last_lead=cohort - 4,
        first_growth=cohort - 3,
        base=cohort - 1,
        last_effect=cohort + 2,
    )


def _estimand(name: str, truth: float) -> EstimandRecord:
    return EstimandRecord(name=name, asked=name == "own", truth=truth, truth_percent=100 * math.expm1(truth))


def _bracket(headline: EffectRecord, bare: EffectRecord) -> BracketRecord:
    low, high = float(bare.conf_low), float(headline.conf_high)
    percent = [100 * math.expm1(value) for value in (0.059, low, high)]
    return BracketRecord(
        doubly_robust=0,
        unconditional=1,
        hull_low=low,
        hull_high=high,
        hull_percent=IntervalRecord(estimate=percent[0], conf_low=percent[1], conf_high=percent[2]),
        slope=0.0026,
        slope_error=0.0033,
        reach=0.0106,
        allowed=0.015,
        adjusted_low=0.0159,
    )
