"""The record of a notebook that evaluates nothing: what its page says, in plain values, beside what it was made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sme_eval.errors import DataError, Problem
from sme_eval.runs.stamp import PAGE, record_folder, write_whole
from sme_eval.terms import DataKind, Language

if TYPE_CHECKING:
    from sme_eval.evaluation.record import Evaluation, Provenance

SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRecord:
    """A page called `name` in one language. `says` holds its numbers and verdicts; nothing of it is released."""

    name: str
    language: Language
    data_kind: DataKind
    provenance: Provenance
    says: Mapping[str, Any]

    @property
    def slug(self) -> str:
        """Name of its folder: the page's own, with the language where that is not Chinese."""
        return self.name if self.language == "zh" else f"{self.name}-{self.language}"

    def write(self, reports: Path) -> Path:
        """Write `<reports>/internal/<slug>/page.json`."""
        path = record_folder(reports, self.slug) / PAGE
        write_whole(path, json.dumps({"schema": SCHEMA, **asdict(self)}, ensure_ascii=False, indent=1, default=dict) + "\n")
        return path

    def summary(self) -> str:
        """What it holds, in one line each."""
        counts = [f"  {key}: {len(value)}" for key, value in self.says.items() if isinstance(value, Mapping)]
        return "\n".join([f"{self.name} ({self.language}): a page without an evaluation, for internal use only", *counts])


def read_page(path: Path) -> PageRecord:
    """The record in a file.

    Raises
    ------
    DataError
        There is none that can be read, or it is of another schema.
    """
    from sme_eval.evaluation.record import Provenance

    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain.pop("schema") != SCHEMA:
            raise ValueError
        return PageRecord(**{**plain, "provenance": Provenance(**plain["provenance"])})
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(Problem(what="There is no page record that can be read.", where=str(path), remedy="run it again")) from None


def read_record(path: Path) -> Evaluation | PageRecord:
    """What a run wrote: an evaluation, or a page without one."""
    if path.name == PAGE:
        return read_page(path)
    from sme_eval.evaluation.record import Evaluation

    return Evaluation.read(path)
