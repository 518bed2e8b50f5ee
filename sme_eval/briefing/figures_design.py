"""Frames and texts of the drawings of a design."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_base import Count
from sme_eval.evaluation.record_sections import BracketRecord
from sme_eval.results.design_plots import draw_bracket, draw_design
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import Language

from .document import Name, Own, Phrase, Say, Value, plain
from .numbers import DASH, format_value
from .pointers import pointer
from .sections.bracket import bracket_effects
from .sections.common import interval
from .speaker import Speaker

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

YEARS = ("first_lead", "last_lead", "first_growth", "base", "last_effect")
COUNTS = ("n_treated", "n_comparison", "n_listed")
PARTS = ("leads", "growth", "base", "effects")


def height_of_compared(evaluation: Evaluation) -> float:
    """Inches."""
    return 1.1 + 0.36 * len(evaluation.compared)


def compared_axes(axes: Axes, evaluation: Evaluation, speaker: Speaker) -> None:
    """One band per cohort, with the firms at its end."""
    import pandas as pd

    def words(name: str) -> str:
        return plain(speaker.runs((Say(f"compared.{name}"),)))

    language, records = speaker.wording.language, evaluation.compared
    frame = pd.DataFrame([{name: _year(getattr(row, name)) for name in YEARS} for row in records])
    counts = [[_count(getattr(row, name), language) for name in COUNTS] for row in records]
    leads, growth, base, effects = (words(f"figure_{name}") for name in PARTS)
    draw_design(
        frame,
        counts,
        axes=axes,
        years=evaluation.cohort_map.years,
        rows=[format_value(row.cohort, "cohort", language) for row in records],
        headings=[words(f"figure_{name}") for name in COUNTS],
        names=(leads, growth, base, effects),
    )
    axes.set_title(words("figure_title"), loc="left")
    axes.set_ylabel(words("figure_cohort"))


def bracket_axes(axes: Axes, evaluation: Evaluation, found: BracketRecord, speaker: Speaker) -> None:
    """The three intervals before the band of the hull."""
    ends = (float(found.hull_low), float(found.hull_high))
    outcome = pointer("outcome")
    draw_bracket(
        _bracket_frame(evaluation, found, speaker),
        None if any(math.isnan(end) for end in ends) else ends,
        axes=axes,
        x_label=plain(speaker.runs((Say("forest.x_label", at=outcome),))),
        hull_label=plain(speaker.runs((Say("bracket.figure_hull"),))),
        truth_label=plain(speaker.runs((Say("event_study.truth"),))),
    )
    axes.set_title(plain(speaker.runs((Own(outcome + pointer("label")),))), loc="left")


def _bracket_frame(evaluation: Evaluation, found: BracketRecord, speaker: Speaker) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for where, effect in bracket_effects(evaluation, found):
        size: Phrase = (Value(where + pointer("estimate"), "coefficient"), Name("  "), *interval(where, effect.conf_low))
        rows.append(
            {
                "term": plain(speaker.runs((Say("bracket.row", at=where),))),
                "estimate": float(effect.estimate),
                "conf_low": float(effect.conf_low),
                "conf_high": float(effect.conf_high),
                "size": plain(speaker.runs(size)),
                **({} if effect.truth is None else {"truth": effect.truth}),
            }
        )
    return pd.DataFrame(rows)


def _count(count: Count, language: Language) -> str:
    return DASH if isinstance(count, Unavailable) else format_value(count, "count", language)


def _year(year: int | None) -> float:
    return math.nan if year is None else float(year)
