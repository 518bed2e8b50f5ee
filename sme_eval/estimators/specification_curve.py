"""Many landmark specifications on one sample: those that share entrants, comparison, covariates and form are one pass.

What a pass costs are regressions of cohorts on covariates, and a propensity; further outcomes and windows come almost free,
because the same operator is applied to them. Every specification keeps its firms' influences on the sample's own index, zero for
firms that it does not use, so that any two of them have an exact covariance.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sme_eval.errors import IdentificationError
from sme_eval.estimators.landmark import LandmarkDiD, read_landmark
from sme_eval.estimators.landmark_arm import BASE, Arm, ArmEffects, CohortEffects, arm_effects, entry_propensity
from sme_eval.estimators.landmark_covariates import LandmarkCovariates
from sme_eval.panel.sample import Sample
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray

AT_ONCE: Final = 2
"""Passes at a time: numpy lets go of the interpreter while it multiplies."""

Tick = Callable[[int, int], None]
"""Hears after each pass how many are done, and of how many."""


@dataclass(frozen=True, kw_only=True)
class LandmarkSpecification:
    """One specification: the design (its last event time ends the window, which starts at 0) and what it is fitted to.

    `cohort`, `outcome` and `firms` name an entry of the arrays that `fit_landmarks` is given. Effects in the calendar year
    `without_year` are left out; base and growth years are not.
    """

    landmark: LandmarkDiD
    cohort: str
    outcome: str
    firms: str
    without_year: int | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class SpecificationEffect:
    """An average effect, the influence (N,) of firms on it, and which firms (N,) are the treated ones that it rests on."""

    estimate: float
    influence: FloatArray
    treated: BoolArray


Answer = SpecificationEffect | Unavailable


@dataclass(frozen=True, eq=False, kw_only=True)
class CurveData:
    """What specifications are fitted to: a sample, and by name cohorts (N,), outcomes (N, T) and firms kept (N,)."""

    sample: Sample
    cohorts: Mapping[str, IntArray]
    outcomes: Mapping[str, FloatArray]
    firms: Mapping[str, BoolArray]


def fit_landmarks(data: CurveData, specifications: Sequence[LandmarkSpecification], tick: Tick | None = None) -> list[Answer]:
    """The effect of each specification, in order; where it is not identified, the reason.

    Each equals the overall effect of `LandmarkDiD.fit` on the same firms, the plain mean over event times from 0 to the end of the
    window, and Σ ψψ' its variance. Estimand, assumptions and errors are that estimator's.
    """
    groups: dict[tuple[LandmarkDiD, str, str], list[int]] = {}
    for n, one in enumerate(specifications):
        groups.setdefault((replace(one.landmark, window=(0, 0)), one.cohort, one.firms), []).append(n)
    shared: dict[tuple[LandmarkDiD, str], tuple[LandmarkCovariates, Arm]] = {}
    for landmark, cohort, _ in groups:
        key = replace(landmark, method="reg"), cohort
        if key not in shared:
            shared[key] = read_landmark(landmark, data.sample, data.cohorts[cohort])
    answers: list[Answer] = [Unavailable("not estimated")] * len(specifications)

    def one_pass(key: tuple[LandmarkDiD, str, str]) -> list[Answer]:
        landmark, cohort, firms = key
        covariates, arm = shared[replace(landmark, method="reg"), cohort]
        asked = [specifications[n] for n in groups[key]]
        return _pass(data, landmark, covariates, _among(arm, data.firms[firms]), asked)

    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
        for done, (places, found) in enumerate(zip(groups.values(), pool.map(one_pass, groups), strict=True), start=1):
            for n, answer in zip(places, found, strict=True):
                answers[n] = answer
            if tick is not None:
                tick(done, len(groups))
    return answers


def _among(arm: Arm, keep: BoolArray) -> Arm:
    """The arm with only the kept firms among entrants and comparison."""
    return Arm(entry=arm.entry, member=arm.member & keep, comparison=lambda g: arm.comparison(g) & keep)


def _pass(
    data: CurveData, landmark: LandmarkDiD, covariates: LandmarkCovariates, arm: Arm, asked: list[LandmarkSpecification]
) -> list[Answer]:
    """All outcomes and windows of one arm given its covariates."""
    sample, names = data.sample, list(dict.fromkeys(one.outcome for one in asked))
    outcomes = np.stack([data.outcomes[name] for name in names])
    last = max(one.landmark.window[1] for one in asked)
    try:
        propensity = None
        if landmark.method == "dr":
            propensity = entry_propensity(arm, sample.years, covariates, sample.weight, covariates.names)
        found = arm_effects(arm, outcomes, sample.years, covariates, (0, last), sample.weight, propensity)
    except IdentificationError as error:
        return [Unavailable(f"not identified: {error.problems[0].what}")] * len(asked)
    weight = np.ones(sample.n_firms) if sample.weight is None else sample.weight
    return [_window(found, names.index(one.outcome), one, weight) for one in asked]


def _window(found: ArmEffects, place: int, one: LandmarkSpecification, weight: FloatArray) -> Answer:
    """The mean over the event times of one window of one outcome, cohorts pooled by their treated weight in each."""
    effects = []
    for j, e in enumerate(found.times):
        if BASE < e <= one.landmark.window[1]:
            cells = [c for c in found.cohorts if c.mass[place, j] > 0.0 and c.cohort + e != one.without_year]
            if cells:
                effects.append(_pooled(cells, place, j, weight))
    if not effects:
        return Unavailable("not estimated")
    value, influence, treated = zip(*effects, strict=True)
    mean = np.sum(influence, axis=0) / len(effects)
    return SpecificationEffect(estimate=float(np.mean(value)), influence=mean, treated=np.any(treated, axis=0))


def _pooled(cells: list[CohortEffects], place: int, time: int, weight: FloatArray) -> tuple[float, FloatArray, BoolArray]:
    """Cohorts at one event time by their treated weight, which is estimated: a firm's deviation enters its influence."""
    mass = np.array([c.mass[place, time] for c in cells])
    value = np.array([c.value[place, time] for c in cells])
    pooled = float(mass @ value / mass.sum())
    influence = np.zeros(len(weight))
    treated = np.zeros(len(weight), dtype=np.bool_)
    for c, m, v in zip(cells, mass, value, strict=True):
        own = c.treated[:, place, time]
        influence += m / mass.sum() * c.influence[:, place, time] + own * weight * (v - pooled) / mass.sum()
        treated |= own
    return pooled, influence, treated
