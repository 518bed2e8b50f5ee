"""Codes 0..m-1 for identifiers, without sorting or hashing where a lookup table does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.intp]
MISSING = -1
TABLE_FACTOR, TABLE_MINIMUM = 4, 1 << 20
"""A lookup table is used while the range of the integers is at most this many times their number (or this long)."""
ROWS_AT_A_TIME = 1 << 17
"""Rows of a long frame that are worked on at once: a megabyte of numbers stays in the processor's cache."""


def row_blocks(n_rows: int) -> Iterator[slice]:
    """Slices that cover `n_rows` rows, so that no temporary has their length."""
    for begin in range(0, n_rows, ROWS_AT_A_TIME):
        yield slice(begin, min(begin + ROWS_AT_A_TIME, n_rows))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowCodes:
    """Codes of a column's rows, worked out for the rows that are asked for; `labels` has one entry per code.

    A value less `low` is the code, or the place of the code in `table`. `missing`: some rows have the code -1.
    """

    values: NDArray[Any]
    low: int
    table: NDArray[Any] | None
    labels: NDArray[Any]
    missing: bool

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> Codes:
        # In intp: int8 - int8 would wrap.
        codes: Codes = np.subtract(self.values[rows], self.low, dtype=np.intp, casting="unsafe")
        return codes if self.table is None else self.table[codes].astype(np.intp, copy=False)

    @property
    def dtype(self) -> np.dtype[np.intp]:
        """Of the codes handed out."""
        return np.dtype(np.intp)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowFirms:
    """The firm of each row, from its place at `firm * T + year`, and some row of each firm (N,); never held at full length."""

    position: NDArray[Any]
    n_years: int
    some_row: NDArray[Any]

    @classmethod
    def of(cls, position: NDArray[Any], n_years: int, n_firms: int) -> RowFirms:
        """One pass over the rows."""
        some_row = np.empty(n_firms, position.dtype)
        for rows in row_blocks(len(position)):
            some_row[position[rows] // n_years] = np.arange(rows.start, rows.stop)
        return cls(position=position, n_years=n_years, some_row=some_row)

    def __len__(self) -> int:
        return len(self.position)

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        return np.asarray(self.position[rows] // self.n_years)


def factorise(values: Any) -> tuple[Codes, NDArray[Any]]:
    """Codes and labels of a column; a missing value gets the code -1.

    Integers on a compact range go through a lookup table and come out in ascending order; everything else through a hash table, in
    order of first appearance.
    """
    coded = row_codes(values)
    return coded[:], coded.labels


def row_codes(values: Any, expected: int | None = None) -> RowCodes:
    """As `factorise`, the codes not yet written out; `expected` labels at first if a hash table is needed."""
    if isinstance(values, pd.Series) and isinstance(values.dtype, pd.CategoricalDtype):
        return _category_codes(values)
    array = np.asarray(values) if not isinstance(values, pd.Series) or values.dtype.kind in "iu" else values
    if isinstance(array, np.ndarray) and array.dtype.kind in "iu" and array.size:
        low, high = int(array.min()), int(array.max())
        if high - low < max(TABLE_FACTOR * array.size, TABLE_MINIMUM) and high <= np.iinfo(np.intp).max:
            return _table_codes(array, low, high - low + 1)
    codes, labels = pd.factorize(array, sort=False, size_hint=expected)
    missing = bool(len(codes)) and int(codes.min()) < 0
    return RowCodes(values=codes, low=0, table=None, labels=np.asarray(labels), missing=missing)


def _table_codes(array: NDArray[Any], low: int, span: int) -> RowCodes:
    present = _present(array, low, span)
    if present.all():
        return RowCodes(values=array, low=low, table=None, labels=np.arange(low, low + span), missing=False)
    return RowCodes(values=array, low=low, table=_ranks(present), labels=np.flatnonzero(present) + low, missing=False)


def _category_codes(values: pd.Series[Any]) -> RowCodes:
    """Dictionary-encoded text has its codes already; unused categories are dropped."""
    codes = np.asarray(values.cat.codes)
    present = _present(codes, MISSING, len(values.cat.categories) + 1)
    table = np.concatenate([[MISSING], _ranks(present[1:])])
    labels = np.asarray(values.cat.categories)[present[1:]]
    return RowCodes(values=codes, low=MISSING, table=table, labels=labels, missing=bool(present[0]))


def _present(array: NDArray[Any], low: int, span: int) -> NDArray[np.bool_]:
    """Which of the integers from `low` on occur."""
    present = np.zeros(span, dtype=bool)
    for rows in row_blocks(len(array)):
        present[np.subtract(array[rows], low, dtype=np.intp, casting="unsafe")] = True
    return present


def _ranks(present: NDArray[np.bool_]) -> NDArray[Any]:
    """The number of marked entries before each."""
    return np.asarray(np.cumsum(present, dtype=np.int32 if len(present) < 1 << 31 else np.int64) - 1)


def row_places(firm: RowCodes, year: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Place of every row at `firm * T + year`, in 32 bits if they fit, and the years in order."""
    coded = row_codes(year)
    order = np.argsort(coded.labels)
    rank, n_years = np.argsort(order), len(order)
    fits = len(firm.labels) * n_years <= np.iinfo(np.int32).max
    position = np.empty(len(firm), np.int32 if fits else np.int64)
    for rows in row_blocks(len(firm)):
        place = firm[rows]
        place *= n_years
        place += rank[coded[rows]]
        position[rows] = place
    return position, coded.labels[order].astype(np.int64)


def count_places(position: NDArray[Any], n_places: int) -> int:
    """Places that some row takes."""
    taken = np.zeros(n_places, dtype=bool)
    for rows in row_blocks(len(position)):
        taken[position[rows]] = True
    return int(np.count_nonzero(taken))
