"""Where a notebook's record goes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePath

from sme_eval.evaluation.record import Evaluation
from sme_eval.resources import project_folder
from sme_eval.runs.job import MODULES, REPORT, STAGING
from sme_eval.runs.used import used_modules


def write_record(evaluation: Evaluation, reports: str = "reports") -> str:
    """Write `<reports>/internal/<slug>/evaluation.json` and name it; a relative `reports` starts at the project folder.

    A notebook gives the same file whether its kernel works in the project folder or in `notebooks/`.
    """
    if name := os.environ.get(REPORT):
        evaluation = replace(evaluation, name=name)
    return write_below(reports, evaluation.write)


def write_below(reports: str, write: Callable[[Path], Path]) -> str:
    """`write` a record into the folder of the reports; in a run into its staging folder, with the modules used beside it."""
    staging = os.environ.get(STAGING)
    folder = Path(staging) if staging else project_folder() / reports
    written = write(folder)
    if staging:
        (folder.parent / MODULES).write_text(json.dumps(used_modules()), encoding="utf-8")
    return (PurePath(reports) / written.relative_to(folder)).as_posix()


def for_question(evaluation: Evaluation, question: str) -> Evaluation:
    """The same evaluation under a name of its own, so that a notebook about one question does not take the policy's place."""
    return replace(evaluation, name=f"{evaluation.name}-{question}")
