"""Pages in a real browser: language, keyboard, narrow screens, darkness, paper; and that they fetch nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sme_eval.briefing.render import render_briefing
from sme_eval.runs.index import write_index
from tests import factories

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
NARROW = 375
PAGES = {
    "zh": "internal/{observed}/{observed}.zh.html",
    "en": "internal/{observed}/{observed}.en.html",
    "zh simulated": "internal/{simulated}/{simulated}.zh.html",
    "en simulated": "internal/{simulated}/{simulated}.en.html",
    "index": "index.html",
}
every_page = pytest.mark.parametrize("name", PAGES)
every_briefing = pytest.mark.parametrize("name", [name for name in PAGES if name != "index"])


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of two records made by hand."""
    folder = tmp_path_factory.mktemp("reports")
    for evaluation in (factories.observed(), factories.simulated_with_companion()):
        evaluation.write(folder)
        for language in ("zh", "en"):
            render_briefing(evaluation, language).write(folder)
    write_index(folder)
    return folder


class Visit:
    """One page opened without a network; what it asks for and what it complains of is kept."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.fetched, self.complaints = page, list[str](), list[str]()
        page.on("request", lambda request: self.fetched.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.context.set_offline(True)
        page.goto(address)


@pytest.fixture
def visit(browser: Browser, reports: Path, name: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    slugs = {"observed": factories.observed().slug, "simulated": factories.simulated_with_companion().slug}
    page = browser.new_page(**getattr(request, "param", {}))
    yield Visit(page, (reports / PAGES[name].format(**slugs)).as_uri())
    page.close()


@every_page
def test_nothing_is_fetched_and_nothing_complains(visit: Visit, name: str) -> None:
    assert [address for address in visit.fetched[1:] if not address.startswith("data:")] == []
    assert visit.complaints == []
    assert visit.page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


@every_briefing
def test_the_language_is_declared(visit: Visit, name: str) -> None:
    assert visit.page.locator("html").get_attribute("lang") == ("zh-CN" if name.startswith("zh") else "en")


@every_briefing
def test_simulated_data_say_so_before_anything_else(visit: Visit, name: str) -> None:
    banner = visit.page.locator(".callout.simulated")
    assert banner.count() == ("simulated" in name)
    if banner.count():
        box = banner.bounding_box()
        assert box is not None and box["y"] < 720, "the warning is below the first screen"


@every_briefing
def test_the_keyboard_skips_to_the_content(visit: Visit, name: str) -> None:
    page = visit.page
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.get_attribute("href") == "#main"
    box = focused.bounding_box()
    assert box is not None and box["x"] >= 0 and box["y"] >= 0, "the focused link is not on the screen"
    page.keyboard.press("Enter")
    page.wait_for_url("**#main")  # the browser follows a key when it can, not at once
    assert page.locator("#main").is_visible()


@every_page
@pytest.mark.parametrize("visit", [{"viewport": {"width": NARROW, "height": 800}}], indirect=True)
def test_a_telephone_needs_no_sideways_scrolling(visit: Visit, name: str) -> None:
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= NARROW


@every_page
@pytest.mark.parametrize("visit", [{"color_scheme": "dark"}], indirect=True)
def test_darkness_is_dark_and_readable(visit: Visit, name: str) -> None:
    colour = "element => getComputedStyle(element)"
    back = visit.page.evaluate(f"({colour})(document.body).backgroundColor")
    fore = visit.page.evaluate(f"({colour})(document.querySelector('h1')).color")
    assert lightness(back) < 80 < 160 < lightness(fore), (back, fore)


def lightness(colour: str) -> float:
    """Mean of red, green and blue of `rgb(r, g, b)`."""
    channels = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(channels) / 3


@every_briefing
def test_paper_shows_what_the_screen_folds(visit: Visit, name: str) -> None:
    page = visit.page
    folded = page.locator("details table")
    assert folded.count() and not folded.first.is_visible()
    page.emulate_media(media="print")
    assert [n for n in range(folded.count()) if not folded.nth(n).is_visible()] == []
