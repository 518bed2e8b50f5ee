"""RESULTS.md: what is required and measured, then every table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from benchmarks.compare import Spread, spread
from benchmarks.measured import Beside, Group, groups, in_frames, not_installed
from benchmarks.packages import MODULES, OURS
from benchmarks.required import required_table
from benchmarks.store import R_PACKAGES, Line, machine, package_version
from benchmarks.tasks import TASKS
from benchmarks.words import HEAD, MEASURED_HOW, table

TARGET: Final = Path(__file__).resolve().parent / "RESULTS.md"
STACK: Final = ("numpy", "pandas", "scipy", "pyarrow", "numba", "polars")
EXPLAINED_ABOVE: Final = 1e-8
"""Relative differences above this want a reason."""


def write_results(lines: Iterable[Line], threads: int, target: Path = TARGET) -> str:
    """Write the tables; the file's name."""
    found = groups(lines, threads)
    parts = [
        HEAD,
        "## Required and measured\n",
        required_table(found),
        "## Machine and packages\n",
        _machine(threads),
        MEASURED_HOW,
    ]
    for name, of_task in groupby(found, key=lambda group: group.name):
        members = list(of_task)
        parts += [f"## {TASKS[name].title}\n", *(_group(group) for group in members), _reasons(members)]
    target.write_text("\n".join(part for part in parts if part), encoding="utf-8", newline="\n")
    return f"{target.parent.name}/{target.name}"


def _machine(threads: int) -> str:
    kind = machine()
    rows = [
        ["machine", f"{kind['system']} on {kind['processor']}, {kind['cores']} cores, {kind['memory_gib']} GiB of memory"],
        ["for every package", f"{threads} threads on {threads} cores"],
        ["Python", kind["python"]],
        *([name, package_version(name) or not_installed(name) or ""] for name in (*MODULES, *R_PACKAGES, *STACK)),
    ]
    return table(["", ""], rows)


def _group(group: Group) -> str:
    head = [
        "package",
        "runs",
        "wall, s",
        "CPU, s",
        "peak memory, MB",
        "in frames",
        "wall / ours",
        "CPU / ours",
        "numbers",
        "estimates",
        "errors",
    ]
    rows = [_row(OURS, group.ours)] if group.ours else []
    rows += [_peer_row(pair) for pair in group.pairs if pair.peer is not None]
    bare = spread(group.ours, "bare")
    if bare is not None:
        rows.append(["bare pivot", str(len(group.ours)), _seconds(bare), *[""] * 8])
    return f"### {group.size:,} firms, {group.order}\n\n{table(head, rows)}"


def _row(package: str, lines: Sequence[Line]) -> list[str]:
    wall, cpu, memory, frames = spread(lines, "wall"), spread(lines, "cpu"), spread(lines, "memory"), in_frames(lines)
    return [
        package,
        str(len(lines)),
        _seconds(wall),
        _seconds(cpu),
        "not known" if memory is None else f"{memory.median / 1e6:,.0f}",
        "" if frames is None else f"{frames:.2f}",
        *[""] * 5,
    ]


def _peer_row(pair: Beside) -> list[str]:
    assert pair.peer is not None
    why = not_installed(pair.peer) or (f"failed: {pair.failed}" if pair.failed else None)
    if not pair.theirs:
        return [pair.peer, "0", why or "not measured", *[""] * 8]
    row = _row(pair.peer, pair.theirs)
    compared = {line["agreement"]["compared"] for line in pair.theirs if line.get("agreement")}
    row[6:] = [
        *("" if value is None else f"{value:.1f}" for value in (pair.ratio(), pair.ratio("cpu"))),
        " ".join(map(str, sorted(compared))),
        _difference(pair.difference("estimate")),
        _difference(pair.difference("error")),
    ]
    return [f"{pair.peer} ({pair.failed})", *row[1:]] if pair.failed else row


def _reasons(members: Sequence[Group]) -> str:
    """Why numbers differ by more than rounding; a difference without a known reason says so."""
    task, worst = members[0].task, dict[str, float]()
    for pair in (pair for group in members for pair in group.pairs if pair.peer is not None):
        for part in ("estimate", "error"):
            worst[str(pair.peer)] = max(worst.get(str(pair.peer), 0.0), pair.difference(part) or 0.0)
    lines = [
        f"* {peer}: {task.reasons.get(peer, 'differs from ours and no reason is known')}."
        for peer, size in worst.items()
        if size > EXPLAINED_ABOVE
    ]
    return "\n".join(["Why numbers differ:\n", *lines, ""]) if lines else ""


def _seconds(found: Spread | None) -> str:
    if found is None:
        return ""
    digits = 4 if found.median < 0.1 else 3 if found.median < 1.0 else 2
    return f"{found.median:.{digits}f} ({found.least:.{digits}f}–{found.most:.{digits}f})"


def _difference(value: float | None) -> str:
    return "" if value is None else "0" if value == 0.0 else f"{value:.0e}"
