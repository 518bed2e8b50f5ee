"""Least squares on firm and year effects over some of the cell-years, solved for the years alone.

With U the cell-years that are used, c_k their number in a cell and M_k = diag(U_k) − U_k U_k′/c_k the deviation from a firm's own
mean, the year effects solve S λ = Σ_k w_k M_k ȳ_k, S = Σ_k w_k M_k: as many equations as years, whatever the number of firms. S
has a null direction for every set of years that no firm connects with the others; a contrast of years is identified if it is
orthogonal to all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.moments.moments import Moments
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.least_squares import scaled_pseudoinverse

NOT_IDENTIFIED = 1e-8
"""How far a contrast of years may lean on directions that no firm connects; contrasts are of order one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FirmAndYear:
    """Firm and year effects over `used` (K, T).

    weight (K,) · count (K,) used years, at least 1 · inverse (T, T), a generalised inverse of S · null (T, T), I − S⁻S: what is not
    identified.
    """

    used: FloatArray
    weight: FloatArray
    count: FloatArray
    inverse: FloatArray
    null: FloatArray

    @classmethod
    def over(cls, moments: Moments, used: BoolArray) -> FirmAndYear:
        """The design of the cell-years `used`, weighted by the cells' Σw."""
        marks = used.astype(np.float64)
        count = np.maximum(marks.sum(axis=1), 1.0)
        gram = np.diag(moments.weight @ marks) - (marks * (moments.weight / count)[:, None]).T @ marks
        inverse = scaled_pseudoinverse(gram)
        null = np.eye(len(gram)) - inverse @ gram
        return cls(used=marks, weight=moments.weight, count=count, inverse=inverse, null=null)

    def within(self, block: FloatArray) -> FloatArray:
        """Deviations of (K, T, q) from the mean over a firm's used years, zero in the others: M_k X_k."""
        mean = np.einsum("kt,ktq->kq", self.used, block) / self.count[:, None]
        return np.asarray((block - mean[:, None, :]) * self.used[:, :, None])

    def years_of(self, block: FloatArray) -> FloatArray:
        """Year effects (T, q) in the regression of each column of (K, T, q), up to the directions that are not identified."""
        return np.asarray(self.inverse @ np.einsum("k,ktq->tq", self.weight, self.within(block)))

    def residual(self, block: FloatArray) -> FloatArray:
        """What firm and year effects leave of (K, T, q)."""
        return self.within(block - self.years_of(block))

    def contrast_slope(self, contrasts: FloatArray) -> FloatArray:
        """Slopes (K, J, T) of a firm's influence on contrasts a (J, T) of the year effects: a′ S⁻ M_k."""
        rows = contrasts @ self.inverse
        mean = (self.used @ rows.T) / self.count[:, None]
        return np.asarray((rows - mean[:, :, None]) * self.used[:, None, :])

    def identifies(self, contrasts: FloatArray) -> BoolArray:
        """Which contrasts (J, T) of the year effects the data determine."""
        return np.asarray(np.abs(contrasts @ self.null).max(axis=1) < NOT_IDENTIFIED)

    def predicts(self) -> BoolArray:
        """Cell-years (K, T) whose firm effect plus year effect is determined: where the contrast e_t − U_k/c_k of the years is."""
        own: FloatArray = np.asarray((self.used / self.count[:, None]) @ self.null)
        gap: FloatArray = np.stack([np.abs(row - own).max(axis=1) for row in self.null], axis=1)
        seen: BoolArray = self.used > 0.0
        return np.asarray((gap < NOT_IDENTIFIED) & seen.any(axis=1, keepdims=True))
