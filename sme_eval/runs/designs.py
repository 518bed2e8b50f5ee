"""The policy's own design with some of its choices made anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

from sme_eval.estimators.protocol import Estimator
from sme_eval.evaluation.design import Design
from sme_eval.policies.policy import Policy
from sme_eval.terms import Comparison, PanelRule


def choose_design(
    policy: Policy,
    outcome: str | None = None,
    *,
    comparison: Comparison | None = None,
    panel: PanelRule | None = None,
    level: float | None = None,
) -> Design:
    """The design of the policy file with other choices; None keeps the file's.

    `panel` and `level` go to every estimator that has them. `comparison` goes to the headline only: the alternatives are there to
    show the other answers, and one that has become the headline changes places with it.

    Raises
    ------
    DesignError
        The policy does not declare the outcome or does not defend the comparison.
    """
    declared = Design.from_policy(policy, outcome)
    common = {"panel": panel, "level": level}
    headline = _with(declared.estimator, {**common, "comparison": comparison})
    moved = _with(declared.estimator, common)
    alternatives = (_with(estimator, common) for estimator in declared.alternatives)
    return dataclasses.replace(
        declared,
        estimator=headline,
        alternatives=tuple(moved if estimator == headline else estimator for estimator in alternatives),
    )


def _with(estimator: Estimator, choices: Mapping[str, Any]) -> Estimator:
    """The estimator with those of the choices that were made and that it has."""
    made = {name: value for name, value in choices.items() if value is not None and hasattr(estimator, name)}
    return cast(Estimator, dataclasses.replace(cast(Any, estimator), **made))
