"""The same design on many simulated panels: whether the method recovers the truth, and what the claim rule says.

One panel shows one draw of luck. Repetition shows bias and coverage, each with its Monte Carlo error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sme_eval.errors import ParameterError, Problem
from sme_eval.simulate.ningbo import simulate_ningbo

from .design import Design
from .evaluate import evaluate
from .record import Evaluation, RepetitionRecord
from .record_base import EffectRecord

FIRST_SEED = 10_000
"""Seeds of repetitions, apart from the small seeds that people type."""
FEWEST = 20


@dataclass
class _Tally:
    """What one estimator gave in the panels so far."""

    effect: EffectRecord
    estimates: list[float] = field(default_factory=list)
    truths: list[float] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)


def repeat(evaluation: Evaluation, design: Design, panels: int, progress: Any = None) -> Evaluation:
    """`evaluation` with `repetitions`: its design on `panels` further draws of the scenario it was made on.

    `progress` wraps the range of panels (such as tqdm); None shows nothing.

    Raises
    ------
    ParameterError
        The evaluation is of observed data, or there are too few panels for a Monte Carlo error.
    """
    if evaluation.data_kind != "simulated":
        raise ParameterError(Problem(what="Observed data cannot be drawn again.", remedy="repeat evaluations of simulated panels"))
    if panels < FEWEST:
        raise ParameterError(Problem(what=f"{panels} panels are too few for a Monte Carlo error.", remedy=f"at least {FEWEST}"))
    drawn = _parameters(evaluation.provenance.data_parameters)
    lean = replace(design, mechanisms=())
    tallies: dict[str, _Tally] = {}
    claims: Counter[str] = Counter()
    steps = range(panels) if progress is None else progress(range(panels))
    for n in steps:
        panel, _ = simulate_ningbo(seed=FIRST_SEED + n, **drawn)
        one = evaluate(lean, panel, lean=True)
        claims[one.claim.kind] += 1
        for effect in (one.headline, *one.alternatives):
            _add(tallies.setdefault(effect.key, _Tally(effect)), effect)
    shares = {kind: count / panels for kind, count in sorted(claims.items())}
    records = tuple(_record(t, shares if key == "headline" else {}) for key, t in tallies.items())
    return Evaluation.from_json(replace(evaluation, repetitions=records).to_json())


def _parameters(made: Mapping[str, Any]) -> dict[str, Any]:
    """What drew the panel, without its seed."""
    return {"scenario": made["scenario"], "firms": made["firms"], "years": (made["first_year"], made["last_year"])}


def _add(tally: _Tally, effect: EffectRecord) -> None:
    if effect.truth is None or effect.covers_truth is None:
        raise AssertionError("a simulated panel knows the truth")
    tally.estimates.append(float(effect.estimate))
    tally.truths.append(effect.truth)
    tally.covered.append(effect.covers_truth)


def _record(tally: _Tally, claims: Mapping[str, float]) -> RepetitionRecord:
    estimates, truths = np.array(tally.estimates), np.array(tally.truths)
    error, panels, coverage = estimates - truths, len(estimates), float(np.mean(tally.covered))
    return RepetitionRecord(
        key=tally.effect.key,
        estimator=tally.effect.estimator,
        estimand=tally.effect.estimand,
        panels=panels,
        mean_estimate=float(estimates.mean()),
        mean_truth=float(truths.mean()),
        bias=float(error.mean()),
        bias_error=float(error.std(ddof=1) / np.sqrt(panels)),
        coverage=coverage,
        coverage_error=float(np.sqrt(coverage * (1.0 - coverage) / panels)),
        level=tally.effect.level,
        claims=claims,
        role=tally.effect.role,
    )
