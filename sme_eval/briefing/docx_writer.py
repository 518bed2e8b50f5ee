"""A document as a Word file for offices that edit in Word: real headings, tables and captions, the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sme_eval.results.word_parts import border, element, keep_row_whole, properties, repeat_as_heading

from .document import Block, Callout, Document, Figure, Heading, Items, Paragraph, Reference, Runs, Table, Text, plain
from .docx_look import A4, Look, look_of
from .docx_package import describe, packed_bytes, put_in_place
from .docx_styles import (
    ACCENT,
    ALARM,
    BULLETS,
    BULLETS_INSIDE,
    CROWDED_SIZE,
    NUMBERS,
    NUMBERS_INSIDE,
    PALE,
    TABLE_STYLE,
    TWIPS,
    WARNING,
    list_number,
    lists,
    settings,
    styles,
)
from .html_writer import is_words
from .table_widths import characters, least_widths, word_widths

STYLES: Final = {"body": "BodyText", "claim": "Claim", "question": "Question", "label": "SmallPrint", "note": "SmallPrint"}
SHORT_TABLE: Final = 16
"""A table of so many rows is not divided between pages."""
BOX_INDENT: Final = 200
CAPTION_SPACE: Final = 60
"""Points kept free below a drawing that fills the page."""
LETTER: Final = 0.5
"""Width of a digit, in its size."""
CROWDED: Final = 0.85
"""A table whose numbers alone fill more of the line than this is printed smaller."""
EMU: Final = 12700
"""Per point."""


def write_docx(document: Document, figures: Mapping[str, bytes]) -> bytes:
    """The document as a Word file; `figures` are PNG bytes by name."""
    import docx

    file = docx.Document()
    look = look_of(document.form, document.language)
    writer = _Writer(document, figures, look, file.part)
    content = [writer.paragraph("Title", [writer.words(document.title)])]
    annex = [block for block in document.blocks if isinstance(block, Table) and block.annex is not None]
    for block in document.blocks:
        if not (isinstance(block, Table) and block.annex is not None):
            content += writer.block(block)
    content.append(writer.paragraph("SmallPrint", [writer.said(document.labels["footer"])], element("w:spacing", before=240)))
    if annex:
        title = writer.said(document.labels["annex"])
        content.append(writer.paragraph("Heading1", [title], element("w:pageBreakBefore")))
        content.append(writer.paragraph("SmallPrint", [writer.said(document.labels["annex_lead"])]))
        for table in annex:
            content += writer.block(table)
    section = file.element.body.sectPr
    for one in content:
        section.addprevious(one)
    _set_page(file, document, look, writer)
    put_in_place(file.part._styles_part.element, styles(document, look))
    put_in_place(file.part.numbering_part.element, lists(writer.ordered))
    put_in_place(file.settings.element, settings(look))
    describe(file, document)
    return packed_bytes(file)


class _Writer:
    """Blocks as elements of the body; counts what is numbered."""

    def __init__(self, document: Document, figures: Mapping[str, bytes], look: Look, part: Any) -> None:
        self.document, self.figures, self.look, self.part = document, figures, look, part
        self.chinese = document.language == "zh"
        self.ordered = 0
        self.captions = {"table": 0, "figure": 0}
        self.bookmarks = 0

    def block(self, block: Block[Runs], frame: tuple[Any, ...] = ()) -> list[Any]:
        """One block; `frame` are the properties of a box around it."""
        match block:
            case Heading():
                level = min(max(block.level - 1, 1), 2)
                return [self.paragraph(f"Heading{level}", self.anchored(block.anchor, block.content), *frame)]
            case Paragraph():
                return [self.paragraph(STYLES[block.role], [self.words(block.content)], *frame)]
            case Items():
                return self.items(block, frame)
            case Figure():
                return self.figure(block)
            case Table():
                return self.table(block)
            case Callout():
                return self.callout(block)

    def paragraph(self, style: str, content: Iterable[Any], *extra: Any) -> Any:
        """A paragraph; `content` are elements or lists of them."""
        made = element("w:p", properties("w:pPr", element("w:pStyle", val=style), *extra))
        for part in content:
            made.extend(part if isinstance(part, list) else [part])
        return made

    def said(self, text: str) -> list[Any]:
        """Words of the frame around the blocks."""
        return self.words((Text(text),))

    def words(self, content: Runs) -> list[Any]:
        """Runs; neighbours that look alike are one.

        Quotation marks and dashes of Chinese words are Chinese ones; the minus sign of a number is not.
        """
        merged: list[tuple[str, bool]] = []
        for run in content:
            hint = self.chinese and (not isinstance(run, Reference) or characters(run.text) > len(run.text))
            if merged and merged[-1][1] == hint:
                merged[-1] = (merged[-1][0] + run.text, hint)
            elif run.text:
                merged.append((run.text, hint))
        return [self.run(text, hint) for text, hint in merged]

    def run(self, text: str, hint: bool = False) -> Any:
        """One run of text."""
        made = element("w:r", *([element("w:rPr", element("w:rFonts", hint="eastAsia"))] if hint else []))
        words = element("w:t")
        words.text = text
        words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        made.append(words)
        return made

    def field(self, instruction: str, cached: str) -> list[Any]:
        """A field of Word and what it said last."""
        code = element("w:instrText")
        code.text = f" {instruction} "
        code.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        begin, separate, end = (element("w:r", element("w:fldChar", fldCharType=kind)) for kind in ("begin", "separate", "end"))
        return [begin, element("w:r", code), separate, self.run(cached), end]

    def anchored(self, anchor: str, content: Runs) -> list[Any]:
        """Words under a bookmark, for those who link to a section."""
        if not anchor:
            return self.words(content)
        self.bookmarks += 1
        start = element("w:bookmarkStart", id=self.bookmarks, name=anchor.replace("-", "_")[:40])
        return [start, *self.words(content), element("w:bookmarkEnd", id=self.bookmarks)]

    def caption(self, kind: str, content: Runs, *extra: Any) -> Any:
        """A numbered caption; tables and figures are counted apart, under the names that Word lists them by."""
        self.captions[kind] += 1
        labels = self.document.labels
        label = labels[f"caption_{kind}"]
        number = self.field(f"SEQ {label} \\* ARABIC", str(self.captions[kind]))
        before, after = self.said(f"{label} "), self.said(labels["caption_end"])
        return self.paragraph("Caption", [before, number, after, self.words(content)], *extra)

    def items(self, block: Items[Runs], frame: tuple[Any, ...]) -> list[Any]:
        """A list of Word's own."""
        inside = bool(frame) or self.look.official
        if block.ordered:
            number = list_number(self.ordered, NUMBERS_INSIDE if inside else NUMBERS)
            self.ordered += 1
        else:
            number = 1 + (BULLETS_INSIDE if inside else BULLETS)
        numbered = element("w:numPr", element("w:ilvl", val=0), element("w:numId", val=number))
        if self.look.official and not block.ordered:
            return [self.paragraph("BodyText", [self.words(item)], *frame) for item in block.items]
        style = "ListNumber" if block.ordered else "ListBullet"
        if self.look.official and self.chinese:
            # Said again, because a list would take the indent of the style away.
            frame = (element("w:ind", firstLineChars=200, firstLine=round(2 * self.look.body * TWIPS)), *frame)
        return [self.paragraph(style, [self.words(item)], *frame, numbered) for item in block.items]

    def figure(self, block: Figure[Runs]) -> list[Any]:
        """A picture as wide as the text, unless it were higher than the page, with its caption below."""
        from docx.image.image import Image

        png = self.figures[block.name]
        image = Image.from_blob(png)
        caption = self.caption("figure", block.caption, element("w:spacing", before=40, after=200))
        width = min(self.look.width, (self.look.height - CAPTION_SPACE) * image.px_width / image.px_height)
        inline = self.part.new_pic_inline(io.BytesIO(png), width=round(width * EMU))
        for side in ("distT", "distB", "distL", "distR"):  # without them some programs move the picture out of the text
            inline.set(side, "0")
        inline.docPr.set("id", str(self.captions["figure"]))
        inline.docPr.set("name", f"{self.document.labels['caption_figure']} {self.captions['figure']}")
        inline.docPr.set("descr", plain(block.alternative))
        drawing = element("w:drawing")
        drawing.append(inline)
        return [self.paragraph("Drawing", [element("w:r", drawing)]), caption]

    def table(self, block: Table[Runs]) -> list[Any]:
        """Caption, table with its heading on every page, notes."""
        crowded = sum(least_widths(block)) * self.look.table * LETTER > CROWDED * self.look.width
        letter = (min(CROWDED_SIZE, self.look.table) if crowded else self.look.table) * LETTER
        widths = [round(part * letter * TWIPS) for part in word_widths(block, self.look.width / letter)]
        grid = element("w:tblGrid", *(element("w:gridCol", w=width) for width in widths))
        made = element(
            "w:tbl",
            element(
                "w:tblPr",
                element("w:tblStyle", val=TABLE_STYLE),
                element("w:tblW", w=sum(widths), type="dxa"),
                element("w:jc", val="center"),
                element("w:tblLayout", type="fixed"),
                element("w:tblLook", val="0420", firstRow=1, lastRow=0, firstColumn=0, lastColumn=0, noHBand=0, noVBand=1),
                element("w:tblCaption", val=plain(block.caption)),
            ),
            grid,
        )
        style = "TableSmall" if crowded else "TableText"
        together = len(block.rows) <= SHORT_TABLE
        lines = [block.columns, *block.rows]
        for place, line in enumerate(lines):
            last = place == len(lines) - 1
            # A heading stays with two rows, and the last rows with the notes; a short table is not divided at all.
            bound = bool(block.notes) if last else together or place < 2 or place == len(lines) - 2
            made.append(self.row(block, line, widths, style, head=place == 0, bound=bound))
        notes = [
            self.paragraph("TableNote", [self.words(note)], *([element("w:keepNext")] if note is not block.notes[-1] else []))
            for note in block.notes
        ]
        # Without a paragraph between them two tables would become one, and text would stick to the rule.
        return [self.caption("table", block.caption, element("w:keepNext")), made, *notes, self.gap()]

    def gap(self) -> Any:
        """An empty line of few points."""
        return self.paragraph("TableNote", [], element("w:spacing", before=0, after=0, line=160, lineRule="exact"))

    def row(self, table: Table[Runs], line: tuple[Runs, ...], widths: list[int], style: str, *, head: bool, bound: bool) -> Any:
        """A row that no page divides; `bound` keeps it on the page of the next one."""
        made = element("w:tr")
        keep_row_whole(made)
        wordy = [2 * sum(is_words(row[column]) for row in table.rows) > len(table.rows) for column in range(len(line))]
        if head:
            repeat_as_heading(made)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True)):
            left = column == 0 or table.layout == "words" or (wordy[column] if head else is_words(cell))
            extra = [element("w:jc", val="left" if left else "right"), *([element("w:keepNext")] if bound else [])]
            place = [element("w:tcW", w=width, type="dxa"), *([element("w:vAlign", val="bottom")] if head else [])]
            text = self.paragraph(style, [self.words(cell)], *extra)
            made.append(element("w:tc", element("w:tcPr", *place), text))
        return made

    def callout(self, block: Callout[Runs]) -> list[Any]:
        """A box of paragraphs with one border: Word lists the headings inside it, which it does not for those of a table."""
        alarm = block.role == "simulated"
        frame = (*self.box(alarm), element("w:keepLines")) if alarm else self.box(alarm)
        keep = element("w:keepNext")
        if alarm:
            colour = (element("w:color", val=WARNING),)
            title = self.paragraph("BoxTitle", [self.coloured(self.words(block.title), colour)], *frame, keep)
        else:
            title = self.paragraph("Heading1", self.anchored(block.role, block.title), *frame, keep)
        inner: list[Any] = []
        for one in block.blocks:
            if alarm and isinstance(one, Paragraph):
                inner.append(self.paragraph("BoxText", [self.words(one.content)], *frame))
            else:
                inner += self.block(one, frame)
        # What follows would touch the border.
        return [title, *inner, self.gap()]

    def coloured(self, runs: list[Any], colour: tuple[Any, ...]) -> list[Any]:
        """Runs in a colour."""
        for run in runs:
            known = run.rPr if run.rPr is not None else element("w:rPr")
            if run.rPr is not None:
                run.remove(known)
            run.insert(0, properties("w:rPr", *known, *colour))
        return runs

    def box(self, alarm: bool) -> tuple[Any, ...]:
        """The border, the ground and the indents that every paragraph of a box has."""
        ground = "FFFFFF" if alarm and self.look.official else ALARM if alarm else PALE
        # A border in the colour of the ground makes room around the words.
        colours = dict.fromkeys(("top", "left", "bottom", "right"), WARNING if alarm else PALE)
        sizes = dict.fromkeys(colours, 10 if alarm else 4)
        if not alarm:
            colours["left"], sizes["left"] = ACCENT, 24
        return (
            element("w:pBdr", *(border(side, sizes[side], colours[side], 8) for side in colours)),
            element("w:shd", val="clear", color="auto", fill=ground),
            element("w:ind", left=BOX_INDENT, right=BOX_INDENT, firstLineChars=0, firstLine=0),
        )


