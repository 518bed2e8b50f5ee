"""The bureau's briefing and the two pages: fixed wording for every claim, numbers by reference, drafts that look like drafts."""

from __future__ import annotations

import itertools
import json
import re
import statistics
from dataclasses import replace
from functools import cache
from typing import get_args

import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure as Canvas

from sme_eval.briefing.compose import compose, page_blocks, speaker_of
from sme_eval.briefing.document import Form, Heading, Items, plain
from sme_eval.briefing.figures_summary import summary_axes
from sme_eval.briefing.numbers import format_value
from sme_eval.briefing.pointers import resolve
from sme_eval.briefing.render import Briefing, render_briefing, render_forms
from sme_eval.briefing.sections.findings import findings, title
from sme_eval.briefing.wording import load_wording
from sme_eval.errors import ParameterError
from sme_eval.evaluation.disclosure import release
from sme_eval.evaluation.record import ClaimKind, Direction, Evaluation
from sme_eval.evaluation.record_base import Bilingual
from sme_eval.evaluation.record_checks import CheckRecord
from sme_eval.evaluation.record_recommendations import RecommendationsRecord
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import LANGUAGES, Language
from tests import factories
from tests.unit.landmark_record import landmark
from tests.unit.pages import abstract_of, html_numbers, pages_of, pdf_numbers

SHORT: tuple[Form, ...] = ("bureau", "international")
MAKERS = {
    "observed": factories.observed,
    "simulated": factories.simulated_with_companion,
    "released": factories.released,
    "landmark": landmark,
}
CASES = list(itertools.product(MAKERS, LANGUAGES, SHORT))
CLAIMS = list(itertools.product(get_args(ClaimKind), get_args(Direction)))
MILLIMETRE = 72 / 25.4


@cache
def page(name: str, language: Language, form: Form) -> Briefing:
    return next(iter(render_forms(MAKERS[name](), language, (form,))))


def text_of(briefing: Briefing) -> str:
    return re.sub(r"\s+", " ", BeautifulSoup(briefing.html, "html.parser").get_text())


def recommended() -> Evaluation:
    """An observed evaluation with the recommendations of a named analyst."""
    texts = (("扩大数据收集范围。", "Collect more data."), ("另选对照再作评估。", "Evaluate again with another comparison."))
    return replace(
        factories.observed(),
        recommendations=RecommendationsRecord(
            analyst=Bilingual(zh="张三", en="Zhang San"),
            unit=Bilingual(zh="某研究室", en="Research Office"),
            date="2026-03-01",
            items=tuple(Bilingual(zh=zh, en=en) for zh, en in texts),
        ),
    )


def observed_claim(kind: ClaimKind, direction: Direction) -> Evaluation:
    record = factories.observed()
    return replace(record, claim=replace(record.claim, kind=kind, direction=direction, bound=0.08, bound_percent=8.3))


@pytest.mark.parametrize(("name", "language", "form"), CASES)
def test_every_number_is_a_reference_and_the_pdf_prints_the_same(name: str, language: Language, form: Form) -> None:
    record = json.loads(MAKERS[name]().to_json())
    briefing = page(name, language, form)
    soup = BeautifulSoup(briefing.html, "html.parser")
    for element in soup.find_all("data"):
        value = resolve(record, element["data-ref"])
        assert element.get_text() == format_value(value, element["data-format"], language), element
    assert pdf_numbers(briefing.pdf) == html_numbers(briefing.html)
    for element in soup.find_all(["data", "style"]):
        element.decompose()
    assert re.findall(r".{0,20}\d.{0,20}", soup.get_text()) == []
    assert not soup.find_all(["script", "link", "iframe"])


@pytest.mark.parametrize(("kind", "direction"), CLAIMS)
@pytest.mark.parametrize("mode", ["observed", "demonstration"])
def test_every_claim_has_a_title_an_abstract_and_three_to_five_findings(kind: ClaimKind, direction: Direction, mode: str) -> None:
    record = observed_claim(kind, direction)
    if mode == "demonstration":
        record = replace(factories.simulated(), claim=replace(record.claim, demonstration=True))
    assert len(abstract_of(record)) <= 200
    for language in LANGUAGES:
        speaker = speaker_of(record, language)
        said = plain(speaker.runs(title(record)))
        assert said and not re.search(r"\d", said)
        assert 3 <= len([plain(speaker.runs(finding)) for finding in findings(record)]) <= 5


