"""Who enters in a cohort and who is compared with it, whatever the estimator: what several checks count and trim."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sme_eval.estimators.district_dose import DistrictDose
from sme_eval.estimators.landmark import LandmarkDiD, read_landmark
from sme_eval.estimators.landmark_arm import BASE
from sme_eval.estimators.protocol import Estimator
from sme_eval.estimators.untangle import Untangle
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.terms import NEVER


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RiskSet:
    """A cohort with a base year: `treated` and `comparison` (N,), and covariates `x` (N, p) as of its start, NaN where unknown."""

    cohort: int
    treated: BoolArray
    comparison: BoolArray
    x: FloatArray


def landmark_of(estimator: Estimator) -> LandmarkDiD | None:
    """The landmark design inside an estimator: itself, or the one whose operator it applies; None for others."""
    if isinstance(estimator, LandmarkDiD):
        return estimator
    if not isinstance(estimator, DistrictDose | Untangle):
        return None
    covariates = estimator.covariates
    if isinstance(estimator, DistrictDose):
        covariates = (*covariates, estimator.district)
    return LandmarkDiD(
        covariates=covariates,
        past_growth=estimator.past_growth,
        growth_of=estimator.growth_of,
        listed=estimator.listed,
        window=estimator.window,
        level=estimator.level,
    )


def average_window(estimator: Estimator, sample: Sample) -> tuple[int, int]:
    """Event times that the average effect runs over; all from treatment on where the estimator names none."""
    window = getattr(estimator, "window", None)
    return (0, int(window[1]) if isinstance(window, tuple) else len(sample.years) - 1)


def risk_sets(estimator: Estimator, sample: Sample) -> tuple[RiskSet, ...]:
    """One per cohort with a base year in the sample; covariates are an intercept alone where none are conditioned on."""
    if sample.cohort is None:
        raise AssertionError("a design's sample has cohorts")
    cohort, landmark = sample.cohort, landmark_of(estimator)
    if landmark is not None:
        covariates, arm = read_landmark(replace(landmark, method="reg"), sample, cohort)
        return tuple(
            RiskSet(cohort=g, treated=arm.member & (cohort == g), comparison=arm.comparison(g) & (cohort != g), x=covariates(g))
            for g in _with_base(sample, cohort)
        )
    x = np.column_stack([np.ones(sample.n_firms), *sample.baseline])
    never = getattr(estimator, "comparison", None) == "never_treated"
    return tuple(
        RiskSet(cohort=g, treated=cohort == g, comparison=cohort == NEVER if never else cohort > g, x=x)
        for g in _with_base(sample, cohort)
    )


def changes(sample: Sample, risk: RiskSet, window: tuple[int, int]) -> FloatArray:
    """(N, E) changes of the outcome from the year before the cohort, by event time of the window; NaN where not seen."""
    place = {int(year): j for j, year in enumerate(sample.years)}
    change = np.full((sample.n_firms, window[1] - window[0] + 1), np.nan)
    for j, e in enumerate(range(window[0], window[1] + 1)):
        if risk.cohort + e in place:
            change[:, j] = sample.outcome[:, place[risk.cohort + e]] - sample.outcome[:, place[risk.cohort + BASE]]
    return change


def _with_base(sample: Sample, cohort: IntArray) -> tuple[int, ...]:
    years = {int(year) for year in sample.years}
    return tuple(int(g) for g in np.unique(cohort[cohort <= sample.years[-1]]) if int(g) + BASE in years)
