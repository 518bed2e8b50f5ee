"""Landmark effects of each district's entrants, and the dose that each district states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sme_eval.errors import DataError, IdentificationError, Problem, raise_if_any
from sme_eval.estimators.landmark_arm import BASE, Arm, ArmEffects, Covariates, arm_effects
from sme_eval.estimators.landmark_covariates import PastGrowth, firm_numbers, landmark_covariates
from sme_eval.panel.codes import factorise
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.terms import NEVER

FEWEST_ENTRANTS = 2
"""With one entrant its own deviation is zero by construction: the effect has no error that counts it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistrictEffects:
    """Effects of D districts with entrants, over event times E; `label` is the column that names the districts.

    `dose` (D,), NaN where not stated; `tau` (D,) the mean over event times from 0 on, NaN where not identified; `by_time` (D, E);
    `scores` (C, D) and `scores_by_time` (C, D, E) the influences summed by cluster; `n_treated` (D,) and `weight` (D,) the treated
    firms and their weight; `seen` (D, 2) first and last event time behind `tau`; `own_growth` whether the outcome's change
    up to the base year is a covariate.
    """

    label: str
    names: tuple[str, ...]
    dose: FloatArray
    times: tuple[int, ...]
    tau: FloatArray
    by_time: FloatArray
    scores: FloatArray
    scores_by_time: FloatArray
    n_treated: IntArray
    weight: FloatArray
    seen: IntArray
    own_growth: bool

    @property
    def covariance(self) -> FloatArray:
        """Joint covariance (D, D) of `tau`; NaN in the rows of effects without an error."""
        missing = ~np.isfinite(self.tau) | (self.n_treated < FEWEST_ENTRANTS)
        covariance = self.scores.T @ self.scores
        covariance[missing], covariance[:, missing] = np.nan, np.nan
        return np.asarray(covariance)

    def estimable(self) -> BoolArray:
        """Districts with a stated dose and an effect."""
        return np.asarray(np.isfinite(self.dose) & np.isfinite(self.tau))


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictColumns:
    """Names of what is read from the sample, and the covariates of the landmark comparison."""

    district: str
    dose: str
    listed: str | None
    covariates: tuple[str, ...]
    growth: PastGrowth | None


def district_effects(sample: Sample, cohort: IntArray, columns: DistrictColumns, window: tuple[int, int]) -> DistrictEffects:
    """One arm per district with entrants, all compared through one regression per cohort with a dummy for every district."""
    codes, labels = factorise(sample.label(columns.district))
    order = np.argsort(labels.astype(str), kind="stable")
    entered = cohort != NEVER
    dose, listed, given = _read(sample, cohort, columns, (codes, labels))
    covariates = _with_districts(given, codes, len(labels))
    arms, kept = [], [int(k) for k in order if (entered & (codes == k)).any()]
    for k in kept:
        arm = Arm(entry=cohort, member=entered & (codes == k), comparison=lambda g: (cohort > g) & (listed >= g))
        arms.append(arm_effects(arm, sample.outcome[np.newaxis], sample.years, covariates, window, sample.weight))
    if not arms:
        raise IdentificationError(Problem(what="No firm enters in any district.", remedy="check the cohort column"))
    named = (columns.district, tuple(str(labels[k]) for k in kept))
    growth = columns.growth
    own_growth = growth is not None and growth.span[1] == BASE and growth.of in (None, sample.names.outcome)
    return _gather(sample, arms, named, dose[kept], own_growth)


def _read(
    sample: Sample, cohort: IntArray, columns: DistrictColumns, districts: tuple[NDArray[np.intp], NDArray[Any]]
) -> tuple[FloatArray, IntArray, Covariates]:
    """(dose per district, first listed year per firm, covariates); everything wrong with them at once."""
    problems: list[Problem] = []
    stated = firm_numbers(sample, columns.dose, problems, "a reward is one amount per firm that enters")
    dose = _district_doses(stated, cohort != NEVER, districts, problems)
    listed = cohort
    if columns.listed is not None:
        year = firm_numbers(sample, columns.listed, problems, "the first listed year is one per firm")
        known = np.isfinite(year) & (year > 0)
        listed = np.minimum(np.where(known, np.where(known, year, 0.0), NEVER).astype(np.int64), cohort)
    try:
        given = landmark_covariates(sample, columns.covariates, growth=columns.growth)
    except DataError as refused:
        problems.extend(refused.problems)
    raise_if_any(DataError, problems)
    return dose, listed, given


