"""Paper, sizes and Chinese fonts of a Word document, by its form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sme_eval.terms import Language

from .document import Form

SONG, HEI, FANG_SONG, KAI = "宋体", "黑体", "仿宋", "楷体"
POINTS: Final = 72 / 25.4
"""Per millimetre."""
A4: Final = (210.0, 297.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Sizes in points, margins (top, bottom, left, right) in millimetres."""

    margins: tuple[float, float, float, float]
    edges: tuple[float, float]
    body: float
    title: float
    headings: tuple[float, float]
    claim: float
    small: float
    table: float
    header: float
    fonts: tuple[str, str, str, str]
    """Chinese fonts of the body, the title and both levels of headings."""
    official: bool = False
    """Lines, indents and page numbers of an official document."""

    @property
    def width(self) -> float:
        """Of the text, in points."""
        return (A4[0] - self.margins[2] - self.margins[3]) * POINTS

    @property
    def height(self) -> float:
        """Of the text, in points."""
        return (A4[1] - self.margins[0] - self.margins[1]) * POINTS


def look_of(form: Form, language: Language) -> Look:
    """The look of a form; Latin letters of a size look smaller than Chinese ones."""
    body = 10.5 if language == "zh" else 11.0
    if form == "bureau":
        return Look(
            margins=(37, 35, 28, 26),
            edges=(21, 25),
            body=16,
            title=22,
            headings=(16, 16),
            claim=16,
            small=10.5,
            table=10.5,
            header=12,
            fonts=(FANG_SONG, SONG, HEI, KAI),
            official=True,
        )
    if form == "international":
        return Look(
            margins=(25, 22, 25, 25),
            edges=(13, 12),
            body=body - 0.5 if language == "en" else body,
            title=17,
            headings=(12, 11),
            claim=11,
            small=9,
            table=9.5,
            header=9,
            fonts=(SONG, HEI, HEI, HEI),
        )
    return Look(
        margins=(30, 28, 28, 26),
        edges=(17, 15),
        body=body,
        title=19,
        headings=(14, 12),
        claim=12,
        small=9,
        table=9.5,
        header=9,
        fonts=(SONG, HEI, HEI, HEI),
    )
