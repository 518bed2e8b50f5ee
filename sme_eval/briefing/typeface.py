"""The one typeface of figures and PDF: Noto Sans SC Regular, which the `zhplot` wheel carries (OFL). There is no bold."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Final

from sme_eval.errors import DataError, Problem

FAMILY: Final = "Noto Sans SC"
_FILE: Final = "NotoSansSC-Regular.ttf"


@cache
def font_path() -> Path:
    """Where the font file lies; the wheel is not imported, because importing it changes matplotlib's settings."""
    try:
        found = [file for file in files("zhplot") or () if file.name == _FILE]
    except PackageNotFoundError:
        found = []
    if not found:
        raise DataError(Problem(what=f"The font {_FILE} was not found.", where="package zhplot", remedy="install sme-eval again"))
    return Path(str(found[0].locate()))


@cache
def covered() -> frozenset[int]:
    """The code points for which the font has a glyph."""
    from fontTools.ttLib import TTFont

    with TTFont(font_path(), lazy=True) as font:
        return frozenset(font.getBestCmap())


def require_glyphs(text: str, where: str) -> None:
    """Refuse a text that would print empty boxes."""
    missing = sorted({character for character in text if ord(character) not in covered() and not character.isspace()})
    if missing:
        raise DataError(
            Problem(
                what=f"{len(missing)} characters have no glyph in {FAMILY}.",
                where=where,
                first=", ".join(f"U+{ord(character):04X}" for character in missing[:5]),
                remedy="replace them in the text",
            )
        )
