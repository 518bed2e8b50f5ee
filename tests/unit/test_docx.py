"""A Word file says what the page says, block by block, is a real document of Word, and is the same every time."""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from dataclasses import replace
from functools import cache
from typing import Any
from unittest import mock

import docx
import pytest
from docx.oxml.ns import qn
from lxml import etree

from sme_eval.briefing import docx_writer, figures, html_writer, pdf_writer
from sme_eval.briefing.compose import compose
from sme_eval.briefing.document import FORMS, Callout, Document, Figure, Form, Heading, Items, Paragraph, Table, Text, plain
from sme_eval.briefing.docx_writer import write_docx
from sme_eval.briefing.html_writer import write_html
from sme_eval.briefing.render import Briefing, render_briefing, render_forms
from sme_eval.errors import ParameterError
from sme_eval.terms import LANGUAGES, Language
from tests import factories
from tests.unit.landmark_record import landmark
from tests.unit.pages import NUMBER, html_numbers

MAKERS = {
    "observed": factories.observed,
    "simulated": factories.simulated_with_companion,
    "released": factories.released,
    "landmark": landmark,
}
CASES = list(itertools.product(MAKERS, LANGUAGES, FORMS))
FORMED = list(itertools.product(LANGUAGES, FORMS))
LABEL = re.compile(r"^(表|图|Table|Figure) (\d+)(　|\. )")


@cache
def picture() -> bytes:
    """One drawing for all figures: what is drawn is tested elsewhere."""
    from matplotlib.figure import Figure as Canvas

    buffer = io.BytesIO()
    Canvas(figsize=(6.9, 2)).savefig(buffer, format="png")
    return buffer.getvalue()


class Pictures(dict[str, bytes]):
    def __missing__(self, name: str) -> bytes:
        return picture()


@cache
def document_of(name: str, language: Language, form: Form) -> Document:
    return compose(MAKERS[name](), language, form)


@cache
def packed(name: str, language: Language, form: Form) -> bytes:
    return write_docx(document_of(name, language, form), Pictures())


@cache
def page(name: str, language: Language, form: Form) -> str:
    with mock.patch.object(html_writer, "web_font", return_value=""):  # slow, and no text
        return write_html(document_of(name, language, form), Pictures())


def opened(data: bytes) -> Any:
    return docx.Document(io.BytesIO(data))


def words(paragraph: Any) -> str:
    """Text of a paragraph as a reader sees it, without the number that a caption has in Word only."""
    return "".join(part.text or "" for part in paragraph.iter(qn("w:t")))


def body_texts(file: Any) -> list[str]:
    """Texts of the body in their order, with the numbers of lists before their items."""
    counters: dict[str, itertools.count[int]] = {}
    kinds = {
        number.get(qn("w:numId")): number.find(qn("w:lvlOverride")) is not None
        for number in file.part.numbering_part.element.findall(qn("w:num"))
    }
    texts = []
    for paragraph in file.element.body.iter(qn("w:p")):
        text = words(paragraph)
        number = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}/{qn('w:numId')}")
        if number is not None and kinds[number.get(qn("w:val"))]:
            text = f"{next(counters.setdefault(number.get(qn('w:val')), itertools.count(1)))}. {text}"
        texts.append(LABEL.sub("", text))
    return texts


def blocks_of(document: Document) -> list[Any]:
    """Blocks in the order of print: annexed tables last, what is in a box after its title."""
    flat: list[Any] = []
    for block in document.blocks:
        flat += [block, *block.blocks] if isinstance(block, Callout) else [block]
    annexed = [block for block in flat if isinstance(block, Table) and block.annex is not None]
    return [block for block in flat if not any(block is one for one in annexed)] + annexed


@pytest.mark.parametrize(("name", "language", "form"), CASES)
def test_every_number_of_the_page_in_the_same_order(name: str, language: Language, form: Form) -> None:
    numbers = [number for text in body_texts(opened(packed(name, language, form))) for number in NUMBER.findall(text)]
    assert numbers == html_numbers(page(name, language, form)) and len(numbers) > 10


@pytest.mark.parametrize(("name", "language", "form"), CASES)
def test_every_word_of_every_block_in_the_same_order(name: str, language: Language, form: Form) -> None:
    document = document_of(name, language, form)
    expected: list[str] = []
    for block in blocks_of(document):
        match block:
            case Heading() | Paragraph():
                expected.append(plain(block.content))
            case Items():
                expected += map(plain, block.items)
            case Figure():
                expected.append(plain(block.caption))
            case Callout():
                expected.append(plain(block.title))
            case Table():
                cells = [cell for row in (block.columns, *block.rows) for cell in row]
                expected += map(plain, [block.caption, *cells, *block.notes])
    frame = {document.labels[name] for name in ("footer", "annex", "annex_lead")}
    found = [re.sub(r"^\d+\. ", "", text) for text in body_texts(opened(packed(name, language, form)))]
    said = [text for text in found if text and text not in frame]
    assert said == [plain(document.title), *(re.sub(r"^\d+\. ", "", text) for text in expected if text)]


