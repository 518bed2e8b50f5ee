"""The one typeface of figures, PDF and (behind the reader's own) web pages: Noto Sans SC Regular.

The `zhplot` wheel carries it (OFL). There is no bold.
"""

from __future__ import annotations

import base64
import io
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Final

from sme_eval.errors import DataError, Problem

FAMILY: Final = "Noto Sans SC"
WEB_FAMILY: Final = "Briefing SC"
"""The name under which pages carry the glyphs they need."""
_FILE: Final = "NotoSansSC-Regular.ttf"
MARKS_FAMILY: Final = "Briefing Marks"
_LAST_ASCII: Final = 127
_FIRST_CHINESE: Final = 0x2E80


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


def web_font(text: str) -> str:
    """Font faces for a page: the glyphs of the characters of `text` beyond ASCII, inside the address; empty if there are none.

    Chinese characters and other marks are two families, so that an English page takes its quotation marks from a Latin font.
    """
    needed = sorted({ord(character) for character in set(text) if ord(character) > _LAST_ASCII} & covered())
    families = {
        WEB_FAMILY: [code for code in needed if code >= _FIRST_CHINESE],
        MARKS_FAMILY: [code for code in needed if code < _FIRST_CHINESE],
    }
    return "\n".join(_face(family, tuple(codes)) for family, codes in families.items() if codes)


def _face(family: str, code_points: tuple[int, ...]) -> str:
    data = base64.b64encode(_subset(code_points)).decode("ascii")
    return f'@font-face {{ font-family: "{family}"; src: url(data:font/woff;base64,{data}) format("woff"); }}'


def _subset(code_points: tuple[int, ...]) -> bytes:
    """The bytes are the same whatever font with these characters they are cut from."""
    if not set(code_points) <= _usual():
        return _cut(font_path(), code_points, "woff")
    return _cut(io.BytesIO(_POOL.font_with(frozenset(code_points))), code_points, "woff")


class _Pool:
    """A font with all characters that pages of this process have needed: the next page hardly needs others."""

    def __init__(self) -> None:
        self._held: frozenset[int] = frozenset()
        self._font = b""

    def font_with(self, code_points: frozenset[int]) -> bytes:
        """A font that holds at least these characters of the usual ones."""
        if not code_points <= self._held:
            self._held |= code_points
            self._font = _cut(io.BytesIO(_usual_font()), tuple(sorted(self._held)), None)
        return self._font


_POOL: Final = _Pool()


@cache
def _usual() -> frozenset[int]:
    """The characters of GB 2312 that the font has: almost every page needs no other."""
    return frozenset(code for code in covered() if _is_usual(chr(code)))


def _is_usual(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


@cache
def _usual_font() -> bytes:
    """The font with these characters alone: pages are cut from it five times as fast, and to the same bytes, as from the whole."""
    return _cut(font_path(), tuple(sorted(_usual())), None)


def _cut(source: Path | io.BytesIO, code_points: tuple[int, ...], flavour: str | None) -> bytes:
    from fontTools import subset

    options = subset.Options(flavor=flavour, layout_features=[], hinting=False, notdef_outline=True, recalc_timestamp=False)
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "STAT", "vhea", "vmtx"]
    with subset.load_font(source, options) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=code_points)
        cutter.subset(font)
        buffer = io.BytesIO()
        subset.save_font(font, buffer, options)
    return buffer.getvalue()
