"""Several reports at once, each in its own process and folder: one failure stops nothing else, and Ctrl-C ends them all."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sme_eval.errors import SmeEvalError
from sme_eval.runs.job import Job
from sme_eval.runs.kernel import worker_environment
from sme_eval.runs.parameters import changed
from sme_eval.runs.process import Worker, WorkerBug
from sme_eval.runs.progress import progress_bar
from sme_eval.runs.render import rendering_units
from sme_eval.runs.run import command_line, notebook_units
from sme_eval.runs.stale import Plan

Heard = Callable[[Plan, Exception | None], None]


def plan_command(plan: Plan) -> str:
    """What a person types to run the report alone."""
    return command_line("run", plan.report.notebook, changed(plan.parameters))


def work(plans: Sequence[Plan], reports: Path, staging: Path, *, at_once: int, deadline: float, ended: Heard) -> None:
    """Do every plan, `at_once` at a time; `ended` hears of each as it ends, with what it failed of."""
    from joblib import Parallel, delayed

    lock = threading.Lock()
    with tempfile.TemporaryDirectory(prefix="sme-eval-", ignore_cleanup_errors=True) as scratch:
        environment = worker_environment(Path(scratch))
        workers = [
            Worker(_job(plan, reports, staging / str(n)), environment, Path(scratch) / f"{n}.log", deadline)
            for n, plan in enumerate(plans)
        ]
        with progress_bar("report" if len(plans) == 1 else f"{len(plans)} reports", sum(map(_units, plans))) as listen:

            def heard(message: Mapping[str, Any]) -> None:
                with lock:
                    listen(message)

            def one(worker: Worker, plan: Plan) -> None:
                failure: Exception | None = None
                try:
                    worker.run(heard)
                except (SmeEvalError, WorkerBug) as error:
                    failure = error
                with lock:
                    ended(plan, failure)

            tasks = (delayed(one)(worker, plan) for worker, plan in zip(workers, plans, strict=True))
            try:
                Parallel(n_jobs=at_once, backend="threading", pre_dispatch=at_once)(tasks)
            except BaseException:
                for worker in workers:
                    worker.stop()
                raise


def _job(plan: Plan, reports: Path, own: Path) -> Job:
    own.mkdir()
    wanted = plan.wanted.plain()
    return Job(
        verb="run",
        name=plan.report.notebook,
        command=plan_command(plan),
        parameters=changed(plan.parameters),
        reports=str(reports),
        staging=str(own),
        slug=plan.slug,
        report=plan.report.name,
        pages=wanted["pages"],
        formats=wanted["formats"],
        estimation=plan.estimation if plan.estimate else None,
        rendering=plan.rendering,
    )


def _units(plan: Plan) -> int:
    """Steps of one report, for the progress bar."""
    estimated = notebook_units(plan.report.notebook, plan.parameters) if plan.estimate else 0
    return estimated + rendering_units("run", plan.wanted)
