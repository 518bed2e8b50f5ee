"""The frame of the dose plot, with its words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sme_eval.evaluation.record_sections import DoseRecord
from sme_eval.results.dose_plot import draw_dose
from sme_eval.results.unavailable import Unavailable

from .document import Say, plain
from .pointers import pointer
from .speaker import Speaker

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 3.7
"""Inches."""


def dose_axes(axes: Axes, found: DoseRecord, speaker: Speaker, root: str) -> None:
    """Districts against their stated dose, those without one in a lane of their own; the true slope where it is known."""
    import pandas as pd

    def words(key: str) -> str:
        return plain(speaker.runs((Say(key, root=root),)))

    rows = [
        {
            "district": plain(speaker.runs((Say("dose.name", at=root + pointer("dose", "districts", n)),))),
            "dose": math.nan if isinstance(row.dose, Unavailable) else float(row.dose),
            "estimate": float(row.estimate),
            "conf_low": float(row.conf_low),
            "conf_high": float(row.conf_high),
        }
        for n, row in enumerate(found.districts)
    ]
    slope = float(found.slopes[0].estimate) / found.per
    draw_dose(
        pd.DataFrame(rows),
        line=(float(found.at_zero), slope),
        truth=None if found.truth is None else found.truth / found.per,
        axes=axes,
        labels=(words("dose.x_label"), "", words("dose.not_stated"), words("dose.line")),
        truth_label=words("event_study.truth"),
    )
    axes.set_title(words("dose.y_label"), loc="left")
    axes.set_ylabel("")
