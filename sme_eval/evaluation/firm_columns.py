"""Columns of the panel that a check asks for, one value per firm of the sample; None where the panel has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sme_eval.stats.arrays import FloatArray, IntArray

from .asked import Asked


def firm_codes(asked: Asked) -> IntArray:
    """(rows,) position of each panel row's firm in the sample, −1 for firms that are not in it."""
    names = asked.sample.names
    order = pd.Index(asked.sample.label(names.firm))
    return np.asarray(order.get_indexer(pd.Index(asked.panel.frame[names.firm])), dtype=np.int64)


def first_rows(code: IntArray, n_firms: int) -> IntArray:
    """(N,) first panel row of each firm, from its codes (rows,)."""
    first = np.zeros(n_firms, dtype=np.int64)
    rows = np.flatnonzero(code >= 0)[::-1]
    first[code[rows]] = rows
    return first


def firm_column(asked: Asked, name: str) -> NDArray[Any] | None:
    """(N,) values of a column in each firm's first row; None if it is not named or the panel has no such column."""
    if not name or name not in asked.panel.columns:
        return None
    first = first_rows(firm_codes(asked), asked.sample.n_firms)
    return np.asarray(asked.panel.frame[name].take(first))


def first_years(asked: Asked, name: str) -> FloatArray | None:
    """(N,) first years in a column, infinite for never (missing, zero or below); None without the column."""
    values = firm_column(asked, name)
    if values is None:
        return None
    years = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isfinite(years) & (years > 0.0), years, np.inf)


def labels_of(asked: Asked, name: str, key: str) -> tuple[str, str]:
    """(Chinese, English) name of a category, or its key where the dictionary has no name for it."""
    dictionary = asked.panel.dictionary
    known = dictionary[name].categories if name in dictionary else {}
    return (known[key].zh, known[key].en) if key in known else (key, key)