@pytest.mark.parametrize(("name", "language", "form"), CASES)
def test_tables_have_their_shape_and_repeat_their_heading(name: str, language: Language, form: Form) -> None:
    file = opened(packed(name, language, form))
    tables = [block for block in blocks_of(document_of(name, language, form)) if isinstance(block, Table)]
    shapes = [(len(grid._tbl.tr_lst), len(grid._tbl.tr_lst[0].tc_lst)) for grid in file.tables]
    assert shapes == [(1 + len(block.rows), len(block.columns)) for block in tables] and shapes
    width = file.sections[0].page_width - file.sections[0].left_margin - file.sections[0].right_margin
    for grid in file.tables:
        rows = grid._tbl.tr_lst
        assert grid.style.name == "Three Line"
        assert [row.find(f".//{qn('w:tblHeader')}") is not None for row in rows] == [True, *[False] * (len(rows) - 1)]
        assert all(row.find(f".//{qn('w:cantSplit')}") is not None for row in rows)
        assert sum(column.w for column in grid._tbl.tblGrid.gridCol_lst) == pytest.approx(width, rel=0.002)


@pytest.mark.parametrize(("language", "form"), FORMED)
def test_captions_are_numbered_by_fields_tables_and_figures_apart(language: Language, form: Form) -> None:
    file = opened(packed("simulated", language, form))
    names = {"zh": ("表", "图"), "en": ("Table", "Figure")}[language]
    captions = [paragraph for paragraph in file.paragraphs if paragraph.style.name == "Caption"]
    counts = {name: 0 for name in names}
    for paragraph in captions:
        found = LABEL.match(words(paragraph._p))
        assert found is not None
        name, number = found.groups()[:2]
        counts[name] += 1
        assert int(number) == counts[name]
        assert f"SEQ {name} " in "".join(code.text for code in paragraph._p.iter(qn("w:instrText")))
    blocks = blocks_of(document_of("simulated", language, form))
    assert tuple(counts.values()) == tuple(sum(isinstance(block, kind) for block in blocks) for kind in (Table, Figure))


@pytest.mark.parametrize(("language", "form"), FORMED)
def test_headings_fonts_and_languages_are_those_of_word(language: Language, form: Form) -> None:
    file = opened(packed("observed", language, form))
    blocks = blocks_of(document_of("observed", language, form))
    levels = [block.level for block in blocks if isinstance(block, Heading)]
    headings = [paragraph for paragraph in file.paragraphs if paragraph.style.name.startswith("Heading")]
    boxes = sum(isinstance(block, Callout) and block.role != "simulated" for block in blocks)
    annex = any(isinstance(block, Table) and block.annex is not None for block in blocks)
    assert len(headings) == len(levels) + boxes + annex and file.paragraphs[0].style.name == "Title"
    styles = file.styles.element
    fonts = {style.name: style.element.find(f".//{qn('w:rFonts')}") for style in file.styles if style.type == 1}
    default = styles.find(f"{qn('w:docDefaults')}//{qn('w:rFonts')}")
    body = {"bureau": "仿宋"}.get(form, "宋体")
    assert default.get(qn("w:eastAsia")) == body and default.get(qn("w:ascii")) == "Times New Roman"
    assert fonts["Heading 1"].get(qn("w:eastAsia")) == "黑体" and fonts["Caption"].get(qn("w:eastAsia")) == "黑体"
    tongue = styles.find(f"{qn('w:docDefaults')}//{qn('w:lang')}")
    assert (tongue.get(qn("w:val")), tongue.get(qn("w:eastAsia"))) == ("en-GB", "zh-CN")
    assert file.core_properties.language == {"zh": "zh-CN", "en": "en"}[language]
    hinted = file.element.body.xpath('.//w:rFonts[@w:hint="eastAsia"]')
    assert bool(hinted) == (language == "zh")
    used = {style.get(qn("w:val")) for style in file.element.body.iter(qn("w:pStyle"), qn("w:tblStyle"))}
    assert used <= {style.get(qn("w:styleId")) for style in styles.iter(qn("w:style"))}


@pytest.mark.parametrize(("name", "language", "form"), CASES)
def test_every_page_says_what_kind_of_data_it_has(name: str, language: Language, form: Form) -> None:
    document = document_of(name, language, form)
    file = opened(packed(name, language, form))
    section = file.sections[0]
    word = {"zh": ("观测数据", "模拟数据"), "en": ("Observed data", "Simulated data")}[language][name in ("simulated", "landmark")]
    heads, feet = [section.header], [section.footer]
    if form == "bureau":
        heads, feet = [*heads, section.even_page_header], [*feet, section.even_page_footer]
        assert file.settings.odd_and_even_pages_header_footer
    for head in heads:
        said = "".join(words(paragraph._p) for paragraph in head.paragraphs)
        assert word in said and document.labels["running"] in said
    for foot in feet:
        assert " PAGE " in [code.text for code in foot._element.iter(qn("w:instrText"))]
    colour = str(file.styles["Header"].font.color.rgb)
    assert (colour == "C2410C") == (document.data_kind == "simulated")
    assert document.labels["footer"] in [paragraph.text for paragraph in file.paragraphs]


