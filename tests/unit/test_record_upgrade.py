"""Records of earlier schema versions stay readable, companions included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sme_eval as sme
from sme_eval.briefing.compose import compose
from sme_eval.checks.trends import EQUIVALENCE_LEVEL
from sme_eval.evaluation.record import SCHEMA_VERSION
from sme_eval.evaluation.record_upgrade import upgrade
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import critical_value

STORED = Path(__file__).parent / "data" / "evaluation_version_1.json"
"""Written by version 1: a landmark design with its companion, whose drift the gate withheld."""


def stored() -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
    return plain


def test_a_stored_record_of_version_1_is_read() -> None:
    assert stored()["schema_version"] == 1 and "threat" not in stored()["checks"][0]
    record = sme.Evaluation.read(STORED)
    assert (record.schema_version, record.companions[0].schema_version) == (SCHEMA_VERSION, SCHEMA_VERSION)
    assert {check.name: check.threat for check in record.checks} == {
        "trends": "trends",
        "drift": "trends",
        "clusters": "inference",
        "cohort_sizes": "inference",
    }
    assert (record.evidence_level, record.natural) == (None, None)


def test_nothing_that_was_in_it_changes() -> None:
    old, new = stored(), json.loads(sme.Evaluation.read(STORED).to_json())
    assert new["policy"] == old["policy"] | {"threats": []}
    for name, value in old.items():
        if name not in ("schema_version", "checks", "companions", "policy"):
            assert new[name] == value, name
    for before, after in zip(old["checks"], new["checks"], strict=True):
        assert {key: after[key] for key in ("name", "passed", "reason")} == {k: before[k] for k in ("name", "passed", "reason")}
        assert before["numbers"].items() <= after["numbers"].items()


def test_the_drift_gets_the_interval_that_its_sentence_quotes() -> None:
    record = sme.Evaluation.read(STORED)
    drift = next(check for check in record.checks if check.name == "drift")
    half = critical_value(EQUIVALENCE_LEVEL, float("inf")) * 0.003
    assert drift.numbers["conf_low"] == pytest.approx(0.002 - half, abs=1e-12)
    assert drift.numbers["conf_high"] == pytest.approx(0.002 + half, abs=1e-12)
    hidden = next(check for check in record.companions[0].checks if check.name == "drift")
    assert hidden.numbers["conf_low"] == hidden.numbers["conf_high"] == Unavailable("withheld: small cell")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_its_pages_can_be_made(language: Any) -> None:
    assert compose(sme.Evaluation.read(STORED), language).blocks


def test_balance_of_version_2_is_drawn_as_balance_and_pairs_of_effects_stay() -> None:
    checks = [{"name": "balance", "figure": "pairs"}, {"name": "coefficient_stability", "figure": "pairs"}, {"name": "balance"}]
    found = upgrade({"schema_version": 2, "checks": checks})
    assert found["schema_version"] == SCHEMA_VERSION
    assert [check.get("figure") for check in found["checks"]] == ["balance", "pairs", None]


def test_a_record_of_today_is_left_alone_and_an_unknown_version_refused() -> None:
    today = json.loads(sme.Evaluation.read(STORED).to_json())
    assert upgrade(today) == today
    for version in (99, "1", None, [1]):
        with pytest.raises(sme.DataError, match="schema version"):
            sme.Evaluation.from_json(json.dumps(stored() | {"schema_version": version}))
