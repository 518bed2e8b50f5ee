"""Moments of a sample in memory: code the cells, sort once, one Gram matrix per cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sme_eval.errors import DesignError, IdentificationError, Problem
from sme_eval.panel.codes import Codes, row_blocks, row_codes
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.terms import NEVER

from .moments import Moments

RADIX_LIMIT = 1 << 16
"""Cells that fit 16 bits are sorted by radix."""
EXPECTED_LABELS = 1 << 12
"""A hash table grows from here; pandas would make one with room for a label per firm."""
FIRMS_AT_A_TIME = 1 << 12
"""Firms whose paths are centred and multiplied at once: they fit the processor's cache."""


def label_values(sample: Sample) -> dict[str, NDArray[Any]]:
    """Kept columns that can split cells, per firm: text, categories, flags and integers that are constant within firms."""
    values = {name: sample.label_or_none(name) for name in sample.names.columns}
    return {name: value for name, value in values.items() if value is not None}


def build_moments(sample: Sample, by: Sequence[str] | None) -> Moments:
    """The moments of `sample`, cells split by the labels `by` (None: by every label) and by the cluster."""
    _refuse_covariates(sample)
    labels = label_values(sample) if by is None else {name: sample.label(name) for name in by}
    cluster = sample.names.cluster if sample.cluster is not None else None
    if cluster is not None and cluster not in labels:
        labels[cluster] = sample.label(cluster)
    cohort = sample.cohort if sample.cohort is not None else np.full(sample.n_firms, NEVER)
    order, start = sort_into_cells(sample.outcome, (cohort, *labels.values()))
    head = order[start[:-1]]
    seen = ~np.isnan(sample.outcome[head])
    parts = _cell_moments(sample.outcome, seen, order, start, sample.weight)
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
                "TwoWayFixedEffects, EventStudyRegression, SunAbraham, ImputationDiD, TwoStageDiD",
            )
        )


def sort_into_cells(outcome: FloatArray | BoolArray, splits: tuple[NDArray[Any], ...]) -> tuple[Codes, Codes]:
    """Firms in the order of their cells, and where each cell starts (K+1,); of `outcome` (N, T) only what is observed matters."""
    n_firms = len(outcome)
    key = np.empty(n_firms, dtype=np.int64)
    for firms in row_blocks(n_firms):
        here = outcome[firms]
        key[firms] = _pattern(here.astype(np.bool_) if here.dtype == np.bool_ else ~np.isnan(here))
    coded = row_codes(key)
    for firms in row_blocks(n_firms):
        key[firms] = coded[firms]
    for values in splits:
        coded = row_codes(pd.Series(values, copy=False), expected=EXPECTED_LABELS)
        for firms in row_blocks(n_firms):
            key[firms] *= len(coded.labels)
            key[firms] += coded[firms]
    coded = row_codes(key)
    n_cells = len(coded.labels)
    short = np.empty(n_firms, dtype=np.uint16 if n_cells < RADIX_LIMIT else np.int64)
    for firms in row_blocks(n_firms):
        short[firms] = coded[firms]
    counts = np.bincount(short, minlength=n_cells)
    if (counts == 0).any():
        raise IdentificationError("A cell without firms: this is a fault of the package, please report it.")
    del key, coded  # the sort is where memory peaks
    return np.argsort(short, kind="stable"), np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)


def _pattern(observed: BoolArray) -> IntArray:
    """Observed years (n, T) as the bits of one number (n,)."""
    n_years = observed.shape[1]
    if observed.all():
        return np.full(len(observed), (1 << n_years) - 1)
    words = np.zeros((len(observed), 8), dtype=np.uint8)
    bits = np.packbits(observed, axis=1, bitorder="little")
    words[:, : bits.shape[1]] = bits
    return words.view(np.int64).ravel()


