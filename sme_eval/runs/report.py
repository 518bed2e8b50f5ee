"""The sample report, brought up to date: what is stale is run, two notebooks at a time, and published; then the index."""

from __future__ import annotations

import os
import queue
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sme_eval.errors import Problem, RunError, SmeEvalError
from sme_eval.runs.execute import DEADLINE_SECONDS
from sme_eval.runs.index import index_reasons, write_index
from sme_eval.runs.job import Job
from sme_eval.runs.kernel import worker_environment
from sme_eval.runs.parameters import changed
from sme_eval.runs.process import Listener, Worker, WorkerBug
from sme_eval.runs.progress import progress_bar
from sme_eval.runs.render import rendering_units
from sme_eval.runs.run import command_line, notebook_units, staging_folder
from sme_eval.runs.stale import Plan, plan_report

AT_ONCE: Final = 2
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """What was done: reports that were run, those of which only the pages were made again, and the failures by name."""

    estimated: tuple[str, ...]
    rendered: tuple[str, ...]
    failures: Mapping[str, Exception] = field(default_factory=dict)

    def raise_failures(self) -> None:
        """RunError if a run failed; what each failed of has been said."""
        if self.failures:
            names = ", ".join(self.failures)
            count = len(self.failures)
            raise RunError(
                Problem(
                    what=f"{count} of {count + len(self.estimated) + len(self.rendered)} runs failed: {names}.",
                    where="pages that were there before are as they were",
                    remedy="see the reasons above, then run sme-eval report again: what is done stays done",
                )
            )


def bring_up_to_date(reports: str | Path = "reports", *, say: Say = print, complain: Say = print) -> ReportResult:
    """Run what is stale below `reports`, render what is stale, and write the index.

    `say` hears what is done and why, `complain` what failed; one failure does not stop the others.

    Raises
    ------
    DataError
        The folder cannot be written, or a notebook is missing.
    """
    shown = Path(os.path.relpath(Path(reports).resolve() / "index.html")).as_posix()
    folder = Path(reports).resolve()
    stale = [plan for plan in plan_report(folder) if plan.stale]
    if not stale and not index_reasons(folder):
        say(f"nothing is stale: {shown}")
        return ReportResult(estimated=(), rendered=())
    for plan in stale:
        say(str(plan))
    with staging_folder(reports) as (folder, staging):
        failures = _work(stale, folder, staging) if stale else {}
        for name, failure in failures.items():
            complain(f"{name}: {_words(failure)}")
        write_index(folder)
    say(shown)
    done = [plan for plan in stale if plan.name not in failures]
    return ReportResult(
        estimated=tuple(plan.name for plan in done if plan.estimate),
        rendered=tuple(plan.name for plan in done if not plan.estimate),
        failures=failures,
    )


def _words(failure: Exception) -> str:
    return failure.report() if isinstance(failure, SmeEvalError) else f"a bug: {failure}"


def _job(plan: Plan, reports: Path, staging: Path) -> Job:
    own = staging / plan.name
    own.mkdir()
    return Job(
        verb="run",
        name=plan.name,
        command=command_line("run", plan.name, changed(plan.parameters)),
        parameters=changed(plan.parameters),
        reports=str(reports),
        staging=str(own),
        slug=plan.slug,
        estimation=plan.estimation if plan.estimate else None,
        rendering=plan.rendering,
    )


def _units(plan: Plan) -> int:
    """Steps of one report, for the progress bar."""
    return (notebook_units(plan.name, plan.parameters) if plan.estimate else 0) + rendering_units("run")


def _work(plans: Sequence[Plan], reports: Path, staging: Path) -> dict[str, Exception]:
    """Do every plan, `AT_ONCE` at a time; the failures by name. Ctrl-C ends all workers with their kernels."""
    heard: queue.Queue[Mapping[str, Any]] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="sme-eval-", ignore_cleanup_errors=True) as scratch:
        environment = worker_environment(Path(scratch))
        workers = {
            plan.name: Worker(_job(plan, reports, staging), environment, Path(scratch) / f"{plan.name}.log", DEADLINE_SECONDS)
            for plan in plans
        }
        with progress_bar("report", sum(map(_units, plans))) as listen, ThreadPoolExecutor(AT_ONCE) as pool:
            futures = {name: pool.submit(worker.run, heard.put) for name, worker in workers.items()}
            try:
                _follow(futures, heard, listen)
            except BaseException:
                for future in futures.values():
                    future.cancel()
                for worker in workers.values():
                    worker.stop()
                raise
    return {name: failure for name, future in futures.items() if (failure := _failure(future)) is not None}


def _follow(futures: Mapping[str, Future[str]], heard: queue.Queue[Mapping[str, Any]], listen: Listener) -> None:
    """Pass on what the workers say until every one has ended."""
    while not (all(future.done() for future in futures.values()) and heard.empty()):
        try:
            listen(heard.get(timeout=0.2))
        except queue.Empty:
            listen({"event": "wait"})


def _failure(future: Future[str]) -> Exception | None:
    error = future.exception()
    if error is None or isinstance(error, SmeEvalError | WorkerBug):
        return error
    raise error
