"""The process of one job, `python -m sme_eval.runs.worker`: a job on standard input, messages on standard output, a line each.

It estimates, publishes, renders and publishes again; a parent watches the clock and ends it together with its kernel.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from sme_eval.errors import DataError, Problem, RunError, SmeEvalError
from sme_eval.runs.job import MODULES, REPORT, STAGING, Job, error_to_plain, unwritable
from sme_eval.runs.stamp import EVALUATION, PAGE, Stamp, digest, publish, read_stamps, record_file, record_folder
from sme_eval.runs.used import begin, used_modules

Say = Callable[..., None]


def main() -> int:
    """Do the job on standard input; 0 if it was done."""
    channel = _own_output()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()

    def say(event: str, **details: Any) -> None:
        channel.write(json.dumps({"event": event, **details}, ensure_ascii=False) + "\n")
        channel.flush()

    try:
        say("done", slug=perform(Job.from_json(sys.stdin.readline()), say))
        return 0
    except SmeEvalError as error:
        details = "\n".join([*getattr(error, "__notes__", []), traceback.format_exc()])
        say("failed", traceback=details, **error_to_plain(error))
    except Exception as error:  # the parent speaks of it; the details are for whoever asks for them
        refusal = unwritable(error) if isinstance(error, OSError) else None
        if refusal is not None:
            say("failed", traceback=traceback.format_exc(), **error_to_plain(refusal))
            return 1
        say("bug", traceback=traceback.format_exc(), what=f"{type(error).__name__}: {error}")
    return 1


def _own_output() -> IO[str]:
    """The standard output for messages only: what a library prints goes to the standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


def _end_with_parent(parent: int) -> None:
    """A parent that was killed cannot end its workers: one that went on would publish beside the run that takes up the work."""
    while os.getppid() == parent:
        time.sleep(0.5)
    import psutil

    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    os._exit(1)


def perform(job: Job, say: Say) -> str:
    """Estimate and render as the job says; the slug of its record."""
    stamp = _earlier(job)
    if job.estimation is not None:
        stamp = _estimate(job, say)
    if job.rendering is not None:
        stamp = _render(job, stamp, say)
    return stamp.slug


def _earlier(job: Job) -> Stamp:
    stamps = [stamp for stamp in read_stamps(Path(job.reports)) if stamp.slug == job.slug]
    return stamps[0] if stamps else Stamp(name=job.name, slug=job.slug, report=job.report)


def _estimate(job: Job, say: Say) -> Stamp:
    """Estimate into the staging folder, then publish the record with its stamp; its pages are stale from here on."""
    staging = Path(job.staging) / "estimated"
    executed = Path(job.staging) / "executed.ipynb"
    os.environ[STAGING] = str(staging)
    os.environ[REPORT] = job.report
    started = time.monotonic()
    if job.verb == "evaluate":
        begin()  # before the modules of an evaluation are imported
        from sme_eval.runs.evaluate import estimate_policy

        estimate_policy(job, staging, progress=lambda step: say("step", name=step))
        say("advance")
        modules = used_modules()
    else:
        from sme_eval.runs.execute import execute_notebook

        execute_notebook(job, executed, tick=lambda: say("advance"))
        modules = _modules(staging.parent / MODULES)
    slug = _only_record(job, staging)
    if job.verb == "run":
        from sme_eval.runs.render import clean_copy, executed_name

        clean_copy(executed, record_folder(staging, slug) / executed_name(slug))
    reports = Path(job.reports)
    before = next((stamp for stamp in read_stamps(reports) if stamp.slug == slug), Stamp(name=job.name, slug=slug))
    made = publish(staging, reports, before.estimated)
    stamp = Stamp(
        name=job.name,
        slug=slug,
        report=job.report,
        estimation={**(job.estimation or {}), "modules": modules},
        estimated=made,
        rendered=before.rendered,
        seconds={"estimation": _since(started)},
    )
    stamp.write(reports)
    return stamp


def _since(started: float) -> float:
    return round(time.monotonic() - started, 1)


def _modules(path: Path) -> dict[str, str]:
    """What the kernel said that it used; every module of an evaluation where it did not say."""
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    import sme_eval.evaluation.evaluate  # noqa: F401

    return used_modules()


def _only_record(job: Job, staging: Path) -> str:
    """The slug of the one record that was written and that reads back."""
    from sme_eval.runs.page_record import read_record

    paths = [path for name in (EVALUATION, PAGE) for path in staging.glob(f"internal/*/{name}")]
    if len(paths) != 1:
        raise RunError(
            Problem(
                what=f"Notebook {job.name} wrote {len(paths)} records.",
                where=f"notebooks/{job.name}.ipynb",
                remedy="end it with one sme.write_record(evaluation, reports)",
            )
        )
    try:
        return read_record(paths[0]).slug
    except DataError as error:
        raise RunError(error.problems) from None


def _render(job: Job, stamp: Stamp, say: Say) -> Stamp:
    """Make every page of the record in the staging folder, then publish them with the stamp."""
    from sme_eval.runs.render import render_record, wanted_pages

    reports, staging = Path(job.reports), Path(job.staging) / "rendered"
    folder = record_folder(reports, stamp.slug)
    notebook = job.name if job.verb == "run" else ""
    started = time.monotonic()
    wanted = wanted_pages(job.pages, job.formats)
    render_record(folder, staging, notebook, tick=lambda: say("advance"), wanted=wanted)
    made = publish(staging, reports, stamp.rendered)
    rendering = {**(job.rendering or {}), "record": digest(record_file(folder))}
    seconds = {**stamp.seconds, "rendering": _since(started)}
    stamp = replace(stamp, rendering=rendering, rendered=made, seconds=seconds)
    stamp.write(reports)
    return stamp


if __name__ == "__main__":
    sys.exit(main())
