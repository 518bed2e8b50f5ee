"""The Maryland level: a pure function, row by row, and on the policies as they stand."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from sme_eval.evaluation.design import ESTIMATORS
from sme_eval.evaluation.evidence_level import Reason, evidence_level
from sme_eval.policies.rules import Instrument

ROWS = [
    ("BeforeAfter", True, "certification", False, 1, "compares_nobody"),
    ("BeforeAfter", None, "reward", False, 1, "compares_nobody"),
    ("TwoWayFixedEffects", True, "reward", False, 2, "regression_without_tests"),
    ("PanelRegression", None, "reward", False, 2, "regression_without_tests"),
    ("CallawaySantAnna", None, "reward", False, 2, "trends_untestable"),
    ("CallawaySantAnna", False, "reward", False, 2, "trends_rejected"),
    ("CallawaySantAnna", True, "reward", False, 3, "trends_not_rejected"),
    ("LandmarkDiD", True, "certification", True, 3, "selected_by_officials"),
    ("LandmarkDiD", False, "certification", True, 2, "trends_rejected"),
    ("LandmarkDiD", True, "credit", True, 3, "exclusion_fails"),
    ("LandmarkDiD", True, "list", True, 3, "selected_by_officials"),
    ("LandmarkDiD", True, "service", True, 3, "taken_up_by_firms"),
    ("LandmarkDiD", False, "service", True, 2, "trends_rejected"),
    ("InstrumentalVariables", True, "reward", False, 3, "exclusion_fails"),
    ("InstrumentalVariables", None, "credit", False, 2, "trends_untestable"),
]


@pytest.mark.parametrize(("estimator", "trends", "instrument", "selected", "level", "reason"), ROWS)
def test_rows(estimator: str, trends: bool | None, instrument: str, selected: bool, level: int, reason: str) -> None:
    found = evidence_level(estimator, trends, instrument=instrument, selected=selected)
    assert (found.level, found.reason) == (level, reason)
    record = found.record()
    assert (record.level, record.reason, record.scale, record.highest) == (level, reason, "maryland", 5)


def test_nothing_here_is_more_than_three_and_rejected_trends_never_three() -> None:
    for estimator in ESTIMATORS:
        for trends in (True, False, None):
            for instrument in get_args(Instrument):
                for selected in (True, False):
                    found = evidence_level(estimator, trends, instrument=instrument, selected=selected)
                    assert found.level <= (3 if trends else 2)


def test_groups_that_formed_themselves_are_the_reason_whatever_the_policy() -> None:
    for instrument in get_args(Instrument):
        found = evidence_level("LandmarkDiD", True, instrument=instrument, selected=True, grouped=True)
        assert (found.level, found.reason) == (3, "treated_in_groups")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_reason_has_words(language: Any) -> None:
    from sme_eval.briefing.wording import load_wording

    words = load_wording(language)
    assert all(words.has(f"evidence_level.{reason}") for reason in get_args(Reason))
