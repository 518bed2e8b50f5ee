"""A document as one self-contained HTML file: style and figures inside, no script, nothing fetched."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from sme_eval.terms import Language

from .document import FORMS, Block, Document, Heading, Reference, Runs, Text, file_stem, plain
from .typeface import web_font

if TYPE_CHECKING:
    from jinja2 import Environment

HTML_LANGUAGES: Final[Mapping[Language, str]] = {"zh": "zh-CN", "en": "en"}
OTHER: Final[Mapping[Language, Language]] = {"zh": "en", "en": "zh"}
INDEX_PAGE: Final = "../../index.html"
"""From a briefing's folder, `<reports>/<audience>/<slug>/`."""


def write_html(document: Document, figures: Mapping[str, bytes], beside: Collection[str] | None = None) -> str:
    """The page; `figures` are PNG bytes by name, `beside` the files that will lie beside it: every page and PDF if not told."""
    headings = [block for block in document.blocks if isinstance(block, Heading) and block.level == 2 and block.anchor]
    opening, rest = _split(document.blocks)
    page = (
        environment()
        .get_template("briefing.html")
        .render(
            document=document,
            labels=document.labels,
            lang=HTML_LANGUAGES[document.language],
            style=stylesheet(),
            headings=headings,
            opening=opening,
            rest=rest,
            image=lambda name: data_address(figures[name]),
            links=[
                link for link in _links(document) if (link[1] in beside if beside is not None else not link[1].endswith("docx"))
            ],
            index_page=INDEX_PAGE,
        )
        .strip()
        + "\n"
    )
    return with_web_font(page)


def _links(document: Document) -> Iterator[tuple[str, str, str]]:
    """Label, file and language (empty for the page's own) of everything that may lie beside the page."""
    labels, language = document.labels, document.language
    other = f"{file_stem(document.slug, OTHER[language], document.form)}.html"
    yield labels["other_language"], other, labels["other_language_code"]
    for form in FORMS:
        if form != document.form:
            yield labels[f"form_{form}"], f"{file_stem(document.slug, language, form)}.html", ""
    for ending in ("pdf", "docx"):
        yield labels[ending], f"{file_stem(document.slug, language, document.form)}.{ending}", ""


def with_web_font(page: str) -> str:
    """The page with the glyphs that its characters need, for readers without a Chinese font."""
    return page.replace("</style>", f"{web_font(page)}\n</style>", 1)


def _split(blocks: tuple[Block[Runs], ...]) -> tuple[tuple[Block[Runs], ...], tuple[Block[Runs], ...]]:
    """What stands above the list of sections (banner, question, claim), and the sections."""
    first = next((n for n, block in enumerate(blocks) if isinstance(block, Heading)), len(blocks))
    return blocks[:first], blocks[first:]


def data_address(png: bytes) -> str:
    """PNG bytes inside an address."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


@cache
def stylesheet() -> str:
    """The style of every page."""
    from markupsafe import Markup

    return Markup(template_text("page.css"))


def template_text(name: str) -> str:
    """A file of `templates/`."""
    return files("sme_eval.briefing").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Jinja's environment: everything escaped, unknown names are errors."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(template_text), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals.update(plain=plain, kind_of=lambda block: type(block).__name__.lower(), is_words=is_words)
    return made


def is_words(cell: Runs) -> bool:
    """Whether a cell holds words rather than a number; a short word such as "yes" goes with the numbers of its column."""
    if any(isinstance(run, Reference) and run.format == "text" and not run.missing for run in cell):
        return True
    words = sum(len(run.text) for run in cell if isinstance(run, Text))
    return words > (WORDS_ALONE if len(cell) == 1 else WORDS_BESIDE)


WORDS_ALONE: Final = 3
WORDS_BESIDE: Final = 6
"""More characters than these are words: in a cell without a number, and beside one (brackets, commas)."""
