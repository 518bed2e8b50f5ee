"""The parent's side of a worker: start it with bounded threads, ask for one measurement, end it at its limits."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import psutil

ROOT: Final = Path(__file__).resolve().parent.parent
POOLS: Final = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)
STEP: Final = 0.2
"""Seconds between two looks at a worker's memory."""


class Failed(Exception):
    """A worker that ended or was ended; the message is its reason in one line."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds per answer, bytes of resident memory, threads."""

    seconds: float
    memory: float
    threads: int


class Worker:
    """One process that has its frame in memory and measures when asked."""

    def __init__(self, command: Sequence[str], limits: Limits, environ: Mapping[str, str] = os.environ) -> None:
        self.limits = limits
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by end()
        self.answers: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**environ, **dict.fromkeys(POOLS, str(limits.threads)), "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for the parent: a worker that it ended would be stored as one that failed
        )
        self.watched = psutil.Process(self.process.pid)
        if limits.threads < (os.cpu_count() or 1) and hasattr(self.watched, "cpu_affinity"):
            self.watched.cpu_affinity(self.watched.cpu_affinity()[: limits.threads])
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put(None)

    def ask(self) -> dict[str, Any]:
        """One measurement; Failed if the worker ends, takes too long or too much memory."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("again\n")
            self.process.stdin.flush()
        except OSError:
            raise Failed(self._last_words()) from None
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line that the worker says; the first says that the frame is loaded and everything is warm."""
        deadline = time.monotonic() + self.limits.seconds
        while True:
            try:
                line = self.answers.get(timeout=STEP)
            except queue.Empty:
                self._stop_at_limits(deadline)
                continue
            if line is None:
                raise Failed(self._last_words())
            found: dict[str, Any] = json.loads(line)
            return found

    def _stop_at_limits(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            self.end()
            raise Failed(f"ended after {self.limits.seconds:.0f} s")
        if _resident(self.watched) > self.limits.memory:
            self.end()
            raise Failed(f"ended at {self.limits.memory / 2**30:.0f} GiB of memory")

    def _last_words(self) -> str:
        """The last line of its error output, or how it ended."""
        code = self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip()[:200] if lines else f"ended with code {code}"

    def end(self) -> None:
        """End the process and every process that it started."""
        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [*self.watched.children(recursive=True), self.watched]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _resident(process: psutil.Process) -> int:
    """Resident memory of a process and what it started."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for member in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += member.memory_info().rss
    return total


def python_command(package: str, task: str, frame: Path, warm: Path, columns: Sequence[str]) -> list[str]:
    """The command of a Python worker."""
    return [sys.executable, "-m", "benchmarks.worker", package, task, str(frame), str(warm), ",".join(columns)]


def r_command(package: str, task: str, frame: Path, warm: Path, columns: Sequence[str]) -> list[str]:
    """The command of an R worker; it reads tables as text."""
    script = Path(__file__).resolve().parent / "peers.R"
    return ["Rscript", "--vanilla", str(script), package, task, str(frame), str(warm), ",".join(columns)]
