"""Finished measurements, one JSON line each, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.packages import OURS
from simulations.stamps import without_words

RESULTS: Final = Path(__file__).resolve().parent / "results" / "runs.jsonl"
PACKAGE: Final = Path(__file__).resolve().parent.parent / "sme_eval"
ROOMS: Final = ("errors", "terms", "stats", "results", "panel", "moments", "estimators")
"""Rooms of sme_eval behind a timed call."""
R_PACKAGES: Final = {"R did": "did", "R fixest": "fixest"}

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """Ours beside one peer (None: alone) on one task, size and order."""

    task: str
    size: int
    order: str
    peer: str | None

    @property
    def packages(self) -> tuple[str, ...]:
        """Who runs, ours first."""
        return (OURS,) if self.peer is None else (OURS, self.peer)

    def describe(self) -> str:
        """For progress."""
        beside = "alone" if self.peer is None else f"beside {self.peer}"
        return f"{self.task} · {self.size:,} firms · {self.order} · {beside}"

    def key(self, threads: int) -> Line:
        """What a stored line must say to count for this pair: machine, versions and task; no commit, no date."""
        versions = {name: package_version(name) for name in self.packages}
        place = {"task": self.task, "size": self.size, "order": self.order, "peer": self.peer}
        return {**place, "versions": versions, "machine": machine(), "threads": threads}


def read_lines(path: Path = RESULTS) -> list[Line]:
    """Every stored line; a torn last one is left out."""
    lines: list[Line] = []
    if path.exists():
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except ValueError:
                continue
    return lines


def matching(lines: Iterable[Line], pair: Pair, threads: int) -> list[Line]:
    """The lines of a pair as it is now: other versions, machines and threads do not count."""
    key = pair.key(threads)
    return [line for line in lines if all(line.get(name) == value for name, value in key.items())]


def append(found: Iterable[Line], path: Path = RESULTS) -> None:
    """Add lines in one write, so that a round is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(line) + "\n" for line in found))


@cache
def package_version(name: str) -> str | None:
    """Version of a package, None if it is not installed; ours carries a digest of the code that is timed, without its words."""
    if name == OURS:
        import sme_eval

        return f"{sme_eval.__version__}+{code_digest()}"
    if name in R_PACKAGES:
        return _r_version(R_PACKAGES[name])
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def code_digest(package: Path = PACKAGE) -> str:
    """Digest of the timed rooms, comments and docstrings left out."""
    files = [path for room in ROOMS for path in (package / f"{room}.py", *(package / room).glob("*.py")) if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(without_words(path.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:8]


def _r_version(package: str) -> str | None:
    program = shutil.which("Rscript")
    if program is None:
        return None
    asked = [program, "-e", f"cat(as.character(packageVersion('{package}')))"]
    done = subprocess.run(asked, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return done.stdout.strip() or None if done.returncode == 0 else None


@cache
def machine() -> Line:
    """The kind of machine; no name."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
    }
