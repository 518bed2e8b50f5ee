"""An Excel workbook (.xlsx) to a frame: one sheet, headings in row 1; what is not plain is refused, nothing is repaired."""

from __future__ import annotations

import datetime
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sme_eval.errors import DataError, Problem
from sme_eval.panel.delimited import MISSING, TEXT_TYPES, unreadable
from sme_eval.panel.dictionary import Dictionary
from sme_eval.panel.headings import letter, read_headings

if TYPE_CHECKING:
    import pandas as pd

Rows = list[list[Any]]
_FORMULA: Final = re.compile(rb"<(\w+:)?f[ >/]")
_MERGED: Final = re.compile(rb"<(\w+:)?mergeCell ")
_DATES: Final = (datetime.date, datetime.time, datetime.timedelta)
_ERRORS: Final = ("#N/A", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!", "#CALC!")


@dataclass(slots=True)
class _Sheet:
    """One sheet: its rows as they are shown, row 1 first, and what a plain table has none of."""

    name: str
    rows: Rows
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """First column, first row, last column, last row; from 1."""
    unsaved: set[tuple[int, int]] = field(default_factory=set)
    """Row and column, from 0, of formulas without a value."""


def read_workbook(path: Path, dictionary: Dictionary, sheet: str = "") -> tuple[pd.DataFrame, list[Problem]]:
    """The columns of a sheet under their names in the dictionary, and everything that is not plain in it.

    Without `sheet` it is the only one whose first row names every required column of the dictionary, else the first that holds
    anything. Cells that are refused are missing in the frame.

    Raises
    ------
    DataError
        The file is no workbook, `sheet` is not in it, or several sheets could be meant.
    """
    import pandas as pd

    chosen = _choose(path, _sheets(path), dictionary, sheet)
    _look_closer(path, chosen)
    where = f"{path.name}, sheet {chosen.name}"
    if not chosen.rows:
        return pd.DataFrame(columns=["firm", "year"]), []
    header, *body = chosen.rows
    filled = [any(row[n] is not None for row in body) for n in range(len(header))]
    covered = frozenset(n for first, top, last, _ in chosen.merged if top == 1 for n in range(first - 1, last))
    headings = read_headings([_text(cell) for cell in header], filled, dictionary, where, covered)
    problems = [*_merged_problems(chosen, where), *headings.problems]
    data: dict[str, Any] = {}
    for n, name in headings.names.items():
        texts = name not in dictionary or dictionary[name].type in TEXT_TYPES
        values, found = _column([row[n] for row in body], n, name, chosen, where, texts=texts)
        problems += found
        data[name] = _series(values, texts=texts)
    return pd.DataFrame(data, index=range(len(body))), problems


# --- the file --------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path, **options: bool) -> Iterator[Any]:
    """The workbook; DataError if it is none. openpyxl's notes on styles and menus that it does not keep are no matter here."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            book = openpyxl.load_workbook(path, **options)
        except (InvalidFileException, zipfile.BadZipFile, OSError, KeyError, ValueError, TypeError, SyntaxError) as error:
            raise unreadable(path, "an Excel workbook") from error
        try:
            yield book
        finally:
            book.close()


def _sheets(path: Path) -> list[_Sheet]:
    with _opened(path, read_only=True, data_only=True) as book:
        try:
            return [_Sheet(sheet.title, _rows(sheet)) for sheet in book.worksheets]
        except (KeyError, ValueError, TypeError, SyntaxError, zipfile.BadZipFile) as error:
            raise unreadable(path, "an Excel workbook") from error


def _rows(sheet: Any) -> Rows:
    """Rows of equal length without the empty ones at the end; empty texts are empty cells, as in a csv file."""
    sheet.reset_dimensions()  # some programs write wrong ones
    rows = [[None if value == "" else value for value in row] for row in sheet.iter_rows(values_only=True)]
    while rows and all(value is None for value in rows[-1]):
        rows.pop()
    width = max(map(len, rows), default=0)
    return [row + [None] * (width - len(row)) for row in rows]


def _choose(path: Path, sheets: Sequence[_Sheet], dictionary: Dictionary, name: str) -> _Sheet:
    names = ", ".join(sheet.name for sheet in sheets)
    if name:
        named = [sheet for sheet in sheets if sheet.name == name]
        if not named:
            raise DataError(Problem(what=f"There is no sheet {name!r}.", where=path.name, remedy=f"one of: {names}"))
        return named[0]
    required = {column.name for column in dictionary.columns.values() if column.required}
    panels = [sheet for sheet in sheets if required <= _named(sheet, dictionary)]
    if len(panels) > 1:
        found = ", ".join(sheet.name for sheet in panels)
        what = f"{len(panels)} sheets hold a panel: {found}."
        raise DataError(Problem(what=what, where=path.name, remedy="name one: --set sheet=NAME, or sheet= in read_panel"))
    return next(iter([*panels, *(sheet for sheet in sheets if sheet.rows)]), _Sheet(sheets[0].name if sheets else "", []))


def _named(sheet: _Sheet, dictionary: Dictionary) -> set[str]:
    header = [_text(cell) for cell in sheet.rows[0]] if sheet.rows else []
    return set(read_headings(header, [False] * len(header), dictionary, "").names.values())


def _look_closer(path: Path, sheet: _Sheet) -> None:
    """Find merged cells and formulas without a value: slow, and only done where some sheet has any."""
    with zipfile.ZipFile(path) as archive:
        parts = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")]
    if any(_MERGED.search(part) for part in parts):
        with _opened(path) as book:
            sheet.merged = sorted((area.bounds for area in book[sheet.name].merged_cells.ranges), key=lambda area: area[1::-1])
    if any(_FORMULA.search(part) for part in parts):
        with _opened(path, read_only=True) as book:
            lines = book[sheet.name]
            lines.reset_dimensions()
            for n, row in enumerate(lines.iter_rows()):
                for m, cell in enumerate(row):
                    if cell.data_type == "f" and not (n < len(sheet.rows) and sheet.rows[n][m] is not None):
                        sheet.unsaved.add((n, m))


# --- what is refused -------------------------------------------------------------------------------------------------


def _merged_problems(sheet: _Sheet, where: str) -> list[Problem]:
    """Merged headings and merged cells below them: all but the first of a merged area are empty."""
    problems = []
    for what, areas in (
        ("in the headings", [area for area in sheet.merged if area[1] == 1]),
        ("below the headings", [area for area in sheet.merged if area[1] > 1]),
    ):
        if areas:
            shown = ", ".join(f"{letter(a - 1)}{b}:{letter(c - 1)}{d}" for a, b, c, d in areas[:3])
            remedy = "unmerge them and write every cell out"
            count = f"{len(areas)} area{'s' * (len(areas) > 1)} of merged cells"
            problems.append(Problem(what=f"{count} {what}.", where=where, first=shown, remedy=remedy))
    return problems


def _is_text(value: object) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value not in MISSING and value not in _ERRORS)


_REFUSED: Final[tuple[tuple[str, Callable[[object], bool], str, bool], ...]] = (
    (
        "hold an error",
        lambda value: isinstance(value, str) and value in _ERRORS,
        "correct the formula, or leave the cell empty",
        True,
    ),
    ("hold a date or a time", lambda value: isinstance(value, _DATES), "write a plain number (a year: 2021), format General", True),
    ("hold a text instead of a number", _is_text, "write numbers as numbers, without units or separators; empty if missing", False),
)
"""What cells hold, how it is told, what to do, and whether it is refused in columns of texts as well."""


def _column(
    values: list[Any], position: int, name: str, sheet: _Sheet, where: str, *, texts: bool
) -> tuple[list[Any], list[Problem]]:
    """The values without those that are refused, and the refusals: how many cells, and where the first one is."""
    problems = []
    unsaved = [n for n in range(len(values)) if (n + 1, position) in sheet.unsaved]
    remedy = "open the file in Excel and save it, or replace formulas by their values"
    found = [("hold a formula without a stored value", unsaved, remedy)]
    for what, test, remedy, always in _REFUSED:
        if always or not texts:
            found.append((what, [n for n, value in enumerate(values) if test(value)], remedy))
    for what, rows, remedy in found:
        if rows:
            cells = f"{len(rows)} cell{'s' * (len(rows) > 1)}"
            told = what if len(rows) > 1 else what.replace("hold", "holds", 1)
            first = f"cell {letter(position)}{rows[0] + 2}"
            problems.append(Problem(what=f"{cells} of {name} {told}.", where=where, first=first, remedy=remedy))
            for n in rows:
                values[n] = None
    return values, problems


def _series(values: list[Any], *, texts: bool) -> Any:
    """Numbers as numbers; identifiers and categories as they are, so that long whole numbers keep every digit."""
    import pandas as pd

    if not texts:
        return pd.Series([None if value in MISSING else value for value in values], dtype="float64")
    whole = [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]
    mixed = any(isinstance(value, str) for value in whole) or any(value is None for value in whole)
    return pd.Series(whole, dtype=object) if mixed else pd.Series(whole)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
