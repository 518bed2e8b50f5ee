"""The drawing of a specification curve: estimates by size with their intervals, and below which choices each was made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sme_eval.evaluation.record_curve import CurveRecord, SpecificationRecord
from sme_eval.results.plots import EFFECT, INK, LEAD, TRUTH
from sme_eval.results.unavailable import Unavailable

from .document import Own, Say, plain
from .pointers import pointer
from .speaker import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UPPER: Final = 2.5
"""Inches of the estimates."""
ROW: Final = 0.165
"""Inches of one option."""
GAP: Final = 0.02
"""Between curve and contrasts, as a share of the specifications."""
AT: Final = pointer("curve")


def rows_of(found: CurveRecord) -> int:
    """Lines of the dashboard: a heading per dimension, its options, then the contrasts with theirs."""
    lines = sum(1 + len(dimension.options) for dimension in found.dimensions)
    return lines + (1 + len(found.contrasts) if found.contrasts else 0)


def heights_of_curve(found: CurveRecord) -> tuple[float, float]:
    """Inches of the upper and the lower panel."""
    return UPPER, 0.1 + ROW * rows_of(found)


def drawn(found: CurveRecord) -> tuple[list[SpecificationRecord], list[SpecificationRecord]]:
    """Defended specifications and contrasts that may be told, each by size."""
    told = sorted((one for one in found.specifications if not isinstance(one.estimate, Unavailable)), key=_size)
    return [one for one in told if one.contrast is None], [one for one in told if one.contrast is not None]


def _size(one: SpecificationRecord) -> float:
    return float(one.estimate)


def curve_axes(upper: Axes, lower: Axes, found: CurveRecord, speaker: Speaker) -> None:
    """Both panels, on one horizontal axis."""
    defended, contrasts = drawn(found)
    start = len(defended) + max(2.0, GAP * len(defended))
    places = np.arange(len(defended)), start + np.arange(len(contrasts))
    _estimates(upper, found, (defended, contrasts), places, speaker)
    _dashboard(lower, found, [*defended, *contrasts], np.concatenate(places), speaker)
    for axes in (upper, lower):
        last = places[1][-1] if contrasts else len(defended) - 1.0
        axes.set_xlim(-0.015 * start, last + 0.015 * start)
        axes.grid(False, axis="x")
        axes.set_xticks([])


def _estimates(
    axes: Axes,
    found: CurveRecord,
    parts: tuple[list[SpecificationRecord], list[SpecificationRecord]],
    places: tuple[Any, Any],
    speaker: Speaker,
) -> None:
    def words(name: str) -> str:
        return plain(speaker.runs((Say(f"curve.{name}"),)))

    width = float(np.clip(220.0 / max(len(parts[0]), 1), 0.35, 2.0))
    low, high, value = (np.array([float(getattr(one, name)) for one in parts[0]]) for name in ("conf_low", "conf_high", "estimate"))
    size = float(np.clip(900.0 / max(len(parts[0]), 1), 4.0, 18.0))
    significant = (low > 0.0) | (high < 0.0)
    for which, colour, name in ((significant, EFFECT, "figure_significant"), (~significant, LEAD, "figure_not_significant")):
        if which.any():
            axes.vlines(places[0][which], low[which], high[which], color=colour, alpha=0.3, linewidth=width, rasterized=True)
            axes.scatter(places[0][which], value[which], s=size, color=colour, linewidths=0, zorder=3, label=words(name))
    if parts[1]:
        low, high = (np.array([float(getattr(one, name)) for one in parts[1]]) for name in ("conf_low", "conf_high"))
        axes.vlines(places[1], low, high, color=LEAD, alpha=0.35, linewidth=width, linestyles=":")
        shown = [float(one.estimate) for one in parts[1]]
        style: dict[str, Any] = {"facecolors": "none", "edgecolors": INK, "linewidths": 0.6, "s": 9.0, "zorder": 3}
        axes.scatter(places[1], shown, label=words("figure_contrast"), **style)
    axes.axhline(0.0, color=INK, linewidth=0.8)
    if found.truth is not None:
        axes.axhline(found.truth, color=TRUTH, linewidth=1.0, linestyle="--", label=words("figure_truth"))
    _headline(axes, found, parts[0], words("figure_headline"))


def _headline(axes: Axes, found: CurveRecord, defended: list[SpecificationRecord], name: str) -> None:
    """The main estimate, with its interval drawn strongly."""
    one = None if found.headline is None else found.specifications[found.headline]
    if one is None or one not in defended:
        return
    x = defended.index(one)
    axes.vlines(x, float(one.conf_low), float(one.conf_high), color=INK, linewidth=1.4, zorder=4)
    axes.scatter([x], [float(one.estimate)], s=26.0, color=INK, zorder=5, label=name)


def _dashboard(axes: Axes, found: CurveRecord, shown: list[SpecificationRecord], places: Any, speaker: Speaker) -> None:
    """One line per option, a mark where a specification was made with it; lines of a dimension stand below its name."""
    names: list[tuple[str, bool]] = []
    for d, dimension in enumerate(found.dimensions):
        at = AT + pointer("dimensions", d)
        names.append((_own(speaker, at + pointer("label")), True))
        for n in range(len(dimension.options)):
            _marks(axes, places[[one.choices[d] == n for one in shown]], len(names), len(shown))
            names.append((_own(speaker, at + pointer("options", n, "label")), False))
    if found.contrasts:
        names.append((plain(speaker.runs((Say("curve.figure_contrast"),))), True))
        for n in range(len(found.contrasts)):
            _marks(axes, places[[one.contrast == n for one in shown]], len(names), len(shown))
            names.append((_own(speaker, AT + pointer("contrasts", n, "label")), False))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), [name for name, _ in names], fontsize=6.5)
    for label, (_, heading) in zip(axes.get_yticklabels(), names, strict=True):
        label.set_color(EFFECT if heading else INK)
    for line, (_, heading) in enumerate(names):
        if heading:
            axes.axhspan(line - 0.5, line + 0.5, color="#eef2f5", linewidth=0, zorder=0)
    axes.grid(False)
    axes.tick_params(axis="y", length=0)


def _marks(axes: Axes, x: Any, line: int, n_shown: int) -> None:
    width = float(np.clip(260.0 / max(n_shown, 1), 0.3, 2.5))
    axes.vlines(x, line - 0.36, line + 0.36, color=INK, linewidth=width, rasterized=True)


def _own(speaker: Speaker, where: str) -> str:
    return plain(speaker.runs((Own(where),)))
