"""How wide the columns of a printed table are."""

from __future__ import annotations

import unicodedata
from typing import Final

from .document import Runs, Table, plain

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


def characters(text: str) -> int:
    """Width of a text in Latin characters; a Chinese one is twice as wide."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
