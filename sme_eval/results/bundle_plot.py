"""Parts of a bundle one above the other; the caller gives the axes and the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .plots import BEFORE, EFFECT, INK, LEAD, TRUTH_MARK

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


FAINT = "#a3adb8"
"""Intervals that are drawn and not to be read: paler than the others, darker than the grid."""


def draw_bundle(frame: pd.DataFrame, *, axes: Axes, x_label: str, truth_label: str) -> Axes:
    """One lane per row of `frame`, the first on top: term, estimate, conf_low, conf_high, truth, state, is_sum, text.

    A readable part is drawn in colour with its `text`; a coarse one in grey; one without an estimate is an empty lane with its
    text. Sums stand on a shaded ground.
    """
    place = np.arange(len(frame))[::-1]
    rows: list[Any] = list(frame.itertuples())
    for height, row in zip(place, rows, strict=True):
        readable = row.state == "readable"
        if row.is_sum:
            axes.axhspan(height - 0.5, height + 0.5, color=BEFORE, zorder=0)
        if np.isfinite(row.estimate):
            colour, width = (EFFECT, 3.2 if row.is_sum else 2.0) if readable else (FAINT, 2.0)
            axes.plot(
                [row.conf_low, row.conf_high], [height, height], color=colour, linewidth=width, zorder=2, solid_capstyle="butt"
            )
            if readable:
                axes.plot([row.estimate], [height], "o", color=colour, markersize=6, zorder=3)
        axes.annotate(
            row.text,
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
            color=INK if readable else LEAD,
        )
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
    if frame["truth"].notna().any():
        axes.scatter(frame["truth"], place, label=truth_label, **TRUTH_MARK)
    axes.set_yticks(place, list(frame["term"]))
    axes.set_ylim(-0.6, len(frame) - 0.4)
    axes.set_xlabel(x_label)
    axes.grid(False, axis="y")
    return axes
