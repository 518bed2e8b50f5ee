"""The event-study regression: leads and lags of treatment beside firm and year effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.event_study import EventStudy
from sme_eval.stats.arrays import FloatArray, IntArray
from sme_eval.terms import NEVER

from .protocol import check_level
from .two_way import regression_basis, without_singletons
from .two_way_covariates import Regression, two_way_design
from .year_effects import YearEffectsBy, check_year_effects, effects_of, labels_of


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStudyRegression:
    """One coefficient per year since treatment, relative to `reference`.

    Estimand: the effect at each event time if it is the same for every cohort; otherwise each coefficient also holds effects of
    other event times (Sun and Abraham 2021).

    y_it = α_i + λ_t + Σ_{e ≠ reference} β_e·1{t − g_i = e} + x_i'δ_t + ε_it, with the sample's covariates x, if it has any, × year.
    The overall effect is the mean of the reported β_e, e ≥ 0.

    Assumptions: parallel trends and no anticipation before `reference` (the leads speak to both), effects alike across cohorts (not
    checked here). Identification is checked at run time.

    Parameters
    ----------
    reference
        Event time fixed at zero, negative.
    year_effects_by
        A kept column, or several: year effects are then specific to their values, as in `TwoWayFixedEffects`.
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        The sample names no treatment or lacks a label; `year_effects_by` is no name; `reference` is not negative.
    IdentificationError
        No firm is seen at the reference, or leads repeat the year effects (no never-treated firms).

    Source: R fixest 0.14, `feols(y ~ i(event, ref = -1) | firm + year)`; errors likewise.

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [2019, 2020, 2021] * 3,
    ...                       "y": [1.0, 1.0, 3.0, 2.0, 2.2, 2.2, 0.0, 0.0, 0.2], "g": [2021] * 3 + [0] * 6})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g")
    >>> round(sme.EventStudyRegression().fit(sample).estimate, 10)
    1.9
    """

    reference: int = -1
    year_effects_by: YearEffectsBy = None
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = check_level(self.level) + check_year_effects(self.year_effects_by)
        if self.reference >= 0:
            what = f"The reference event time {self.reference} is after treatment."
            problems.append(Problem(what=what, remedy="use a negative one, such as -1"))
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample | Moments) -> EventStudy:
        """Estimate the leads and lags from a sample or its moments."""
        by = effects_of(self.year_effects_by)
        given, regress = two_way_design(data, labels_of(self.year_effects_by), "EventStudyRegression")
        moments = without_singletons(given, by)
        event_time = np.where(moments.observed, moments.event_time, -NEVER)
        times = np.unique(event_time[event_time > -NEVER])
        if self.reference not in times:
            raise IdentificationError(
                Problem(
                    what=f"No treated firm is seen at event time {self.reference}.",
                    remedy="choose a reference that is observed",
                )
            )
        times = times[times != self.reference]
        regressors = (event_time[:, :, None] == times).astype(np.float64)
        influence = regress(moments, [f"event time {e}" for e in times], regressors, by)
        return self._result(influence, times, regressors, given.n_observations - moments.n_observations)

    def _result(self, influence: Regression, times: IntArray, regressors: FloatArray, dropped: int) -> EventStudy:
        moments = influence.moments
        basis = regression_basis(influence, self.level, effects_of(self.year_effects_by), dropped)
        n_treated = moments.n_firms @ regressors.any(axis=1)
        after = times >= 0
        averaged = influence.combine(after / after.sum()) if after.any() else None
        if averaged is None:
            raise IdentificationError(Problem(what="No firm is seen from treatment on.", remedy="check the cohorts and the years"))
        treated = int(moments.n_firms[regressors[:, :, after].any(axis=(1, 2))].sum())
        overall = Estimate.from_basis(
            "unweighted average over event times from treatment on",
            float(averaged.estimate[0]),
            float(np.sqrt(averaged.covariance()[0, 0])),
            basis,
            treated,
        )
        place = int(np.searchsorted(times, self.reference))
        at_reference = moments.n_firms @ ((moments.event_time == self.reference) & moments.observed).any(axis=1)
        effects = Effects(
            term=tuple(f"event time {e}" for e in np.insert(times, place, self.reference)),
            estimate=np.insert(influence.estimate, place, 0.0),
            covariance=_with_reference(influence.covariance(), place),
            basis=basis,
            keys={"event_time": tuple(int(e) for e in np.insert(times, place, self.reference))},
            notes=tuple("reference" if j == place else "" for j in range(len(times) + 1)),
            n_treated=tuple(int(n) for n in np.insert(n_treated, place, at_reference)),
        )
        return EventStudy(effects=effects, overall=overall, reference=self.reference)


def _with_reference(covariance: FloatArray, place: int) -> FloatArray:
    """A row and a column of zeros at the reference."""
    return np.insert(np.insert(covariance, place, 0.0, axis=0), place, 0.0, axis=1)
