"""What stands beside an evaluation of simulated data: the same design in another world, and on many more panels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sme_eval.evaluation.design import Design
from sme_eval.evaluation.evaluate import evaluate
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.repetition import repeat
from sme_eval.intake import open_source

COUNTERPART: Final = {"clean": "baseline", "null": "baseline", "baseline": "clean"}
"""Scenario → the one to see beside it: where trends are parallel, one where they are not, and the other way round."""


def add_companion(evaluation: Evaluation, design: Design) -> Evaluation:
    """`evaluation` with the same design on the counterpart scenario beside it (same seed, same firms)."""
    made = dict(evaluation.provenance.data_parameters)
    drawn = {name: made[name] for name in ("seed", "firms")}
    panel = open_source(design.policy.source, scenario=COUNTERPART[str(made["scenario"])], **drawn)
    return evaluation.beside(evaluate(design, panel))


def add_repetitions(evaluation: Evaluation, design: Design, panels: int, progress: Any = None) -> Evaluation:
    """`evaluation` and its companions with the design tried on `panels` further draws of each; 0 leaves them as they are."""
    if not panels:
        return evaluation
    companions = tuple(repeat(other, design, panels, progress) for other in evaluation.companions)
    return repeat(replace(evaluation, companions=companions), design, panels, progress)
