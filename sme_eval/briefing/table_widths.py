"""How wide the columns of a printed table are."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from .document import Runs, Table, plain
from .html_writer import is_words

LINE: Final = 104
"""Latin characters of a table's line."""
PADDING, NARROWEST, NUMBERS, WIDEST = 2, 5, 23, 70
"""In Latin characters: room between columns, the narrowest column, the widest with numbers, and where a share stops growing."""


def shares(table: Table[Runs]) -> list[float]:
    """Each column's share of the width: as wide as its longest cell, or the longest word of its name.

    Where that is more than a line, columns of numbers keep their width, and those of words share the rest and are wrapped.
    """
    widths = []
    for n, name in enumerate(table.columns):
        cells = [characters(plain(row[n])) for row in table.rows]
        widths.append(PADDING + max(NARROWEST, *cells, *map(characters, plain(name).split())))
    wordy = sum(min(width, WIDEST) for width in widths if width > NUMBERS)
    rest = max(LINE - sum(width for width in widths if width <= NUMBERS), NUMBERS)
    if sum(widths) <= LINE or not wordy:
        return [float(width) for width in widths]
    return [round(rest * min(width, WIDEST) / wordy, 2) if width > NUMBERS else float(width) for width in widths]


def word_widths(table: Table[Runs], line: float) -> list[float]:
    """Widths of columns that together are `line`, all in Latin characters; no number is broken where there is room for all.

    Each column has what it cannot do without, and a part of the rest by how much more it would take.
    """
    least, most = least_widths(table), []
    for n, name in enumerate(table.columns):
        texts = [plain(row[n]) for row in table.rows]
        # The name of a column of numbers may take two lines where words need the room.
        head = characters(plain(name)) / (1 if _wordy(table, n) else 2)
        most.append(min(PADDING + max(NARROWEST, head, *map(characters, texts)), WIDEST))
    wishes = [max(more - less, 0.0) for less, more in zip(least, most, strict=True)]
    rest = line - sum(least)
    if rest < 0:
        return [line * width / sum(least) for width in least]
    if sum(wishes) <= rest:
        full = [less + wish for less, wish in zip(least, wishes, strict=True)]
        return [line * width / sum(full) for width in full]
    return [less + rest * wish / sum(wishes) for less, wish in zip(least, wishes, strict=True)]


def least_widths(table: Table[Runs]) -> list[float]:
    """What each column needs so that no number and no word is broken, in Latin characters."""
    widths: list[float] = []
    for n, name in enumerate(table.columns):
        aside = n == 0 or table.layout == "words"
        needs = [_unbroken(plain(row[n])) if aside or is_words(row[n]) else characters(plain(row[n])) for row in table.rows]
        widths.append(PADDING + max(NARROWEST, _unbroken(plain(name)), *needs))
    return widths


def _wordy(table: Table[Runs], column: int) -> bool:
    return column == 0 or table.layout == "words" or any(is_words(row[column]) for row in table.rows)


WHOLE: Final = 8
"""So many Latin characters of Chinese words stay together in a cell: four Chinese ones."""


def _unbroken(text: str) -> int:
    """Width of the longest part that should not be broken."""
    parts = re.split(r"[\s/]+|(?<=[-—–])", text)
    return max(min(characters(part), WHOLE) if characters(part) > len(part) else characters(part) for part in parts)


def characters(text: str) -> int:
    """Width of a text in Latin characters; a Chinese one is twice as wide."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
