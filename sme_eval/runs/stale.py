"""Which reports are stale, and why: a comparison of stamps with what is there now. Nothing is run and nothing heavy imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from sme_eval.runs.failures import Failure, read_failures
from sme_eval.runs.keys import notebook_estimation, notebook_rendering, reasons
from sme_eval.runs.parameters import NOTEBOOKS, Parameters, resolve, values
from sme_eval.runs.plan_file import PlanFile, Report
from sme_eval.runs.render import Wanted, wanted_pages
from sme_eval.runs.stamp import Stamp, digest, read_stamps, record_file, record_folder
from sme_eval.runs.used import changed_modules

PARTS = ("estimation", "rendering")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one report needs. `estimate` or `render` hold why, in words; rendering follows estimation in any case.

    `failure` is what it failed of when it was last tried. `seconds` is how long the work took before, here or in runs of the same
    notebook; None where nothing is known.
    """

    report: Report
    slug: str
    estimate: tuple[str, ...]
    render: tuple[str, ...]
    estimation: Mapping[str, Any]
    rendering: Mapping[str, Any]
    failure: Failure | None = None
    seconds: float | None = None

    @property
    def name(self) -> str:
        """What a person calls the report."""
        return self.report.title

    @property
    def parameters(self) -> Parameters:
        """Parameters of its notebook."""
        return self.report.parameters

    @property
    def wanted(self) -> Wanted:
        """Its pages."""
        return pages_of(self.report)

    @property
    def stale(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.estimate or self.render)

    @property
    def state(self) -> str:
        """Fresh, failed, new or stale."""
        if not self.stale:
            return "fresh"
        return "failed" if self.failure else "new" if self.estimate == ("new",) else "stale"

    @property
    def key(self) -> str:
        """Digest of everything that the report is made from."""
        return key_of(self.estimation, self.rendering)

    def __str__(self) -> str:
        """The report and why it is stale."""
        if not self.stale:
            return f"{self.name}: up to date"
        why = "; ".join(self.estimate or self.render)
        if self.failure:
            same = "" if self.failure.when_key == self.key else " (what it is made from has changed since)"
            return f"{self.name}: failed: {self.failure.cause}{same}"
        return f"{self.name}: {why}" + ("" if self.estimate else " (pages only, nothing is estimated again)")


def key_of(estimation: Mapping[str, Any], rendering: Mapping[str, Any]) -> str:
    """Digest of both keys and of the package's code as it is now."""
    from sme_eval.evaluation.provenance import modules_hash

    plain = json.dumps([estimation, rendering, modules_hash()], sort_keys=True, default=str)
    return hashlib.sha256(plain.encode()).hexdigest()


def sample_plan() -> PlanFile:
    """The sample report: each policy's own notebook with its default parameters, every page."""
    return PlanFile(title="report", reports=tuple(Report(notebook=name, parameters=resolve(name, {})) for name in NOTEBOOKS))


def plan_report(reports: Path, plan: PlanFile | None = None) -> list[Plan]:
    """What each report of a plan needs; without a plan, each of the sample."""
    stamps, failures = read_stamps(reports), read_failures(reports)
    memory: dict[str, Mapping[str, Any]] = {}
    return [_plan(report, reports, stamps, failures, memory) for report in (plan or sample_plan()).reports]


def _plan(
    report: Report,
    reports: Path,
    stamps: Sequence[Stamp],
    failures: Mapping[str, Failure],
    memory: dict[str, Mapping[str, Any]],
) -> Plan:
    made = values(report.parameters)
    stamp = find_stamp(stamps, report)
    estimation = notebook_estimation(report.notebook, made)
    if report.notebook not in memory:  # the same for every report of a notebook, and files to read
        memory[report.notebook] = notebook_rendering(report.notebook)
    rendering = {**memory[report.notebook], **pages_of(report).plain()}
    estimate, render = decide(reports, stamp, estimation, rendering)
    return Plan(
        report=report,
        slug=stamp.slug if stamp else "",
        estimate=estimate,
        render=render,
        estimation=estimation,
        rendering=rendering,
        failure=failures.get(report.title),
        seconds=_expected(stamp, [s for s in stamps if s.name == report.notebook], bool(estimate)),
    )


def pages_of(report: Report) -> Wanted:
    """The pages that a report is asked for."""
    return wanted_pages([(language, form) for language in report.languages for form in report.forms], report.formats)


def _expected(own: Stamp | None, others: Sequence[Stamp], estimate: bool) -> float | None:
    """Seconds of the parts that are to be done: as before, else the median of the same notebook."""
    total = 0.0
    for part in PARTS if estimate else PARTS[1:]:
        known = [own.seconds[part]] if own and part in own.seconds else [s.seconds[part] for s in others if part in s.seconds]
        if not known:
            return None
        total += median(known)
    return total


def find_stamp(stamps: Sequence[Stamp], report: Report) -> Stamp | None:
    """The last run of a report: by its name, else of its notebook on the same outcome, whose record has the same place."""
    for stamp in stamps:
        if report.name:
            if stamp.report == report.name:
                return stamp
            continue
        earlier = stamp.estimation.get("parameters")
        same = isinstance(earlier, Mapping) and earlier.get("outcome") == values(report.parameters)["outcome"]
        if same and stamp.name == report.notebook and not stamp.report:
            return stamp
    return None


def decide(
    reports: Path, stamp: Stamp | None, estimation: Mapping[str, Any], rendering: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(why to estimate, why to render); both empty if everything is as it was stamped."""
    if stamp is None:
        return ("new",), ()
    then = dict(stamp.estimation)
    used = then.pop("modules", {})
    estimate = (*reasons(estimation, then), *_code(used), *changed_outputs(reports, stamp.estimated))
    if not stamp.rendering:
        return estimate, ("not rendered yet",)
    record = digest(record_file(record_folder(reports, stamp.slug)))
    render = (*reasons({**rendering, "record": record}, stamp.rendering), *changed_outputs(reports, stamp.rendered))
    return estimate, render


def _code(used: object) -> tuple[str, ...]:
    """Modules that the run used and that have changed, in words."""
    if not isinstance(used, Mapping):
        return ("estimation code changed",)
    now = [name for name, then in used.items() if _changed(name, str(then))]
    more = f" and {len(now) - 1} more" if len(now) > 1 else ""
    return (f"estimation code changed: {now[0]}{more}",) if now else ()


@cache
def _changed(name: str, then: str) -> bool:
    """Once per module and digest: fifty reports ask about the same two hundred files."""
    return bool(changed_modules({name: then}))


def changed_outputs(reports: Path, outputs: Mapping[str, str]) -> tuple[str, ...]:
    """Outputs that are missing or no longer what was written, in words."""
    now = {path: digest(reports / path) for path in outputs}
    missing = [path for path, found in now.items() if not found]
    altered = [path for path, found in now.items() if found and found != outputs[path]]
    return (*_tell(missing, "missing"), *_tell(altered, "altered"))


def _tell(paths: Sequence[str], how: str) -> tuple[str, ...]:
    if not paths:
        return ()
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return (f"{how}: {paths[0]}{more}",)
