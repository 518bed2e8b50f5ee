"""What the claim rule says of certification on one panel, by the same call as a user's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulations.designs import Row
from simulations.designs.panels import OUTCOME, START, WINDOW, draw, policy_design
from simulations.worlds import World
from sme_eval.evaluation.evaluate import evaluate
from sme_eval.results.unavailable import Unavailable


def rows(world: World, seed: int) -> list[Row]:
    """One row: the claim, and the estimates, leads and hull that it rests on. The twins of the headline are kept, others not."""
    panel = draw(world, seed)
    truth = panel.truth
    assert truth is not None
    found = evaluate(replace(policy_design("certification"), alternatives=()), panel, lean=True)
    bracket = found.bracket
    assert bracket is not None
    checks = {check.name: check for check in found.checks}
    robust, bare = found.alternatives[bracket.doubly_robust], found.alternatives[bracket.unconditional]
    return [
        {
            "seed": seed,
            "own": truth.average(OUTCOME, start=START, estimand="own", event_time=WINDOW),
            "kind": found.claim.kind,
            "bound": np.nan if found.claim.bound is None else found.claim.bound,
            "a": _number(found.headline.estimate),
            "a_error": _number(found.headline.std_error),
            "b": _number(robust.estimate),
            "b_error": _number(robust.std_error),
            "u": _number(bare.estimate),
            "u_error": _number(bare.std_error),
            "hull_low": _number(bracket.hull_low),
            "hull_high": _number(bracket.hull_high),
            "trends_p": _number(checks["trends"].numbers.get("p_value", np.nan)),
            "slope": _number(bracket.slope),
            "slope_error": _number(bracket.slope_error),
        }
    ]


def _number(value: object) -> float:
    return np.nan if isinstance(value, Unavailable) else float(value)  # type: ignore[arg-type]
