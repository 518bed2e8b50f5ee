"""The index in a real browser: search, filters, order, keyboard, address, narrow screens, paper, and without a script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sme_eval.briefing.index import Failure, render_index
from sme_eval.briefing.index_entry import IndexEntry
from tests import factories

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser
NARROW = 360
MANY = 1000


def entries() -> list[IndexEntry]:
    """Five reports: one released, one without an estimate in per cent, two of simulated data."""
    observed = factories.observed()
    hours = replace(
        observed,
        name="training_grants-hours",
        outcome=factories.HOURS,
        headline=factories.effect("hours", 15.2, 3.1, outcome="hours", log=False, n_firms=135),
    )
    records = (observed, factories.released(), factories.simulated(), factories.simulated("baseline"), hours)
    return [IndexEntry.of(record) for record in records]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("reports") / "index.html"
    failure = Failure(name="credit", command="sme-eval run credit", cell="7", cause="No firm was <listed>.")
    path.write_text(render_index(entries(), failures=[failure]), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """One window without a network, and what it complains of."""
    with browser.new_context(offline=True) as context:
        opened, complaints = context.new_page(), list[str]()
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("console", lambda message: complaints.append(message.text))
        yield opened, complaints


@pytest.fixture
def page(window: tuple[Page, list[str]], index: str) -> Iterator[Page]:
    opened, complaints = window
    opened.emulate_media(media="screen")
    opened.set_viewport_size({"width": 1280, "height": 800})
    opened.goto("about:blank")  # from the same page, another address would be no new visit
    opened.goto(index)
    yield opened
    assert complaints == []


def rows(page: Page) -> Locator:
    return page.locator("tbody tr:visible")


def search(page: Page) -> Locator:
    return page.locator("input[type=search]:visible")


def told(page: Page) -> str:
    return page.locator(".count:visible").inner_text()


def column(page: Page, name: str) -> list[str]:
    return page.locator(f"tbody tr:visible .{name} .main").all_inner_texts()


def address(page: Page) -> str:
    """As the page itself has it; what the driver knows may lag behind."""
    return str(page.evaluate("location.href"))


def english(page: Page) -> Page:
    page.get_by_role("link", name="English").click()
    page.wait_for_function("document.documentElement.lang === 'en'")
    return page


def test_all_words_must_occur_in_either_language(page: Page) -> None:
    english(page)
    assert told(page) == "5 of 5 reports"
    search(page).fill("NATIONAL giant")
    assert rows(page).count() == 2 and told(page) == "2 of 5 reports"
    search(page).fill("营业收入 revenue")
    assert rows(page).count() == 2
    search(page).fill("national grant")
    assert rows(page).count() == 0 and page.locator(".nothing:visible").inner_text().startswith("No report matches")


def test_chinese_needs_no_spaces(page: Page) -> None:
    search(page).fill("培训补助")
    assert rows(page).count() == 3 and told(page) == "显示3份，共5份报告"
    search(page).fill("培训补助废品率")
    assert rows(page).count() == 2
    search(page).fill("营业收入废品率")
    assert rows(page).count() == 0


def test_filters_hold_what_is_there_and_count_it(page: Page) -> None:
    english(page)
    select = page.get_by_label("Data", exact=True)
    assert select.locator("option").all_inner_texts() == ["All", "Observed data (3)", "Simulated data: a demonstration (2)"]
    select.select_option("simulated")
    assert rows(page).count() == 2
    kinds = page.get_by_label("Kind of claim").locator("option").all_inner_texts()
    assert "consistent evidence (1)" in kinds and "data cannot tell: too imprecise (0)" in kinds
    page.get_by_label("Kind of claim").select_option("consistent")
    assert rows(page).count() == 1 and "demonstration" in rows(page).inner_text()
    page.get_by_role("button", name="Clear").click()
    assert rows(page).count() == 5 and select.input_value() == ""


def test_released_and_internal_are_told_apart(page: Page) -> None:
    english(page)
    assert "Cleared for release" in rows(page).first.inner_text()
    page.get_by_label("Status").select_option("internal")
    assert rows(page).count() == 4 and page.locator("tbody .badge.release:visible").count() == 0


def test_numbers_are_sorted_by_value_within_their_unit(page: Page) -> None:
    english(page)
    head = page.get_by_role("columnheader", name="Estimate")
    head.get_by_role("button").click()
    assert column(page, "estimate") == ["−22.3%", "−22.3%", "−1.9%", "3.1%", "15.200"]
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").click()
    assert column(page, "estimate") == ["3.1%", "−1.9%", "−22.3%", "−22.3%", "15.200"]
    assert head.get_attribute("aria-sort") == "descending" and page.locator("th[aria-sort]:visible").count() == 1
    page.get_by_role("columnheader", name="Sample").get_by_role("button").click()
    assert column(page, "firms") == ["54 firms", "54 firms", "135 firms", "6,000 firms", "6,000 firms"]


def test_the_keyboard_is_enough(page: Page) -> None:
    english(page)
    page.keyboard.press("/")
    page.keyboard.type("grant/")
    assert search(page).input_value() == "grant/" and rows(page).count() == 0
    page.keyboard.press("Escape")
    assert search(page).input_value() == "" and rows(page).count() == 5
    reached = []
    for _ in range(18):
        reached.append(page.evaluate("(document.activeElement.dataset.facet ?? document.activeElement.type) || 'link'"))
        width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 1, f"no outline on {reached[-1]}"
        page.keyboard.press("Tab")
    facets = ["policy", "outcome", "kind", "data", "audience"]
    assert reached[:15] == ["search", *facets, "reset", *["button"] * 8] and reached[15:] == ["link"] * 3


def test_a_link_keeps_language_search_filters_and_order(page: Page, index: str) -> None:
    english(page)
    search(page).fill("补助 scrap")
    page.get_by_label("Kind of claim").select_option("cannot_tell_power")
    page.get_by_role("button", name="Outcome").click()
    page.get_by_role("button", name="Outcome").click()
    kept = address(page).partition("#")[2]
    assert kept.startswith("lang=en&q=") and kept.endswith("&kind=cannot_tell_power&sort=-outcome")
    page.goto("about:blank")
    page.goto(f"{index}#{kept}")
    assert page.locator("html").get_attribute("lang") == "en" and search(page).input_value() == "补助 scrap"
    assert rows(page).count() == 2 and address(page).endswith(kept)
    assert page.get_by_role("columnheader", name="Outcome").get_attribute("aria-sort") == "descending"
    page.get_by_role("link", name="中文").click()
    page.wait_for_function("document.documentElement.lang === 'zh-CN'")
    assert rows(page).count() == 2 and search(page).input_value() == "补助 scrap" and "lang=zh&q=" in address(page)
    page.evaluate("location.hash = 'lang=en&kind=<unknown>&sort=nothing&q=giant'")
    page.wait_for_function("document.documentElement.lang === 'en'")
    assert rows(page).count() == 2 and page.title() == "Policy evaluation briefings"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_telephone_shows_cards(page: Page, index: str, language: str) -> None:
    page.set_viewport_size({"width": NARROW, "height": 800})
    page.goto(f"{index}#lang={language}")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
    box = rows(page).first.bounding_box()
    assert box is not None and box["width"] > 0.8 * NARROW and box["height"] > 200
    assert page.locator("thead button:visible").count() == 8


def test_paper_shows_what_is_shown_and_no_controls(page: Page) -> None:
    english(page)
    page.get_by_label("Data", exact=True).select_option("simulated")
    page.emulate_media(media="print")
    assert rows(page).count() == 2 and page.locator(".controls:visible, header:visible, td.files:visible").count() == 0
    assert page.locator("tbody .badge.simulated:visible").count() == 2 and told(page) == "2 of 5 reports"
    addresses = "[...document.querySelectorAll('a')].every(a => getComputedStyle(a, '::after').content === 'none')"
    assert page.evaluate(addresses)


def test_without_a_script_it_is_a_plain_table(browser: Browser, index: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(index)
        assert rows(page).count() == 2 * len(entries()) and page.locator(".controls:visible").count() == 0
        assert page.locator("section:visible").count() == 2 and page.locator("thead button").count() == 0


def test_what_failed_is_text_and_nothing_else(page: Page) -> None:
    box = english(page).locator(".callout.failed:visible")
    assert all(text in box.inner_text() for text in ("credit", "cell 7", "No firm was <listed>.", "sme-eval run credit"))


def test_a_thousand_reports_are_filtered_at_once(browser: Browser, tmp_path: Path) -> None:
    some = entries()
    many = [replace(some[n % len(some)], slug=f"report-{n}") for n in range(MANY)]
    path = tmp_path / "index.html"
    path.write_text(render_index(many), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    measure = """async () => {
        const box = document.querySelector("section:not([hidden]) input[type=search]"), times = [];
        for (const query of ["培", "培训补助废品率", "report-99", "revenue", ""]) {
            const began = performance.now();
            box.value = query;
            box.dispatchEvent(new Event("input"));
            const script = performance.now() - began;
            document.body.offsetHeight;
            times.push([query, script, performance.now() - began]);
        }
        return times;
    }"""
    times = page.evaluate(measure)
    print(f"\n{path.stat().st_size / 1e6:.1f} MB; " + "; ".join(f"{q!r} {a:.0f} ms, with layout {b:.0f} ms" for q, a, b in times))
    assert max(script for _, script, _ in times) < MANY, "more than a second"
    assert rows(page).count() == MANY
    page.close()
