"""Reads files of facts strictly: every key known, every word found in the letter, every problem named, all at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sme_eval.errors import Problem, suggestion
from sme_eval.panel.declarations import Entry, Label, read_tables

from .letter import Letter, normalise, numeral_value
from .vocabulary import Vocabulary

_NUMBER_KEYS: Final = ("value", "exactness", "unit", "numeral", "counted")
_KEYS: Final = (
    "zh", "en", *_NUMBER_KEYS, "population", "kind", "date", "date_stated", "status", "codes", "measure", "cohort", "partition",
    "whole", "versus", "places", "marks", "words", "offset", "names", "second", "typos", "confirmed", "note",
)  # fmt: skip
_ID: Final = re.compile(r"F\d\d")
_DATE: Final = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


def read_facts(
    files: Mapping[str, Path], vocabulary: Vocabulary, letter: Letter, problems: list[Problem]
) -> Iterator[dict[str, Any]]:
    """The fields of every fact, file by file; what is wrong is added to `problems`."""
    for name, path in files.items():
        system = path.stem
        if system not in vocabulary.systems:
            remedy = suggestion(system, tuple(vocabulary.systems))
            problems.append(Problem(what=f"{system!r} is no system of facts.", where=name, remedy=remedy))
            continue
        for key, entry in Entry({"facts": read_tables(path)}, name, problems).inner("facts").items():
            if not _ID.fullmatch(key):
                problems.append(Problem(what=f"{key!r} is no name of a fact.", where=name, remedy='such as "F01"'))
            yield {"id": key, "system": system, **_fact(Entry(entry.values, f"{name} [{key}]", problems), vocabulary, letter)}


def _fact(entry: Entry, vocabulary: Vocabulary, letter: Letter) -> dict[str, Any]:
    entry.only(_KEYS)
    label = entry.label()
    population = entry.choice("population", tuple(vocabulary.populations))
    words, offset = _words(entry, letter)
    return {
        "zh": label.zh,
        "en": label.en,
        **_number(entry, words, vocabulary),
        "population": population,
        "inside": vocabulary.populations[population].inside,
        "kind": entry.choice("kind", tuple(vocabulary.kinds)),
        "date": _date(entry),
        "date_stated": entry.flag("date_stated"),
        "status": entry.choice("status", tuple(vocabulary.statuses)),
        "codes": _chosen(entry, "codes", tuple(vocabulary.codes)),
        "measure": entry.text("measure"),
        "cohort": entry.text("cohort") or population,
        "partition": entry.text("partition"),
        **{key: _other_population(entry, key, vocabulary) for key in ("whole", "versus")},
        "places": _chosen(entry, "places", tuple(vocabulary.places)),
        "marks": _chosen(entry, "marks", tuple(vocabulary.marks)),
        "words": words,
        "offset": offset,
        "names": _found(entry, "names", words),
        "typos": _typos(entry, words),
        "second": _second(entry, words, vocabulary),
        **_confirmed(entry),
    }


def _number(entry: Entry, words: str, vocabulary: Vocabulary) -> dict[str, Any]:
    """Value, exactness and unit; the letter's numeral (or what it lists) must give the value."""
    value = entry.number("value")
    if value is None:
        for key in _NUMBER_KEYS:
            if key in entry.values:
                entry.problems.append(Problem(what=f"{key} without a value.", where=entry.where, remedy="add value"))
        return {"value": None, "exactness": "exact", "unit": None, "numeral": "", "counted": ()}
    numeral, counted = entry.text("numeral"), _found(entry, "counted", words)
    written = normalise(words).count(numeral) if numeral else 0
    if numeral and written != 1:
        what = f"{numeral!r} stands in its words {written} times, not once."
        entry.problems.append(Problem(what=what, where=entry.where, remedy="choose other words"))
    said = numeral_value(numeral) if numeral else float(len(counted))
    if said != value:
        what = f"value is {value:g}, its words say {numeral or len(counted)!r}."
        entry.problems.append(Problem(what=what, where=entry.where, remedy="give numeral, or counted, as in the letter"))
    return {
        "value": value,
        "exactness": entry.choice("exactness", tuple(vocabulary.exactness)),
        "unit": entry.choice("unit", tuple(vocabulary.units)),
        "numeral": numeral,
        "counted": counted,
    }


def _words(entry: Entry, letter: Letter) -> tuple[str, int]:
    words, offset = entry.text("words", required=True), entry.number("offset")
    if offset is None or not letter.normalised.startswith(normalise(words), int(offset)):
        found = letter.normalised.find(normalise(words))
        remedy = f"offset = {found}" if found >= 0 else "take the words from the letter"
        entry.problems.append(Problem(what="The words are not in the letter at offset.", where=entry.where, remedy=remedy))
    return words, int(offset or 0)


def _date(entry: Entry) -> str:
    date = entry.text("date", required=True)
    if date and not _DATE.fullmatch(date):
        what = f"date is {date!r}."
        entry.problems.append(Problem(what=what, where=entry.where, remedy='such as "2022", "2022-12" or "2022-12-31"'))
    return date


def _chosen(entry: Entry, key: str, choices: Sequence[str]) -> tuple[str, ...]:
    chosen = entry.texts(key)
    for item in chosen:
        if item not in choices:
            what = f"{key} holds {item!r}."
            entry.problems.append(Problem(what=what, where=entry.where, remedy=suggestion(item, choices)))
    return chosen


def _found(entry: Entry, key: str, words: str) -> tuple[str, ...]:
    items = entry.texts(key)
    for item in items:
        if item not in words:
            entry.problems.append(Problem(what=f"{key}: {item!r} is not in its words.", where=entry.where))
    return items


def _other_population(entry: Entry, key: str, vocabulary: Vocabulary) -> str:
    return entry.choice(key, tuple(vocabulary.populations)) if key in entry.values else ""


def _typos(entry: Entry, words: str) -> tuple[tuple[str, str], ...]:
    tables = entry.values.get("typos", [])
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        entry.problems.append(Problem(what="typos must be a list of tables.", where=entry.where))
        return ()
    inner = [Entry(table, f"{entry.where}.typos", entry.problems) for table in tables]
    pairs = tuple((one.text("verbatim", required=True), one.text("corrected", required=True)) for one in inner)
    for one, (verbatim, _) in zip(inner, pairs, strict=True):
        one.only(("verbatim", "corrected"))
        if verbatim not in words:
            one.problems.append(Problem(what=f"{verbatim!r} is not in its words.", where=one.where))
    return pairs


def _second(entry: Entry, words: str, vocabulary: Vocabulary) -> dict[str, Any] | None:
    table = entry.values.get("second")
    if table is None:
        return None
    if not isinstance(table, Mapping):
        entry.problems.append(Problem(what="second must be a table.", where=entry.where))
        return None
    inner = Entry(table, f"{entry.where}.second", entry.problems)
    inner.only((*_NUMBER_KEYS, "population"))
    if inner.number("value") is None:
        inner.problems.append(Problem(what="value is missing.", where=inner.where, remedy="add value"))
        return None
    return {**_number(inner, words, vocabulary), "population": inner.choice("population", tuple(vocabulary.populations))}


def _confirmed(entry: Entry) -> dict[str, bool | Label | None]:
    confirmed = entry.flag("confirmed") if "confirmed" in entry.values else True
    if confirmed == ("note" in entry.values):
        what = "What is not confirmed needs a note, and only that has one."
        entry.problems.append(Problem(what=what, where=entry.where, remedy="say in note what is inferred"))
    return {"confirmed": confirmed, "note": entry.label("note") if "note" in entry.values else None}
