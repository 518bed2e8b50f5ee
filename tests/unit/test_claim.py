"""The decision table, row by row."""

from __future__ import annotations

import math

import pytest

from sme_eval.checks.protocol import CheckResult
from sme_eval.evaluation.claim import BOUND_SHARE, Bracketed, Evidence, decide


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


ROWS = [
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
        from dataclasses import replace

        assert decide(replace(given, simulated=True)).demonstration


def test_caveats() -> None:
    checks = {"trends": None, "clusters": False, "cohort_sizes": None}
    claim = decide(evidence(0.01, 0.05, checks=checks, selected=True))
    assert claim.caveats == ("trends_untestable", "few_clusters", "small_cohorts", "future_shocks")
    assert decide(few_districts(0.1, 0.3, 0.2, 0.2)).caveats == ("few_districts",)
    assert decide(evidence(0.01, 0.05, checks={"drift": False})).caveats == ("trend_test_may_lack_power",)
    assert decide(evidence(0.01, 0.05)).caveats == ()
