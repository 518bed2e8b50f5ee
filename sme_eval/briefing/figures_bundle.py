"""The frame of the bundle's drawing, with its words."""

from __future__ import annotations

import math
from textwrap import fill
from typing import TYPE_CHECKING

from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_sections import BundleRecord
from sme_eval.results.bundle_plot import draw_bundle

from .document import Name, Phrase, Say, Value, plain
from .pointers import pointer
from .sections.bundle import parts_of, state
from .sections.common import interval
from .speaker import Speaker

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

WRAP = {"zh": 19, "en": 34}
"""Characters of a name's line, by language."""


def height_of_bundle(found: BundleRecord) -> float:
    """Inches."""
    return 1.0 + 0.42 * (len(found.sums) + len(found.parts))


def bundle_axes(axes: Axes, evaluation: Evaluation, found: BundleRecord, speaker: Speaker) -> None:
    """Sums and parts, one lane each."""
    x_label = plain(speaker.runs((Say("forest.x_label", at=pointer("outcome")),)))
    truth = plain(speaker.runs((Say("event_study.truth"),)))
    draw_bundle(_frame(found, speaker), axes=axes, x_label=x_label, truth_label=truth)


def _frame(found: BundleRecord, speaker: Speaker) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for n, (where, part) in enumerate(parts_of(found)):
        kind = state(part)
        size: Phrase = (Value(where + pointer("estimate"), "coefficient"), Name("  "), *interval(where, part.conf_low))
        words: Phrase = size if kind == "readable" else (Say(f"bundle.state_{kind}"),)
        rows.append(
            {
                "term": fill(plain(speaker.runs((Say("bundle.part", at=where),))), WRAP[speaker.wording.language]),
                "estimate": float(part.estimate),
                "conf_low": float(part.conf_low),
                "conf_high": float(part.conf_high),
                "truth": math.nan if part.truth is None else part.truth,
                "state": kind,
                "is_sum": n < len(found.sums),
                "text": plain(speaker.runs(words)),
            }
        )
    return pd.DataFrame(rows)
