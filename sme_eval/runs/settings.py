"""Settings typed by a person (`--set name=value`) against the rules of the parameters that they set."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sme_eval.errors import ParameterError, Problem, raise_if_any, suggestion

Value = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one parameter may be: one of `choices`, or a number from `low` to `high` (or one of `exceptions`)."""

    name: str
    kind: type[str] | type[int] | type[float]
    default: Value
    zh: str
    en: str
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    exceptions: tuple[float, ...] = ()

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return "one of: " + ", ".join(self.choices)
        if self.kind is str:
            return "a text"
        noun = "a whole number" if self.kind is int else "a number"
        if math.isinf(self.low):
            return noun
        bounds = f"of at least {self.low:g}" if math.isinf(self.high) else f"from {self.low:g} to {self.high:g}"
        return " or ".join([*(f"{value:g}" for value in self.exceptions), f"{noun} {bounds}"])


def split_settings(texts: Iterable[str]) -> dict[str, str]:
    """`["level=0.9", …]` as a mapping.

    Raises
    ------
    ParameterError
        A text without `=`, or a name that is set twice to different values.
    """
    settings: dict[str, str] = {}
    problems = []
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name:
            problems.append(Problem(what=f"--set {text} is not a setting.", remedy="write --set name=value"))
        elif settings.setdefault(name, value) != value:
            problems.append(Problem(what=f"{name} is set twice.", remedy=f"keep one --set {name}=…"))
    raise_if_any(ParameterError, problems)
    return settings


def read_settings(rules: Iterable[Rule], settings: Mapping[str, object], owner: str) -> dict[str, Value]:
    """Every parameter's value: its default, or what was set, in its own type.

    Raises
    ------
    ParameterError
        Unknown names, values of another type, values that are not allowed: all of them at once.
    """
    known = {rule.name: rule for rule in rules}
    values: dict[str, Value] = {name: rule.default for name, rule in known.items()}
    problems: list[Problem] = []
    for name, given in settings.items():
        if name not in known:
            remedy = suggestion(name, tuple(known))
            problems.append(Problem(what=f"There is no parameter {name!r}.", where=owner, remedy=remedy))
            continue
        value = _typed(known[name], given)
        if value is None or not _is_allowed(known[name], value):
            problems.append(_refusal(known[name], given, owner))
        else:
            values[name] = value
    raise_if_any(ParameterError, problems)
    return values


def _typed(rule: Rule, given: object) -> Value | None:
    """The value in the rule's type; None if it cannot be."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return None
    if rule.kind is str:
        return given.strip() if isinstance(given, str) and given.strip() else None
    if rule.kind is int and isinstance(given, float):
        return None
    try:
        return rule.kind(given)
    except (ValueError, OverflowError):
        return None


def _is_allowed(rule: Rule, value: Value) -> bool:
    if isinstance(value, str):
        return not rule.choices or value in rule.choices
    return value in rule.exceptions or rule.low <= value <= rule.high


def _refusal(rule: Rule, given: object, owner: str) -> Problem:
    near = rule.allowed
    if rule.choices and isinstance(given, str):
        near = suggestion(given, rule.choices)
    return Problem(what=f"{rule.name} is {given!r}.", where=owner, remedy=near)
