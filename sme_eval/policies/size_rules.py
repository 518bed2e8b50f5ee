"""Reads `data/rules/size_standard_2017.toml` and `above_scale.toml` strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from sme_eval.errors import DesignError, ParameterError, Problem, raise_if_any
from sme_eval.panel.declarations import Entry, Label
from sme_eval.panel.frozen_mapping import FrozenMapping

from .entries import flag_or, table, tables
from .tier_rule_files import rule_tables

CLASSES: Final = ("small", "medium", "large")
FIGURES: Final = ("employees", "revenue", "assets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Industry:
    """One industry of the standard: by class the lower bound of each figure asked.

    Persons, and ten thousand yuan (万元) for revenue and assets. `divisions` are beginnings of industry codes that belong to it.
    """

    name: str
    label: Label
    divisions: tuple[str, ...]
    bounds: Mapping[str, Mapping[str, float]]
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePeriod:
    """The threshold in ten thousand yuan (万元) from year `since` to `until` (None: open), and whether all state firms are in."""

    since: int
    until: int | None
    threshold: float
    all_state_firms: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AboveScale:
    """The thresholds of industrial statistics by period."""

    source: str
    label: Label
    periods: tuple[ScalePeriod, ...]

    def period(self, year: int) -> ScalePeriod:
        """The period of a year.

        Raises
        ------
        ParameterError
            No declared period holds the year.
        """
        for one in self.periods:
            if one.since <= year and (one.until is None or year <= one.until):
                return one
        first = min(one.since for one in self.periods)
        raise ParameterError(Problem(what=f"No threshold is declared for {year}.", remedy=f"a year from {first} on"))


def load_size_standard(folder: str | Path | None = None) -> Mapping[str, Industry]:
    """The industries of the size standard by name.

    Raises
    ------
    DesignError
        The file is absent or breaks its form: all problems at once.
    """
    problems: list[Problem] = []
    found: dict[str, Industry] = {}
    for top in rule_tables("size_standard", problems, folder).values():
        top.only(("kind", "name", "source", "provenance", "label", "industries"))
        found |= {name: _industry(name, entry) for name, entry in top.inner("industries").items()}
    if not found:
        problems.append(Problem(what="No size standard is declared.", where="data/rules/", remedy="check the folder"))
    raise_if_any(DesignError, problems)
    return FrozenMapping(found)


def _industry(name: str, entry: Entry) -> Industry:
    entry.only(("label", "divisions", "confirmed", *CLASSES))
    bounds = {each: _bounds(table(entry, each)) for each in CLASSES}
    for lower, upper in pairwise(CLASSES):
        asked = bounds[lower].keys() == bounds[upper].keys()
        if not asked or any(bounds[lower][figure] >= bounds[upper][figure] for figure in bounds[lower]):
            what = f"{upper} does not ask more than {lower} of the same figures."
            entry.problems.append(Problem(what=what, where=entry.where))
    return Industry(
        name=name,
        label=entry.label("label"),
        divisions=entry.texts("divisions"),
        bounds=FrozenMapping(bounds),
        confirmed=flag_or(entry, "confirmed", True),
    )


def _bounds(entry: Entry) -> Mapping[str, float]:
    entry.only(FIGURES)
    return FrozenMapping({name: value for name in entry.values if (value := entry.number(name)) is not None})


def find_industry(standard: Mapping[str, Industry], name: str) -> Industry | None:
    """The industry of that name, Chinese name or code; None if the standard has none."""
    if name in standard:
        return standard[name]
    for industry in standard.values():
        code = any(name.startswith(letter) and name[len(letter) :].isdigit() for letter in industry.divisions)
        if code or name in (industry.label.zh, *industry.divisions):
            return industry
    return None


def load_above_scale(folder: str | Path | None = None) -> AboveScale:
    """The declared thresholds of industrial statistics.

    Raises
    ------
    DesignError
        The file is absent, declared twice or breaks its form: all problems at once.
    """
    problems: list[Problem] = []
    found = [_above_scale(top) for top in rule_tables("above_scale", problems, folder).values()]
    if len(found) != 1:
        what = f"{len(found)} files declare the thresholds of industrial statistics."
        problems.append(Problem(what=what, where="data/rules/", remedy="keep one"))
    raise_if_any(DesignError, problems)
    return found[0]


def _above_scale(top: Entry) -> AboveScale:
    top.only(("kind", "name", "source", "label", "periods"))
    periods = tuple(_period(entry) for entry in tables(top, "periods", required=True))
    return AboveScale(source=top.text("source", required=True), label=top.label("label"), periods=periods)


def _period(entry: Entry) -> ScalePeriod:
    entry.only(("from", "until", "threshold", "all_state_firms"))
    until = entry.number("until")
    if entry.number("from") is None or entry.number("threshold") is None:
        entry.problems.append(Problem(what="from and threshold are needed.", where=entry.where))
    return ScalePeriod(
        since=int(entry.number("from") or 0),
        until=None if until is None else int(until),
        threshold=entry.number("threshold") or 0.0,
        all_state_firms=entry.flag("all_state_firms"),
    )
