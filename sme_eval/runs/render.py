"""From a published record to its pages: the gate, the briefings in both languages, and the executed notebook as an appendix."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sme_eval.briefing.document import EVERY_FORMAT, FORMATS, FORMS, Form, Format, file_stem
from sme_eval.runs.keys import notebook_path, read_notebook, source
from sme_eval.runs.page_record import read_page
from sme_eval.runs.stamp import PAGE, record_folder, write_whole
from sme_eval.terms import LANGUAGES, Language

if TYPE_CHECKING:
    from sme_eval.evaluation.record import Evaluation
    from sme_eval.evaluation.record_base import Bilingual

INDEX_PAGE: Final = "../../index.html"
"""From a report's folder."""
INJECTED: Final = "injected-parameters"
"""papermill's tag of the cell that it adds."""
_OF_A_RUN: Final = ("papermill", "execution")
"""Metadata of a run: times and paths of this machine."""


def executed_name(slug: str) -> str:
    """File name of the executed copy of a notebook."""
    return f"{slug}.notebook.ipynb"


def appendix_name(slug: str) -> str:
    """File name of the page of an executed notebook."""
    return f"{slug}.notebook.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which pages are made of a record: forms by language, each in every format."""

    forms: Mapping[Language, tuple[Form, ...]]
    formats: tuple[Format, ...]

    def plain(self) -> dict[str, Any]:
        """As a component of the rendering key."""
        return {"pages": [[language, form] for language, forms in self.forms.items() for form in forms], "formats": [*self.formats]}

    def files(self, slug: str) -> frozenset[str]:
        """Names of the files of a record called `slug`."""
        pages = [(language, form) for language, forms in self.forms.items() for form in forms]
        return frozenset(f"{file_stem(slug, *page)}.{ending}" for page in pages for ending in self.formats)


def wanted_pages(pages: Sequence[Sequence[str]] = (), formats: Sequence[str] = ()) -> Wanted:
    """The pages that are asked for, pairs of a language and a form; nothing asked is every page, in HTML and PDF."""
    chosen = [tuple(page) for page in pages] or [(language, form) for language in LANGUAGES for form in FORMS]
    forms = {language: tuple(form for form in FORMS if (language, form) in chosen) for language in LANGUAGES}
    made_in = tuple(format_ for format_ in EVERY_FORMAT if format_ in formats) or FORMATS
    return Wanted(forms={language: made for language, made in forms.items() if made}, formats=made_in)


def rendering_units(verb: str, wanted: Wanted | None = None) -> int:
    """Steps of a rendering: the gate, a briefing per audience, language and form, and the appendix of a notebook."""
    pages = sum(len(forms) for forms in (wanted or wanted_pages()).forms.values())
    return 1 + 2 * pages + (verb == "run")


def render_record(folder: Path, staging: Path, notebook: str, tick: Callable[[], None], *, wanted: Wanted | None = None) -> None:
    """Write the pages of the record in `folder` below `staging`; `notebook` names the one whose appendix is made, if any."""
    if (folder / PAGE).is_file():
        _page(folder, staging, notebook)
        tick()
        return
    from sme_eval.briefing.figure_reuse import DrawnFigures
    from sme_eval.briefing.render import render_forms
    from sme_eval.evaluation.disclosure import release, require_released
    from sme_eval.evaluation.record import Evaluation

    internal = Evaluation.read(folder)
    released = release(internal)
    require_released(released)
    released.write(staging)
    tick()
    wanted, drawn = wanted or wanted_pages(), DrawnFigures()
    for evaluation in (internal, released):
        beside = wanted.files(evaluation.slug)
        for language, forms in wanted.forms.items():
            for briefing in render_forms(evaluation, language, forms, wanted.formats, beside, drawn):
                briefing.write(staging)
                tick()
    if notebook:
        _appendix(internal, folder, staging, notebook)
        tick()


def _page(folder: Path, staging: Path, notebook: str) -> None:
    """The page of a notebook without an evaluation, in the language of its run; nothing of it is released."""
    from sme_eval.briefing.appendix import notebook_page

    record = read_page(folder / PAGE)
    node, title = _node(folder / executed_name(record.slug), notebook, record.language)
    heading = title.zh if record.language == "zh" else title.en
    page = notebook_page(node, heading, record.language, data_kind=record.data_kind, index_page=INDEX_PAGE, published=True)
    write_whole(record_folder(staging, record.slug) / appendix_name(record.slug), page)


def _appendix(evaluation: Evaluation, folder: Path, staging: Path, notebook: str) -> None:
    from sme_eval.briefing.appendix import notebook_page

    slug = evaluation.slug
    node, title = _node(folder / executed_name(slug), notebook)
    page = notebook_page(node, title.en, "en", data_kind=evaluation.data_kind, index_page=INDEX_PAGE)
    write_whole(record_folder(staging, slug) / appendix_name(slug), page)


def _node(executed: Path, notebook: str, language: Language = "en") -> tuple[Any, Bilingual]:
    """An executed notebook with its words as they are now and without its title on a page in `language`, and that title."""
    import nbformat

    shown = with_prose(read_notebook(executed), read_notebook(notebook_path(notebook)))
    title = titles(shown)
    bare = without_title(shown, title.zh if language == "zh" else "")
    return nbformat.reads(json.dumps(bare), as_version=4), title  # type: ignore[no-untyped-call]


def titles(notebook: Mapping[str, Any]) -> Bilingual:
    """The title of a notebook: the heading of its first cell, and the Chinese line below it."""
    from sme_eval.evaluation.record_base import Bilingual

    lines = [line.strip("# ") for line in source(notebook["cells"][0]).splitlines() if line.strip("# ")]
    english = lines[0] if lines else "notebook"
    return Bilingual(zh=lines[1] if len(lines) > 1 else english, en=english)


def without_title(notebook: Mapping[str, Any], title: str = "") -> dict[str, Any]:
    """The notebook without its first heading, nor the line that repeats `title`: the page around it has one."""
    first, *rest = notebook["cells"]
    lines = [line for line in source(first).splitlines(keepends=True) if not line.startswith("# ") and line.strip() != title]
    return {**notebook, "cells": [{**first, "source": "".join(lines)}, *rest]}


def with_prose(executed: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """The executed notebook with its words as they are now: prose needs no second run."""
    words = {cell.get("id"): cell for cell in current["cells"] if cell["cell_type"] != "code"}
    cells = [words.get(cell.get("id"), cell) if cell["cell_type"] != "code" else cell for cell in executed["cells"]]
    return {**executed, "cells": cells}


def clean_copy(executed: Path, target: Path) -> None:
    """The executed notebook without the times and paths of this machine."""
    notebook = copy.deepcopy(read_notebook(executed))
    for holder in (notebook, *notebook["cells"]):
        for name in _OF_A_RUN:
            holder.get("metadata", {}).pop(name, None)
    for cell in notebook["cells"]:
        if INJECTED in cell["metadata"].get("tags", ()):
            cell["id"] = INJECTED  # papermill draws a new one every time
    notebook["metadata"]["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    write_whole(target, json.dumps(notebook, ensure_ascii=False, indent=1) + "\n")
