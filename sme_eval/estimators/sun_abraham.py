"""Sun–Abraham: every cohort's own event study against never-treated firms, averaged by the firms behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.event_study import EventStudy
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray

from .event_rows import REFERENCE, event_effects, late_cohorts, observed_times, one_estimate
from .protocol import check_level
from .two_way import fit_two_way, regression_basis, without_singletons
from .two_way_covariates import Fit, Regression, two_way_design
from .year_effects import YearEffects, YearEffectsBy, check_year_effects, effects_of, labels_of

NO_CONTRAST = "no firm connects this event time with the last year before treatment, in the cohort or among the never-treated"


@dataclass(frozen=True, slots=True, kw_only=True)
class SunAbraham:
    """One coefficient per cohort and year relative to the cohort's last year before treatment, averaged over cohorts.

    Estimand: the average effect on the treated by event time, cohorts weighted by their firm-years at that time; the overall effect
    weighs all treated firm-years alike. Unlike the event-study regression, effects may differ across cohorts.

    y_it = α_i + λ_t + Σ_g Σ_{e ≠ −1} δ_ge·1{g_i = g}·1{t − g = e} + x_i'δ_t + ε_it, never-treated firms (and cohorts after the last
    year) as the comparison, λ_t by label if `year_effects_by` names any, with the sample's covariates x, if it has any, × year.

    Assumptions: parallel trends of each cohort and the never-treated, given x (linearly) and within the values of
    `year_effects_by` where there are any, and effects of a cohort and year that lean on neither; no anticipation (the leads speak
    to both). Checked at run time: that there are never-treated firms. A cohort that is not seen in its last year before treatment
    has no reference and is left out, which the notes say; an effect that the other effects repeat is unavailable.

    Parameters
    ----------
    year_effects_by
        A kept column, or several: year effects are then specific to their values, as in `TwoWayFixedEffects`.
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        The sample names no treatment or lacks a label; `year_effects_by` is no name.
    IdentificationError
        There are no never-treated firms, or no effect can be given.

    Errors: as fixest, clustered by firm or above; K counts every cohort × event-time coefficient; the shares of the cohorts count
    as fixed (R did counts them as estimated). Source: Sun and Abraham (2021); R fixest 0.14, `sunab`.

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [2019, 2020, 2021] * 3,
    ...                       "y": [1.0, 1.0, 3.0, 2.0, 2.2, 2.2, 0.0, 0.0, 0.2], "g": [2021] * 3 + [0] * 6})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g")
    >>> round(sme.SunAbraham().fit(sample).estimate, 10)      # (3 − 1) − (1.2 − 1.1)
    1.9
    """

    year_effects_by: YearEffectsBy = None
    level: float = 0.95

    def __post_init__(self) -> None:
        raise_if_any(DesignError, check_level(self.level) + check_year_effects(self.year_effects_by))

    def fit(self, data: Sample | Moments) -> EventStudy:
        """Estimate and average the cohorts' effects, from a sample or its moments."""
        by = effects_of(self.year_effects_by)
        given, regress = two_way_design(data, labels_of(self.year_effects_by), "SunAbraham")
        kept, notes = _with_reference(given)
        moments = without_singletons(kept, by)
        _refuse_one_side(moments)
        effects = cohort_effects(moments, regress, by)
        after = effects.event_time >= 0
        if not after.any():
            raise IdentificationError(Problem(what="No effect from treatment on is identified.", where=NO_CONTRAST))
        basis = regression_basis(effects.influence, self.level, by, kept.n_observations - moments.n_observations)
        basis = replace(basis, notes=(*basis.notes, *notes, *effects.notes(), *late_cohorts(moments)))
        times, averaged = effects.average(effects.event_time)
        treated_cohorts = np.isin(moments.cohort, moments.treated_cohorts)[:, None]
        wanted = observed_times(moments, moments.observed & treated_cohorts)
        missing = {int(e): NO_CONTRAST for e in np.setdiff1d(wanted, [*times, REFERENCE])}
        overall = effects.influence.combine(effects.mass * after / effects.mass[after].sum())
        return EventStudy(
            effects=event_effects(averaged, times, missing, basis, moments.observed & treated_cohorts),
            overall=one_estimate(overall, "average over treated observations", basis, effects.treated),
            reference=REFERENCE,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortEffects:
    """δ_ge of every cohort and event time that is identified, (J,), with the weighted firm-years behind each.

    `treated` (K, T) marks the firm-years from treatment on behind them; `lost` counts effects that are not identified.
    """

    influence: Regression
    cohort: IntArray
    event_time: IntArray
    mass: FloatArray
    treated: BoolArray
    lost: int

    def notes(self) -> list[str]:
        """What the averages are without."""
        return [f"{self.lost} effects of a cohort and event time are not identified and left out of the averages"] * (self.lost > 0)

    def average(self, by: IntArray) -> tuple[IntArray, Regression]:
        """Averages over the effects that share a value of `by` (J,), by their firm-years; shares count as fixed."""
        values = np.unique(by)
        weights = (by == values[:, None]) * self.mass
        return values, self.influence.combine(weights / weights.sum(axis=1, keepdims=True))


def cohort_effects(moments: Moments, regress: Fit = fit_two_way, by: YearEffects = (None,)) -> CohortEffects:
    """Every δ_ge that is identified; `moments` must be without singletons."""
    pairs = [(g, t) for g in moments.treated_cohorts for t in _years_of(moments, int(g))]
    cohort, year = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    place, column = np.searchsorted(moments.years, year), np.arange(len(pairs))
    regressors = np.zeros((*moments.observed.shape, len(pairs)))
    regressors[:, place, column] = (moments.cohort[:, None] == cohort) & moments.observed[:, place]
    names = [f"cohort {g}, event time {t - g}" for g, t in pairs]
    influence = regress(moments, names, regressors, by, partly=True)
    given = ~np.isnan(influence.estimate)
    if not given.all():
        influence = influence.combine(np.eye(len(pairs))[given])
    return CohortEffects(
        influence=influence,
        cohort=cohort[given],
        event_time=(year - cohort)[given],
        mass=np.einsum("k,ktj->j", moments.weight, regressors[:, :, given]),
        treated=np.asarray(regressors[:, :, given & (year >= cohort)].any(axis=2)),
        lost=int((~given).sum()),
    )


def _years_of(moments: Moments, g: int) -> IntArray:
    """Years in which cohort g is seen, but its reference."""
    seen = moments.observed[moments.cohort == g].any(axis=0)
    return np.asarray(moments.years[seen & (moments.years != g + REFERENCE)])


def _with_reference(moments: Moments) -> tuple[Moments, list[str]]:
    """The table without cohorts that are not seen in their last year before treatment, and a note that names them."""
    at_reference = (moments.observed & (moments.event_time == REFERENCE)).any(axis=1)
    lost = np.setdiff1d(moments.treated_cohorts, moments.cohort[at_reference])
    notes = [f"cohorts not seen in their last year before treatment are left out: {', '.join(map(str, lost))}"] if len(lost) else []
    return moments.subset(np.asarray(~np.isin(moments.cohort, lost))), notes


def _refuse_one_side(moments: Moments) -> None:
    where = f"{int(moments.n_firms.sum())} firms seen more than once, {moments.years[0]}–{moments.years[-1]}"
    problems = []
    if not len(moments.treated_cohorts):
        what = "No cohort is treated within the panel and seen in its last year before treatment."
        problems.append(Problem(what=what, where=where, remedy="check the cohorts and the years"))
    if (moments.cohort <= moments.years[-1]).all():
        remedy = 'without never-treated firms use ImputationDiD or CallawaySantAnna(comparison="not_yet_treated")'
        problems.append(Problem(what="There are no never-treated firms.", where=where, remedy=remedy))
    raise_if_any(IdentificationError, problems)