def _set_page(file: Any, document: Document, look: Look, writer: _Writer) -> None:
    """Paper and margins; the kind of data at the head of every page, its number at the foot."""
    from docx.shared import Mm

    section = file.sections[0]
    section.page_width, section.page_height = Mm(A4[0]), Mm(A4[1])
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = map(Mm, look.margins)
    section.header_distance, section.footer_distance = map(Mm, look.edges)
    even = [(section.even_page_header, section.even_page_footer, "left")] if look.official else []
    for head, foot, side in [(section.header, section.footer, "right"), *even]:
        head.is_linked_to_previous = foot.is_linked_to_previous = False
        running, subject = document.labels["running"], document.labels["subject"]
        one_line = (characters(running) + characters(subject) + 4) * look.header / 2 < look.width
        lines = [[writer.said(running), element("w:r", element("w:tab")), writer.said(subject)]]
        if not one_line:
            lines = [[writer.said(running)], [writer.said(subject)]]
        put_in_place(head._element, [writer.paragraph("Header", line) for line in lines])
        outside = [element("w:jc", val=side), element("w:ind", left=280, right=280)] if look.official else []
        number = [writer.run("— "), writer.field("PAGE", "1"), writer.run(" —")]
        put_in_place(foot._element, [writer.paragraph("Footer", number, *outside)])
