"""Moments of a sample in memory: code the cells, sort once, one Gram matrix per cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sme_eval.errors import DesignError, IdentificationError, Problem
from sme_eval.panel.codes import Codes, factorise
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.terms import NEVER

from .moments import Moments

RADIX_LIMIT = 1 << 16
"""Cells that fit 16 bits are sorted by radix."""


def label_columns(sample: Sample) -> tuple[str, ...]:
    """Kept columns that can split cells: text, categories, flags and integers that are constant within firms."""
    return tuple(name for name in sample.names.columns if _is_label(sample, name))


def _is_label(sample: Sample, name: str) -> bool:
    column = sample.column(name)
    if (
        isinstance(column.dtype, pd.CategoricalDtype)
        or column.dtype.kind in "iubOSTU"
        or pd.api.types.is_string_dtype(column.dtype)
    ):
        codes, _ = factorise(column)
        value = np.empty(sample.n_firms, codes.dtype)
        value[sample.firm_codes] = codes
        return bool((codes >= 0).all() and (value[sample.firm_codes] == codes).all())
    return False


def build_moments(sample: Sample, by: tuple[str, ...]) -> Moments:
    """The moments of `sample`, cells split by the labels `by` and by the cluster."""
    _refuse_covariates(sample)
    labels = {name: sample.label(name) for name in by}
    cluster = sample.names.cluster if sample.cluster is not None else None
    if cluster is not None and cluster not in labels:
        labels[cluster] = sample.label(cluster)
    observed = ~np.isnan(sample.outcome)
    cohort = sample.cohort if sample.cohort is not None else np.full(sample.n_firms, NEVER)
    order, start = sort_into_cells(observed, (cohort, *labels.values()))
    head = order[start[:-1]]
    parts = _cell_moments(sample.outcome, observed[head], order, start, sample.weight)
    seen = observed[head]
    total = np.maximum(parts["weight"] @ seen, 1e-300)
    shift = (parts["weight"] @ (parts["mean"] * seen)) / total
    return Moments(
        years=sample.years,
        cohort=cohort[head],
        observed=seen,
        labels={name: values[head] for name, values in labels.items()},
        n_firms=np.diff(start),
        weight=parts["weight"],
        squared_weight=parts["squared_weight"],
        mean=(parts["mean"] - shift) * seen,
        squared_weight_mean=(parts["squared_weight_mean"] - shift) * seen,
        covariance=parts["covariance"],
        shift=shift,
        weighted=sample.weight is not None,
        cluster=cluster,
        outcome=sample.names.outcome,
        treatment_known=sample.cohort is not None,
        flow=sample.flow,
    )


def _refuse_covariates(sample: Sample) -> None:
    if sample.names.covariates:
        raise DesignError(
            Problem(
                what="Covariates would be ignored: this estimator does not condition on any.",
                where=f"covariates: {', '.join(sample.names.covariates)}",
                remedy="leave `covariates` out of the sample, or use an estimator that takes them: CallawaySantAnna, LandmarkDiD, "
                "TwoWayFixedEffects, EventStudyRegression",
            )
        )


def sort_into_cells(observed: BoolArray, splits: tuple[NDArray[Any], ...]) -> tuple[Codes, Codes]:
    """Firms in the order of their cells, and where each cell starts (K+1,)."""
    n_firms = len(observed)
    key = np.zeros(n_firms, dtype=np.intp)
    if not observed.all():
        words = np.zeros((n_firms, 8), dtype=np.uint8)
        bits = np.packbits(observed, axis=1, bitorder="little")
        words[:, : bits.shape[1]] = bits
        key = factorise(words.view(np.int64).ravel())[0]
    for values in splits:
        codes, names = factorise(pd.Series(values))
        key = key * len(names) + codes
    key, cells = factorise(key)
    counts = np.bincount(key, minlength=len(cells))
    if (counts == 0).any():
        raise IdentificationError("A cell without firms: this is a fault of the package, please report it.")
    short = key.astype(np.uint16) if len(cells) < RADIX_LIMIT else key
    return np.argsort(short, kind="stable"), np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)


def _cell_moments(
    outcome: FloatArray, seen: BoolArray, order: Codes, start: Codes, weight: FloatArray | None
) -> Mapping[str, FloatArray]:
    n_cells, n_years = seen.shape
    counts = np.diff(start).astype(np.float64)
    result = {
        "weight": counts.copy(),
        "squared_weight": counts.copy(),
        "mean": np.zeros((n_cells, n_years)),
        "squared_weight_mean": np.zeros((n_cells, n_years)),
        "covariance": np.zeros((n_cells, n_years + 1, n_years + 1)),
    }
    for k in range(n_cells):
        rows = order[start[k] : start[k + 1]]
        years = np.flatnonzero(seen[k])
        path = firm_level_apart(outcome[rows] if len(years) == n_years else outcome[np.ix_(rows, years)])
        box = np.ix_(np.append(years, n_years), np.append(years, n_years))
        if weight is None:
            centre = path.mean(axis=0)
            path -= centre
            result["covariance"][k][box] = path.T @ path / len(rows)
            result["mean"][k, years] = result["squared_weight_mean"][k, years] = centre[:-1] + centre[-1]
            continue
        first, second = weight[rows], weight[rows] ** 2
        result["weight"][k], result["squared_weight"][k] = first.sum(), second.sum()
        centre = first @ path / first.sum()
        result["mean"][k, years] = centre[:-1] + centre[-1]
        centre = second @ path / second.sum()
        result["squared_weight_mean"][k, years] = centre[:-1] + centre[-1]
        path -= centre
        result["covariance"][k][box] = (path * second[:, None]).T @ path / second.sum()
    return result


def firm_level_apart(outcome: FloatArray) -> FloatArray:
    """(n, t) outcomes → (n, t+1): deviations from the firm's mean, then that mean."""
    path = np.empty((len(outcome), outcome.shape[1] + 1))
    path[:, -1] = outcome @ np.full(outcome.shape[1], 1.0 / outcome.shape[1])
    np.subtract(outcome, path[:, -1:], out=path[:, :-1])
    return path
