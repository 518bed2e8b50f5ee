"""The drawings of the credit page, with their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_sections import ListingRecord
from sme_eval.results.listing_plot import draw_identified_set, draw_stage
from sme_eval.results.unavailable import Unavailable

from .document import Own, Say, Value, plain
from .pointers import pointer
from .sections.common import outcome_pointer
from .speaker import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT_STAGES, HEIGHT_SET = 2.6, 2.9
"""Inches."""


def stage_axes(panels: Sequence[Axes], evaluation: Evaluation, found: ListingRecord, speaker: Speaker) -> None:
    """One panel per term of credit."""
    for n, (axes, stage) in enumerate(zip(panels, found.stages, strict=True)):
        effect, where = stage.effect, pointer("listing", "stages", n)
        outcome = outcome_pointer(evaluation, effect, "")
        draw_stage(
            axes,
            (float(effect.estimate), float(effect.conf_low), float(effect.conf_high)),
            truth=effect.truth,
            texts=(
                plain(speaker.runs((Own(outcome + pointer("label")),))),
                plain(speaker.runs((Own(outcome + pointer("unit")),))),
                plain(speaker.runs((Say("listing.figure_stage", at=where),))),
            ),
            truth_label=plain(speaker.runs((Say("event_study.truth"),))),
        )


def has_set(found: ListingRecord) -> bool:
    """Whether both ends of the identified set are known."""
    return isinstance(found.access_most, float) and isinstance(found.price_most, float)


def set_axes(axes: Axes, found: ListingRecord, speaker: Speaker) -> None:
    """Every split between amount and price that gives the same effect of listing."""
    access, price = found.access_most, found.price_most
    if access is None or price is None or isinstance(access, Unavailable) or isinstance(price, Unavailable):
        raise AssertionError("drawn only where both ends are known")

    def words(key: str) -> str:
        return plain(speaker.runs((Say(f"listing.{key}"),)))

    # Only the end that the text may speak of has its number printed.
    ends = plain(speaker.runs((Value(pointer("listing", "access_most"), "coefficient"),)))
    draw_identified_set(
        axes,
        (float(access), float(price)),
        labels=(words("axis_access"), words("axis_price")),
        notes=(words("all_access"), words("all_price")),
        texts=(ends, ""),
    )
