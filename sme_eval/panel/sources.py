"""Where data come from: version, licence, checksum and, for observed data, holder, legal basis and permitted use.

Declared in `data/sources.toml`. A project's own list adds to the packaged one, entry by entry, and wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast, get_args

from sme_eval.errors import DataError, Problem, raise_if_any, suggestion
from sme_eval.panel.declarations import Entry, Label, read_tables
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.resources import resource_layers
from sme_eval.terms import DataKind

_OBSERVED_ONLY: Final = ("checksum", "holder", "legal_basis", "permitted_use")
_KEYS: Final = ("data_kind", "title", "version", "licence", "citation", "note", *_OBSERVED_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One declared source of data; `checksum` is `sha256:` and the panel's content hash, empty for simulated data."""

    name: str
    data_kind: DataKind
    title: Label
    version: str
    licence: str
    citation: tuple[str, ...]
    checksum: str = ""
    holder: str = ""
    legal_basis: str = ""
    permitted_use: str = ""
    note: str = ""

    def verify(self, content_hash: str) -> None:
        """Compare the declared checksum with the content that was read.

        Raises
        ------
        DataError
            They differ: the data are not those that were declared.
        """
        if self.checksum and self.checksum != f"sha256:{content_hash}":
            raise DataError(
                Problem(
                    what=f"The content of source {self.name!r} is not what was declared.",
                    where=f"declared {self.checksum}, read sha256:{content_hash}",
                    remedy=f"use {self.version}, or review the data and declare their checksum in data/sources.toml",
                )
            )


def load_sources(root: Path | str | None = None) -> Mapping[str, Source]:
    """All declared sources by name: the packaged ones, extended and overruled by those of the project folder.

    Raises
    ------
    DataError
        A list of sources breaks its own form; all problems at once.
    """
    problems: list[Problem] = []
    tables: dict[str, object] = {}
    for path in resource_layers("sources.toml", root):
        tables |= read_tables(path)
    entries = Entry({"source": tables}, "sources.toml", problems).inner("source")
    sources = {name: _source(name, entry) for name, entry in entries.items()}
    raise_if_any(DataError, problems)
    return FrozenMapping(sources)


def find_source(name: str, root: Path | str | None = None) -> Source:
    """The declared source `name`; a DataError with a suggestion if there is none."""
    sources = load_sources(root)
    if name not in sources:
        raise DataError(
            Problem(
                what=f"Source {name!r} is not declared.",
                where="data/sources.toml",
                remedy=suggestion(name, tuple(sources)),
            )
        )
    return sources[name]


def _source(name: str, entry: Entry) -> Source:
    entry.only(_KEYS)
    kind = cast(DataKind, entry.choice("data_kind", get_args(DataKind)))
    observed = kind == "observed"
    return Source(
        name=name,
        data_kind=kind,
        title=entry.label("title"),
        version=entry.text("version", required=True),
        licence=entry.text("licence", required=True),
        citation=entry.texts("citation", required=observed),
        note=entry.text("note"),
        **{key: entry.text(key, required=observed) for key in _OBSERVED_ONLY},
    )
