"""How the table of a check is printed: the name of a column gives its format and its header, the key of a row its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sme_eval.briefing.document import Phrase, Say, Value
from sme_eval.briefing.pointers import pointer
from sme_eval.evaluation.record_checks import CellValue, CheckRecord, CheckRowRecord
from sme_eval.results.unavailable import Unavailable

COEFFICIENTS: Final = ("estimate", "std_error", "conf_low", "conf_high", "before", "after", "bound", "truth", "shift")
P_VALUES: Final = ("p_value", "p_interaction", "p_adjusted", "q_value")
EXACT: Final[Mapping[str, str]] = {
    **dict.fromkeys(COEFFICIENTS, "coefficient"),
    **dict.fromkeys(P_VALUES, "p_value"),
    **dict.fromkeys(("effective_n", "count"), "count"),
    **dict.fromkeys(("year", "cohort"), "year"),
    "statistic": "statistic",
    "event_time": "event_time",
}
"""Column → format."""
BEGINNING: Final[Mapping[str, str]] = {"share": "share", "n_": "count", "percent": "percent", "p_": "p_value"}
"""How columns begin → format, for those that are not named above."""
LOW, HIGH, INTERVAL = "conf_low", "conf_high", "interval"
"""The two ends of an interval are printed as one column."""


def column_format(name: str) -> str:
    """The format of a column of numbers; numbers of unknown meaning are printed as coefficients."""
    begins = next((form for start, form in BEGINNING.items() if name.startswith(start)), "coefficient")
    return EXACT.get(name, begins)


def shown_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns as printed: an interval instead of its lower end, and no upper end."""
    both = LOW in columns and HIGH in columns
    return tuple(INTERVAL if both and name == LOW else name for name in columns if not (both and name == HIGH))


def column_header(where: str, columns: tuple[str, ...], name: str) -> Phrase:
    """The word of a column; one that has none is printed as it stands. `where` points to the table."""
    if name == INTERVAL:
        return (Say("checks.interval"),)
    at = where + pointer("columns", columns.index(name))
    return (Say(f"column.{name}", at=at, otherwise=("checks.as_it_stands",)),)


def cell(where: str, row: CheckRowRecord, name: str) -> Phrase:
    """One cell; `where` points to the row."""
    inside = where + pointer("values")
    if name == INTERVAL:
        return interval_cell(inside, row)
    value, at = row.values[name], inside + pointer(name)
    if isinstance(value, bool):
        return (Say("cell.yes_no", at=at),)
    if isinstance(value, str) and value:
        return (Say(f"word.{name}.{value}", at=at, otherwise=("checks.as_it_stands",)),)
    return (Value(at, column_format(name)),)


def interval_cell(inside: str, row: CheckRowRecord) -> Phrase:
    """Both ends in brackets, or one dash; `inside` points to the values of the row."""
    if _missing(row.values[LOW]) and _missing(row.values[HIGH]):
        return (Value(inside + pointer(LOW), "coefficient"),)
    return (Say("cell.interval", at=inside),)


def _missing(value: CellValue) -> bool:
    return value is None or isinstance(value, Unavailable)


def check_name(where: str, check: CheckRecord) -> Phrase:
    """The check in words."""
    return (Say(f"check.{check.name}", at=where, otherwise=("check.other",)),)


def row_name(where: str, check: CheckRecord, row: CheckRowRecord) -> Phrase:
    """A row by its label, else by the word of its key, else by the key; `where` points to the row."""
    if row.label is not None:
        return (Say("checks.row_label", at=where),)
    common = f"checks.row_{row.key}"
    return (Say(f"row.{check.name}.{row.key}", at=where, otherwise=(common, "checks.row_key")),)