def _cell_moments(
    outcome: FloatArray, seen: BoolArray, order: Codes, start: Codes, weight: FloatArray | None
) -> Mapping[str, FloatArray]:
    """Weights, means and covariances of the cells, pooled from pieces: what of a cell lies in one block of firms."""
    blocks = np.arange(0, len(order), FIRMS_AT_A_TIME)
    cut = np.union1d(start, blocks)  # where pieces begin, and the end
    cell = np.searchsorted(start, cut[:-1], side="right") - 1
    pieces = _Pieces.empty(len(cell), seen.shape[1] + 1)
    for first in blocks:
        rows = order[first : first + FIRMS_AT_A_TIME]
        begin, end = np.searchsorted(cut, [first, first + len(rows)])
        pieces.fill(int(begin), cut[begin : end + 1] - first, outcome.take(rows, axis=0), None if weight is None else weight[rows])
    return pieces.pooled(cell)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pieces:
    """P sets of firms: Σw and Σw² (P,), means under either (P, T+1) and Σw² times the covariance (P, T+1, T+1)."""

    weight: FloatArray
    squared_weight: FloatArray
    mean: FloatArray
    squared_weight_mean: FloatArray
    gram: FloatArray

    @classmethod
    def empty(cls, n_pieces: int, n_columns: int) -> _Pieces:
        """Room for so many pieces."""
        return cls(
            weight=np.empty(n_pieces),
            squared_weight=np.empty(n_pieces),
            mean=np.empty((n_pieces, n_columns)),
            squared_weight_mean=np.empty((n_pieces, n_columns)),
            gram=np.empty((n_pieces, n_columns, n_columns)),
        )

    def fill(self, first: int, cut: Codes, outcome: FloatArray, weight: FloatArray | None) -> None:
        """Pieces from `first` on, cut out of `outcome` (n, T) at `cut`; each is centred before anything is squared."""
        here, sizes = slice(first, first + len(cut) - 1), np.diff(cut)
        path = firm_level_apart(outcome)
        if weight is None:
            self.weight[here] = self.squared_weight[here] = sizes
            self.mean[here] = self.squared_weight_mean[here] = np.add.reduceat(path, cut[:-1], axis=0) / sizes[:, None]
        else:
            self.weight[here], self.mean[here] = _means(path, cut, weight)
            self.squared_weight[here], self.squared_weight_mean[here] = _means(path, cut, weight**2)
        path -= np.repeat(self.squared_weight_mean[here], sizes, axis=0)
        if weight is not None:
            path *= weight[:, None]
        for piece, (begin, end) in enumerate(pairwise(cut.tolist()), start=first):
            np.matmul(path[begin:end].T, path[begin:end], out=self.gram[piece])

    def pooled(self, cell: Codes) -> Mapping[str, FloatArray]:
        """Moments of the cells to which the pieces belong, `cell` (P,) ascending."""
        first = np.flatnonzero(np.diff(cell, prepend=-1))
        result = {"weight": np.add.reduceat(self.weight, first), "squared_weight": np.add.reduceat(self.squared_weight, first)}
        for name, weight in (("mean", self.weight), ("squared_weight_mean", self.squared_weight)):
            total = np.add.reduceat(weight[:, None] * getattr(self, name), first, axis=0)
            result[name] = total / np.add.reduceat(weight, first)[:, None]
        gap = self.squared_weight_mean - result["squared_weight_mean"][cell]
        scaled = gap * self.squared_weight[:, None]
        spread = np.add.reduceat(self.gram + scaled[:, :, None] * gap[:, None, :], first, axis=0)
        result["covariance"] = spread / result["squared_weight"][:, None, None]
        for name in ("mean", "squared_weight_mean"):
            result[name] = result[name][:, :-1] + result[name][:, -1:]
        return result


def _means(path: FloatArray, cut: Codes, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sums of weights and weighted means of the rows between the cuts."""
    total = np.add.reduceat(weight, cut[:-1])
    return total, np.add.reduceat(path * weight[:, None], cut[:-1], axis=0) / total[:, None]


def firm_level_apart(outcome: FloatArray) -> FloatArray:
    """(n, T) outcomes → (n, T+1): deviations from the firm's mean, zero where nothing is seen, then that mean."""
    n_years = outcome.shape[1]
    path = np.empty((len(outcome), n_years + 1))
    path[:, -1] = outcome @ np.full(n_years, 1.0 / n_years)
    if not np.isnan(path[:, -1]).any():
        np.subtract(outcome, path[:, -1:], out=path[:, :-1])
        return path
    seen = ~np.isnan(outcome)
    filled = np.where(seen, outcome, 0.0)
    path[:, -1] = filled.sum(axis=1) / seen.sum(axis=1)
    np.subtract(filled, path[:, -1:], out=path[:, :-1])
    path[:, :-1] *= seen
    return path
