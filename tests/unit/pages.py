"""What tests read out of a rendered page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sme_eval.briefing.compose import speaker_of
from sme_eval.briefing.document import plain
from sme_eval.briefing.sections.findings import abstract
from sme_eval.briefing.whitelist import ALLOWED_DIGITS
from sme_eval.evaluation.record import Evaluation

NUMBER = re.compile(r"[−+<]?\d(?:[\d.,]*\d)?%?")
"""A number as a reader sees it, with its sign and per-cent mark; punctuation at its end is not part of it."""


def html_numbers(html: str) -> list[str]:
    """Numbers of the page's text in the order of the PDF, which has the folded tables at its end."""
    from bs4 import BeautifulSoup

    main = BeautifulSoup(html, "html.parser").find("main")
    assert main is not None
    for navigation in main.find_all("nav"):
        navigation.decompose()
    for ordered in main.find_all("ol"):
        for place, item in enumerate(ordered.find_all("li", recursive=False), start=1):
            item.insert(0, f"{place}. ")  # what a reader sees, and no text of the page
    folded = [details.extract() for details in main.find_all("details")]
    return [number for part in (main, *folded) for number in NUMBER.findall(part.get_text("|"))]


def pdf_text(pdf: bytes) -> Iterator[str]:
    """Lines of the PDF's pages without the lines of the whitelist; a foot may be read as the end of the line beside it."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    allowed = [re.compile(rf"(^|\s){pattern}\s*$") for pattern in ALLOWED_DIGITS]
    for page in document:
        for line in page.get_textpage().get_text_range().splitlines():
            for pattern in allowed:
                line = pattern.sub("", line)
            yield line


def pdf_numbers(pdf: bytes) -> list[str]:
    return NUMBER.findall("\n".join(pdf_text(pdf)))


def pages_of(pdf: bytes) -> int:
    """How many pages a PDF has."""
    import pypdfium2

    return len(pypdfium2.PdfDocument(pdf))


def abstract_of(evaluation: Evaluation) -> str:
    """The abstract of the Chinese briefing without spaces."""
    return re.sub(r"\s", "", plain(speaker_of(evaluation, "zh").runs(abstract(evaluation))))
