"""The firms of a sample, sorted by cohort, with their baseline covariates as a design matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.errors import IdentificationError, Problem
from sme_eval.panel.codes import factorise
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.firm_blocks import FirmBlocks
from sme_eval.stats.least_squares import dependent_columns
from sme_eval.terms import NEVER, PanelRule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CohortFirms:
    """Firms in blocks by cohort: `cohorts` (B,), `names` of the covariates in use, `left_out` of those that combine others.

    `complete` says that every firm is seen in every year; `dropped` counts firms left out for not being so.
    """

    blocks: FirmBlocks
    cohorts: IntArray
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    complete: bool
    dropped: int
    n_observations: int
    n_clusters: int


def cohort_firms(sample: Sample, cohort: IntArray, panel: PanelRule, n_years: int) -> CohortFirms:
    """Sort the firms that `panel` keeps, looking at the first `n_years` years, by `cohort` (N,) and read their covariates."""
    seen = np.isfinite(sample.outcome[:, :n_years])
    whole = np.asarray(seen.all(axis=1))
    complete = bool(whole.all())
    kept = np.flatnonzero(whole) if panel == "balanced" and not complete else np.flatnonzero(seen.any(axis=1))
    if not len(kept):
        raise IdentificationError(
            Problem(what="No firm is seen in every year.", remedy='use panel="pairs": firms seen in both years of a comparison')
        )
    cohorts = np.unique(cohort[kept])
    codes = np.searchsorted(cohorts, cohort[kept])
    order = kept[np.argsort(codes.astype(np.uint16), kind="stable")]
    design, used = baseline_design(sample.baseline, order)
    cluster = None if sample.cluster is None else factorise(sample.cluster[order])[0]
    blocks = FirmBlocks(
        outcome=sample.outcome,
        order=order,
        start=np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(cohorts)))]),
        design=design,
        weight=None if sample.weight is None else sample.weight[order],
        cluster=cluster,
    )
    names = sample.names.covariates
    return CohortFirms(
        blocks=blocks,
        cohorts=cohorts.astype(np.int64),
        names=tuple(name for name, use in zip(names, used, strict=True) if use),
        left_out=tuple(name for name, use in zip(names, used, strict=True) if not use),
        complete=complete or panel == "balanced",
        dropped=len(whole) - len(kept),
        n_observations=int(seen.sum() if len(kept) == len(whole) else seen[kept].sum()),
        n_clusters=len(order) if cluster is None else int(cluster.max()) + 1,
    )


def baseline_design(values: FloatArray, order: IntArray) -> tuple[FloatArray, BoolArray]:
    """An intercept and the covariates, in units of their standard deviation, (q, n), and which of them are in it, (p,).

    A covariate that is constant or combines earlier ones is not: the estimates are the same without it.
    """
    design = np.ones((len(values) + 1, len(order)))
    design[1:] = standardised(values, order)
    gram = design @ design.T
    used = ~dependent_columns(gram, np.diag(gram))[1:] & design[1:].any(axis=1)
    return (design if used.all() else design[np.concatenate([[True], used])]), np.asarray(used)


def standardised(values: FloatArray, order: IntArray) -> FloatArray:
    """Covariates (p, ·) of the firms in `order` (N,), less their mean and in units of their standard deviation, (p, N).

    One that is constant becomes zero.
    """
    result = np.zeros((len(values), len(order)))
    for row, value in zip(result, values, strict=True):
        column = value[order]
        if np.ptp(column) > 0.0:
            column -= column.mean()
            np.divide(column, np.sqrt(column @ column / len(column)), out=row)
    return result


def late_cohorts(cohorts: IntArray, years: IntArray) -> list[int]:
    """Cohorts whose treatment starts after the last year: they count as never treated within the panel."""
    return [int(c) for c in cohorts if years[-1] < c < NEVER]
