"""Cells of regression tables as their formats hold them, read by other means than the writers'."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import docx
import typst
from bs4 import BeautifulSoup


def marked(text: str, marks: str) -> str:
    return text.replace("−", "-") + "".join(f" [{mark}]" for mark in marks.split(",") if mark)


def html_cells(text: str) -> list[list[str]]:
    rows = []
    for row in BeautifulSoup(text, "html.parser").select("tr"):
        cells = []
        for cell in row.select("th, td"):
            raised = "".join(mark.extract().get_text() for mark in cell.select("sup"))
            cells.append(marked(cell.get_text(), raised))
        rows.append(cells)
    return rows


LATEX_BACK = {
    **{rf"\{character}": character for character in "&%$#_{}"},
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<", r"\textgreater{}": ">",
    r"\textsuperscript{2}": "²", "$-$": "−", "--": "–",
}  # fmt: skip


def latex_plain(text: str) -> str:
    """What LaTeX prints: this test's own reading of the commands, not the writer's table."""
    pattern = "|".join(re.escape(command) for command in sorted(LATEX_BACK, key=len, reverse=True))
    return re.sub(pattern, lambda found: LATEX_BACK[found.group()], text)


def latex_cell(text: str) -> str:
    found = re.fullmatch(r"(?P<body>.*?)(\\textsuperscript\{(?P<marks>(?!2\})[\d,]+|2)\})?", text)
    assert found is not None
    body, marks = found["body"], found["marks"] or ""
    if text == r"Within R\textsuperscript{2}":
        body, marks = "Within R²", ""
    if body.startswith("$") and body != "$-$":
        body = body.strip("$").replace(r",\ ", ", ").replace("{,}", ",")
        body = re.sub(r"\^\{(\*+)\}", r"\1", body)
    elif body.startswith("{") and body.endswith("}"):
        body = latex_plain(body[1:-1])
    else:
        body = latex_plain(body)
    return marked(body, marks)


def latex_cells(text: str) -> list[list[str]]:
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    lines = [line for line in body.splitlines() if line.endswith(r" \\")]
    return [[latex_cell(cell.strip()) for cell in re.split(r"(?<!\\)&", line.removesuffix(r" \\"))] for line in lines]


def typst_text_of(node: object) -> tuple[str, str]:
    """(text, raised text) of one node of Typst's own document tree."""
    if not isinstance(node, dict):
        return "", ""
    kind = node.get("func")
    if kind == "text":
        return node["text"], ""
    if kind == "super":
        return "", "".join(typst_text_of(node["body"]))
    if kind == "space":
        return " ", ""
    children = node.get("children") or [node.get("body")]
    parts = [typst_text_of(child) for child in children]
    return "".join(part[0] for part in parts), "".join(part[1] for part in parts)


def typst_cells(text: str, folder: Path) -> list[list[str]]:
    """The cells as the Typst compiler understands them."""
    source = folder / "table.typ"
    source.write_text(text, encoding="utf-8")
    [grid] = json.loads(typst.query(str(source), "figure", field="body"))
    assert grid["func"] == "table"
    flat: list[str] = []
    for child in grid["children"]:
        if child["func"] == "header":
            flat += [marked(*typst_text_of(cell)) for cell in child["children"]]
        elif child["func"] != "hline":
            flat.append(marked(*typst_text_of(child)))
    columns = grid["columns"] if isinstance(grid["columns"], int) else len(grid["columns"])
    return [flat[n : n + columns] for n in range(0, len(flat), columns)]


def word_cells(path: Path) -> list[list[str]]:
    [grid] = docx.Document(str(path)).tables
    return [[word_cell(cell) for cell in row.cells] for row in grid.rows]


def word_cell(cell: Any) -> str:
    runs = [(run.text, bool(run.font.superscript)) for run in cell.paragraphs[0].runs]
    return marked(*("".join(text for text, raised in runs if raised is wanted) for wanted in (False, True)))
