"""A bridge from one total to another; the caller gives amounts and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .plots import AFTER, EFFECT, INK, LEAD, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH: Final = 0.62
ROOM: Final = 1.16
"""The axis ends so far above the highest bar, for the numbers on top."""


def draw_waterfall(
    amounts: Sequence[float],
    *,
    names: Sequence[str],
    notes: Sequence[str],
    axes: Axes | None = None,
    y_label: str = "",
    digits: int = 0,
) -> Axes:
    """The first of `amounts` as a bar from zero, each further one as a step up or down, their sum as a bar from zero.

    `names` stand below the bars and `notes` above them, one each, those of the sum last. Amounts have `digits` decimals.
    """
    axes = new_axes(axes, 3.6)
    levels = np.cumsum(amounts)
    last = len(amounts)
    bottoms = [0.0, *(min(float(levels[n - 1]), float(levels[n])) for n in range(1, last)), 0.0]
    heights = [float(levels[0]), *(abs(float(amounts[n])) for n in range(1, last)), float(levels[-1])]
    colours = [LEAD, *(EFFECT if amounts[n] >= 0.0 else AFTER for n in range(1, last)), LEAD]
    axes.bar(range(last + 1), heights, WIDTH, bottom=bottoms, color=colours, edgecolor=INK, linewidth=0.4, zorder=2)
    for n, level in enumerate(levels):
        axes.plot([n + WIDTH / 2.0, n + 1 - WIDTH / 2.0], [level, level], color=INK, linewidth=0.7, zorder=3)
    shown = [f"{amounts[0]:,.{digits}f}", *(f"{amount:+,.{digits}f}" for amount in amounts[1:]), f"{levels[-1]:,.{digits}f}"]
    # White behind the words, so that no line of the grid runs through them.
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    style: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": "small", "bbox": ground, "zorder": 1}
    for n, (text, note) in enumerate(zip(shown, notes, strict=True)):
        words = f"{text}\n{note}" if note else text
        top = bottoms[n] + heights[n]
        axes.annotate(words, (n, top), xytext=(0, 4), textcoords="offset points", **style)
    axes.set_xticks(range(last + 1), list(names), fontsize="small")
    axes.set_ylim(0.0, max(float(levels.max()), 0.0) * ROOM)
    axes.set_ylabel(y_label)
    axes.grid(False, axis="x")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes
