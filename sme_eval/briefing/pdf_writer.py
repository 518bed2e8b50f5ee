"""A document as PDF/UA through Typst. The template reads the document as data, so no text of it is ever read as markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from sme_eval.errors import DataError, Problem

from .document import Block, Callout, Document, Figure, Form, Heading, Items, Paragraph, Runs, Table, plain
from .html_writer import is_words, template_text
from .table_widths import shares
from .typeface import FAMILY, font_path, require_glyphs

if TYPE_CHECKING:
    import typst

STANDARD: Final = "ua-1"
LANGUAGES: Final = {"zh": ("zh", "CN"), "en": ("en", "GB")}
TEMPLATES: Final[Mapping[Form, str]] = {"full": "briefing.typ", "bureau": "bureau.typ", "international": "international.typ"}
FRAME: Final = ("running", "subject", "footer", "annex", "annex_lead")


def write_pdf(document: Document, figures: Mapping[str, bytes]) -> bytes:
    """The document as PDF. A warning of the compiler, a missing font or glyph is a DataError."""
    content = plain_document(document)
    require_glyphs("".join(texts(content)), f"{document.slug}.{document.language}.pdf")
    with TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "document.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        (folder / "main.typ").write_text(template_text(TEMPLATES[document.form]), encoding="utf-8")
        (folder / "parts.typ").write_text(template_text("parts.typ"), encoding="utf-8")
        for name, png in figures.items():
            (folder / f"{name}.png").write_bytes(png)
        return _compile(folder)


def _compile(folder: Path) -> bytes:
    import typst

    try:
        pdf, warnings = typst.compile_with_warnings(
            folder / "main.typ", root=folder, font_paths=_fonts(), ignore_system_fonts=True, format="pdf", pdf_standards=[STANDARD]
        )
    except typst.TypstError as error:
        raise DataError(Problem(what="The PDF could not be made.", where=error.message, remedy="; ".join(error.hints))) from None
    if warnings:
        problems = [Problem(what=warning.message, remedy="; ".join(warning.hints)) for warning in warnings]
        raise DataError(problems)
    if not isinstance(pdf, bytes):
        raise AssertionError("one PDF is one string of bytes")
    return pdf


@cache
def _fonts() -> typst.Fonts:
    """Our typeface and no other, so that a PDF is the same on every machine."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[font_path().parent])


def plain_document(document: Document) -> dict[str, Any]:
    """What the template reads. Annexed tables stand apart, at the end."""
    annex = [block for block in document.blocks if isinstance(block, Table) and block.annex is not None]
    language, region = LANGUAGES[document.language]
    return {
        "language": language,
        "region": region,
        "font": FAMILY,
        "title": plain(document.title),
        "simulated": document.data_kind == "simulated",
        "labels": {name: document.labels[name] for name in FRAME},
        "blocks": [_plain(block) for block in document.blocks if not (isinstance(block, Table) and block.annex is not None)],
        "annex": [_plain(block) for block in annex],
    }


def _plain(block: Block[Runs]) -> dict[str, Any]:
    match block:
        case Heading():
            return {"kind": "heading", "level": block.level, "text": plain(block.content)}
        case Paragraph():
            return {"kind": "paragraph", "role": block.role, "text": plain(block.content)}
        case Items():
            return {"kind": "items", "items": [plain(item) for item in block.items], "ordered": block.ordered}
        case Figure():
            return {"kind": "figure", "name": block.name, "caption": plain(block.caption), "alternative": plain(block.alternative)}
        case Callout():
            return {
                "kind": "callout",
                "role": block.role,
                "title": plain(block.title),
                "blocks": [_plain(one) for one in block.blocks],
            }
        case Table():
            return _plain_table(block)


def _plain_table(table: Table[Runs]) -> dict[str, Any]:
    return {
        "kind": "table",
        "caption": plain(table.caption),
        "layout": table.layout,
        "columns": [plain(column) for column in table.columns],
        "shares": shares(table),
        "rows": [[{"text": plain(cell), "words": is_words(cell)} for cell in row] for row in table.rows],
        "notes": [plain(note) for note in table.notes],
    }


def texts(content: Any) -> list[str]:
    """Every text of plain values, keys left out."""
    if isinstance(content, str):
        return [content]
    if isinstance(content, Mapping):
        return [text for value in content.values() for text in texts(value)]
    if isinstance(content, list):
        return [text for value in content for text in texts(value)]
    return []
