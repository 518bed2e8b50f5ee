"""Effects by event time as the path that sensitivity to trends needs: consecutive years around a base at zero."""

from __future__ import annotations

from typing import Literal

import numpy as np

from sme_eval.results.effects import Effects
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray, IntArray
from sme_eval.stats.honest_intervals import Path

Average = Literal["equal", "treated"]
"""Weights of the event times from 0 on: the same, or the treated firms behind each (an average per treated firm and year)."""
BASE = -1


def effect_path(
    effects: Effects, last_lead: int = BASE, *, varying: bool = False, average: Average | FloatArray = "equal"
) -> Path | Unavailable:
    """The longest run of consecutive event times with a standard error, from the last that speaks to trends and from 0 on.

    Three forms of a base are brought to one. Universal: effects before treatment are relative to event time −1, which is left
    out. Varying: they are yearly changes, and δ(e) = −Σ_{e < j ≤ −1} change(j). Past growth conditioned on, from event time a to
    −1: given it δ(a) = δ(−1) = 0, so the years between are no periods of their own and a − 1 is one year from a base; where a is
    not settled so, there is no path. Chosen weights (Q,) take the first Q event times.
    """
    times = np.asarray(effects.keys["event_time"])
    live = np.isfinite(effects.std_error)
    value, place, covariance = _universal(effects, times, last_lead) if varying else (effects.estimate, times, effects.covariance)
    last = last_lead - 1 if varying or last_lead == BASE else last_lead
    if not varying and last_lead < BASE and not _settled(effects, times, last_lead + 1):
        return Unavailable("the leads end before a year that is not settled")
    if varying:
        live = np.isfinite(value) & (np.diag(covariance) > 0.0)
    before = _run(place[live], last, -1)[::-1]
    after = _run(place[live], 0, 1)
    if not before or not after:
        return Unavailable("no consecutive years before and after treatment")
    weights = _weights(effects, times, after, average)
    chosen = [int(np.flatnonzero((place == e) & live)[0]) for e in (*before, *after[: len(weights)])]
    return Path(estimate=value[chosen], covariance=covariance[np.ix_(chosen, chosen)], weights=weights)


def _universal(effects: Effects, times: IntArray, last_lead: int) -> tuple[FloatArray, IntArray, FloatArray]:
    """Yearly changes before treatment as levels: the row of change j becomes that of the level at j − 1."""
    size = len(times)
    before = (times <= last_lead) & np.isfinite(effects.std_error)
    run = np.isin(times, _run(times[before], last_lead, -1))
    sums = np.eye(size)
    for j in np.flatnonzero(run):
        sums[j] = -((times >= times[j]) & run).astype(np.float64)
    sums[(times < 0) & ~run] = 0.0
    place = np.where(times < 0, times - 1, times)
    known = np.nan_to_num(effects.estimate)
    return sums @ known, place, sums @ np.nan_to_num(effects.covariance) @ sums.T


def _settled(effects: Effects, times: IntArray, time: int) -> bool:
    """Whether the effect at an event time is zero by construction."""
    at = np.flatnonzero(times == time)
    return bool(len(at)) and effects.estimate[at[0]] == 0.0 and effects.covariance[at[0], at[0]] == 0.0


def _run(times: IntArray, start: int, step: int) -> list[int]:
    """Consecutive event times from `start` on."""
    found, known = [], set(times.tolist())
    while start in known:
        found.append(start)
        start += step
    return found


def _weights(effects: Effects, times: IntArray, after: list[int], average: Average | FloatArray) -> FloatArray:
    if not isinstance(average, str):
        return np.asarray(average, dtype=np.float64)
    if average == "treated" and effects.n_treated:
        counts = np.array([float(effects.n_treated[int(np.flatnonzero(times == e)[0])]) for e in after])
        if counts.sum() > 0.0:
            return np.asarray(counts / counts.sum())
    return np.full(len(after), 1.0 / len(after))
