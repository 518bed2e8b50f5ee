"""What has been run, and with which parameters; old runs are removed only when someone asks for it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sme_eval.runs.failures import read_failures
from sme_eval.runs.index import write_index
from sme_eval.runs.manifest import write_manifest
from sme_eval.runs.one_at_a_time import one_at_a_time
from sme_eval.runs.parameters import PAGES
from sme_eval.runs.plan_file import PlanFile
from sme_eval.runs.stale import find_stamp
from sme_eval.runs.stamp import STAMP, Stamp, read_stamps


def describe_runs(reports: str | Path, matching: str = "") -> str:
    """Every run below `reports` with its notebook, its parameters and its time; `matching` keeps those that hold the text."""
    folder = Path(reports).resolve()
    lines = [_line(stamp) for stamp in read_stamps(folder)]
    lines += [f"{failure.name}\n    failed: {failure.cause}" for failure in read_failures(folder).values()]
    kept = [line for line in lines if matching.lower() in line.lower()]
    if not lines:
        return "nothing has been run here"
    return "\n".join(kept) if kept else f"no run holds {matching!r}; there are {len(lines)}"


def _line(stamp: Stamp) -> str:
    parameters: dict[str, Any] = dict(stamp.estimation.get("parameters", {}))
    told = " ".join(f"{name}={value}" for name, value in parameters.items() if value != "")
    seconds = sum(stamp.seconds.values())
    state = "" if stamp.rendering else "  (not rendered yet)"
    return f"{stamp.slug}{state}\n    {stamp.estimation.get('verb', 'run')} {stamp.name} {told}\n    {seconds:.0f} s"


def prune(reports: str | Path, plan: PlanFile) -> tuple[str, ...]:
    """Remove the runs that `plan` does not ask for, their files as they were written and nothing else; the slugs that went.

    Pages without an evaluation stay: no plan can ask for them.
    """
    folder = Path(reports).resolve()
    with one_at_a_time(folder):
        stamps = read_stamps(folder)
        kept = {stamp.slug for report in plan.reports if (stamp := find_stamp(stamps, report)) is not None}
        gone = [stamp for stamp in stamps if stamp.slug not in kept and stamp.name not in PAGES]
        for stamp in gone:
            _remove(folder, stamp)
        if gone:
            write_index(folder)
            write_manifest(folder)
    return tuple(stamp.slug for stamp in gone)


def _remove(reports: Path, stamp: Stamp) -> None:
    """The stamp first: what is left if this is interrupted is then no run."""
    own = [reports / audience / stamp.slug for audience in ("internal", "release")]
    (own[0] / STAMP).unlink(missing_ok=True)
    for inside in (*stamp.rendered, *stamp.estimated):
        (reports / inside).unlink(missing_ok=True)
    for folder in own:
        # Files of a person stay, and their folder with them.
        if not any(path.is_file() for path in folder.rglob("*")):
            shutil.rmtree(folder, ignore_errors=True)
