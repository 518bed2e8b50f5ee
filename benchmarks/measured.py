"""Stored lines arranged for the tables: one group per task, size and order."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.compare import Spread, ratio, spread
from benchmarks.frames import ORDERS, Order
from benchmarks.packages import OURS
from benchmarks.store import R_PACKAGES, Line, Pair, matching, package_version
from benchmarks.tasks import SIZES, TASKS, Task


@dataclass(frozen=True, slots=True)
class Beside:
    """Ours and one peer, measured in turns."""

    peer: str | None
    ours: Sequence[Line]
    theirs: Sequence[Line]
    failed: str

    def ratio(self, name: str = "wall") -> float | None:
        """Their median time over ours, of the same minutes."""
        return ratio(self.theirs, self.ours, name)

    def difference(self, part: str) -> float | None:
        """Largest relative difference of estimates or errors over the repetitions."""
        found = [float(line["agreement"][part]) for line in self.theirs if line.get("agreement")]
        return max(found) if found else None


@dataclass(frozen=True, slots=True)
class Group:
    """Everything measured for one task, size and order."""

    name: str
    size: int
    order: Order
    pairs: Sequence[Beside]

    @property
    def task(self) -> Task:
        """What was compared."""
        return TASKS[self.name]

    @property
    def ours(self) -> list[Line]:
        """Our measurements beside any peer."""
        return [line for pair in self.pairs for line in pair.ours]

    @property
    def fastest(self) -> Beside | None:
        """The pair of the peer with the smallest median wall time."""
        timed = [(found.median, pair) for pair in self.pairs if (found := spread(pair.theirs, "wall")) is not None]
        return min(timed, key=lambda item: item[0])[1] if timed else None

    @property
    def bare_ratio(self) -> float | None:
        """Our wall time over that of the bare pivot beside it."""
        found = spread(self.ours, "bare")
        above = spread(self.ours, "wall")
        return above.median / found.median if above is not None and found is not None else None

    @property
    def memory_in_frames(self) -> float | None:
        """Our median peak memory above the loaded frame, in frames."""
        return in_frames(self.ours)


def in_frames(lines: Sequence[Line]) -> float | None:
    """Median peak memory in units of the loaded frame."""
    found: Spread | None = spread(lines, "memory")
    return found.median / float(lines[0]["frame_bytes"]) if found is not None else None


def groups(lines: Iterable[Line], threads: int) -> list[Group]:
    """Every group with a measurement by what is installed now, in the order of the tasks."""
    kept, found = list(lines), []
    sizes = sorted({int(line["size"]) for line in kept} | set(SIZES))
    for name, task in TASKS.items():
        for size in sizes:
            for order in ORDERS:
                peers: list[str | None] = [peer.name for peer in task.peers] or [None]
                pairs = [_beside(kept, Pair(name, size, order, peer), threads) for peer in peers]
                if any(pair.ours or pair.failed for pair in pairs):
                    found.append(Group(name, size, order, pairs))
    return found


def _beside(lines: Iterable[Line], pair: Pair, threads: int) -> Beside:
    stored = matching(lines, pair, threads)
    timed = [line for line in stored if "failed" not in line]
    failed = [f"{line['package']}: {line['failed']}" for line in stored if "failed" in line]
    return Beside(
        peer=pair.peer,
        ours=[line for line in timed if line["package"] == OURS],
        theirs=[line for line in timed if line["package"] != OURS],
        failed="; ".join(failed),
    )


def not_installed(package: str) -> str | None:
    """Why a package cannot have run."""
    if package_version(package) is not None:
        return None
    without_r = package in R_PACKAGES and shutil.which("Rscript") is None
    return "not run: R is not installed" if without_r else "not run: not installed"
