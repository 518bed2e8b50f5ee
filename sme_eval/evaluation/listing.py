"""Cheaper credit as a record: what entering the list did to credit and to the outcome, and what cannot be told from it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sme_eval.errors import IdentificationError
from sme_eval.estimators.absorption import EffectName
from sme_eval.estimators.entry_arm import EntryArm, Exposure
from sme_eval.estimators.instrumental_variables import InstrumentalVariables
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.landmark_joint import JointEffects, joint_effects
from sme_eval.estimators.panel_regression import PanelRegression
from sme_eval.estimators.untangle import Untangle
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.policies.rules import ListingRule
from sme_eval.results.instrumental import InstrumentalResult
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import JointTest, critical_value
from sme_eval.stats.weak_instruments import RatioTest

from .design import Design
from .effects import Scale, effect_record, number
from .fitting import Fitted, fit, sample_of
from .record_base import EffectRecord, Number
from .record_sections import InstrumentRecord, ListingRecord, RatioRecord, StageRecord

if TYPE_CHECKING:
    import pandas as pd

LIBRARY, CERTIFIED, BOTH = "library", "certified", "both"
IN_LIBRARY, HAS_CERTIFICATE = "in_library", "has_certificate"
"""Columns 0/1 per firm-year that the regressions use: entered the library; certified."""


def listing_record(
    design: Design, panel: FirmPanel, sample: Sample, headline: EffectRecord, mechanisms: tuple[EffectRecord, ...]
) -> ListingRecord | None:
    """The credit side of a listing design; None for others."""
    rule, landmark = design.policy.listing, design.estimator
    asked = rule is not None and design.outcome not in rule.terms
    if rule is None or not asked or not isinstance(landmark, LandmarkDiD) or sample.cohort is None:
        return None
    start = design.policy.treatment.cohort
    library, certified = (
        joint_effects(landmark, sample_of(design, panel, design.outcome, entry, rule.terms), rule.terms)
        for entry in (start, rule.certified)
    )
    cohorts, firms = np.unique(sample.cohort[sample.cohort <= sample.years[-1]], return_counts=True)
    ratios = (
        _ratio(library, rule.amount, LIBRARY, landmark.level),
        _ratio(library, rule.price, LIBRARY, landmark.level),
        _ratio(certified, rule.amount, CERTIFIED, landmark.level),
    )
    flagged = _flagged(design, panel, rule, start)
    return ListingRecord(
        stages=tuple(_stage(effect) for effect in mechanisms if effect.outcome in rule.terms),
        netted=_netted(design, panel, sample, start),
        regressions=tuple(_regression(design, flagged, panel, rule, name) for name in (design.outcome, *rule.terms)),
        ratios=ratios,
        instruments=_instruments(design, flagged, rule),
        amount=rule.amount,
        price=rule.price,
        access_most=_end(ratios[0].estimate, headline.estimate, 1.0),
        price_most=_end(ratios[1].estimate, headline.estimate, -1.0),
        main_cohort=int(cohorts[firms.argmax()]),
        main_share=float(firms.max() / firms.sum()),
    )


def _stage(effect: EffectRecord) -> StageRecord:
    """F of one restriction: the square of the t statistic."""
    missing = isinstance(effect.estimate, Unavailable) or isinstance(effect.std_error, Unavailable)
    f: Number = Unavailable("not estimated") if missing else (float(effect.estimate) / float(effect.std_error)) ** 2
    return StageRecord(effect=effect, f_statistic=f)


def _netted(design: Design, panel: FirmPanel, sample: Sample, start: str) -> EffectRecord:
    """The effect of listing itself: the library's effect divided by how much more listed it is than firms that enter later."""
    landmark = design.estimator
    assert isinstance(landmark, LandmarkDiD)
    listed = landmark.listed or start
    untangle = Untangle(
        arms={LIBRARY: EntryArm(start)},
        exposures={"listed": Exposure(listed)},
        covariates=landmark.covariates,
        past_growth=landmark.past_growth,
        growth_of=landmark.growth_of,
        listed=listed,
        level=landmark.level,
    )
    fitted = fit(untangle, sample)
    scale = Scale.of(design.policy, panel, design.outcome, start)
    truth = None if scale.truth is None else _true_listing(scale, start, landmark.window[1])
    return effect_record("netted", design.outcome, replace(fitted, estimand="netted"), scale, truth=truth)


def _true_listing(scale: Scale, start: str, last: int) -> float | None:
    truth = scale.truth
    if truth is None or "credit" not in truth.parts.get(scale.outcome, {}):
        return None
    return truth.part(scale.outcome, "credit", start=start, event_time=(0, last))


def _ratio(joint: JointEffects, term: str, arm: str, level: float) -> RatioRecord:
    """Effect on the outcome over effect on the term, with the values that an Anderson–Rubin test does not reject."""
    j = joint.names.index(term)
    pair = np.array([0, j])
    covariance = joint.covariance[np.ix_(pair, pair)].reshape(2, 1, 2, 1)
    test = RatioTest.of(joint.value[pair][:, None], covariance, np.ones((1, 1)))
    limit = critical_value(level, math.inf) ** 2
    ends = Unavailable("not estimated") if test is None else test.intervals(limit)
    return RatioRecord(term=term, arm=arm, estimate=float(joint.value[0] / joint.value[j]), anderson_rubin=_bounded(ends))


