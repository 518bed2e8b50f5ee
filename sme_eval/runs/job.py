"""A job: what a worker process is told on its standard input, and the words in which it answers."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from sme_eval import errors
from sme_eval.errors import DataError, Problem, SmeEvalError
from sme_eval.runs.settings import Value

NO_ROOM: Final = (errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EDQUOT)
Verb = Literal["run", "evaluate"]
STAGING: Final = "SME_EVAL_STAGING"
"""Set for the kernel of a run: its record goes to this folder, and is published only when everything is done."""
CELL: Final = "\n    cell    "
"""In the words of a failure, before the cell of the notebook that it happened in."""
REPORT: Final = "SME_EVAL_REPORT"
"""Set for the kernel of a run that a plan names: the name of its record."""
MODULES: Final = "modules.json"
"""Beside the staging folder: the modules that the kernel of a run used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Estimate (if `estimation` is given) by notebook or policy `name`, then render (if `rendering` is given).

    `parameters` are what the notebook is given, or the choices of an evaluation. `command` does the same from a terminal. `slug`
    names the record when there is nothing to estimate. Paths are absolute; `staging` is the worker's own folder inside `reports`.
    `report` is the record's name in a plan, empty where it names itself; `pages` are pairs of a language and a form.
    """

    verb: Verb
    name: str
    command: str
    reports: str
    staging: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    slug: str = ""
    report: str = ""
    pages: Sequence[Sequence[str]] = ()
    formats: Sequence[str] = ()
    estimation: Mapping[str, Any] | None = None
    rendering: Mapping[str, Any] | None = None

    def to_json(self) -> str:
        """The job in one line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The job of such a line."""
        return cls(**json.loads(text))


def error_to_plain(error: SmeEvalError) -> dict[str, Any]:
    """An error as a message that crosses processes."""
    return {"error": type(error).__name__, "problems": [asdict(problem) for problem in error.problems]}


def error_from_plain(plain: Mapping[str, Any]) -> SmeEvalError:
    """The error of such a message."""
    return error_class(str(plain["error"]))([Problem(**problem) for problem in plain["problems"]])


def unwritable(error: OSError) -> DataError | None:
    """The refusal that a full disk or a folder that may not be written amounts to; None for errors that are no user's matter."""
    if error.errno not in NO_ROOM:
        return None
    what = f"A file could not be written: {error.strerror}."
    return DataError(Problem(what=what, remedy="make room, or choose another folder; what was there before is as it was"))


def error_class(name: str) -> type[SmeEvalError]:
    """The error of this package called `name`; `RunError` for every other."""
    kind = getattr(errors, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, SmeEvalError) else errors.RunError
