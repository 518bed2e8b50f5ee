"""The decision table, row by row."""

from __future__ import annotations

import math

import pytest

from sme_eval.checks.protocol import CheckResult
from sme_eval.evaluation.claim import Evidence, decide


def evidence(low: float, high: float, **changes: object) -> Evidence:
    passed = {"trends": True, "drift": True, "clusters": True, "cohort_sizes": True} | changes.pop("checks", {})
    checks = {name: CheckResult(name=name, passed=value, reason="") for name, value in passed.items()}
    parts = {
        "conf_low": low,
        "conf_high": high,
        "smallest_effect": 0.03,
        "n_clusters": 500,
        "checks": checks,
        "log_scale": True,
        "simulated": False,
        "certification": False,
    }
    return Evidence(**(parts | changes))


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


def test_simulated_data_only_demonstrate() -> None:
    for _, given, _, _ in ROWS:
        from dataclasses import replace

        assert decide(replace(given, simulated=True)).demonstration


def test_caveats() -> None:
    checks = {"trends": None, "clusters": False, "cohort_sizes": None}
    claim = decide(evidence(0.01, 0.05, checks=checks, certification=True))
    assert claim.caveats == ("trends_untestable", "few_clusters", "small_cohorts", "future_shocks")
    assert decide(evidence(0.01, 0.05, checks={"drift": False})).caveats == ("trend_test_may_lack_power",)
    assert decide(evidence(0.01, 0.05)).caveats == ()
