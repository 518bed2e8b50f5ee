"""Linear algebra of regressions whose nuisance dummies overlap."""

from __future__ import annotations

import numpy as np

from .arrays import BoolArray, FloatArray

PINV_CUTOFF = 1e-10
"""Relative eigenvalue below which a direction of the scaled Gram matrix counts as null.

Scaling the diagonal to one first matters: `numpy.linalg.pinv(hermitian=True)` at its default cut-off keeps the null direction
of firm and year dummies and is then wrong in the fourth digit without a warning.
"""

COLLINEAR_TOLERANCE = 1e-9
"""Share of a regressor's own variation that must be left after earlier regressors and the fixed effects."""


def scaled_pseudoinverse(gram: FloatArray) -> FloatArray:
    """Generalised inverse of a symmetric positive semi-definite matrix, (p, p) → (p, p)."""
    scale = np.sqrt(np.maximum(np.diag(gram), 0.0))
    scale[scale == 0.0] = 1.0
    value, vector = np.linalg.eigh(gram / np.outer(scale, scale))
    keep = value > PINV_CUTOFF * max(float(value.max(initial=0.0)), 1e-300)
    inverse: FloatArray = (vector[:, keep] / value[keep]) @ vector[:, keep].T / np.outer(scale, scale)
    return inverse


def dependent_columns(gram: FloatArray, scale: FloatArray) -> BoolArray:
    """Which columns combine earlier ones: an unpivoted Cholesky, so the order is the one the user gave.

    `gram` (q, q) is the cross-product after the fixed effects are partialled out, `scale` (q,) the columns' own sums of squares
    before that.
    """
    rest = gram.copy()
    dependent = np.zeros(len(rest), dtype=bool)
    for j in range(len(rest)):
        if rest[j, j] <= COLLINEAR_TOLERANCE * max(float(scale[j]), 1e-300):
            dependent[j] = True
            continue
        factor = rest[:, j] / rest[j, j]
        rest[j + 1 :, j + 1 :] -= np.outer(factor[j + 1 :], rest[j, j + 1 :])
    return dependent
