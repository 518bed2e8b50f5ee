"""Firm effects and sets of (label ×) year effects, taken out of columns that are the same for every firm of a cell.

A set of label × year effects is one code per cell, never dummies written out: these would take cells × years × levels. With M_k the
deviation from a firm's mean over its used years and D the dummies, D'WMD only needs sums of w_k M_k over cells that share codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sme_eval.errors import Problem
from sme_eval.moments.moments import Moments
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.least_squares import scaled_pseudoinverse

YearEffects = tuple[str | None, ...]
"""Sets of year effects: None for plain ones, a label (or "cohort") for label × year."""

YearEffectsBy = str | tuple[str, ...] | None
"""The choice `year_effects_by`: plain year effects, label × year, or several labels × year side by side."""


def check_year_effects(by: object) -> list[Problem]:
    """A problem if `by` is neither None nor the name of a kept column nor a tuple of different names."""
    names = by if isinstance(by, tuple) else (by,)
    if by is None or (names and all(isinstance(n, str) and n for n in names) and len(set(names)) == len(names)):
        if "cohort" not in names:
            return []
        remedy = "name other labels; a column that is called so but is none needs another name"
        return [Problem(what="cohort × year effects leave nothing of treatment.", remedy=remedy)]
    remedy = 'None, the name of a kept column such as "district", or several: ("district", "industry")'
    return [Problem(what=f"year_effects_by={by!r} names no columns.", remedy=remedy)]


def labels_of(by: YearEffectsBy) -> tuple[str, ...]:
    """The labels that split cells."""
    return () if by is None else (by,) if isinstance(by, str) else by


def effects_of(by: YearEffectsBy) -> YearEffects:
    """Sets of year effects: label × year includes the plain ones."""
    return labels_of(by) or (None,)


def label_codes(moments: Moments, by: str | None) -> IntArray:
    """Code 0..L−1 of every cell's label (K,); zeros without one."""
    if by is None:
        return np.zeros(len(moments.n_firms), dtype=np.int64)
    return _codes(moments.cohort if by == "cohort" else moments.label(by))


def _codes(values: NDArray[Any]) -> IntArray:
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64)


def _totals(code: IntArray, values: NDArray[Any]) -> NDArray[Any]:
    """Sums of (K, …) over cells with the same code, (L, …); every code from 0 to L−1 occurs."""
    n_codes = int(code.max(initial=0)) + 1
    if n_codes == 1:
        return np.asarray(values.sum(axis=0, keepdims=True))
    order = np.argsort(code, kind="stable")
    return np.asarray(np.add.reduceat(values[order], np.searchsorted(code[order], np.arange(n_codes)), axis=0))


def not_alone(moments: Moments, used: BoolArray, by: YearEffects) -> BoolArray:
    """The firm-years of `used` (K, T) that are not alone in their firm or (label ×) year, again and again, as fixest does."""
    codes = [label_codes(moments, b) for b in by]
    while True:
        keep: BoolArray = used & (used.sum(axis=1) > 1)[:, None]
        for code in codes:
            keep &= (_totals(code, moments.n_firms[:, None] * used) != 1)[code]
        if (keep == used).all():
            return used
        used = keep


def parameters(moments: Moments, stack: Sequence[BoolArray], by: YearEffects, n_regressors: int) -> int:
    """Fixest's K: regressors + levels of each effect (1 if it nests in the clusters) − (number of effects − 1).

    Firm effects always nest in the clusters. Levels are counted, not rank. In a stack of several (K, T) every block has its own.
    """
    levels = []
    for b in by:
        code = label_codes(moments, b)
        count = [_levels(code, used) for used in stack]
        levels.append(1 if _nests(moments, code, stack, count) else sum(count))
    return n_regressors + 1 + sum(levels) - len(levels)


def _nests(moments: Moments, code: IntArray, stack: Sequence[BoolArray], count: Sequence[int]) -> bool:
    """Whether every (label ×) year lies in one cluster above the firm."""
    if moments.cluster is None:
        return False
    owner = _codes(moments.label(moments.cluster))
    both = _codes(code * (int(owner.max(initial=0)) + 1) + owner)
    return all(_levels(both, used) == n for used, n in zip(stack, count, strict=True))


