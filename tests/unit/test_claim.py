"""The decision table, row by row."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from sme_eval.checks.protocol import CheckResult
from sme_eval.evaluation import claim as claim_module
from sme_eval.evaluation.claim import BOUND_SHARE, DISTRICT_ALPHA, MINIMUM_CLUSTERS, ONE_SIDED, Bracketed, Evidence, decide


def evidence(low: float, high: float, **changes: object) -> Evidence:
    passed = {"trends": True, "drift": True, "clusters": True, "cohort_sizes": True} | changes.pop("checks", {})
    checks = {name: CheckResult(threat="trends", name=name, passed=value, reason="") for name, value in passed.items()}
    parts = {
        "conf_low": low,
        "conf_high": high,
        "smallest_effect": 0.03,
        "n_clusters": 500,
        "checks": checks,
        "log_scale": True,
        "simulated": False,
        "selected": False,
    }
    return Evidence(**(parts | changes))


def bracket(low: float = 0.01, high: float = 0.05, **changes: object) -> Evidence:
    """A clear bracket around [low, high]; `changes` of the bracket's parts or of the evidence."""
    parts = {
        "robust_low": low,
        "robust_high": high,
        "unconditional": (low + high) / 2,
        "unconditional_error": abs(low + high) / 8,
        "hull_low": low - 0.005,
        "hull_high": high,
        "adjusted_low": 0.001,
    }
    own = {name: changes.pop(name) for name in list(changes) if name in parts}
    return evidence(low, high, given_growth=True, bracket=Bracketed(**(parts | own)), **changes)


def few_districts(low: float, high: float, attainable: float, p: float) -> Evidence:
    few = {"n_clusters": 5, "checks": {"clusters": False}}
    return evidence(low, high, given_growth=True, attainable_p=attainable, permutation_p=p, **few)


def alone(low: float, high: float, **changes: object) -> Evidence:
    """A headline that compares nobody; no trends were asked about."""
    return replace(evidence(low, high, **changes), compares=False, checks={})


ROWS = [
    ("compares nobody, grew", alone(0.1, 0.2), "descriptive_only", "increase"),
    ("compares nobody, shrank", alone(-0.2, -0.1), "descriptive_only", "decrease"),
    ("compares nobody, no clear change", alone(-0.01, 0.01), "descriptive_only", "none"),
    ("compares nobody, few clusters", alone(0.1, 0.2, n_clusters=3), "descriptive_only", "increase"),
    ("no interval", evidence(math.nan, math.nan), "not_estimated", "none"),
    ("few clusters", evidence(0.01, 0.02, n_clusters=9), "cannot_tell_clusters", "none"),
    ("trends rejected, though significant", evidence(0.01, 0.02, checks={"trends": False}), "cannot_tell_trends", "none"),
    ("trends rejected, though a tight zero", evidence(-0.01, 0.01, checks={"trends": False}), "cannot_tell_trends", "none"),
    ("everything holds", evidence(0.01, 0.05), "consistent", "increase"),
    ("everything holds, downwards", evidence(-0.05, -0.01), "consistent", "decrease"),
    ("drift not excluded", evidence(0.01, 0.05, checks={"drift": False}), "suggestive", "increase"),
    ("trends untestable", evidence(0.01, 0.05, checks={"trends": None}), "suggestive", "increase"),
    ("clusters few", evidence(0.01, 0.05, checks={"clusters": False}), "suggestive", "increase"),
    ("tight around zero", evidence(-0.01, 0.02), "no_effect_above", "none"),
    ("tight, trends untestable", evidence(-0.01, 0.02, checks={"trends": None}), "cannot_tell_trends", "none"),
    ("wide around zero", evidence(-0.01, 0.04), "cannot_tell_power", "none"),
    ("bracket agrees", bracket(), "consistent", "increase"),
    ("bracket agrees, downwards", bracket(-0.05, -0.01, hull_low=-0.06, hull_high=-0.005), "consistent", "decrease"),
    ("without growth too imprecise", bracket(unconditional_error=0.02), "suggestive", "increase"),
    ("the drift could make it", bracket(adjusted_low=-0.001), "suggestive", "increase"),
    ("doubly robust covers zero", bracket(robust_low=-0.01, hull_low=0.005), "cannot_tell_power", "none"),
    ("without growth the other sign", bracket(unconditional=-0.01, hull_low=-0.03), "no_effect_above", "none"),
    ("without growth the other sign, wide", bracket(unconditional=-0.01, hull_low=-0.06), "cannot_tell_power", "none"),
    ("hull around zero", bracket(-0.01, 0.02), "no_effect_above", "none"),
    ("hull too wide", bracket(-0.01, 0.06), "cannot_tell_power", "none"),
    ("leads rejected", bracket(checks={"trends": False}), "cannot_tell_trends", "none"),
    ("leads drift", bracket(checks={"drift": False}), "cannot_tell_trends", "none"),
    ("no leads outside the growth window", bracket(checks={"trends": None}), "cannot_tell_trends", "none"),
    ("chance alone could not speak", few_districts(0.1, 0.3, 0.2, 0.2), "cannot_tell_clusters", "none"),
    ("districts, significant", few_districts(0.1, 0.3, 0.001, 0.01), "suggestive", "increase"),
    ("districts, the permutation is not", few_districts(0.1, 0.3, 0.001, 0.2), "cannot_tell_power", "none"),
    ("districts, covers zero", few_districts(-0.1, 0.3, 0.001, 0.6), "cannot_tell_power", "none"),
    ("no smallest effect declared", evidence(-0.01, 0.02, smallest_effect=None), "cannot_tell_power", "none"),
]


