"""Moments add: the table of two disjoint sets of firms from the tables of each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sme_eval.errors import DesignError, Problem, raise_if_any
from sme_eval.panel.sample_flow import SampleFlow
from sme_eval.stats.arrays import FloatArray, IntArray

from .moments import Moments


def merge_moments(left: Moments, right: Moments) -> Moments:
    """Cells of the same cohort, pattern and labels are pooled; the others stand side by side."""
    _refuse_mismatch(left, right)
    years = np.union1d(left.years, right.years)
    a, b = _on_years(left, years), _on_years(right, years)
    stacked: dict[str, NDArray[Any]] = {name: np.concatenate([a[name], b[name]]) for name in a}
    names = sorted(left.labels)
    keys = [stacked["cohort"], *stacked["observed"].T, *(stacked[f"label {name}"] for name in names)]
    cell = _cells(keys)
    first = np.unique(cell, return_index=True)[1]
    observed = stacked["observed"][first]
    pooled = _pool(stacked, cell, len(first), observed)
    total = np.maximum(pooled["weight"] @ observed, 1e-300)
    shift = (pooled["weight"] @ (pooled["mean"] * observed)) / total
    return Moments(
        years=years,
        cohort=stacked["cohort"][first],
        observed=observed,
        labels={name: stacked[f"label {name}"][first] for name in names},
        n_firms=_sum(stacked["n_firms"], cell, len(first)).astype(np.int64),
        weight=pooled["weight"],
        squared_weight=pooled["squared_weight"],
        mean=(pooled["mean"] - shift) * observed,
        squared_weight_mean=(pooled["squared_weight_mean"] - shift) * observed,
        covariance=pooled["covariance"],
        shift=shift,
        weighted=left.weighted,
        cluster=left.cluster,
        outcome=left.outcome,
        treatment_known=left.treatment_known,
        flow=_merge_flows(left.flow, right.flow),
    )


def _refuse_mismatch(left: Moments, right: Moments) -> None:
    problems = [
        Problem(what=f"The two tables differ in {name}: {x!r} and {y!r}.", remedy="build both from samples of the same form")
        for name, x, y in (
            ("outcome", left.outcome, right.outcome),
            ("weighting", left.weighted, right.weighted),
            ("cluster", left.cluster, right.cluster),
            ("labels", sorted(left.labels), sorted(right.labels)),
            ("knowledge of treatment", left.treatment_known, right.treatment_known),
        )
        if x != y
    ]
    raise_if_any(DesignError, problems)


def _on_years(moments: Moments, years: IntArray) -> dict[str, NDArray[Any]]:
    """The table's arrays on a wider set of years, means back on their own level."""
    place = np.searchsorted(years, moments.years)
    n_cells, n_years = len(moments.n_firms), len(years)
    observed = np.zeros((n_cells, n_years), dtype=bool)
    observed[:, place] = moments.observed
    wide: dict[str, NDArray[Any]] = {"observed": observed}
    for name in ("mean", "squared_weight_mean"):
        values = np.zeros((n_cells, n_years))
        values[:, place] = (getattr(moments, name) + moments.shift) * moments.observed
        wide[name] = values
    covariance = np.zeros((n_cells, n_years + 1, n_years + 1))
    box = np.append(place, n_years)
    covariance[:, box[:, None], box[None, :]] = moments.covariance
    wide["covariance"] = covariance
    for name in ("cohort", "n_firms", "weight", "squared_weight"):
        wide[name] = getattr(moments, name)
    return wide | {f"label {name}": values for name, values in moments.labels.items()}


def _cells(keys: list[NDArray[Any]]) -> IntArray:
    cell = np.zeros(len(keys[0]), dtype=np.int64)
    for values in keys:
        codes = np.unique(values, return_inverse=True)[1]
        cell = np.unique(cell * (int(codes.max()) + 1) + codes, return_inverse=True)[1]
    return cell


def _sum(values: FloatArray, cell: IntArray, n_cells: int) -> FloatArray:
    total = np.zeros((n_cells, *values.shape[1:]))
    np.add.at(total, cell, values)
    return total


def _pool(stacked: dict[str, NDArray[Any]], cell: IntArray, n_cells: int, observed: NDArray[Any]) -> dict[str, FloatArray]:
    weight = _sum(stacked["weight"], cell, n_cells)
    squared = _sum(stacked["squared_weight"], cell, n_cells)
    mean = _sum(stacked["weight"][:, None] * stacked["mean"], cell, n_cells) / weight[:, None]
    second = _sum(stacked["squared_weight"][:, None] * stacked["squared_weight_mean"], cell, n_cells) / squared[:, None]
    count = np.maximum(observed[cell].sum(axis=1, keepdims=True), 1)
    difference = stacked["squared_weight_mean"] - second[cell]
    level = difference.sum(axis=1, keepdims=True) / count
    apart = np.concatenate([(difference - level) * observed[cell], level], axis=1)
    between = apart[:, :, None] * apart[:, None, :]
    spread = stacked["squared_weight"][:, None, None] * (stacked["covariance"] + between)
    covariance = _sum(spread, cell, n_cells) / squared[:, None, None]
    return {
        "weight": weight,
        "squared_weight": squared,
        "mean": mean,
        "squared_weight_mean": second,
        "covariance": covariance,
    }


def _merge_flows(left: SampleFlow, right: SampleFlow) -> SampleFlow:
    """Counts added rule by rule; where the rules differ, only the sums at both ends are kept."""
    rules = [step.rule for step in left.steps]
    pairs = list(zip(left.steps, right.steps, strict=False))
    if rules != [step.rule for step in right.steps]:
        pairs = [(left.steps[0], right.steps[0]), (left.steps[-1], right.steps[-1])]
    flow = SampleFlow()
    for a, b in pairs:
        flow = flow.then(a.rule if a.rule == b.rule else "rows_kept", firms=a.firms + b.firms, rows=a.rows + b.rows)
    return flow
