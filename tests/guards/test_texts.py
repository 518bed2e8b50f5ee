"""The words of the pages: equal keys and placeholders, no digit, and a wording for every key that the package can write."""

from __future__ import annotations

import ast
import itertools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from sme_eval.briefing.numbers import FORMATS
from sme_eval.briefing.speaker import LABELS, REASON, SOURCE, TEMPLATE
from sme_eval.briefing.wording import load_wording, placeholders
from sme_eval.evaluation.record import ClaimKind, Direction
from sme_eval.terms import LANGUAGES

PACKAGE = Path(__file__).parents[2] / "sme_eval"
POLICIES = sorted((PACKAGE.parent / "data" / "policies").glob("*.toml"))
DIGIT = re.compile(r"[0-9０-９]")
WORDS = {language: load_wording(language).templates for language in LANGUAGES}
CHINESE, ENGLISH = WORDS["zh"], WORDS["en"]


def test_both_languages_have_the_same_keys() -> None:
    assert set(CHINESE) == set(ENGLISH)


@pytest.mark.parametrize("key", sorted(CHINESE))
def test_both_languages_have_the_same_placeholders(key: str) -> None:
    assert placeholders(CHINESE[key]) == placeholders(ENGLISH[key])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_template_holds_a_digit(language: str) -> None:
    found = {key: text for key, text in WORDS[language].items() if DIGIT.search(without_placeholders(text))}
    assert found == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_format_exists(language: str) -> None:
    tables = {key.split(".")[1] for key in WORDS[language] if key.startswith("word.")}
    known = {*FORMATS, *LABELS, REASON, SOURCE, TEMPLATE, *tables}
    used = {form for text in WORDS[language].values() for _, form in placeholders(text)}
    assert used <= known


