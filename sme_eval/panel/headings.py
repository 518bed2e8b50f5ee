"""Headings of a file to columns of the dictionary: a column's name, or its label in Chinese or English."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sme_eval.errors import Problem
from sme_eval.panel.dictionary import Dictionary

KIND: Final = "data_kind"
"""Heading of the column by which a csv or Excel file says of itself whether it is observed or simulated."""
_LETTERS: Final = 26


@dataclass(frozen=True, slots=True)
class Headings:
    """Which columns of a file are used: position → name; `problems` holds what stands in the way."""

    names: Mapping[int, str]
    problems: list[Problem] = field(default_factory=list)


def letter(position: int) -> str:
    """The letters of a column as spreadsheets show them; `position` counts from 0."""
    text = ""
    number = position + 1
    while number:
        number, rest = divmod(number - 1, _LETTERS)
        text = chr(ord("A") + rest) + text
    return text


def read_headings(
    texts: Sequence[str], filled: Sequence[bool], dictionary: Dictionary, where: str, covered: frozenset[int] = frozenset()
) -> Headings:
    """The columns that `texts` (columns,) name; `filled` says which hold values, `covered` which merged cells hide.

    A heading that the dictionary does not know keeps its own words: the contract of the panel refuses it with a suggestion.
    Columns without heading and without values are no columns.
    """
    known = _known(dictionary)
    found = [known.get(_plain(text), text.strip()) for text in texts]
    if not any(name in dictionary for name in found):
        # Not quoted: where the headings are missing, row 1 is a firm.
        return Headings({}, [_no_headings(where)] if any(filled) or any(found) else [])
    problems = []
    unnamed = [n for n, name in enumerate(found) if not name and filled[n] and n not in covered]
    if unnamed:
        one = len(unnamed) == 1
        problems.append(
            Problem(
                what=f"{len(unnamed)} column{'' if one else 's'} with values {'has' if one else 'have'} no heading: "
                f"{', '.join(map(letter, unnamed))}.",
                where=where,
                remedy="give each column a heading, or delete it",
            )
        )
    names: dict[int, str] = {}
    for name in dict.fromkeys(filter(None, found)):
        places = [n for n, other in enumerate(found) if other == name]
        names[places[0]] = name
        if len(places) > 1:
            written = ", ".join(f"{letter(n)} {texts[n].strip()!r}" for n in places)
            what = f"Column {name} occurs {len(places)} times: {written}."
            problems.append(Problem(what=what, where=where, remedy="keep one of them"))
    return Headings(dict(sorted(names.items())), problems)


def _known(dictionary: Dictionary) -> dict[str, str]:
    """Every way to write a heading → the column's name; names win over labels, labels of two columns name neither."""
    labels: dict[str, set[str]] = {}
    for name, column in dictionary.columns.items():
        for label in (column.label.zh, column.label.en):
            labels.setdefault(_plain(label), set()).add(name)
    single = {label: next(iter(names)) for label, names in labels.items() if len(names) == 1}
    return single | {name: name for name in dictionary.columns} | {KIND: KIND}


def _plain(text: str) -> str:
    """Labels as they are compared: without spaces, case and the width of brackets and letters."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _no_headings(where: str) -> Problem:
    return Problem(
        what="Row 1 holds no heading that the dictionary knows.",
        where=where,
        remedy="put the headings (such as firm and year, or 企业编号 and 年份) into row 1, without a title above them",
    )
