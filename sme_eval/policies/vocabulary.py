"""The closed lists that facts draw on, with their names in both languages: `data/facts/vocabulary.toml` and `systems.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from sme_eval.errors import DesignError, Problem, raise_if_any, suggestion
from sme_eval.panel.declarations import Entry, Label, read_tables
from sme_eval.panel.frozen_mapping import FrozenMapping

from .fact_files import fact_file

Kind = Literal[
    "stock", "flow", "rate", "contrast", "price", "rank", "size", "duration", "target", "instrument", "rule", "institution",
    "unknown",
]  # fmt: skip
Exactness = Literal["exact", "at_least", "more_than", "about"]
Status = Literal["in_force", "draft", "plan"]
Code = Literal["A", "B", "C", "D", "P"]
"""A: a firm panel is enough; B: needs linked data; C: monitoring only; D: benchmark, no treatment; P: plan or target."""
Mark = Literal["gross", "net", "changing_list", "base_unstated", "fall", "ceiling"]

SYSTEMS, VOCABULARY = "systems.toml", "vocabulary.toml"
_CLOSED: Final = {
    "kinds": get_args(Kind),
    "exactness": get_args(Exactness),
    "statuses": get_args(Status),
    "codes": get_args(Code),
    "marks": get_args(Mark),
}


@dataclass(frozen=True, slots=True)
class Population:
    """Whom a figure is about; `inside`: every population that is known to hold this one whole."""

    label: Label
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A district or functional zone, and what else it is called."""

    label: Label
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Every closed list by key."""

    systems: Mapping[str, Label]
    units: Mapping[str, Label]
    kinds: Mapping[str, Label]
    exactness: Mapping[str, Label]
    statuses: Mapping[str, Label]
    codes: Mapping[str, Label]
    marks: Mapping[str, Label]
    populations: Mapping[str, Population]
    places: Mapping[str, Place]

    def place(self, name: str) -> str:
        """The key of a place given by key, name or alias; DesignError with a suggestion if there is none."""
        names = {spelling: key for key, place in self.places.items() for spelling in _spellings(key, place)}
        if name not in names:
            where = "data/facts/vocabulary.toml"
            raise DesignError(Problem(what=f"There is no place {name!r}.", where=where, remedy=suggestion(name, tuple(names))))
        return names[name]


def load_systems(folder: str | Path | None = None) -> Mapping[str, Label]:
    """The twelve systems of the published reply by key, in its order.

    Examples
    --------
    >>> list(load_systems())[:3]
    ['cultivation', 'governance', 'rewards']
    """
    problems: list[Problem] = []
    systems = _systems(folder, problems)
    raise_if_any(DesignError, problems)
    return systems


def load_vocabulary(folder: str | Path | None = None) -> Vocabulary:
    """All closed lists.

    Raises
    ------
    DesignError
        A list is missing, or is not the one that the code knows: all problems at once.
    """
    path = fact_file(VOCABULARY, folder)
    problems: list[Problem] = []
    top = Entry(read_tables(path), path.name, problems)
    top.only(("units", "populations", "places", *_CLOSED))
    closed = {key: _labels(top, key, choices) for key, choices in _CLOSED.items()}
    vocabulary = Vocabulary(
        systems=_systems(folder, problems),
        units=_labels(top, "units"),
        populations=_populations(top),
        places=FrozenMapping({key: _place(entry) for key, entry in top.inner("places").items()}),
        kinds=closed["kinds"],
        exactness=closed["exactness"],
        statuses=closed["statuses"],
        codes=closed["codes"],
        marks=closed["marks"],
    )
    raise_if_any(DesignError, problems)
    return vocabulary


def _systems(folder: str | Path | None, problems: list[Problem]) -> Mapping[str, Label]:
    path = fact_file(SYSTEMS, folder)
    return _labels(Entry({"systems": read_tables(path)}, path.name, problems), "systems")


def _labels(top: Entry, key: str, choices: tuple[str, ...] = ()) -> Mapping[str, Label]:
    entries = top.inner(key)
    if choices and set(entries) != set(choices):
        odd = ", ".join(sorted(set(entries) ^ set(choices)))
        top.problems.append(Problem(what=f"[{key}] is not the list that is known: {odd}.", where=top.where))
    # "exact" needs no word: what is exact is printed bare.
    return FrozenMapping({name: Label("", "") if name == "exact" else _label(entry) for name, entry in entries.items()})


def _label(entry: Entry) -> Label:
    entry.only(("zh", "en"))
    return entry.label()


def _place(entry: Entry) -> Place:
    entry.only(("zh", "en", "aliases"))
    return Place(entry.label(), entry.texts("aliases"))


def _populations(top: Entry) -> Mapping[str, Population]:
    entries = top.inner("populations")
    direct = {key: entry.text("within") for key, entry in entries.items()}
    for key, entry in entries.items():
        entry.only(("zh", "en", "within"))
        if direct[key] and (direct[key] not in direct or key in _chain(direct[key], direct)):
            what = f"{key} cannot be within {direct[key]!r}."
            top.problems.append(Problem(what=what, where=entry.where, remedy=suggestion(direct[key], tuple(direct))))
    return FrozenMapping({key: Population(entry.label(), _chain(direct[key], direct)) for key, entry in entries.items()})


def _chain(key: str, direct: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    while key in direct and key not in found:
        found.append(key)
        key = direct[key]
    return tuple(found)


def _spellings(key: str, place: Place) -> tuple[str, ...]:
    return (key, place.label.zh, place.label.en, *place.aliases)
