"""The facts of the published reply: each where the letter has it, and every way to get a file wrong."""

from __future__ import annotations

import re
import shutil
import tomllib
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.cli import main
from sme_eval.policies.facts import find_facts, load_systems
from sme_eval.policies.letter import load_letter, normalise, numeral_value
from sme_eval.policies.vocabulary import load_vocabulary
from sme_eval.runs.facts import describe_letter, is_of_letter

FOLDER = Path(__file__).parents[2] / "data" / "facts"
FACTS = sme.load_facts()
LETTER = load_letter()
NAMES = [f"F{number:02d}" for number in range(1, 72)]
SYSTEMS = {
    "cultivation": (1, 10), "governance": (11, 14), "rewards": (15, 17), "libraries": (18, 25), "finance": (26, 41),
    "land": (42, 43), "intellectual_property": (44, 52), "innovation": (53, 55), "talent": (56, 60), "legal": (61, 61),
    "targets": (62, 70), "digital": (71, 71),
}  # fmt: skip
# As counted by hand from the letter; None: no number.
VALUES = {
    "F01": 8997, "F02": 283, "F03": 5, "F04": 50, "F05": 127, "F06": 101, "F07": 3.1, "F08": 4, "F09": 66, "F10": 3, "F14": 21,
    "F15": 100, "F16": 50, "F17": 1, "F19": 1566, "F20": 715, "F21": 1020, "F22": 2200, "F23": 888, "F24": 862, "F25": 682,
    "F26": 6, "F29": 1487.49, "F30": 19.84, "F31": 6.78, "F32": 5, "F33": 3.61, "F34": 13.3, "F36": 27.82, "F37": 9.13,
    "F39": 135, "F40": 3662, "F41": 17, "F44": 4, "F45": 42, "F46": 12_000, "F47": 18, "F48": 125, "F50": 290, "F51": 94,
    "F52": 56, "F53": 5, "F56": 500, "F57": 500, "F58": 2, "F59": 25, "F60": 95, "F61": 2, "F63": 90, "F65": 5, "F66": 50,
    "F67": 200, "F68": 1,
}  # fmt: skip
UNITS = {
    "F07": "percent", "F30": "percent", "F31": "percentage_points", "F33": "percent", "F34": "percent_relative", "F36": "percent",
    "F37": "percentage_points", "F56": "persons", "F57": "person_times", "F29": "yi_yuan", "F15": "wan_yuan_per_firm",
    "F17": "ratio", "F08": "rank",
}  # fmt: skip


def test_every_fact_is_there_in_order_and_system() -> None:
    assert list(FACTS) == NAMES
    assert list(load_systems()) == list(SYSTEMS)
    for system, (first, last) in SYSTEMS.items():
        assert [int(fact.id[1:]) for fact in FACTS.values() if fact.system == system] == list(range(first, last + 1))
    assert [fact.id for fact in find_facts("rewards")] == ["F15", "F16", "F17"]


def test_values_units_and_exactness() -> None:
    assert {name: fact.value for name, fact in FACTS.items() if fact.value is not None} == VALUES
    assert {name: FACTS[name].unit for name in UNITS} == UNITS
    inexact = {name: fact.exactness for name, fact in FACTS.items() if fact.exactness != "exact"}
    assert inexact == {"F40": "more_than", "F46": "more_than", "F57": "more_than", "F59": "more_than", "F63": "at_least"}
    seconds = {name: (fact.second.value, fact.second.unit) for name, fact in FACTS.items() if fact.second}
    assert seconds == {"F32": (3, "instruments"), "F58": (1, "years"), "F60": (400, "persons")}


@pytest.mark.parametrize("name", NAMES)
def test_words_and_number_stand_where_they_are_said_to(name: str) -> None:
    fact = FACTS[name]
    text = LETTER.normalised
    assert text[fact.offset : fact.offset + len(normalise(fact.words))] == normalise(fact.words)
    # Verbatim: the letter itself, but for line breaks and the page mark, has the same characters.
    assert fact.words in re.sub(r"\s", "", re.sub(r"— \d+ —", "", LETTER.text))
    if fact.numeral:
        at = fact.numeral_offset
        assert at is not None and text[at : at + len(fact.numeral)] == fact.numeral
        assert numeral_value(fact.numeral) == fact.value
        # Not the middle of a longer number.
        assert not (text[at - 1].isdigit() and fact.numeral[0].isdigit()) and not text[at + len(fact.numeral)].isdigit()
    else:
        assert fact.value == (len(fact.counted) or None)


