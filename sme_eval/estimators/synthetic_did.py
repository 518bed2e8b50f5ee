"""Synthetic difference-in-differences: comparison firms and years weighted so that trends before treatment are parallel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.panel.codes import Codes, factorise
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.synthetic import SyntheticDiDResult
from sme_eval.stats.arrays import FloatArray, IntArray, frozen
from sme_eval.stats.simplex import few_weights, ridge_weights
from sme_eval.terms import NEVER

from .protocol import check_level, choose

TIME_RIDGE = 1e-6
"""Times the noise, as in the paper: it only makes the years' weights unique."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticDiD:
    """Effect on treated firms against a weighted average of never-treated firms, compared with a weighted average of earlier years.

    Estimand: the average effect over the years from entry to the end of the panel, for each cohort; overall their mean weighted by
    treated firm-years.

    For cohort g: ω ≥ 0, Σω = 1 minimise Σ_t<g (ω_0 + Σ_i ω_i y_it − ȳ_t)² + ζ² T₀ ‖ω‖², ζ = (N₁T₁)^¼ σ, ȳ the mean path of g and
    σ the standard deviation of comparison firms' yearly changes; λ likewise makes years before g resemble those after it, with
    ridge 1e-6 σ. τ_g = (ȳ_post − Σλ_t ȳ_t) − Σω_i (y_i,post − Σλ_t y_it): with equal weights, difference-in-differences.

    Assumptions: without treatment the cohort's path would have gone on with its weighted comparison, as under a few common factors
    whose loadings the firms' weights can match (not checked); no anticipation. Nobody's path is better known than the noise
    allows: with few years before entry the weights stay near equal. Checked at run time: two years before entry, firms to compare.

    Parameters
    ----------
    errors
        "jackknife": leave out one firm (or cluster) at a time, weights kept; needs two treated firms per cohort, and many firms to
        be right: a little too short with 200, right with 400 (simulations). "placebo": the spread of effects on comparison firms
        that are treated as if; for few treated, and right only if these vary as much as comparison firms do; needs more
        comparison firms than treated ones.
    draws, seed
        Of "placebo".
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        No treatment named; weights or covariates, which the method does not know; placebo with clusters above the firm.
    IdentificationError
        No cohort with two years before it, no never-treated firm, too few firms for the errors.

    Firms not seen in every year are left out, cohorts with fewer than two years before them too; both are counted in the notes.
    Errors: no small-sample factor, normal critical values. Cost: weights are found through their dual of T₀ + 1 unknowns, so
    thousands of comparison firms take seconds. Source: Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), algorithms 1, 3
    and 4; cohorts one by one as in its appendix and in Clarke, Pailañir, Athey and Imbens (2024).

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel, truth = sme.simulate_ningbo(seed=1, scenario="clean")
    >>> sample = sme.Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_revenue", cohort="certified_year")
    >>> fit = sme.SyntheticDiD().fit(sample)
    >>> round(float(fit.unit_weights[2021].sum()), 12), len(fit.time_weights[2021])
    (1.0, 6)
    """

    errors: Literal["jackknife", "placebo"] = "jackknife"
    draws: int = 200
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [*choose("errors", self.errors, ("jackknife", "placebo")), *check_level(self.level)]
        if not (isinstance(self.draws, int) and self.draws >= 2):
            problems.append(Problem(what=f"draws={self.draws!r} gives no spread.", remedy="a whole number such as 200"))
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample) -> SyntheticDiDResult:
        """Estimate the effects from a sample."""
        cohort = _require(self, data)
        seen = ~np.isnan(data.outcome).any(axis=1)
        cohort, outcome = cohort[seen], data.outcome[seen]
        groups = np.arange(len(cohort)) if data.cluster is None else factorise(data.cluster[seen])[0]
        early = [int(g) for g in np.unique(cohort[cohort < NEVER]) if g <= data.years[-1] and (data.years < g).sum() < 2]
        control = cohort > data.years[-1]  # first treated after the panel ends: untreated in every year of it
        cohorts = tuple(int(g) for g in np.unique(cohort[~control]) if g not in early)
        sets = _Sets(outcome=outcome, control=np.flatnonzero(control), starts=tuple(int((data.years < g).sum()) for g in cohorts),
                     treated=tuple(np.flatnonzero(cohort == g) for g in cohorts))  # fmt: skip
        _refuse(self, sets, cohorts, groups)
        fits = [_fit(outcome[t], outcome[sets.control], start) for t, start in zip(sets.treated, sets.starts, strict=True)]
        covariance = _jackknife(sets, fits, groups) if self.errors == "jackknife" else _placebo(self, sets)
        notes = [f"{int((~seen).sum())} firms not seen in every year are left out"] if not seen.all() else []
        if early:
            notes.append(f"cohorts with fewer than two years before them are left out: {', '.join(map(str, early))}")
        return _result(self, data, sets, cohorts, fits, covariance, (groups, np.flatnonzero(seen), tuple(notes)))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sets:
    """Outcomes (N, T) of firms seen in every year; who is compared, and by cohort who is treated and how many years are before."""

    outcome: FloatArray
    control: IntArray
    treated: tuple[IntArray, ...]
    starts: tuple[int, ...]

    @property
    def shares(self) -> FloatArray:
        """Treated firm-years by cohort."""
        years = self.outcome.shape[1]
        return np.array([len(t) * (years - start) for t, start in zip(self.treated, self.starts, strict=True)], dtype=np.float64)

    def with_overall(self, effects: FloatArray) -> FloatArray:
        """Cohorts' effects (…, C) with their mean by treated firm-years behind them (…, C + 1)."""
        overall = effects @ self.shares / self.shares.sum()
        return np.concatenate([effects, overall[..., None]], axis=-1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fit:
    """One cohort: its effect, the weights, and each firm's change from weighted years before to the mean after."""

    effect: float
    unit: FloatArray
    time: FloatArray


def _fit(treated: FloatArray, control: FloatArray, start: int) -> _Fit:
    """Weights and effect of one cohort of paths (N₁, T) against paths (N₀, T), `start` years before treatment."""
    before, after = control[:, :start], control[:, start:].mean(axis=1)
    noise = float(np.diff(before, axis=1).std(ddof=1))
    if not noise > 0.0:
        remedy = "with no variation there is nothing to weight: use a difference-in-differences"
        raise IdentificationError(Problem(what="Comparison firms' outcomes all change alike before treatment.", remedy=remedy))
    path = treated[:, :start].mean(axis=0)
    zeta = (len(treated) * (control.shape[1] - start)) ** 0.25 * noise
    columns = before.T - before.mean(axis=1)  # the free intercept takes out each firm's mean over the years
    unit = ridge_weights(columns, path - path.mean(), zeta**2 * start)
    rows = before - before.mean(axis=0)
    time = few_weights(rows, after - after.mean(), (TIME_RIDGE * noise) ** 2 * len(control))
    effect = _change(treated, time).mean() - unit @ _change(control, time)
    return _Fit(effect=float(effect), unit=unit, time=time)


def _change(paths: FloatArray, time: FloatArray) -> FloatArray:
    """Mean after treatment less the weighted mean before, per firm."""
    change: FloatArray = paths[:, len(time) :].mean(axis=1) - paths[:, : len(time)] @ time
    return change


def _jackknife(sets: _Sets, fits: list[_Fit], groups: Codes) -> FloatArray:
    """Covariance (C + 1, C + 1) of cohorts' effects and their mean, each group left out in turn with weights kept."""
    n_groups = int(groups.max()) + 1
    effects, shares = [], []
    for fit, treated, start in zip(fits, sets.treated, sets.starts, strict=True):
        own = _change(sets.outcome[treated], fit.time)
        left = len(treated) - np.bincount(groups[treated], minlength=n_groups)
        mean = (own.sum() - np.bincount(groups[treated], weights=own, minlength=n_groups)) / left
        moved = fit.unit * _change(sets.outcome[sets.control], fit.time)
        rest = 1.0 - np.bincount(groups[sets.control], weights=fit.unit, minlength=n_groups)
        compared = (moved.sum() - np.bincount(groups[sets.control], weights=moved, minlength=n_groups)) / rest
        effects.append(mean - compared)
        shares.append(left * (sets.outcome.shape[1] - start))
    matrix, weight = np.column_stack(effects), np.column_stack(shares)
    matrix = np.column_stack([matrix, (matrix * weight).sum(axis=1) / weight.sum(axis=1)])
    centered = matrix - matrix.mean(axis=0)
    return (n_groups - 1) / n_groups * np.asarray(centered.T @ centered)


def _placebo(choice: SyntheticDiD, sets: _Sets) -> FloatArray:
    """The same covariance from comparison firms drawn, without repetition, as if treated."""
    rng = np.random.default_rng(choice.seed)
    sizes = [len(treated) for treated in sets.treated]
    ends = np.cumsum(sizes)
    drawn = np.empty((choice.draws, len(sizes)))
    for draw in range(choice.draws):
        order = rng.permutation(sets.control)
        rest = sets.outcome[np.sort(order[ends[-1] :])]
        for j, (end, size) in enumerate(zip(ends, sizes, strict=True)):
            drawn[draw, j] = _fit(sets.outcome[order[end - size : end]], rest, sets.starts[j]).effect
    matrix = sets.with_overall(drawn)
    centered = matrix - matrix.mean(axis=0)
    return np.asarray(centered.T @ centered) / choice.draws


def _require(choice: SyntheticDiD, data: Sample) -> IntArray:
    """The cohorts of a sample that names nothing which the method would ignore."""
    if not isinstance(data, Sample):
        raise DesignError(
            Problem(
                what=f"SyntheticDiD fits a Sample, not {type(data).__name__}.",
                remedy="every firm has its own weight: moments do not hold firms",
            )
        )
    problems = []
    if data.cohort is None:
        what = "SyntheticDiD needs to know who was treated when."
        problems.append(Problem(what=what, remedy="name `cohort` or `treatment` in Sample.from_frame"))
    if data.weight is not None:
        problems.append(Problem(what="SyntheticDiD chooses the firms' weights itself.", remedy="leave out `weight`"))
    if data.names.covariates:
        what = f"SyntheticDiD would ignore the covariates {', '.join(data.names.covariates)}."
        problems.append(Problem(what=what, remedy="leave them out, or use LandmarkDiD"))
    if data.cluster is not None and choice.errors == "placebo":
        problems.append(Problem(what="Placebos are drawn by firm, not by cluster.", remedy='errors="jackknife", or no `cluster`'))
    raise_if_any(DesignError, problems)
    assert data.cohort is not None
    return data.cohort


def _refuse(choice: SyntheticDiD, sets: _Sets, cohorts: tuple[int, ...], groups: Codes) -> None:
    """Refuse designs without a comparison, and errors that these firms cannot give."""
    problems = []
    n_control, n_treated = len(sets.control), sum(len(t) for t in sets.treated)
    if not cohorts:
        problems.append(Problem(what="No cohort is seen in two years before its treatment.", remedy="lengthen the panel"))
    if n_control < 2:
        what = f"{n_control} firms are never treated and seen in every year."
        problems.append(Problem(what=what, remedy="a synthetic comparison needs several"))
    if choice.errors == "placebo" and cohorts and n_control < n_treated + 2:
        what = f"Placebos need more comparison firms than treated ones: {n_control} against {n_treated}."
        problems.append(Problem(what=what, remedy='errors="jackknife"'))
    if choice.errors == "jackknife":
        alone = [str(g) for g, t in zip(cohorts, sets.treated, strict=True) if np.unique(groups[t]).size < 2]
        if alone:
            what = f"One treated firm (or cluster) cannot be left out of its cohort: {', '.join(alone)}."
            problems.append(Problem(what=what, remedy='errors="placebo"'))
        if n_control and np.unique(groups[sets.control]).size < 2:
            problems.append(Problem(what="All comparison firms are in one cluster.", remedy="cluster lower"))
    raise_if_any(IdentificationError, problems)


def _result(
    choice: SyntheticDiD,
    data: Sample,
    sets: _Sets,
    cohorts: tuple[int, ...],
    fits: list[_Fit],
    covariance: FloatArray,
    counted: tuple[Codes, IntArray, tuple[str, ...]],
) -> SyntheticDiDResult:
    groups, kept, notes = counted
    basis = _basis(choice, data, sets, groups, notes)
    sizes = tuple(len(t) for t in sets.treated)
    effect = sets.with_overall(np.array([fit.effect for fit in fits]))
    labels = np.empty(data.n_firms, dtype=object)
    labels[data.firm_codes] = data.frame[data.names.firm].to_numpy()
    table = Effects(
        term=tuple(f"cohort {g}" for g in cohorts),
        estimate=effect[:-1],
        covariance=covariance[:-1, :-1],
        basis=basis,
        keys={"cohort": cohorts},
        notes=("",) * len(cohorts),
        n_treated=sizes,
    )
    error = math.sqrt(float(covariance[-1, -1]))
    return SyntheticDiDResult(
        overall=Estimate.from_basis("average per treated firm and year", float(effect[-1]), error, basis, sum(sizes)),
        effects=table,
        controls=tuple(labels[kept[sets.control]]),
        years=tuple(int(y) for y in data.years),
        unit_weights={g: frozen(fit.unit) for g, fit in zip(cohorts, fits, strict=True)},
        time_weights={g: frozen(fit.time) for g, fit in zip(cohorts, fits, strict=True)},
    )


def _basis(choice: SyntheticDiD, data: Sample, sets: _Sets, groups: Codes, notes: tuple[str, ...]) -> Basis:
    used = np.concatenate([sets.control, *sets.treated])
    words = f"jackknife by {data.names.cluster or 'firm'}, weights kept" if choice.errors == "jackknife" else (
        f"placebo, {choice.draws} draws, seed {choice.seed}; right if treated firms vary as comparison firms do"
    )  # fmt: skip
    return Basis(
        n_firms=len(used),
        n_observations=len(used) * sets.outcome.shape[1],
        n_clusters=int(np.unique(groups[used]).size),
        convention=f"synthetic difference-in-differences, comparison never treated; {words}; normal critical values",
        level=choice.level,
        unit=data.names.outcome,
        notes=notes,
        cluster=(data.names.cluster or "firm") if choice.errors == "jackknife" else "",
    )
