"""The table of what the project requires of itself and what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from benchmarks.compare import spread
from benchmarks.frames import ORDERS
from benchmarks.measured import Group
from benchmarks.tasks import BARE_LIMIT, LARGE, LINEAR_LIMIT, MEMORY_LIMIT, SIZES, TASKS
from benchmarks.words import table

SHORT: Final = {
    "cs": "Callaway–Sant'Anna without covariates",
    "dr": "doubly robust, 3 covariates",
    "bands": "doubly robust, 3 covariates, simultaneous bands",
    "imputation": "imputation",
    "twfe": "two-way fixed effects",
    "event": "event study",
}
HEAD: Final = ["what", "firms", "required: shuffled", "measured: shuffled", "required: sorted", "measured: sorted", "met"]

Groups = dict[tuple[str, int, str], Group]
Cell = tuple[str, bool | None]
"""What was measured, in words, and whether it is enough; None: not measured."""


def required_table(found: Sequence[Group]) -> str:
    """One row per requirement, both orders of the frame beside each other."""
    by: Groups = {(group.name, group.size, group.order): group for group in found}
    return table(HEAD, [*_ratios(by), _bare(by), *_memory(by), _linear(by)])


def _row(what: str, size: int, limits: Sequence[str], cells: Sequence[Cell]) -> list[str]:
    judged = [met for _, met in cells]
    met = "not measured" if None in judged else "yes" if all(judged) else "**no**"
    parts = [text for limit, (words, _) in zip(limits, cells, strict=True) for text in (limit, words)]
    return [what, f"{size:,}", *parts, *[""] * (4 - len(parts)), met]


def _cell(group: Group | None, value: Callable[[Group], float | None], enough: Callable[[float], bool]) -> Cell:
    measured = value(group) if group is not None else None
    return ("–", None) if measured is None else (f"{measured:.2f}", enough(measured))


def _ratios(by: Groups) -> Iterator[list[str]]:
    for name, task in TASKS.items():
        if task.required is None:
            continue
        cells = []
        for order, least in task.required.least.items():
            group = by.get((name, task.required.size, order))
            pair = group.fastest if group is not None else None
            measured = pair.ratio() if pair is not None else None
            cells.append(("–", None) if measured is None or pair is None else (f"{measured:.1f} ({pair.peer})", measured >= least))
        limits = [f"≥ {least:g}" for least in task.required.least.values()]
        yield _row(f"{SHORT[name]}: fastest peer / ours", task.required.size, limits, cells)


def _bare(by: Groups) -> list[str]:
    cells = [_cell(by.get(("cs", LARGE, o)), lambda group: group.bare_ratio, lambda value: value <= BARE_LIMIT) for o in ORDERS]
    return _row(f"{SHORT['cs']}: ours / bare factorise-and-scatter", LARGE, [f"≤ {BARE_LIMIT:g}"] * 2, cells)


def _memory(by: Groups) -> Iterator[list[str]]:
    for name, task in TASKS.items():
        if task.required is None:
            continue
        size = task.required.size
        cells = [
            _cell(by.get((name, size, o)), lambda group: group.memory_in_frames, lambda value: value <= MEMORY_LIMIT)
            for o in ORDERS
        ]
        yield _row(f"{SHORT[name]}: our peak memory above the frame, in frames", size, [f"≤ {MEMORY_LIMIT:g}"] * 2, cells)


def _linear(by: Groups) -> list[str]:
    group = next((by[key] for size in reversed(SIZES) if (key := ("linear", size, ORDERS[0])) in by), None)
    wall = spread(group.ours, "wall") if group is not None else None
    cell: Cell = ("–", None) if wall is None else (f"{wall.median:.3f} s", wall.median < LINEAR_LIMIT)
    size = group.size if group is not None else LARGE
    return _row("all linear estimators together, once the moments exist", size, [f"< {LINEAR_LIMIT:g} s"], [cell])
