"""A simulated panel as a file: `sme-eval simulate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from sme_eval.errors import DataError, Problem
from sme_eval.panel.truth import Estimand, Truth
from sme_eval.runs.parameters import rules
from sme_eval.runs.settings import read_settings


def write_simulation(settings: Mapping[str, str], output: str) -> str:
    """Draw the panel and write it with its truth to `output`; a few words about it.

    Raises
    ------
    ParameterError
        A setting is mistyped or refused.
    DataError
        The file cannot be written.
    """
    known = [rule for rule in rules("certification") if rule.name in settings]
    made = read_settings(known, settings, "sme-eval simulate")
    from sme_eval.simulate.ningbo import simulate_ningbo

    panel, truth = simulate_ningbo(seed=int(made["seed"]), scenario=str(made["scenario"]), firms=int(made["firms"]))
    try:
        written = panel.write(Path(output))
    except OSError as error:
        raise DataError(
            Problem(what=f"The file cannot be written: {error.strerror or error}.", where=output, remedy="choose another --output")
        ) from None
    kept = "" if written.suffix.lower() == ".parquet" else "\n  without the true effects: only .parquet keeps them"
    return f"{panel.summary()}\n{_effects(truth)}\n  written to {written.as_posix()}{kept}"


def _effects(truth: Truth) -> str:
    """Per outcome the three averages over certified firms and years; `Truth` says what they mean."""
    width = max(map(len, truth.outcomes))
    lines = ["  true average effects, certified firms and years"]
    for outcome in truth.outcomes:
        values = (f"{estimand} {truth.average(outcome, estimand=estimand):+.4f}" for estimand in get_args(Estimand))
        lines.append(f"    {outcome:<{width}}  {'  '.join(values)}")
    return "\n".join(lines)
