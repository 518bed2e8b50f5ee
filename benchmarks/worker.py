"""One task of one package: `python -m benchmarks.worker PACKAGE TASK FRAME WARM COLUMNS`; measures once per line on its input.

The frame is loaded and one small call has compiled and imported everything before the first line is asked for. Each answer is one
line of JSON on the original standard output; what packages print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, TextIO

from benchmarks.frames import read
from benchmarks.measure import Measured, measure
from benchmarks.packages import OURS, Numbers, job


def main(package: str, task: str, frame_path: str, warm_path: str, columns: str) -> int:
    """Load, warm up, then answer until the input ends."""
    answers = _own_output()
    warnings.filterwarnings("ignore")
    names, work = tuple(columns.split(",")), job(package, task)
    frame = read(Path(frame_path), names)
    work.read(work.run(work.prepare(read(Path(warm_path), names))))
    prepared = work.prepare(frame)
    _answer(answers, {"ready": True, "frame_bytes": int(frame.memory_usage(deep=True).sum())})
    for number, _ in enumerate(sys.stdin):
        bare_first = _bare(frame) if package == OURS and task == "cs" and number % 2 else None
        found, measured = measure(lambda: work.run(prepared))
        numbers = work.read(found)
        del found
        bare = bare_first or (_bare(frame) if package == OURS and task == "cs" else None)
        _answer(answers, _line(measured, numbers, bare))
    return 0


def _bare(frame: Any) -> float:
    """Seconds of the bare pivot in this process, on this frame."""
    from benchmarks.packages.ours import bare_pivot

    return measure(lambda: bare_pivot(frame))[1].wall


def _line(measured: Measured, numbers: Numbers, bare: float | None) -> dict[str, Any]:
    line: dict[str, Any] = {"wall": measured.wall, "cpu": measured.cpu, "memory": measured.memory, "numbers": numbers}
    return line if bare is None else {**line, "bare": bare}


def _own_output() -> TextIO:
    """Keep the pipe to the parent for answers; whatever libraries print, from Python or C, goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _answer(stream: TextIO, line: dict[str, Any]) -> None:
    stream.write(json.dumps(line) + "\n")
    stream.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:6]))
