"""The text of a record for notebooks and terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sme_eval.results.unavailable import Unavailable

if TYPE_CHECKING:
    from .record import Evaluation
    from .record_base import EffectRecord


def summary_text(evaluation: Evaluation) -> str:
    """Headline, alternatives, checks and claim, a line each."""
    lines = [f"{evaluation.policy.label.en}: {evaluation.outcome.label.en}  [{evaluation.data_kind} data, {evaluation.audience}]"]
    lines += [_effect_line(effect) for effect in (evaluation.headline, *evaluation.alternatives)]
    for check in evaluation.checks:
        word = {True: "passed", False: "failed", None: "informative"}[check.passed]
        lines.append(f"  check {check.name:<13} {word:<12} {check.reason}")
    kind = f"{'demonstration: ' if evaluation.claim.demonstration else ''}{evaluation.claim.kind}"
    lines.append(f"  claim {kind}; caveats: {', '.join(evaluation.claim.caveats) or 'none'}")
    return "\n".join([*lines, *(f"  warning {text}" for text in evaluation.warnings)])


def _effect_line(effect: EffectRecord) -> str:
    comparison = effect.estimator.choices.get("comparison")
    name = effect.estimator.name if comparison is None else f"{effect.estimator.name}, {comparison}"
    if isinstance(effect.estimate, Unavailable):
        return f"  {name:<34} {effect.estimate}"
    interval = f"[{float(effect.conf_low):+.4f}, {float(effect.conf_high):+.4f}]"
    truth = "" if effect.truth is None else f"  truth {effect.truth:+.4f} {'covered' if effect.covers_truth else 'missed'}"
    return f"  {name:<34} {effect.estimate:+.4f} ({float(effect.std_error):.4f})  {interval}{truth}"
