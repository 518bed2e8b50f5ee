"""The list of reports and the pages of notebooks."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup, Tag

from sme_eval.briefing.appendix import notebook_page
from sme_eval.briefing.document import FORMS, file_stem
from sme_eval.briefing.index import AppendixEntry, Failure, render_index
from sme_eval.briefing.index_entry import ENDINGS, STRENGTH, IndexEntry
from sme_eval.evaluation.record import ClaimKind, Evaluation
from sme_eval.evaluation.record_base import Bilingual
from sme_eval.evaluation.record_reading import EvidenceLevelRecord
from sme_eval.results.unavailable import Unavailable
from sme_eval.runs.index import index_reasons, write_index
from sme_eval.terms import LANGUAGES
from tests import factories


def soup(*entries: IndexEntry, failures: tuple[Failure, ...] = ()) -> BeautifulSoup:
    return BeautifulSoup(render_index(entries, failures=failures), "html.parser")


def row(page: BeautifulSoup, language: str) -> Tag:
    found = page.select_one(f"#{language} tbody tr")
    assert found is not None
    return found


def cell(page: BeautifulSoup, language: str, name: str) -> str:
    found = row(page, language).select_one(f".{name}")
    assert found is not None
    return " ".join(found.get_text(" ").split())


def test_index_lists_every_report_in_both_languages() -> None:
    entries = [IndexEntry.of(evaluation) for evaluation in (factories.observed(), factories.simulated(), factories.released())]
    notebooks = (AppendixEntry(title=Bilingual(zh="笔记", en="Notebook"), link="internal/notebooks/a.html"),)
    page = BeautifulSoup(render_index(entries, notebooks), "html.parser")
    links = {link["href"] for link in page.find_all("a")}
    for language in ("zh", "en"):
        for entry in entries:
            assert {entry.link(language, ending, form) for ending in ENDINGS for form in FORMS} <= links
        first = row(page, language)
        assert first["data-audience"] == "release" and len(page.select(f"#{language} tbody tr")) == len(entries)
    assert "internal/notebooks/a.html" in links
    text = page.get_text()
    assert "数据不足以判断：估计精度不够" in text and "demonstration: consistent evidence of an increase" in text
    assert "模拟数据，仅为方法演示" in text and "Simulated data: a demonstration" in text
    assert len(page.find_all("section")) == 2 and all(section["lang"] for section in page.find_all("section"))


def test_a_row_says_what_the_record_says() -> None:
    level = EvidenceLevelRecord(level=3, reason="trends_not_rejected")
    page = soup(IndexEntry.of(replace(factories.simulated(), evidence_level=level)))
    assert cell(page, "en", "estimate") == "3.1% 95% confidence interval 0.3% to 6.0%"
    assert cell(page, "zh", "estimate") == "3.1% 95%置信区间：0.3%至6.0%"
    assert cell(page, "en", "firms") == "6,000 firms 18,000 observations" and cell(page, "zh", "firms") == "6000家企业 18000条观测"
    assert cell(page, "en", "level") == "3 of 5" and cell(page, "en", "kind") == "consistent evidence"
    data = cell(page, "en", "data")
    assert data.startswith("Simulated data: a demonstration Panel of Ningbo firms") and "Parallel-trends scenario" in data
    assert "seed = 1, scenario = clean, firms = 6000" in data
    assert cell(page, "en", "policy").endswith("certification-log_revenue.simulated")


def test_an_effect_in_units_is_printed_with_its_unit() -> None:
    hours = factories.effect("hours", 15.2, 3.1, outcome="hours", log=False)
    page = soup(IndexEntry.of(replace(factories.observed(), outcome=factories.HOURS, headline=hours)))
    assert cell(page, "en", "estimate") == "15.200 95% confidence interval 9.124 to 21.276; unit: hours per employee"


def test_what_there_is_not_is_a_dash_without_a_value() -> None:
    gone = Unavailable("not estimated")
    record = factories.observed()
    headline = replace(record.headline, estimate=gone, std_error=gone, conf_low=gone, conf_high=gone, percent=None)
    page = soup(IndexEntry.of(replace(record, headline=headline)))
    assert cell(page, "en", "estimate") == "—" and cell(page, "en", "level") == "—"
    assert [row(page, "en").select_one(name)["data-value"] for name in (".estimate", ".level")] == ["", ""]  # type: ignore[index]


def test_files_that_are_not_there_are_not_linked() -> None:
    entry = replace(IndexEntry.of(factories.observed()), files=(("zh", "full", "html"), ("en", "bureau", "docx")))
    links = [link["href"] for link in row(soup(entry), "en").find_all("a")]
    assert links == [entry.link("en", "docx", "bureau"), entry.link("zh", "html")]


def test_filters_hold_what_is_there() -> None:
    entries = [IndexEntry.of(record) for record in (factories.observed(), factories.simulated(), factories.simulated("baseline"))]
    page = soup(*entries)
    options = {
        select["data-facet"]: [(option["value"], option.get_text()) for option in select.find_all("option")]
        for select in page.select("#en select")
    }
    assert list(options) == ["policy", "outcome", "kind", "data", "audience"]
    assert options["data"] == [
        ("", "All"),
        ("observed", "Observed data (1)"),
        ("simulated", "Simulated data: a demonstration (2)"),
    ]
    assert [value for value, _ in options["kind"]] == ["", "consistent", "cannot_tell_trends", "cannot_tell_power"]
    count = page.select_one("#zh .count")
    assert count is not None and count.get_text() == "显示3份，共3份报告"


def test_every_kind_of_claim_has_its_place() -> None:
    assert sorted(STRENGTH) == sorted(ClaimKind.__args__)  # type: ignore[attr-defined]


def test_names_are_text_and_addresses_are_addresses() -> None:
    bad = '"><script>alert(1)</script>'
    record = factories.observed()
    policy = replace(record.policy, label=Bilingual(zh=bad, en=bad))
    provenance = replace(record.provenance, source=bad, data_parameters={bad: bad})
    entry = replace(IndexEntry.of(replace(record, policy=policy, provenance=provenance)), slug="a b#c?d", policy_name=bad)
    page = soup(entry, failures=(Failure(name=bad, command=bad, cell=bad, cause=bad),))
    assert len(page.find_all("script")) == 1 and page.get_text().count(bad) > len(LANGUAGES)
    assert "internal/a%20b%23c%3Fd/a%20b%23c%3Fd.en.html" in {link["href"] for link in page.find_all("a")}


def test_the_page_fetches_nothing() -> None:
    html = render_index([IndexEntry.of(factories.observed())])
    page = BeautifulSoup(html, "html.parser")
    assert not page.find_all(["link", "img", "iframe"]) and not re.search(r"https?://", html)
    assert [script.get("src") for script in page.find_all("script")] == [None]


def test_an_empty_index_is_a_page() -> None:
    assert "暂无" in render_index(()) and not soup().find_all(["form", "table"])


def test_every_claim_has_a_short_form() -> None:
    entry = IndexEntry.of(factories.observed())
    assert entry.claim.zh and entry.claim.en and entry.link("zh", "pdf").startswith("internal/")


# --- the folder of reports --------------------------------------------------------------------------------------------


def placed(reports: Path, evaluation: Evaluation, *endings: str) -> Path:
    folder = evaluation.write(reports).parent
    for ending in endings:
        for language in LANGUAGES:
            (folder / f"{file_stem(evaluation.slug, language, 'full')}.{ending}").touch()
    return folder


def index(reports: Path) -> BeautifulSoup:
    write_index(reports)
    return BeautifulSoup((reports / "index.html").read_text(encoding="utf-8"), "html.parser")


def test_the_index_lists_the_files_that_are_there(tmp_path: Path) -> None:
    record = factories.observed()
    folder = placed(tmp_path, record, "html")
    (folder / f"{record.slug}.notebook.html").touch()
    placed(tmp_path, factories.simulated())
    links = [link["href"] for link in row(index(tmp_path), "en").find_all("a")]
    names = ("en.html", "zh.html", "notebook.html")
    assert links == [f"internal/{record.slug}/{record.slug}.{name}" for name in names]
    assert index_reasons(tmp_path) == ()
    placed(tmp_path, record, "docx")
    assert index_reasons(tmp_path) == ("records changed",)
    assert len(row(index(tmp_path), "en").find_all("a")) == len(names) + 2


def test_what_is_released_stands_alone(tmp_path: Path) -> None:
    placed(tmp_path, factories.released(), "html", "pdf")
    page = index(tmp_path)
    assert row(page, "zh")["data-audience"] == "release" and len(page.select("#en tbody tr")) == 1
    assert "internal" not in {link["href"].split("/")[0] for link in page.find_all("a")}


def test_failures_of_the_last_run_are_told_once_there_are_any(tmp_path: Path) -> None:
    placed(tmp_path, factories.observed(), "html")
    assert not index(tmp_path).select(".failed")
    told = [{"name": "credit", "command": "sme-eval run credit", "cell": 7, "cause": "No firm.", "when_key": "x"}, "?", {}]
    path = tmp_path / "internal" / "failures.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    assert index_reasons(tmp_path) == ("other reports failed",)
    (item,) = index(tmp_path).select("#en .failed li")
    assert " ".join(item.get_text(" ").split()) == "credit in cell 7 No firm. Run again with sme-eval run credit"
    path.write_text("no list", encoding="utf-8")
    assert index_reasons(tmp_path) and not index(tmp_path).select(".failed")


def test_notebook_pages_are_ours_and_internal() -> None:
    code = nbformat.v4.new_code_cell("print('<b>')", outputs=[nbformat.v4.new_output("stream", text="<b>\n")])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("## Question"), code])
    html = notebook_page(notebook, "Title & more", "en", data_kind="simulated")
    page = BeautifulSoup(html, "html.parser")
    assert page.html is not None and page.html["lang"] == "en" and not page.find_all(["script", "link"])
    assert not re.search(r"https?://", html) and page.title is not None and page.title.get_text() == "Title & more"
    assert "not cleared for disclosure" in page.get_text() and "simulated data" in page.get_text()
    assert "Question" in page.get_text() and "<b>\n" in page.get_text()
