"""Reads declared TOML tables into typed values and collects everything wrong with them, to be raised together."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sme_eval.errors import DataError, Problem, suggestion
from sme_eval.terms import Language


@dataclass(frozen=True, slots=True)
class Label:
    """One text in the languages of the project."""

    zh: str
    en: str

    def text(self, language: Language) -> str:
        """The text in `language`."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Entry:
    """One declared table: typed access by key; what is missing, mistyped or unknown is added to `problems`."""

    values: Mapping[str, object]
    where: str
    problems: list[Problem] = field(default_factory=list)

    def inner(self, key: str) -> dict[str, Entry]:
        """The tables below `key`, by name; none if the key is absent."""
        tables = self.values.get(key, {})
        if not isinstance(tables, Mapping):
            self._wrong(key, "a table of tables")
            return {}
        return {
            str(name): Entry(table, f"{self.where}.{key}.{name}", self.problems)
            for name, table in tables.items()
            if isinstance(table, Mapping) or self._wrong(f"{key}.{name}", "a table")
        }

    def text(self, key: str, *, required: bool = False) -> str:
        """A text; empty when absent."""
        value = self.values.get(key, "")
        if not isinstance(value, str):
            self._wrong(key, "a text")
            return ""
        if required and not value.strip():
            self.problems.append(Problem(what=f"{key} is missing.", where=self.where, remedy=f'add {key} = "…"'))
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts; empty when absent."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(key, "a list of texts")
            return ()
        if required and not value:
            self.problems.append(Problem(what=f"{key} is missing.", where=self.where, remedy=f'add {key} = ["…"]'))
        return tuple(value)

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """One of `choices`; the first of them (and a problem) otherwise."""
        value = self.text(key, required=True)
        if value and value not in choices:
            self.problems.append(Problem(what=f"{key} is {value!r}.", where=self.where, remedy=suggestion(value, choices)))
        return value if value in choices else choices[0]

    def flag(self, key: str) -> bool:
        """A true or false; false when absent."""
        value = self.values.get(key, False)
        return value if isinstance(value, bool) else self._wrong(key, "true or false")

    def number(self, key: str) -> float | None:
        """A number; None when absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong(key, "a number")
            return None
        return float(value)

    def label(self, key: str = "") -> Label:
        """The texts `zh` and `en` of the table `key`, or of this table itself; both are required."""
        table = self.values.get(key, {}) if key else self.values
        if not isinstance(table, Mapping):
            self._wrong(key, "a table with zh and en")
            return Label("", "")
        entry = Entry(table, f"{self.where}.{key}" if key else self.where, self.problems)
        return Label(entry.text("zh", required=True), entry.text("en", required=True))

    def only(self, keys: Sequence[str]) -> None:
        """Keys other than `keys` are problems."""
        for key in self.values:
            if key not in keys:
                self.problems.append(Problem(what=f"{key} is not a known key.", where=self.where, remedy=suggestion(key, keys)))

    def _wrong(self, key: str, expected: str) -> bool:
        self.problems.append(Problem(what=f"{key} must be {expected}.", where=self.where))
        return False


def read_tables(path: Path) -> dict[str, object]:
    """The content of a TOML file.

    Raises
    ------
    DataError
        The file cannot be read as TOML in UTF-8; the message names the file (not its folder) and the line.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(
            Problem(what=f"{path.name} is not valid TOML.", where=str(error), remedy="correct the line that is named")
        ) from error
