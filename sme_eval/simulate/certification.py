"""Who becomes a little giant, when, and what the certificate does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sme_eval.simulate.firms import Firms, FloatArray, IntegerArray, stream
from sme_eval.simulate.scenario import BATCHES, Selection
from sme_eval.terms import NEVER

GROWTH_WINDOW = (3, 1)
"""Growth that counts for batch g: from g − 3 to g − 1."""


def certify(seed: int, selection: Selection, firms: Firms, revenue: FloatArray, years: IntegerArray) -> IntegerArray:
    """(firms,) cohort: the year of certification, `NEVER` for most.

    Each batch is drawn from the firms not yet certified, whose `revenue` (firms, years) without policy is the
    observed one.
    """
    cohort = np.full(firms.size.size, NEVER, dtype=np.int64)
    generator = stream(seed, "certification")
    for batch, count in BATCHES.items():
        growth = past_growth(revenue, years, batch)
        score = selection.growth * (growth - growth.mean()) + selection.rd * firms.rd + selection.size * firms.size
        cohort[draw_batch(generator, score, cohort == NEVER, count)] = batch
    return cohort


def past_growth(outcome: FloatArray, years: IntegerArray, batch: int) -> FloatArray:
    """(firms,) change of `outcome` (firms, years) over the window that counts for `batch`."""
    first, last = (int(np.searchsorted(years, batch - before)) for before in GROWTH_WINDOW)
    return outcome[:, last] - outcome[:, first]


def draw_batch(
    generator: np.random.Generator, score: FloatArray, free: np.ndarray[tuple[int], np.dtype[np.bool_]], count: int
) -> IntegerArray:
    """Positions of `count` of the `free` firms, drawn without replacement, probability proportional to exp(score).

    Gumbel top-k: adding independent Gumbel noise to the scores and taking the largest is drawing one after the other.
    """
    keys = np.where(free, score + generator.gumbel(size=score.size), -np.inf)
    return np.argpartition(-keys, count)[:count].astype(np.int64)


def dynamic_effect(
    cohort: IntegerArray, years: IntegerArray, profile: tuple[float, ...], factor: Mapping[int, float]
) -> FloatArray:
    """(firms, years) `profile` by event time (its last value from then on) × the cohort's `factor`; 0 before."""
    effect = np.zeros((cohort.size, years.size))
    for start, multiple in factor.items():
        event = years - start
        path = np.asarray(profile)[np.clip(event, 0, len(profile) - 1)] * multiple
        effect[cohort == start] = np.where(event >= 0, path, 0.0)
    return effect
