"""Landmark difference-in-differences: each cohort against everybody untreated at its start, given what selected it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sme_eval.errors import DataError, DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.estimators.protocol import check_level
from sme_eval.panel.codes import factorise
from sme_eval.panel.sample import Sample
from sme_eval.panel.validation import per_firm
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.event_study import EventStudy
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.least_squares import scaled_pseudoinverse
from sme_eval.terms import NEVER

BASE = -1
"""Event time of the base year."""
SPAN_TOLERANCE = 1e-6
"""Largest part of the treated firms' mean covariates that may lie outside what the comparison firms span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkDiD:
    """Effect by event time of entering in g, against all firms that had not entered anything by then.

    Estimand: for cohort g and event time e, τ(g, e) = E[Y_{g+e} − Y_{g−1} | G = g] − E[m_ge(X_g) | G = g] with
    m_ge(x) = E[Y_{g+e} − Y_{g−1} | comparison, X_g = x]: the step at g relative to the status quo, in which comparison firms may
    be treated later. Cohorts are pooled by their firms; the overall effect is the plain mean over event times from 0 on.

    The comparison of cohort g is every firm that is not treated by g and, if `listed` names a column, was on no list before g,
    *whatever happens to it afterwards*: a comparison of never-treated firms would be chosen by what happened after g.
    m_ge is linear in X_g: an intercept, `covariates` (numbers as they are, texts and categories as dummies) and, with
    `past_growth` = (a, b), the outcome's change from g + a to g + b, at each cohort's own g.

    Assumptions: entry at g is as good as random given X_g (not checked: no rule built on the past protects against selection on
    future shocks); m_ge is linear (not checked); treated firms lie within what comparison firms span (checked).

    Parameters
    ----------
    covariates
        Kept columns, constant within firms. Not the outcome's own level: it would be fitted to its own noise.
    past_growth
        Event times between which the outcome's change is a covariate, both before treatment; None for no such covariate.
    window
        First and last event time. Effects at e ≤ min(past_growth) − 1 speak to trends; those inside the growth window are not
        informative, because growth is conditioned on.
    listed
        A kept column: first year on any list, 0 or missing for never. None: only treatment itself counts.
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        Contradictory choices, columns that the sample does not hold, no treatment named.
    DataError
        A covariate that varies within firms or is missing.
    IdentificationError
        No cohort has both a base year and a comparison.

    Errors: influence functions, clustered by firm or above, no small-sample factor, normal critical values; the cohorts' sizes
    count as estimated. Firms not seen in the years that an effect needs are left out of that effect. Source: Heckman, Ichimura
    and Todd (1997) for the regression form; group-time by group-time it equals R did's `est_method = "reg"` on the same firms.

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel, truth = sme.simulate_ningbo(seed=1, scenario="baseline")
    >>> sample = sme.Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_revenue", cohort="certified_year",
    ...                                columns=("rd_intensity",))
    >>> given_growth = sme.LandmarkDiD(covariates=("rd_intensity",)).fit(sample)
    >>> given_growth.conf_low < truth.average("log_revenue", event_time=(0, 2)) < given_growth.conf_high
    True
    """

    covariates: tuple[str, ...] = ()
    past_growth: tuple[int, int] | None = (-3, -1)
    window: tuple[int, int] = (-7, 2)
    listed: str | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = check_level(self.level)
        if self.window[0] > 0 or self.window[1] < 0:
            problems.append(Problem(what=f"The window {self.window} does not hold event time 0.", remedy="such as (-7, 2)"))
        if self.past_growth is not None and not self.past_growth[0] < self.past_growth[1] < 0:
            problems.append(
                Problem(what=f"past_growth={self.past_growth} is not a span before treatment.", remedy="such as (-3, -1), or None")
            )
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample) -> EventStudy:
        """Estimate the effects by event time from a sample."""
        if not isinstance(data, Sample):
            raise DesignError(
                Problem(what=f"LandmarkDiD fits a Sample, not {type(data).__name__}.", remedy="covariates differ from firm to firm")
            )
        if data.cohort is None:
            raise DesignError(
                Problem(
                    what="LandmarkDiD needs to know who was treated when.",
                    remedy="name `cohort` or `treatment` in Sample.from_frame",
                )
            )
        fits = _fit_cohorts(self, data, data.cohort)
        return _pool(self, data, fits)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Cells:
    """Effects of one event time: per cohort its effect, its treated weight and the firms' influences (N,) on the effect."""

    effect: list[float] = field(default_factory=list)
    mass: list[float] = field(default_factory=list)
    treated: list[BoolArray] = field(default_factory=list)
    influence: list[FloatArray] = field(default_factory=list)


