"""Drawings of results in the theme of seaborn; the caller gives the axes and the labels, so one drawing serves two languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

INK, EFFECT, LEAD, TRUTH, GRID = "#1f2933", "#0b6e8f", "#6b7785", "#c2410c", "#d5dbe1"
TRUTH_MARK: dict[str, Any] = {
    "marker": "D", "s": 30, "linewidths": 1.3, "facecolors": "none", "edgecolors": TRUTH, "zorder": 4,
}  # fmt: skip
BEFORE, AFTER = "#e8eef2", "#a9cfdc"
THEME = {
    "grid.color": GRID,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def new_axes(axes: Axes | None, height: float) -> Axes:
    """The given axes, or new ones of so many inches in the theme."""
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
    given: tuple[int, int, str] | None = None,
) -> Axes:
    """Effects by event time with pointwise intervals, optionally a simultaneous `band` and the `truth` of a simulation.

    `labels`: x axis, y axis, legend of the estimate, of the band, of the truth. `given` shades the event times from its first to
    its second, which an estimator conditions on, and writes its third there.
    """
    from matplotlib.ticker import MaxNLocator

    axes = new_axes(axes, 3.5)
    x_label, y_label, estimate_label, band_label, truth_label = labels
    shown = frame[np.isfinite(frame["estimate"])]
    time = shown["event_time"].to_numpy()
    if band is not None:
        band = band.set_index("event_time").reindex(time)
        axes.vlines(
            time, band["conf_low"], band["conf_high"], color=EFFECT, alpha=0.3, linewidth=5, label=band_label or "simultaneous band"
        )
    half = (shown["conf_high"] - shown["estimate"]).fillna(0.0).to_numpy()
    value = shown["estimate"].to_numpy()
    for part, colour, label in ((time < 0, LEAD, "_before"), (time >= 0, EFFECT, estimate_label or "estimate")):
        if part.any():
            axes.errorbar(
                time[part],
                value[part],
                yerr=half[part],
                fmt="o",
                color=colour,
                elinewidth=1.5,
                capsize=3,
                capthick=1.2,
                markersize=5,
                zorder=3,
                label=label,
            )
    if truth is not None:
        axes.scatter(truth.index, truth.to_numpy(), label=truth_label or "truth", **TRUTH_MARK)
    axes.axhline(0.0, color=INK, linewidth=0.8)
    axes.axvline(-0.5, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set(xlabel=x_label or "event time", ylabel=y_label or "effect")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if given is not None:
        first, last, words = given
        axes.axvspan(first - 0.5, last + 0.5, facecolor=BEFORE, zorder=0)
        style: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": "small", "color": LEAD}
        axes.text((first + last) / 2.0, 0.97, words, transform=axes.get_xaxis_transform(), **style)
    if truth is not None or band is not None:
        axes.legend(frameon=False, fontsize="small")
    return axes


def draw_forest(
    frame: pd.DataFrame, *, axes: Axes | None = None, x_label: str = "", truth: float | None = None, truth_label: str = ""
) -> Axes:
    """Estimates with intervals, one line per row of `frame` (column `term`), the first on top.

    A column `truth` marks each row's own truth; a column `size` prints a text at the right end of the row.
    """
    axes = new_axes(axes, 0.9 + 0.42 * len(frame))
    place = np.arange(len(frame))[::-1]
    value = frame["estimate"].to_numpy(dtype=float)
    half = (frame["conf_high"] - frame["estimate"]).fillna(0.0).to_numpy(dtype=float)
    axes.errorbar(value, place, xerr=half, fmt="o", color=EFFECT, elinewidth=1.8, capsize=3, capthick=1.2, markersize=5)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    if truth is not None:
        axes.axvline(truth, color=TRUTH, linewidth=1.2, linestyle=(0, (4, 3)), label=truth_label or "truth")
        axes.legend(frameon=False, fontsize="small")
    if "truth" in frame:
        axes.scatter(frame["truth"], place, label=truth_label or "truth", **TRUTH_MARK)
    for text, height in zip(frame.get("size", ()), place, strict=False):
        axes.annotate(
            text,
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize="small",
        )
    axes.set_yticks(place, list(frame["term"]))
    axes.set_ylim(-0.6, len(frame) - 0.4)
    axes.set_xlabel(x_label or "estimate")
    axes.grid(False, axis="y")
    return axes


def draw_cohort_map(
    treated: Sequence[Sequence[bool]], texts: Sequence[Sequence[str]], *, axes: Axes, rows: Sequence[str], columns: Sequence[str]
) -> Axes:
    """One row per cohort, one column per year: light before treatment, dark from treatment on, with the text of each cell."""
    import seaborn

    seaborn.heatmap(
        np.asarray(treated, dtype=float),
        annot=np.asarray(texts, dtype=object),
        fmt="",
        cmap=[BEFORE, AFTER],
        vmin=0.0,
        vmax=1.0,
        cbar=False,
        linewidths=1.5,
        linecolor="white",
        annot_kws={"fontsize": "small", "color": INK},
        xticklabels=list(columns),
        yticklabels=list(rows),
        ax=axes,
    )
    axes.tick_params(length=0, labelrotation=0)
    return axes


def draw_flow(kept: Sequence[str], dropped: Sequence[str], *, axes: Axes) -> Axes:
    """Boxes from top to bottom for what was kept; beside the arrow into each box what was dropped on the way ("" for nothing)."""
    axes.set_axis_off()
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-len(kept) + 0.55, 0.45)
    for n, (text, gone) in enumerate(zip(kept, dropped, strict=True)):
        axes.text(
            0.3, -n, text, ha="center", va="center", linespacing=1.5,
            bbox={"boxstyle": "round,pad=0.5", "facecolor": BEFORE, "edgecolor": EFFECT},
        )  # fmt: skip
        if n:
            axes.annotate("", (0.3, -n + 0.28), (0.3, -n + 0.72), arrowprops={"arrowstyle": "-|>", "color": LEAD})
        if gone:
            axes.text(0.6, -n + 0.5, gone, ha="left", va="center", color=LEAD)
            axes.plot([0.3, 0.585], [-n + 0.5, -n + 0.5], color=LEAD, linewidth=1.0)
    return axes
