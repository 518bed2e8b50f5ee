"""Outer values drawn in or taken out, group by group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .arrays import FloatArray


def group_bounds(values: FloatArray, group: NDArray[np.intp], share: float) -> tuple[FloatArray, FloatArray]:
    """The `share` and 1 − `share` quantiles of each value's own group, both (n,); NaN values count for nothing.

    `group` (n,) are codes 0..G−1. Quantiles are interpolated linearly, as numpy and Stata's `winsor2` do.
    """
    low, high = np.full(len(values), np.nan), np.full(len(values), np.nan)
    for k in range(int(group.max(initial=-1)) + 1):
        own = group == k
        if np.isfinite(values[own]).any():
            low[own], high[own] = np.nanquantile(values[own], (share, 1.0 - share))
    return low, high


def winsorised(values: FloatArray, group: NDArray[np.intp], share: float) -> FloatArray:
    """`values` (n,) outside their group's bounds set to the nearer bound."""
    low, high = group_bounds(values, group, share)
    return np.asarray(np.clip(values, low, high))


def trimmed(values: FloatArray, group: NDArray[np.intp], share: float) -> FloatArray:
    """`values` (n,) outside their group's bounds missing (NaN)."""
    low, high = group_bounds(values, group, share)
    return np.where((values >= low) & (values <= high), values, np.nan)
