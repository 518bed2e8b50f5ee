"""Records of earlier schema versions, step by step in the form of today.

Version 1 → 2: checks had no `threat`, and the drift no interval; everything else that is new has a default.
Version 2 → 3: balance was drawn like pairs of effects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sme_eval.checks.trends import EQUIVALENCE_LEVEL
from sme_eval.stats.inference import critical_value

THREATS: Final[Mapping[str, str]] = {"trends": "trends", "drift": "trends", "clusters": "inference", "cohort_sizes": "inference"}
"""Check of version 1 → its threat."""


def upgrade(plain: dict[str, Any]) -> dict[str, Any]:
    """The plain form of a record as the newest schema has it, its companions too; a version without a step stays as it is."""
    while isinstance(version := plain.get("schema_version"), int) and version in _STEPS:
        plain = _STEPS[version](plain)
    companions = plain.get("companions")
    if isinstance(companions, list):
        plain = {**plain, "companions": [upgrade(one) if isinstance(one, dict) else one for one in companions]}
    return plain


def _from_first(plain: dict[str, Any]) -> dict[str, Any]:
    return _with_checks(plain, 2, _first_check)


def _from_second(plain: dict[str, Any]) -> dict[str, Any]:
    return _with_checks(plain, 3, lambda check: {**check, "figure": "balance"} if _is_drawn_balance(check) else check)


def _is_drawn_balance(check: dict[str, Any]) -> bool:
    return check.get("name") == "balance" and check.get("figure") == "pairs"


def _with_checks(plain: dict[str, Any], version: int, step: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    checks = plain.get("checks")
    known = [step(one) if isinstance(one, dict) else one for one in checks] if isinstance(checks, list) else checks
    return {**plain, "schema_version": version, "checks": known}


def _first_check(check: dict[str, Any]) -> dict[str, Any]:
    numbers = check.get("numbers", {})
    if check.get("name") == "drift" and {"drift", "std_error"} <= set(numbers):
        numbers = _with_interval(numbers)
    return {"threat": THREATS.get(check.get("name", ""), "design"), **check, "numbers": numbers}


def _with_interval(numbers: dict[str, Any]) -> dict[str, Any]:
    """The drift's interval, which follows from the drift and its error; withheld where these were."""
    drift, error = numbers["drift"], numbers["std_error"]
    missing = next((value for value in (drift, error) if isinstance(value, dict)), None)
    half = 0.0 if missing is not None else critical_value(EQUIVALENCE_LEVEL, float("inf")) * error
    ends = (missing, missing) if missing is not None else (drift - half, drift + half)
    return {"level": EQUIVALENCE_LEVEL, "conf_low": ends[0], "conf_high": ends[1], **numbers}


_STEPS: Final[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {1: _from_first, 2: _from_second}
"""Version → the step to the next."""
