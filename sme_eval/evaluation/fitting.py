"""Samples for a design's estimators, and what an estimator returns, sorted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sme_eval.errors import DataError, IdentificationError, Problem
from sme_eval.estimators.before_after import BeforeAfter
from sme_eval.estimators.district_dose import DistrictDose
from sme_eval.estimators.event_study_regression import EventStudyRegression
from sme_eval.estimators.imputation import ImputationDiD
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.protocol import Estimator
from sme_eval.estimators.stacked import StackedDiD
from sme_eval.estimators.sun_abraham import SunAbraham
from sme_eval.estimators.two_stage import TwoStageDiD
from sme_eval.estimators.untangle import Untangle
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.decomposition import Decomposition
from sme_eval.results.dose import DistrictDoseResult
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.event_study import EventStudy
from sme_eval.results.group_time import GroupTimeEffects
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import NEVER

from .design import Design

GROWTH_DESIGNS = (LandmarkDiD, DistrictDose, Untangle)
"""Estimators that condition on past growth: years inside its window cannot speak to trends."""
EVENT_STUDIES: Mapping[tuple[type, ...], str] = {
    GROWTH_DESIGNS: "landmark",
    (EventStudyRegression,): "event_average",
    (StackedDiD,): "regression_weighted",
    (SunAbraham, ImputationDiD, TwoStageDiD): "treated_firm_years",
    (BeforeAfter,): "before_after",
}
"""What the overall of an event study measures."""
NO_LEAD = -NEVER
"""No event time before treatment speaks to trends: leads of a two-stage design are residuals of its own first stage, and a design
that compares nobody has only the treated firms' own past."""
WITHOUT_LEADS = (TwoStageDiD, BeforeAfter)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What one estimator gave: the average effect, effects by event time, and by cohort where it has them.

    `last_lead` is the last event time before treatment whose effect speaks to trends. `result` is what `fit` returned.
    `covariates` are those of the sample.
    """

    estimator: Estimator
    estimand: str
    overall: Estimate
    by_event_time: Effects | None
    by_cohort: Effects | None
    last_lead: int = -1
    result: object = None
    covariates: tuple[str, ...] = ()


def needed_columns(estimators: Iterable[object]) -> tuple[str, ...]:
    """The kept columns that the estimators name, each once, in order."""
    named = [column for estimator in estimators for column in getattr(estimator, "columns", ())]
    return tuple(dict.fromkeys(named))


def sample_of(design: Design, panel: FirmPanel, outcome: str, cohort: str | None = None, further: tuple[str, ...] = ()) -> Sample:
    """The sample of one outcome, with every column that the design's estimators need and the `further` ones.

    Raises
    ------
    DataError
        The panel lacks columns (all are named), or breaks the sample's contract.
    """
    treatment = design.policy.treatment
    start = cohort or treatment.cohort
    needed = dict.fromkeys((*needed_columns((design.estimator, *design.alternatives)), *further))
    columns = tuple(name for name in needed if name not in (outcome, start))
    missing = [c for c in (outcome, start, design.cluster, *columns) if c is not None and c not in panel.columns]
    if missing:
        raise DataError(
            [
                Problem(
                    what=f"The panel {panel.source} has no column {name!r}, which policy {design.policy.name} needs.",
                    remedy="add the column to the data, or choose another outcome",
                )
                for name in dict.fromkeys(missing)
            ]
        )
    return Sample.from_frame(
        panel.frame,
        firm="firm",
        year="year",
        outcome=outcome,
        cohort=start,
        never_treated=treatment.never_treated,
        always_treated="drop",
        covariates=design.covariates,
        columns=columns,
        cluster=design.cluster,
    )


def fit(estimator: Estimator, sample: Sample) -> Fitted:
    """Fit one estimator and sort what it returns."""
    return replace(_sorted(estimator, estimator.fit(sample)), covariates=sample.names.covariates)


def _sorted(estimator: Estimator, result: Any) -> Fitted:
    if isinstance(result, GroupTimeEffects):
        return Fitted(
            estimator=estimator,
            estimand="treated_firm_years",
            overall=result.aggregate("simple").overall,
            by_event_time=result.aggregate("dynamic").effects,
            by_cohort=result.aggregate("group").effects,
            last_lead=-1 - int(getattr(estimator, "anticipation", 0)),
        )
    if isinstance(result, EventStudy):
        return Fitted(
            estimator=estimator,
            estimand=next(words for kinds, words in EVENT_STUDIES.items() if isinstance(estimator, kinds)),
            overall=result.overall,
            by_event_time=result.effects,
            by_cohort=result.by_cohort,
            last_lead=NO_LEAD if isinstance(estimator, WITHOUT_LEADS) else last_lead(estimator),
            result=result,
        )
    if isinstance(result, DistrictDoseResult):
        return Fitted(
            estimator=estimator,
            estimand="dose_slope",
            overall=result.overall,
            by_event_time=result.by_event_time.effects,
            by_cohort=None,
            last_lead=last_lead(estimator),
            result=result,
        )
    if isinstance(result, Decomposition):
        return Fitted(
            estimator=estimator, estimand="separated", overall=_asked(result), by_event_time=None, by_cohort=None, result=result
        )
    return Fitted(estimator=estimator, estimand="regression_weighted", overall=result, by_event_time=None, by_cohort=None)


def _asked(result: Decomposition) -> Estimate:
    """The headline of a bundle: its first declared sum, else its first part."""
    return (result.sums if len(result.sums) else result.parts).row(0)


def last_lead(estimator: object) -> int:
    """Growth from g + a on is conditioned on, so leads from g + a on are fitted away: the last that speaks is a − 1."""
    growth = getattr(estimator, "past_growth", None)
    return -1 if growth is None else int(growth[0]) - 1


def event_source(design: Design, headline: Fitted, sample: Sample) -> Fitted:
    """What the event study shows: the headline itself where it has event times, else the nearest design that has them."""
    if headline.by_event_time is not None:
        return headline
    estimator = headline.estimator
    if isinstance(estimator, Untangle):
        landmark = LandmarkDiD(
            covariates=estimator.covariates,
            past_growth=estimator.past_growth,
            growth_of=estimator.growth_of,
            listed=estimator.listed,
            level=estimator.level,
        )
        return fit(landmark, sample)
    return fit(EventStudyRegression(level=design.level), sample)


def not_identified(estimator: Estimator, sample: Sample, error: IdentificationError) -> Fitted:
    """An estimate whose place holds the reason why there is none."""
    reason = Unavailable(f"not identified: {error.problems[0].what}")
    basis = Basis(n_firms=sample.n_firms, n_observations=len(sample.position), n_clusters=sample.n_firms, convention="")
    overall = Estimate.from_basis("", reason, reason, basis)
    return Fitted(
        estimator=estimator,
        estimand="treated_firm_years",
        overall=overall,
        by_event_time=None,
        by_cohort=None,
        covariates=sample.names.covariates,
    )


def leads_of(fitted: Fitted) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which effects by event time speak to trends."""
    if fitted.by_event_time is None:
        raise AssertionError("only effects by event time have leads")
    leads: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.asarray(fitted.by_event_time.keys["event_time"]) <= fitted.last_lead
    return leads
