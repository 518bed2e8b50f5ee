"""Figures of the published reply and of a list's growth: plain numbers and words in, PNG bytes with their label in the pixels out.

What was published is drawn under the label that the caller gives; what is simulated also carries the watermark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sme_eval.results.list_growth import ListGrowth
from sme_eval.results.list_growth_plot import draw_waterfall
from sme_eval.results.plots import AFTER, BEFORE, EFFECT, INK, LEAD, TRUTH
from sme_eval.terms import Language

from .figure_canvas import canvas, labelled, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROOM: Final = 1.3
"""Axes end so far beyond the longest bar, for the numbers there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Bars with a name below and a text on top; `hatched` is the part of each, if any, that belongs to the second kind."""

    title: str
    values: Sequence[float]
    names: Sequence[str]
    texts: Sequence[str]
    hatched: Sequence[float] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Two levels and the gap between them, which is in percentage points: names, levels, their texts, the gap's text."""

    title: str
    names: tuple[str, str]
    levels: tuple[float, float]
    texts: tuple[str, str]
    gap: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One population with what is said of it, line by line."""

    name: str
    lines: Sequence[str]


def draw_counts(left: Bars, right: Bars, label: str) -> bytes:
    """Two groups of bars side by side on one scale each, counts from zero."""
    with theme():
        figure, panels = canvas(2.9, columns=2, gridspec_kw={"width_ratios": [2.6, 1.0]})
        for axes, bars in zip(panels, (left, right), strict=True):
            _bars(axes, bars)
        return labelled(figure, label)


def _bars(axes: Axes, bars: Bars) -> None:
    place = range(len(bars.values))
    axes.bar(place, bars.values, 0.58, color=EFFECT, edgecolor=INK, linewidth=0.4, zorder=2)
    if bars.hatched:
        axes.bar(place, bars.hatched, 0.58, color=AFTER, edgecolor=INK, linewidth=0.4, hatch="////", zorder=3)
    for n, (value, text) in enumerate(zip(bars.values, bars.texts, strict=True)):
        above: dict[str, Any] = {
            "xytext": (0, 3),
            "textcoords": "offset points",
            "ha": "center",
            "va": "bottom",
            "linespacing": 1.35,
        }
        axes.annotate(text, (n, value), **above)
    axes.set_xticks(list(place), list(bars.names))
    axes.set_xlim(-0.6, len(bars.values) - 0.4)
    axes.set_ylim(0.0, max(bars.values) * _ROOM)
    axes.set_title(bars.title, loc="left")
    axes.grid(False)
    axes.set_yticks([])
    _open(axes, "left")


def draw_gaps(gaps: Sequence[Gap], note: str, label: str) -> bytes:
    """A panel per pair of levels, from zero, with the gap marked between their ends; `note` below all of them."""
    with theme():
        figure, panels = canvas(2.7, columns=len(gaps))
        for axes, gap in zip(panels, gaps, strict=True):
            _gap(axes, gap)
        figure.supxlabel(note, fontsize="small", color=TRUTH)
        return labelled(figure, label)


def _gap(axes: Axes, gap: Gap) -> None:
    high, low = gap.levels
    axes.barh([1, 0], gap.levels, 0.5, color=[EFFECT, LEAD], edgecolor=INK, linewidth=0.4, zorder=2)
    for place, level, text in zip((1, 0), gap.levels, gap.texts, strict=True):
        axes.text(level - 0.02 * high, place, text, ha="right", va="center", color="white", zorder=4)
    axes.annotate("", (high, 0.0), (low, 0.0), arrowprops={"arrowstyle": "<->", "color": INK, "shrinkA": 0, "shrinkB": 0})
    axes.text(high * 1.02, 0.0, gap.gap, ha="left", va="center", color=INK)
    axes.plot([high, high], [0.75, -0.12], color=INK, linewidth=0.7, linestyle=(0, (3, 2)), zorder=3)
    axes.set_yticks([1, 0], list(gap.names))
    axes.set_xlim(0.0, high * 1.85)
    axes.set_xticks([])
    axes.set_title(gap.title, loc="left")
    axes.grid(False)
    _open(axes, "bottom")


def draw_lanes(lanes: Sequence[Lane], between: str, note: str, label: str) -> bytes:
    """Populations as boxes side by side with what is said of each; `between` stands between them, `note` below."""
    from matplotlib.patches import FancyBboxPatch

    with theme():
        figure, (axes,) = canvas(2.5)
        axes.set_axis_off()
        axes.set(xlim=(0.0, len(lanes)), ylim=(0.0, 1.0))
        style = "round,pad=0.0,rounding_size=0.03"
        for n, lane in enumerate(lanes):
            box = FancyBboxPatch((n + 0.05, 0.16), 0.9, 0.8, boxstyle=style, facecolor=BEFORE, edgecolor=LEAD, mutation_aspect=0.4)
            axes.add_patch(box)
            within: dict[str, Any] = {"va": "top", "in_layout": False}
            axes.text(n + 0.5, 0.91, lane.name, ha="center", color=EFFECT, fontsize="medium", linespacing=1.35, **within)
            axes.text(n + 0.09, 0.64, "\n".join(lane.lines), color=INK, fontsize="small", linespacing=1.6, **within)
            if n:
                axes.text(n, 0.56, between, ha="center", va="center", color=TRUTH, fontsize=17)
        axes.text(len(lanes) / 2.0, 0.05, note, ha="center", va="center", color=TRUTH, fontsize="small")
        return labelled(figure, label)


def draw_bridge(amounts: Sequence[float], names: Sequence[str], notes: Sequence[str], words: tuple[str, str], label: str) -> bytes:
    """A bridge between two totals; `words` are the axis and what the bridge is not."""
    y_label, not_this = words
    with theme():
        figure, (axes,) = canvas(3.1)
        draw_waterfall(amounts, names=names, notes=notes, axes=axes, y_label=y_label, digits=2)
        axes.set_title(not_this, loc="left", color=TRUTH)
        return labelled(figure, label)


def draw_list_growth(growth: ListGrowth, language: Language, label: str, watermark: str) -> bytes:
    """The bridge of a list's growth in our typeface, with the kind of data on top and, if simulated, across."""
    with theme():
        figure, (axes,) = canvas(3.4)
        growth.plot(axes=axes, language=language)
        return labelled(figure, label, watermark if growth.data_kind == "simulated" else "")


def _open(axes: Axes, *more: str) -> None:
    for side in ("top", "right", *more):
        axes.spines[side].set_visible(False)
