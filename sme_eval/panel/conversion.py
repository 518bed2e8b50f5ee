"""One column of any frame to the canonical type that the dictionary declares, noting what could not be converted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sme_eval.panel.dictionary import Column

if TYPE_CHECKING:
    import pandas as pd

_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
"""Texts that survive a round trip through an integer of 64 bits: no sign, no leading zero, at most 18 digits."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A column in its canonical type. All arrays are (rows,).

    `data` goes into the panel (meaningless where `unreadable`), `codes` compares: equal values have equal codes,
    missing −1.
    """

    data: Any
    codes: NDArray[np.int64]
    missing: NDArray[np.bool_]
    unreadable: NDArray[np.bool_]
    outside: NDArray[np.bool_]


def convert(series: pd.Series[Any], column: Column) -> Converted:
    """`series` as the dictionary's type of `column`."""
    if column.type == "identifier":
        return _identifier(series)
    if column.type == "category":
        return _category(series, column)
    return _number(series, column)


def _number(series: pd.Series[Any], column: Column) -> Converted:
    """Integers, flags and floats; texts that read as numbers are numbers."""
    if series.dtype == np.int64 and column.type != "float":
        return _whole_number(series.to_numpy(), column)
    missing = series.isna().to_numpy(dtype=bool)
    values = _as_float(series)
    unreadable = ~np.isfinite(values) & ~missing
    if column.type == "integer":
        unreadable |= ~missing & (values != np.rint(values))
    elif column.type == "flag":
        unreadable |= ~missing & (values != 0) & (values != 1)
    whole = column.type != "float" and not missing.any() and not unreadable.any()
    return Converted(
        data=values.astype(np.int64) if whole else values,
        codes=_codes(values, missing | unreadable) if _compared(column) else _NO_CODES,
        missing=missing,
        unreadable=unreadable,
        outside=_outside(values, column) & ~unreadable,
    )


def _whole_number(values: NDArray[np.int64], column: Column) -> Converted:
    """Integers and flags that are whole numbers already, none of them missing: their own codes, counted from the least."""
    nothing = np.zeros(values.size, dtype=bool)
    unreadable = (values != 0) & (values != 1) if column.type == "flag" else nothing
    codes = values - values.min(initial=0) if _compared(column) else _NO_CODES
    outside = _outside(values, column) & ~unreadable
    return Converted(data=values, codes=codes, missing=nothing, unreadable=unreadable, outside=outside)


def _outside(values: NDArray[Any], column: Column) -> NDArray[np.bool_]:
    """(rows,) whether a number is neither in the column's range nor one of its special values."""
    outside = np.zeros(values.size, dtype=bool)
    if column.minimum is not None:
        outside |= values < column.minimum
    if column.maximum is not None:
        outside |= values > column.maximum
    for code in column.special_values:
        outside &= values != code
    return outside


def _compared(column: Column) -> bool:
    return column.constant_within_firm or column.required


def _as_float(series: pd.Series[Any]) -> NDArray[np.float64]:
    """NaN where the value is missing or no number."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.array([_parse(value) for value in series.astype(object)], dtype=np.float64)


def _parse(value: object) -> float:
    """Python's float, without its underscores between digits."""
    if isinstance(value, str) and "_" in value:
        return float("nan")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _identifier(series: pd.Series[Any]) -> Converted:
    """Whole numbers as int64, everything else as text; an empty text is missing."""
    import pandas as pd

    nothing = np.zeros(len(series), dtype=bool)
    if pd.api.types.is_integer_dtype(series.dtype) and not series.isna().any():
        numbers = series.to_numpy(dtype=np.int64)
        return Converted(numbers, _codes(numbers, nothing), nothing, nothing, nothing)
    missing = series.isna().to_numpy(dtype=bool)
    unreadable = nothing
    if pd.api.types.is_float_dtype(series.dtype):
        floats = series.to_numpy(dtype=np.float64, na_value=np.nan)
        unreadable = ~missing & (floats != np.rint(floats))
        texts = np.array([f"{value:.0f}" for value in floats], dtype=object)
    else:
        texts = series.astype(object).astype(str).str.strip().to_numpy(dtype=object)
        missing = missing | (texts == "")
    texts[missing] = ""
    whole = not missing.any() and all(_WHOLE_NUMBER.fullmatch(text) for text in texts)
    values = texts.astype(np.int64) if whole else pd.Series(texts, dtype="str").mask(missing)
    return Converted(values, _codes(texts, missing | unreadable), missing, unreadable, nothing)


def _category(series: pd.Series[Any], column: Column) -> Converted:
    """A categorical whose keys are the declared ones, or those found, sorted, if the dictionary leaves them open."""
    import pandas as pd

    nothing = np.zeros(len(series), dtype=bool)
    found = series if isinstance(series.dtype, pd.CategoricalDtype) else series.astype(object).astype("category")
    keys = [str(key) for key in found.cat.categories]
    order = list(column.categories) or sorted(set(keys))
    position = {key: place for place, key in enumerate(order)}
    # One more place at the end: code −1 (missing) stays −1.
    recode = np.array([*(position.get(key, -1) for key in keys), -1], dtype=np.int64)
    missing = series.isna().to_numpy(dtype=bool)
    codes = recode[found.cat.codes.to_numpy()]
    values = pd.Categorical.from_codes(codes, categories=pd.Index(order, dtype="str"))
    return Converted(values, codes, missing, (codes < 0) & ~missing, nothing)


_NO_CODES: NDArray[np.int64] = np.empty(0, dtype=np.int64)
"""Comparing codes are only made for columns that are compared."""


def _codes(values: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[np.int64]:
    import pandas as pd

    codes = np.array(pd.factorize(values)[0], dtype=np.int64)
    codes[missing] = -1
    return codes
