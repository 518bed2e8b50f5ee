"""What every Word document of ours is built from: elements by name, fonts for both scripts, rows that repeat or stay whole."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

LATIN_FONT: Final = "Times New Roman"
CHINESE_FONT: Final = "宋体"
THICK, THIN = 12, 6
"""Eighths of a point: the outer rules of a three-line table, and the inner one."""


def element(tag: str, *children: Any, **attributes: object) -> Any:
    """An element such as `w:spacing`, its attributes in the namespace of Word."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made: Any = OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), str(value))
    made.extend(children)
    return made


ORDER: Final = (
    *("pStyle", "keepNext", "keepLines", "pageBreakBefore", "widowControl", "numPr", "pBdr", "shd", "tabs"),
    *("rFonts", "b", "bCs", "color", "spacing", "sz", "szCs", "ind", "jc", "outlineLvl", "lang"),
)
"""The order that Word asks of what describes a paragraph (`w:pPr`) or a run (`w:rPr`)."""


def properties(tag: str, *children: Any) -> Any:
    """`w:pPr` or `w:rPr` of copies of `children`, in Word's order; the last of a name counts."""
    named = {child.tag.rpartition("}")[2]: child for child in children}
    return element(tag, *(deepcopy(named[name]) for name in sorted(named, key=ORDER.index)))


def border(side: str, size: int, colour: str = "000000", space: int = 0) -> Any:
    """One side of a border; `size` in eighths of a point."""
    return element(f"w:{side}", val="single", sz=size, space=space, color=colour)


def name_fonts(fonts: Any, chinese: str = CHINESE_FONT, latin: str = LATIN_FONT) -> Any:
    """Name the fonts of `w:rFonts` for Latin and for East Asian characters."""
    from docx.oxml.ns import qn

    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):  # a theme's font would win over the named one
        fonts.attrib.pop(qn(f"w:{name}"), None)
    for name, font in (("ascii", latin), ("hAnsi", latin), ("eastAsia", chinese), ("cs", latin)):
        fonts.set(qn(f"w:{name}"), font)
    return fonts


def keep_row_whole(row: Any) -> None:
    """No page break inside a row (`w:tr`)."""
    row.get_or_add_trPr().append(element("w:cantSplit"))


def repeat_as_heading(row: Any) -> None:
    """Print a row (`w:tr`) again on every page of its table."""
    row.get_or_add_trPr().append(element("w:tblHeader"))
