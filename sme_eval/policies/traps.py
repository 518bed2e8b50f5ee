"""The traps of the published reply: what its figures seem to say and do not, declared in `data/facts/traps.toml`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NoReturn, cast, get_args

from sme_eval.errors import DesignError, Problem, raise_if_any
from sme_eval.panel.declarations import Entry, Label, read_tables
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.results.text import Printable

from .fact_files import fact_file

How = Literal["raises", "warns", "handled"]
"""raises: a TrapError; warns: a TrapWarning and the trap noted on the result; handled: the code reads it rightly."""

_FILE: Final = "traps.toml"
_ID: Final = re.compile(r"T\d+")
_NAMES: Final = tuple(f"T{number}" for number in range(1, 27))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap(Printable):
    """One trap: its explanation, the facts concerned, what happens, and what to do instead."""

    id: str
    label: Label
    facts: tuple[str, ...]
    how: How
    remedy: Label

    def text(self) -> str:
        """The explanation in both languages, after the trap's name."""
        return f"{self.id}: {self.label.en} · {self.label.zh}"

    def summary(self) -> str:
        """Explanation, facts, what happens and the remedy."""
        return "\n".join(
            [
                f"{self.id} ({self.how}): {self.label.en}",
                f"  {self.label.zh}",
                f"  facts    {' '.join(self.facts) or '-'}",
                f"  instead  {self.remedy.en} · {self.remedy.zh}",
            ]
        )


class TrapError(DesignError):
    """A figure was about to be read as what it is not; `traps` names the traps, each with its own explanation."""

    @property
    def traps(self) -> tuple[str, ...]:
        """Names of the traps that were sprung."""
        return tuple(match.group() for problem in self.problems if (match := _ID.match(problem.what)))


class TrapWarning(UserWarning):
    """A figure may be read so, with the trap's explanation beside it."""


def load_traps(folder: str | Path | None = None) -> Mapping[str, Trap]:
    """Every trap by name, "T1" to "T26", in order: those of the project, or of `folder` only.

    Raises
    ------
    DesignError
        The file breaks its form: all problems at once.

    Examples
    --------
    >>> load_traps()["T9"].facts
    ('F29', 'F33', 'F36')
    """
    path = fact_file(_FILE, folder)
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(path: Path, changed: int) -> Mapping[str, Trap]:
    """The traps of a file as last `changed`: every trap that is sprung asks for them."""
    problems: list[Problem] = []
    top = Entry({"traps": read_tables(path)}, path.name, problems)
    traps = [_read(name, entry) for name, entry in top.inner("traps").items()]
    # The rules of typed arithmetic spring traps by name: none may be missing.
    odd = sorted({trap.id for trap in traps} ^ set(_NAMES))
    problems += [Problem(what=f"{name} is missing or not known.", where=path.name, remedy="T1 to T26, each once") for name in odd]
    raise_if_any(DesignError, problems)
    return FrozenMapping({trap.id: trap for trap in traps})


def _read(name: str, entry: Entry) -> Trap:
    entry.only(("zh", "en", "facts", "how", "remedy"))
    how = cast(How, entry.choice("how", get_args(How)))
    return Trap(id=name, label=entry.label(), facts=entry.texts("facts"), how=how, remedy=entry.label("remedy"))


def spring(trap: str, where: str) -> NoReturn:
    """Raise the trap of that name, in its own words; `where` says what was being done."""
    found = load_traps()[trap]
    raise TrapError(Problem(what=found.text(), where=where, remedy=f"{found.remedy.en} · {found.remedy.zh}"))


def warn(trap: str, where: str) -> None:
    """Warn of the trap of that name, in its own words."""
    warnings.warn(TrapWarning(f"{load_traps()[trap].text()} ({where})"), stacklevel=4)