@pytest.mark.parametrize(("name", "given", "kind", "direction"), ROWS, ids=[r[0] for r in ROWS])
def test_rows(name: str, given: Evidence, kind: str, direction: str) -> None:
    claim = decide(given)
    assert (claim.kind, claim.direction) == (kind, direction)
    assert not claim.demonstration


def test_the_bound_is_the_larger_end_also_in_per_cent() -> None:
    claim = decide(evidence(-0.02, 0.01))
    assert claim.bound == pytest.approx(0.02)
    assert claim.bound_percent == pytest.approx(100 * math.expm1(0.02))
    assert decide(evidence(-0.02, 0.01, log_scale=False)).bound_percent is None


def test_the_hull_is_what_bounds() -> None:
    claim = decide(bracket(-0.01, 0.02, hull_low=-0.04))
    assert (claim.kind, claim.bound) == ("no_effect_above", 0.04)
    assert pytest.approx(0.05) == BOUND_SHARE * 0.03


def test_simulated_data_only_demonstrate() -> None:
    for _, given, _, _ in ROWS:
        assert decide(replace(given, simulated=True)).demonstration


def test_caveats() -> None:
    checks = {"trends": None, "clusters": False, "cohort_sizes": None}
    claim = decide(evidence(0.01, 0.05, checks=checks, selected=True))
    assert claim.caveats == ("trends_untestable", "few_clusters", "small_cohorts", "future_shocks")
    assert decide(few_districts(0.1, 0.3, 0.2, 0.2)).caveats == ("few_districts",)
    assert decide(evidence(0.01, 0.05, checks={"drift": False})).caveats == ("trend_test_may_lack_power",)
    assert decide(evidence(0.01, 0.05)).caveats == ()


JUST = 1e-9
"""Just inside or outside a threshold."""
SIDES = [
    ("clusters", evidence(0.01, 0.05, n_clusters=MINIMUM_CLUSTERS), "consistent"),
    ("clusters", evidence(0.01, 0.05, n_clusters=MINIMUM_CLUSTERS - 1), "cannot_tell_clusters"),
    ("clusters given growth", bracket(n_clusters=MINIMUM_CLUSTERS), "consistent"),
    ("clusters given growth", bracket(n_clusters=MINIMUM_CLUSTERS - 1), "cannot_tell_clusters"),
    ("few clusters given growth", bracket(checks={"clusters": True}), "consistent"),
    ("few clusters given growth", bracket(checks={"clusters": False}), "suggestive"),
    ("lower end", evidence(JUST, 0.05), "consistent"),
    ("lower end", evidence(0.0, 0.05), "cannot_tell_power"),
    ("upper end", evidence(-0.05, -JUST), "consistent"),
    ("upper end", evidence(-0.05, 0.0), "cannot_tell_power"),
    ("smallest effect", evidence(-0.01, 0.03), "no_effect_above"),
    ("smallest effect", evidence(-0.01, 0.03 + JUST), "cannot_tell_power"),
    ("smallest effect, below", evidence(-0.03, 0.01), "no_effect_above"),
    ("smallest effect, below", evidence(-0.03 - JUST, 0.01), "cannot_tell_power"),
    ("U's errors", bracket(unconditional=0.02, unconditional_error=0.02 / (ONE_SIDED + JUST)), "consistent"),
    ("U's errors", bracket(unconditional=0.02, unconditional_error=0.02 / (ONE_SIDED - JUST)), "suggestive"),
    ("U's sign", bracket(unconditional=JUST, unconditional_error=1.0), "suggestive"),
    ("U's sign", bracket(unconditional=0.0, unconditional_error=1.0), "cannot_tell_power"),
    ("the drift taken off", bracket(adjusted_low=JUST), "consistent"),
    ("the drift taken off", bracket(adjusted_low=0.0), "suggestive"),
    ("B's interval", bracket(robust_low=JUST), "consistent"),
    ("B's interval", bracket(robust_low=0.0), "cannot_tell_power"),
    ("the hull's end", bracket(-0.01, 0.02, hull_high=BOUND_SHARE * 0.03), "no_effect_above"),
    ("the hull's end", bracket(-0.01, 0.02, hull_high=BOUND_SHARE * 0.03 + JUST), "cannot_tell_power"),
    ("the hull's other end", bracket(-0.02, 0.01, hull_low=-BOUND_SHARE * 0.03), "no_effect_above"),
    ("the hull's other end", bracket(-0.02, 0.01, hull_low=-BOUND_SHARE * 0.03 - JUST), "cannot_tell_power"),
    ("the hull covers zero", bracket(-0.001, 0.02, hull_low=0.0), "no_effect_above"),
    ("the hull covers zero", bracket(-0.001, 0.02, hull_low=JUST), "cannot_tell_power"),
    ("attainable p", few_districts(0.1, 0.3, DISTRICT_ALPHA, 0.01), "suggestive"),
    ("attainable p", few_districts(0.1, 0.3, DISTRICT_ALPHA + JUST, 0.01), "cannot_tell_clusters"),
    ("permutation p", few_districts(0.1, 0.3, 0.001, DISTRICT_ALPHA), "suggestive"),
    ("permutation p", few_districts(0.1, 0.3, 0.001, DISTRICT_ALPHA + JUST), "cannot_tell_power"),
    ("no bracket, no permutation", evidence(0.01, 0.05, given_growth=True), "suggestive"),
    ("no bracket, tight", evidence(-0.01, 0.03, given_growth=True), "no_effect_above"),
    ("no bracket, tight", evidence(-0.01, 0.03 + JUST, given_growth=True), "cannot_tell_power"),
    ("no bracket, drift", evidence(0.01, 0.05, given_growth=True, checks={"drift": False}), "cannot_tell_trends"),
    ("no bracket, drift unknown", evidence(0.01, 0.05, given_growth=True, checks={"drift": None}), "cannot_tell_trends"),
    ("no bracket, untestable", evidence(0.01, 0.05, given_growth=True, checks={"trends": None}), "cannot_tell_trends"),
    ("districts need no drift", replace(few_districts(0.1, 0.3, 0.001, 0.01), checks={}), "suggestive"),
]


