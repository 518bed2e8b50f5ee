"""The average effect of a design in each of several groups of treated firms, with every firm's influence on it.

All groups are compared with the same firms as the whole is, and groups may overlap: their estimates' covariance, within one trait
and across traits, is that of one stacked influence matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray

from .callaway_santanna import CallawaySantAnna
from .group_time_rows import Row, compared_with, group_time_rows, in_use
from .landmark import LandmarkDiD, clustered, read_landmark, require_landmark
from .landmark_arm import arm_effects, entry_propensity


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupEffects:
    """J groups: `value` (J,), NaN with the reason in `notes` where not identified; `influence` (N, J), zero there.

    `covariance` (J, J) is that of the influences, clustered as the sample is; `n_treated` (J,) counts the treated firms that an
    effect averages over.
    """

    value: FloatArray
    influence: FloatArray
    covariance: FloatArray
    n_treated: IntArray
    notes: tuple[str, ...]


def effects_by_group(estimator: LandmarkDiD | CallawaySantAnna, sample: Sample, members: BoolArray) -> GroupEffects:
    """The estimator's overall effect for the treated firms of each group, `members` (N, J); the comparison stays the whole one's.

    LandmarkDiD: the mean effect over event times from 0 on among the entrants of the group. CallawaySantAnna: the average per
    treated firm and year of the group; a cohort's firms outside the group are neither treated nor comparison for it. A group that
    holds all treated firms has the estimator's own estimate and error.

    Raises
    ------
    DesignError
        Another estimator, or CallawaySantAnna given covariates, whose influences are not kept by firm.
    """
    if isinstance(estimator, LandmarkDiD):
        found = list(_landmark(estimator, sample, members))
    elif isinstance(estimator, CallawaySantAnna) and not sample.names.covariates:
        found = list(_group_time(estimator, sample, members))
    else:
        what = f"{type(estimator).__name__} has no effects by group of treated firms here."
        raise DesignError(Problem(what=what, remedy="LandmarkDiD, or CallawaySantAnna without covariates"))
    influence = np.column_stack([one.influence for one in found])
    return GroupEffects(
        value=np.array([one.value for one in found]),
        influence=influence,
        covariance=clustered(sample, influence),
        n_treated=np.array([one.n_treated for one in found], dtype=np.int64),
        notes=tuple(one.note for one in found),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Group:
    """One group's effect, `influence` (N,)."""

    value: float
    influence: FloatArray
    n_treated: int
    note: str = ""

    @classmethod
    def missing(cls, treated: BoolArray, note: str = "no effect of this group is identified") -> _Group:
        return cls(value=np.nan, influence=np.zeros(len(treated)), n_treated=int(treated.sum()), note=note)


def _landmark(landmark: LandmarkDiD, sample: Sample, members: BoolArray) -> Iterator[_Group]:
    """One pass of the arm per group: same entries, comparison and covariates, other members."""
    covariates, arm = read_landmark(landmark, sample, require_landmark(landmark, sample))
    window = (0, landmark.window[1])
    for member in members.T:
        own = replace(arm, member=arm.member & member)
        try:
            propensity = None
            if landmark.method == "dr":
                propensity = entry_propensity(own, sample.years, covariates, sample.weight, covariates.names)
        except IdentificationError as refused:
            yield _Group.missing(own.member & (own.entry <= sample.years[-1]), refused.problems[0].what)
            continue
        found = arm_effects(own, sample.outcome[None], sample.years, covariates, window, sample.weight, propensity)
        if not np.isfinite(found.value).any():
            yield _Group.missing(own.member & (own.entry <= sample.years[-1]))
            continue
        value, influence = found.window_mean(*window)
        yield _Group(value=float(value[0]), influence=influence[:, 0], n_treated=int(found.n_treated.max()))