@pytest.mark.parametrize(("language", "form"), FORMED)
def test_figures_are_described_and_as_wide_as_the_page(language: Language, form: Form) -> None:
    file = opened(packed("simulated", language, form))
    drawn = [block for block in blocks_of(document_of("simulated", language, form)) if isinstance(block, Figure)]
    properties = list(file.element.body.iter(qn("wp:docPr")))
    assert [one.get("descr") for one in properties] == [plain(block.alternative) for block in drawn]
    assert len({one.get("id") for one in properties}) == len(drawn)
    section = file.sections[0]
    width = section.page_width - section.left_margin - section.right_margin
    assert all(abs(shape.width - width) < 12700 for shape in file.inline_shapes)


def test_a_high_figure_fits_on_its_page() -> None:
    from matplotlib.figure import Figure as Canvas

    buffer = io.BytesIO()
    Canvas(figsize=(3, 9)).savefig(buffer, format="png")
    high = Pictures(summary=buffer.getvalue())
    file = opened(write_docx(document_of("observed", "zh", "bureau"), high))
    section = file.sections[0]
    room = section.page_height - section.top_margin - section.bottom_margin
    (shape,) = file.inline_shapes
    assert room * 0.8 < shape.height < room and shape.height == pytest.approx(3 * shape.width, rel=0.01)


def test_ordered_lists_begin_anew() -> None:
    numbers = re.findall(r"^\d+(?=\. )", "\n".join(body_texts(opened(packed("simulated", "zh", "bureau")))), re.M)
    assert numbers.count("1") >= 2


@pytest.mark.parametrize(("language", "form"), FORMED)
def test_the_same_record_gives_the_same_bytes(language: Language, form: Form) -> None:
    data = packed("simulated", language, form)
    assert data == write_docx(document_of("simulated", language, form), Pictures())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not {"docProps/app.xml", "docProps/thumbnail.jpeg"} & set(archive.namelist())
        core = archive.read("docProps/core.xml").decode()
        parts = [etree.fromstring(archive.read(name)) for name in archive.namelist() if name.endswith((".xml", ".rels"))]
    assert {element.tag for element in etree.fromstring(core.encode())} == {
        "{http://purl.org/dc/elements/1.1/}title",
        "{http://purl.org/dc/elements/1.1/}subject",
        "{http://purl.org/dc/elements/1.1/}language",
    }
    assert len(parts) > 7 and "python" not in core


def test_a_box_may_hold_every_block_and_text_is_never_markup() -> None:
    document = document_of("observed", "en", "full")
    content = (Text('<w:p/> & "quoted"'),)
    every = [
        Heading(content, 3),
        Paragraph(content),
        Items((content,), ordered=True),
        Table(caption=content, columns=(content,), rows=((content,),)),
        Figure(name="any", caption=content, alternative=content),
    ]
    box: Any = Callout(role="method", title=content, blocks=tuple(every))
    file = opened(write_docx(replace(document, blocks=(box,)), Pictures()))
    assert sum('<w:p/> & "quoted"' in text for text in body_texts(file)) == 8


# --- formats ---------------------------------------------------------------------------------------------------------


@cache
def word_only() -> Briefing:
    with mock.patch.object(figures, "draw_summary", return_value=Pictures(summary=picture())):
        (briefing,) = render_forms(factories.observed(), "zh", ("bureau",), ("docx",))
    return briefing


def test_nothing_is_made_that_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("not asked for")

    monkeypatch.setattr(figures, "draw_summary", lambda *_: Pictures(summary=picture()))
    with monkeypatch.context() as patched:
        patched.setattr(docx_writer, "write_docx", never)
        patched.setattr(html_writer, "write_html", lambda *_: "<html>")
        patched.setattr(pdf_writer, "write_pdf", lambda *_: b"%PDF-")
        usual = render_briefing(factories.observed(), "zh", "bureau")
    assert usual.html and usual.pdf and not usual.docx and usual.formats == ("html", "pdf")
    monkeypatch.setattr(html_writer, "write_html", never)
    monkeypatch.setattr(pdf_writer, "write_pdf", never)
    (briefing,) = render_forms(factories.observed(), "zh", ("bureau",), ("docx",))
    assert briefing == word_only() and not briefing.html and not briefing.pdf and briefing.docx.startswith(b"PK")


def test_word_files_are_written_beside_the_others(tmp_path: Any) -> None:
    stem = "training_grants-log_scrap.observed"
    paths = word_only().write(tmp_path)
    assert paths[0] == tmp_path / "internal" / stem / f"{stem}.zh.bureau.docx" and paths[0].read_bytes() == word_only().docx
    assert {path.suffix for path in paths} == {".docx", ".png"}
    assert {path.suffix for path in word_only().write(tmp_path / "none", ())} == {".png"}
    with pytest.raises(ParameterError, match="pdf"):
        word_only().write(tmp_path, ("pdf",))


def test_unknown_formats_are_refused_with_a_suggestion() -> None:
    with pytest.raises(ParameterError, match=r"format 'docs'[\s\S]*did you mean 'docx'"):
        render_briefing(factories.observed(), "zh", "bureau", ("docs",))  # type: ignore[arg-type]