def test_chinese_uses_full_width_punctuation() -> None:
    half = {key: text for key, text in CHINESE.items() if re.search(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]", text)}
    assert half == {}


def without_placeholders(text: str) -> str:
    return re.sub(r"\{[^{}]*\}", "", text)


def bilingual(value: Any, key: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    if isinstance(value, dict):
        if set(value) == {"zh", "en"}:
            yield key, value
        else:
            for name, inner in value.items():
                yield from bilingual(inner, f"{key}.{name}")
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from bilingual(inner, f"{key}.{n}")


@pytest.mark.parametrize("path", POLICIES, ids=lambda p: p.stem)
def test_policy_texts_hold_no_digit_and_refer_to_the_same_values(path: Path) -> None:
    texts = list(bilingual(tomllib.loads(path.read_text(encoding="utf-8"))))
    assert texts
    for key, both in texts:
        assert not DIGIT.search(without_placeholders(both["zh"] + both["en"])), key
        assert placeholders(both["zh"]) == placeholders(both["en"]), key


def test_page_templates_show_no_digit() -> None:
    folder = PACKAGE / "briefing" / "templates"
    for path in folder.glob("*.html"):
        text = re.sub(
            r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<style>.*?</style>|<[^>]*>", "", path.read_text(encoding="utf-8"), flags=re.S
        )
        assert not DIGIT.search(text), path.name
    shown = re.findall(r"\[([^\[\]#=]*)\]", (folder / "briefing.typ").read_text(encoding="utf-8"))
    assert shown and not any(DIGIT.search(text) for text in shown)


# --- every key that the code can put into a record has its words -----------------------------------------------------


def constants(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def trees(*patterns: str) -> Iterator[ast.Module]:
    for pattern in patterns:
        for path in sorted(PACKAGE.glob(pattern)):
            yield ast.parse(path.read_text(encoding="utf-8"))


def keywords(name: str, call: str, *patterns: str) -> set[str]:
    """Text constants that calls of `call` are given as keyword `name` (the values of a choice, not its condition)."""
    found: set[str] = set()
    for node in itertools.chain.from_iterable(ast.walk(tree) for tree in trees(*patterns)):
        if isinstance(node, ast.Call) and called(node) == call:
            for keyword in node.keywords:
                if keyword.arg == name:
                    choice = keyword.value
                    parts = (choice.body, choice.orelse) if isinstance(choice, ast.IfExp) else (choice,)
                    found |= set().union(*(constants(part) for part in parts))
    return found


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def missing(prefix: str, keys: set[str]) -> set[str]:
    assert keys, f"the search for {prefix} found nothing: has the code changed its form?"
    return {key for key in keys if f"{prefix}.{key}" not in CHINESE}


def test_every_check_and_reason_has_words() -> None:
    assert missing("check", keywords("name", "CheckResult", "checks/*.py")) == set()
    assert missing("reason", keywords("reason", "CheckResult", "checks/*.py")) == set()


def test_every_threat_and_kind_of_figure_has_words() -> None:
    from sme_eval.checks.protocol import Figure, Threat

    assert missing("threat", set(get_args(Threat))) == set()
    for prefix in ("checks.figure_", "checks.alternative_"):
        assert [kind for kind in get_args(Figure) if f"{prefix}{kind}" not in CHINESE] == []


def test_every_caveat_has_words() -> None:
    (tree,) = trees("evaluation/claim.py")
    function = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "_caveats")
    table = next(node for node in ast.walk(function) if isinstance(node, ast.Dict))
    assert missing("caveat", {key.value for key in table.keys if isinstance(key, ast.Constant)}) == set()


def test_every_estimator_and_estimand_has_words() -> None:
    from sme_eval.evaluation.design import ESTIMATORS

    assert missing("estimator", {*ESTIMATORS, "PanelRegression"}) == set()
    assert missing("word.estimator", {*ESTIMATORS, "PanelRegression"}) == set()
    assert missing("convention", set(ESTIMATORS)) == set()
    estimands = keywords("estimand", "Fitted", "evaluation/fitting.py") | {"netted"}
    assert missing("word.estimand", estimands) == set() and missing("word.estimand_short", estimands) == set()


def test_every_choice_of_a_design_has_words() -> None:
    import dataclasses

    from sme_eval.evaluation.design import ESTIMATORS

    names = {field.name for kind in ESTIMATORS.values() for field in dataclasses.fields(kind)} - {"level"}
    assert missing("choice", names) == set()


def test_every_rule_of_the_sample_has_words() -> None:
    found: set[str] = set()
    for tree in trees("panel/*.py", "moments/*.py", "evaluation/*.py", "intake/*.py", "simulate/*.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) == "then" and node.args and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
    assert missing("word.rule", found) == set()


def test_every_rule_of_the_gate_has_words() -> None:
    found: set[str] = set()
    for tree in trees("evaluation/disclosure*.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) == "add" and len(node.args) > 1:
                rule = node.args[1]
                parts = (rule.body, rule.orelse) if isinstance(rule, ast.IfExp) else (rule,)
                found |= set().union(*(constants(part) for part in parts))
    assert missing("word.withheld_rule", found) == set()


def test_every_fixed_reason_for_a_missing_number_has_words() -> None:
    found: set[str] = set()
    for tree in trees("**/*.py"):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and called(node) == "Unavailable"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(node.args[0].value)
    assert missing("missing.reason", found) == set()


def test_every_claim_has_words() -> None:
    for kind, direction, mode, scale in itertools.product(
        get_args(ClaimKind), get_args(Direction), ("observed", "demonstration"), ("log", "level")
    ):
        stem = f"claim.{mode}.{kind}"
        keys = (f"{stem}.{direction}_{scale}", f"{stem}.{direction}", f"{stem}.{scale}", f"{stem}.any")
        assert any(key in CHINESE for key in keys), stem
        short = (f"claim_short.{kind}_{direction}", f"claim_short.{kind}")
        assert any(key in CHINESE for key in short), kind
        assert f"word.claim_kind.{kind}" in CHINESE


def test_every_source_of_data_has_words() -> None:
    sources = tomllib.loads((PACKAGE.parent / "data" / "sources.toml").read_text(encoding="utf-8"))
    assert missing("word.data_source", set(sources)) == set()


def test_every_scenario_has_words() -> None:
    from sme_eval.simulate.scenario import SCENARIOS

    assert missing("companion.scenario", set(SCENARIOS)) == set()
    assert missing("word.scenario_heading", set(SCENARIOS)) == set()
