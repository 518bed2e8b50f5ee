"""Finds the parts of one record again in another, and counts the numbers that are not the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from sme_eval.evaluation.plain import UNAVAILABLE_KEY, to_plain

ROUNDING: Final = 1e-9
"""Relative difference below which two stored numbers are the same."""
DECLARED: Final = ("provenance", "design", "policy", "withheld", "schema_version", "audience", "level")
"""Parts of a record that were put in, not found."""
IDENTITY: Final = (
    "key", "outcome", "role", "cohort", "event_time", "rule", "name", "district", "method", "term", "arm", "column", "source",
    "choices", "contrast",
)  # fmt: skip
"""Fields by which a row is found again."""

Item = TypeVar("Item")
Pair = tuple[Item | None, Item | None]


def pairs(old: Iterable[Item], new: Iterable[Item], key: Callable[[Item], Hashable]) -> list[Pair[Item]]:
    """Items with the same key side by side, repeated keys in order; an item without a partner stands alone."""
    before, after = _numbered(old, key), _numbered(new, key)
    return [(before.get(name), after.get(name)) for name in {**before, **after}]


def _numbered(items: Iterable[Item], key: Callable[[Item], Hashable]) -> dict[Hashable, Item]:
    found: dict[Hashable, Item] = {}
    seen: dict[Hashable, int] = {}
    for item in items:
        name = key(item)
        seen[name] = seen.get(name, 0) + 1
        found[(name, seen[name])] = item
    return found


def identity(row: Any) -> Hashable:
    """By what a plain row of a record is found again; the estimator's comparison tells apart uses of one estimator."""
    if not isinstance(row, Mapping):
        return None
    names = [(name, repr(row[name])) for name in IDENTITY if name in row]
    estimator = row.get("estimator")
    if isinstance(estimator, Mapping):
        names.append(("estimator", f"{estimator.get('name')} {estimator.get('choices', {}).get('comparison')}"))
    return tuple(names)


def same(a: float, b: float) -> bool:
    """Whether two stored numbers are the same up to the rounding of a record."""
    return math.isclose(a, b, rel_tol=ROUNDING, abs_tol=1e-12)


def changed_numbers(old: Any, new: Any) -> int:
    """How many found numbers (and verdicts) of two records are not the same; texts do not count."""
    return sum(1 for _ in _changed(_found(old), _found(new)))


def _found(value: Any) -> Any:
    return _without(to_plain(value))


def _without(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without(item) for name, item in value.items() if name not in DECLARED}
    return [_without(item) for item in value] if isinstance(value, list) else value


def _changed(old: Any, new: Any) -> Iterator[None]:
    if isinstance(old, list) and isinstance(new, list):
        for a, b in pairs(old, new, identity):
            yield from _changed(a, b)
    elif isinstance(old, Mapping) and isinstance(new, Mapping) and (UNAVAILABLE_KEY in old) == (UNAVAILABLE_KEY in new):
        for name in {**old, **new}:
            yield from _changed(old.get(name), new.get(name))
    elif not _equal(old, new):
        yield from (None for _ in range(max(1, _leaves(old), _leaves(new))))


def _equal(old: Any, new: Any) -> bool:
    if isinstance(old, str) and isinstance(new, str):
        return True
    if isinstance(old, int | float) and isinstance(new, int | float) and not isinstance(old, bool) and not isinstance(new, bool):
        return same(old, new)
    return bool(old == new)


def _leaves(value: Any) -> int:
    """Numbers and verdicts inside a value."""
    if isinstance(value, Mapping):
        return sum(_leaves(item) for item in value.values())
    if isinstance(value, list):
        return sum(_leaves(item) for item in value)
    return int(value is not None and not isinstance(value, str))
