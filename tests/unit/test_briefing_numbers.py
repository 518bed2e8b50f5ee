"""How numbers and templates become text."""

from __future__ import annotations

import pytest

from sme_eval.briefing.document import Own, Say, Value, plain
from sme_eval.briefing.numbers import FORMATS, format_value
from sme_eval.briefing.pointers import from_path, pointer, resolve
from sme_eval.briefing.speaker import Speaker
from sme_eval.briefing.wording import Wording, parse, placeholders
from sme_eval.errors import DataError
from sme_eval.terms import Language

PRINTED = [
    ("coefficient", -0.2518, "−0.252", "−0.252"),
    ("coefficient", -0.0004, "0.000", "0.000"),
    ("coefficient_size", -0.2518, "0.252", "0.252"),
    ("decimals_2", 1.005, "1.00", "1.00"),
    ("p_value", 0.0004, "<0.001", "<0.001"),
    ("p_value", 0.0491, "0.049", "0.049"),
    ("p_statement", 0.0004, "p\u00a0<\u00a00.001", "p\u00a0<\u00a00.001"),
    ("p_statement", 0.5, "p\u00a0=\u00a00.500", "p\u00a0=\u00a00.500"),
    ("percent", -22.26, "−22.3%", "−22.3%"),
    ("percent_size", -22.26, "22.3%", "22.3%"),
    ("percentage_points", -1.23, "−1.2个百分点", "−1.2 percentage points"),
    ("share", 0.945, "94.5%", "94.5%"),
    ("share_points", 0.0161, "1.6", "1.6"),
    ("level", 0.95, "95%", "95%"),
    ("level", 0.999, "99.9%", "99.9%"),
    ("count", 60000, "60000", "60,000"),
    ("samples", 0.875, "0.9", "0.9"),
    ("samples", 99.94, "99.9", "99.9"),
    ("samples", 2034.4, "2034", "2,034"),
    ("year", 2019, "2019", "2019"),
    ("cohort", 2019, "2019", "2019"),
    ("event_time", -3, "−3", "−3"),
    ("event_time", 0, "0", "0"),
    ("event_time", 2, "+2", "+2"),
    ("statistic", 3.416, "3.42", "3.42"),
    ("integer", 7, "7", "7"),
    ("hash", "sha256:" + "7c" * 32, "7c7c7c7c7c7c", "7c7c7c7c7c7c"),
    ("text", "as it stands 1", "as it stands 1", "as it stands 1"),
    ("inside", "Job-training grants", "Job-training grants", "job-training grants"),
    ("inside", "R&D intensity", "R&D intensity", "r&D intensity"),
    ("inside", "GDP", "GDP", "GDP"),
    ("coefficient", {"unavailable": "withheld: small cell"}, "—", "—"),
    ("count", None, "—", "—"),
    ("hash", "", "—", "—"),
    ("amount", 2034.4, "2034", "2,034"),
    ("amount", 99.96, "100.0", "100.0"),
    ("amount", 8.3333, "8.33", "8.33"),
    ("amount", -0.05212, "−0.0521", "−0.0521"),
    ("amount", 0.0, "0", "0"),
    ("assumed", 50.0, "50", "50"),
    ("assumed", 12500.5, "12500.5", "12,500.5"),
    ("assumed", {"unavailable": "the panel has no such column"}, "—", "—"),
]


@pytest.mark.parametrize(("name", "value", "chinese", "english"), PRINTED)
def test_formats(name: str, value: object, chinese: str, english: str) -> None:
    assert (format_value(value, name, "zh"), format_value(value, name, "en")) == (chinese, english)


def test_every_format_is_tested() -> None:
    tested = {name for name, *_ in PRINTED}
    assert {name for name in FORMATS if not name.startswith("decimals_")} <= tested


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(DataError, match="coefficient"):
        format_value(1.0, "coeficient", "zh")


def test_per_cent_and_percentage_points_differ() -> None:
    for language in ("zh", "en"):
        assert "%" not in format_value(1.0, "percentage_points", language)  # type: ignore[arg-type]
        assert "point" not in format_value(1.0, "percent", language) and "点" not in format_value(1.0, "percent", language)  # type: ignore[arg-type]


def test_pointers_escape_their_keys() -> None:
    record = {"a/b": [{"c~d": 5}]}
    where = pointer("a/b", 0, "c~d")
    assert where == "/a~1b/0/c~0d" and resolve(record, where) == 5
    with pytest.raises(DataError, match="does not hold"):
        resolve(record, "/a~1b/1")


def test_paths_lead_from_the_root_or_from_the_object() -> None:
    assert from_path("headline.estimate", at="/x", root="/companions/0") == "/companions/0/headline/estimate"
    assert from_path(".rows.1.estimate", at="/published/0", root="") == "/published/0/rows/1/estimate"
    assert from_path(".", at="/a", root="") == "/a"


def test_templates_are_words_and_placeholders() -> None:
    assert placeholders("x {a.0.b|year} y {.|count}") == {("a.0.b", "year"), (".", "count")}
    with pytest.raises(DataError, match="brace"):
        parse("a {b} c")


def speaker(language: Language = "zh") -> Speaker:
    record = {
        "n": 3,
        "kind": "observed",
        "strange": "unheard_of",
        "flag": None,
        "gone": {"unavailable": "no such reason"},
        "label": {"zh": "标签", "en": "Label"},
        "own": {"zh": "从{n|count}起", "en": "from {n|count}"},
    }
    templates = {
        "one": "{label|label}：{n|count}",
        "fallback": "{.|text}",
        "word.kind.observed": "观测",
        "word.kind.none": "无",
        "words": "{kind|kind}、{flag|kind}、{strange|kind}",
        "reason": "（{gone|reason}）",
        "missing.title.unavailable": "无法给出",
    }
    return Speaker(record, Wording(language, templates))


def test_speaking() -> None:
    speak = speaker()
    assert plain(speak.runs((Say("one"),))) == "标签：3"
    assert plain(speak.runs((Say("absent", otherwise=("fallback",), at="/n"),))) == "3"
    assert plain(speak.runs((Say("words"),))) == "观测、无、unheard_of"
    assert plain(speak.runs((Say("reason"),))) == "（no such reason）"
    assert plain(speak.runs((Own("/own"),))) == "从3起"
    (missing,) = speak.runs((Value("/gone", "count"),))
    assert (missing.text, missing.missing, missing.title) == ("—", "unavailable", "无法给出")  # type: ignore[union-attr]


def test_an_absent_key_names_its_neighbour() -> None:
    with pytest.raises(DataError, match="one"):
        speaker().runs((Say("onee"),))
