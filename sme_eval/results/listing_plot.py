"""First stages side by side, and the set of channels that one effect allows; the caller gives axes and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .plots import EFFECT, INK, TRUTH_MARK

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_stage(
    axes: Axes, effect: tuple[float, float, float], *, truth: float | None, texts: tuple[str, str, str], truth_label: str
) -> Axes:
    """One effect (estimate, low, high) against zero; `texts`: title, what the axis shows, a line below the point."""
    estimate, low, high = effect
    title, label, note = texts
    axes.errorbar(
        [0.0],
        [estimate],
        yerr=[[estimate - low], [high - estimate]],
        fmt="o",
        color=EFFECT,
        elinewidth=2.0,
        capsize=4,
        markersize=6,
    )
    if truth is not None:
        axes.scatter([0.35], [truth], label=truth_label, **TRUTH_MARK)
    axes.axhline(0.0, color=INK, linewidth=0.8)
    axes.set_xlim(-1.0, 1.0)
    axes.set_xticks([])
    axes.margins(y=0.25)
    axes.set_title(title, loc="left")
    axes.set_ylabel(label)
    axes.set_xlabel(note)
    return axes


def draw_identified_set(
    axes: Axes, ends: tuple[float, float], *, labels: tuple[str, str], notes: Sequence[str], texts: tuple[str, str]
) -> Axes:
    """The segment from (`ends`[0], 0) to (0, `ends`[1]): every split of one effect between two channels that add up.

    `labels` of the axes, `notes` at the two ends, `texts` their printed values.
    """
    access, price = ends
    axes.plot([access, 0.0], [0.0, price], color=EFFECT, linewidth=2.4, zorder=2)
    axes.plot([access, 0.0], [0.0, price], "o", color=EFFECT, markersize=6, zorder=3)
    for place, note, text in (((access, 0.0), notes[0], texts[0]), ((0.0, price), notes[1], texts[1])):
        axes.annotate(f"{note}\n{text}".strip(), place, xytext=(8, 6), textcoords="offset points", fontsize="small", va="bottom")
    axes.set_xlim(0.0, access * 1.7)
    axes.set_ylim(0.0, price * 1.45)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    return axes
