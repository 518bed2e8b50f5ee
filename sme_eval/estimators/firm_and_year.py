"""Least squares on firm effects, (label ×) year effects and baseline covariates × year over some of the cell-years.

With U the cell-years that are used, c_k their number in a cell and M_k = diag(U_k) − U_k U_k′/c_k the deviation from a firm's own
mean, the other coefficients γ solve S γ = Σ_i w Z_i′M_k y_i, S = Σ_i w Z_i′M_k Z_i, with Z_i a firm's year dummies and covariates ×
year: as many equations as these have columns, whatever the number of firms. S has a null direction for every set of years that no
firm connects with the others, and for covariates that the firms of a year do not span; a contrast of coefficients is identified if
it is orthogonal to all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sme_eval.moments.moments import Moments
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.firm_blocks import FirmBlocks
from sme_eval.stats.least_squares import scaled_pseudoinverse

from .two_way_covariates import CELL, normal_equations
from .year_effects import YearDummies, YearEffects, centring, within

NOT_IDENTIFIED = 1e-8
"""How far a contrast of coefficients may lean on a null direction of length one; contrasts are of order one."""

CELLS_AT_A_TIME = 1 << 12
"""Cells whose contrasts are held at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FirmAndYear:
    """The design over `used` (K, T), with P year dummies and p covariates × T years.

    weight (K,) Σw · covariates (K, p) Σ w x · gram (P + Tp, P + Tp), S · inverse, a generalised one of S · outcome (P + Tp,), S γ ·
    extra, independent covariates × year beside the year effects, which fixest counts as regressors.
    """

    used: BoolArray
    weight: FloatArray
    dummies: YearDummies
    covariates: FloatArray
    gram: FloatArray
    inverse: FloatArray
    outcome: FloatArray
    extra: int

    @classmethod
    def over(cls, moments: Moments, used: BoolArray, by: YearEffects, firms: FirmBlocks | None = None) -> FirmAndYear:
        """The design of the cell-years `used`; `firms` hold the covariates, if there are any, in blocks that are the cells."""
        dummies, weight = YearDummies.of(moments, by), moments.weight[:, None, None]
        if firms is None:
            gram, extra = dummies.gram(weight * centring(used)), 0
            outcome = dummies.collect(weight * within(moments.mean[:, :, None], used))[:, 0]
            covariates = np.zeros((len(used), 0))
        else:
            products = normal_equations(firms, replace(moments, observed=used), dummies, np.zeros((*used.shape, 1)))
            gram, outcome, extra = products.nuisance, products.outcome[:-1], products.extra
            covariates = covariate_sums(firms, moments, 1)
        return cls(
            used=used,
            weight=moments.weight,
            dummies=dummies,
            covariates=covariates,
            gram=gram,
            inverse=scaled_pseudoinverse(gram),
            outcome=outcome,
            extra=extra,
        )

    @cached_property
    def seen(self) -> FloatArray:
        """`used` as numbers."""
        return self.used.astype(np.float64)

    @cached_property
    def count(self) -> FloatArray:
        """Used years of a firm, at least 1, (K, 1)."""
        return np.asarray(np.maximum(self.seen.sum(axis=1, keepdims=True), 1.0))

    @cached_property
    def fitted(self) -> tuple[FloatArray, FloatArray]:
        """The outcome's year effects (K, T) and coefficients of covariates × year (T, p)."""
        effects, by_x = self._apart(self.inverse @ self.outcome[:, None])
        return effects[:, :, 0], by_x[:, :, 0]

    def carried(self, block: FloatArray) -> tuple[FloatArray, FloatArray]:
        """γ with S γ = Σ_i w Z_i′X of columns X (K, T, q) that are the same for all firms of a cell: (K, T, q) and (T, p, q)."""
        years = self.dummies.collect(self.weight[:, None, None] * block)
        covariates = np.einsum("ka,ktq->taq", self.covariates, block)
        return self._apart(self.inverse @ np.concatenate([years, covariates.reshape(-1, block.shape[2])]))

    def unexplained(self, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
        """V of `columns` (K, T, q) of any cell-years: the part (K, T, q) of a cell, and what −M x_a adds to it, (T, p, q)."""
        seen, total = self.seen[:, :, None], columns.sum(axis=1)
        load, by_x = self.carried(columns - seen * (total / self.count)[:, None])
        firm = (total - np.einsum("kt,ktq->kq", self.seen, load)) / self.count
        return columns - seen * (firm[:, None] + load), by_x

    def _apart(self, coefficients: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Year effects of every cell (K, T, q) and coefficients of covariates × year (T, p, q) from (P + Tp, q)."""
        n_effects = self.dummies.n_columns
        by_x = coefficients[n_effects:].reshape(self.dummies.n_years, self.covariates.shape[1], coefficients.shape[1])
        return self.dummies.spread(coefficients[:n_effects]), by_x

    def leaning(self) -> Iterator[tuple[slice, FloatArray]]:
        """Cells, and how far the contrast of each of their years with a firm's own mean leans on null directions: (k, T, 1 + p, r).

        A firm of covariates x leans [0] + Σ_a x_a [a]; its counterfactual in the year is determined where that is zero.
        """
        vector, length, _ = np.linalg.svd(np.eye(len(self.gram)) - self.inverse @ self.gram)
        null = vector[:, length > 0.5]  # singular values of a projector are zero or at least one
        years, by_x = self._apart(null)
        for begin in range(0, len(self.used), CELLS_AT_A_TIME):
            here = slice(begin, begin + CELLS_AT_A_TIME)
            rows = np.concatenate([years[here, :, None], np.broadcast_to(by_x, (len(self.used[here]), *by_x.shape))], axis=2)
            own = np.einsum("kt,ktar->kar", self.seen[here] / self.count[here], rows)
            yield here, rows - own[:, None]

    def predicts(self) -> BoolArray:
        """Cell-years (K, T) whose firm effect plus the rest is determined, whatever a firm's covariates."""
        known = [np.abs(lean).max(axis=(2, 3), initial=0.0) < NOT_IDENTIFIED for _, lean in self.leaning()]
        return np.asarray(np.concatenate(known) & self.used.any(axis=1, keepdims=True))


def covariate_sums(firms: FirmBlocks, moments: Moments, power: int) -> FloatArray:
    """Σ w^power x of the cells of the table, (K, p)."""
    values = firms.design if firms.weight is None else firms.design * firms.weight**power
    return np.asarray(np.add.reduceat(values, firms.start[:-1], axis=1).T[moments.labels[CELL]])
