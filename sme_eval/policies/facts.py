"""The figures of the published reply as typed facts, declared in `data/facts/<system>.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sme_eval.errors import DesignError, Problem, raise_if_any, suggestion
from sme_eval.panel.declarations import Label
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.results.text import Printable

from .fact_files import fact_files
from .fact_reader import read_facts
from .letter import load_letter, normalise
from .quantities import Quantity
from .traps import Trap, load_traps, spring
from .vocabulary import SYSTEMS, VOCABULARY, Code, Exactness, Kind, Mark, Status, load_systems, load_vocabulary

__all__ = ["Fact", "Part", "find_facts", "load_facts", "load_systems"]

_NO_FACTS = {SYSTEMS, VOCABULARY, "traps.toml", "implied.toml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A second number in the same words."""

    value: float
    unit: str
    population: str
    exactness: Exactness
    numeral: str = ""
    counted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Printable):
    """One statement of the letter; `load_facts()` reads them.

    `value` is None where there is no number. `words` are the letter's own, found in its normalised text at `offset`; the number
    stands there as `numeral`, or is the count of what is listed (`counted`). `date` is the latest that the letter allows where it
    does not state one. `names` are words with digits that only name. What is an inference is not `confirmed`, and `note` says what.
    Of the rest see `Quantity`.
    """

    id: str
    system: str
    zh: str
    en: str
    value: float | None
    exactness: Exactness
    unit: str | None
    population: str
    kind: Kind
    date: str
    date_stated: bool
    status: Status
    codes: tuple[Code, ...]
    words: str
    offset: int
    numeral: str
    counted: tuple[str, ...]
    names: tuple[str, ...]
    typos: tuple[tuple[str, str], ...]
    second: Part | None
    cohort: str
    inside: tuple[str, ...]
    measure: str
    partition: str
    whole: str
    versus: str
    places: tuple[str, ...]
    marks: tuple[Mark, ...]
    confirmed: bool
    note: Label | None
    traps: tuple[str, ...] = ()

    @property
    def corrected(self) -> str:
        """The letter's words with its typing errors corrected."""
        text = self.words
        for verbatim, correct in self.typos:
            text = text.replace(verbatim, correct)
        return text

    @property
    def numeral_offset(self) -> int | None:
        """Where the number begins in the normalised letter; None if it is not written as one."""
        return self.offset + normalise(self.words).index(self.numeral) if self.numeral else None

    def quantity(self) -> Quantity:
        """The number with its meaning, for typed arithmetic.

        Raises
        ------
        DesignError
            The fact has no number.
        """
        if self.value is None or self.unit is None:
            raise DesignError(Problem(what=f"{self.id} has no number.", where=self.en, remedy="it is an instrument or a rule"))
        shared = (
            "population", "kind", "date", "status", "exactness", "cohort", "inside", "measure", "partition", "whole", "versus",
            "places", "marks",
        )  # fmt: skip
        return Quantity(value=self.value, unit=self.unit, facts=(self.id,), **{name: getattr(self, name) for name in shared})

    def as_outcome(self) -> Quantity:
        """The number as something that has come about.

        Raises
        ------
        TrapError
            T21: it is a draft or a plan.
        """
        if self.status != "in_force":
            spring("T21", self.id)
        return self.quantity()

    def summary(self) -> str:
        """One line: name, number, unit, date, in English."""
        number = "" if self.value is None else f": {self.exactness.replace('_', ' ')} {self.value:.10g} {self.unit}"
        return f"{self.id} {self.en}{number} ({self.population}, {self.kind}, {self.date}, {self.status})"


def load_facts(folder: str | Path | None = None) -> Mapping[str, Fact]:
    """Every fact by name, "F01" to "F71": the project's `data/facts/*.toml` over the packaged ones, or those of `folder` only.

    Raises
    ------
    DesignError
        A file breaks its form, words are not in the letter where they are said to be, or a number is not in its words: all
        problems of all files at once.

    Examples
    --------
    >>> fact = load_facts()["F33"]
    >>> fact.value, fact.unit, fact.population, fact.kind, fact.traps
    (3.61, 'percent', 'srdi', 'flow', ('T1', 'T9', 'T11'))
    """
    vocabulary, letter, traps = load_vocabulary(folder), load_letter(folder), load_traps(folder)
    problems: list[Problem] = []
    files = {name: path for name, path in fact_files(".toml", folder).items() if name not in _NO_FACTS}
    facts: dict[str, Fact] = {}
    for fields in read_facts(files, vocabulary, letter, problems):
        name = fields["id"]
        if name in facts:
            problems.append(Problem(what=f"{name} is declared twice.", where="data/facts/", remedy="keep one of them"))
        second = Part(**fields.pop("second")) if fields["second"] else fields.pop("second")
        facts[name] = Fact(**fields, second=second, traps=_concerned(name, traps))
    _known_in_traps(traps, facts, problems)
    raise_if_any(DesignError, problems)
    return FrozenMapping({name: facts[name] for name in sorted(facts)})


def find_facts(name: str, folder: str | Path | None = None) -> tuple[Fact, ...]:
    """The fact of that name, or all facts of the system of that name; DesignError with a suggestion if there is neither."""
    facts = load_facts(folder)
    found = tuple(fact for fact in facts.values() if name in (fact.id, fact.system))
    if not found:
        choices = (*facts, *load_systems(folder))
        raise DesignError(
            Problem(what=f"There is no fact or system {name!r}.", where="data/facts/", remedy=suggestion(name, choices))
        )
    return found


def _concerned(name: str, traps: Mapping[str, Trap]) -> tuple[str, ...]:
    return tuple(trap.id for trap in traps.values() if name in trap.facts)


def _known_in_traps(traps: Mapping[str, Trap], facts: Mapping[str, Fact], problems: list[Problem]) -> None:
    for trap in traps.values():
        for name in trap.facts:
            if name not in facts:
                problems.append(Problem(what=f"{trap.id} concerns {name}, which is no fact.", where="traps.toml"))
