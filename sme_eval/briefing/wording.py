"""The words of the pages: `text/<language>.toml`, flattened to dotted keys, and the syntax of their placeholders."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sme_eval.errors import DataError, Problem, suggestion
from sme_eval.terms import Language

PLACEHOLDER: Final = re.compile(r"\{([^{}|]+)\|([a-z_0-9]+)\}")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`{path|format}` of a template."""

    path: str
    format: str


@dataclass(frozen=True, slots=True)
class Wording:
    """All templates of one language."""

    language: Language
    templates: Mapping[str, str]

    def template(self, key: str) -> str:
        """The template of `key`; a DataError with the nearest key if there is none."""
        if key not in self.templates:
            raise DataError(
                Problem(
                    what=f"The wording has no text {key!r}.",
                    where=f"briefing/text/{self.language}.toml",
                    remedy=suggestion(key, tuple(self.templates)),
                )
            )
        return self.templates[key]

    def has(self, key: str) -> bool:
        """Whether there is a template of `key`."""
        return key in self.templates

    def plain(self, key: str) -> str:
        """A template without placeholders, as it is."""
        return self.template(key)


@cache
def load_wording(language: Language) -> Wording:
    """The wording of `language`."""
    text = files("sme_eval.briefing").joinpath("text", f"{language}.toml").read_text(encoding="utf-8")
    return Wording(language, _flatten(tomllib.loads(text)))


@cache
def parse(template: str) -> tuple[str | Placeholder, ...]:
    """A template as words and placeholders, in order. A brace that opens no placeholder is an error."""
    parts: list[str | Placeholder] = []
    end = 0
    for match in PLACEHOLDER.finditer(template):
        parts += [template[end : match.start()], Placeholder(match[1], match[2])]
        end = match.end()
    parts.append(template[end:])
    words = [part for part in parts if isinstance(part, str)]
    if any(mark in word for word in words for mark in "{}"):
        raise DataError(
            Problem(what="A template has a brace outside a placeholder.", first=template[:80], remedy="write {path|format}")
        )
    return tuple(part for part in parts if part != "")


def placeholders(template: str) -> frozenset[tuple[str, str]]:
    """What a template refers to: (path, format)."""
    return frozenset((part.path, part.format) for part in parse(template) if isinstance(part, Placeholder))


def _flatten(tables: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tables.items():
        name = f"{prefix}{key}"
        flat.update(_flatten(value, f"{name}.") if isinstance(value, Mapping) else {name: str(value)})
    return flat
