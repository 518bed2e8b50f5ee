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
    from sme_eval.runs.page_record import read_record

    folder = Path(os.path.relpath(result.record.parent)).as_posix()
    release = folder.replace("/internal/", "/release/")
    also = f"\n        {release}" if Path(release).is_dir() else ""
    summary = read_record(result.record).summary()
    return f"{summary}\n  pages {folder}{also}\n  done in {result.seconds:.0f} s"
