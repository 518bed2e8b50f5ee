"""Turns phrases into the runs of one language, with the record and the wording at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sme_eval.evaluation.plain import UNAVAILABLE_KEY

from .document import Missing, Name, Own, Phrase, Piece, Reference, Run, Runs, Say, Text
from .numbers import FORMATS, format_value, is_unavailable
from .pointers import from_path, pointer, resolve
from .wording import Placeholder, Wording, parse

LABELS = {"label": "text", "inside": "inside"}
"""Formats of a label that the record holds in both languages → how the chosen language's text is printed."""

TEMPLATE, REASON, SOURCE = "template", "reason", "source"
"""Further formats that are no number: a template in both languages, why a number is missing, the citation of a source's key."""
BEGINNINGS = (
    "not separable from",
    "not identified",
    "degenerate",
    "no overlap",
    "too few comparison firms",
    "comparison firms do not vary independently",
    "no propensity that settles",
)
"""How reasons begin that go on with names: the pages say them without."""
WITHHELD_MARK = "withheld"
"""How the reason of a number begins that the disclosure gate took out."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Speaks one language about one record."""

    record: Mapping[str, Any]
    wording: Wording

    def runs(self, phrase: Phrase) -> Runs:
        """A phrase in this language; words that follow each other are one run."""
        joined: list[Run] = []
        for run in (run for piece in phrase for run in self._piece(piece)):
            last = joined[-1] if joined else None
            if isinstance(run, Text) and isinstance(last, Text):
                joined[-1] = Text(last.text + run.text)
            else:
                joined.append(run)
        return tuple(joined)

    def _piece(self, piece: Piece) -> list[Run]:
        if isinstance(piece, Say):
            return self._expand(self._template(piece), piece.at, piece.root)
        if isinstance(piece, Own):
            own = resolve(self.record, piece.pointer + pointer(self.wording.language))
            return self._expand(str(own), piece.pointer, piece.root)
        if isinstance(piece, Name):
            return [Text(piece.text)]
        return [self.reference(piece.pointer, piece.format)]

    def _template(self, say: Say) -> str:
        """The first of the keys that the wording has; if none, the error names the first."""
        keys = (say.key, *say.otherwise)
        return self.wording.template(next((key for key in keys if self.wording.has(key)), say.key))

    def _expand(self, template: str, at: str, root: str) -> list[Run]:
        runs: list[Run] = []
        for part in parse(template):
            runs += self._placeholder(part, at, root) if isinstance(part, Placeholder) else [Text(part)]
        return runs

    def _placeholder(self, part: Placeholder, at: str, root: str) -> list[Run]:
        where = from_path(part.path, at=at, root=root)
        if isinstance(resolve(self.record, where), list):
            return self._enumerated(where, part.format, root)
        if part.format in LABELS:
            return [self.reference(where + pointer(self.wording.language), LABELS[part.format])]
        if part.format in FORMATS:
            return [self.reference(where, part.format)]
        if part.format == TEMPLATE:
            return self._piece(Own(where, root))
        if part.format == REASON:
            return self._reason(where)
        if part.format == SOURCE:
            return [self._source(where, root)]
        return self._word(where, part.format, root)

    def _enumerated(self, where: str, form: str, root: str) -> list[Run]:
        """Every item of a list, one after the other."""
        runs: list[Run] = []
        for n in range(len(resolve(self.record, where))):
            runs += [Text(self.wording.plain("frame.enumeration"))] if n else []
            runs += self._placeholder(Placeholder(path=".", format=form), where + pointer(n), root)
        return runs

    def _word(self, where: str, table: str, root: str) -> list[Run]:
        """The word that `table` has for the value; a value it does not know is printed as it stands."""
        value = resolve(self.record, where)
        key = f"word.{table}.{str(value).lower() if value is None or isinstance(value, bool) else value}"
        if self.wording.has(key):
            return self._expand(self.wording.template(key), where, root)
        return [self.reference(where, "text")]

    def _reason(self, where: str) -> list[Run]:
        """Why a number is missing: in words if they are known, else as the record says it."""
        value = resolve(self.record, where)
        if not is_unavailable(value):
            return []
        key = f"missing.reason.{value[UNAVAILABLE_KEY]}"
        if self.wording.has(key):
            return [Text(self.wording.plain(key))]
        for beginning in BEGINNINGS:
            if value[UNAVAILABLE_KEY].startswith(beginning):
                return [Text(self.wording.plain(f"missing.begins.{beginning}"))]
        return [self.reference(where + pointer(UNAVAILABLE_KEY), "text")]

    def _source(self, where: str, root: str) -> Reference:
        """The citation that a source's key stands for; the key itself if no source has it."""
        sources = root + pointer("policy", "sources")
        keys = [source["key"] for source in resolve(self.record, sources)]
        key = resolve(self.record, where)
        return self.reference(sources + pointer(keys.index(key), "citation") if key in keys else where, "text")

    def reference(self, where: str, name: str) -> Reference:
        """The value at a pointer, printed by a format."""
        value = resolve(self.record, where)
        missing = missing_kind(value)
        return Reference(
            text=format_value(value, name, self.wording.language),
            pointer=where,
            format=name,
            value="" if missing else _machine(value),
            missing=missing,
            title=self.wording.plain(f"missing.title.{missing}") if missing else "",
        )


def missing_kind(value: Any) -> Missing:
    """Why a plain value is printed as a dash, if it is."""
    if value is None or value == "":
        return "not_applicable"
    if not is_unavailable(value):
        return ""
    return "withheld" if str(value[UNAVAILABLE_KEY]).startswith(WITHHELD_MARK) else "unavailable"


def _machine(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
