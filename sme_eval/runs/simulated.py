"""What stands beside an evaluation of simulated data: the same design in another world, and on many more panels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sme_eval.evaluation.design import Design
from sme_eval.evaluation.evaluate import evaluate
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.repetition import repeat
from sme_eval.intake import open_source

COUNTERPART: Final = {
    "certification": "strong_selection",
    "credit": "strong_selection",
    "reward": "cash_only",
    "bundle": "price_only",
}
"""Instrument → the scenario to see beside the page's own: where its assumption fails, or where its estimator has what it needs."""


def add_companion(evaluation: Evaluation, design: Design) -> Evaluation:
    """`evaluation` with the same design on the counterpart scenario beside it (same seed, same firms)."""
    made = dict(evaluation.provenance.data_parameters)
    drawn = {name: made[name] for name in ("seed", "firms")}
    beside = COUNTERPART[design.policy.instrument]
    beside = beside if beside != made["scenario"] else str(design.policy.source_parameters["scenario"])
    panel = open_source(design.policy.source, scenario=beside, **drawn)
    return evaluation.beside(evaluate(design, panel))


def add_repetitions(evaluation: Evaluation, design: Design, panels: int, progress: Any = None) -> Evaluation:
    """`evaluation` and its companions with the design tried on `panels` further draws of each; 0 leaves them as they are."""
    if not panels:
        return evaluation
    companions = tuple(repeat(other, design, panels, progress) for other in evaluation.companions)
    return repeat(replace(evaluation, companions=companions), design, panels, progress)
