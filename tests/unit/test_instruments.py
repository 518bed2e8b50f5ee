"""Instruments: what their facts allow is what their file declares, small samples by formula, and the table of systems."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import sme_eval as sme
from sme_eval.policies.facts import load_facts, load_systems
from sme_eval.policies.instruments import RefusedInstrument, SmallSample, contradictions, verdict_of
from sme_eval.policies.policy import Policy, find_instrument, find_policy, load_instruments, load_policies
from sme_eval.runs.systems import spans, systems_document, verdict
from sme_eval.terms import LANGUAGES

ROOT = Path(__file__).parents[2]
PACKAGED = ROOT / "data" / "policies"
FACTS = load_facts()
INSTRUMENTS = load_instruments()
REFUSED = {name: one for name, one in INSTRUMENTS.items() if isinstance(one, RefusedInstrument)}
PROVIDERS = ("甬智贷", "健峰", "宁波材料所", "宁波股权交易中心", "和义观达", "拓智", "帮企一把", "西北工业大学", "清华", "浙江大学")


def write(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    text = (PACKAGED / f"{name}.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


# --- the packaged files ----------------------------------------------------------------------------------------------


def test_every_fact_with_a_code_has_an_instrument_and_every_system_too() -> None:
    named = {fact for one in INSTRUMENTS.values() for fact in one.facts}
    assert {fact.id for fact in FACTS.values() if fact.codes} <= named
    assert {one.system for one in INSTRUMENTS.values()} - {""} == set(load_systems())


def test_instruments_come_in_the_order_of_the_systems() -> None:
    order = [*load_systems(), ""]
    places = [order.index(one.system) for one in INSTRUMENTS.values()]
    assert places == sorted(places)


def test_evaluable_and_refused_are_told_apart() -> None:
    assert set(load_policies()) == set(INSTRUMENTS) - set(REFUSED)
    for one in INSTRUMENTS.values():
        codes = {code for fact in one.facts for code in FACTS[fact].codes}
        if isinstance(one, Policy) and one.facts:
            assert verdict_of(codes) == "evaluable"
            sme.Design.from_policy(one)
            assert one.threats and one.limits and one.outcomes[one.main_outcome].smallest_effect
        elif isinstance(one, RefusedInstrument) and one.refusal.kind != "other_unit":
            assert verdict_of(codes) == "refused", one.name


@pytest.mark.parametrize("path", sorted(PACKAGED.glob("*.toml")), ids=lambda path: path.stem)
def test_no_provider_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [name for name in PROVIDERS if name in text] == []


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_one_says_why_in_both_languages(name: str) -> None:
    with pytest.raises(sme.DesignError) as caught:
        find_policy(name)
    assert caught.value.exit_code == 11
    assert REFUSED[name].refusal.label.zh in str(caught.value) and REFUSED[name].refusal.label.en in str(caught.value)
    assert find_instrument(name) == REFUSED[name]
    for language in LANGUAGES:
        assert verdict(REFUSED[name], language)


# --- the verdict -----------------------------------------------------------------------------------------------------


@given(st.sets(st.sampled_from("ABCDP")))
def test_the_verdict_is_that_of_the_strongest_code(codes: set[str]) -> None:
    assert (verdict_of(codes) == "evaluable") == ("A" in codes or "B" in codes)


@pytest.mark.parametrize(
    ("codes", "statuses", "refused", "said"),
    [
        ({"F01": "D"}, {"in_force"}, None, "none of its facts is coded A or B"),
        ({"F01": ""}, {"in_force"}, None, "none of its facts"),
        ({"F01": "A"}, {"in_force"}, "small_n", "they can be evaluated"),
        ({"F01": "B"}, {"in_force"}, "descriptive", "they can be evaluated"),
        ({"F01": "AB"}, {"in_force"}, "other_unit", "they can be evaluated"),
        ({"F01": "C"}, {"in_force", "plan"}, "plan", "facts of it are in force"),
        ({"F01": "B"}, {"in_force"}, "other_unit", ""),
        ({"F01": "C"}, {"in_force"}, "small_n", ""),
        ({"F01": "P"}, {"plan"}, "plan", ""),
        ({"F01": "D", "F02": "A"}, {"in_force"}, None, ""),
        ({}, set(), None, ""),
        ({}, set(), "no_comparison", ""),
    ],
)
def test_contradictions_are_named_with_a_remedy(
    codes: Mapping[str, str], statuses: set[str], refused: str | None, said: str
) -> None:
    found = contradictions("x.toml", codes, statuses, refused)  # type: ignore[arg-type]
    assert [said in problem.what for problem in found] == ([True] if said else [])
    assert all(problem.remedy and "x.toml" in problem.where for problem in found)


REFUSAL = '\n[refusal]\nkind = "no_comparison"\nzh = "没有对照。"\nen = "Nobody to compare with."\n'


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("key_giant", ('facts = ["F09"]', 'facts = ["F01"]'), "none of its facts is coded A or B"),
        ("key_giant", ('facts = ["F09"]', 'facts = ["F99"]'), "There is no fact 'F99'"),
        ("key_giant", ('system = "cultivation"', 'system = "cultivaton"'), "did you mean 'cultivation'"),
        ("key_giant", ("\n[checks]", REFUSAL + "\n[checks]"), "treatment is not a known key"),
        ("legal_services", ('facts = ["F61"]', 'facts = ["F02"]'), "they can be evaluated"),
        ("legal_services", ('kind = "no_comparison"', 'kind = "no_comparisson"'), "did you mean 'no_comparison'"),
        ("legal_services", ('kind = "no_comparison"', 'kind = "small_n"'), "small_n belongs to a refusal of kind 'small_n'"),
        ("overseas_ip", ('kind = "other_unit"', 'kind = "no_comparison"'), "unit belongs to a refusal of kind 'other_unit'"),
        ("intellectual_property", ("smallest_effect = 0.03", "smallest_effect = 0"), "smallest_effect is missing or not positive"),
        ("intellectual_property", ('outcome = "log_revenue"', 'outcome = "patents"'), "which needs a logarithm"),
        ("clinics", ('name = "few_firms"\n', ""), "name is missing"),
    ],
)
def test_mistakes_in_a_file_are_named(tmp_path: Path, name: str, change: tuple[str, str], said: str) -> None:
    with pytest.raises(sme.DesignError, match=said) as caught:
        load_policies(write(tmp_path, name, change))
    assert f"{name}.toml" in str(caught.value)


def test_a_policy_of_ones_own_needs_no_facts(tmp_path: Path) -> None:
    text = (PACKAGED / "key_giant.toml").read_text(encoding="utf-8")
    text = text.replace('system = "cultivation"\nfacts = ["F09"]\n', "")
    (tmp_path / "key_giant.toml").write_text(text, encoding="utf-8")
    found = load_policies(tmp_path)["key_giant"]
    assert (found.system, found.facts) == ("", ()) and list(load_instruments(tmp_path)) == ["key_giant"]


# --- small samples ---------------------------------------------------------------------------------------------------


@given(st.floats(0.005, 0.2), st.floats(0.05, 1.0), st.floats(0.5, 20.0), st.integers(5, 5000))
def test_needed_firms_just_reach_the_smallest_effect(effect: float, deviation: float, compared: float, treated: int) -> None:
    """With as many as are needed the smallest effect is detectable, with one fewer it is not."""

    def with_firms(n: int) -> SmallSample:
        return SmallSample(outcome="y", treated=n, smallest_effect=effect, standard_deviation=deviation, compared=compared)

    needed = with_firms(treated).needed
    assert with_firms(needed).detectable <= effect * (1 + 1e-12)
    assert needed == 1 or with_firms(needed - 1).detectable > effect * (1 - 1e-12)


def test_power_is_that_of_a_normal_test() -> None:
    """Oracle: the chance that a two-sided test at five per cent finds an effect of the detectable size."""
    few = SmallSample(outcome="y", treated=42, smallest_effect=0.03, standard_deviation=0.22, compared=5)
    error = 0.22 * math.sqrt(1 / 42 + 1 / 210)
    assert stats.norm.sf(stats.norm.isf(0.025) - few.detectable / error) == pytest.approx(0.8, abs=1e-8)


# --- the table -------------------------------------------------------------------------------------------------------


def test_the_page_of_systems_is_up_to_date() -> None:
    written = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")
    assert written == systems_document(), "out of date: python tools/systems.py"


def test_spans_join_neighbours_and_nothing_else() -> None:
    numbers = np.flatnonzero(np.random.default_rng(0).random(71) < 0.5) + 1
    told = spans(tuple(f"F{n:02d}" for n in numbers))
    found: list[int] = []
    for part in told.split(", "):
        first, _, last = part.replace("F", "").partition("–")
        found += range(int(first), int(last or first) + 1)
    assert found == numbers.tolist()
