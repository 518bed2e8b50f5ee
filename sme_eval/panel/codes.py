"""Codes 0..m-1 for identifiers, without sorting or hashing where a lookup table does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.intp]
MISSING = -1
TABLE_FACTOR, TABLE_MINIMUM = 4, 1 << 20
"""A lookup table is used while the range of the integers is at most this many times their number (or this long)."""


def factorise(values: Any) -> tuple[Codes, NDArray[Any]]:
    """Codes and labels of a column; a missing value gets the code -1.

    Integers on a compact range go through a lookup table and come out in ascending order; everything else through a hash table, in
    order of first appearance.
    """
    if isinstance(values, pd.Series) and isinstance(values.dtype, pd.CategoricalDtype):
        return _factorise_categories(values)
    array = np.asarray(values) if not isinstance(values, pd.Series) or values.dtype.kind in "iu" else values
    if isinstance(array, np.ndarray) and array.dtype.kind in "iu" and array.size:
        low, high = int(array.min()), int(array.max())
        if high - low < max(TABLE_FACTOR * array.size, TABLE_MINIMUM):
            return _factorise_by_table(array, low, high - low + 1)
    codes, labels = pd.factorize(array, sort=False)
    return codes.astype(np.intp, copy=False), np.asarray(labels)


def _factorise_by_table(array: NDArray[Any], low: int, span: int) -> tuple[Codes, NDArray[Any]]:
    shifted = np.subtract(array, low, dtype=np.intp, casting="unsafe")  # in intp: int8 - int8 would wrap
    present = np.zeros(span, dtype=bool)
    present[shifted] = True
    if present.all():
        return shifted, np.arange(low, low + span)
    return (np.cumsum(present, dtype=np.intp) - 1)[shifted], np.flatnonzero(present) + low


def _factorise_categories(values: pd.Series[Any]) -> tuple[Codes, NDArray[Any]]:
    """Dictionary-encoded text has its codes already; unused categories are dropped."""
    codes, present = factorise(values.cat.codes.to_numpy())
    labels = np.asarray(values.cat.categories)[present[present >= 0]]
    return (codes - 1 if (present < 0).any() else codes), labels
