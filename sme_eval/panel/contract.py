"""The contract of a firm panel: one row per firm and year, every column as the dictionary declares it.

Everything that is wrong is found before anything is raised. Rows are named by number, never by value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sme_eval.errors import DataError, Problem, raise_if_any, suggestion
from sme_eval.panel.conversion import Converted, convert
from sme_eval.panel.dictionary import Column, Dictionary

if TYPE_CHECKING:
    import pandas as pd

FIRM: Final = "firm"
YEAR: Final = "year"
_ROWS_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from and how they are numbered: with `header_rows` = 1 the first row of data is row 2."""

    name: str = "the panel"
    header_rows: int = 0

    def where(self, *columns: str) -> str:
        """The place of a problem, with the way rows are counted."""
        columns_text = f", column{'s' * (len(columns) > 1)} {' and '.join(columns)}" if columns else ""
        counted = "row 1 is the header" if self.header_rows else "row 1 is the first row of data"
        return f"{self.name}{columns_text} ({counted})"

    def first(self, wrong: NDArray[np.bool_]) -> str:
        """Numbers of the first rows that are `wrong` (rows,)."""
        return ", ".join(f"row {row + 1 + self.header_rows}" for row in np.flatnonzero(wrong)[:_ROWS_NAMED])


def conform(frame: pd.DataFrame, dictionary: Dictionary, origin: Origin) -> pd.DataFrame:
    """A copy of `frame`, rows in the same order, with canonical types.

    integer and flag: int64 (float64 if values are missing); float: float64; category: categorical, keys as declared;
    firm: int64 if every identifier is a plain whole number, else text.

    Raises
    ------
    DataError
        Columns missing, repeated or undeclared; no rows; text in a number; values out of range or of the wrong kind;
        missing firm or year; two rows for one firm and year; a column that varies within a firm although declared
        constant.
    """
    import pandas as pd

    problems = _column_problems(frame, dictionary, origin)
    if not len(frame):
        problems.append(Problem(what="The panel has no rows.", where=origin.name, remedy="check that the file is complete"))
    raise_if_any(DataError, problems if not len(frame) or any(frame.columns.duplicated()) else ())
    columns = [dictionary[name] for name in map(str, frame.columns) if name in dictionary]
    converted = {column.name: convert(frame[column.name], column) for column in columns}
    for column in columns:
        problems += _value_problems(column, converted[column.name], origin)
    if FIRM in converted and YEAR in converted:
        firm = np.asarray(pd.factorize(converted[FIRM].data)[0])
        first = _first_rows(firm)
        problems += _duplicate_problems(firm, converted[YEAR].codes, origin)
        problems += [
            problem
            for column in columns
            if column.constant_within_firm
            for problem in _varying_problems(column, converted[column.name], (firm, first), origin)
        ]
    raise_if_any(DataError, problems)
    return pd.DataFrame({name: c.data for name, c in converted.items()}, copy=True)


