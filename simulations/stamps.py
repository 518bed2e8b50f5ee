"""What a result file was made with: the code it ran through and its worlds; changed code makes it stale.

A digest leaves out comments, docstrings and blank lines, so that changed words make nothing stale.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import io
import json
import sys
import tokenize
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from simulations.worlds import Drawn

ROOT: Final = Path(__file__).resolve().parent.parent
POLICY: Final[Mapping[str, str]] = {
    "claims": "certification",
    "checks": "certification",
    "district_tests": "rewards",
    "separability": "bundle",
}
"""Table → the policy whose design it takes, where that is not the table's own name."""
OWN_PANELS: Final = ("estimators",)
"""Tables that draw panels of their own: the simulator, which the list of worlds loads, and the declared files make none of their
numbers."""
EVERY_OTHER: Final = "instruments"
"""The table of every policy that has none of its own."""
NO_NUMBER: Final = (
    "sme_eval.briefing",
    "sme_eval.runs",
    "sme_eval.results.text",
    "sme_eval.evaluation.cohorts",
    "sme_eval.evaluation.compared",
    "sme_eval.evaluation.listing",
    "sme_eval.evaluation.plain",
    "sme_eval.evaluation.policy_record",
    "sme_eval.evaluation.power",
    "sme_eval.evaluation.provenance",
    "sme_eval.evaluation.recommendations",
    "sme_eval.evaluation.record",
    "sme_eval.evaluation.value",
    "sme_eval.policies.cost_",
    "sme_eval.policies.fact",
    "sme_eval.policies.instrument",
    "sme_eval.policies.letter",
    "sme_eval.policies.quantities",
    "sme_eval.policies.trap",
    "sme_eval.policies.vocabulary",
)
"""Modules (by their beginnings) that are loaded on the way and make no number of any table: records, words, costs, facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """File (relative to the project) → digest, and the world as text.

    `confirmed` is 0 where the rows were made by this code; else they were made by an earlier one, and this many panels, drawn again
    by this code, gave the same.
    """

    files: Mapping[str, str]
    world: str
    confirmed: int = 0

    def to_json(self) -> str:
        """As it lies beside the result file."""
        again = {"confirmed": self.confirmed} if self.confirmed else {}
        return json.dumps({"world": self.world, **again, "files": dict(sorted(self.files.items()))}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Stamp:
        """What `to_json` wrote."""
        found = json.loads(text)
        return cls(files=dict(found["files"]), world=str(found["world"]), confirmed=int(found.get("confirmed", 0)))

    def changes(self, world: Drawn) -> tuple[str, ...]:
        """What differs now from when the stamp was made; empty if nothing does."""
        changed = [name for name, digest in self.files.items() if _file_digest(ROOT / name) != digest]
        return (*changed, *(("the world's parameters",) if self.world != world_digest(world) else ()))


def world_digest(world: Drawn) -> str:
    """Everything that draws the world's panels, except how many."""
    return _digest(world.told)


def files_behind(table: str, world: Drawn) -> dict[str, str]:
    """File → digest of all code and declared files that one panel of a world runs through, found in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        names = fresh.submit(loaded_by, table, world.smallest()).result()
    declared = () if table in OWN_PANELS else ("data/dictionary.toml", *_policy_files(table))
    return {name: _file_digest(ROOT / name) for name in sorted((*names, *declared))}


def _policy_files(table: str) -> tuple[str, ...]:
    """The policies whose designs a table takes."""
    if table != EVERY_OTHER:
        return (f"data/policies/{POLICY.get(table, table)}.toml",)
    design = importlib.import_module(f"simulations.designs.{table}")
    return tuple(f"data/policies/{name}.toml" for name in design.others())


def loaded_by(table: str, world: Drawn) -> tuple[str, ...]:
    """Files of this project that estimating one seed loads; call it in a fresh process."""
    importlib.import_module(f"simulations.designs.{table}").rows(world, world.first_seed)
    chosen = [name for name in sys.modules if _counts(name, table)]
    found = [importlib.util.find_spec(name) for name in chosen]
    return tuple(sorted(str(Path(spec.origin).relative_to(ROOT)) for spec in found if spec is not None and spec.origin))


def _counts(module: str, table: str) -> bool:
    if module.startswith("simulations.designs"):
        return True
    if table in OWN_PANELS and module.startswith("sme_eval.simulate"):
        return False
    return module.startswith("sme_eval.") and not module.startswith(NO_NUMBER)


def _file_digest(path: Path) -> str:
    """Digest of a file's text, of code without its words; empty if it is gone."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return ""
    return _text_digest(text, path.suffix == ".py")


@cache
def _text_digest(text: str, is_code: bool) -> str:
    """Kept, because every world's stamp asks for the same files."""
    return _digest(without_words(text) if is_code else _bare(text))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _bare(text: str) -> str:
    """A declared file without lines that hold no number or name of a choice: texts in two languages, comments."""
    kept = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "zh =", "en =", "label =", "question ="))]
    return "\n".join(kept)


def without_words(code: str) -> str:
    """Code without comments, docstrings and blank lines."""
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[number - 1] = ""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "\n".join(line.rstrip() for line in lines if line.strip())
