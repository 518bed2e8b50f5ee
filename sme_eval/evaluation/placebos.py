"""Placebo assignments of a design: in bulk where its average is that of the landmark regression, else by refitting."""

from __future__ import annotations

import math

import numpy as np

from sme_eval.checks.placebo_assignment import Placebos, check_placebo_assignment
from sme_eval.checks.protocol import CheckResult
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.protocol import Estimator
from sme_eval.panel.sample import Sample
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.placebo_assignment import DEALS_AT_ONCE, HistoryCohort, alone_in_stratum, deals, placebo_effects

from .asked import Asked
from .firm_columns import firm_codes, firm_column, first_rows
from .refits import Refit
from .risk_sets import average_window, changes, risk_sets

REFITTED_ROWS = 2_500_000
"""Rows that refits may read together: so many draws where a deal must be refitted on the frame."""

FEWEST_REFITS = 39
"""Draws however large the panel: their smallest p-value is 0.025."""


def placebo_check(asked: Asked) -> CheckResult:
    """Placebo assignments within industry × district, as far as the policy names them."""
    stratum, rng = strata(asked), np.random.default_rng(asked.effort.seed)
    bulk = isinstance(asked.design.estimator, LandmarkDiD) and asked.design.estimator.method == "reg"
    effect, error, carried = (_in_bulk if bulk else _by_refitting)(asked, stratum, rng)
    cohort = asked.sample.cohort
    assert cohort is not None
    treated = cohort <= asked.sample.years[-1]
    overall = asked.headline.overall
    placebos = Placebos(
        effect=effect,
        std_error=error,
        carried=carried,
        overlap=own_share(treated, stratum)[0],
        n_strata=int(stratum.max()) + 1,
        n_treated=int(treated.sum()),
        n_fixed=int((treated & alone_in_stratum(stratum, cohort)).sum()),
    )
    return check_placebo_assignment(float(overall.estimate), float(overall.std_error), placebos)


def strata(asked: Asked) -> IntArray:
    """(N,) codes of industry × district; one stratum where the policy or the panel has neither."""
    rule, n_firms = asked.design.policy.checks, asked.sample.n_firms
    code = np.zeros(n_firms, dtype=np.int64)
    for name in (rule.industry, rule.district):
        labels = firm_column(asked, name)
        if labels is not None:
            _, own = np.unique(labels.astype(str), return_inverse=True)
            _, code = np.unique(code * (int(own.max()) + 1) + own, return_inverse=True)
    return code.astype(np.int64)


def _in_bulk(asked: Asked, stratum: IntArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, float]:
    """Effects, errors and what is carried over, by cross-products."""
    sample, estimator = asked.sample, asked.design.estimator
    window = average_window(estimator, sample)
    sets = risk_sets(estimator, sample)
    cohorts = [HistoryCohort(treated=r.treated, comparison=r.comparison, x=r.x, change=changes(sample, r, window)) for r in sets]
    given = np.stack(list(deals(stratum, asked.effort.placebos, rng)))
    cluster = None if sample.cluster is None else sample.cluster.astype(np.int64)
    effect, error = placebo_effects(cohorts, given, sample.weight, cluster)
    status = [
        HistoryCohort(treated=r.treated, comparison=r.comparison, x=r.x, change=_treated_after(sample, r.cohort, c.change))
        for r, c in zip(sets, cohorts, strict=True)
    ]
    carried, _ = placebo_effects(status, given[:DEALS_AT_ONCE], sample.weight)
    return effect, error, float(np.nanmean(carried))


def _treated_after(sample: Sample, cohort: int, change: FloatArray) -> FloatArray:
    """(N, E) change of being treated since the cohort's base year, where the outcome's `change` is known."""
    assert sample.cohort is not None
    start = sample.cohort[:, None]
    status = (start <= cohort + np.arange(change.shape[1])).astype(np.float64) - (start < cohort)
    return np.where(np.isfinite(change), status, np.nan)


def _by_refitting(asked: Asked, stratum: IntArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, float]:
    """Effects and errors by the estimator itself, histories dealt out as columns; what is carried over from counts."""
    refit, sample = Refit.of(asked), asked.sample
    code = firm_codes(asked)
    first, history = first_rows(code, sample.n_firms), history_columns(asked.design.estimator, sample)
    draws = min(asked.effort.placebos, max(FEWEST_REFITS, REFITTED_ROWS // len(code)))
    inside, found = code >= 0, []
    for given in deals(stratum, draws, rng):
        rows = np.where(inside, first[given[np.where(inside, code, 0)]], np.arange(len(code)))
        estimate = refit.columns({name: refit.frame[name].take(rows).array for name in history})
        if isinstance(estimate, Unavailable):
            found.append((math.nan, math.nan))
        else:
            found.append((float(estimate.estimate), float(estimate.std_error)))
    effect, error = np.array(found).T
    assert sample.cohort is not None
    placebo, others = own_share(sample.cohort <= sample.years[-1], stratum)
    return effect, error, placebo - others


def own_share(treated: BoolArray, stratum: IntArray) -> tuple[float, float]:
    """Expected share of really treated firms among placebo entrants, and among the others, by stratum and over deals."""
    n, entered = np.bincount(stratum), np.bincount(stratum, treated)
    again, total = float((entered**2 / n).sum()), float(entered.sum())
    return again / total, (total - again) / max(len(stratum) - total, 1.0)


def history_columns(estimator: Estimator, sample: Sample) -> tuple[str, ...]:
    """Columns that say what happened to a firm and when: those that a deal takes from another firm."""
    named = [sample.names.cohort, *(getattr(estimator, choice, None) for choice in ("listed", "among", "within"))]
    kept = dict.fromkeys(name for name in named if name is not None and name not in getattr(estimator, "covariates", ()))
    return tuple(kept)