def _levels(code: IntArray, used: BoolArray) -> int:
    """Levels of code × year that are seen."""
    return int((_totals(code, used.astype(np.int64)) > 0).sum())


def within(block: FloatArray, used: BoolArray) -> FloatArray:
    """Deviations of (K, T, q) from the mean over each cell's used years, zero in the others: M_k X_k."""
    seen = used[:, :, None].astype(np.float64)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1.0)
    return np.asarray((block - (block * seen).sum(axis=1, keepdims=True) / count) * seen)


def centring(used: BoolArray) -> FloatArray:
    """M of every cell, (K, T, T)."""
    return within(np.broadcast_to(np.eye(used.shape[1]), (*used.shape, used.shape[1])), used)


@dataclass(frozen=True, kw_only=True, eq=False)
class YearDummies:
    """Dummies of all sets of year effects, P columns in all, by the `codes` (K,) of each set."""

    codes: tuple[IntArray, ...]
    n_years: int

    @classmethod
    def of(cls, moments: Moments, by: YearEffects) -> YearDummies:
        """The sets `by`."""
        return cls(codes=tuple(label_codes(moments, b) for b in by), n_years=len(moments.years))

    @property
    def n_columns(self) -> int:
        """P."""
        return self.n_years * sum(int(code.max(initial=0)) + 1 for code in self.codes)

    def collect(self, block: FloatArray) -> FloatArray:
        """D'X (P, q) of X (K, T, q)."""
        return np.concatenate([_totals(code, block).reshape(-1, block.shape[2]) for code in self.codes])

    def spread(self, effects: FloatArray) -> FloatArray:
        """Dγ (K, T, q) of effects γ (P, q)."""
        result, begin = np.zeros((len(self.codes[0]), self.n_years, effects.shape[1])), 0
        for code in self.codes:
            end = begin + self.n_years * (int(code.max(initial=0)) + 1)
            result += effects[begin:end].reshape(-1, self.n_years, effects.shape[1])[code]
            begin = end
        return result

    def gram(self, weighted: FloatArray) -> FloatArray:
        """D'WD (P, P) of symmetric W (K, T, T)."""
        return np.block([[self._product(first, second, weighted) for second in self.codes] for first in self.codes])

    def _product(self, first: IntArray, second: IntArray, weighted: FloatArray) -> FloatArray:
        rows, columns = (int(code.max(initial=0)) + 1 for code in (first, second))
        pairs, code = np.unique(first * columns + second, return_inverse=True)
        product = np.zeros((rows, self.n_years, columns, self.n_years))
        product[pairs // columns, :, pairs % columns, :] = _totals(np.asarray(code), weighted)
        return product.reshape(rows * self.n_years, -1)


@dataclass(frozen=True, kw_only=True, eq=False)
class AbsorbedEffects:
    """Firm effects and year effects over `used` (K, T), cells weighted by Σw; `inverse` (P, P) is a generalised one of D'WMD."""

    used: BoolArray
    weight: FloatArray
    dummies: YearDummies
    inverse: FloatArray

    @classmethod
    def over(cls, moments: Moments, used: BoolArray, by: YearEffects) -> AbsorbedEffects:
        """The effects beside which the cell-years `used` are regressed."""
        dummies, weight = YearDummies.of(moments, by), moments.weight[:, None, None]
        inverse = scaled_pseudoinverse(dummies.gram(weight * centring(used)))
        return cls(used=used, weight=weight, dummies=dummies, inverse=inverse)

    def predicted(self, block: FloatArray) -> FloatArray:
        """The year effects (K, T, q) in the regression of each column of (K, T, q)."""
        return self.dummies.spread(self.inverse @ self.dummies.collect(self.weight * within(block, self.used)))

    def residual(self, block: FloatArray) -> FloatArray:
        """What firm and year effects leave of (K, T, q)."""
        return within(block - self.predicted(block), self.used)