def _group_time(design: CallawaySantAnna, sample: Sample, members: BoolArray) -> Iterator[_Group]:
    """θ = Σ p_g ATT(g, t | group) / Σ p_g over years from g on, p_g the group's weight in cohort g, which is estimated too.

    A firm's influence is {Σ p_g ψ_gt + w 1[cohort = g, group] Σ_t (ATT(g, t | group) − θ)} / Σ p_g, with
    ψ_gt = ±w (Δy − mean) / weight on the side of the change to which the firm belongs.
    """
    if sample.cohort is None:
        raise DesignError(Problem(what="Groups of treated firms need cohorts.", remedy="name `cohort` in Sample.from_frame"))
    years, kept, rows = _rows(design, sample, sample.cohort)
    weight = (np.ones(sample.n_firms) if sample.weight is None else sample.weight) * kept
    changes = [_Change.of(design, sample, years, kept, row) for row in rows]
    for member in members.T:
        known = [(c, value) for c in changes if (value := c.effect(member, weight)) is not None]
        share = np.array([weight[c.cohort & member].sum() for c, _ in known])
        if not share.sum():
            yield _Group.missing(member & (sample.cohort <= sample.years[-1]))
            continue
        theta = float(share @ [value for _, value in known] / share.sum())
        influence, seen = np.zeros(sample.n_firms), np.zeros(sample.n_firms, dtype=np.bool_)
        for p, (change, value) in zip(share, known, strict=True):
            own = change.cohort & member
            influence += p * change.influence(member, weight) + weight * own * (value - theta)
            seen |= own & change.seen
        yield _Group(value=theta, influence=influence / share.sum(), n_treated=int(seen.sum()))


def _rows(design: CallawaySantAnna, sample: Sample, cohort: IntArray) -> tuple[IntArray, BoolArray, list[Row]]:
    """Years looked at, the firms kept (N,), and the changes from treatment on, as `CallawaySantAnna` takes them."""
    years, treated = in_use(design, sample.years, np.unique(cohort))
    observed = np.isfinite(sample.outcome[:, : len(years)])
    kept: BoolArray = np.asarray(observed.all(axis=1) if design.panel == "balanced" else observed.any(axis=1))
    if len(years) == len(sample.years):
        years, treated = in_use(design, years, np.unique(cohort[kept]))
    rows = group_time_rows(design, years, treated[np.isin(treated, cohort[kept])])
    return years, kept, [row for row in rows if years[row[1]] >= row[0]]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Change:
    """One change of one cohort: who is of the `cohort`, who is `seen` in both years, who is compared with; `change` (N,)."""

    cohort: BoolArray
    seen: BoolArray
    comparison: BoolArray
    change: FloatArray

    @classmethod
    def of(cls, design: CallawaySantAnna, sample: Sample, years: IntArray, kept: BoolArray, row: Row) -> _Change:
        assert sample.cohort is not None
        g, year, base = row
        change = sample.outcome[:, year] - sample.outcome[:, base]
        seen = np.isfinite(change) & kept
        return cls(
            cohort=np.asarray((sample.cohort == g) & kept),
            seen=seen,
            comparison=seen & compared_with(design, years, sample.cohort, row),
            change=np.where(seen, change, 0.0),
        )

    def effect(self, member: BoolArray, weight: FloatArray) -> float | None:
        """ATT of the cohort's `member` firms; None without firms on either side."""
        sides = [self._mean(rows, weight) for rows in (self.cohort & member & self.seen, self.comparison)]
        return None if sides[0] is None or sides[1] is None else sides[0] - sides[1]

    def influence(self, member: BoolArray, weight: FloatArray) -> FloatArray:
        """(N,) on that effect."""
        found = np.zeros(len(weight))
        for rows, sign in ((self.cohort & member & self.seen, 1.0), (self.comparison, -1.0)):
            mean = self._mean(rows, weight)
            if mean is not None:
                found += sign * np.where(rows, weight * (self.change - mean), 0.0) / weight[rows].sum()
        return found

    def _mean(self, rows: BoolArray, weight: FloatArray) -> float | None:
        total = float(weight[rows].sum())
        return float(weight[rows] @ self.change[rows]) / total if total else None
