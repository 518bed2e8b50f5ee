"""A sample of matched firms, weighted by how often they serve."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import FloatArray, IntArray
from sme_eval.terms import NEVER

WEIGHT: Final = "matching_weight"
COHORT: Final = "matching_cohort"
ORIGINAL: Final = "matching_cluster"
FIRM: Final = "matching_firm"


def matched_sample(sample: Sample, cohort: IntArray, treated: FloatArray, compared: FloatArray) -> Sample:
    """The firms of cohort (N,) that have a weight as treated (N,) or as compared (N,), read anew from their rows.

    A firm that is treated later and compared before enters as compared once more: a copy that is never treated and ends before its
    treatment. Then all firms get new numbers, and cluster with their originals unless they cluster higher already.
    """
    late = cohort <= sample.years[-1]
    own = np.flatnonzero((treated > 0.0) | ((compared > 0.0) & ~late))
    copies = np.flatnonzero((compared > 0.0) & late)
    source, copied = np.concatenate([own, copies]), np.arange(len(own) + len(copies)) >= len(own)
    rows, firm = _rows(sample, cohort, own, copies)
    names = sample.names
    further = (*names.columns, *names.covariates, *(name for name in (names.cohort, names.treatment) if name))
    columns = {
        WEIGHT: np.where(~copied & late[source], treated[source], compared[source])[firm],
        COHORT: np.where(copied | (cohort[source] == NEVER), np.inf, cohort[source])[firm],
    }
    label, cluster = names.firm, names.cluster
    if len(copies):
        columns |= {FIRM: firm, ORIGINAL: source[firm]}
        label, cluster = FIRM, cluster if sample.cluster is not None else ORIGINAL
    found = Sample.from_frame(
        sample.frame[list(dict.fromkeys(names.needed))].iloc[rows].assign(**columns),
        firm=label,
        year=names.year,
        outcome=names.outcome,
        cohort=COHORT,
        columns=tuple(dict.fromkeys(further)),
        cluster=cluster,
        weight=WEIGHT,
    )
    return replace(found, flow=sample.flow.then("matched", firms=len(np.unique(source)), rows=len(np.unique(rows))))


def _rows(sample: Sample, cohort: IntArray, own: IntArray, copies: IntArray) -> tuple[IntArray, IntArray]:
    """Rows of the frame, those of copies up to their treatment, and the new position of each row's firm."""
    code, rows, firms = sample.firm_codes, [], []
    before = sample.years[sample.year_codes] < cohort[code]
    for begin, part in ((0, own), (len(own), copies)):
        place = np.full(sample.n_firms, -1, dtype=np.int64)
        place[part] = begin + np.arange(len(part))
        here = np.flatnonzero((place[code] >= 0) & (before | (begin == 0)))
        rows.append(here)
        firms.append(place[code[here]])
    return np.concatenate(rows), np.concatenate(firms)
