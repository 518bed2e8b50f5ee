"""Averages of group-time effects and their gradients, the cohort shares being estimated.

An average theta = sum_j p_j att_j / sum_j p_j over selected cells depends on the effects and on the cohort shares p. Its
gradient is p_j / P with respect to att_j and (att_j - theta) / P with respect to the share of cell j's cohort. With the joint
covariance of effects and shares, the delta method then gives the same error as R did's influence functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sme_eval.terms import AggregationKind

from .arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTimeCells:
    """What an aggregation needs: per cell cohort, year and effect, each (J,); per cohort its share, (G,)."""

    cohort: IntArray
    year: IntArray
    effect: FloatArray
    cohorts: IntArray
    share: FloatArray

    @property
    def event_time(self) -> IntArray:
        """Years since treatment, (J,)."""
        return self.year - self.cohort

    @property
    def cohort_index(self) -> IntArray:
        """Position of each cell's cohort in `cohorts`, (J,)."""
        return np.searchsorted(self.cohorts, self.cohort)


@dataclass(frozen=True, slots=True, kw_only=True)
class Averages:
    """Averages (A,) labelled `key` and their gradient (A, J + G) with respect to effects and shares."""

    key: tuple[int, ...]
    value: FloatArray
    gradient: FloatArray

    def combine(self, weights: FloatArray) -> tuple[float, FloatArray]:
        """A fixed combination of the averages and its gradient."""
        return float(weights @ self.value), weights @ self.gradient


def average_by(cells: GroupTimeCells, key: IntArray, selected: BoolArray, *, shares: bool) -> Averages:
    """Averages of the selected cells by `key`, weighted by cohort share (`shares`) or equally."""
    n_cells, index = len(cells.effect), cells.cohort_index
    weight = cells.share[index] if shares else np.ones(n_cells)
    keys = np.unique(key[selected])
    value = np.empty(len(keys))
    gradient = np.zeros((len(keys), n_cells + len(cells.cohorts)))
    for a, k in enumerate(keys):
        here = np.flatnonzero(selected & (key == k))
        mass = weight[here].sum()
        value[a] = weight[here] @ cells.effect[here] / mass
        gradient[a, here] = weight[here] / mass
        if shares:
            np.add.at(gradient[a], n_cells + index[here], (cells.effect[here] - value[a]) / mass)
    return Averages(key=tuple(int(k) for k in keys), value=value, gradient=gradient)


def overall_by_share(cells: GroupTimeCells, groups: Averages) -> tuple[float, FloatArray]:
    """Average of cohort averages weighted by the estimated shares: R did's overall effect of type "group"."""
    index = np.searchsorted(cells.cohorts, groups.key)
    share = cells.share[index]
    value, gradient = groups.combine(share / share.sum())
    np.add.at(gradient, len(cells.effect) + index, (groups.value - value) / share.sum())
    return value, gradient


def select_cells(
    cells: GroupTimeCells, first_year: int, last_year: int, window: tuple[int, int] | None, balance: int | None
) -> BoolArray:
    """Cells with an effect, inside the event-time `window`.

    With `balance` = b only cohorts seen for b years after treatment, at event times b - (last - first year) to b: as `balance_e` of
    R did.
    """
    event_time = cells.event_time
    selected: BoolArray = np.isfinite(cells.effect)
    if window is not None:
        selected = selected & (event_time >= window[0]) & (event_time <= window[1])
    if balance is not None:
        long_enough = last_year - cells.cohort >= balance
        selected = selected & long_enough & (event_time <= balance) & (event_time >= balance - (last_year - first_year))
    return selected


def aggregate_cells(
    cells: GroupTimeCells, kind: AggregationKind, selected: BoolArray
) -> tuple[Averages | None, tuple[float, FloatArray] | None]:
    """(averages by term, overall average with its gradient) of the four kinds; None where no cell is after treatment."""
    treated = selected & (cells.event_time >= 0)
    if kind == "dynamic":
        table = average_by(cells, cells.event_time, selected, shares=True)
        late = np.array(table.key) >= 0
        return table, table.combine(late / late.sum()) if late.any() else None
    if not treated.any():
        return None, None
    if kind == "simple":
        whole = average_by(cells, np.zeros_like(cells.year), treated, shares=True)
        return None, whole.combine(np.ones(1))
    if kind == "calendar":
        table = average_by(cells, cells.year, treated, shares=True)
        return table, table.combine(np.full(len(table.key), 1.0 / len(table.key)))
    table = average_by(cells, cells.cohort, treated, shares=False)
    return table, overall_by_share(cells, table)


def treated_firms(cells: GroupTimeCells, firms: IntArray, key: IntArray, selected: BoolArray, keys: Sequence[int]) -> list[int]:
    """Firms of distinct cohorts behind each average, given the number of firms per cohort (G,)."""
    index = cells.cohort_index
    return [int(firms[np.unique(index[selected & (key == k)])].sum()) for k in keys]
