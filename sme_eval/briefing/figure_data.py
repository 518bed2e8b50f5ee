"""Frames that the drawings read, taken from the record."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sme_eval.evaluation.record import Evaluation, EventStudyRecord

from .document import Name, Phrase, Value, plain
from .pointers import pointer
from .sections.common import Pointed, distinct_names, effects_of, interval, mechanisms_of, outcome_pointer
from .speaker import Speaker

if TYPE_CHECKING:
    import pandas as pd


LAST_BEFORE = -1
"""The last event time before treatment."""


def event_frames(study: EventStudyRecord) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series | None]:
    """Estimates with pointwise intervals, the simultaneous band, and the truth if it is known."""
    import pandas as pd

    frame = pd.DataFrame(
        [
            {
                "event_time": row.event_time,
                "estimate": float(row.estimate),
                "conf_low": float(row.conf_low),
                "conf_high": float(row.conf_high),
                "band_low": float(row.band_low),
                "band_high": float(row.band_high),
                "truth": math.nan if row.truth is None else row.truth,
            }
            for row in study.rows
        ]
    )
    band = frame[["event_time"]].assign(conf_low=frame["band_low"], conf_high=frame["band_high"])
    known = frame["truth"].notna()
    truth = frame[known].set_index("event_time")["truth"] if known.any() else None
    return frame[["event_time", "estimate", "conf_low", "conf_high"]], band, truth


def given_years(study: EventStudyRecord) -> tuple[int, int] | None:
    """First and last event time that is conditioned on: after the leads that speak to trends, before treatment."""
    times = [row.event_time for row in study.rows if study.last_lead < row.event_time < 0]
    return (min(times), max(times)) if study.last_lead < LAST_BEFORE and times else None


def forest_groups(evaluation: Evaluation) -> list[tuple[str, list[Pointed]]]:
    """Effects by outcome, the page's own outcome first; each group with the pointer of its outcome."""
    groups: dict[str, list[Pointed]] = {}
    for where, effect in (*effects_of(evaluation, ""), *mechanisms_of(evaluation, "")):
        groups.setdefault(outcome_pointer(evaluation, effect, ""), []).append((where, effect))
    return list(groups.items())


def forest_frame(effects: list[Pointed], speaker: Speaker, *, sizes: bool = True) -> pd.DataFrame:
    """One row per effect that has an estimate or a reason for having none; `sizes` adds the printed number."""
    import pandas as pd

    rows = []
    for name, (where, effect) in zip(distinct_names(effects), effects, strict=True):
        size: Phrase = (Value(where + pointer("estimate"), "coefficient"), Name("  "), *interval(where, effect.conf_low))
        rows.append(
            {
                "term": _two_lines(plain(speaker.runs(name))),
                "estimate": float(effect.estimate),
                "conf_low": float(effect.conf_low),
                "conf_high": float(effect.conf_high),
                **({"size": plain(speaker.runs(size))} if sizes else {}),
                **({} if effect.truth is None else {"truth": effect.truth}),
            }
        )
    return pd.DataFrame(rows)


def _two_lines(name: str) -> str:
    """What stands in parentheses goes below the name."""
    words, bracket, rest = name.partition("（" if "（" in name else " (")
    return f"{words}\n{bracket.strip()}{rest}" if bracket else words
