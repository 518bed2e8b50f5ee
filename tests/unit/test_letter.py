"""The notebook on the published reply: its tables, drawings, words and record, without a run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sme_eval as sme
from sme_eval.errors import DataError, DesignError, ParameterError
from sme_eval.runs.keys import notebook_estimation
from sme_eval.runs.letter_traps import spring_all
from sme_eval.runs.letter_words import LETTER_WORDS
from sme_eval.runs.page_record import PageRecord, read_page, read_record
from sme_eval.runs.parameters import LetterParameters, values
from sme_eval.runs.plan_file import read_plan
from sme_eval.runs.render import appendix_name, executed_name
from sme_eval.runs.stamp import Stamp, record_file
from sme_eval.terms import LANGUAGES
from tests.unit.test_list_growth import growth, panel

NAMES_OF_PROVIDERS = ("甬智贷", "健峰", "中科院", "宁波材料所", "股权交易中心", "和义观达", "拓智", "清华", "浙大")
languages = pytest.mark.parametrize("language", LANGUAGES)


def tables(language: Any) -> list[Any]:
    made = [show(language) for show in (sme.letter_table, sme.implied_table, sme.traps_table, sme.instruments_table)]
    return [*made, sme.growth_table(growth(panel()), language)]


def test_both_languages_have_the_same_words() -> None:
    english, chinese = LETTER_WORDS["en"], LETTER_WORDS["zh"]
    assert list(english) == list(chinese)
    for key, text in english.items():
        named = [{name.removesuffix("_n") for name in re.findall(r"\{(\w+)", words)} for words in (text, chinese[key])]
        assert named[0] == named[1], key


@languages
def test_tables_show_everything_and_name_no_provider(language: Any) -> None:
    for table in tables(language):
        html = table._repr_html_()
        assert html.count("<tr") == len(table.frame) + 1
        assert "..." not in html and "{" not in html
        assert not [name for name in NAMES_OF_PROVIDERS if name in html]
        assert not table.frame.isna().any(axis=None)
        assert table.caption in repr(table)


@languages
def test_facts_stand_under_their_systems_once(language: Any) -> None:
    table = sme.letter_table(language)
    assert len(table.frame) == 71 and table.frame.iloc[:, 0].nunique() == 12
    html = table._repr_html_()
    assert all(html.count(f"<td>{system}</td>") == 1 for system in table.frame.iloc[:, 0].unique())


def test_a_date_that_the_reply_does_not_state_is_not_shown() -> None:
    frame = sme.letter_table("en").frame
    batches = frame[frame["fact"].str.startswith(("F03", "F04", "F05", "F06"))]
    assert set(batches["as of"]) == {"not stated"}
    assert not frame["as of"][[not fact.date_stated for fact in sme.load_facts().values()]].str.contains(r"\d").any()


def test_percent_and_points_are_written_apart() -> None:
    frame = sme.letter_table("zh").frame.set_index("事项")["数值"]
    assert [value for name, value in frame.items() if str(name)[:3] in ("F30", "F31")] == ["19.84%", "6.78个百分点"]
    frame = sme.letter_table("en").frame.set_index("fact")["number"]
    assert [value for name, value in frame.items() if str(name)[:3] in ("F17", "F08", "F31")] == [
        "rank 4",
        "1:1",
        "6.78 percentage points",
    ]


def test_implied_figures_say_what_they_are_not() -> None:
    frame = sme.implied_table("en").frame.set_index("implied figure")
    gap = frame.loc["balance above that exercise"]
    assert gap["value"] == "84.16 hundred million yuan" and gap["what it is not"] == "An accounting gap, not an effect."
    assert gap["may it be quoted"] == LETTER_WORDS["en"]["refused"]


def test_traps_are_sprung_and_not_only_told() -> None:
    happened = {one.trap.id: one.happened for one in spring_all(sme.load_facts())}
    assert happened["T9"] == "raises" and happened["T16"] == "warns" and happened["T15"] == "missing"
    assert len(happened) == 14
    facts = dict(sme.load_facts())
    # Were the balance of SRDI firms alone, its product with their unsecured share would be an amount: the page must not go on.
    facts["F29"] = replace(facts["F29"], population="srdi", cohort="srdi", marks=())
    with pytest.raises(DesignError, match="T9 should stop"):
        spring_all(facts)


def test_every_instrument_has_a_verdict_and_a_reason() -> None:
    frame = sme.instruments_table("en").frame
    of_the_reply = [one for one in sme.load_instruments().values() if one.system]
    assert len(frame) == len(of_the_reply)
    evaluable = frame["verdict"] == "evaluable"
    assert evaluable.sum() == sum(isinstance(one, sme.Policy) for one in of_the_reply)
    assert frame["verdict"][~evaluable].str.startswith("refused").all()
    assert (frame.iloc[:, -1].str.len() > 0).all()


@languages
def test_the_parts_of_growth_stand_in_the_table(language: Any) -> None:
    frame = sme.growth_table(growth(panel()), language).frame
    assert list(frame.iloc[:, 4]) == ["+7.06", "+14.71", "+5.88", "-12.94", "+14.71"]
    caption = sme.growth_table(growth(panel()), language).caption
    assert LETTER_WORDS[language]["simulated"] in caption and "14.71%" in caption
    assert LETTER_WORDS[language]["observed"] in sme.growth_table(growth(panel(kind="observed")), language).caption


@languages
def test_the_typeface_has_every_word(language: Any) -> None:
    from sme_eval.briefing.typeface import require_glyphs

    require_glyphs("".join(LETTER_WORDS[language].values()), language)


def test_drawings_are_pictures() -> None:
    """In English; the notebook's own run draws them all in Chinese."""
    for show in (sme.plot_batches, sme.plot_populations, sme.plot_points, sme.plot_gap):
        drawing = show("en")
        assert drawing.png.startswith(b"\x89PNG") and repr(drawing)


