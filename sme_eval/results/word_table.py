"""A regression table as a Word document: a three-line table, its caption above, its notes below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .table_cells import Cell
from .table_writers import minus
from .word_parts import CHINESE_FONT, LATIN_FONT, THICK, THIN, border, element, keep_row_whole, name_fonts, repeat_as_heading

if TYPE_CHECKING:
    from .tables import RegressionTable

TEXT_SIZE, NOTE_SIZE = 10.5, 9.0
"""Points; 10.5 is the Chinese size five of body text."""
WIDE: Final = 5
"""With more models than this the page is turned."""


def write_word(table: RegressionTable, target: Path) -> Path:
    """Write `table` to `target`."""
    from docx import Document

    document = Document()
    _set_fonts(document)
    if len(table.heads) > WIDE:
        _turn_page(document.sections[0])
    document.core_properties.title = table.caption
    document.core_properties.author = document.core_properties.comments = ""
    caption = document.add_paragraph(style="Caption")
    caption.add_run(table.caption)
    caption.paragraph_format.keep_with_next = True
    _add_table(document, table)
    for number, text in enumerate(table.notes, start=1):
        _add_note(document, text, str(number))
    for text in table.remarks:
        _add_note(document, text)
    document.save(str(target))
    return target


def _set_fonts(document: Any) -> None:
    """Latin and East Asian fonts of the styles used; the template's blue bold caption becomes plain."""
    from docx.shared import Pt, RGBColor

    for name in ("Normal", "Caption"):
        style = document.styles[name]
        style.font.name, style.font.size, style.font.bold = LATIN_FONT, Pt(TEXT_SIZE), False
        style.font.color.rgb = RGBColor(0, 0, 0)
        name_fonts(style.element.rPr.rFonts, CHINESE_FONT, LATIN_FONT)
        style.paragraph_format.space_after = Pt(2)


def _turn_page(section: Any) -> None:
    from docx.enum.section import WD_ORIENT

    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width


def _add_table(document: Any, table: RegressionTable) -> None:
    from docx.enum.table import WD_TABLE_ALIGNMENT

    lines = [("", table.heads), *((row.label, row.cells) for block in table.blocks for row in block)]
    grid = document.add_table(rows=len(lines), cols=len(table.heads) + 1)
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    for number, (row, (label, cells)) in enumerate(zip(grid.rows, lines, strict=True), start=1):
        own = row.cells
        _fill(own[0], Cell(label), centred=False)
        for place, cell in zip(own[1:], cells, strict=True):
            _fill(place, cell, centred=True)
        _keep_together(row, last=number == len(lines))
    repeat_as_heading(grid.rows[0]._tr)
    ends = [0, *(sum(len(block) for block in table.blocks[: n + 1]) for n in range(len(table.blocks)))]
    _rule(grid.rows[0], "top", THICK)
    for end in ends[:-1]:
        _rule(grid.rows[end], "bottom", THIN)
    _rule(grid.rows[ends[-1]], "bottom", THICK)


def _fill(place: Any, cell: Cell, centred: bool) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = place.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if centred else WD_ALIGN_PARAGRAPH.LEFT
    paragraph.add_run(minus(cell) + cell.stars)
    if cell.marks:
        paragraph.add_run(",".join(map(str, cell.marks))).font.superscript = True


def _keep_together(row: Any, last: bool) -> None:
    """No page break inside a row, nor between rows where the table fits on a page."""
    keep_row_whole(row._tr)
    for place in row.cells:
        place.paragraphs[0].paragraph_format.keep_with_next = not last


def _rule(row: Any, side: str, size: int) -> None:
    from docx.oxml.ns import qn

    for place in row.cells:
        properties = place._tc.get_or_add_tcPr()
        borders = properties.find(qn("w:tcBorders"))
        if borders is None:
            borders = element("w:tcBorders")
            properties.append(borders)
        borders.append(border(side, size))


def _add_note(document: Any, text: str, number: str = "") -> None:
    from docx.shared import Pt

    paragraph = document.add_paragraph()
    paragraph.paragraph_format.space_after = Pt(0)
    if number:
        raised = paragraph.add_run(number)
        raised.font.superscript, raised.font.size = True, Pt(NOTE_SIZE)
    paragraph.add_run(f" {text}" if number else text).font.size = Pt(NOTE_SIZE)
