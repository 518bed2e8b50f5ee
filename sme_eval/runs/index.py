"""The page that names every report, and whether it is stale."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sme_eval.errors import DataError
from sme_eval.runs.keys import page_rendering, read_notebook, reasons
from sme_eval.runs.render import titles
from sme_eval.runs.stale import changed_outputs
from sme_eval.runs.stamp import digest, write_whole
from sme_eval.terms import LANGUAGES

if TYPE_CHECKING:
    from sme_eval.briefing.document import Form
    from sme_eval.briefing.index import AppendixEntry, IndexEntry

INDEX: Final = "index.html"
STAMP: Final = "index.json"
"""Beside the internal reports: what the index was made from."""


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
    write_whole(reports / INDEX, render_index(_entries(reports), _appendices(reports)))
    stamp = {"made_from": key, "outputs": {INDEX: digest(reports / INDEX)}}
    write_whole(reports / "internal" / STAMP, json.dumps(stamp, indent=1) + "\n")


def _entries(reports: Path) -> list[IndexEntry]:
    """Every record that has its pages; one of another schema is left out until it is evaluated again."""
    from sme_eval.briefing.index import AUDIENCES, IndexEntry
    from sme_eval.evaluation.record import Evaluation

    entries = []
    for path in (path for audience in AUDIENCES for path in sorted(reports.glob(f"{audience}/*/evaluation.json"))):
        try:
            entry = IndexEntry.of(Evaluation.read(path))
        except DataError:
            continue
        if all((reports / entry.link(language, "html")).is_file() for language in LANGUAGES):
            entries.append(replace(entry, forms=_forms(reports, entry)))
    return entries


def _forms(reports: Path, entry: IndexEntry) -> tuple[Form, ...]:
    """The forms that are there in every language with page and PDF."""
    endings = [(language, ending) for language in LANGUAGES for ending in ("html", "pdf")]
    return tuple(form for form in entry.forms if all((reports / entry.link(*which, form)).is_file() for which in endings))


def _appendices(reports: Path) -> list[AppendixEntry]:
    from sme_eval.briefing.index import AppendixEntry

    return [
        AppendixEntry(title=titles(read_notebook(path)), link=page.relative_to(reports).as_posix())
        for path in sorted(reports.glob("internal/*/*.notebook.ipynb"))
        if (page := path.with_suffix(".html")).is_file()
    ]


def _key(reports: Path) -> dict[str, Any]:
    found = sorted(reports.glob("*/*/evaluation.json"))
    pages = sorted(path.relative_to(reports).as_posix() for path in reports.glob("*/*/*.html"))
    records = {path.relative_to(reports).as_posix(): digest(path) for path in found}
    return {"records": [records, pages], **page_rendering()}
