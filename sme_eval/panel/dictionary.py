"""The dictionary of columns: what each one is, its unit, its range and its name in both languages.

Declared in `data/dictionary.toml`. A project's own dictionary adds to the packaged one, entry by entry, and wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, cast, get_args

from sme_eval.errors import DataError, DesignError, Problem, raise_if_any, suggestion
from sme_eval.panel.declarations import Entry, Label, read_tables
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.resources import resource_layers

ColumnType = Literal["identifier", "integer", "float", "flag", "category"]
"""identifier: integers or texts that only name; integer: whole numbers; flag: 0 or 1; category: one of listed keys."""

_COLUMN_KEYS: Final = (
    "type", "unit", "minimum", "maximum", "constant_within_firm", "required", "zh", "en", "special_values",
    "categories",
)  # fmt: skip
_NUMERIC: Final = ("integer", "float")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts; `logarithm_of` names the unit of the level when the number is a natural logarithm."""

    key: str
    label: Label
    logarithm_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `special_values` are codes outside the range (0 = never), `categories` the legal keys, if closed."""

    name: str
    type: ColumnType
    label: Label
    unit: Unit | None = None
    minimum: float | None = None
    maximum: float | None = None
    constant_within_firm: bool = False
    required: bool = False
    special_values: Mapping[int, Label] = field(default_factory=FrozenMapping)
    categories: Mapping[str, Label] = field(default_factory=FrozenMapping)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All declared columns by name, and all units by key."""

    columns: Mapping[str, Column]
    units: Mapping[str, Unit]

    def __getitem__(self, name: str) -> Column:
        """The column `name`; a DesignError with a suggestion if there is none."""
        if name not in self.columns:
            raise DesignError(
                Problem(
                    what=f"Column {name!r} is not in the dictionary.",
                    where="data/dictionary.toml",
                    remedy=suggestion(name, tuple(self.columns)),
                )
            )
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        """Whether a column of that name is declared."""
        return name in self.columns


def load_dictionary(root: Path | str | None = None) -> Dictionary:
    """The packaged dictionary, extended and overruled by that of the project folder (`root`, or the working folder).

    Raises
    ------
    DataError
        A dictionary is missing or breaks its own form; all problems at once.
    """
    layers = resource_layers("dictionary.toml", root)
    if not layers:
        raise DataError(Problem(what="data/dictionary.toml was not found.", remedy="install sme-eval again"))
    return _read(tuple((path, path.stat().st_mtime_ns) for path in layers))


@lru_cache(maxsize=16)
def _read(layers: tuple[tuple[Path, int], ...]) -> Dictionary:
    """Cached by file and time of change: every panel that is built asks for the dictionary."""
    units: dict[str, object] = {}
    columns: dict[str, object] = {}
    problems: list[Problem] = []
    for path, _ in layers:
        tables = read_tables(path)
        Entry(tables, path.name, problems).only(("units", "columns"))
        units |= cast(dict[str, object], tables.get("units", {}))
        columns |= cast(dict[str, object], tables.get("columns", {}))
    top = Entry({"units": units, "columns": columns}, "dictionary.toml", problems)
    known_units = {key: _unit(key, entry) for key, entry in top.inner("units").items()}
    known_columns = {name: _column(name, entry, known_units) for name, entry in top.inner("columns").items()}
    raise_if_any(DataError, problems)
    return Dictionary(FrozenMapping(known_columns), FrozenMapping(known_units))


def _unit(key: str, entry: Entry) -> Unit:
    entry.only(("zh", "en", "logarithm_of"))
    return Unit(key, entry.label(), entry.text("logarithm_of"))


def _column(name: str, entry: Entry, units: Mapping[str, Unit]) -> Column:
    entry.only(_COLUMN_KEYS)
    kind = cast(ColumnType, entry.choice("type", get_args(ColumnType)))
    unit = entry.text("unit", required=kind in _NUMERIC)
    if unit and unit not in units:
        entry.problems.append(
            Problem(what=f"unit {unit!r} is not declared.", where=entry.where, remedy=suggestion(unit, tuple(units)))
        )
    return Column(
        name=name,
        type=kind,
        label=entry.label(),
        unit=units.get(unit),
        minimum=entry.number("minimum"),
        maximum=entry.number("maximum"),
        constant_within_firm=entry.flag("constant_within_firm"),
        required=entry.flag("required"),
        special_values=FrozenMapping({int(k): e.label() for k, e in entry.inner("special_values").items()}),
        categories=FrozenMapping({k: e.label() for k, e in entry.inner("categories").items()}),
    )
