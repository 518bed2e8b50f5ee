"""The design's sections: power before the claim, the picture of the design, three effects, the bracket, two datings."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache

import pytest
from bs4 import BeautifulSoup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sme_eval.briefing.compose import page_blocks, speaker_of
from sme_eval.briefing.document import Callout, Heading, Say
from sme_eval.briefing.document import Figure as Drawing
from sme_eval.briefing.figure_data import given_years
from sme_eval.briefing.figures import draw_figures
from sme_eval.briefing.figures_design import bracket_axes, compared_axes
from sme_eval.briefing.numbers import format_value
from sme_eval.briefing.pointers import resolve
from sme_eval.briefing.render import Briefing, render_briefing
from sme_eval.evaluation.disclosure import release
from sme_eval.evaluation.record import Evaluation
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import LANGUAGES, Language
from tests import factories
from tests.unit.landmark_record import landmark
from tests.unit.pages import html_numbers, pdf_numbers

ANCHORS = ("power", "design", "estimands", "bracket", "codings")


@cache
def page(language: Language) -> Briefing:
    return render_briefing(landmark(), language)


def section(anchor: str, language: Language, evaluation: Evaluation | None = None) -> str:
    """The text of one section up to the next heading."""
    html = page(language).html if evaluation is None else render_briefing(evaluation, language).html
    heading = BeautifulSoup(html, "html.parser").find(id=anchor)
    assert heading is not None, anchor
    said = []
    for element in heading.find_next_siblings():
        if element.name == "h2":
            break
        said.append(element.get_text())
    return re.sub(r"\s+", " ", " ".join(said))


def headings(evaluation: Evaluation) -> list[str]:
    return [block.anchor for block in page_blocks(evaluation) if isinstance(block, Heading)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_is_the_records_and_the_pdf_prints_the_same(language: Language) -> None:
    record = json.loads(landmark().to_json())
    soup = BeautifulSoup(page(language).html, "html.parser")
    for element in soup.find_all("data"):
        value = resolve(record, element["data-ref"])
        assert element.get_text() == format_value(value, element["data-format"], language), element
    for element in soup.find_all(["data", "style"]):
        element.decompose()
    assert re.findall(r".{0,20}\d.{0,20}", soup.get_text()) == []
    assert pdf_numbers(page(language).pdf) == html_numbers(page(language).html)


def test_power_comes_before_the_claim_and_the_design_before_the_result() -> None:
    blocks = page_blocks(landmark())
    claim = next(n for n, block in enumerate(blocks) if isinstance(block, Callout) and block.role == "claim")
    place = {block.anchor: n for n, block in enumerate(blocks) if isinstance(block, Heading)}
    assert place["power"] < claim < place["background"] < place["design"] < place["estimands"] < place["event-study"]
    assert place["event-study"] < place["bracket"] < place["estimates"] < place["codings"]


def test_records_without_a_landmark_design_have_none_of_it() -> None:
    assert not set(ANCHORS) & set(headings(factories.observed()))
    assert not {"compared", "bracket"} & set(draw_figures(factories.observed(), speaker_of(factories.observed(), "en")))


def test_the_sentence_of_power_says_what_it_says() -> None:
    assert "an effect of 0.038 (3.9%) would be found with probability 80%" in section("power", "en")
    english = section("power", "en")
    assert "found with probability 59.3%" in english and "1.6 samples" in english
    assert "样本须为现有的1.6倍" in section("power", "zh")


def test_few_degrees_of_freedom_are_named() -> None:
    record = landmark()
    few = replace(record, power=(replace(record.power[0], degrees_of_freedom=4), *record.power[1:]))
    assert "t with 4 degrees of freedom" in section("power", "en", few)
    assert "degrees of freedom" not in section("power", "en")


def test_a_withheld_standard_error_leaves_no_sentence_about_power() -> None:
    record = landmark()
    few = replace(record, headline=replace(record.headline, n_treated=4))
    text = section("power", "en", release(few))
    assert "There is no standard error to print" in text and "would be found" not in text


def test_years_of_the_design_are_told_once_where_they_are_one() -> None:
    record = landmark()
    one = replace(record, compared=tuple(replace(row, first_lead=row.last_lead) for row in record.compared))
    assert "2015 to 2016" in section("design", "en")
    assert "to 2016 " not in section("design", "en", one)


def test_a_design_without_leads_says_nothing_of_them() -> None:
    record = landmark()
    none = replace(record, compared=tuple(replace(row, first_lead=None, last_lead=None) for row in record.compared))
    assert "Dashed" in section("design", "en") and "Dashed" not in section("design", "en", none)


def test_the_asked_effect_is_marked_alone() -> None:
    soup = BeautifulSoup(page("en").html, "html.parser")
    heading = soup.find(id="estimands")
    assert heading is not None
    table = heading.find_next("table")
    assert table is not None
    asked = {row.find("th").get_text(): row.find_all("td")[1].get_text() for row in table.find_all("tr")[1:]}  # type: ignore[union-attr]
    assert asked == {"Effect of the step": "no", "Gain since entry": "yes", "Effect of everything so far": "no"}


def test_no_drift_is_told_where_there_are_no_leads() -> None:
    record = landmark()
    assert record.bracket is not None
    nothing = Unavailable("no effect before treatment")
    bare = replace(record.bracket, slope=nothing, slope_error=nothing, reach=nothing, adjusted_low=nothing)
    text = section("bracket", "en", replace(record, bracket=bare))
    assert "no earlier years to use" in text and "still drift" not in text
    without = replace(record, bracket=replace(record.bracket, allowed=None))
    assert "is allowed" in section("bracket", "en") and "is allowed" not in section("bracket", "en", without)


def drawn() -> Axes:
    axes: Axes = Figure().subplots()
    return axes


def test_the_picture_shows_the_years_and_the_counts_of_the_record() -> None:
    record, axes = landmark(), drawn()
    compared_axes(axes, record, speaker_of(record, "en"))
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    spans = sorted((round(b.get_x() + 0.42), round(b.get_x() + b.get_width() - 0.42), b.get_hatch()) for b in boxes)
    assert spans == [(2016, 2018, "////"), (2017, 2019, "////"), (2019, 2021, None), (2020, 2022, None)]
    shown = {text.get_text() for text in axes.texts}
    assert {"50", "5,851", "94", "127", "5,586", "232", "growth conditioned on", "trends tested", "base year"} <= shown


def test_the_hull_is_a_band_behind_the_intervals() -> None:
    record, axes = landmark(), drawn()
    assert record.bracket is not None
    bracket_axes(axes, record, record.bracket, speaker_of(record, "en"))
    (band,) = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert band.get_x() == pytest.approx(float(record.bracket.hull_low))
    assert band.get_x() + band.get_width() == pytest.approx(float(record.bracket.hull_high))
    assert "hull" in {text.get_text() for text in axes.texts}


def test_a_withheld_bracket_is_drawn_without_a_band() -> None:
    record, axes = landmark(), drawn()
    few = release(
        replace(
            record,
            headline=replace(record.headline, n_treated=4),
            alternatives=tuple(replace(effect, n_treated=4) for effect in record.alternatives),
        )
    )
    assert few.bracket is not None
    bracket_axes(axes, few, few.bracket, speaker_of(few, "en"))
    assert len(axes.patches) == 0
    assert set(draw_figures(few, speaker_of(few, "zh"))) >= {"compared", "bracket"}


def test_only_conditioned_years_are_shaded_in_the_event_study() -> None:
    record = landmark()
    assert given_years(record.event_study) == (-3, -1)
    assert given_years(factories.simulated().event_study) is None


def test_every_figure_of_the_page_is_drawn() -> None:
    named = [block.name for block in page_blocks(landmark()) if isinstance(block, Drawing)]
    assert named.index("compared") < named.index("event_study") < named.index("bracket")
    assert set(named) == set(page("zh").figures) == set(page("en").figures)


def test_every_estimand_has_words() -> None:
    for language in LANGUAGES:
        wording = speaker_of(landmark(), language)
        for name in ("step", "own", "bundle"):
            assert wording.runs((Say(f"estimands.{name}.name"), Say(f"estimands.{name}.meaning")))
