"""Estimates of several results in one drawing."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sme_eval.terms import DataKind, Language

from .plots import EFFECT, INK, new_axes
from .table_models import Model, Result, Terms, form_problems, read_models
from .table_text import TEXTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = (EFFECT, "#a23b72", "#b7791f", "#4b3f8f", "#3f7d20", "#6b7785")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
"""Colours and markers have no common divisor: 42 models differ."""
LABEL_WIDTH = 34
GAP = 0.9
"""Between terms, in distances between models of one term."""


def coefficient_plot(
    results: Sequence[Result],
    names: Sequence[str] | None = None,
    *,
    terms: Terms | None = None,
    data_kind: DataKind | None = None,
    x_label: str = "",
    axes: Axes | None = None,
    language: Language = "en",
) -> Axes:
    """Draw estimates of several results with their intervals, each at its own level.

    One line per term, models beside each other on it, told apart by colour and marker. Where every model has one term of its own,
    there is one line per model. An estimate that a result cannot give is named as such at zero.

    Parameters
    ----------
    results, names, terms
        As for `regression_table`.
    data_kind
        "simulated" is written into the drawing.
    x_label
        Axis label, such as the outcome and its unit.
    axes
        Where to draw; a new figure without.
    language
        Of the words in the drawing; for Chinese choose a font that has it.

    Raises
    ------
    DesignError
        As for `regression_table`.

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel = sme.open_source("jobtraining")
    >>> sample = sme.Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_scrap", columns=("grant", "grant_1"))
    >>> fits = [sme.PanelRegression(regressors=r).fit(sample) for r in (("grant",), ("grant", "grant_1"))]
    >>> [text.get_text() for text in sme.coefficient_plot(fits, ["no lag", "lag"]).get_yticklabels()]
    ['grant', 'grant_1']
    """
    models = read_models(results, names, terms, form_problems(data_kind, language))
    order = list(dict.fromkeys(terms if terms is not None else [term for model in models for term in model.shown]))
    apart = len(models) > 1 and all(len(m.shown) == 1 for m in models) and len(order) == len(models)
    labels = _line_labels(models, order, terms, names is not None and apart)
    colours = [0 if apart else n for n in range(len(models))]
    places, lines = _places(models, order)
    step = max(0.24, 0.19 * max(label.count("\n") + 1 for label in labels) / (1.0 + GAP))  # inches: labels must not touch
    axes = new_axes(axes, 1.1 + step * (lines[-1] + 1.0))
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
    for model, look in zip(models, colours, strict=True):
        _draw_model(axes, model, places, look, language)
    axes.set_yticks(lines, labels)
    axes.set_ylim(max(places.values()) + 1.0, -1.0)  # the first on top
    axes.set_xlabel(x_label or TEXTS[language]["estimate"])
    axes.grid(False, axis="y")
    if len(models) > 1 and not apart:
        axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    if data_kind == "simulated":
        axes.set_title(TEXTS[language]["simulated"], loc="left", fontsize="small", color=INK)
    return axes


def _places(models: Sequence[Model], order: Sequence[str]) -> tuple[dict[tuple[str, str], float], list[float]]:
    """Height of each (model, term), one apart within a term and GAP more between terms; and the middle of each term."""
    places: dict[tuple[str, str], float] = {}
    lines, top = [], 0.0
    for term in order:
        holders = [model.name for model in models if term in model.shown]
        places |= {(name, term): top + n for n, name in enumerate(holders)}
        lines.append(top + (len(holders) - 1) / 2)
        top += len(holders) + GAP
    return places, lines


def _line_labels(models: Sequence[Model], order: Sequence[str], terms: Terms | None, by_model: bool) -> list[str]:
    """What stands at each line: the printed name of the term, below the model's name where each model has its own line."""
    printed = {term: terms[term] if isinstance(terms, Mapping) else term for term in order}
    owner = {term: f"{model.name}\n" for model in models for term in model.shown} if by_model else {}
    return [owner.get(term, "") + textwrap.fill(printed[term], LABEL_WIDTH) for term in order]


def _draw_model(axes: Axes, model: Model, places: Mapping[tuple[str, str], float], position: int, language: Language) -> None:
    """One model's estimates with their intervals."""
    colour, marker = COLOURS[position % len(COLOURS)], MARKERS[position % len(MARKERS)]
    value, place, half = [], [], []
    for term, (estimate, _) in model.shown.items():
        height = places[model.name, term]
        if math.isnan(float(estimate.estimate)):
            axes.text(0.0, height, f"  {TEXTS[language]['not_available']}", va="center", color=colour, fontsize="small")
            continue
        spread = estimate.conf_high - float(estimate.estimate)
        value.append(float(estimate.estimate))
        place.append(height)
        half.append(0.0 if math.isnan(spread) else spread)
    look: dict[str, Any] = {"fmt": marker, "color": colour, "elinewidth": 1.8, "capsize": 3, "capthick": 1.2, "markersize": 5.5}
    axes.errorbar(value, place, xerr=half, label=model.name, zorder=3, **look)