@pytest.mark.parametrize("kind", ["suggestive", "cannot_tell_power", "cannot_tell_trends", "cannot_tell_clusters", "not_estimated"])
def test_no_size_is_a_finding_where_the_claim_stands_behind_none(kind: ClaimKind) -> None:
    record = observed_claim(kind, "none")
    for language, mark in (("zh", "仅供核查"), ("en", "for inspection")):
        said = plain(speaker_of(record, language).runs(findings(record)[0]))
        assert mark in said and not re.search("至少|at least", said)
    assert load_wording("zh").plain("bureau.note_inspection") in text_of(render_briefing(record, "zh", "bureau"))


@pytest.mark.parametrize("form", SHORT)
def test_a_claim_that_cannot_tell_is_never_no_effect(form: Form) -> None:
    assert "未发现" not in re.sub("未发现明显差别", "", text_of(page("observed", "zh", form)))
    assert "no effect of" not in text_of(page("observed", "en", form)).lower()


@pytest.mark.parametrize("language", LANGUAGES)
def test_simulated_pages_recommend_nothing(language: Language) -> None:
    record = replace(factories.simulated(), recommendations=recommended().recommendations)
    text = text_of(render_briefing(record, language, "bureau"))
    assert load_wording(language).plain("bureau.no_recommendation") in text
    assert not any(word in text for word in ("张三", "Zhang San", "扩大数据收集", "Collect more data"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_an_analyst_the_issuing_unit_is_left_to_fill_in(language: Language) -> None:
    assert {"zh": "建议由签发单位填写。", "en": "To be filled in by the issuing unit."}[language] in text_of(
        page("observed", language, "bureau")
    )


def test_recommendations_name_their_author() -> None:
    briefing = render_briefing(recommended(), "zh", "bureau")
    text = text_of(briefing)
    assert "以下建议由某研究室张三于2026-03-01提出" in text and "扩大数据收集范围。" in text
    assert pdf_numbers(briefing.pdf) == html_numbers(briefing.html)
    assert "张三" not in text_of(render_briefing(recommended(), "zh", "international"))


@pytest.mark.parametrize("form", SHORT)
@pytest.mark.parametrize("language", LANGUAGES)
def test_drafts_say_that_they_are_drafts_on_every_page(language: Language, form: Form) -> None:
    import pypdfium2

    briefing = page("observed", language, form)
    line = load_wording(language).plain(f"{form}.running")
    assert line in text_of(briefing)
    document = pypdfium2.PdfDocument(briefing.pdf)
    squeezed = [re.sub(r"\s", "", sheet.get_textpage().get_text_range()) for sheet in document]
    assert all(re.sub(r"\s", "", line) in text for text in squeezed)


def test_the_bureau_form_has_the_official_measures() -> None:
    """A4; the text block begins 37 mm from the top and 28 mm from the left and is 156 mm wide and 225 mm high."""
    import pypdfium2

    document = pypdfium2.PdfDocument(page("observed", "zh", "bureau").pdf)
    sheet = document[0]
    width, height = sheet.get_size()
    assert (round(width / MILLIMETRE), round(height / MILLIMETRE)) == (210, 297)
    text = sheet.get_textpage()
    boxes = [text.get_rect(n) for n in range(text.count_rects())]
    body = [box for box in boxes if box[1] > 35 * MILLIMETRE - 1 and box[3] < height - 37 * MILLIMETRE + 1]
    assert len(body) > 10
    assert min(box[0] for box in body) > 28 * MILLIMETRE - 1 and max(box[2] for box in body) < (28 + 156) * MILLIMETRE + 1
    # A box ends where its letters do, so single lines vary; the pitch of most is that of 22 lines on 225 mm.
    tops = sorted(box[3] for box in body)
    assert statistics.median(b - a for a, b in itertools.pairwise(tops) if b - a > 20) == pytest.approx(28.9, abs=0.6)


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_pages_are_enough_for_the_worst_case(language: Language) -> None:
    """Every check failed, every caveat, a long claim."""
    record = landmark()
    failed = tuple(
        CheckRecord(name=f"trends_{n}", threat="trends", passed=False, reason="trends_untestable", numbers={}) for n in range(25)
    )
    caveats = ("trends_untestable", "trend_test_may_lack_power", "few_clusters", "small_cohorts", "future_shocks", "few_districts")
    worst = replace(record, checks=failed, claim=replace(record.claim, caveats=caveats), withheld=release(record).withheld)
    assert pages_of(render_briefing(worst, language, "international").pdf) <= 2
    assert load_wording(language).plain("caveat.future_shocks") in text_of(render_briefing(worst, language, "international"))


@pytest.mark.parametrize(("form", "count"), [("bureau", 4), ("international", 0)])
def test_failed_checks_are_told_with_reasons_or_by_name(form: Form, count: int) -> None:
    record = factories.observed()
    failed = tuple(
        CheckRecord(name="trends", threat="trends", passed=False, reason="trends_untestable", numbers={}) for _ in range(6)
    )
    text = text_of(render_briefing(replace(record, checks=failed), "zh", form))
    assert text.count(load_wording("zh").plain("reason.trends_untestable")) == count
    assert {"bureau": "未通过的检验还有：处理前趋势、处理前趋势。", "international": "未通过的检验有：处理前趋势"}[form] in text


def test_chinese_sections_are_numbered_in_words_and_the_annex_is_not() -> None:
    headings = [
        plain(block.content) for block in compose(factories.observed(), "zh", "bureau").blocks if isinstance(block, Heading)
    ]
    assert headings == ["一、主要发现", "二、存在问题", "三、对策建议", "附件"]


@pytest.mark.parametrize("form", SHORT)
def test_findings_are_in_an_ordered_list(form: Form) -> None:
    ordered = [block for block in page_blocks(factories.observed(), form) if isinstance(block, Items) and block.ordered]
    assert len(ordered) >= 1 and 3 <= len(ordered[0].items) <= 5


def test_per_cent_and_percentage_points_do_not_mix() -> None:
    for name in ("brief", "bureau", "international", "implication", "summary"):
        for language, points in (("zh", "百分点"), ("en", "percentage point")):
            for key, text in load_wording(language).templates.items():
                if key.startswith(f"{name}.") and points in text:
                    assert re.search(r"\|coefficient\}\s?(个百分点|percentage points)", text), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_chart_says_at_least_and_at_most_in_words(language: Language) -> None:
    record = landmark()
    axes = Canvas().subplots()
    summary_axes(axes, record, speaker_of(record, language))
    shown = {text.get_text() for text in axes.texts}
    assert record.bracket is not None and record.bracket.hull_percent is not None
    low, high = (
        format_value(v, "percent", language) for v in (record.bracket.hull_percent.conf_low, record.bracket.hull_percent.conf_high)
    )
    assert {"zh": {f"至少 {low}", f"至多 {high}"}, "en": {f"at least {low}", f"at most {high}"}}[language] <= shown
    assert {"zh": "没有影响", "en": "no effect"}[language] in shown


@pytest.mark.parametrize("form", SHORT)
def test_a_withheld_headline_leaves_no_chart_and_says_why(form: Form) -> None:
    record = landmark()
    few = replace(record, headline=replace(record.headline, n_treated=9))
    briefing = render_briefing(release(few), "zh", form)
    assert briefing.figures == {} and "为保护企业信息，部分数值不予公布" in text_of(briefing)
    assert pdf_numbers(briefing.pdf) == html_numbers(briefing.html)


def test_a_headline_without_estimate_makes_short_forms_too() -> None:
    gone = Unavailable("no effect from treatment on is identified")
    record = observed_claim("not_estimated", "none")
    headline = replace(record.headline, estimate=gone, std_error=gone, p_value=gone, conf_low=gone, conf_high=gone, percent=None)
    for form in SHORT:
        assert "未能估计" in text_of(render_briefing(replace(record, headline=headline), "zh", form))


def test_forms_are_files_beside_the_full_page(tmp_path) -> None:  # type: ignore[no-untyped-def]
    paths = [path for form in SHORT for path in page("observed", "zh", form).write(tmp_path)]
    stem = "training_grants-log_scrap.observed.zh"
    names = {path.name for path in paths}
    assert names == {*(f"{stem}.{form}.{ending}" for form in SHORT for ending in ("html", "pdf")), f"{stem}.summary.png"}
    links = {link["href"] for link in BeautifulSoup(page("observed", "zh", "bureau").html, "html.parser").find_all("a")}
    assert {f"{stem}.html", f"{stem}.international.html", f"{stem}.bureau.pdf", f"{stem[:-2]}en.bureau.html"} <= links


def test_the_chart_is_drawn_once_for_both_forms() -> None:
    bureau, international = render_forms(factories.observed(), "en", SHORT)
    assert bureau.figures is international.figures and set(bureau.figures) == {"summary"}


def test_unknown_forms_are_refused() -> None:
    with pytest.raises(ParameterError, match="form"):
        render_briefing(factories.observed(), "zh", "poster")  # type: ignore[arg-type]