@pytest.mark.parametrize(("name", "given", "kind"), SIDES, ids=[f"{n}: {name}" for n, (name, _, _) in enumerate(SIDES)])
def test_both_sides_of_every_threshold(name: str, given: Evidence, kind: str) -> None:
    assert decide(given).kind == kind


def test_every_threshold_stands_on_both_sides() -> None:
    """A constant that is added to the rule needs its two rows here."""
    numbers = {name for name, value in vars(claim_module).items() if name.isupper() and isinstance(value, int | float)}
    assert numbers == {"MINIMUM_CLUSTERS", "DISTRICT_ALPHA", "ONE_SIDED", "BOUND_SHARE"}


def rows_of(text: str) -> list[list[tuple[str, ...]]]:
    """The tables of a text, cell by cell, without their rulers."""
    tables: list[list[tuple[str, ...]]] = []
    before = ""
    for line in text.splitlines():
        if line.startswith("| ") and not before.startswith("|"):
            tables.append([])
        if line.startswith("| "):
            tables[-1].append(tuple(cell.strip() for cell in line.strip("|").split("|")))
        before = line
    return tables


def test_methods_prints_the_table_of_the_code() -> None:
    text = (Path(__file__).parents[2] / "METHODS.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", text.split("\n## Claim\n")[1], flags=re.M)[0]
    printed, coded = rows_of(section), rows_of(claim_module.__doc__ or "")
    assert len(coded) == 2 and [len(table) for table in coded] == [10, 11]
    assert printed[:2] == coded


def test_every_row_of_both_tables_is_reached() -> None:
    """Row by row: the claim that a table names for its condition is made by an example above, in its own table."""
    reached = {(given.given_growth, decide(given).kind) for _, given, *_ in (*ROWS, *SIDES)}
    for growth, table in zip((False, True), rows_of(claim_module.__doc__ or ""), strict=True):
        for _, condition, kind in table[1:]:
            name = kind.split()[0]
            either = {(growth, name), (False, name)} if name == "not_estimated" else {(growth, name)}
            assert either & reached, condition


def test_checks_that_do_not_decide_change_no_row_and_become_caveats() -> None:
    for _, given, kind, _ in ROWS:
        for verdict in (True, False, None):
            extra = CheckResult(name="placebo_timing", threat="trends", passed=verdict, reason="")
            other = decide(replace(given, checks={**given.checks, "placebo_timing": extra}))
            assert other.kind == kind
            assert ("check_placebo_timing" in other.caveats) == (verdict is False)
    assert decide(evidence(0.01, 0.05, checks={"drift": False, "a": False, "b": False})).caveats == (
        "trend_test_may_lack_power",
        "check_a",
        "check_b",
    )


def test_a_description_has_no_caveat_about_a_comparison() -> None:
    assert decide(alone(0.1, 0.2, selected=True)).caveats == ()
    assert decide(alone(math.nan, math.nan)).direction == "none"