def _fixed_covariates(landmark: LandmarkDiD, sample: Sample) -> FloatArray:
    """Intercept, numbers and dummies, (N, p); the first level of each category is left out."""
    problems: list[Problem] = []
    columns = [np.ones(sample.n_firms)]
    for name in landmark.covariates:
        column = sample.column(name)
        if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(column.dtype):
            codes, labels = factorise(pd.Series(sample.label(name)))
            columns += [(codes == k).astype(np.float64) for k in range(1, len(labels))]
            continue
        values = per_firm(
            sample.firm_codes,
            column.to_numpy(np.float64),
            sample.n_firms,
            name,
            problems,
            "covariates are baseline values: one per firm",
        )
        if np.isnan(values).any():
            problems.append(
                Problem(
                    what=f"{int(np.isnan(values).sum())} firms have no {name}.",
                    remedy="fill it, or leave these firms out beforehand",
                )
            )
        columns.append(values)
    raise_if_any(DataError, problems)
    return np.column_stack(columns)


def _first_listed(landmark: LandmarkDiD, sample: Sample, cohort: IntArray) -> IntArray:
    """First year on any list per firm; treatment itself is one."""
    if landmark.listed is None:
        return cohort
    problems: list[Problem] = []
    values = sample.column(landmark.listed).to_numpy(np.float64)
    year = per_firm(sample.firm_codes, values, sample.n_firms, landmark.listed, problems, "the first listed year is one per firm")
    raise_if_any(DataError, problems)
    listed = np.where(np.isfinite(year) & (year > 0), np.nan_to_num(year, posinf=0.0), NEVER).astype(np.int64)
    return np.minimum(listed, cohort)


def _fit_cohorts(landmark: LandmarkDiD, sample: Sample, cohort: IntArray) -> dict[int, _Cells]:
    """Event time → effects of every cohort that has its base year, its growth years and a comparison."""
    fixed, listed = _fixed_covariates(landmark, sample), _first_listed(landmark, sample, cohort)
    place = {int(y): j for j, y in enumerate(sample.years)}
    weight = np.ones(sample.n_firms) if sample.weight is None else sample.weight
    cells: dict[int, _Cells] = {}
    for g in np.unique(cohort[cohort <= sample.years[-1]]):
        needed = [g + BASE, *(() if landmark.past_growth is None else (g + t for t in landmark.past_growth))]
        if any(int(year) not in place for year in needed):
            continue
        covariates = fixed
        if landmark.past_growth is not None:
            first, last = (sample.outcome[:, place[int(g + t)]] for t in landmark.past_growth)
            covariates = np.column_stack([fixed, last - first])
        treated, comparison = cohort == g, (cohort > g) & (listed >= g)
        for e in range(landmark.window[0], landmark.window[1] + 1):
            if e == BASE or int(g + e) not in place:
                continue
            change = sample.outcome[:, place[int(g + e)]] - sample.outcome[:, place[int(g + BASE)]]
            usable = np.isfinite(change) & np.isfinite(covariates).all(axis=1)
            _add_cell(cells.setdefault(e, _Cells()), change, covariates, (treated & usable, comparison & usable), weight)
    return cells


def _add_cell(
    cells: _Cells, change: FloatArray, covariates: FloatArray, groups: tuple[BoolArray, BoolArray], weight: FloatArray
) -> None:
    """One τ(g, e) by regression on the comparison, with its influence; nothing where it is not identified."""
    treated, comparison = groups
    if not treated.any() or not comparison.any():
        return
    x, w = covariates[comparison], weight[comparison]
    inverse = scaled_pseudoinverse((x * w[:, None]).T @ x)
    mass = float(weight[treated].sum())
    mean = weight[treated] @ covariates[treated] / mass
    gram = (x * w[:, None]).T @ x
    if np.abs(mean @ inverse @ gram - mean).max() > SPAN_TOLERANCE * max(1.0, float(np.abs(mean).max())):
        return
    beta = inverse @ ((x * w[:, None]).T @ change[comparison])
    residual = change - covariates @ beta
    effect = float(weight[treated] @ residual[treated] / mass)
    influence = np.zeros(len(change))
    influence[treated] = weight[treated] * (residual[treated] - effect) / mass
    influence[comparison] = -w * (x @ (inverse @ mean)) * residual[comparison]
    cells.effect.append(effect)
    cells.mass.append(mass)
    cells.treated.append(treated)
    cells.influence.append(influence)


