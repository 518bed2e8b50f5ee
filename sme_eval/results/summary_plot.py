"""One estimate for readers without statistics: at least, at most, zero, and what would matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .plots import BEFORE, EFFECT, INK, LEAD, TRUTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROOM = 0.3
"""Share of the width left free on either side for words."""
PAPER: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}


def draw_summary(
    axes: Axes,
    interval: tuple[float, float, float],
    *,
    band: tuple[float, float] | None,
    truth: float | None,
    words: tuple[str, str, str, str, str],
    truth_label: str,
) -> Axes:
    """One thick line from `interval`'s low to high with a dot at its estimate (its second), beside zero and the `band`.

    The band holds effects smaller than the smallest of interest. `words`: at the low end, at the high end, at zero, in the band,
    and the horizontal axis.
    """
    low, estimate, high = interval
    at_least, at_most, none, small, x_label = words
    ends = [low, high, 0.0, *(band or ()), *(() if truth is None else (truth,))]
    width = max(ends) - min(ends) or 1.0
    axes.set_xlim(min(ends) - ROOM * width, max(ends) + ROOM * width)
    axes.set_ylim(-1.15, 1.25)
    if band is not None:
        axes.axvspan(*band, facecolor=BEFORE, zorder=0)
        axes.text(
            sum(band) / 2.0, -1.08, small, ha="center", va="bottom", fontsize=9.5, color=LEAD, bbox={**PAPER, "facecolor": BEFORE}
        )
    axes.axvline(0.0, color=INK, linewidth=1.2)
    axes.text(0.0, 1.2, none, ha="center", va="top", fontsize=9.5, bbox=PAPER)
    axes.plot([low, high], [0.0, 0.0], color=EFFECT, linewidth=7, solid_capstyle="butt", zorder=3)
    axes.scatter([estimate], [0.0], s=110, color="white", edgecolors=EFFECT, linewidths=2.4, zorder=4)
    if truth is not None:
        axes.scatter([truth], [0.0], s=70, marker="D", color=TRUTH, edgecolors="white", linewidths=1.2, zorder=5, label=truth_label)
    for place, side, text in ((low, "right", at_least), (high, "left", at_most)):
        shift = (-7 if side == "right" else 7, 0)
        axes.annotate(
            text, (place, 0.0), xytext=shift, textcoords="offset points", ha=side, va="center", fontsize=11.5, color=EFFECT
        )
    axes.set_yticks([])
    axes.set_xlabel(x_label)
    axes.grid(False)
    return axes
