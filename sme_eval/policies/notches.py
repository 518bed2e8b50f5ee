"""Notches of the certification rules: where what is asked jumps in something that the firm can move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sme_eval.errors import DataError, Problem

from .firm_columns import Numbers, numbers_of, row_count
from .tier_rule_files import find_tier_rule
from .tier_rules import Condition, ConditionGroup, Test, TierRule

_RULE: Final = ("little_giant", 2022)
_REQUIREMENT: Final = "rd"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueBand:
    """Revenue from `since` (inside) to `below` (outside), in ten thousand yuan (万元), and the R&D asked there.

    `intensity` is the share of revenue in per cent, in each of two years; None where no share is enough (the equity route).
    """

    since: float
    below: float
    intensity: float | None


def rd_bands() -> tuple[RevenueBand, ...]:
    """The bands of revenue of the little giants' R&D requirement of 2022, rising; read from the declared rules.

    Examples
    --------
    >>> [(band.since, band.intensity) for band in rd_bands()]
    [(0.0, None), (5000.0, 6.0), (10000.0, 3.0)]
    """
    tests = (one.test for one in _rule().requirements if one.name == _REQUIREMENT)
    branches = [branch for test in tests for branch in (test.parts if isinstance(test, ConditionGroup) else (test,))]
    return tuple(sorted((_band(branch) for branch in branches), key=lambda band: band.since))


def required_rd_intensity(revenue: Any) -> Numbers:
    """R&D as a share of revenue that a little giant needs in each of two years, in per cent (rules of 2022).

    A notch in revenue: 3 from 100 million yuan (10,000 万元) on, 6 from 50 million to below 100 million, and no share is enough
    below 50 million, where new equity of 80 million, R&D of 30 million and half the staff in R&D are asked (NaN). A firm just
    below 100 million needs twice the share that a firm just above needs, so revenue bunches where firms can move it.

    Parameters
    ----------
    revenue
        Operating revenue in ten thousand yuan (万元); one number or one per firm. Missing: NaN.

    Raises
    ------
    DataError
        Revenue that is negative, infinite or no number.

    Examples
    --------
    >>> required_rd_intensity([4_999, 5_000, 9_999, 10_000]).tolist()
    [nan, 6.0, 6.0, 3.0]
    """
    problems: list[Problem] = []
    money = numbers_of(revenue, row_count([revenue]), "revenue", problems, (0.0, np.inf))
    if problems:
        raise DataError(problems)
    required = np.full(len(money), np.nan)
    for band in rd_bands():
        if band.intensity is not None:
            required[(money >= band.since) & (money < band.below)] = band.intensity
    return required


def _rule() -> TierRule:
    return find_tier_rule(*_RULE)


def _band(branch: Test) -> RevenueBand:
    asked = [one for one in (branch.parts if isinstance(branch, ConditionGroup) else (branch,)) if isinstance(one, Condition)]
    bounds = {(one.input, one.how): float(one.bound) for one in asked if isinstance(one.bound, float)}
    return RevenueBand(
        since=bounds.get(("revenue", "at_least"), 0.0),
        below=bounds.get(("revenue", "below"), np.inf),
        intensity=bounds.get(("rd_intensity", "at_least")),
    )
