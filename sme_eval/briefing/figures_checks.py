"""Frames and words of the drawings of checks: one generic drawing for each kind of table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final

from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_checks import CellValue, CheckRecord, CheckRowRecord, CheckTableRecord
from sme_eval.results.check_plots import draw_curve, draw_histogram, draw_intervals, draw_pairs, draw_sensitivity
from sme_eval.results.unavailable import Unavailable

from .document import Say, plain
from .pointers import pointer
from .sections.check_cells import column_header, row_name
from .speaker import Speaker

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_NAMED: Final = 30
"""Rows whose names have room beside their intervals; more are drawn as a curve, and named in the table only."""
ORIGINALS: Final = ("original", "headline")
"""Keys of the row that the others are held against."""
WRAP: Final = {"zh": 20, "en": 36}
"""Characters of a name's line, by language."""
FEW: Final = 4
"""Rows up to which a name of three lines has room."""
CROWDED: Final = 12
"""Rows from which on names are set smaller and their lines are half as long again, so that none has three."""
SMALL: Final = 7.5
NUMBERS: Final = ("estimate", "conf_low", "conf_high", "before", "after", "bound", "truth", "low", "high", "count")


def drawn_checks(evaluation: Evaluation) -> list[tuple[int, CheckRecord, CheckTableRecord]]:
    """Checks that have a figure, with their places."""
    found = ((n, check, check.table) for n, check in enumerate(evaluation.checks) if check.figure in DRAWINGS)
    return [(n, check, table) for n, check, table in found if table is not None]


def height_of_check(check: CheckRecord, table: CheckTableRecord) -> float:
    """Inches: by the row where each has a name."""
    named = check.figure in ("intervals", "balance", "pairs") and len(table.rows) <= MOST_NAMED
    row = 0.4 if len(table.rows) <= FEW else 0.26
    return 1.1 + row * max(2, len(table.rows)) if named else 2.9


def check_axes(axes: Axes, evaluation: Evaluation, place: int, speaker: Speaker) -> None:
    """The drawing of the check at `place`."""
    check = evaluation.checks[place]
    if check.table is None or check.figure is None:
        raise AssertionError("drawn only where there is a table and a figure")
    frame = _frame(check, check.table, pointer("checks", place), speaker)
    DRAWINGS[check.figure](axes, frame, check, _Words(speaker, pointer("checks", place), check.table.columns))


class _Words:
    """The words of one drawing."""

    def __init__(self, speaker: Speaker, where: str, columns: tuple[str, ...]) -> None:
        self.speaker, self.where, self.columns = speaker, where, columns

    def __call__(self, key: str) -> str:
        return plain(self.speaker.runs((Say(key),)))

    def column(self, name: str) -> str:
        """The header of a column."""
        return plain(self.speaker.runs(column_header(self.where + pointer("table"), self.columns, name)))

    def effect(self) -> str:
        """What an axis of effects shows."""
        return plain(self.speaker.runs((Say("forest.x_label", at=pointer("outcome")),)))


def _frame(check: CheckRecord, table: CheckTableRecord, where: str, speaker: Speaker) -> pd.DataFrame:
    """One row per row of the table, the original first; what is missing or withheld is NaN."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    width = WRAP[speaker.wording.language] * (3 if len(table.rows) > CROWDED else 2) // 2
    for n, row in enumerate(table.rows):
        name = plain(speaker.runs(row_name(where + pointer("table", "rows", n), check, row)))
        numbers: dict[str, Any] = {name: _number(_of(row, name)) for name in NUMBERS if name in table.columns}
        original = row.key in ORIGINALS
        rows.append({"term": fill(name, width), "is_headline": original, **numbers})
    rows.sort(key=lambda row: not row["is_headline"])
    return pd.DataFrame(rows)


def _of(row: CheckRowRecord, column: str) -> CellValue:
    return row.values.get(column)  # noqa: PD011  no frame


def _number(value: CellValue) -> float:
    return math.nan if value is None or isinstance(value, Unavailable | str) else float(value)


def _intervals(axes: Axes, frame: pd.DataFrame, check: CheckRecord, words: _Words) -> None:
    legend = (words("checks.figure_headline"), words("event_study.truth"))
    if len(frame) <= MOST_NAMED:
        draw_intervals(frame, axes=axes, x_label=words.effect(), legend=legend)
        if len(frame) > CROWDED:
            axes.tick_params(axis="y", labelsize=SMALL)
        return
    draw_curve(frame, axes=axes, x_label=words("checks.figure_rank"), legend=legend)
    axes.set_title(words.effect(), loc="left")


def _sensitivity(axes: Axes, frame: pd.DataFrame, check: CheckRecord, words: _Words) -> None:
    frame = frame.assign(is_original=frame["is_headline"])
    bounded, original, turned = (words(f"checks.figure_{name}") for name in ("bounded", "original", "breakdown"))
    labels = (words.column("bound"), bounded, original, turned)
    draw_sensitivity(frame, axes=axes, breakdown=_number(check.numbers.get("breakdown")), labels=labels)
    axes.set_title(words.effect(), loc="left")


def _balance(axes: Axes, frame: pd.DataFrame, check: CheckRecord, words: _Words) -> None:
    labels = (words.column("before"), words.column("after"), words("checks.figure_balanced"))
    draw_pairs(frame, axes=axes, x_label=words("checks.figure_difference"), labels=labels)


def _pairs(axes: Axes, frame: pd.DataFrame, check: CheckRecord, words: _Words) -> None:
    draw_pairs(frame, axes=axes, x_label=words.effect(), labels=(words.column("before"), words.column("after"), ""))


def _histogram(axes: Axes, frame: pd.DataFrame, check: CheckRecord, words: _Words) -> None:
    labels = (words.effect(), words.column("count"), words("checks.figure_headline"))
    draw_histogram(frame, axes=axes, estimate=_number(check.numbers.get("estimate")), labels=labels)


DRAWINGS: Final[Mapping[str, Callable[[Axes, pd.DataFrame, CheckRecord, _Words], None]]] = {
    "intervals": _intervals,
    "sensitivity": _sensitivity,
    "balance": _balance,
    "pairs": _pairs,
    "histogram": _histogram,
}
