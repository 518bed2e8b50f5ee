"""Drawings of results on matplotlib axes through seaborn's theme; labels are given by the caller, so one drawing serves two languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

INK, EFFECT, LEAD, TRUTH, GRID = "#1f2933", "#0b6e8f", "#6b7785", "#c2410c", "#d5dbe1"


def _axes(axes: Axes | None, height: float) -> Axes:
    if axes is not None:
        return axes
    import matplotlib.pyplot as plt
    import seaborn as sns

    with sns.axes_style("whitegrid", {"grid.color": GRID, "axes.edgecolor": GRID}):
        return plt.subplots(figsize=(6.6, height), layout="constrained")[1]


def draw_event_study(
    frame: pd.DataFrame,
    *,
    axes: Axes | None = None,
    truth: pd.Series | None = None,
    band: pd.DataFrame | None = None,
    labels: tuple[str, str, str, str, str] = ("", "", "", "", ""),
) -> Axes:
    """Effects by event time with pointwise intervals, optionally a simultaneous `band` and the `truth` of a simulation.

    `labels`: x axis, y axis, legend of the estimate, of the band, of the truth.
    """
    axes = _axes(axes, 3.5)
    x_label, y_label, estimate_label, band_label, truth_label = labels
    shown = frame[np.isfinite(frame["estimate"])]
    time = shown["event_time"].to_numpy()
    if band is not None:
        band = band.set_index("event_time").reindex(time)
        axes.vlines(
            time,
            band["conf_low"],
            band["conf_high"],
            color=EFFECT,
            alpha=0.3,
            linewidth=5,
            label=band_label or "simultaneous band",
        )
    half = (shown["conf_high"] - shown["estimate"]).fillna(0.0).to_numpy()
    colour = np.where(time < 0, LEAD, EFFECT)
    axes.errorbar(time, shown["estimate"], yerr=half, fmt="none", ecolor=colour, elinewidth=1.5, capsize=3)
    axes.scatter(time, shown["estimate"], c=colour, s=28, zorder=3, label=estimate_label or "estimate")
    if truth is not None:
        axes.scatter(
            truth.index,
            truth.to_numpy(),
            marker="D",
            s=30,
            facecolors="none",
            edgecolors=TRUTH,
            zorder=4,
            label=truth_label or "truth",
        )
    axes.axhline(0.0, color=INK, linewidth=0.8)
    axes.axvline(-0.5, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set(xlabel=x_label or "event time", ylabel=y_label or "effect")
    axes.xaxis.get_major_locator().set_params(integer=True)
    if truth is not None or band is not None:
        axes.legend(frameon=False, fontsize="small")
    return axes


def draw_forest(
    frame: pd.DataFrame,
    *,
    axes: Axes | None = None,
    x_label: str = "",
    truth: float | None = None,
    truth_label: str = "",
) -> Axes:
    """Estimates with intervals, one line per row of `frame` (column `term`), the first on top."""
    axes = _axes(axes, 0.9 + 0.42 * len(frame))
    place = np.arange(len(frame))[::-1]
    value = frame["estimate"].to_numpy(dtype=float)
    half = (frame["conf_high"] - frame["estimate"]).fillna(0.0).to_numpy(dtype=float)
    axes.errorbar(value, place, xerr=half, fmt="o", color=EFFECT, elinewidth=1.8, capsize=3, markersize=5)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    if truth is not None:
        axes.axvline(truth, color=TRUTH, linewidth=1.2, linestyle=(0, (4, 3)), label=truth_label or "truth")
        axes.legend(frameon=False, fontsize="small")
    axes.set_yticks(place, list(frame["term"]))
    axes.set_ylim(-0.6, len(frame) - 0.4)
    axes.set_xlabel(x_label or "estimate")
    axes.grid(False, axis="y")
    return axes
