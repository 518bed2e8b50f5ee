"""District effects against dose; the caller gives the axes and the labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sme_eval.stats.arrays import FloatArray

from .plots import BEFORE, EFFECT, INK, LEAD, TRUTH, new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

APART = 0.06
"""Distance of districts with one dose, as a share of the range of doses: their intervals must not hide each other."""
GAP = 0.2
"""Between the highest stated dose and the lane of districts without one, in ranges of dose."""


def draw_dose(
    frame: pd.DataFrame,
    *,
    line: tuple[float, float],
    axes: Axes | None = None,
    labels: tuple[str, str, str, str] = ("", "", "", ""),
    names: bool = True,
    truth: float | None = None,
    truth_label: str = "",
) -> Axes:
    """Effects of districts with intervals against dose, the fitted `line` (intercept, slope per unit of dose) and zero.

    Districts without a stated dose stand at the right in a shaded lane, where no line is drawn. `labels`: x axis, y axis, the
    lane, legend of the line. `names` writes each district's name above its point. `truth` is the true slope per unit of dose,
    drawn through the middle of the fitted line.
    """
    axes = new_axes(axes, 3.9)
    x_label, y_label, lane_label, line_label = labels
    dose = frame["dose"].to_numpy(dtype=float)
    stated = np.isfinite(dose)
    low, high = float(np.nanmin(dose)), float(np.nanmax(dose))
    step = APART * (high - low)
    n_open = int((~stated).sum())
    place = _spread(dose, step)
    lane = (high + step * (stated.sum() / 2.0) + GAP * (high - low), 0.0)
    place[~stated] = lane[0] + step * (0.5 + np.arange(n_open))
    for part, colour in ((stated, EFFECT), (~stated, LEAD)):
        _points(axes, frame[part], place[part], colour)
    ends = np.array([low - 2.0 * step, high + 2.0 * step])
    if low > 0.0:  # down to dose zero the line is an extrapolation
        reach = np.array([0.0, ends[0]])
        axes.plot(reach, line[0] + line[1] * reach, color=INK, linewidth=0.6, linestyle=(0, (1, 3)))
    axes.plot(ends, line[0] + line[1] * ends, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label=line_label or "fitted line")
    if truth is not None:
        middle = float(ends.mean())
        level = line[0] + line[1] * middle
        axes.plot(ends, level + truth * (ends - middle), color=TRUTH, linewidth=1.2, linestyle=":", label=truth_label or "truth")
    axes.axhline(0.0, color=INK, linewidth=0.8)
    shown = np.unique(np.append(dose[stated], 0.0))
    ticks, texts = shown.tolist(), [f"{value:g}" for value in shown]
    if n_open:
        axes.axvspan(lane[0], lane[0] + step * n_open, color=BEFORE, zorder=0)
        ticks, texts = [*ticks, lane[0] + step * n_open / 2.0], [*texts, lane_label or "not stated"]
    axes.set_xticks(ticks, texts)
    axes.grid(False, axis="x")
    axes.set(xlabel=x_label or "dose", ylabel=y_label or "effect")
    if names:  # above the frame, where no interval can hide them
        above = axes.secondary_xaxis("top")
        above.set_xticks(place, [str(name) for name in frame["district"]], rotation=90, fontsize="x-small")
        above.tick_params(length=2)
    axes.legend(frameon=False, fontsize="small")
    return axes


def _spread(dose: FloatArray, step: float) -> FloatArray:
    """Places of the districts: those with one dose side by side around it."""
    place = dose.copy()
    for value in np.unique(dose[np.isfinite(dose)]):
        same = np.flatnonzero(dose == value)
        place[same] = value + step * (np.arange(same.size) - (same.size - 1) / 2.0)
    return place


def _points(axes: Axes, rows: pd.DataFrame, place: FloatArray, colour: str) -> None:
    value = rows["estimate"].to_numpy(dtype=float)
    half = (rows["conf_high"] - rows["estimate"]).fillna(0.0).to_numpy(dtype=float)
    axes.errorbar(place, value, yerr=half, fmt="o", color=colour, elinewidth=1.5, capsize=3, capthick=1.2, markersize=5, zorder=3)
