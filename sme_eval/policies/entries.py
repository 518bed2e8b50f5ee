"""Tables within the tables of a declared file, each read with its place, so that a problem says where it stands."""

from __future__ import annotations

from collections.abc import Mapping

from sme_eval.errors import Problem
from sme_eval.panel.declarations import Entry


def table(entry: Entry, key: str) -> Entry:
    """The table `key`; empty, and a problem, where there is none or it is something else."""
    value = entry.values.get(key)
    if not isinstance(value, Mapping):
        what = f"{key} must be a table." if key in entry.values else f"[{key}] is missing."
        entry.problems.append(Problem(what=what, where=entry.where, remedy=f"write the table [{key}]"))
        value = {}
    return Entry(value, f"{entry.where} [{key}]", entry.problems)


def tables(entry: Entry, key: str, *, required: bool = False) -> list[Entry]:
    """The tables of the list `key`; none, and a problem, where it is no list of tables."""
    value = entry.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        entry.problems.append(Problem(what=f"{key} must be a list of tables.", where=entry.where, remedy=f"write [[{key}]]"))
        return []
    if required and not value:
        entry.problems.append(Problem(what=f"[[{key}]] is missing.", where=entry.where, remedy=f"add at least one [[{key}]]"))
    return [Entry(item, f"{entry.where} [[{key}]] {n}", entry.problems) for n, item in enumerate(value, start=1)]


def flag_or(entry: Entry, key: str, default: bool) -> bool:
    """A true or false; `default` when absent."""
    return entry.flag(key) if key in entry.values else default
