"""The page that names every report, and whether it is stale."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sme_eval.errors import DataError
from sme_eval.runs.keys import page_rendering, read_notebook, reasons
from sme_eval.runs.page_record import read_page
from sme_eval.runs.render import appendix_name, titles
from sme_eval.runs.stale import changed_outputs
from sme_eval.runs.stamp import PAGE, digest, record_folder, write_whole
from sme_eval.terms import Language

if TYPE_CHECKING:
    from sme_eval.briefing.index import AppendixEntry, Failure
    from sme_eval.briefing.index_entry import IndexEntry
    from sme_eval.evaluation.record_base import Bilingual

INDEX: Final = "index.html"
STAMP: Final = "index.json"
"""Beside the internal reports: what the index was made from."""
FAILURES: Final = "failures.json"
"""Beside it, if the last run could not finish every report: which, and why."""
_LANGUAGES: Final[Mapping[Language, tuple[str, str]]] = {"zh": ("中文", "in Chinese"), "en": ("英文", "in English")}


def index_reasons(reports: Path) -> tuple[str, ...]:
    """Why the index is stale; empty if it is not."""
    try:
        stamp = json.loads((reports / "internal" / STAMP).read_text(encoding="utf-8"))
        made, outputs = dict(stamp["made_from"]), dict(stamp["outputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return ("new",)
    return (*reasons(_key(reports), made), *changed_outputs(reports, outputs))


def write_index(reports: Path) -> None:
    """Write the index, if it is stale, and its stamp after it."""
    if not index_reasons(reports):
        return
    from sme_eval.briefing.index import render_index

    key = _key(reports)
    write_whole(reports / INDEX, render_index(_entries(reports), _appendices(reports), _failures(reports)))
    stamp = {"made_from": key, "outputs": {INDEX: digest(reports / INDEX)}}
    write_whole(reports / "internal" / STAMP, json.dumps(stamp, indent=1) + "\n")


def _entries(reports: Path) -> list[IndexEntry]:
    """Every record that has pages; one of another schema is left out until it is evaluated again."""
    from sme_eval.briefing.index import AUDIENCES
    from sme_eval.briefing.index_entry import IndexEntry
    from sme_eval.evaluation.record import Evaluation

    entries = []
    for path in (path for audience in AUDIENCES for path in sorted(reports.glob(f"{audience}/*/evaluation.json"))):
        try:
            entry = IndexEntry.of(Evaluation.read(path))
        except DataError:
            continue
        found = tuple(which for which in entry.files if (reports / entry.link(which[0], which[2], which[1])).is_file())
        if any(ending == "html" for _, _, ending in found):
            entries.append(replace(entry, files=found, notebook=_notebook(reports, entry)))
    return entries


def _notebook(reports: Path, entry: IndexEntry) -> str:
    """The page of the notebook that made an internal report; empty if there is none."""
    path = record_folder(reports, entry.slug) / appendix_name(entry.slug)
    return path.relative_to(reports).as_posix() if entry.audience == "internal" and path.is_file() else ""


def _failures(reports: Path) -> list[Failure]:
    """What the last run could not finish, if it left word of it; what is no such word is passed over."""
    from sme_eval.briefing.index import Failure

    try:
        told = json.loads((reports / "internal" / FAILURES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    names = ("name", "command", "cell", "cause")
    found = [item for item in told if isinstance(item, dict) and item.get("name")] if isinstance(told, list) else []
    return [Failure(**{name: "" if item.get(name) is None else str(item[name]) for name in names}) for item in found]


def _appendices(reports: Path) -> list[AppendixEntry]:
    from sme_eval.briefing.index import AppendixEntry

    return [
        AppendixEntry(title=_title(path), link=page.relative_to(reports).as_posix())
        for path in sorted(reports.glob("internal/*/*.notebook.ipynb"))
        if (page := path.with_suffix(".html")).is_file()
    ]


def _title(notebook: Path) -> Bilingual:
    """The title of an executed notebook; of a page in one language with that language."""
    title, record = titles(read_notebook(notebook)), notebook.parent / PAGE
    if not record.is_file():
        return title
    zh, en = _LANGUAGES[read_page(record).language]
    return replace(title, zh=f"{title.zh}（{zh}）", en=f"{title.en} ({en})")


def _key(reports: Path) -> dict[str, Any]:
    found = sorted(reports.glob("*/*/evaluation.json"))
    files = (path for ending in ("html", "pdf", "docx") for path in reports.glob(f"*/*/*.{ending}"))
    pages = sorted(path.relative_to(reports).as_posix() for path in files)
    records = {path.relative_to(reports).as_posix(): digest(path) for path in found}
    return {"records": [records, pages], "failures": digest(reports / "internal" / FAILURES), **page_rendering()}
