"""A page prints what the record holds and nothing else, in both languages and both formats."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from bs4 import BeautifulSoup

from sme_eval.briefing.compose import compose, speaker_of
from sme_eval.briefing.document import Callout, Figure, Paragraph, Table, plain
from sme_eval.briefing.figures import draw_figures
from sme_eval.briefing.numbers import DASH, format_value
from sme_eval.briefing.pointers import resolve
from sme_eval.briefing.render import Briefing, render_briefing
from sme_eval.errors import DataError, ParameterError
from sme_eval.evaluation.record_base import Bilingual
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import LANGUAGES, Language
from tests import factories
from tests.unit.pages import html_numbers, pdf_numbers

MAKERS = {"observed": factories.observed, "simulated": factories.simulated_with_companion, "released": factories.released}
CASES = [(name, language) for name in MAKERS for language in LANGUAGES]


@cache
def page(name: str, language: Language) -> Briefing:
    return render_briefing(MAKERS[name](), language)


def soup(name: str, language: Language) -> BeautifulSoup:
    return BeautifulSoup(page(name, language).html, "html.parser")


@pytest.mark.parametrize(("name", "language"), CASES)
def test_every_reference_resolves_and_prints_its_value(name: str, language: Language) -> None:
    record = json.loads(MAKERS[name]().to_json())
    references = soup(name, language).find_all("data")
    assert len(references) > 100
    for element in references:
        value = resolve(record, element["data-ref"])
        assert element.get_text() == format_value(value, element["data-format"], language), element


@pytest.mark.parametrize(("name", "language"), CASES)
def test_no_digit_outside_references(name: str, language: Language) -> None:
    page_soup = soup(name, language)
    for element in page_soup.find_all(["data", "style"]):
        element.decompose()
    assert re.findall(r".{0,20}\d.{0,20}", page_soup.get_text()) == []
    spoken = [element[key] for key in ("alt", "title", "aria-label") for element in page_soup.find_all(attrs={key: True})]
    assert [text for text in spoken if re.search(r"\d", text)] == []


@pytest.mark.parametrize(("name", "language"), CASES)
def test_pdf_prints_the_same_numbers_in_the_same_order(name: str, language: Language) -> None:
    briefing = page(name, language)
    assert pdf_numbers(briefing.pdf) == html_numbers(briefing.html)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_both_languages_print_the_same_values(name: str, language: Language) -> None:
    other: Language = "en" if language == "zh" else "zh"

    def pointers(which: Language) -> set[str]:
        return {re.sub(r"/(zh|en)$", "", element["data-ref"]) for element in soup(name, which).find_all("data")}

    assert pointers(language) == pointers(other)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_page_is_self_contained_and_described(name: str, language: Language) -> None:
    html, page_soup = page(name, language).html, soup(name, language)
    assert page_soup.html is not None and page_soup.html["lang"] == {"zh": "zh-CN", "en": "en"}[language]
    assert not page_soup.find_all(["script", "link", "iframe"]) and "http://" not in html and "https://" not in html
    images = page_soup.find_all("img")
    assert len(images) == len(page(name, language).figures)
    assert all(len(image["alt"]) > 20 and image["src"].startswith("data:image/png;base64,") for image in images)
    assert page_soup.find("main") and page_soup.find("header") and page_soup.find("footer") and page_soup.find("a", class_="skip")
    assert all(cell.get("scope") for cell in page_soup.find_all("th"))
    assert page_soup.find("a", href=f"{page(name, language).slug}.{'en' if language == 'zh' else 'zh'}.html")


@pytest.mark.parametrize(("name", "language"), CASES)
def test_every_caption_names_the_kind_of_data(name: str, language: Language) -> None:
    evaluation = MAKERS[name]()
    words = {
        "zh": {"observed": "观测数据", "simulated": "模拟数据"},
        "en": {"observed": "Observed data", "simulated": "Simulated data"},
    }
    word = words[language][evaluation.data_kind]
    blocks = compose(evaluation, language).blocks
    captions = [plain(block.caption) for block in blocks if isinstance(block, Table | Figure)]
    assert len(captions) > 8 and all(word in text for text in captions)
    assert (name == "simulated") == any(isinstance(block, Callout) and block.role == "simulated" for block in blocks)


def test_the_same_record_gives_the_same_bytes() -> None:
    first, again = page("simulated", "zh"), render_briefing(factories.simulated_with_companion(), "zh")
    assert first == again


@pytest.mark.parametrize("language", LANGUAGES)
def test_simulated_figures_are_marked_in_their_pixels(language: Language) -> None:
    simulated = factories.simulated()
    observed = replace(simulated, data_kind="observed")
    marked = draw_figures(simulated, speaker_of(simulated, language))
    plainly = draw_figures(observed, speaker_of(observed, language))
    for name in marked:
        difference = np.abs(pixels(marked[name]).astype(int) - pixels(plainly[name]).astype(int)).max(axis=2) > 8
        height, width = difference.shape
        # The watermark crosses the middle; the label stands in the upper right corner of both, in different words.
        assert difference[height // 4 : -height // 4, width // 4 : -width // 4].sum() > 500, name
        assert difference[: height // 6, -width // 3 :].sum() > 50, name


def pixels(png: bytes) -> np.ndarray:
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_observed_figures_name_their_kind_in_their_pixels() -> None:
    observed = factories.observed()
    figures = draw_figures(observed, speaker_of(observed, "en"))
    for name, png in figures.items():
        image = pixels(png)
        corner = image[: image.shape[0] // 8, -image.shape[1] // 4 :]
        assert (corner.min(axis=2) < 160).sum() > 50, name


def test_a_missing_glyph_is_an_error() -> None:
    evaluation = factories.observed()
    policy = replace(evaluation.policy, label=Bilingual(zh="补助\U0001f600", en="grant"))
    with pytest.raises(DataError, match="glyph"):
        render_briefing(replace(evaluation, policy=policy), "zh")


def test_withheld_and_unavailable_numbers_are_dashes_with_a_note() -> None:
    page_soup = soup("released", "en")
    missing = page_soup.find_all("data", class_="missing")
    withheld = [element for element in missing if element["title"] == "withheld to protect firms"]
    assert len(withheld) >= 5 and all(element.get_text() == DASH and element["value"] == "" for element in withheld)
    assert "“—”: withheld to protect firms." in page_soup.get_text()
    assert "firms" not in [element["value"] for element in missing]


def test_a_headline_without_estimate_says_so() -> None:
    gone = Unavailable("no effect from treatment on is identified")
    evaluation = factories.observed()
    headline = replace(
        evaluation.headline, estimate=gone, std_error=gone, p_value=gone, conf_low=gone, conf_high=gone, percent=None
    )
    claim = replace(evaluation.claim, kind="not_estimated")
    briefing = render_briefing(
        replace(evaluation, headline=headline, claim=claim, policy=replace(evaluation.policy, reading=())), "en"
    )
    text = BeautifulSoup(briefing.html, "html.parser").get_text()
    assert "was not estimated" in text and "“—”: cannot be given (no effect from treatment on is identified)." in text


def test_cannot_tell_is_never_no_effect() -> None:
    for language, forbidden in (("zh", ("没有影响。", "无效果", "未发现")), ("en", ("no effect of", "has no effect"))):
        claim = next(block for block in compose(factories.observed(), language).blocks if isinstance(block, Callout))
        said = next(plain(block.content) for block in claim.blocks if isinstance(block, Paragraph) and block.role == "claim")
        assert not any(word in said for word in forbidden)


def test_a_suggestive_claim_names_no_size() -> None:
    evaluation = factories.observed()
    for direction in ("increase", "decrease", "none"):
        claim = replace(evaluation.claim, kind="suggestive", direction=direction)
        for language in LANGUAGES:
            blocks = compose(replace(evaluation, claim=claim), language).blocks
            box = next(block for block in blocks if isinstance(block, Callout))
            said = next(block for block in box.blocks if isinstance(block, Paragraph) and block.role == "claim")
            assert not re.search(r"\d", plain(said.content))


def test_files_are_written_whole_below_the_audience(tmp_path) -> None:  # type: ignore[no-untyped-def]
    briefing = page("released", "zh")
    paths = briefing.write(tmp_path)
    folder = tmp_path / "release" / "training_grants-log_scrap.observed"
    assert (
        folder / "training_grants-log_scrap.observed.zh.html" in paths
        and folder / "training_grants-log_scrap.observed.zh.pdf" in paths
    )
    assert all(path.is_file() and ".observed.zh." in path.name for path in paths) and not list(tmp_path.rglob("*.part"))
    assert paths[1].read_bytes() == briefing.pdf and briefing.pdf.startswith(b"%PDF-")


def test_a_briefing_can_be_made_from_a_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = factories.observed().write(tmp_path)
    assert render_briefing(path, "zh") == render_briefing(path.parent, "zh") == page("observed", "zh")


def test_unknown_languages_are_refused() -> None:
    with pytest.raises(ParameterError, match="wording"):
        render_briefing(factories.observed(), "fr")  # type: ignore[arg-type]
