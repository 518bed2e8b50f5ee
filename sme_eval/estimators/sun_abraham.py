"""Sun–Abraham: every cohort's own event study against never-treated firms, averaged by the firms behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.event_study import EventStudy
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.small_sample import SmallSample

from .event_rows import REFERENCE, event_effects, late_cohorts, observed_times, one_estimate
from .firm_and_year import FirmAndYear
from .protocol import as_moments, check_level
from .two_way import parameters, regression_basis, without_singletons, year_effects

NO_CONTRAST = "no firm connects this event time with the last year before treatment, in the cohort or among the never-treated"


@dataclass(frozen=True, slots=True, kw_only=True)
class SunAbraham:
    """One coefficient per cohort and year relative to the cohort's last year before treatment, averaged over cohorts.

    Estimand: the average effect on the treated by event time, cohorts weighted by their firm-years at that time; the overall effect
    weighs all treated firm-years alike. Unlike the event-study regression, effects may differ across cohorts.

    y_it = α_i + λ_t + Σ_g Σ_{e ≠ −1} δ_ge·1{g_i = g}·1{t − g = e} + ε_it, never-treated firms (and cohorts after the last year) as
    the comparison. The regression is saturated, so that δ_ge = (μ_{g,g+e} − μ_{g,g−1}) − (λ_{g+e} − λ_{g−1}) with μ_g the year
    effects of cohort g alone and λ those of the comparison alone, each beside firm effects: solved so, one cohort at a time.

    Assumptions: parallel trends of each cohort and the never-treated, no anticipation (the leads speak to both). Checked at run
    time: that there are never-treated firms. A cohort that is not seen in its last year before treatment has no reference and is
    left out, which the notes say.

    Parameters
    ----------
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        The sample names no treatment or has covariates.
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

    level: float = 0.95

    def __post_init__(self) -> None:
        raise_if_any(DesignError, check_level(self.level))

    def fit(self, data: Sample | Moments) -> EventStudy:
        """Estimate and average the cohorts' effects, from a sample or its moments."""
        given = as_moments(data, (), "SunAbraham")
        kept, notes = _with_reference(given)
        moments = without_singletons(kept, (None,))
        _refuse_one_side(moments)
        effects = cohort_effects(moments)
        basis = regression_basis(effects.influence, self.level, (None,), kept.n_observations - moments.n_observations)
        basis = replace(basis, notes=(*basis.notes, *notes, *late_cohorts(moments)))
        times, averaged = effects.average(effects.event_time)
        treated_cohorts = np.isin(moments.cohort, moments.treated_cohorts)[:, None]
        wanted = observed_times(moments, moments.observed & treated_cohorts)
        missing = {int(e): NO_CONTRAST for e in np.setdiff1d(wanted, [*times, REFERENCE])}
        after = effects.event_time >= 0
        if not after.any():
            raise IdentificationError(Problem(what="No effect from treatment on is identified.", where=NO_CONTRAST))
        overall = effects.influence.combine(effects.mass * after / effects.mass[after].sum())
        return EventStudy(
            effects=event_effects(averaged, times, missing, basis, moments.observed & treated_cohorts),
            overall=one_estimate(overall, "average over treated observations", basis, effects.treated),
            reference=REFERENCE,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortEffects:
    """δ_ge of every cohort and event time that is identified, (J,), with the weighted firm-years behind each.

    `treated` (K, T) marks the firm-years from treatment on behind them.
    """

    influence: Influence
    cohort: IntArray
    event_time: IntArray
    mass: FloatArray
    treated: BoolArray

    def average(self, by: IntArray) -> tuple[IntArray, Influence]:
        """Averages over the effects that share a value of `by` (J,), by their firm-years; shares count as fixed."""
        values = np.unique(by)
        weights = (by == values[:, None]) * self.mass
        return values, self.influence.combine(weights / weights.sum(axis=1, keepdims=True))


def cohort_effects(moments: Moments) -> CohortEffects:
    """Every δ_ge that is identified; `moments` must be without singletons."""
    never: BoolArray = np.asarray(moments.cohort > moments.years[-1])
    comparison = _YearPath.of(moments, never)
    parts = [_one_cohort(moments, int(g), comparison, never) for g in moments.treated_cohorts]
    n_effects = sum(len(part.cohort) for part in parts)
    influence = Influence(
        moments=moments,
        estimate=np.concatenate([part.influence.estimate for part in parts]),
        slope=np.concatenate([part.influence.slope for part in parts], axis=1),
        constant=np.concatenate([part.influence.constant for part in parts], axis=1),
        small_sample=SmallSample(
            observations=moments.n_observations,
            parameters=parameters(moments, {None: year_effects(moments, None)}, n_effects),
        ),
    )
    return CohortEffects(
        influence=influence,
        cohort=np.concatenate([part.cohort for part in parts]),
        event_time=np.concatenate([part.event_time for part in parts]),
        mass=np.concatenate([part.mass for part in parts]),
        treated=np.any([part.treated for part in parts], axis=0),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _YearPath:
    """Year effects (T,) of some cells alone, beside firm effects."""

    design: FirmAndYear
    effects: FloatArray

    @classmethod
    def of(cls, moments: Moments, cells: BoolArray) -> _YearPath:
        part = moments.subset(cells)
        design = FirmAndYear.over(part, part.observed)
        return cls(design=design, effects=design.years_of(part.mean[:, :, None])[:, 0])


def _one_cohort(moments: Moments, g: int, comparison: _YearPath, never: BoolArray) -> CohortEffects:
    """δ_g of one cohort: contrasts of its own year effects with the reference, minus the same contrasts of the comparison's."""
    n_cells, n_years = moments.observed.shape
    cells: BoolArray = np.asarray(moments.cohort == g)
    own = _YearPath.of(moments, cells)
    contrasts = np.eye(n_years) - (moments.years == g + REFERENCE)
    given = own.design.identifies(contrasts) & comparison.design.identifies(contrasts)
    given &= (moments.years != g + REFERENCE) & moments.observed[cells].any(axis=0)
    contrasts = contrasts[given]
    slope, constant = np.zeros((n_cells, len(contrasts), n_years)), np.zeros((n_cells, len(contrasts)))
    for path, where, sign in ((own, cells, 1.0), (comparison, never, -1.0)):
        slope[where] = sign * path.design.contrast_slope(contrasts)
        constant[where] = -slope[where] @ path.effects
    estimate = contrasts @ (own.effects - comparison.effects)
    return CohortEffects(
        influence=Influence(moments=moments, estimate=estimate, slope=slope, constant=constant),
        cohort=np.full(len(contrasts), g),
        event_time=np.asarray((moments.years - g)[given]),
        mass=np.asarray((moments.weight[cells] @ moments.observed[cells])[given]),
        treated=moments.observed & cells[:, None] & given & (moments.years >= g),
    )


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
