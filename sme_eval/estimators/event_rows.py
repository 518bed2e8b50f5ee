"""From effects by event time to an event study: the reference, what is not identified, who is behind each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.stats.arrays import BoolArray, IntArray
from sme_eval.terms import NEVER

from .two_way import Fitted

REFERENCE = -1
"""The event time that leads leave out: the last year before treatment."""


def observed_times(moments: Moments, seen: BoolArray) -> IntArray:
    """Event times of the cell-years `seen` (K, T), ascending."""
    event_time = np.where(seen, moments.event_time, -NEVER)
    return np.asarray(np.unique(event_time[event_time > -NEVER]))


def event_effects(influence: Fitted, times: IntArray, missing: Mapping[int, str], basis: Basis, seen: BoolArray) -> Effects:
    """Effects at `times` (J,), a reference row at −1 and a row without a number for every time in `missing`.

    `seen` (K, T) marks the firm-years that count as behind a row.
    """
    moments = influence.moments
    rows = np.unique([*times, *missing, REFERENCE]).astype(np.int64)
    place = np.searchsorted(rows, times)
    absent = np.searchsorted(rows, np.array(sorted(missing), dtype=np.int64))
    estimate, covariance = np.zeros(len(rows)), np.zeros((len(rows), len(rows)))
    estimate[place], estimate[absent] = influence.estimate, np.nan
    covariance[np.ix_(place, place)] = influence.covariance()
    covariance[absent, :] = covariance[:, absent] = np.nan
    return Effects(
        term=tuple(f"event time {e}" for e in rows),
        estimate=estimate,
        covariance=covariance,
        basis=basis,
        keys={"event_time": tuple(int(e) for e in rows)},
        notes=tuple(missing.get(int(e), "reference" if e == REFERENCE else "") for e in rows),
        n_treated=tuple(int(moments.n_firms @ ((moments.event_time == e) & seen).any(axis=1)) for e in rows),
    )


def one_estimate(influence: Fitted, term: str, basis: Basis, seen: BoolArray) -> Estimate:
    """The single estimate of `influence`; `seen` (K, T) marks the treated firm-years behind it."""
    error = float(np.sqrt(influence.covariance()[0, 0]))
    n_treated = int(influence.moments.n_firms[seen.any(axis=1)].sum())
    return Estimate.from_basis(term, float(influence.estimate[0]), error, basis, n_treated)


def with_factor(influence: Influence) -> Influence:
    """The same covariance with the small-sample factor taken into the maps, so that it can stand beside estimates without one."""
    if influence.small_sample is None:
        return influence
    scale = float(np.sqrt(influence.small_sample.clustered(influence.n_clusters)))
    return replace(influence, slope=scale * influence.slope, constant=scale * influence.constant, small_sample=None)


def side_by_side(first: Influence, second: Influence) -> Influence:
    """Two sets of estimates of the same cells, with the covariance between them; neither may have a factor apart."""
    return replace(
        second,
        estimate=np.concatenate([first.estimate, second.estimate]),
        slope=np.concatenate([first.slope, second.slope], axis=1),
        constant=np.concatenate([first.constant, second.constant], axis=1),
    )


def late_cohorts(moments: Moments) -> list[str]:
    """A note about cohorts that are untreated in every year seen."""
    late = np.unique(moments.cohort[(moments.cohort > moments.years[-1]) & (moments.cohort != NEVER)])
    names = ", ".join(str(c) for c in late)
    return [f"cohorts after the last year ({names}) count as untreated within the panel"] if len(late) else []
