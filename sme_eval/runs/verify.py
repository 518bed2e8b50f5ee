"""A published report held against what it says of itself: its files rehashed, its pages rendered again."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sme_eval.errors import DataError, Problem, VerificationError, raise_if_any, suggestion
from sme_eval.runs.keys import notebook_estimation, notebook_rendering, page_rendering, policy_estimation, reasons
from sme_eval.runs.parameters import REGISTERED
from sme_eval.runs.render import render_record, wanted_pages
from sme_eval.runs.stale import changed_outputs
from sme_eval.runs.stamp import Stamp, digest, read_stamps, record_file, record_folder
from sme_eval.runs.used import changed_modules


def verify(report: str | Path, reports: str | Path = "reports") -> str:
    """Rehash the files of a report and render its record again; in words what was found.

    `report` is its folder, its name in a plan, its slug, or any of its files. Numbers are not estimated again: whether they could
    be is told by what changed since (data, parameters, code, lock).

    Raises
    ------
    DataError
        There is no such report.
    VerificationError
        A file is missing or not what was written, or the record gives other pages: all of it at once.
    """
    folder, stamp = _find(report, Path(reports).resolve())
    problems = [
        Problem(what=f"A file is {what}.", where=stamp.slug, remedy="make the report again, and ask who changed it")
        for what in changed_outputs(folder, {**stamp.estimated, **stamp.rendered})
    ]
    problems += _rendered_again(folder, stamp)
    raise_if_any(VerificationError, problems)
    files = len(stamp.estimated) + len(stamp.rendered)
    lines = [f"{stamp.slug}: {files} files are what was written, and the record gives the same pages"]
    since = _since(stamp)
    lines += [f"  since then: {why}" for why in since] or ["  data, parameters, code and libraries are those of this installation"]
    return "\n".join([*lines, *_tree(folder, stamp)])


def _find(report: str | Path, reports: Path) -> tuple[Path, Stamp]:
    """The folder of the reports, and the stamp of the one that is meant."""
    path = Path(report)
    wanted = str(report)
    if path.exists():
        around = [path.resolve(), *path.resolve().parents]
        own = next((one for one in around if one.parent.name in ("internal", "release")), None)
        reports, wanted = (own.parents[1], own.name) if own is not None else (reports, path.name)
    stamps = read_stamps(reports)
    for stamp in stamps:
        if wanted in (stamp.slug, stamp.report):
            return reports, stamp
    remedy = suggestion(wanted, [stamp.slug for stamp in stamps]) if stamps else "make the reports first"
    raise DataError(Problem(what=f"There is no stamped report {wanted!r}.", where=reports.name, remedy=remedy))


def _rendered_again(reports: Path, stamp: Stamp) -> list[Problem]:
    """Pages that the record no longer gives; nothing to say where the record was altered, or the briefing's code is newer."""
    record = record_file(record_folder(reports, stamp.slug))
    if not stamp.rendering or digest(record) != stamp.rendering.get("record") or reasons(_rendering(stamp), stamp.rendering):
        return []
    wanted = wanted_pages(stamp.rendering.get("pages", ()), stamp.rendering.get("formats", ()))
    notebook = stamp.name if "prose" in stamp.rendering else ""
    with tempfile.TemporaryDirectory(prefix="sme-eval-", ignore_cleanup_errors=True) as scratch:
        render_record(record.parent, Path(scratch), notebook, lambda: None, wanted=wanted)
        other = [inside for inside, then in stamp.rendered.items() if digest(Path(scratch) / inside) != then]
    remedy = "make the report again: the page says something that its record does not"
    return [Problem(what="Rendered again, a page is another.", where=inside, remedy=remedy) for inside in other]


def _rendering(stamp: Stamp) -> dict[str, Any]:
    made = notebook_rendering(stamp.name) if "prose" in stamp.rendering else page_rendering()
    return {**made, **{name: stamp.rendering[name] for name in ("pages", "formats", "record") if name in stamp.rendering}}


def _since(stamp: Stamp) -> tuple[str, ...]:
    """What the numbers were made from that is no longer there as it was."""
    then: dict[str, Any] = dict(stamp.estimation)
    modules, parameters = then.pop("modules", {}), then.get("parameters", {})
    if stamp.name in REGISTERED and then.get("verb") == "run":
        now: Mapping[str, Any] = notebook_estimation(stamp.name, parameters)
    else:
        settings = {name: value for name, value in parameters.items() if name != "outcome"}
        now = policy_estimation(stamp.name, str(parameters.get("outcome", "")), settings)
    code = changed_modules(modules)
    return (*reasons(now, then), *((f"estimation code changed: {', '.join(code)}",) if code else ()))


def _tree(reports: Path, stamp: Stamp) -> list[str]:
    """A run from a checkout with changes that were not committed cannot be made again from its commit."""
    from sme_eval.runs.page_record import read_record

    made = read_record(record_file(record_folder(reports, stamp.slug))).provenance
    if made.dirty:
        return [f"  made from a dirty tree: commit {made.commit[:12]} with changes that were not committed"]
    return [f"  made from commit {made.commit[:12]}"] if made.commit else []
