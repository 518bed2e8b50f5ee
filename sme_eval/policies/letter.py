"""The published reply as text: read without personal data, and brought to one form in which facts have a position."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .fact_files import fact_file
from .traps import spring

LETTER: Final = "letter.zh.txt"
_PAGE_MARK: Final = re.compile(r"[—–]\s*\d+\s*[—–]")
# A mobile number, a landline with or without its area code, or the line that names whom to call.
_PERSONAL: Final = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)(?:0\d{2,3}-?)?\d{7,8}(?!\d)|联系人|联系电话|电话[:：]")
_CHINESE: Final = {
    "一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
}  # fmt: skip
_SCALES: Final = {"万": 10_000.0, "亿": 100_000_000.0}


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as published (`text`) and in the form that offsets count in (`normalised`)."""

    text: str
    normalised: str


def normalise(text: str) -> str:
    r"""Full-width digits and signs made half-width (NFKC); page marks and all whitespace left out.

    Examples
    --------
    >>> normalise("比重 3.１％，\n— 4 —\n入选")
    '比重3.1%,入选'
    """
    return "".join(_PAGE_MARK.sub("", unicodedata.normalize("NFKC", text)).split())


def read_letter(text: str) -> Letter:
    """A letter from its text.

    Raises
    ------
    TrapError
        T26: a line holds a telephone number or names a contact. The line is told by number, never by its words.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if _PERSONAL.search("".join(unicodedata.normalize("NFKC", line).split())):
            spring("T26", f"line {number} of the letter")
    return Letter(text, normalise(text))


def load_letter(folder: str | Path | None = None) -> Letter:
    """The letter that the facts are taken from."""
    return read_letter(fact_file(LETTER, folder).read_text(encoding="utf-8"))


def numeral_value(numeral: str) -> float | None:
    """The number that characters of the normalised letter stand for; None if they are no number.

    Examples
    --------
    >>> numeral_value("1.2万"), numeral_value("四"), numeral_value("1:1"), numeral_value("第")
    (12000.0, 4.0, 1.0, None)
    """
    if numeral in _CHINESE:
        return float(_CHINESE[numeral])
    scale = _SCALES.get(numeral[-1:], 1.0)
    digits = numeral[:-1] if scale != 1.0 else numeral
    if pair := re.fullmatch(r"(\d+):(\d+)", digits):
        return float(pair[1]) / float(pair[2]) if float(pair[2]) else None
    return float(digits) * scale if re.fullmatch(r"\d+(\.\d+)?", digits) else None
