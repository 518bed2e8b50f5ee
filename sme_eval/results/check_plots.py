"""Drawings of checks, generic over what was checked: intervals, an interval against a bound, pairs of marks, a histogram.

The caller gives frames, axes and words; rows without numbers keep their place and stay empty.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from .plots import AFTER, EFFECT, GRID, INK, LEAD, TRUTH, TRUTH_MARK

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

BALANCED: Final = 0.1
"""Standardised difference up to which a covariate counts as balanced (Austin 2009)."""
DASHED: Final = (0, (4, 3))


def draw_intervals(frame: pd.DataFrame, *, axes: Axes, x_label: str, legend: tuple[str, str]) -> Axes:
    """Rows from top to bottom: `term`, `estimate`, `conf_low`, `conf_high`, `is_headline`, perhaps `truth`.

    The headline is drawn in the colour of effects with a line through it, the others in grey. `legend`: the headline, the truth.
    """
    place = np.arange(len(frame))[::-1]
    first = frame["is_headline"].to_numpy(dtype=bool)
    # A label that begins with an underscore is left out of the legend.
    for part, colour, label in ((~first, LEAD, "_others"), (first, EFFECT, legend[0])):
        if part.any():
            _error_bars(axes, frame[part], place[part], colour=colour, label=label)
    for estimate in frame.loc[frame["is_headline"], "estimate"].dropna():
        axes.axvline(estimate, color=EFFECT, linewidth=0.8, linestyle=DASHED, zorder=0)
    if "truth" in frame:
        axes.scatter(frame["truth"], place, label=legend[1], **TRUTH_MARK)
    axes.axvline(0.0, color=INK, linewidth=0.8)
    axes.set_yticks(place, list(frame["term"]))
    axes.set_ylim(-0.7, len(frame) - 0.3)
    axes.set_xlabel(x_label)
    axes.grid(False, axis="y")
    return axes


def _error_bars(axes: Axes, rows: pd.DataFrame, place: np.ndarray, *, colour: str, label: str) -> None:
    value = rows["estimate"].to_numpy(dtype=float)
    ends = np.abs(np.stack([value - rows["conf_low"], rows["conf_high"] - value]))
    axes.errorbar(
        value,
        place,
        xerr=np.nan_to_num(ends),
        fmt="o",
        color=colour,
        elinewidth=1.5,
        capsize=2.5,
        markersize=4.5,
        zorder=3,
        label=label,
    )


def draw_curve(frame: pd.DataFrame, *, axes: Axes, x_label: str, legend: tuple[str, str]) -> Axes:
    """Many rows of the same form, in the order of their estimates: there is no room for their names."""
    shown = frame[np.isfinite(frame["estimate"])].sort_values("estimate", kind="stable").reset_index(drop=True)
    axes.vlines(shown.index, shown["conf_low"], shown["conf_high"], color=AFTER, linewidth=1.0, zorder=1)
    axes.scatter(shown.index, shown["estimate"], s=7, color=LEAD, zorder=2)
    first = shown[shown["is_headline"]]
    if len(first):
        axes.scatter(first.index, first["estimate"], s=46, color=EFFECT, zorder=4, label=legend[0])
        axes.vlines(first.index, first["conf_low"], first["conf_high"], color=EFFECT, linewidth=1.8, zorder=3)
    axes.axhline(0.0, color=INK, linewidth=0.8)
    axes.set_xlim(-1, len(shown))
    axes.set_xlabel(x_label)
    return axes


def draw_sensitivity(frame: pd.DataFrame, *, axes: Axes, breakdown: float, labels: tuple[str, str, str, str]) -> Axes:
    """The interval against the `bound` of what is assumed; the row `is_original` stands left of all bounds.

    `breakdown` is the bound at which the interval reaches zero (NaN if none is known). `labels`: x axis, the intervals, the
    original interval, the breakdown.
    """
    x_label, interval, original, turned = labels
    bounds = frame[~frame["is_original"]].dropna(subset=["bound"]).sort_values("bound", kind="stable")
    at = bounds["bound"].to_numpy(dtype=float)
    low, high = bounds["conf_low"].to_numpy(dtype=float), bounds["conf_high"].to_numpy(dtype=float)
    axes.fill_between(at, low, high, color=AFTER, alpha=0.45, linewidth=0.0, zorder=1)
    axes.vlines(at, low, high, color=EFFECT, linewidth=1.8, zorder=2, label=interval)
    first = frame[frame["is_original"]]
    if len(first):
        step = float(np.diff(at).min()) if len(at) > 1 else 1.0
        left = (float(at.min()) if len(at) else 0.0) - step
        axes.vlines([left] * len(first), first["conf_low"], first["conf_high"], color=INK, linewidth=3.0, label=original)
    if math.isfinite(breakdown):
        axes.axvline(breakdown, color=TRUTH, linewidth=1.3, linestyle=DASHED, label=turned)
    axes.axhline(0.0, color=INK, linewidth=0.8)
    axes.set_xlabel(x_label)
    return axes


def draw_pairs(frame: pd.DataFrame, *, axes: Axes, x_label: str, labels: tuple[str, str, str]) -> Axes:
    """Two marks a row, `before` hollow and `after` full, joined by a line; dashed where a difference counts as balanced.

    `labels`: before, after, the dashed lines; none are drawn where their label is empty.
    """
    place = np.arange(len(frame))[::-1]
    axes.hlines(place, frame["before"], frame["after"], color=GRID, linewidth=1.6, zorder=1)
    axes.scatter(frame["before"], place, s=34, facecolors="white", edgecolors=LEAD, linewidths=1.4, zorder=2, label=labels[0])
    axes.scatter(frame["after"], place, s=34, color=EFFECT, zorder=3, label=labels[1])
    for line, label in ((-BALANCED, labels[2]), (BALANCED, "_other side")) if labels[2] else ():
        axes.axvline(line, color=TRUTH, linewidth=1.1, linestyle=DASHED, zorder=1, label=label)
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=0)
    axes.set_yticks(place, list(frame["term"]))
    axes.set_ylim(-0.7, len(frame) - 0.3)
    axes.set_xlabel(x_label)
    axes.grid(False, axis="y")
    return axes


def draw_histogram(frame: pd.DataFrame, *, axes: Axes, estimate: float, labels: tuple[str, str, str]) -> Axes:
    """Counts between `low` and `high`, and the estimate as a line. `labels`: x axis, y axis, the estimate."""
    shown = frame.dropna(subset=["low", "high", "count"])
    width = shown["high"] - shown["low"]
    axes.bar(shown["low"], shown["count"], width=width, align="edge", color=AFTER, edgecolor="white", linewidth=0.6)
    if math.isfinite(estimate):
        axes.axvline(estimate, color=EFFECT, linewidth=2.0, label=labels[2])
    axes.axvline(0.0, color=INK, linewidth=0.8)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return axes