def test_no_two_facts_share_a_number_of_the_letter() -> None:
    offsets = [fact.numeral_offset for fact in FACTS.values() if fact.numeral]
    assert len(offsets) == len(set(offsets)) == 50


def test_status_kind_and_evaluability() -> None:
    assert {name for name, fact in FACTS.items() if fact.status == "draft"} == {"F13"}
    assert {name for name, fact in FACTS.items() if fact.status == "plan"} == set(NAMES[61:])
    assert {name for name, fact in FACTS.items() if fact.kind == "unknown"} == {"F19", "F20", "F21"}
    assert {name for name, fact in FACTS.items() if "P" in fact.codes} == {"F63", "F65", "F66", "F67", "F68", "F69"}
    assert FACTS["F39"].codes == ("A", "B") and FACTS["F54"].codes == ("B", "C")
    assert all(fact.codes for fact in FACTS.values())


def test_what_is_inferred_says_so() -> None:
    unconfirmed = {name for name, fact in FACTS.items() if not fact.confirmed}
    assert unconfirmed == {"F01", "F02", "F03", "F04", "F05", "F06", "F16", "F56", "F70"}
    assert all(FACTS[name].note for name in unconfirmed)
    assert not any(FACTS[f"F0{batch}"].date_stated for batch in range(3, 7))


def test_chinese_and_english_are_both_there_and_name_no_provider() -> None:
    providers = ("甬智贷", "健峰", "中科院", "股权交易中心", "和义观达", "拓智", "帮企一把", "西北工业", "清华", "浙江大学")
    for fact in FACTS.values():
        assert fact.zh.strip() and fact.en.strip() and fact.zh != fact.en
        assert not any(provider in fact.zh + fact.en for provider in providers)
        assert not re.search(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]", fact.zh)


def test_files_have_equal_keys_in_both_languages() -> None:
    def both(value: object) -> None:
        if isinstance(value, dict):
            assert ("zh" in value) == ("en" in value), value
            for inner in value.values():
                both(inner)

    for path in FOLDER.glob("*.toml"):
        both(tomllib.loads(path.read_text(encoding="utf-8")))


