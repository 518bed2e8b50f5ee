"""What a verb says after a run: the record in words or as it is, and where its pages lie."""

from __future__ import annotations

import os
from pathlib import Path

from sme_eval.runs.index import write_index
from sme_eval.runs.run import RunResult


def finish(result: RunResult, reports: str | Path, *, as_json: bool = False) -> str:
    """Bring the index up to date and describe the run."""
    write_index(Path(reports).resolve())
    if as_json:
        return result.record.read_text(encoding="utf-8")
    from sme_eval.evaluation.record import Evaluation

    folder = Path(os.path.relpath(result.record.parent)).as_posix()
    release = folder.replace("/internal/", "/release/") if "/internal/" in folder else folder
    summary = Evaluation.read(result.record).summary()
    return f"{summary}\n  pages {folder}\n        {release}\n  done in {result.seconds:.0f} s"
