"""The import graph is the architecture: this table is its only source of truth (ARCHITECTURE.md shows the same)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "sme_eval"
LEAVES = {"errors", "terms", "resources"}
DATA = LEAVES | {"stats", "results", "panel"}
ESTIMATION = DATA | {"moments", "estimators", "checks"}
MAY_IMPORT = {
    "errors": set(),
    "terms": set(),
    "resources": {"errors", "terms"},
    "stats": {"errors", "terms"},
    "results": {"errors", "terms", "stats"},
    "panel": LEAVES | {"stats", "results"},
    "moments": DATA,
    "estimators": DATA | {"moments"},
    "checks": LEAVES | {"stats", "results", "panel"},
    "policies": DATA,
    "simulate": DATA,
    "intake": DATA | {"simulate"},
    "evaluation": ESTIMATION | {"policies", "simulate", "intake"},
    "briefing": LEAVES | {"results", "evaluation"},
    "runs": LEAVES | {"evaluation", "briefing", "policies", "intake", "simulate", "panel", "results"},
    "cli": LEAVES | {"runs", "evaluation", "briefing", "policies", "intake", "simulate", "panel"},
    "__main__": {"cli"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: str) -> str | None:
    root, _, rest = module.partition(".")
    return rest.split(".")[0] if root == "sme_eval" and rest else None


def imported_modules(path: Path) -> set[str]:
    package = ("sme_eval", *path.relative_to(PACKAGE).parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join((*base, *([node.module] if node.module else ())))
            found |= {stem} if stem != "sme_eval" else {f"{stem}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_table(path: Path) -> None:
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if room == "__init__":  # the shop window shows everything
        return
    used = {room_of(m) for m in imported_modules(path)} - {None, room, "__version__"}
    assert used <= MAY_IMPORT[room], f"{path.name}: {room} must not import {sorted(used - MAY_IMPORT[room])}"


def test_the_table_has_no_circle() -> None:
    done: set[str] = set()
    while len(done) < len(MAY_IMPORT):
        ready = {room for room, uses in MAY_IMPORT.items() if room not in done and uses <= done}
        assert ready, f"a circle among {sorted(set(MAY_IMPORT) - done)}"
        done |= ready


def test_every_room_is_in_the_table_and_in_architecture() -> None:
    rooms = {p.relative_to(PACKAGE).with_suffix("").parts[0] for p in FILES} - {"__init__"}
    assert rooms == set(MAY_IMPORT)
    text = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [room for room in rooms if f"`{room}`" not in text] == []


def test_stats_knows_no_pandas() -> None:
    for path in (PACKAGE / "stats").glob("*.py"):
        assert not any(m.split(".")[0] == "pandas" for m in imported_modules(path)), path.name


def test_pages_read_records_only() -> None:
    """briefing sees the record, its plain form and the gate; nothing that estimates."""
    records = {
        "record",
        "record_base",
        "record_checks",
        "record_curve",
        "record_reading",
        "record_recommendations",
        "record_sections",
        "record_value",
    }
    allowed = {f"sme_eval.evaluation.{module}" for module in (*records, "plain", "disclosure")}
    for path in (PACKAGE / "briefing").rglob("*.py"):
        used = {m for m in imported_modules(path) if m.startswith("sme_eval.evaluation")}
        assert used <= allowed, f"{path.name}: {sorted(used - allowed)}"
