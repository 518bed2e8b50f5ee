"""Firm effects and label × year effects taken out of columns, exactly and with any weights; and the slope on one regressor.

A firm belongs to one label (an industry; all firms to the same one for plain year effects), so that the normal equations of the
year effects fall apart into one block of years per label: nothing larger than years × years is ever inverted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .arrays import BoolArray, FloatArray
from .least_squares import COLLINEAR_TOLERANCE, scaled_pseudoinverse

SETTLED, MOST_STEPS = 1e-11, 100
"""Iterations end when no fitted index moves by more than this; they converge quadratically."""

LARGEST_MOVE = 5.0
"""Of the fitted index in one step, in logs: a longer one comes from a start far off and would overflow."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TwoWaySlope:
    """`estimate` of the slope; `influence` (N,) of each firm on it, without any factor, and whether the firm is `used` (N,).

    `rows` used; `parameters` as fixest counts them: one regressor, the levels of label × year, and one for firms, which nest in the
    clusters, less one.
    """

    estimate: float
    influence: FloatArray
    used: BoolArray
    rows: int
    parameters: int


def without_firm_and_year(values: FloatArray, weight: FloatArray, label: NDArray[np.intp]) -> FloatArray:
    """Residuals (q, N, T) of `values` from firm effects and effects of `label` (N,) × year, by least squares with `weight` (N, T).

    Firm-years without weight are not used; what stands there in `values` must be finite, and zero comes back.
    """
    used = weight > 0.0
    total = np.maximum(weight.sum(axis=1), np.finfo(np.float64).tiny)
    centred = np.where(used, values - (np.einsum("qnt,nt->qn", values, weight) / total)[:, :, None], 0.0)
    left = np.empty_like(centred)
    for k in range(int(label.max()) + 1):
        own = np.flatnonzero(label == k)
        w = weight[own]
        share = w / total[own, None]
        gram = np.diag(w.sum(axis=0)) - share.T @ w
        effect = np.einsum("qnt,nt->qt", centred[:, own], w) @ scaled_pseudoinverse(gram)
        left[:, own] = centred[:, own] - effect[:, None, :] + (effect @ share.T)[:, :, None]
    return np.where(used, left, 0.0)


def usable_rows(outcome: FloatArray, label: NDArray[np.intp], positive: bool) -> BoolArray:
    """(N, T) rows with an outcome that are alone neither in their firm nor in their label × year, found again and again, as fixest.

    With `positive`, firms and label × years whose outcomes are all zero are left out too: their effect would be −∞.
    """
    used = np.isfinite(outcome)
    size = np.where(used, np.abs(outcome), 0.0) if positive else None
    while True:
        kept = used & (used.sum(axis=1) > 1)[:, None] & (_by_label(used, label) > 1)
        if size is not None:
            kept &= ((size * used).sum(axis=1) > 0.0)[:, None] & (_by_label(size * used, label) > 0.0)
        if (kept == used).all():
            return np.asarray(used)
        used = kept


def linear_slope(
    outcome: FloatArray, regressor: FloatArray, label: NDArray[np.intp], weight: FloatArray | None = None
) -> TwoWaySlope | None:
    """Least squares of `outcome` (N, T), NaN where not seen, on `regressor` (N, T) with firm and label × year effects.

    `weight` (N,) of firms. None where the regressor does not vary beside the effects.
    """
    used = usable_rows(outcome, label, positive=False)
    w = _weights(used, weight)
    y, d = without_firm_and_year(np.stack([np.where(used, outcome, 0.0), regressor]), w, label)
    return _slope(w, d, y, regressor, (used, label))


def poisson_slope(
    outcome: FloatArray, regressor: FloatArray, label: NDArray[np.intp], weight: FloatArray | None = None
) -> TwoWaySlope | None:
    """Quasi-maximum likelihood of E[y | d, effects] = exp(β d + firm + label × year), by iterated weighted least squares.

    Arguments as in `linear_slope`, the outcome never negative. None where the iterations do not settle (rows that the effects
    together separate, a regressor known from zeros only) or the regressor does not vary. Source: Santos Silva and Tenreyro (2006).
    """
    used = usable_rows(outcome, label, positive=True)
    if not used.any():
        return None
    w = _weights(used, weight)
    y = np.where(used, outcome, 0.0)
    mean = y.sum(axis=1, keepdims=True) / np.maximum(used.sum(axis=1, keepdims=True), 1)
    index = np.log(np.where(used, 0.5 * (y + mean), 1.0))
    for _ in range(MOST_STEPS):
        mu = np.exp(index)
        response = np.where(used, index + (y - mu) / mu, 0.0)
        z, d = without_firm_and_year(np.stack([response, regressor]), w * mu, label)
        fit = _slope(w * mu, d, z, regressor, (used, label))
        if fit is None:
            return None
        move = np.where(used, response - (z - fit.estimate * d) - index, 0.0)
        largest = float(np.abs(move).max())
        if largest < SETTLED:
            return fit
        index = index + move * min(1.0, LARGEST_MOVE / largest)
    return None


def _weights(used: BoolArray, weight: FloatArray | None) -> FloatArray:
    """(N, T) of the rows that are used, by firms' weights (N,) if there are any."""
    return used.astype(np.float64) if weight is None else np.asarray(used * weight[:, None])


def _slope(
    weight: FloatArray, d: FloatArray, y: FloatArray, regressor: FloatArray, rows: tuple[BoolArray, NDArray[np.intp]]
) -> TwoWaySlope | None:
    """The slope of `y` on `d`, both (N, T) and without effects, and its influence; None if too little of `regressor` is left."""
    used, label = rows
    weighted = weight * d
    spread = float(np.sum(weighted * d))
    if spread <= COLLINEAR_TOLERANCE * float(np.sum(weight * regressor**2)):
        return None
    estimate = float(np.sum(weighted * y)) / spread
    influence = np.sum(weighted * (y - estimate * d), axis=1) / spread
    levels = sum(int(used[label == k].any(axis=0).sum()) for k in np.unique(label))
    return TwoWaySlope(
        estimate=estimate, influence=influence, used=np.asarray(used.any(axis=1)), rows=int(used.sum()), parameters=1 + levels
    )


def _by_label(values: NDArray[np.generic], label: NDArray[np.intp]) -> FloatArray:
    """Sums of (N, T) over the firms of a label, at every firm."""
    total = np.zeros((int(label.max()) + 1, values.shape[1]))
    np.add.at(total, label, values)
    return np.asarray(total[label])
