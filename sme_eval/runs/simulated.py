"""What stands beside an evaluation of simulated data: the same design in another world, and on many more panels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from sme_eval.evaluation.design import Design
from sme_eval.evaluation.evaluate import evaluate
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.repetition import repeat
from sme_eval.intake import open_source
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.panel_file import read_panel
from sme_eval.policies.policy import Policy
from sme_eval.resources import project_folder

if TYPE_CHECKING:
    from sme_eval.terms import DataKind

FROM_FILE: Final = "from_file"
"""The kind of data is what the file says of itself."""


def open_policy(policy: Policy, *, panel_file: str = "", data_kind: str = FROM_FILE, **parameters: Any) -> FirmPanel:
    """The policy's own source with those of `parameters` that it takes: a simulation has a scenario, a seed and firms.

    `panel_file`, seen from the project folder, takes the source's place; `data_kind` is needed where the file does not say it.
    """
    if panel_file:
        return read_panel(project_folder() / panel_file, None if data_kind == FROM_FILE else cast("DataKind", data_kind))
    made = {name: parameters.get(name, value) for name, value in policy.source_parameters.items()}
    return open_source(policy.source, **made)


def add_companion(evaluation: Evaluation, design: Design) -> Evaluation:
    """`evaluation` with the same design beside it on the policy's companion scenario (same seed, same firms).

    The companion is where the page's assumption fails, or where its estimator has what it needs; a page that shows the companion
    itself has the policy's own scenario beside it. Without a declared companion nothing is added.
    """
    if design.policy.companion is None:
        return evaluation
    made = dict(evaluation.provenance.data_parameters)
    drawn = {name: made[name] for name in ("seed", "firms")}
    own = str(design.policy.source_parameters["scenario"])
    beside = design.policy.companion if design.policy.companion != made["scenario"] else own
    panel = open_source(design.policy.source, scenario=beside, **drawn)
    return evaluation.beside(evaluate(design, panel, lean=True))


def add_repetitions(evaluation: Evaluation, design: Design, panels: int, progress: Any = None) -> Evaluation:
    """`evaluation` and its companions with the design tried on `panels` further draws of each; 0 leaves them as they are."""
    if not panels:
        return evaluation
    companions = tuple(repeat(other, design, panels, progress) for other in evaluation.companions)
    return repeat(replace(evaluation, companions=companions), design, panels, progress)
