"""Runs that failed: kept beside the reports until they succeed, so that a plan can say so and the index can list them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from sme_eval.errors import SmeEvalError
from sme_eval.runs.job import CELL
from sme_eval.runs.stamp import write_whole

FILE: Final = "failures.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A run that failed: of what, in which cell of its notebook (empty if in none), and what a person types to try again.

    `when_key` is the digest of what it was made from: where that has changed since, the run may well succeed.
    """

    name: str
    command: str
    cell: str
    cause: str
    when_key: str

    @classmethod
    def of(cls, name: str, command: str, key: str, error: Exception) -> Failure:
        """The failure that `error` tells of."""
        if isinstance(error, SmeEvalError) and error.problems:
            what, _, cell = error.problems[0].what.partition(CELL)
        else:
            what, cell = f"a bug: {error}", ""
        return cls(name=name, command=command, cell=cell.partition("\n")[0], cause=what, when_key=key)


def read_failures(reports: Path) -> dict[str, Failure]:
    """Failures by name; none where the file is missing or no such file."""
    try:
        plain: Any = json.loads((reports / "internal" / FILE).read_text(encoding="utf-8"))
        return {str(one["name"]): Failure(**one) for one in plain}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write_failures(reports: Path, failed: Mapping[str, Failure], succeeded: Iterable[str] = ()) -> None:
    """Add `failed` to the failures that are kept, and take out those that `succeeded` since."""
    kept = {name: one for name, one in {**read_failures(reports), **failed}.items() if name not in set(succeeded)}
    path = reports / "internal" / FILE
    if kept:
        write_whole(path, json.dumps([asdict(one) for one in kept.values()], ensure_ascii=False, indent=1) + "\n")
    else:
        path.unlink(missing_ok=True)
