"""JSON pointers into a record (RFC 6901)."""

from __future__ import annotations

from typing import Any

from sme_eval.errors import DataError, Problem


def pointer(*steps: str | int) -> str:
    """The pointer of keys and indices, one step each."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def resolve(record: Any, where: str) -> Any:
    """The value at `where`; a DataError if there is none."""
    value = record
    for step in where.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise DataError(
                Problem(
                    what="A text refers to a value that the record does not hold.",
                    where=where,
                    remedy="correct the placeholder, or evaluate again",
                )
            ) from None
    return value


def from_path(path: str, *, at: str, root: str) -> str:
    """The pointer of a template's path: `a.b` leads from `root`, `.a.b` from `at`, `.` is `at` itself."""
    start, steps = (at, path[1:]) if path.startswith(".") else (root, path)
    return start + "".join(pointer(step) for step in steps.split(".") if step)
