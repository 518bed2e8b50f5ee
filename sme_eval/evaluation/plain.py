"""Frozen dataclasses to plain JSON values and back.

Numbers are stored at 12 significant digits, so that the last bits of a sum do not change a record's bytes. A number that cannot be
given is `{"unavailable": reason}`.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sme_eval.errors import DataError, Problem
from sme_eval.results.unavailable import Unavailable

SIGNIFICANT_DIGITS = 12
UNAVAILABLE_KEY = "unavailable"


def to_plain(value: Any) -> Any:
    """Nested dicts, lists and scalars; NaN is refused, because a missing number must carry its reason."""
    if isinstance(value, Unavailable):
        return {UNAVAILABLE_KEY: value.reason}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a record holds no NaN and no infinity: use Unavailable with the reason")
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return value


def from_plain(kind: Any, value: Any) -> Any:
    """The inverse: `kind` is a type annotation. A value of another form raises DataError."""
    try:
        return _read(kind, value)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            Problem(
                what="This is not an evaluation record of this schema.",
                where=str(error)[:200],
                remedy="run the evaluation again",
            )
        ) from error


def _read(kind: Any, value: Any) -> Any:  # noqa: C901  one answer per form of annotation
    if kind is Any:
        return value
    if kind is Unavailable:
        return Unavailable(value[UNAVAILABLE_KEY])
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _read_union(args, value)
    if origin is Literal:
        if value not in args:
            raise ValueError(f"{value!r} is not one of {args}")
        return value
    if origin is tuple:
        return tuple(_read(args[0], item) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return {key: _read(args[1], item) for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, value)
    if kind is float:
        return float(value)
    if not isinstance(value, kind):
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value


def _read_union(choices: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, Mapping) and set(value) == {UNAVAILABLE_KEY} and Unavailable in choices:
        return Unavailable(value[UNAVAILABLE_KEY])
    failures = []
    for kind in (k for k in choices if k not in (Unavailable, type(None))):
        if (
            isinstance(kind, type)
            and kind in (int, float, str, bool)
            and type(value) is not kind
            and not (kind is float and type(value) is int)
        ):
            continue
        try:
            return _read(kind, value)
        except (KeyError, TypeError, ValueError) as error:
            failures.append(str(error))
    raise ValueError("; ".join(failures) or f"{value!r} has none of the expected forms")


def _read_dataclass(kind: Any, value: Any) -> Any:
    hints = get_type_hints(kind)
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = set(value) - known
    if unknown:
        raise ValueError(f"{kind.__name__} has no {sorted(unknown)}")
    return kind(**{name: _read(hints[name], item) for name, item in value.items()})
