"""One run from the outside: parameters are checked, a worker does the work, and its outputs are published or nothing is."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sme_eval.errors import DataError, Problem
from sme_eval.runs.execute import DEADLINE_SECONDS
from sme_eval.runs.job import Job
from sme_eval.runs.kernel import worker_environment
from sme_eval.runs.keys import (
    notebook_estimation,
    notebook_path,
    notebook_rendering,
    page_rendering,
    policy_estimation,
    read_notebook,
)
from sme_eval.runs.parameters import PAGES, Parameters, changed, notebook_name, resolve, values
from sme_eval.runs.process import Listener, Worker
from sme_eval.runs.progress import progress_bar
from sme_eval.runs.render import rendering_units, wanted_pages
from sme_eval.runs.settings import Value
from sme_eval.runs.stamp import record_file, record_folder

STAGING_PREFIX: Final = ".staging-"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A finished run."""

    name: str
    slug: str
    record: Path
    seconds: float


def run_notebook(
    notebook: str,
    settings: Mapping[str, object],
    reports: str | Path = "reports",
    *,
    deadline: float = DEADLINE_SECONDS,
    listen: Listener | None = None,
    hold: Callable[[Worker], None] | None = None,
) -> RunResult:
    """Run a notebook with `settings` and publish its record, its appendix and its briefings below `reports`.

    `listen` hears every message in place of a progress bar; `hold` is given the worker before it starts, to stop it.

    Raises
    ------
    ParameterError
        Unknown notebook, unknown or refused parameters; nothing was started.
    SmeEvalError
        The run failed: the error that a cell raised if it is one of this package, else `RunError`.
    """
    name = notebook_name(notebook)
    parameters = resolve(name, settings)
    with staging_folder(reports) as (folder, staging):
        job = notebook_job(name, parameters, folder, staging)
        if listen is not None:
            return run_job(job, listen, deadline, hold)
        with progress_bar(name, run_units(name, parameters)) as bar:
            return run_job(job, bar, deadline, hold)


def notebook_job(name: str, parameters: Parameters, reports: Path, staging: Path) -> Job:
    """The job of a whole run of a notebook."""
    return Job(
        verb="run",
        name=name,
        command=command_line("run", name, changed(parameters)),
        parameters=changed(parameters),
        reports=str(reports),
        staging=str(staging),
        estimation=notebook_estimation(name, values(parameters)),
        rendering={**notebook_rendering(name), **wanted_pages().plain()},
    )


def run_policy(policy: str, outcome: str | None, settings: Mapping[str, object], reports: str | Path = "reports") -> RunResult:
    """Evaluate a policy with `settings` and publish its record and its briefings below `reports`.

    Raises
    ------
    DesignError
        There is no such policy, or it does not declare the outcome.
    ParameterError
        Unknown or refused settings; nothing was started.
    SmeEvalError
        Whatever the evaluation is refused for.
    """
    from sme_eval.policies.policy import find_policy
    from sme_eval.runs.evaluate import policy_settings

    declared = find_policy(policy)
    chosen = declared.outcome(outcome or declared.main_outcome).name
    made = policy_settings(declared, settings)
    with staging_folder(reports) as (folder, staging):
        job = Job(
            verb="evaluate",
            name=policy,
            command=command_line("evaluate", policy, {k: v for k, v in made.items() if k in settings}, chosen),
            parameters={"outcome": chosen, **made},
            reports=str(folder),
            staging=str(staging),
            estimation=policy_estimation(policy, chosen, made),
            rendering={**page_rendering(), **wanted_pages().plain()},
        )
        with progress_bar(policy, 1 + rendering_units("evaluate")) as listen:
            return run_job(job, listen)


def notebook_units(name: str, parameters: Parameters) -> int:
    """Steps of a notebook, for a progress bar: its cells, and one that papermill adds for parameters."""
    return len(read_notebook(notebook_path(name))["cells"]) + bool(changed(parameters))


def run_units(name: str, parameters: Parameters) -> int:
    """Steps of a whole run of a notebook: its cells and its pages."""
    return notebook_units(name, parameters) + (1 if name in PAGES else rendering_units("run"))


def run_job(
    job: Job, listen: Listener, deadline: float = DEADLINE_SECONDS, hold: Callable[[Worker], None] | None = None
) -> RunResult:
    """Do one job in a worker of its own and wait for it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sme-eval-", ignore_cleanup_errors=True) as scratch:
        worker = Worker(job, worker_environment(Path(scratch)), Path(scratch) / "worker.log", deadline)
        if hold is not None:
            hold(worker)
        slug = worker.run(listen)
    record = record_file(record_folder(Path(job.reports), slug))
    return RunResult(name=job.name, slug=slug, record=record, seconds=time.monotonic() - started)


@contextmanager
def staging_folder(reports: str | Path) -> Iterator[tuple[Path, Path]]:
    """The reports' folder, made if needed, and a folder inside it that goes away at the end.

    Raises
    ------
    DataError
        The folder cannot be made or written to.
    """
    folder = Path(reports).resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        own = f"{STAGING_PREFIX}{hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]}-"
        for left in folder.glob(f"{own}*"):
            if not _alive(left.name.removeprefix(own).partition("-")[0]):
                shutil.rmtree(left, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix=f"{own}{os.getpid()}-", dir=folder))
    except OSError as error:
        raise DataError(
            Problem(
                what=f"The reports' folder cannot be written: {error.strerror or error}.",
                where=os.fspath(reports),
                remedy="choose another folder with --reports FOLDER",
            )
        ) from None
    try:
        yield folder, staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _alive(process: str) -> bool:
    """Whether the process of this machine that made a staging folder still runs; one that was killed left it behind."""
    import psutil

    return process.isdigit() and psutil.pid_exists(int(process))


def command_line(verb: str, name: str, settings: Mapping[str, Value], outcome: str = "") -> str:
    """What a person types to do the same again."""
    words = ["sme-eval", verb, name, *(["--outcome", outcome] if outcome else [])]
    for key, value in settings.items():
        words += ["--set", f"{key}={value}"]
    return shlex.join(words)