def _district_doses(
    stated: FloatArray, entered: BoolArray, districts: tuple[NDArray[np.intp], NDArray[Any]], problems: list[Problem]
) -> FloatArray:
    """Dose per district, read from its entrants only: what firms without a reward carry in the column has no meaning."""
    codes, labels = districts
    dose = np.full(len(labels), np.nan)
    varying, partly = [], []
    for k in range(len(labels)):
        values = stated[entered & (codes == k)]
        known = values[np.isfinite(values)]
        if known.size and known.size < values.size:
            partly.append(str(labels[k]))
        elif known.size and np.ptp(known) > 0.0:
            varying.append(str(labels[k]))
        elif known.size:
            dose[k] = known[0]
    for found, what in ((varying, "The dose varies within"), (partly, "The dose is stated for some entrants only in")):
        if found:
            what = f"{what} {len(found)} of {len(labels)} districts."
            remedy = "one dose for all entrants of a district, or missing for all of them"
            problems.append(Problem(what=what, first=", ".join(found[:3]), remedy=remedy))
    return dose


def _with_districts(given: Covariates, codes: NDArray[np.intp], n_districts: int) -> Covariates:
    """Covariates with a dummy for every district: entrants are compared with their own district, at slopes common to all."""
    dummies = (codes[:, np.newaxis] == np.arange(n_districts)).astype(np.float64)
    ready: dict[int, FloatArray] = {}

    def covariates(cohort: int) -> FloatArray:
        if cohort not in ready:
            ready[cohort] = np.column_stack([given(cohort), dummies])
        return ready[cohort]

    return covariates


def _gather(
    sample: Sample, arms: list[ArmEffects], named: tuple[str, tuple[str, ...]], dose: FloatArray, own_growth: bool
) -> DistrictEffects:
    """Arms side by side, their influences summed by cluster."""
    times = arms[0].times
    scores = _by_cluster(sample, np.stack([arm.influence[:, 0] for arm in arms], axis=1))
    tau, seen = np.full(len(arms), np.nan), np.zeros((len(arms), 2), dtype=np.int64)
    mean = np.zeros((len(arms), len(times)))
    n_treated, weight = np.zeros(len(arms), dtype=np.int64), np.zeros(len(arms))
    by_time = np.array([arm.value[0] for arm in arms])
    for d, arm in enumerate(arms):
        after = [j for j, e in enumerate(times) if e >= 0 and np.isfinite(by_time[d, j])]
        if not after:
            continue
        mean[d, after] = 1.0 / len(after)
        tau[d] = by_time[d, after].mean()
        seen[d] = times[after[0]], times[after[-1]]
        n_treated[d] = int(arm.n_treated[after].max())
        weight[d] = max(sum(float(c.mass[0, j]) for c in arm.cohorts) for j in after)
    return DistrictEffects(
        label=named[0],
        names=named[1],
        dose=dose,
        times=times,
        tau=tau,
        by_time=by_time,
        scores=np.stack([scores[:, d] @ mean[d] for d in range(len(arms))], axis=1),
        scores_by_time=scores,
        n_treated=n_treated,
        weight=weight,
        seen=seen,
        own_growth=own_growth,
    )


def _by_cluster(sample: Sample, influence: FloatArray) -> FloatArray:
    """Influences (N, …) summed within clusters above the firm, if there are any."""
    if sample.cluster is None:
        return influence
    scores = np.zeros((int(sample.cluster.max()) + 1, *influence.shape[1:]))
    np.add.at(scores, sample.cluster, influence)
    return scores
