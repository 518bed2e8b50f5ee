"""Group-time average treatment effects after Callaway and Sant'Anna."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.group_time import GroupTimeEffects
from sme_eval.stats.arrays import FloatArray, IntArray
from sme_eval.stats.small_sample import require_clusters
from sme_eval.terms import BasePeriod, Comparison, PanelRule

from .cross_fitting import CrossFit
from .group_time_covariates import METHODS, ONE_FIRM, Method, fit_given_covariates
from .group_time_rows import Row, compared_with, group_time_rows, in_use, years_left_out
from .protocol import as_moments, check_level, choose


@dataclass(frozen=True, slots=True, kw_only=True)
class CallawaySantAnna:
    """ATT(g, t): the average effect in year t on firms first treated in g.

    Estimand: ATT(g, t) = E[Y_t(g) − Y_t(∞) | G = g], and with `.aggregate` its averages.

    ATT(g, t) = (ȳ_t − ȳ_b | G = g) − (ȳ_t − ȳ_b | comparison), with base year b the last before g less `anticipation`. Given the
    sample's `covariates` X (baseline values), the second mean is the comparison's at the X of cohort g: predicted by a linear
    regression ("reg"), reweighted by the odds p(X) / (1 − p(X)) of being in g, a logit, weights summing to one ("ipw"), or
    predicted with the residuals so reweighted ("dr": right if either model is).

    Assumptions: parallel trends between cohort g and the comparison, given X, from the base year on (`pretrend_test` speaks to the
    years before), no anticipation beyond `anticipation` (not checked), the model of `method` (not checked). Checked: that a
    comparison exists in both years, that it spans the covariates, and overlap (no firm with p ≥ 0.999; comparison firms with
    p ≥ 0.995 get no weight); an effect that fails is unavailable, with the reason.

    Parameters
    ----------
    comparison
        "never_treated" within the panel's years, or "not_yet_treated" by max(t, b) + anticipation.
    method
        "dr", "reg" or "ipw"; matters with covariates only.
    anticipation
        Years before treatment in which effects may start.
    base_period
        "varying": before treatment, change from the year before. "universal": always from the base year.
    panel
        "balanced": firms seen in every year (R's default). "pairs": firms seen in both years of each comparison.
    level
        Level of the intervals.
    learner
        `CrossFit(...)`: any scikit-learn learners, cross-fitted, in place of the linear regression and the logit of "dr".

    Raises
    ------
    DesignError
        Unknown choices; no treatment named; a learner without covariates, or with "reg" or "ipw", whose scores are not orthogonal.
    IdentificationError
        No firm is seen in every year ("balanced"), no cohort has a year before treatment, or no effect is identified given X.

    Errors: influence functions without small-sample factor, normal critical values; the estimation of cohort shares is included in
    averages. Moments fit without covariates; with them a sample is needed. Source: Callaway and Sant'Anna (2021), Sant'Anna and
    Zhao (2020); R did 2.5 with DRDID 1.2.

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [2020, 2021] * 4,
    ...                       "y": [1.0, 3.0, 2.0, 3.6, 1.0, 1.4, 0.0, 0.2], "g": [2021] * 4 + [0] * 4})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g")
    >>> round(sme.CallawaySantAnna().fit(sample).aggregate("simple").overall.estimate, 10)
    1.5
    """

    comparison: Comparison = "never_treated"
    method: Method = "dr"
    anticipation: int = 0
    base_period: BasePeriod = "varying"
    panel: PanelRule = "balanced"
    level: float = 0.95
    learner: CrossFit | None = None

    def __post_init__(self) -> None:
        problems = [
            *choose("comparison", self.comparison, ("never_treated", "not_yet_treated")),
            *choose("method", self.method, tuple(METHODS)),
            *choose("base_period", self.base_period, ("varying", "universal")),
            *choose("panel", self.panel, ("balanced", "pairs")),
        ]
        problems += check_level(self.level)
        if not isinstance(self.anticipation, int) or self.anticipation < 0:
            problems.append(Problem(what=f"anticipation={self.anticipation!r} is not a number of years.", remedy="0, 1, 2, …"))
        problems += _learner_problems(self.learner, self.method)
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample | Moments) -> GroupTimeEffects:
        """Estimate every ATT(g, t) from a sample or its moments."""
        if self.learner is not None and not (isinstance(data, Sample) and data.names.covariates):
            what = "A learner has nothing to learn from: there are no covariates."
            raise DesignError(Problem(what=what, remedy="name them: Sample.from_frame(covariates=…), and fit the sample"))
        if isinstance(data, Sample) and data.names.covariates:
            return fit_given_covariates(self, data)
        moments = as_moments(data, (), "CallawaySantAnna")
        before = int(moments.n_firms.sum())
        years, treated = in_use(self, moments.years, np.unique(moments.cohort))
        seen = moments.observed[:, : len(years)]
        moments = moments.subset(np.asarray(seen.all(axis=1) if self.panel == "balanced" else seen.any(axis=1)))
        if len(years) == len(moments.years):  # the never treated may be gone with the firms that have gaps
            years, treated = in_use(self, years, np.unique(moments.cohort))
        if not len(moments.n_firms):
            raise IdentificationError(
                Problem(
                    what="No firm is seen in every year.",
                    remedy='use panel="pairs": firms seen in both years of a comparison',
                )
            )
        rows = group_time_rows(self, years, treated[np.isin(treated, moments.cohort)])
        if not rows:
            raise IdentificationError(
                Problem(what="No cohort has a year before treatment.", remedy="lengthen the panel or lower `anticipation`")
            )
        return self._result(moments, years, rows, before - int(moments.n_firms.sum()))

    def _influence(self, moments: Moments, years: IntArray, rows: list[Row]) -> tuple[Influence, list[str]]:
        """Effects and their influence, one row each; NaN with a reason where a group is empty."""
        n_cells, n_years = moments.observed.shape
        slope, constant = np.zeros((n_cells, len(rows), n_years)), np.zeros((n_cells, len(rows)))
        value, notes = np.zeros(len(rows)), [""] * len(rows)
        for j, (cohort, year, base) in enumerate(rows):
            if year == base:
                notes[j] = "reference"
                continue
            both = moments.observed[:, year] & moments.observed[:, base]
            groups = {
                "treated": (both & (moments.cohort == cohort), 1.0),
                "comparison": (both & compared_with(self, years, moments.cohort, (cohort, year, base)), -1.0),
            }
            empty = [name for name, (cells, _) in groups.items() if not cells.any()]
            if empty:
                value[j], notes[j] = np.nan, f"no {' and no '.join(empty)} firm is seen in both years"
                continue
            if moments.n_firms[groups["treated"][0]].sum() == 1:
                notes[j] = ONE_FIRM
            for cells, sign in groups.values():
                total = moments.weight[cells].sum()
                change = moments.mean[cells, year] - moments.mean[cells, base]
                mean = float(moments.weight[cells] @ change / total)
                value[j] += sign * mean
                slope[cells, j, year] = sign / total
                slope[cells, j, base] = -sign / total
                constant[cells, j] = -sign * mean / total
        return Influence(moments=moments, estimate=value, slope=slope, constant=constant), notes

    def _result(self, moments: Moments, years: IntArray, rows: list[Row], dropped: int) -> GroupTimeEffects:
        influence, notes = self._influence(moments, years, rows)
        cohorts = np.unique([cohort for cohort, _, _ in rows])
        shares = _share_influence(moments, cohorts)
        joint = Influence(
            moments=moments,
            estimate=np.concatenate([influence.estimate, shares.estimate]),
            slope=np.concatenate([influence.slope, shares.slope], axis=1),
            constant=np.concatenate([influence.constant, shares.constant], axis=1),
        ).covariance()
        missing = np.flatnonzero(np.isnan(influence.estimate))
        joint[missing, :] = joint[:, missing] = np.nan
        cohort, year = (np.array(part) for part in zip(*((c, int(moments.years[t])) for c, t, _ in rows), strict=True))
        effects = Effects(
            term=tuple(f"ATT({c}, {t})" for c, t in zip(cohort, year, strict=True)),
            estimate=influence.estimate,
            covariance=joint[: len(rows), : len(rows)],
            basis=self._basis(influence, years, dropped),
            keys={
                "cohort": tuple(int(c) for c in cohort),
                "year": tuple(int(t) for t in year),
                "event_time": tuple(int(e) for e in year - cohort),
            },
            notes=tuple(notes),
            n_treated=tuple(_firms_seen(moments, row) for row in rows),
        )
        firms = np.array([moments.n_firms[moments.cohort == c].sum() for c in cohorts])
        return GroupTimeEffects(
            effects=effects,
            cohorts=cohorts,
            firms=firms,
            share=shares.estimate,
            joint_covariance=joint,
            years=years,
            anticipation=self.anticipation,
        )

    def _basis(self, influence: Influence, years: IntArray, dropped: int) -> Basis:
        moments = influence.moments
        rule = {"balanced": "firms seen in every year", "pairs": "firms seen in both years of each comparison"}[self.panel]
        late = sorted({int(c) for c in moments.cohort if moments.years[-1] < c} - {np.iinfo(np.int32).max})
        notes = [f"{dropped} firms not seen in every year are left out"] if dropped else []
        notes += years_left_out(moments.years, years)
        if late:
            notes.append(f"cohorts after the last year ({', '.join(map(str, late))}) count as never treated within the panel")
        return Basis(
            n_firms=int(moments.n_firms.sum()),
            n_observations=int(moments.n_firms @ moments.observed[:, : len(years)].sum(axis=1)),
            n_clusters=require_clusters(influence.n_clusters),
            convention=f"comparison: {self.comparison}; {rule}; clustered by {moments.cluster or 'firm'} as R did does: influence "
            "functions, no small-sample factor, normal critical values, estimated cohort shares included",
            level=self.level,
            unit=moments.outcome,
            notes=tuple(notes),
            effects="differences",
            cluster=moments.cluster or "firm",
            covariance="clustered",
        )


def _learner_problems(learner: object, method: Method) -> list[Problem]:
    if learner is None:
        return []
    if not isinstance(learner, CrossFit):
        what = f"learner={type(learner).__name__} does not say which learner does what."
        return [Problem(what=what, remedy="learner=CrossFit(outcome=…, propensity=…)")]
    if method == "dr":
        return []
    what = f'A learner needs method="dr", not {method!r}: only the doubly robust score is orthogonal to its errors.'
    return [Problem(what=what, remedy='method="dr", or no learner')]


def _firms_seen(moments: Moments, row: Row) -> int:
    """Treated firms behind one ATT(g, t)."""
    cohort, year, base = row
    cells = (moments.cohort == cohort) & moments.observed[:, year] & moments.observed[:, base]
    return int(moments.n_firms[cells].sum())


def _share_influence(moments: Moments, cohorts: IntArray) -> Influence:
    """Weighted shares of the treated cohorts (G,) and their influence: w_i (1{G_i = g} − p_g) / Σw."""
    total = moments.weight.sum()
    member = (moments.cohort[:, None] == cohorts).astype(np.float64)
    share: FloatArray = moments.weight @ member / total
    return Influence(
        moments=moments,
        estimate=share,
        slope=np.zeros((*member.shape, len(moments.years))),
        constant=(member - share) / total,
    )
