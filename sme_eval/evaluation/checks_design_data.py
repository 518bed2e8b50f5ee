"""Checks of what a design takes for granted about its data: untouched neighbours, firms that stay, certificates that hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from sme_eval.checks.attrition import Survival, check_attrition
from sme_eval.checks.lapses import Lapsed, check_lapses
from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.shifts import LeftOut
from sme_eval.checks.spillovers import EXPOSURE_STEP, HIGH_EXPOSURE, check_spillovers
from sme_eval.errors import DataError, DesignError, IdentificationError
from sme_eval.estimators.panel_regression import PanelRegression
from sme_eval.panel.sample import Sample
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.inference import critical_value
from sme_eval.stats.least_squares import scaled_pseudoinverse
from sme_eval.stats.lee_bounds import LeeBounds, SurvivalCell, lee_bounds
from sme_eval.terms import NEVER

from .asked import Asked
from .firm_columns import firm_column, first_years
from .refits import NOT_REFITTED, Refit
from .risk_sets import RiskSet, average_window, changes, risk_sets

SLOPE, CELL = "_treated_neighbours", "_cell"

SAME_EXPOSURE = 12
"""Decimals of a share: sums in another order must not move a firm over the quantile."""


# --- spillovers ---------------------------------------------------------------------------------------------------


def spillover_check(asked: Asked, refit: Refit, code: IntArray) -> Iterator[CheckResult]:
    """Nothing without industry and district, or where the share of treated neighbours never varies among untreated firms."""
    cell = _cells(asked)
    if cell is None:
        return
    inside, cohort = code >= 0, asked.sample.cohort
    assert cohort is not None
    exposure = _exposure(asked, cell, code)
    untreated = inside & (cohort[np.where(inside, code, 0)] == NEVER)
    seen = exposure[untreated & np.isfinite(exposure)]
    if not seen.size or np.ptp(seen) == 0.0:
        return
    without = _without_exposed(asked, refit, code, exposure)
    yield check_spillovers(asked.headline.overall, without, _slope(asked, exposure, untreated, cell[np.where(inside, code, 0)]))


def _cells(asked: Asked) -> IntArray | None:
    """(N,) codes of industry × district."""
    rule = asked.design.policy.checks
    labels = [firm_column(asked, name) for name in (rule.industry, rule.district)]
    if labels[0] is None or labels[1] is None:
        return None
    joined = pd.MultiIndex.from_arrays([labels[0].astype(str), labels[1].astype(str)])
    return np.asarray(pd.factorize(joined)[0], dtype=np.int64)


def _exposure(asked: Asked, cell: IntArray, code: IntArray) -> FloatArray:
    """(rows,) share of treated neighbours: the first declared column that the panel has, else counted from the sample."""
    frame = asked.panel.frame
    for name in asked.design.policy.checks.exposure:
        if name in frame:
            return np.asarray(pd.to_numeric(frame[name], errors="coerce"), dtype=np.float64)
    assert asked.sample.cohort is not None
    inside = code >= 0
    year = frame[asked.sample.names.year].to_numpy(dtype=np.int64)
    shares = treated_neighbours(cell[code[inside]], year[inside], asked.sample.cohort[code[inside]] <= year[inside])
    exposure = np.full(len(frame), np.nan)
    exposure[inside] = shares
    return exposure


def treated_neighbours(cell: IntArray, year: IntArray, treated: BoolArray) -> FloatArray:
    """(rows,) share of the other firms of the same cell and year that are treated; 0 for a firm without neighbours."""
    group = np.unique(np.column_stack([cell, year]), axis=0, return_inverse=True)[1].ravel()
    others = np.bincount(group)[group] - 1.0
    count = np.bincount(group, treated)[group] - treated
    return np.asarray(np.where(others > 0, count / np.where(others > 0, others, 1.0), 0.0))


def _without_exposed(asked: Asked, refit: Refit, code: IntArray, exposure: FloatArray) -> LeftOut:
    """The headline without never-treated firms whose mean exposure since the first cohort lies above the quantile."""
    sample = asked.sample
    assert sample.cohort is not None
    year = asked.panel.frame[sample.names.year].to_numpy(dtype=np.int64)
    late = (code >= 0) & (year >= sample.cohort.min()) & np.isfinite(exposure)
    count = np.bincount(code[late], minlength=sample.n_firms)
    mean = np.bincount(code[late], exposure[late], minlength=sample.n_firms) / np.maximum(count, 1)
    mean, never = np.round(mean, SAME_EXPOSURE), sample.cohort == NEVER
    out = never & (mean > np.quantile(mean[never], HIGH_EXPOSURE))
    keep = (code < 0) | ~out[np.where(code >= 0, code, 0)]
    return LeftOut(key="without_exposed", estimate=refit.rows(keep), n_treated=0, n_firms=int(out.sum()))


def _slope(asked: Asked, exposure: FloatArray, untreated: BoolArray, cell: IntArray) -> Estimate | Unavailable:
    """Outcome of never-treated firms on exposure, firm and year effects; clustered by the cell that exposure is one of."""
    names = asked.sample.names
    frame = asked.panel.frame[[names.firm, names.year, names.outcome]].assign(**{SLOPE: exposure / EXPOSURE_STEP, CELL: cell})
    if names.cluster is not None:
        frame[CELL] = asked.panel.frame[names.cluster]
    try:
        sample = Sample.from_frame(
            frame.loc[untreated & np.isfinite(exposure)],
            firm=names.firm,
            year=names.year,
            outcome=names.outcome,
            columns=(SLOPE,),
            cluster=CELL,
        )
        slope = PanelRegression(regressors=(SLOPE,), level=asked.design.level).fit(sample)[SLOPE]
    except (DataError, DesignError, IdentificationError):
        return Unavailable(NOT_REFITTED)
    return slope


# --- firms that leave ---------------------------------------------------------------------------------------------


def attrition_check(asked: Asked) -> Iterator[CheckResult]:
    """Nothing where no cohort has a base year; bounds only where firms leave."""
    sample = asked.sample
    window = average_window(asked.design.estimator, sample)
    sets = [r for r in risk_sets(asked.design.estimator, sample) if r.treated.any() and r.comparison.any()]
    if not sets:
        return
    seen = [_seen_at_base(sample, r) for r in sets]
    moved = [changes(sample, r, window) for r in seen]
    survival = [s for s in (_survival(sample, seen, moved, e, asked.design.level) for e in range(window[1] + 1)) if s is not None]
    if not survival:
        return
    bounds: LeeBounds | Unavailable = Unavailable(NOT_REFITTED)
    if any(s.share_treated < 1.0 or s.share_comparison < 1.0 for s in survival):
        cells = [cell for r, m in zip(seen, moved, strict=True) for cell in _survival_cells(sample, r, m)]
        bounds = lee_bounds(cells, np.random.default_rng(asked.effort.seed), asked.design.level) if cells else bounds
    yield check_attrition(asked.headline.overall, survival, bounds)


def _seen_at_base(sample: Sample, risk: RiskSet) -> RiskSet:
    """The risk set among firms that are seen in its base year and whose covariates are known."""
    base = np.isfinite(sample.outcome[:, int(np.searchsorted(sample.years, risk.cohort - 1))]) & np.isfinite(risk.x.sum(axis=1))
    return RiskSet(cohort=risk.cohort, treated=risk.treated & base, comparison=risk.comparison & base, x=risk.x)


def _survival(sample: Sample, sets: Sequence[RiskSet], moved: Sequence[FloatArray], time: int, level: float) -> Survival | None:
    """Shares still seen at an event time, cohorts by their treated firms, difference clustered by firm; None beyond the panel."""
    inside = [
        (r, np.isfinite(m[:, time]))
        for r, m in zip(sets, moved, strict=True)
        if r.cohort + time <= sample.years[-1] and r.treated.any() and r.comparison.any()
    ]
    total = sum(int(r.treated.sum()) for r, _ in inside)
    if not total:
        return None
    shares, psi, gone = np.zeros(2), np.zeros(sample.n_firms), 0
    for r, seen in inside:
        part = r.treated.sum() / total
        for side, group in enumerate((r.treated, r.comparison)):
            share = float(seen[group].mean())
            shares[side] += part * share
            psi[group] += (1 - 2 * side) * part * (seen[group] - share) / group.sum()
        gone += int((r.treated & ~seen).sum())
    half = critical_value(level, np.inf) * float(np.sqrt(psi @ psi))
    treated, comparison = (float(min(share, 1.0)) if share < 1.0 - 1e-12 else 1.0 for share in shares)
    difference = treated - comparison
    return Survival(
        time=time,
        share_treated=treated,
        share_comparison=comparison,
        conf_low=difference - half,
        conf_high=difference + half,
        n_treated=total,
        n_left=gone,
    )


def _survival_cells(sample: Sample, risk: RiskSet, moved: FloatArray) -> Iterator[SurvivalCell]:
    """Per event time what the change is beyond the comparison's regression on the design's covariates."""
    for time in range(moved.shape[1]):
        change, rows = moved[:, time], risk.comparison & np.isfinite(moved[:, time])
        if risk.cohort + time > sample.years[-1] or not rows.any() or not risk.treated.any():
            continue
        x = np.where(np.isfinite(risk.x), risk.x, 0.0)
        beta = scaled_pseudoinverse(x[rows].T @ x[rows]) @ (x[rows].T @ change[rows])
        yield SurvivalCell(time=time, treated=risk.treated, comparison=risk.comparison, change=change - x @ beta)


# --- certificates that lapse --------------------------------------------------------------------------------------


def lapse_check(asked: Asked, refit: Refit, code: IntArray) -> Iterator[CheckResult]:
    """Nothing where the policy names no lapse or the panel has no such column."""
    lapse, cohort, sample = first_years(asked, asked.design.policy.checks.lapse), asked.sample.cohort, asked.sample
    if lapse is None or cohort is None:
        return
    window, inside = average_window(asked.design.estimator, sample), code >= 0
    start, end = cohort[np.where(inside, code, 0)], lapse[np.where(inside, code, 0)]
    year = asked.panel.frame[sample.names.year].to_numpy(dtype=np.int64)
    treated = inside & (start <= year) & (year - start <= window[1])
    lapsed = treated & (year >= end)
    share = float(lapsed.sum() / treated.sum()) if treated.any() else 0.0
    firms = int(np.unique(code[lapsed]).size)
    after = inside & (start != NEVER) & (year >= end)
    censored: Estimate | Unavailable = refit.rows(~after) if firms else Unavailable(NOT_REFITTED)
    yield check_lapses(asked.headline.overall, censored, Lapsed(share=share, n_firms=firms))
