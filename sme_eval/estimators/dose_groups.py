"""ATT(g, t | d) of every group (cohort × dose), with the joint covariance of effects and group shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.stats.aggregation import GroupTimeCells
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray

from .callaway_santanna import CallawaySantAnna
from .group_time_rows import Row, group_time_rows


@dataclass(frozen=True, kw_only=True, eq=False)
class LookedAt:
    """The `years` that a design looks at, the panel's first ones, and the `cohorts` that have effects.

    `doses` and `only_compared` are those of `DoseGroups`; doses without a firm in use are among them.
    """

    years: IntArray
    cohorts: IntArray
    doses: FloatArray
    only_compared: BoolArray


@dataclass(frozen=True, kw_only=True, eq=False)
class DoseGroups:
    """M groups and their J effects.

    `years` are those looked at. `doses` (D,) are all doses of treated firms, ascending; `only_compared` (D,) tells those of cohorts
    that are comparison only. Per group: `dose` (M,), its position in `doses`, `cohort`, `firms` and `share`, its weighted share
    among all firms, each (M,). Per effect: its `group`, `year`, `estimate`, `notes`, `n_treated`, each (J,). `covariance`
    (J + M, J + M) is that of effects and shares; NaN where an effect is unavailable. `clusters` (D,) counts the clusters (or
    firms) behind each dose; `between` says that no cluster above the firm holds two doses.
    """

    years: IntArray
    doses: FloatArray
    only_compared: BoolArray
    dose: IntArray
    cohort: IntArray
    firms: IntArray
    share: FloatArray
    group: IntArray
    year: IntArray
    estimate: FloatArray
    notes: tuple[str, ...]
    n_treated: IntArray
    covariance: FloatArray
    clusters: IntArray
    between: bool

    @property
    def cells(self) -> GroupTimeCells:
        """The effects as cells of an aggregation: a group takes the place of a cohort (so `event_time` is ours, not theirs)."""
        codes = np.arange(len(self.dose))
        return GroupTimeCells(cohort=self.group, year=self.year, effect=self.estimate, cohorts=codes, share=self.share)

    @property
    def event_time(self) -> IntArray:
        """Years since treatment, (J,)."""
        return self.year - self.cohort[self.group]

    @property
    def after(self) -> BoolArray:
        """Effects from treatment on that are available, (J,)."""
        return np.isfinite(self.estimate) & (self.event_time >= 0)

    @property
    def block(self) -> IntArray:
        """A code of cohort and year, (J,): effects that share it differ in dose only."""
        return np.asarray(self.cohort[self.group] * (self.year.max() + 1) + self.year)

    def spread(self, gradient: FloatArray) -> FloatArray:
        """Covariance (A, A) of functions with this gradient (A, J + M), which is zero in unavailable effects."""
        covariance = np.where(np.isfinite(self.covariance), self.covariance, 0.0)
        return np.asarray(gradient @ covariance @ gradient.T)


def dose_groups(design: CallawaySantAnna, moments: Moments, dose: FloatArray, used: LookedAt) -> DoseGroups | None:
    """Every ATT(g, t | d) of `moments` whose cells have `dose` (K,); None if no cohort has a year before treatment.

    For cohort g and dose d the estimator is Callaway–Sant'Anna's without the cohort's firms at other doses: they are neither
    treated nor comparison.
    """
    groups: list[tuple[int, int, list[Row]]] = []
    years, doses = used.years, used.doses
    for g in (int(cohort) for cohort in used.cohorts[np.isin(used.cohorts, moments.cohort)]):
        rows = group_time_rows(design, years, np.array([g]))
        held = np.searchsorted(doses, np.unique(dose[moments.cohort == g]))
        groups += [(int(d), g, rows) for d in held if rows]
    if not groups:
        return None
    groups.sort(key=lambda group: group[:2])
    told = [(doses[d], g, rows) for d, g, rows in groups]
    influence, notes, n_treated = _joint_influence(design, moments, years, dose, told)
    n_rows = sum(len(rows) for _, _, rows in groups)
    covariance = influence.covariance()
    missing = np.flatnonzero(np.isnan(influence.estimate[:n_rows]))
    covariance[missing, :] = covariance[:, missing] = np.nan
    own = np.array([(moments.cohort == g) & (dose == doses[d]) for d, g, _ in groups])
    clusters, between = _clusters(moments, dose, doses, np.asarray(own.any(axis=0)))
    return DoseGroups(
        years=years,
        doses=doses,
        only_compared=used.only_compared,
        dose=np.array([d for d, _, _ in groups]),
        cohort=np.array([g for _, g, _ in groups]),
        firms=own.astype(np.int64) @ moments.n_firms,
        share=influence.estimate[n_rows:],
        group=np.repeat(np.arange(len(groups)), [len(rows) for _, _, rows in groups]),
        year=np.array([moments.years[t] for _, _, rows in groups for _, t, _ in rows]),
        estimate=influence.estimate[:n_rows],
        notes=tuple(notes),
        n_treated=np.array(n_treated, dtype=np.int64),
        covariance=covariance,
        clusters=clusters,
        between=between,
    )


def _joint_influence(
    design: CallawaySantAnna, moments: Moments, years: IntArray, dose: FloatArray, groups: list[tuple[float, int, list[Row]]]
) -> tuple[Influence, list[str], list[int]]:
    """Influence on the J effects and the M shares, a note per effect, and the treated firms behind it."""
    n_cells, n_years = moments.observed.shape
    n_rows = sum(len(rows) for _, _, rows in groups)
    slope = np.zeros((n_cells, n_rows + len(groups), n_years))
    constant = np.zeros((n_cells, n_rows + len(groups)))
    estimate, notes, n_treated, begin = np.zeros(n_rows + len(groups)), [], [], 0
    total = moments.weight.sum()
    for m, (d, g, rows) in enumerate(groups):
        own: BoolArray = (moments.cohort == g) & (dose == d)
        part: BoolArray = np.asarray((moments.cohort != g) | own)
        found, reasons = design._influence(moments.subset(part), years, rows)
        here = slice(begin, begin + len(rows))
        begin = here.stop
        slope[part, here], constant[part, here], estimate[here] = found.slope, found.constant, found.estimate
        notes += reasons
        n_treated += [int(moments.n_firms[own & moments.observed[:, t] & moments.observed[:, b]].sum()) for _, t, b in rows]
        estimate[n_rows + m] = moments.weight[own].sum() / total
        constant[:, n_rows + m] = (own - estimate[n_rows + m]) / total
    return Influence(moments=moments, estimate=estimate, slope=slope, constant=constant), notes, n_treated


def _clusters(moments: Moments, dose: FloatArray, doses: FloatArray, treated: BoolArray) -> tuple[IntArray, bool]:
    """Clusters, or firms, with treated firms of each dose (D,), and whether no cluster above the firm has two doses."""
    mine = [treated & (dose == d) for d in doses]
    if moments.cluster is None:
        return np.array([int(moments.n_firms[cells].sum()) for cells in mine]), False
    labels = moments.labels[moments.cluster]
    counts = np.array([len(set(labels[cells])) for cells in mine])
    return counts, bool(counts.sum() == len(set(labels[treated])))