def _pool(landmark: LandmarkDiD, sample: Sample, cells: dict[int, _Cells]) -> EventStudy:
    """Cohorts pooled by their treated weight; that weight is estimated, so a firm's own deviation enters its influence."""
    times = sorted(e for e, cell in cells.items() if cell.effect)
    after = np.array([e >= 0 for e in times])
    if not after.any():
        raise IdentificationError(
            Problem(
                what="No cohort has its base year, its growth years and comparison firms that span its covariates.",
                remedy="lengthen the panel, use fewer covariates, or past_growth=None",
            )
        )
    weight = np.ones(sample.n_firms) if sample.weight is None else sample.weight
    influence = np.zeros((sample.n_firms, len(times)))
    value, n_treated = np.zeros(len(times)), []
    for j, e in enumerate(times):
        cell = cells[e]
        share = np.array(cell.mass) / sum(cell.mass)
        value[j] = share @ cell.effect
        for s, effect, treated, own in zip(share, cell.effect, cell.treated, cell.influence, strict=True):
            influence[:, j] += s * own
            influence[treated, j] += weight[treated] * (effect - value[j]) / sum(cell.mass)
        n_treated.append(int(np.any(cell.treated, axis=0).sum()))
    return _result(landmark, sample, (times, value, n_treated), influence)


def _result(
    landmark: LandmarkDiD, sample: Sample, found: tuple[list[int], FloatArray, list[int]], influence: FloatArray
) -> EventStudy:
    times, value, n_treated = found
    groups = np.arange(sample.n_firms) if sample.cluster is None else sample.cluster
    scores = np.zeros((int(groups.max()) + 1, len(times)))
    np.add.at(scores, groups, influence)
    covariance = scores.T @ scores
    basis = _basis(landmark, sample, int(np.unique(groups).size))
    after = np.array([e >= 0 for e in times])
    mean = after / after.sum()
    last = max(times)
    overall = Estimate.from_basis(
        f"unweighted average over event times 0 to {last}",
        float(mean @ value),
        float(np.sqrt(mean @ covariance @ mean)),
        basis,
        max(n for n, late in zip(n_treated, after, strict=True) if late),
    )
    at = int(np.searchsorted(times, BASE))
    all_times = [*times[:at], BASE, *times[at:]]
    effects = Effects(
        term=tuple(f"event time {e}" for e in all_times),
        estimate=np.insert(value, at, 0.0),
        covariance=np.insert(np.insert(covariance, at, 0.0, axis=0), at, 0.0, axis=1),
        basis=basis,
        keys={"event_time": tuple(all_times)},
        notes=tuple("reference" if e == BASE else "" for e in all_times),
        n_treated=(*n_treated[:at], max(n_treated), *n_treated[at:]),
    )
    return EventStudy(effects=effects, overall=overall, reference=BASE)


def _basis(landmark: LandmarkDiD, sample: Sample, n_clusters: int) -> Basis:
    given = [*landmark.covariates]
    if landmark.past_growth is not None:
        given.append("growth from g{:+d} to g{:+d}".format(*landmark.past_growth))
    comparison = "untreated by g" if landmark.listed is None else f"untreated by g and on no list ({landmark.listed}) before"
    return Basis(
        n_firms=sample.n_firms,
        n_observations=len(sample.position),
        n_clusters=n_clusters,
        convention=f"comparison: {comparison}, whatever happens later; given {', '.join(given) or 'nothing'}; "
        f"clustered by {sample.names.cluster or 'firm'}: influence functions, no small-sample factor, normal critical values",
        level=landmark.level,
        unit=sample.names.outcome,
    )
