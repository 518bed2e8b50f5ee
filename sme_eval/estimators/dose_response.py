"""Difference-in-differences with discrete doses: what each dose did, and how effects go with dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Never

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import FEW_CLUSTERS, Basis
from sme_eval.results.dose_response import DoseResponseResult
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.small_sample import require_clusters
from sme_eval.terms import BasePeriod, Comparison, PanelRule

from .callaway_santanna import CallawaySantAnna
from .dose_groups import DoseGroups, LookedAt, dose_groups
from .dose_tables import dose_response_result
from .dose_values import doses_of_cells, require_doses
from .event_rows import late_cohorts
from .group_time_rows import in_use, years_left_out
from .protocol import as_moments


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseResponse:
    """ATT(g, t | d) of every dose d, its average ATT(d) by dose, and slopes of ATT(d) on d.

    Estimand: ATT(d) = E[Y_t(d) − Y_t(0) | D = d], per treated firm and year: the effect of dose d on the firms that got d.
    `overall` averages over doses, too.

    ATT(g, t | d) = (ȳ_t − ȳ_b | G = g, D = d) − (ȳ_t − ȳ_b | comparison): Callaway–Sant'Anna dose by dose, each with the same
    comparison of every dose and none. ATT(d) weighs cohorts and years by firms. Slopes: least squares of ATT(d) on d with weights
    of treated firm-years (`slope`), the same without intercept (`slope_origin`, an average of ATT(d)/d), the same within cohort
    and year (`slope_within`); `steps`: (ATT(d_j) − ATT(d_{j−1})) / (d_j − d_{j−1}).

    Assumptions: ATT(d) needs parallel trends between the firms at d and the comparison and no anticipation (`pretrend_test`
    speaks to both). Whatever *compares doses* (slopes, steps after the first, linearity) has a causal reading, the response to
    more dose, only under *strong* parallel trends: firms at one dose would have gained from another what those gained who got it.
    Where firms choose their dose for its gains, ATT(d) is right and the slope is not; no lead can tell. Doses are constant within
    firms (checked).

    Parameters
    ----------
    dose
        A kept column, numeric, one value per firm and all its years: positive for treated firms, 0 for never-treated ones. The dose
        of cohorts after the last year is not used.
    comparison
        "never_treated" within the panel's years, or "not_yet_treated" by max(t, b) + anticipation: firms of every dose, but for
        those of the same cohort.
    anticipation
        Years before treatment in which effects may start.
    base_period
        "varying": before treatment, change from the year before. "universal": always from the base year.
    panel
        "balanced": firms seen in every year. "pairs": firms seen in both years of each comparison.
    level
        Level of the intervals.

    Raises
    ------
    DataError
        Doses that are no number, negative, missing (also for never-treated firms: write 0) or change within a firm.
    DesignError
        The column is not kept (moments: not split by it); treated firms with dose 0 or never-treated ones with a positive dose;
        more than 20 distinct doses; covariates; no treatment named; unknown choices.
    IdentificationError
        No firm is seen in every year ("balanced"), no cohort has a year before treatment, or no dose has an effect.

    What one dose, two doses or an empty group cannot answer is `Unavailable` with the reason.

    Errors: influence functions, jointly over doses, clustered by firm or above, without small-sample factor, normal critical
    values; the shares of cohorts and doses count as estimated. Few firms or clusters behind a dose: the notes say so; if each
    district has one dose, `DistrictDose` judges the slope over districts. Source: Callaway, Goodman-Bacon and Sant'Anna (2024);
    Callaway and Sant'Anna (2021).

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5], "year": [2020, 2021] * 5, "reward": [2] * 4 + [5] * 2 + [0] * 4,
    ...                       "y": [1.0, 3.0, 2.0, 3.6, 1.0, 6.0, 0.0, 0.2, 1.0, 1.4], "g": [2021] * 6 + [0] * 4})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g", columns=("reward",))
    >>> result = sme.DoseResponse(dose="reward").fit(sample)
    >>> result.to_frame()[["dose", "n_treated", "estimate"]].round(10).to_dict("list")
    {'dose': [2.0, 5.0], 'n_treated': [2, 1], 'estimate': [1.5, 4.7]}
    >>> round(result.slope.estimate, 10)      # (4.7 − 1.5) / (5 − 2)
    1.0666666667
    """

    dose: str
    comparison: Comparison = "never_treated"
    anticipation: int = 0
    base_period: BasePeriod = "varying"
    panel: PanelRule = "balanced"
    level: float = 0.95

    def __post_init__(self) -> None:
        if not isinstance(self.dose, str) or not self.dose:
            raise DesignError(Problem(what=f"dose={self.dose!r} is no column.", remedy="name the kept column that holds the dose"))
        self._design()  # refuses choices that Callaway–Sant'Anna does not know

    def _design(self) -> CallawaySantAnna:
        return CallawaySantAnna(
            comparison=self.comparison,
            anticipation=self.anticipation,
            base_period=self.base_period,
            panel=self.panel,
            level=self.level,
        )

    def fit(self, data: Sample | Moments) -> DoseResponseResult:
        """Estimate every dose's effects from a sample, or from its moments if they are split by the dose."""
        if isinstance(data, Sample):
            _refuse_covariates(data)
            require_doses(data, self.dose)
        given = as_moments(data, (self.dose,), "DoseResponse")
        dose = doses_of_cells(given, self.dose)
        if not (given.cohort <= given.years[-1]).any():
            what = "No cohort is treated within the panel."
            raise IdentificationError(Problem(what=what, remedy="check the cohorts and the years"))
        design = self._design()
        years, treated = in_use(design, given.years, np.unique(given.cohort))
        seen = given.observed[:, : len(years)]
        kept = np.asarray(seen.all(axis=1) if self.panel == "balanced" else seen.any(axis=1))
        moments = given.subset(kept)
        if len(years) == len(given.years):  # the never treated may be gone with the firms that have gaps
            years, treated = in_use(design, years, np.unique(moments.cohort))
        used = _looked_at(given, dose, years, treated)
        groups = dose_groups(design, moments, dose[kept], used) if kept.any() else None
        if groups is None or not groups.after.any():
            _refuse_all(groups, bool(kept.any()))
        dropped = int(given.n_firms.sum() - moments.n_firms.sum())
        return dose_response_result(self, moments, groups, self._basis(moments, groups, dropped))

    def _basis(self, moments: Moments, groups: DoseGroups, dropped: int) -> Basis:
        rule = {"balanced": "firms seen in every year", "pairs": "firms seen in both years of each comparison"}[self.panel]
        unit = moments.cluster or "firm"
        notes = [f"{dropped} firms not seen in every year are left out"] if dropped else []
        notes += years_left_out(moments.years, groups.years)
        labels = moments.n_firms if moments.cluster is None else np.unique(moments.labels[moments.cluster])
        n_clusters = int(labels.sum()) if moments.cluster is None else len(labels)
        return Basis(
            n_firms=int(moments.n_firms.sum()),
            n_observations=moments.n_observations,
            n_clusters=require_clusters(n_clusters),
            convention=f"comparison: {self.comparison}; {rule}; clustered by {unit} as R did does: influence functions, no "
            "small-sample factor, normal critical values, estimated shares of cohorts and doses included",
            level=self.level,
            unit=moments.outcome,
            notes=(*notes, *late_cohorts(moments), *_thin(groups, moments.cluster)),
            effects="differences",
            cluster=unit,
            covariance="clustered",
        )


