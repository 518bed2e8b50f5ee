"""The chart that needs no statistics: what the effect is at least and at most, in per cent where the outcome is a logarithm."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sme_eval.evaluation.record import Evaluation
from sme_eval.results.summary_plot import draw_summary
from sme_eval.results.unavailable import Unavailable

from .document import Phrase, Piece, Say, Value, plain
from .pointers import pointer
from .sections.findings import stands
from .speaker import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT: Final = 2.35
"""Inches."""


def summary_axes(axes: Axes, evaluation: Evaluation, speaker: Speaker) -> None:
    """The range that may be printed: the hull of both comparisons where there are two, else the interval of the main estimate."""
    log = evaluation.headline.percent is not None
    low, high = _ends(evaluation)
    form = "percent" if log else "coefficient"

    def words(key: str, *more: Piece) -> str:
        phrase: Phrase = (Say(f"summary.{key}"), *more)
        return plain(speaker.runs(phrase))

    subject = "slope" if evaluation.dose is not None else "effect"
    smallest = _smallest(evaluation)
    draw_summary(
        axes,
        (_number(evaluation, low), _number(evaluation, _estimate(evaluation)), _number(evaluation, high)),
        band=smallest,
        truth=evaluation.headline.truth_percent if log else evaluation.headline.truth,
        words=(
            words("at_least", Value(low, form)),
            words("at_most", Value(high, form)),
            words("none"),
            words("small") if smallest is not None else "",
            words(f"{subject}_{'log' if log else 'level'}"),
        ),
        truth_label=plain(speaker.runs((Say("event_study.truth"),))),
    )
    mode = "demonstration" if evaluation.claim.demonstration else "observed"
    kind = evaluation.claim.kind if stands(evaluation) or mode == "observed" else "any"
    said = Say(f"summary.reading_{mode}_{kind}", otherwise=(f"summary.reading_{mode}_any",))
    axes.set_title(plain(speaker.runs((said,))), loc="left")


def _ends(evaluation: Evaluation) -> tuple[str, str]:
    """Pointers of the two ends."""
    bracket, log = evaluation.bracket, evaluation.headline.percent is not None
    if bracket is not None and not isinstance(bracket.hull_low, Unavailable):
        if log and bracket.hull_percent is not None:
            at = pointer("bracket", "hull_percent")
            return at + pointer("conf_low"), at + pointer("conf_high")
        return pointer("bracket", "hull_low"), pointer("bracket", "hull_high")
    at = pointer("headline", "percent") if log else pointer("headline")
    return at + pointer("conf_low"), at + pointer("conf_high")


def _estimate(evaluation: Evaluation) -> str:
    log = evaluation.headline.percent is not None
    return pointer("headline", "percent", "estimate") if log else pointer("headline", "estimate")


def _number(evaluation: Evaluation, where: str) -> float:
    """The number at one of the pointers above."""
    value: object = evaluation
    for step in where.split("/")[1:]:
        value = getattr(value, step)
    return value if isinstance(value, float) else math.nan


def _smallest(evaluation: Evaluation) -> tuple[float, float] | None:
    """Effects too small to matter, in the unit of the axis."""
    size = evaluation.outcome.smallest_effect
    if size is None:
        return None
    if evaluation.headline.percent is None:
        return -size, size
    return 100.0 * math.expm1(-size), 100.0 * math.expm1(size)
