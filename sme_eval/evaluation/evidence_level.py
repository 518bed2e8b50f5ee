"""How strong a design is by what it compares: a level of the Maryland scientific methods scale, and why not more.

| level | design |
|---|---|
| 1 | the treated before and after, or without a comparison |
| 2 | a comparison that no test supports: a regression without tests of timing, or trends that are untestable or rejected |
| 3 | a comparison over time whose trends before treatment were tested and not rejected |
| 4, 5 | a valid natural experiment; random assignment: no design here |

Level 3 is the most: officials chose firms for growth and no step of that choice was random, services are taken up by firms that
want them, groups such as the clients of a bank formed themselves, and the credit list moves price and access together, so that its
exclusion as an instrument fails. Source: Sherman et al. (1998); What Works Centre for Local Economic Growth (2016), whose reading
of difference-in-differences this follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .record_reading import EvidenceLevelRecord

Reason = Literal[
    "compares_nobody",
    "regression_without_tests",
    "trends_untestable",
    "trends_rejected",
    "exclusion_fails",
    "selected_by_officials",
    "taken_up_by_firms",
    "treated_in_groups",
    "trends_not_rejected",
]
NOBODY: Final = frozenset({"BeforeAfter"})
"""Estimators that compare nobody."""
WITHOUT_TESTS: Final = frozenset({"TwoWayFixedEffects", "PanelRegression"})
"""Regressions that have no effects before treatment to test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLevel:
    """A level from 1 to 3 and the reason why it is not higher."""

    level: int
    reason: Reason

    def record(self) -> EvidenceLevelRecord:
        """As the record holds it."""
        return EvidenceLevelRecord(level=self.level, reason=self.reason)


def evidence_level(estimator: str, trends: bool | None, *, instrument: str, selected: bool, grouped: bool = False) -> EvidenceLevel:
    """The level of a headline by this estimator, whose check of trends passed, failed or could not be asked (None).

    `instrument` is the policy's kind; `selected` says that officials chose the firms by what they had done, `grouped`
    that whole groups of firms are treated.
    """
    if estimator in NOBODY:
        return EvidenceLevel(level=1, reason="compares_nobody")
    if estimator in WITHOUT_TESTS:
        return EvidenceLevel(level=2, reason="regression_without_tests")
    if trends is None:
        return EvidenceLevel(level=2, reason="trends_untestable")
    if not trends:
        return EvidenceLevel(level=2, reason="trends_rejected")
    if grouped:
        return EvidenceLevel(level=3, reason="treated_in_groups")
    if instrument == "service":
        return EvidenceLevel(level=3, reason="taken_up_by_firms")
    if instrument == "credit" or estimator == "InstrumentalVariables":
        return EvidenceLevel(level=3, reason="exclusion_fails")
    return EvidenceLevel(level=3, reason="selected_by_officials" if selected else "trends_not_rejected")