def _bounded(
    intervals: tuple[tuple[float, float], ...] | Unavailable,
) -> tuple[tuple[float | None, ...], ...] | Unavailable:
    """Ends without bound as None; an empty list says that every value is rejected."""
    if isinstance(intervals, Unavailable):
        return intervals
    return tuple(tuple(end if math.isfinite(end) else None for end in pair) for pair in intervals)


def _end(ratio: Number, effect: Number, sign: float) -> float | None:
    """The far end of the identified set on one axis; None where the effect has the wrong sign for it."""
    if isinstance(ratio, Unavailable) or isinstance(effect, Unavailable) or effect <= 0.0 or sign * float(ratio) <= 0.0:
        return None
    return abs(float(ratio))


def _flagged(design: Design, panel: FirmPanel, rule: ListingRule, start: str) -> pd.DataFrame:
    """The panel's frame with entry as 0/1 per year, for regressions."""
    frame = panel.frame
    entered = {name: (frame[column] > 0) & (frame["year"] >= frame[column]) for name, column in _starts(rule, start)}
    return frame.assign(**{name: values.astype(np.float64) for name, values in entered.items()})


def _starts(rule: ListingRule, start: str) -> tuple[tuple[str, str], ...]:
    return (IN_LIBRARY, start), (HAS_CERTIFICATE, rule.certified)


def _regression_sample(flagged: pd.DataFrame, outcome: str, columns: tuple[str, ...], cluster: str | None) -> Sample:
    return Sample.from_frame(flagged, firm="firm", year="year", outcome=outcome, columns=columns, cluster=cluster)


def _effects(rule: ListingRule) -> tuple[EffectName, ...]:
    return "firm", (rule.year_effects_by, "year")


def _regression(design: Design, flagged: pd.DataFrame, panel: FirmPanel, rule: ListingRule, outcome: str) -> EffectRecord:
    """What a regression with firm and label × year effects says of entering: it does not condition on past growth."""
    regression = PanelRegression(regressors=(IN_LIBRARY, HAS_CERTIFICATE), effects=_effects(rule), level=design.level)
    sample = _regression_sample(flagged, outcome, (IN_LIBRARY, HAS_CERTIFICATE, rule.year_effects_by), design.cluster)
    overall = regression.fit(sample)[IN_LIBRARY]
    start = design.policy.treatment.cohort
    scale = Scale.of(design.policy, panel, outcome, start)
    fitted = Fitted(estimator=regression, estimand="regression_weighted", overall=overall, by_event_time=None, by_cohort=None)
    return effect_record(f"regression_{outcome}", outcome, fitted, scale)


def _instruments(design: Design, flagged: pd.DataFrame, rule: ListingRule) -> tuple[InstrumentRecord, ...]:
    """The amount of credit instrumented by entering the library, by certification, and by both."""
    columns = (IN_LIBRARY, HAS_CERTIFICATE, rule.amount, rule.year_effects_by)
    sample = _regression_sample(flagged, design.outcome, columns, design.cluster)
    asked = (
        (LIBRARY, "2sls", (IN_LIBRARY,), (HAS_CERTIFICATE,)),
        (CERTIFIED, "2sls", (HAS_CERTIFICATE,), (IN_LIBRARY,)),
        (BOTH, "2sls", (IN_LIBRARY, HAS_CERTIFICATE), ()),
        (BOTH, "liml", (IN_LIBRARY, HAS_CERTIFICATE), ()),
    )
    return tuple(_instrument(arm, method, named, beside, rule, sample, design.level) for arm, method, named, beside in asked)


def _instrument(
    arm: str, method: str, instruments: tuple[str, ...], beside: tuple[str, ...], rule: ListingRule, sample: Sample, level: float
) -> InstrumentRecord:
    choices = InstrumentalVariables(
        endogenous=(rule.amount,),
        instruments=instruments,
        regressors=beside,
        effects=_effects(rule),
        method=method,  # type: ignore[arg-type]
        level=level,
    )
    try:
        result = choices.fit(sample)
    except IdentificationError as error:
        return _no_instrument(arm, method, Unavailable(f"not identified: {error.problems[0].what}"))
    return _instrument_record(arm, method, result, rule.amount)


def _instrument_record(arm: str, method: str, result: InstrumentalResult, amount: str) -> InstrumentRecord:
    row, test = result[amount], result.overidentification
    return InstrumentRecord(
        arm=arm,
        method=method,
        estimate=row.estimate,
        std_error=row.std_error,
        conf_low=number(row.conf_low),
        conf_high=number(row.conf_high),
        effective_f=result.first_stage.effective_f,
        critical_f=result.first_stage.critical_value,
        anderson_rubin=_bounded(result.anderson_rubin),
        overidentification_p=test.p_value if isinstance(test, JointTest) else test,
    )


def _no_instrument(arm: str, method: str, reason: Unavailable) -> InstrumentRecord:
    return InstrumentRecord(
        arm=arm,
        method=method,
        estimate=reason,
        std_error=reason,
        conf_low=reason,
        conf_high=reason,
        effective_f=reason,
        critical_f=reason,
        anderson_rubin=reason,
        overidentification_p=reason,
    )
