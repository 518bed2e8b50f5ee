"""The declared districts: codes with the years they were in use, boundary changes, functional zones without a code."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sme_eval.errors import DataError, ParameterError, Problem, raise_if_any, suggestion
from sme_eval.panel.declarations import Entry, Label, read_tables
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.resources import resource_path
from sme_eval.results.text import Printable

_DISTRICT: Final = ("code", "since", "until", "zh", "en")
_ZONE: Final = ("zh", "en", "aliases", "hosts", "confirmed", "hosts_confirmed", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """A district with a code of its own; `since` and `until` (None: still in use) are years whose list at the end has it."""

    key: str
    code: str
    label: Label
    since: int
    until: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryChange:
    """All area of code `source` went, within `year`, to the codes `to`; with several the code alone does not tell which."""

    year: int
    source: str
    to: tuple[str, ...]
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A functional zone: it pays rewards of its own; its firms carry the code of a host district, whose statistics count them."""

    key: str
    label: Label
    aliases: tuple[str, ...]
    hosts: tuple[str, ...]
    confirmed: bool
    hosts_confirmed: bool
    note: Label | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Districts(Printable):
    """Districts and zones by key, and the changes in order; `load_districts` reads them."""

    districts: Mapping[str, District]
    zones: Mapping[str, Zone]
    changes: tuple[BoundaryChange, ...]
    sources: Mapping[str, str]

    def by_code(self, code: str) -> District | None:
        """The district of a six-digit code, if it is one of these."""
        return next((district for district in self.districts.values() if district.code == code), None)

    def find(self, name: str) -> District | Zone:
        """A district or zone by key, code, Chinese or English name, or former name; ParameterError with a suggestion otherwise.

        >>> load_districts().find("前湾新区").key
        'hangzhou_bay'
        """
        known = self.names()
        wanted = plain_name(name)
        if wanted not in known:
            raise ParameterError(Problem(what=f"There is no district or zone {name!r}.", remedy=suggestion(name, tuple(known))))
        return known[wanted]

    def names(self) -> Mapping[str, District | Zone]:
        """Every name by which a district or zone is found."""
        found: dict[str, District | Zone] = {}
        for zone in self.zones.values():
            found.update({plain_name(name): zone for name in (zone.key, zone.label.zh, zone.label.en, *zone.aliases)})
        for district in self.districts.values():
            found.update(
                {plain_name(name): district for name in (district.key, district.code, district.label.zh, district.label.en)}
            )
        return FrozenMapping(found)

    def summary(self) -> str:
        """Districts with their codes and years, changes, zones."""
        rows = [f"  {d.code}  {d.label.zh} {d.label.en}, {d.since}–{d.until or ''}" for d in self.districts.values()]
        changes = [f"  {c.year}  {c.source} → {' or '.join(c.to)}: {c.label.en}" for c in self.changes]
        zones = [f"  {z.key}  {z.label.zh} {z.label.en}{'' if z.confirmed else ' (not confirmed)'}" for z in self.zones.values()]
        return "\n".join(["Districts", *rows, "Changes", *changes, "Zones without a code", *zones])


def load_districts(path: str | Path | None = None) -> Districts:
    """The project's `data/districts.toml`, else the packaged one, else the file at `path`.

    Raises
    ------
    DataError
        The file breaks its form: all problems at once.
    """
    path = resource_path("districts.toml") if path is None else Path(path)
    problems: list[Problem] = []
    top = Entry(read_tables(path), path.name, problems)
    top.only(("sources", "districts", "changes", "zones"))
    sources = top.values.get("sources", {})
    districts = {key: _district(key, entry) for key, entry in top.inner("districts").items()}
    zones = {key: _zone(key, entry) for key, entry in top.inner("zones").items()}
    changes = tuple(_change(entry) for entry in _list(top, "changes"))
    _check(districts, zones, changes, path.name, problems)
    raise_if_any(DataError, problems)
    return Districts(
        districts=FrozenMapping(districts),
        zones=FrozenMapping(zones),
        changes=tuple(sorted(changes, key=lambda change: change.year)),
        sources=FrozenMapping({str(k): str(v) for k, v in sources.items()} if isinstance(sources, Mapping) else {}),
    )


def _district(key: str, entry: Entry) -> District:
    entry.only(_DISTRICT)
    until = entry.number("until")
    return District(
        key=key,
        code=entry.text("code", required=True),
        label=entry.label(),
        since=_year(entry, "since"),
        until=None if until is None else int(until),
    )


def _zone(key: str, entry: Entry) -> Zone:
    entry.only(_ZONE)
    return Zone(
        key=key,
        label=entry.label(),
        aliases=entry.texts("aliases"),
        hosts=entry.texts("hosts"),
        confirmed=entry.flag("confirmed"),
        hosts_confirmed=entry.flag("hosts_confirmed"),
        note=entry.label("note") if "note" in entry.values else None,
    )


def _change(entry: Entry) -> BoundaryChange:
    entry.only(("year", "from", "to", "zh", "en"))
    return BoundaryChange(
        year=_year(entry, "year"),
        source=entry.text("from", required=True),
        to=entry.texts("to", required=True),
        label=entry.label(),
    )


def _year(entry: Entry, key: str) -> int:
    value = entry.number(key)
    if value is None:
        entry.problems.append(Problem(what=f"{key} is missing.", where=entry.where, remedy=f"add {key} = a year"))
    return int(value or 0)


def _list(entry: Entry, key: str) -> list[Entry]:
    values = entry.values.get(key, [])
    if not isinstance(values, list) or not all(isinstance(item, Mapping) for item in values):
        entry.problems.append(Problem(what=f"{key} must be a list of tables.", where=entry.where, remedy=f"write [[{key}]]"))
        return []
    return [Entry(item, f"{entry.where} [[{key}]] {n}", entry.problems) for n, item in enumerate(values, start=1)]


def _check(
    districts: Mapping[str, District],
    zones: Mapping[str, Zone],
    changes: tuple[BoundaryChange, ...],
    where: str,
    problems: list[Problem],
) -> None:
    """Codes of six digits, each once; changes and hosts name codes that are declared; no name for both a district and a zone."""
    codes = [district.code for district in districts.values()]
    wrong = sorted({code for code in codes if not (len(code) == 6 and code.isdigit()) or codes.count(code) > 1})
    named = {code for change in changes for code in (change.source, *change.to)} | {h for z in zones.values() for h in z.hosts}
    unknown = sorted(named - set(codes))
    twice = sorted(set(districts) & set(zones))
    found = (
        (wrong, "codes are not six digits or stand twice", "correct them"),
        (unknown, "codes of changes and hosts belong to no district", "declare the district"),
        (twice, "keys name both a district and a zone", "rename one"),
    )
    problems.extend(Problem(what=f"{what}: {', '.join(bad)}.", where=where, remedy=remedy) for bad, what, remedy in found if bad)


def plain_name(name: object) -> str:
    """A name as it is compared: without differences of width, case and surrounding blanks."""
    return unicodedata.normalize("NFKC", str(name)).strip().casefold()
