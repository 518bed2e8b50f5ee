"""Which reports are stale, and why: a comparison of stamps with what is there now. Nothing is run and nothing heavy imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sme_eval.runs.keys import notebook_estimation, notebook_rendering, reasons
from sme_eval.runs.parameters import NOTEBOOKS, Parameters, resolve, values
from sme_eval.runs.settings import Value
from sme_eval.runs.stamp import Stamp, digest, read_stamps, record_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one report needs. `estimate` or `render` hold why, in words; rendering follows estimation in any case."""

    name: str
    parameters: Parameters
    slug: str
    estimate: tuple[str, ...]
    render: tuple[str, ...]
    estimation: Mapping[str, Any]
    rendering: Mapping[str, Any]

    @property
    def stale(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.estimate or self.render)

    def __str__(self) -> str:
        """The report and why it is stale."""
        if not self.stale:
            return f"{self.name}: up to date"
        why = "; ".join(self.estimate or self.render)
        return f"{self.name}: {why}" + ("" if self.estimate else " (pages only, nothing is estimated again)")


def plan_report(reports: Path) -> list[Plan]:
    """What each notebook of the sample report needs, with its default parameters."""
    stamps = read_stamps(reports)
    return [_plan(name, resolve(name, {}), reports, stamps) for name in NOTEBOOKS]


def _plan(name: str, parameters: Parameters, reports: Path, stamps: Sequence[Stamp]) -> Plan:
    made = values(parameters)
    stamp = find_stamp(stamps, name, made)
    estimation, rendering = notebook_estimation(name, made), notebook_rendering(name)
    estimate, render = decide(reports, stamp, estimation, rendering)
    return Plan(
        name=name,
        parameters=parameters,
        slug=stamp.slug if stamp else "",
        estimate=estimate,
        render=render,
        estimation=estimation,
        rendering=rendering,
    )


def find_stamp(stamps: Sequence[Stamp], name: str, parameters: Mapping[str, Value]) -> Stamp | None:
    """The last run of `name` on the same outcome: other parameters write to the same folder."""
    for stamp in stamps:
        earlier = stamp.estimation.get("parameters")
        if stamp.name == name and isinstance(earlier, Mapping) and earlier.get("outcome") == parameters["outcome"]:
            return stamp
    return None


def decide(
    reports: Path, stamp: Stamp | None, estimation: Mapping[str, Any], rendering: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(why to estimate, why to render); both empty if everything is as it was stamped."""
    if stamp is None:
        return ("new",), ()
    estimate = (*reasons(estimation, stamp.estimation), *changed_outputs(reports, stamp.estimated))
    if not stamp.rendering:
        return estimate, ("not rendered yet",)
    record = digest(record_folder(reports, stamp.slug) / "evaluation.json")
    render = (*reasons({**rendering, "record": record}, stamp.rendering), *changed_outputs(reports, stamp.rendered))
    return estimate, render


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
