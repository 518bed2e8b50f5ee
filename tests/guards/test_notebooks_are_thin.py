"""Notebooks ask and show; they never compute."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sme_eval.runs.keys import source
from sme_eval.runs.parameters import PAGES

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
MOST_CELLS, MOST_LINES = 12, 10
PAGE_RECORDS = {"letter": "sme.write_letter(panel, growth, language, reports)"}
ALLOWED_IMPORTS = {"sme_eval"}
FORBIDDEN = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.For,
    ast.While,
    ast.Try,
    ast.With,
    ast.Lambda,
    ast.If,
    ast.comprehension,
)

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            yield source(cell), cell


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@every_notebook
def test_cells_are_few_and_short(path: Path) -> None:
    cells = list(code_cells(path))
    assert len(cells) <= MOST_CELLS
    assert [text for text, _ in cells if len(text.splitlines()) > MOST_LINES] == []


@every_notebook
def test_cells_only_call_the_package(path: Path) -> None:
    for text, _ in code_cells(path):
        nodes = list(ast.walk(ast.parse(text)))
        assert not [node for node in nodes if isinstance(node, FORBIDDEN)], f"{path.name}: move this logic into sme_eval:\n{text}"
        assert not text.lstrip().startswith(("%", "!"))
        roots = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        roots |= {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
        assert roots <= ALLOWED_IMPORTS, f"{path.name} imports {sorted(roots - ALLOWED_IMPORTS)}"


@every_notebook
def test_nothing_of_a_run_is_committed(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for _, cell in code_cells(path):
        assert cell["outputs"] == [] and cell["execution_count"] is None
    for holder in (notebook, *notebook["cells"]):
        assert not {"papermill", "execution"} & set(holder["metadata"])
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"


@every_notebook
def test_it_begins_with_a_question_in_both_languages(path: Path) -> None:
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    heading, chinese, *_ = source(first).splitlines()
    assert first["cell_type"] == "markdown" and heading.startswith("# ") and heading.endswith("?")
    assert chinese.endswith("？")


def test_pages_without_an_evaluation_have_their_own_record() -> None:
    assert set(PAGE_RECORDS) == set(PAGES)


@every_notebook
def test_it_ends_with_the_record(path: Path) -> None:
    last = PAGE_RECORDS.get(path.stem, "sme.write_record(evaluation, reports)")
    assert [text for text, _ in code_cells(path)][-1].strip() == last


@every_notebook
def test_cells_have_names_that_are_unique(path: Path) -> None:
    """Words of a run are brought up to date by the names of their cells."""
    names = [cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    assert len(names) == len(set(names))
