"""Effects by dose; the caller gives the axes and the labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .plots import EFFECT, INK, LEAD, new_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MARGIN = 0.08
"""Space right of the highest dose and left of zero, in ranges of dose."""
TICK_APART = 0.05
"""Doses closer than this share of the axis do not both get a tick: their numbers would run into each other."""


def draw_dose_response(
    frame: pd.DataFrame,
    *,
    line: tuple[float, float],
    band: pd.DataFrame | None = None,
    axes: Axes | None = None,
    labels: tuple[str, str, str, str, str] = ("", "", "", "", ""),
) -> Axes:
    """ATT(d) with intervals against dose, its simultaneous `band`, the fitted `line` (intercept, slope; NaN: none), zero at dose 0.

    The line is thin below the lowest dose: there it is an extrapolation. `labels`: x axis, y axis, legends of the estimate, of the
    band, of the line.
    """
    axes = new_axes(axes, 3.9)
    x_label, y_label, estimate_label, band_label, line_label = labels
    shown = frame[np.isfinite(frame["estimate"])]
    dose = shown["dose"].to_numpy(dtype=float)
    high = float(frame["dose"].max())
    if band is not None:
        band = band.set_index("dose").loc[dose]
        words = band_label or "simultaneous band"
        axes.vlines(dose, band["conf_low"], band["conf_high"], color=EFFECT, alpha=0.3, linewidth=5, label=words)
    style: dict[str, Any] = {"elinewidth": 1.5, "capsize": 3, "capthick": 1.2, "markersize": 5, "zorder": 3}
    half = (shown["conf_high"] - shown["estimate"]).fillna(0.0)
    axes.errorbar(dose, shown["estimate"], yerr=half, fmt="o", color=EFFECT, label=estimate_label or "estimate", **style)
    axes.plot(0.0, 0.0, "o", markerfacecolor="white", markeredgecolor=LEAD, markersize=5, zorder=3)  # untreated: no effect
    if math.isfinite(line[1]):
        _line(axes, line, (0.0, float(dose.min()), float(dose.max())), line_label or "fitted line")
    axes.axhline(0.0, color=INK, linewidth=0.8)
    ticks = _ticks(frame["dose"].to_numpy(dtype=float), TICK_APART * high)
    axes.set_xticks(ticks, [f"{tick:.4g}" for tick in ticks])
    axes.set_xlim(-MARGIN * high, (1.0 + MARGIN) * high)
    axes.grid(False, axis="x")
    axes.set(xlabel=x_label or "dose", ylabel=y_label or "effect")
    axes.legend(frameon=False, fontsize="small")
    return axes


def _line(axes: Axes, line: tuple[float, float], places: tuple[float, float, float], label: str) -> None:
    """The line from zero over the lowest to the highest dose, thin where it is an extrapolation."""
    low, middle, high = places
    for ends, width, dash, words in (((low, middle), 0.7, (1, 3), "_extrapolated"), ((middle, high), 1.2, (4, 3), label)):
        heights = [line[0] + line[1] * end for end in ends]
        axes.plot(ends, heights, color=INK, linewidth=width, linestyle=(0, dash), label=words)


def _ticks(doses: np.ndarray[Any, np.dtype[np.float64]], apart: float) -> list[float]:
    """Zero, the highest dose, and the doses between that keep their distance."""
    kept = [0.0]
    for dose in sorted(doses):
        if dose - kept[-1] >= apart:
            kept.append(float(dose))
    if kept[-1] != doses.max():
        kept[-1 if len(kept) > 1 else len(kept) :] = [float(doses.max())]
    return kept