def _looked_at(given: Moments, dose: FloatArray, years: IntArray, treated: IntArray) -> LookedAt:
    """What is looked at, and every dose of a firm that is treated within the panel: none goes without a word."""
    effects: BoolArray = np.isin(given.cohort, treated)
    doses = np.unique(dose[effects | (given.cohort <= given.years[-1])])
    return LookedAt(years=years, cohorts=treated, doses=doses, only_compared=~np.isin(doses, dose[effects]))


def _thin(groups: DoseGroups, cluster: str | None) -> list[str]:
    """Notes on effects that are missing, and on doses with few clusters behind them."""
    notes, missing = [], np.isnan(groups.estimate)
    if missing.any():
        lost = ", ".join(f"{d:g}" for d in groups.doses[np.unique(groups.dose[groups.group[missing]])])
        notes.append(f"{int(missing.sum())} of {len(missing)} effects (doses {lost}) are unavailable and stand in no average")
    counts = {f"{d:g}": int(n) for d, n in zip(groups.doses, groups.clusters, strict=True) if n}
    if cluster is not None and groups.between:
        held = ", ".join(f"{dose}: {n}" for dose, n in counts.items())
        notes.append(
            f"no {cluster} holds two doses, so doses are compared between clusters (clusters at each dose: {held}): see "
            "DistrictDose, which judges a slope over districts"
        )
    few = ", ".join(f"{dose} ({n})" for dose, n in counts.items() if n < FEW_CLUSTERS)
    if few:
        what = "treated firms" if cluster is None else f"clusters by {cluster} with treated firms"
        notes.append(f"doses with fewer than {FEW_CLUSTERS} {what}: {few}; their errors under-cover")
    return notes


def _refuse_covariates(sample: Sample) -> None:
    if sample.names.covariates:
        remedy = (
            "leave `covariates` out; or fit CallawaySantAnna, which conditions on them, dose by dose: on a sample with the firms "
            "of one dose and the never-treated"
        )
        where = f"covariates: {', '.join(sample.names.covariates)}"
        raise DesignError(Problem(what="DoseResponse does not condition on covariates.", where=where, remedy=remedy))


def _refuse_all(groups: DoseGroups | None, any_firm: bool) -> Never:
    """Nothing is identified: say why."""
    if not any_firm:
        what, where = "No firm is seen in every year.", ""
        remedy = 'use panel="pairs": firms seen in both years of a comparison'
    elif groups is None:
        what, where, remedy = "No cohort has a year before treatment.", "", "lengthen the panel or lower `anticipation`"
    else:
        what = "No effect from treatment on is identified."
        where = "; ".join(sorted({note for note in groups.notes if note and note != "reference"}))
        remedy = 'use comparison="not_yet_treated", or a panel with never-treated firms'
    raise IdentificationError(Problem(what=what, where=where, remedy=remedy))