def test_the_letter_holds_no_personal_data() -> None:
    text = normalise(LETTER.text)
    assert not re.search(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|\d{7,}", text)
    assert "联系人" not in text and "电话" not in text and "手机" not in text
    # The letter is whole otherwise: its first words, its last, and the seventy-one facts between them.
    assert text.startswith("类别标记:A") and text.endswith("2023年6月12日印发")
    assert "代表:您好!" in text  # the deputy is addressed without a name


def test_populations_nest_without_a_circle() -> None:
    populations = load_vocabulary().populations
    assert populations["key_little_giants"].inside == ("little_giants", "little_giants_nation")
    assert populations["srdi"].inside == ("innovative",)
    # That little giants are all SRDI firms is not known.
    assert "srdi" not in populations["little_giants"].inside


@settings(max_examples=40)
@given(st.text("０9８.％%，、。“”（市家A \n\u3000", max_size=40))
def test_normalising_twice_changes_nothing_and_leaves_no_space(text: str) -> None:
    once = normalise(text)
    assert not any(character.isspace() or character in "０８％，（" for character in once)
    assert normalise(once) == once and len(once) == sum(not character.isspace() for character in text)


@settings(max_examples=40)
@given(st.integers(1, 10**6), st.sampled_from(["", "万", "亿"]))
def test_numerals_mean_what_they_say(number: int, scale: str) -> None:
    assert numeral_value(f"{number}{scale}") == number * {"": 1, "万": 10**4, "亿": 10**8}[scale]


# --- files that are wrong --------------------------------------------------------------------------------------------


def changed(tmp_path: Path, old: str, new: str, name: str = "finance.toml") -> Path:
    shutil.copytree(FOLDER, tmp_path / "facts")
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "facts" / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path / "facts"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("value = 3.61", "value = 3.16", "value is 3.16, its words say '3.61'"),
        ("offset = 1591", "offset = 1590", "offset = 1591"),
        ("新发放贷款平均利率仅", "新发放贷款平均利率达", "take the words from the letter"),
        ('numeral = "3.61"', 'numeral = "2"', "stands in its words 3 times"),
        ('unit = "percentage_points"', 'unit = "percentage_point"', "did you mean 'percentage_points'"),
        ('population = "srdi_and_library"', 'population = "srdi_library"', "did you mean 'srdi_and_library'"),
        ('codes = ["A", "B"]', 'codes = ["E"]', "codes holds 'E'"),
        ('marks = ["changing_list"]', 'marks = ["changing"]', "did you mean 'changing_list'"),
        ('counted = ["资本"', 'counted = ["资金"', "counted: '资金' is not in its words"),
        ('date = "2022-12"', 'date = "end of 2022"', "date is 'end of 2022'"),
        ("exactness", "exactnes", "exactnes is not a known key"),
        ("[F26]", "[F1]", "'F1' is no name of a fact"),
        ("[F26]", "[F02]", "F02 is declared twice"),
        ("date_stated = true", "date_stated = true\nconfirmed = false", "needs a note"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(sme.DesignError) as caught:
        sme.load_facts(changed(tmp_path, old, new))
    assert said in str(caught.value)


def test_all_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    folder = changed(tmp_path, "value = 3.61", "value = 3.16")
    (folder / "finances.toml").write_text("", encoding="utf-8")
    (folder / "land.toml").write_text((FOLDER / "land.toml").read_text(encoding="utf-8").replace('"B"', '"Z"'), encoding="utf-8")
    with pytest.raises(sme.DesignError) as caught:
        sme.load_facts(folder)
    assert len(caught.value.problems) == 4  # the value, two codes, the file that is no system
    assert "did you mean 'finance'" in str(caught.value)


def test_a_vocabulary_that_the_code_does_not_know_is_refused(tmp_path: Path) -> None:
    folder = changed(tmp_path, "[kinds]\n", '[kinds]\nmood = { zh = "口气", en = "mood" }\n', "vocabulary.toml")
    with pytest.raises(sme.DesignError, match=r"\[kinds\] is not the list that is known: mood"):
        sme.load_facts(folder)
    folder = changed(tmp_path / "second", 'within = "innovative"', 'within = "srdi"', "vocabulary.toml")
    with pytest.raises(sme.DesignError, match="srdi cannot be within 'srdi'"):
        load_vocabulary(folder)


# --- the command line ------------------------------------------------------------------------------------------------


def test_facts_are_told_in_both_languages() -> None:
    everything = describe_letter("facts", None)
    for fact in FACTS.values():
        assert fact.id in everything and fact.zh in everything and fact.en in everything
    assert "6.78个百分点" in everything and "6.78 percentage points" in everything and "超过3662家" in everything
    assert "F29" not in describe_letter("facts", "rewards")


def test_one_fact_is_told_with_its_words_and_traps() -> None:
    text = describe_letter("facts", "F33")
    for part in (FACTS["F33"].words, "1591", "T9", "T11", "流量", "flow", "municipal SRDI SMEs"):
        assert part in text
    assert "T12" not in text
    assert "规上工业企业创新" in describe_letter("facts", "F69") and "规划工业企业创新" in describe_letter("facts", "F69")


def test_traps_and_implied_figures_are_told() -> None:
    assert describe_letter("traps", "T9") in describe_letter("traps", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = describe_letter("facts", "implied")
    assert "1241.23亿元" in text and "分母无从得知" in text


def test_mistakes_at_the_command_line_have_a_remedy() -> None:
    with pytest.raises(sme.DesignError, match="did you mean 'finance'"):
        describe_letter("facts", "finanse")
    with pytest.raises(sme.DesignError, match="There is no trap 'T99'"):
        describe_letter("traps", "T99")
    with pytest.raises(sme.ParameterError, match="sme-eval policies facts WHICH"):
        is_of_letter("certification", "F33")
    assert not is_of_letter("certification", None)


def test_the_verb_takes_a_second_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policies", "facts", "F33"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("F33") and said.err == ""
    assert main(["policies", "certification", "F33"]) == 13
