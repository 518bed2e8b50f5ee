"""Reading the columns of a frame strictly: each reader adds what is wrong to one list and never repairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sme_eval.errors import DataError, Problem, suggestion
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.terms import NEVER

from .codes import Codes, RowCodes, RowFirms, row_blocks

SHOWN_ROWS = 3


def rows_text(bad: BoolArray) -> str:
    """The first few rows that `bad` marks, by position, never by value."""
    rows = np.flatnonzero(bad)[:SHOWN_ROWS]
    return ", ".join(f"row {r}" for r in rows) + " (counted from 0)"


def counted(number: int, one: str, many: str) -> str:
    """`1 row has` or `3 rows have`: the number with the right form."""
    return f"{number} {one if number == 1 else many}"


def flag(problems: list[Problem], bad: BoolArray, words: tuple[str, str], where: str, remedy: str) -> bool:
    """Add one problem about the rows that `bad` marks, if there are any; whether there were. `words`: for one row, for many."""
    if not bad.any():
        return False
    what = f"{counted(int(bad.sum()), *words)}."
    problems.append(Problem(what=what, where=where, first=rows_text(bad), remedy=remedy))
    return True


def require_columns(frame: Any, names: Sequence[str]) -> None:
    """Refuse what is not a frame, a frame without rows, and names it does not hold."""
    if not isinstance(frame, pd.DataFrame):
        raise DataError(Problem(what=f"A pandas DataFrame is needed, not {type(frame).__name__}."))
    choices = [str(c) for c in frame.columns]
    problems = [
        Problem(what=f"There is no column {name!r}.", remedy=suggestion(name, choices))
        for name in dict.fromkeys(names)
        if name not in frame.columns
    ]
    repeated = sorted({str(c) for c in frame.columns[frame.columns.duplicated()]} & set(names))
    if repeated:
        problems.append(Problem(what=f"Columns stand twice: {', '.join(repeated)}.", remedy="rename or drop one of each"))
    if frame.empty:
        problems.append(Problem(what="The frame has no rows.", remedy="check the file and the filters before this step"))
    if problems:
        raise DataError(problems)


def read_number(
    frame: pd.DataFrame, name: str, problems: list[Problem], *, missing: bool = True, infinite: bool = False
) -> FloatArray:
    """A column as float64; text, dates and complex numbers are problems, and missing or infinite values unless allowed."""
    column, where = frame[name], f"column {name}"
    plain = plain_numbers(column)
    unreadable: BoolArray | None = None
    if plain is not None:
        values: FloatArray = plain.astype(np.float64, copy=False)
    elif column.dtype.kind in "mMc" or isinstance(column.dtype, pd.PeriodDtype):
        what = f"The column holds {column.dtype}, not numbers."
        problems.append(Problem(what=what, where=where, remedy="convert it, dates for example to calendar years"))
        return np.full(len(column), np.nan)
    else:
        parsed = pd.to_numeric(column, errors="coerce")
        values = parsed.to_numpy(np.float64, na_value=np.nan)
        unreadable = np.isnan(values) & column.notna().to_numpy()
        text = column.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool) | unreadable
        words = ("value is text where numbers belong", "values are text where numbers belong")
        flag(problems, text, words, where, "convert the column to numbers; leave missing values empty")
    if not infinite and any_row(np.isinf, values):
        remedy = "a log of zero? decide how zeros are to be treated and leave the rest empty"
        flag(problems, np.isinf(values), ("value is infinite", "values are infinite"), where, remedy)
    if not missing and any_row(np.isnan, values):
        absent = np.isnan(values) if unreadable is None else np.isnan(values) & ~unreadable
        remedy = "fill the column or leave these rows out before this step"
        flag(problems, absent, ("value is missing", "values are missing"), where, remedy)
    return values


def plain_numbers(column: pd.Series[Any]) -> NDArray[Any] | None:
    """The array behind a column of ordinary numbers or flags, not copied; None if it must be converted value by value."""
    return column.to_numpy() if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiub" else None


def any_row(test: Callable[[NDArray[Any]], BoolArray], values: NDArray[Any]) -> bool:
    """Whether a test holds for any value."""
    return any(test(values[rows]).any() for rows in row_blocks(len(values)))


def read_whole_number(frame: pd.DataFrame, name: str, problems: list[Problem]) -> IntArray | None:
    """A column of years; whole numbers stored as floats are the same numbers, anything else is a problem."""
    column = frame[name]
    plain = plain_numbers(column)
    if plain is not None and plain.dtype.kind in "iu":
        return plain
    before = len(problems)
    values = read_number(frame, name, problems, missing=False)
    if len(problems) > before:
        return None
    words = ("value is no whole year", "values are no whole years")
    if flag(problems, values != np.rint(values), words, f"column {name}", "give calendar years as whole numbers"):
        return None
    return values.astype(np.int64)


def per_firm(
    firm: Codes | RowCodes | RowFirms,
    values: NDArray[Any] | RowCodes,
    n_firms: int,
    name: str,
    problems: list[Problem],
    remedy: str,
) -> NDArray[Any]:
    """One value per firm; firms with two different values are a problem. NaN equals NaN."""
    if isinstance(firm, RowFirms):
        value = values[firm.some_row]
    else:
        value = np.empty(n_firms, values.dtype)
        value[firm[:]] = values[:]
    changing = np.zeros(n_firms, dtype=bool)
    for rows in row_blocks(len(values)):
        here, kept = values[rows], value.take(firm[rows])
        differs = kept != here
        if differs.any():
            if value.dtype.kind == "f":
                differs &= ~(np.isnan(here) & np.isnan(kept))
            changing[firm[rows][differs]] = True
    if changing.any():
        problems.append(
            Problem(
                what=f"{name} changes within {counted(int(changing.sum()), 'firm', 'firms')}.",
                where=f"column {name}",
                first=rows_text(firm[:] == np.flatnonzero(changing)[0]),
                remedy=remedy,
            )
        )
    return value


def read_cohort(values: FloatArray, never_treated: float | None, name: str, problems: list[Problem]) -> IntArray | None:
    """Cohorts as whole years with `NEVER` for never treated; (rows,) → (rows,).

    The code `never_treated` and infinity mean never; with `never_treated=None` a missing cohort means never, else it is a problem.
    """
    missing, never = np.isnan(values), np.isposinf(values)
    if never_treated is None:
        never = never | missing
    else:
        never = never | (values == never_treated)
        remedy = "fill it; if missing means never treated, pass never_treated=None"
        flag(problems, missing, ("row has no cohort", "rows have no cohort"), f"column {name}", remedy)
    with np.errstate(invalid="ignore"):
        odd = ~never & ~missing & ((values != np.rint(values)) | (np.abs(values) >= NEVER))
    words = ("cohort is no whole year", "cohorts are no whole years")
    flag(problems, odd, words, f"column {name}", "give the first treated year as a calendar year")
    if (missing & ~never).any() or odd.any():
        return None
    return np.where(never, NEVER, np.nan_to_num(values, posinf=0.0)).astype(np.int64)
