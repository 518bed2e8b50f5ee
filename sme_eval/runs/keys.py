"""What a report depends on, as digests by component: cheap to compute, nothing heavy is imported.

Two keys per report. *Estimation*: a change in one of its components means that the numbers may change. *Rendering*: the record
as it is, and everything that turns it into pages. Editing prose touches the second only.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from sme_eval.errors import DataError, Problem
from sme_eval.resources import project_folder, resource_files, resource_layers
from sme_eval.runs.parameters import PAGES
from sme_eval.runs.settings import Value
from sme_eval.runs.stamp import digest, digest_texts

PACKAGE: Final = Path(__file__).resolve().parents[1]
BRIEFING: Final = PACKAGE / "briefing"
HELPERS: Final = ("drawing", "show", "show_checks", "simulated", "records", "evaluate")
"""Modules of this room that notebooks and `sme-eval evaluate` call: they shape what is estimated or shown."""

PAGE_HELPERS: Final = (
    "show_letter", "letter_numbers", "letter_page", "letter_traps", "letter_words", "page_record", "shown", "systems",
)  # fmt: skip
"""The same of notebooks without an evaluation."""

PANEL_FILES: Final = ("panel", "panel_file")
"""Parameters that name a file of data."""

WORDS: Final[Mapping[str, str]] = {
    "verb": "the record is from another verb",
    "parameters": "parameters changed",
    "code": "notebook code changed",
    "policy": "policy file changed",
    "recommendations": "recommendations changed",
    "facts": "facts changed",
    "declarations": "dictionary or sources changed",
    "modules": "estimation code changed",
    "data": "data changed",
    "pages": "other pages are wanted",
    "formats": "other formats are wanted",
    "helpers": "notebook functions changed",
    "lock": "library versions changed",
    "python": "another Python",
    "record": "record changed",
    "prose": "notebook prose changed",
    "briefing": "briefing code changed",
    "texts": "briefing texts changed",
    "templates": "briefing templates changed",
    "records": "records changed",
    "failures": "other reports failed",
}
"""Component → what is said when it differs."""


def notebook_path(name: str) -> Path:
    """The notebook's file; the project's own wins over the packaged one.

    Raises
    ------
    DataError
        There is no such file.
    """
    files = resource_files("notebooks", ".ipynb")
    if f"{name}.ipynb" not in files:
        raise DataError(Problem(what=f"notebooks/{name}.ipynb is missing.", remedy="restore the file, or install sme-eval again"))
    return files[f"{name}.ipynb"]


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook as plain JSON; DataError if it is none."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(plain, dict) or not isinstance(plain["cells"], list):
            raise ValueError
    except (ValueError, KeyError):
        raise DataError(
            Problem(what=f"{path.name} is no notebook.", where="notebooks/", remedy="save it again in JupyterLab")
        ) from None
    return plain


def source(cell: Mapping[str, Any]) -> str:
    """The text of a notebook's cell."""
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def notebook_estimation(name: str, parameters: Mapping[str, Value]) -> dict[str, Any]:
    """The estimation key of a notebook's run."""
    cells = read_notebook(notebook_path(name))["cells"]
    return {
        "verb": "run",
        "parameters": dict(parameters),
        "code": _digest(source(cell) for cell in cells if cell.get("cell_type") == "code"),
        **_inputs(str(parameters.get("policy", name)), parameters),
        **(_page_inputs() if name in PAGES else {}),
    }


def policy_estimation(name: str, outcome: str, settings: Mapping[str, Value]) -> dict[str, Any]:
    """The estimation key of `sme-eval evaluate`."""
    return {"verb": "evaluate", "parameters": {"outcome": outcome, **settings}, **_inputs(name, settings)}


def _inputs(policy: str, parameters: Mapping[str, Value]) -> dict[str, Any]:
    """Everything that an estimation reads, without the modules that it uses: those are known only afterwards (`runs.used`)."""
    # Imported here: it needs numpy, and `sme-eval --help` does not need it.
    from sme_eval.evaluation.provenance import lock_hash

    declared = resource_files("policies", ".toml")
    files = [("policy", path) for name, path in declared.items() if name == f"{policy}.toml"]
    recommended = resource_files("recommendations", ".toml")
    layers = [(f"{name} {n}", path) for name in ("dictionary.toml", "sources.toml") for n, path in enumerate(resource_layers(name))]
    return {
        "policy": digest_texts(files),
        "recommendations": digest_texts((name, path) for name, path in recommended.items() if name == f"{policy}.toml"),
        "declarations": digest_texts(layers),
        "data": _own_data(parameters),
        "helpers": digest_texts((name, PACKAGE / "runs" / f"{name}.py") for name in HELPERS),
        "lock": lock_hash(),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def _page_inputs() -> dict[str, Any]:
    """What a page on the published reply reads beside a panel: its facts, every policy, and the code of its tables and drawings."""
    facts = [(name, path) for ending in (".toml", ".txt") for name, path in resource_files("facts", ending).items()]
    own = [PACKAGE / "runs" / f"{name}.py" for name in (*HELPERS, *PAGE_HELPERS)]
    drawn = [BRIEFING / name for name in ("figure_canvas.py", "figures_letter.py")]
    return {
        "policy": digest_texts(resource_files("policies", ".toml").items()),
        "facts": digest_texts(facts),
        "helpers": digest_texts((path.name, path) for path in (*own, *drawn)),
    }


def _own_data(parameters: Mapping[str, Value]) -> dict[str, str]:
    """Digest of each file that a parameter names as a panel, seen from the project folder; empty where there is none."""
    named = {name: str(parameters[name]) for name in PANEL_FILES if parameters.get(name)}
    return {name: digest(project_folder() / file) for name, file in named.items()}


def page_rendering() -> dict[str, Any]:
    """What every page is made with: the code, the texts and the templates of the briefing, and the libraries."""
    from sme_eval.evaluation.provenance import lock_hash

    files = [path for path in BRIEFING.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    named = [(path.relative_to(BRIEFING).as_posix(), path) for path in files]
    code = [(name, path) for name, path in named if path.suffix == ".py"]
    texts = [(name, path) for name, path in named if path.suffix == ".toml"]
    rest = [(name, path) for name, path in named if path.suffix not in (".py", ".toml")]
    return {
        "briefing": digest_texts([*code, ("runs/render.py", PACKAGE / "runs" / "render.py")]),
        "texts": digest_texts(texts),
        "templates": digest_texts(rest),
        "lock": lock_hash(),
    }


def notebook_rendering(name: str) -> dict[str, Any]:
    """The rendering key of a notebook's run, without its record, which is known only after estimation."""
    cells = read_notebook(notebook_path(name))["cells"]
    return {"prose": _digest(source(cell) for cell in cells if cell.get("cell_type") != "code"), **page_rendering()}


def reasons(now: Mapping[str, Any], then: Mapping[str, Any]) -> tuple[str, ...]:
    """Why outputs made from `then` are stale, in words; empty if they are not."""
    names = [name for name in {**now, **then} if now.get(name) != then.get(name)]
    return tuple(WORDS.get(name, f"{name} changed") for name in names)


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
