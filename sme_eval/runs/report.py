"""The reports of a plan brought up to date: what is stale is run, several at a time, and published; then the index."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from sme_eval.errors import ParameterError, Problem, RunError, SmeEvalError, suggestion
from sme_eval.runs.failures import Failure, read_failures, write_failures
from sme_eval.runs.fan_out import plan_command, work
from sme_eval.runs.index import INDEX, index_reasons, write_index
from sme_eval.runs.manifest import write_manifest
from sme_eval.runs.one_at_a_time import one_at_a_time
from sme_eval.runs.plan_file import PlanFile
from sme_eval.runs.run import staging_folder
from sme_eval.runs.stale import Plan, plan_report, sample_plan

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
                    remedy="see the reasons above, then run the same again: what is done stays done",
                )
            )


def bring_up_to_date(
    reports: str | Path = "reports",
    plan: PlanFile | None = None,
    *,
    at_once: int = AT_ONCE,
    only: Sequence[str] = (),
    force: bool = False,
    say: Say = print,
    complain: Say = print,
) -> ReportResult:
    """Run what is stale of a plan (default: the sample report) below `reports`, render what is stale, and write the index.

    `only` keeps reports whose names match one of its patterns, `force` takes everything for stale. `say` hears what is done and
    why, `complain` what failed; one failure does not stop the others. What is done stays done when it is interrupted.

    Raises
    ------
    DataError
        The folder cannot be written, another run is at work on it, or a notebook is missing.
    ParameterError
        No report matches `only`, or fewer than one is to run at once.
    """
    if at_once < 1:
        raise ParameterError(Problem(what=f"{at_once} runs at once are none.", remedy="-j 1 or more"))
    plan = plan or sample_plan()
    shown = Path(os.path.relpath(Path(reports).resolve() / INDEX)).as_posix()
    folder = Path(reports).resolve()
    if not _due(folder, plan, only, force) and not index_reasons(folder):
        say(f"nothing is stale: {shown}")
        return ReportResult(estimated=(), rendered=())
    with staging_folder(reports) as (folder, staging), one_at_a_time(folder):
        stale = _due(folder, plan, only, force)  # again: another run may have ended in between
        for one in stale:
            say(str(one))
        failures = _do(stale, folder, staging, at_once, plan.deadline, complain)
        write_index(folder)
        write_manifest(folder)
    say(shown)
    done = [one for one in stale if one.name not in failures]
    return ReportResult(
        estimated=tuple(one.name for one in done if one.estimate),
        rendered=tuple(one.name for one in done if not one.estimate),
        failures=failures,
    )


def _due(reports: Path, plan: PlanFile, only: Sequence[str], force: bool) -> list[Plan]:
    """The reports that need something, those with the longest work first: the last to end is then a short one."""
    plans = plan_report(reports, plan)
    if only:
        names = [one.name for one in plans]
        plans = [one for one in plans if any(fnmatch(one.name, pattern) for pattern in only)]
        if not plans:
            remedy = suggestion(only[0], names[:20])
            raise ParameterError(Problem(what=f"No report is named {' or '.join(only)}.", where=plan.title, remedy=remedy))
    if force:
        plans = [replace(one, estimate=one.estimate or ("forced",)) for one in plans]
    due = [one for one in plans if one.stale]
    return sorted(due, key=lambda one: -(one.seconds or 0.0))


def _do(stale: Sequence[Plan], folder: Path, staging: Path, at_once: int, deadline: float, complain: Say) -> dict[str, Exception]:
    """Work on everything; each failure is told, and kept beside the reports, when it happens."""
    failures: dict[str, Exception] = {}

    def ended(plan: Plan, failure: Exception | None) -> None:
        if failure is None:
            if plan.name in read_failures(folder):
                write_failures(folder, {}, (plan.name,))
            return
        failures[plan.name] = failure
        complain(f"{plan.name}: {_words(failure)}")
        write_failures(folder, {plan.name: Failure.of(plan.name, plan_command(plan), plan.key, failure)})

    if stale:
        work(stale, folder, staging, at_once=at_once, deadline=deadline, ended=ended)
    return failures


def _words(failure: Exception) -> str:
    return failure.report() if isinstance(failure, SmeEvalError) else f"a bug: {failure}"


def describe_plan(reports: str | Path, plan: PlanFile, at_once: int = AT_ONCE) -> str:
    """Each report of a plan: fresh, stale, new or failed and why; then how many there are and how long the work may take."""
    plans = plan_report(Path(reports).resolve(), plan)
    width = max(len(one.name) for one in plans)
    lines = [f"{one.state:<6}  {one.name:<{width}}  {one.report.pages} pages{_why(one)}" for one in plans]
    states = [
        (state, sum(one.report.pages for one in plans if one.state == state)) for state in ("fresh", "stale", "new", "failed")
    ]
    counts = ", ".join(f"{n} {state}" for state, n in states if n)
    return "\n".join([*lines, "", f"{plan.pages} reports of {len(plans)} evaluations: {counts}", _time(plans, at_once)])


def _why(plan: Plan) -> str:
    return f"  {str(plan).removeprefix(plan.name + ': ')}" if plan.stale and plan.state != "new" else ""


def _time(plans: Sequence[Plan], at_once: int) -> str:
    due = [one for one in plans if one.stale]
    if not due:
        return "nothing is to be done"
    known = [one.seconds for one in due if one.seconds is not None]
    if not known:
        return f"{len(due)} evaluations to be done; how long is not known, because none was run here before"
    seconds = sum(known) / len(known) * len(due) / max(1, min(at_once, len(due)))
    return f"{len(due)} evaluations to be done, about {max(seconds / 60, 0.1):.1f} minutes with {at_once} at once, from past runs"
