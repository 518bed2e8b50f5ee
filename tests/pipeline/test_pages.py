"""The pages of real evaluations, from estimation to PDF: what the unit tests prove on made-up records holds for these too."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup

import sme_eval as sme
from sme_eval.briefing.compose import speaker_of
from sme_eval.briefing.document import FORMS, Form
from sme_eval.briefing.figure_reuse import DrawnFigures
from sme_eval.briefing.figures import draw_figures, draw_summary
from sme_eval.briefing.numbers import format_value
from sme_eval.briefing.pointers import resolve
from sme_eval.briefing.render import Briefing, render_forms
from sme_eval.briefing.wording import load_wording
from sme_eval.evaluation.design import Design
from sme_eval.evaluation.disclosure import release
from sme_eval.evaluation.record import Evaluation
from sme_eval.terms import LANGUAGES, Language
from tests.unit.pages import abstract_of, html_numbers, pages_of, pdf_numbers

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FIRMS = 2500
SCENARIOS = {
    "certification": ("baseline", "strong_selection"),
    "credit": ("baseline", "strong_selection"),
    "rewards": ("baseline", "cash_only"),
    "bundle": ("baseline", "price_only"),
}
"""Policy → the scenario of its page and the one beside it."""
CASES = [
    (policy, audience, language)
    for policy in ("training_grants", *SCENARIOS)
    for audience in ("internal", "release")
    for language in LANGUAGES
]


@cache
def evaluation(policy: str, audience: str) -> Evaluation:
    if audience == "release":
        return release(evaluation(policy, "internal"))
    design = Design.from_policy(sme.load_policies()[policy])
    if policy == "training_grants":
        return sme.evaluate(design, sme.open_source("jobtraining"))
    panels = [sme.simulate_ningbo(seed=1, scenario=scenario, firms=FIRMS)[0] for scenario in SCENARIOS[policy]]
    main, companion = (sme.evaluate(design, panel) for panel in panels)
    return main.beside(companion)


@cache
def drawn(policy: str) -> DrawnFigures:
    return DrawnFigures()


@cache
def pages(policy: str, audience: str, language: Language) -> dict[Form, Briefing]:
    return {made.form: made for made in render_forms(evaluation(policy, audience), language, drawn=drawn(policy))}


def page(policy: str, audience: str, language: Language, form: Form = "full") -> Briefing:
    return pages(policy, audience, language)[form]


@pytest.mark.parametrize("policy", ["training_grants", *SCENARIOS])
def test_a_figure_that_is_not_drawn_again_is_the_one_that_would_be(policy: str) -> None:
    """Above all in the released copy: what the gate withheld is in no figure that was drawn before."""
    page(policy, "internal", "en")
    released = evaluation(policy, "release")
    anew = draw_figures(released, speaker_of(released, "en"))
    assert page(policy, "release", "en").figures == anew
    assert page(policy, "release", "en", "bureau").figures == draw_summary(released, speaker_of(released, "en"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("policy", "audience", "language"), CASES)
def test_pages_print_the_record_and_nothing_else(policy: str, audience: str, language: Language, form: Form) -> None:
    record = json.loads(evaluation(policy, audience).to_json())
    briefing = page(policy, audience, language, form)
    soup = BeautifulSoup(briefing.html, "html.parser")
    for element in soup.find_all("data"):
        assert element.get_text() == format_value(resolve(record, element["data-ref"]), element["data-format"], language), element
    assert pdf_numbers(briefing.pdf) == html_numbers(briefing.html)
    for element in soup.find_all(["data", "style"]):
        element.decompose()
    assert re.findall(r".{0,20}\d.{0,20}", soup.get_text()) == []


@pytest.mark.parametrize(("policy", "audience", "language"), CASES)
def test_the_international_form_has_at_most_two_pages(policy: str, audience: str, language: Language) -> None:
    assert pages_of(page(policy, audience, language, "international").pdf) <= 2


@pytest.mark.parametrize(("policy", "audience"), [case[:2] for case in CASES if case[2] == "zh"])
def test_the_abstract_has_at_most_two_hundred_characters(policy: str, audience: str) -> None:
    assert len(abstract_of(evaluation(policy, audience))) <= 200


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_certification_always_says_what_no_rule_guards_against(language: Language, form: Form) -> None:
    text = BeautifulSoup(page("certification", "release", language, form).html, "html.parser").get_text()
    assert load_wording(language).plain("caveat.future_shocks") in text


@pytest.mark.parametrize("policy", ["training_grants", *SCENARIOS])
def test_every_check_column_and_row_has_words(policy: str) -> None:
    """Rows that the data name have labels; a key that is a year or a number needs no word."""
    words = load_wording("zh")
    for check in evaluation(policy, "internal").checks:
        assert words.has(f"check.{check.name}") and words.has(f"reason.{check.reason}"), check.name
        table = check.table
        if table is not None:
            assert [name for name in table.columns if not words.has(f"column.{name}")] == []
            bare = [row.key for row in table.rows if row.label is None and not re.fullmatch(r"[−-]?[\d.]+", row.key)]
            known = (f"row.{check.name}.", "checks.row_")
            assert [key for key in bare if not any(words.has(prefix + key) for prefix in known)] == [], check.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_small_cohorts_are_withheld_from_released_pages(language: Language) -> None:
    released, internal = page("certification", "release", language), page("certification", "internal", language)
    shown = {element["data-ref"] for element in BeautifulSoup(released.html, "html.parser").find_all("data", class_="missing")}
    assert "/cohort_map/cohorts/0/estimate" in shown and "/withheld/0/numbers" in released.html
    assert 'title="withheld' not in internal.html and "为保护企业信息不予公布" not in internal.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_companion_says_what_the_data_cannot_tell(language: Language) -> None:
    text = BeautifulSoup(page("certification", "internal", language).html, "html.parser").get_text()
    assert {"zh": "数据不足以判断", "en": "the data cannot tell"}[language] in text
    assert "companion_0" in page("certification", "internal", language).figures


@pytest.mark.browser
@pytest.mark.parametrize(("policy", "language"), [("training_grants", "zh"), ("certification", "en")])
def test_pages_fit_a_telephone_and_print_what_is_folded(browser: Browser, policy: str, language: Language, tmp_path: Path) -> None:
    file = page(policy, "internal", language).write(tmp_path)[0]
    tab = browser.new_page(viewport={"width": 375, "height": 800})
    tab.goto(file.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= 375
    folded = tab.locator("details table").first
    assert not folded.is_visible()
    tab.emulate_media(media="print")
    assert folded.evaluate("table => table.getBoundingClientRect().height") > 50
    tab.close()