def _column_problems(frame: pd.DataFrame, dictionary: Dictionary, origin: Origin) -> list[Problem]:
    """Columns that are missing, repeated or undeclared."""
    names = [str(name) for name in frame.columns]
    problems = [
        Problem(
            what=f"Column {column.name} is missing.",
            where=origin.name,
            remedy=f"every row needs its {column.name}; rename the column that holds it",
        )
        for column in dictionary.columns.values()
        if column.required and column.name not in names
    ]
    problems += [
        Problem(what=f"Column {name} occurs {names.count(name)} times.", where=origin.name, remedy="keep one of them")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    return problems + [
        Problem(
            what=f"Column {name!r} is not in the dictionary.",
            where=origin.name,
            remedy=f"{suggestion(name, tuple(dictionary.columns))} else declare it in data/dictionary.toml",
        )
        for name in dict.fromkeys(names)
        if name not in dictionary
    ]


def _value_problems(column: Column, values: Converted, origin: Origin) -> list[Problem]:
    """What is wrong with the values of one column."""
    found: list[tuple[NDArray[np.bool_], str, str]] = [
        (values.unreadable, *_UNREADABLE[column.type](column)),
        (values.outside, f"outside {_range_text(column)}", "correct the value or its unit, or leave it empty"),
    ]
    if column.required:
        found.append((values.missing, "missing", f"every row needs its {column.name}"))
    return [
        Problem(
            what=f"{_count(wrong, 'row')} of {column.name}: {what}.",
            where=origin.where(column.name),
            first=origin.first(wrong),
            remedy=remedy,
        )
        for wrong, what, remedy in found
        if wrong.any()
    ]


def _duplicate_problems(firm: NDArray[Any], year: NDArray[Any], origin: Origin) -> list[Problem]:
    """Firms with two rows for one year; rows without a firm or a year are a problem of their own."""
    import pandas as pd

    known = (firm >= 0) & (year >= 0)
    place = firm * (year.max(initial=0) + 1) + year
    if known.all() and (np.diff(place) > 0).all():  # sorted by firm and year: nothing to look for
        return []
    repeated = pd.DataFrame({FIRM: firm, YEAR: year}).duplicated(keep=False).to_numpy() & known
    if not repeated.any():
        return []
    count = np.unique(firm[repeated]).size
    return [
        Problem(
            what=f"{count} {'firm has' if count == 1 else 'firms have'} more than one row for the same year.",
            where=origin.where(FIRM, YEAR),
            first=origin.first(repeated),
            remedy="keep one row per firm and year",
        )
    ]


def _first_rows(firm: NDArray[Any]) -> NDArray[np.int64]:
    """(rows,) the first row of each row's firm; rows without a firm have any."""
    first = np.zeros(firm.max(initial=0) + 1, dtype=np.int64)
    first[firm[::-1]] = np.arange(firm.size)[::-1]  # written backwards: the first row of a firm is written last
    return np.asarray(first[firm])


def _varying_problems(column: Column, values: Converted, firms: tuple[NDArray[Any], NDArray[Any]], origin: Origin) -> list[Problem]:
    """Firms whose value changes although declared constant; missing values contradict nothing.

    `firms` are the firm of each row and that firm's first row.
    """
    firm, first_row = firms
    if not (values.codes != values.codes[first_row]).any():
        return []
    known = (firm >= 0) & (values.codes >= 0)
    rows = np.flatnonzero(known)
    first = np.zeros(firm.max(initial=0) + 1, dtype=np.int64)
    first[firm[rows[::-1]]] = values.codes[rows[::-1]]  # written backwards: the first row of a firm is written last
    varying = known & (values.codes != first[firm])
    if not varying.any():
        return []
    count = np.unique(firm[varying]).size
    return [
        Problem(
            what=f"{count} {'firm has' if count == 1 else 'firms have'} more than one value of {column.name}, "
            "which is constant within a firm.",
            where=origin.where(FIRM, column.name),
            first=origin.first(varying),
            remedy=f"give each firm one {column.name}, or declare the column as varying under a name of its own",
        )
    ]


def _range_text(column: Column) -> str:
    low, high = column.minimum, column.maximum
    text = f"{_plain(low)} to {_plain(high)}" if low is not None and high is not None else ""
    text = text or (f"{_plain(low)} and above" if low is not None else f"{_plain(high)} and below")
    codes = ", ".join(str(code) for code in column.special_values)
    return f"{text} (or {codes})" if codes else text


def _plain(bound: float | None) -> str:
    return "" if bound is None else f"{bound:g}"


def _count(wrong: NDArray[np.bool_], noun: str) -> str:
    count = int(wrong.sum())
    return f"{count} {noun}{'s' * (count != 1)}"


def _categories_remedy(column: Column) -> str:
    return "use one of: " + ", ".join(column.categories) if column.categories else "use texts"


_UNREADABLE: Final[Mapping[str, Callable[[Column], tuple[str, str]]]] = {
    "identifier": lambda _: ("not a whole number or a text", "store identifiers as text"),
    "integer": lambda _: ("not whole numbers", "write whole numbers without units or separators, or leave it empty"),
    "float": lambda _: ("not finite numbers", "write numbers without units or separators, or leave it empty"),
    "flag": lambda _: ("neither 0 nor 1", "write 0 or 1, or leave it empty"),
    "category": lambda column: ("not a declared category", _categories_remedy(column)),
}
