"""The list of briefings and the pages of notebooks."""

from __future__ import annotations

import re
from dataclasses import replace

import nbformat
from bs4 import BeautifulSoup

from sme_eval.briefing.appendix import notebook_page
from sme_eval.briefing.document import FORMS
from sme_eval.briefing.index import AppendixEntry, IndexEntry, render_index
from sme_eval.evaluation.record_base import Bilingual
from tests import factories


def test_index_lists_every_briefing_in_both_languages() -> None:
    entries = [IndexEntry.of(evaluation) for evaluation in (factories.observed(), factories.simulated(), factories.released())]
    notebooks = (AppendixEntry(title=Bilingual(zh="笔记", en="Notebook"), link="internal/notebooks/a.html"),)
    page = BeautifulSoup(render_index(entries, notebooks), "html.parser")
    links = {link["href"] for link in page.find_all("a")}
    for language in ("zh", "en"):
        for entry in entries:
            assert {entry.link(language, ending, form) for ending in ("html", "pdf") for form in FORMS} <= links
    assert "internal/notebooks/a.html" in links
    text = page.get_text()
    assert "数据不足以判断：估计精度不够" in text and "demonstration: consistent evidence of an increase" in text
    assert "模拟数据" in text and "Simulated data" in text
    assert len(page.find_all("section")) == 2 and all(section["lang"] for section in page.find_all("section"))


def test_forms_that_are_not_there_are_not_linked() -> None:
    entry = replace(IndexEntry.of(factories.observed()), forms=("full",))
    page = render_index([entry])
    assert entry.link("zh", "html") in page and ".bureau." not in page


def test_an_empty_index_is_a_page() -> None:
    assert "暂无" in render_index(())


def test_every_claim_has_a_short_form() -> None:
    entry = IndexEntry.of(factories.observed())
    assert entry.claim.zh and entry.claim.en and entry.link("zh", "pdf").startswith("internal/")


def test_notebook_pages_are_ours_and_internal() -> None:
    code = nbformat.v4.new_code_cell("print('<b>')", outputs=[nbformat.v4.new_output("stream", text="<b>\n")])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("## Question"), code])
    html = notebook_page(notebook, "Title & more", "en", data_kind="simulated")
    page = BeautifulSoup(html, "html.parser")
    assert page.html is not None and page.html["lang"] == "en" and not page.find_all(["script", "link"])
    assert not re.search(r"https?://", html) and page.title is not None and page.title.get_text() == "Title & more"
    assert "not cleared for disclosure" in page.get_text() and "simulated data" in page.get_text()
    assert "Question" in page.get_text() and "<b>\n" in page.get_text()
