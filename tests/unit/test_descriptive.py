"""A policy file whose headline compares nobody: from the file to both pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sme_eval as sme
from sme_eval.briefing.compose import compose
from sme_eval.briefing.document import Block, Callout, Items, Paragraph, Runs
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_checks import CheckRecord

FILE = Path(__file__).parents[2] / "data" / "policies" / "certification.toml"
HEADLINE = '[design.estimator]\nname = "BeforeAfter"\n\n[[design.alternatives]]\nname = "CallawaySantAnna"\n\n'
SAID = {"zh": "不代表政策影响", "en": "not attributed to the policy"}


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> sme.Policy:
    folder = tmp_path_factory.mktemp("policies")
    text = FILE.read_text(encoding="utf-8")
    start, end = text.index("[design.estimator]"), text.index("[numbers]")
    (folder / FILE.name).write_text(text[:start] + HEADLINE + text[end:], encoding="utf-8")
    return sme.load_policies(folder)["certification"]


@pytest.fixture(scope="module")
def evaluation(declared: sme.Policy) -> Evaluation:
    return sme.evaluate(sme.Design.from_policy(declared), sme.simulate_ningbo(seed=1, scenario="baseline")[0])


def observed(evaluation: Evaluation) -> Evaluation:
    """The same as if the data were observed, which no simulated panel may say of itself."""
    return replace(evaluation, data_kind="observed", claim=replace(evaluation.claim, demonstration=False))


def words(blocks: tuple[Block[Runs], ...]) -> list[str]:
    found: list[str] = []
    for block in blocks:
        if isinstance(block, Callout):
            found += words(block.blocks)
        elif isinstance(block, Paragraph):
            found.append("".join(run.text for run in block.content))
        elif isinstance(block, Items):
            found += ["".join(run.text for run in item) for item in block.items]
    return found


def test_the_claim_describes_and_the_level_is_the_lowest(evaluation: Evaluation) -> None:
    assert (evaluation.claim.kind, evaluation.claim.direction) == ("descriptive_only", "increase")
    assert evaluation.claim.deciding == ("no_comparison",)
    assert evaluation.evidence_level is not None and evaluation.evidence_level.level == 1
    assert evaluation.headline.estimand == "before_after" and evaluation.design.comparison == "nobody"
    assert {check.name for check in evaluation.checks} == {"clusters", "cohort_sizes"}
    assert evaluation.power == (), "there is no effect that it could find"
    assert evaluation.headline.covers_truth is False, "everything that grew is in it"


def test_it_can_stand_beside_another_headline(declared: sme.Policy) -> None:
    swapped = replace(declared, estimator=declared.alternatives[0], alternatives=(declared.estimator,))
    beside = sme.evaluate(sme.Design.from_policy(swapped), sme.simulate_ningbo(seed=1, scenario="clean")[0], lean=True)
    assert [effect.estimand for effect in beside.alternatives] == ["before_after"]
    assert beside.claim.kind != "descriptive_only"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_say_what_it_is_not(evaluation: Evaluation, language: Any) -> None:
    for record in (evaluation, observed(evaluation)):
        text = words(compose(record, language).blocks)
        assert any(SAID[language] in line or "attributes nothing to the policy" in line for line in text)
    shown = words(compose(observed(evaluation), language).blocks)
    assert any(("马里兰" if language == "zh" else "Maryland") in line for line in shown)
    assert not any(("约合每户" if language == "zh" else "per firm (") in line for line in shown), "no size stands behind it"


@pytest.mark.parametrize("direction", ["increase", "decrease", "none"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_form_of_the_sentence(evaluation: Evaluation, language: Any, direction: Any) -> None:
    level = replace(evaluation.headline, percent=None, truth_percent=None)
    for record in (evaluation, replace(evaluation, headline=level, outcome=replace(evaluation.outcome, scale="level"))):
        for one in (record, observed(record)):
            assert compose(replace(one, claim=replace(one.claim, direction=direction)), language).blocks


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_pages_are_made(evaluation: Evaluation, language: Any) -> None:
    briefing = sme.render_briefing(sme.release(evaluation), language)
    assert SAID[language] in briefing.html or "attributes nothing to the policy" in briefing.html
    assert briefing.pdf.startswith(b"%PDF")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_failed_check_is_named_among_the_caveats(evaluation: Evaluation, language: Any) -> None:
    known = CheckRecord(name="placebo_timing", threat="trends", passed=False, reason="placebo_timing_impossible", numbers={})
    unknown = replace(known, name="something_new")
    claim = replace(evaluation.claim, caveats=("check_placebo_timing", "check_something_new", "check_gone"))
    text = words(compose(replace(evaluation, checks=(known, unknown), claim=claim), language).blocks)
    title = {"zh": "虚拟处理年份", "en": "Placebo dates"}[language]
    general = {"zh": "另有一项检验未通过", "en": "A further check failed"}[language]
    assert any(title in line for line in text)
    assert any(line.startswith(general) and "something_new" in line for line in text)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_natural_units_stand_where_a_size_does(language: Any) -> None:
    policy = sme.load_policies()["certification"]
    record = sme.evaluate(sme.Design.from_policy(policy), sme.simulate_ningbo(seed=1, scenario="baseline")[0], lean=True)
    mark = {"zh": "约合每户", "en": "per firm given past growth"}[language]
    for kind, stands in (("consistent", True), ("suggestive", False), ("cannot_tell_power", False)):
        shown = replace(observed(record), claim=replace(record.claim, kind=kind, direction="increase", demonstration=False))
        assert any(mark in line for line in words(compose(shown, language).blocks)) == stands
    assert any(mark in line for line in words(compose(record, language).blocks)), "a demonstration shows it"
