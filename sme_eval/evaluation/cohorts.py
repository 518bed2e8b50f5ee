"""Who was treated when: cohorts, their firms by year, and their average effects."""

from __future__ import annotations

import numpy as np

from sme_eval.panel.sample import Sample
from sme_eval.results.effects import Effects
from sme_eval.results.unavailable import Unavailable

from .effects import Scale, number
from .record import CohortMapRecord, CohortRecord


def cohort_map(sample: Sample, by_cohort: Effects | None, scale: Scale, window: tuple[int, int] | None) -> CohortMapRecord:
    """Counts of the sample by cohort and year, with each cohort's effect where the estimator has one, averaged over `window`."""
    if sample.cohort is None:
        raise AssertionError("a cohort map needs cohorts")
    seen = ~np.isnan(sample.outcome)
    never = sample.cohort > sample.years[-1]
    truth = scale.true_by_cohort(window)
    return CohortMapRecord(
        years=tuple(int(y) for y in sample.years),
        cohorts=tuple(_cohort(int(g), seen[sample.cohort == g], by_cohort, truth) for g in np.unique(sample.cohort[~never])),
        n_never_treated=int(never.sum()),
        never_observed=tuple(int(n) for n in seen[never].sum(axis=0)),
    )


def _cohort(
    cohort: int, seen: np.ndarray[tuple[int, int], np.dtype[np.bool_]], by_cohort: Effects | None, truth: dict[int, float]
) -> CohortRecord:
    missing = Unavailable("the estimator gives no effect for this cohort")
    row = None
    if by_cohort is not None and cohort in by_cohort.keys["cohort"]:
        row = by_cohort.row(by_cohort.keys["cohort"].index(cohort))
    return CohortRecord(
        cohort=cohort,
        n_firms=len(seen),
        observed=tuple(int(n) for n in seen.sum(axis=0)),
        estimate=missing if row is None else row.estimate,
        std_error=missing if row is None else row.std_error,
        conf_low=missing if row is None else number(row.conf_low),
        conf_high=missing if row is None else number(row.conf_high),
        truth=truth.get(cohort),
    )
