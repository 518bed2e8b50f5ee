"""Drawings of a design: who is compared when, and two answers with the range around both. The caller gives axes and labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .plots import AFTER, BEFORE, EFFECT, INK, LEAD, draw_forest

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

HALF = 0.42
"""Half of a year's width that a mark covers."""
THICK = 0.34
"""Height of a band, in rows."""
FIRST_COLUMN, COLUMN = 1.3, 1.55
"""Where the counts begin beyond the last year, and how far apart their columns are, in years."""
BELOW = 0.6
"""How far from a band its names stand, in rows."""


def draw_design(
    frame: pd.DataFrame,
    counts: Sequence[Sequence[str]],
    *,
    axes: Axes,
    years: Sequence[int],
    rows: Sequence[str],
    headings: Sequence[str],
    names: tuple[str, str, str, str],
) -> Axes:
    """One band per row of `frame`, the first on top: years that speak to trends, growth conditioned on, base year, effects.

    `frame` has first_lead, last_lead, first_growth, base and last_effect, NaN where there is none. `counts` are the texts at the
    end of each band below `headings`; `names` call the four parts once.
    """
    for n, row in enumerate(frame.to_dict("records")):
        _band(axes, row, -n)
        for k, text in enumerate(counts[n]):
            axes.text(years[-1] + FIRST_COLUMN + COLUMN * k, -n, text, ha="center", va="center", fontsize="small")
    for k, text in enumerate(headings):
        place = years[-1] + FIRST_COLUMN + COLUMN * k
        axes.text(place, 0.55, text, ha="center", va="bottom", fontsize="small", color=LEAD, linespacing=1.25)
    lead, growth, base, effect = names
    axes.text(frame["base"].iloc[0], BELOW, base, ha="center", va="center", fontsize="small", color=INK)
    _names(axes, frame.iloc[-1].to_dict(), 1 - len(frame), (lead, growth, effect))
    axes.set_xticks(list(years), [str(year) for year in years])
    axes.set_yticks([-n for n in range(len(rows))], list(rows))
    axes.tick_params(length=0)
    axes.set_xlim(years[0] - 0.6, years[-1] + FIRST_COLUMN + COLUMN * (len(headings) - 0.5))
    axes.set_ylim(-len(rows) + 0.05, 1.35)
    axes.grid(False, axis="y")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return axes


def _band(axes: Axes, row: Mapping[Any, Any], height: float) -> None:
    from matplotlib.patches import Rectangle

    def box(first: float, last: float, **style: Any) -> None:
        corner = (first - HALF, height - THICK / 2.0)
        axes.add_patch(Rectangle(corner, last - first + 2.0 * HALF, THICK, zorder=2, **style))

    if np.isfinite(row["first_lead"]):
        ends = [row["first_lead"] - HALF, row["last_lead"] + HALF]
        axes.plot(ends, [height, height], color=LEAD, linewidth=2.2, linestyle=(0, (2.2, 1.4)), zorder=2)
    if np.isfinite(row["first_growth"]):
        box(row["first_growth"], row["base"], facecolor=BEFORE, edgecolor=LEAD, hatch="////", linewidth=0.6)
    box(row["base"] + 1, row["last_effect"], facecolor=AFTER, edgecolor=EFFECT, linewidth=0.8)
    axes.plot([row["base"]], [height], "o", color=INK, markersize=6.5, zorder=4)


def _names(axes: Axes, row: Mapping[Any, Any], height: float, names: tuple[str, str, str]) -> None:
    """What the parts of the last band are, below it; the base year, in which growth ends, is named above the first band."""
    lead, growth, effect = names
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": "small"}
    if np.isfinite(row["first_lead"]):
        axes.text((row["first_lead"] + row["last_lead"]) / 2.0, height - BELOW, lead, color=LEAD, **style)
    if np.isfinite(row["first_growth"]):
        axes.text((row["first_growth"] + row["base"]) / 2.0, height - BELOW, growth, color=LEAD, **style)
    axes.text((row["base"] + 1 + row["last_effect"]) / 2.0, height - BELOW, effect, color=EFFECT, **style)


def draw_bracket(
    frame: pd.DataFrame,
    hull: tuple[float, float] | None,
    *,
    axes: Axes,
    x_label: str = "",
    hull_label: str = "",
    truth_label: str = "",
) -> Axes:
    """Intervals as in `draw_forest`, and behind them the `hull` as a band with its name on top."""
    draw_forest(frame, axes=axes, x_label=x_label, truth_label=truth_label)
    if hull is not None:
        axes.axvspan(*hull, facecolor=AFTER, alpha=0.45, zorder=0)
        top = len(frame) - 0.4
        axes.text(sum(hull) / 2.0, top + 0.05, hull_label, ha="center", va="bottom", fontsize="small", color=EFFECT)
        axes.set_ylim(-0.6, top + 0.5)
    return axes
