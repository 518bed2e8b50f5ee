"""The error tree: one form for every refusal, one exit code per kind.

A refusal says what is wrong, how often, where, which rows first, and what to do; all problems of one input are raised together.
Rows are named by number, never by value, so that a message may be shown to anybody.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with an input."""

    what: str
    where: str = ""
    first: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        details = (("where", self.where), ("first", self.first), ("remedy", self.remedy))
        return "\n".join([self.what, *(f"    {name:<7} {text}" for name, text in details if text)])


class SmeEvalError(Exception):
    """Base of every error a user can cause; `problems` holds all of them, `exit_code` is the command line's answer."""

    exit_code = 1

    def __init__(self, problems: Problem | str | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(what=problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(self._text())

    def _text(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        return "\n".join([f"{len(self.problems)} problems.", *(f"  {n}. {p}" for n, p in enumerate(self.problems, start=1))])

    def report(self) -> str:
        """The text that a person sees: the kind of error and all its problems."""
        return f"{type(self).__name__}: {self}"

    def __reduce__(self) -> tuple[type[SmeEvalError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class DataError(SmeEvalError):
    """The data break the contract of a panel or a sample."""

    exit_code = 10


class DesignError(SmeEvalError):
    """The choices contradict each other, or name what the data or the policy do not hold."""

    exit_code = 11


class IdentificationError(SmeEvalError):
    """The data and the design are legal, yet the estimand is not identified by them."""

    exit_code = 12


class ParameterError(SmeEvalError):
    """A parameter of a notebook or a command is unknown, mistyped or out of range."""

    exit_code = 13


class VerificationError(SmeEvalError):
    """A record does not match what it claims to have been made from."""

    exit_code = 14


class DisclosureError(SmeEvalError):
    """Something that may not be released was about to be."""

    exit_code = 15


class RunError(SmeEvalError):
    """Some runs failed."""

    exit_code = 16


def suggestion(name: object, choices: Sequence[str]) -> str:
    """`did you mean …?` with the nearest of `choices`, else the list of them."""
    near = difflib.get_close_matches(str(name), choices, n=1)
    return f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(choices)}"


def raise_if_any(error: type[SmeEvalError], problems: Sequence[Problem]) -> None:
    """Raise `error` with all `problems`, if there are any."""
    if problems:
        raise error(problems)
