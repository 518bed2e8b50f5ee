"""Who is compared with whom when firms enter: one row per firm and cohort, with what is known of it at that cohort's baseline."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sme_eval.errors import IdentificationError
from sme_eval.estimators.district_dose import DistrictDose
from sme_eval.estimators.landmark import LandmarkDiD, read_landmark
from sme_eval.estimators.landmark_arm import BASE, Arm, Covariates, Propensity, entry_propensity
from sme_eval.estimators.protocol import Estimator
from sme_eval.estimators.untangle import Untangle
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray

GROWTH = "growth"
"""Name of past growth among the covariates."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EntryRows:
    """R rows: `firm`, `group` (code of its cohort), `treated`, base `weight` and covariates `x` (R, p), all as of the cohort.

    `names` (p,) of the covariates, those of a category alike; `change` (R, E) from the base year to event times `times`, NaN where
    not seen; `odds` (R,) of the doubly robust propensity, None where there is none.
    """

    cohorts: tuple[int, ...]
    firm: IntArray
    group: IntArray
    treated: BoolArray
    weight: FloatArray
    names: tuple[str, ...]
    x: FloatArray
    times: tuple[int, ...]
    change: FloatArray
    odds: FloatArray | None
    n_firms: int

    def scaled(self, weight: FloatArray) -> FloatArray:
        """`weight` (R,) with the comparison rows of each cohort scaled to the weight of its treated ones."""
        n_groups = len(self.cohorts)
        ours = np.bincount(self.group[self.treated], weight[self.treated], n_groups)
        theirs = np.bincount(self.group[~self.treated], weight[~self.treated], n_groups)
        factor = np.divide(ours, theirs, out=np.zeros(n_groups), where=theirs > 0.0)
        return np.where(self.treated, weight, weight * factor[self.group])

    def carried(self, weight: FloatArray) -> FloatArray:
        """Weight of each comparison firm over all cohorts (N,)."""
        return np.asarray(np.bincount(self.firm[~self.treated], weight[~self.treated], self.n_firms), dtype=np.float64)

    def baseline(self, path: FloatArray, years: IntArray) -> FloatArray:
        """(R,) the value of `path` (N, T) in each row's base year."""
        place = np.searchsorted(years, np.array(self.cohorts) + BASE)
        return np.asarray(path[self.firm, place[self.group]])

    @property
    def n_treated(self) -> int:
        """Treated firms."""
        return int(self.treated.sum())

    @property
    def n_comparison(self) -> int:
        """Different firms that are compared."""
        return len(np.unique(self.firm[~self.treated]))


def landmark_twin(estimator: Estimator) -> LandmarkDiD | None:
    """The landmark design that compares the same firms as a headline given past growth; None for other headlines.

    Of a dose the average effect of entering, within districts; of a bundle the effect of the step that the policy dates.
    """
    if isinstance(estimator, LandmarkDiD):
        return estimator
    if not isinstance(estimator, DistrictDose | Untangle):
        return None
    within = (estimator.district,) if isinstance(estimator, DistrictDose) else ()
    return LandmarkDiD(
        covariates=tuple(dict.fromkeys((*estimator.covariates, *within))),
        past_growth=estimator.past_growth,
        growth_of=estimator.growth_of,
        listed=estimator.listed,
        level=estimator.level,
    )


def arm_of(estimator: Estimator, sample: Sample, cohort: IntArray) -> tuple[Arm, Covariates, tuple[str, ...]]:
    """Who is compared, given what; of a group-time design everybody not treated by g, or never, given the sample's covariates."""
    landmark = landmark_twin(estimator)
    if landmark is not None:
        given, arm = read_landmark(replace(landmark, squares=(), growth_split=False), sample, cohort)
        grown = 0 if given.growth is None else len(given.growth.names)
        return arm, given, (*given.names[: len(given.names) - grown], *[GROWTH] * grown)
    last = int(sample.years[-1])
    never = getattr(estimator, "comparison", "not_yet_treated") == "never_treated"
    x = np.concatenate([np.ones((sample.n_firms, 1)), sample.baseline.T], axis=1)
    everybody = np.ones(sample.n_firms, dtype=np.bool_)
    arm = Arm(entry=cohort, member=everybody, comparison=lambda g: np.asarray(cohort > (max(g, last) if never else g)))
    return arm, lambda g: x, sample.names.covariates


def entry_rows(estimator: Estimator, sample: Sample, cohort: IntArray) -> EntryRows | None:
    """The rows of every cohort with a base year, a treated and a comparison firm; None if there is none."""
    arm, covariates, names = arm_of(estimator, sample, cohort)
    last = int(getattr(estimator, "window", (0, 2))[1])
    times = tuple(range(last + 1))
    weight = np.ones(sample.n_firms) if sample.weight is None else sample.weight
    entered = [int(g) for g in arm.cohorts(sample.years) if g + BASE in sample.years]
    found = [_cohort(g, arm, covariates(g), _changes(sample, g, times)) for g in entered]
    parts = [part for part in found if part is not None]
    if not parts:
        return None
    firm = np.concatenate([part.firm for part in parts])
    return EntryRows(
        cohorts=tuple(part.cohort for part in parts),
        firm=firm,
        group=np.repeat(np.arange(len(parts)), [len(part.firm) for part in parts]),
        treated=np.concatenate([part.treated for part in parts]),
        weight=weight[firm],
        names=names,
        x=np.concatenate([part.x for part in parts]),
        times=times,
        change=np.concatenate([part.change for part in parts]),
        odds=_odds(estimator, sample, arm, covariates, [(part.cohort, part.firm) for part in parts]) if names else None,
        n_firms=sample.n_firms,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """The rows of one cohort."""

    cohort: int
    firm: IntArray
    treated: BoolArray
    x: FloatArray
    change: FloatArray


def _changes(sample: Sample, g: int, times: tuple[int, ...]) -> FloatArray:
    """(N, E) changes from the base year, NaN where not seen."""
    place = {int(year): j for j, year in enumerate(sample.years)}
    change = np.full((sample.n_firms, len(times)), np.nan)
    for j, e in enumerate(times):
        if g + e in place:
            change[:, j] = sample.outcome[:, place[g + e]] - sample.outcome[:, place[g + BASE]]
    return change


def _cohort(g: int, arm: Arm, x: FloatArray, change: FloatArray) -> _Part | None:
    treated, comparison = arm.groups(g, x)
    rows = np.flatnonzero((treated | comparison) & np.isfinite(change).any(axis=1))
    if not treated[rows].any() or not comparison[rows].any():
        return None
    return _Part(cohort=g, firm=rows, treated=treated[rows], x=x[rows, 1:], change=change[rows])


def _odds(
    estimator: Estimator, sample: Sample, arm: Arm, covariates: Covariates, rows: list[tuple[int, IntArray]]
) -> FloatArray | None:
    """(R,) odds of the doubly robust twin's propensity, or of one given the sample's covariates; None if groups are told apart."""
    landmark, given = landmark_twin(estimator), covariates
    names: tuple[str, ...] = ()
    try:
        if landmark is not None and sample.cohort is not None:
            twin = read_landmark(landmark.doubly_robust(), sample, arm.entry)[0]
            given, names = twin, twin.names
        found: Propensity = entry_propensity(arm, sample.years, given, sample.weight, names)
    except IdentificationError:
        return None
    if not all(g in found.odds for g, _ in rows):
        return None
    return np.concatenate([found.odds[g][firm] for g, firm in rows])