def test_simulated_growth_is_drawn_as_such() -> None:
    pictures = {sme.plot_list_growth(growth(panel(kind=kind)), "en").png for kind in ("simulated", "observed")}
    assert len(pictures) == 2


# --- the record and its place ----------------------------------------------------------------------------------------


def test_the_record_reads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = panel()
    assert sme.write_letter(one, growth(one), "zh") == "reports/internal/letter/page.json"
    assert sme.write_letter(one, growth(one), "en") == "reports/internal/letter-en/page.json"
    path = record_file(tmp_path / "reports/internal/letter")
    record = read_record(path)
    assert isinstance(record, PageRecord) and record == read_page(path)
    assert (record.slug, record.data_kind, record.says["facts"]["F29"]) == ("letter", "simulated", [1487.49, "yi_yuan"])
    assert record.says["growth"]["parts"] == dict(growth(one).parts)
    assert "facts: 71" in record.summary() and "internal use only" in record.summary()
    assert not (tmp_path / "reports/release").exists()


def test_what_is_no_page_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    path.write_text('{"schema": 0}', encoding="utf-8")
    for file in (path, tmp_path / "none.json"):
        with pytest.raises(DataError, match="no page record"):
            read_page(file)


def test_an_evaluation_is_found_where_there_is_no_page(tmp_path: Path) -> None:
    assert record_file(tmp_path).name == "evaluation.json"


def test_a_plan_has_no_page(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('[[reports]]\nnotebook = "letter"\n', encoding="utf-8")
    with pytest.raises(ParameterError, match="a page without an evaluation") as caught:
        read_plan(tmp_path / "plan.toml")
    assert "sme-eval run letter" in caught.value.problems[0].remedy


def test_pruning_leaves_pages(tmp_path: Path) -> None:
    from sme_eval.runs.history import prune
    from sme_eval.runs.stale import sample_plan

    Stamp(name="letter", slug="letter").write(tmp_path)
    Stamp(name="credit", slug="credit-old").write(tmp_path)
    assert prune(tmp_path, sample_plan()) == ("credit-old",)


def test_a_changed_fact_makes_the_page_stale_and_no_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = values(LetterParameters())
    before, other = notebook_estimation("letter", made), notebook_estimation("credit", made)
    (tmp_path / "data/facts").mkdir(parents=True)
    (tmp_path / "data/facts/land.toml").write_text("", encoding="utf-8")
    assert {key for key, value in notebook_estimation("letter", made).items() if value != before[key]} == {"facts"}
    assert notebook_estimation("credit", made) == other


def test_the_index_says_in_which_language_a_page_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sme_eval.runs.index import write_index
    from sme_eval.runs.keys import notebook_path

    monkeypatch.chdir(tmp_path)
    for language in LANGUAGES:
        one = panel()
        folder = (tmp_path / sme.write_letter(one, growth(one), language)).parent
        (folder / executed_name(folder.name)).write_text(notebook_path("letter").read_text(encoding="utf-8"), encoding="utf-8")
        (folder / appendix_name(folder.name)).write_text("", encoding="utf-8")
    write_index(tmp_path / "reports")
    index = (tmp_path / "reports/index.html").read_text(encoding="utf-8")
    assert all(words in index for words in ("（中文）", "（英文）", "(in Chinese)", "(in English)", "letter-en.notebook.html"))
