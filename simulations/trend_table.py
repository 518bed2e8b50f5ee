"""The section of RESULTS.md on estimators where trends are truly parallel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from simulations.compare import Reason
from simulations.storage import RESULTS
from simulations.trend_summaries import CHANCE, Comparison, Judged, judged
from simulations.trend_worlds import TREND_WORLDS, TrendWorld

ASKED: Final = {"exact": "", "conservative": "at least 95 %", "shown": "nothing"}
HEAD: Final = """
Trends are parallel by construction and every effect is known, so a sound estimator has no bias and its 95 % intervals hold the
truth in 95 % of panels. Monte Carlo errors: of a bias, the spread over panels by the root of their number; of a coverage,
0.49 points with 2,000 panels. Joint tests of leads must not reject in 95 %, simultaneous bands must hold the whole path in 95 %.

What is asked of a row stands in its last column. Nothing there: no bias and coverage of 95 %. “At least 95 %”: effects differ, the
truth is that of the firms drawn, and errors that count differences between effects as noise are too wide: coverage above 95 % is
reported and no fault. “Nothing”: the method is not meant for this world, and what goes wrong is shown.
"""
COLUMNS: Final = ("", "bias", "its error", "z", "sd", "mean se", "coverage", "its error", "rejects the truth", "asked")


def section(reasons: Sequence[Reason], folder: Path = RESULTS) -> Iterator[str]:
    """The section as lines of Markdown."""
    found = judged(folder)
    if not found:
        return
    asked = [comparison for one in found for comparison in one.comparisons()]
    yield from ("", "## Estimators where trends are truly parallel", "", _counted(asked), *HEAD.rstrip().split("\n"))
    yield from _exceptions([one for one in asked if one.beyond], reasons)
    for world in TREND_WORLDS:
        of_world = [one for one in found if one.world == world.name]
        if of_world:
            yield from _world(world, of_world)


def _counted(asked: Sequence[Comparison]) -> str:
    """How many comparisons hold, and how many would not by chance."""
    beyond = sum(one.beyond for one in asked)
    chance = 1.0 - (1.0 - CHANCE) ** len(asked)
    return (
        f"**{len(asked) - beyond} of {len(asked)} comparisons are within three Monte Carlo errors, {beyond} beyond.** If every "
        f"estimator were exactly what it claims, {CHANCE * len(asked):.1f} would lie beyond by chance, and at least one with a "
        f"probability of about {chance:.2f} (were they independent; rows of one world share their panels)."
    )


def _exceptions(beyond: Sequence[Comparison], reasons: Sequence[Reason]) -> Iterator[str]:
    """What is beyond, grouped by its reason."""
    grouped: dict[tuple[str, ...], list[Comparison]] = {}
    for one in beyond:
        grouped.setdefault(tuple(reason.text for reason in reasons if reason.applies(one.number)), []).append(one)
    if grouped:
        yield from ("", "Beyond three Monte Carlo errors:")
    for why, group in grouped.items():
        yield from ("", " ".join(why) or "**Not explained** (see the number to be expected by chance).", "")
        for one in group:
            number = one.number
            value = _minus(f"{number.value:.3f}" if number.rate else f"{number.value:.2f} %")
            yield f"* {_spaced(number.world)}, {number.row}, {number.metric}: {value} ({_minus(f'{one.distance:+.1f}')} errors)"


def _world(world: TrendWorld, rows: Sequence[Judged]) -> Iterator[str]:
    yield from ("", f"### {_spaced(world.name).capitalize()}", "", world.about)
    panels = max(one.panels for one in rows)
    yield from ("", f"{panels:,} panels of {world.firms:,} firms and eight years; first seed {world.first_seed:,}.", "")
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "|---" * len(COLUMNS) + "|"
    for one in rows:
        yield "| " + " | ".join(_cells(one)) + " |"


def _cells(one: Judged) -> Iterator[str]:
    beyond = {comparison.number.metric for comparison in one.comparisons() if comparison.beyond}
    yield one.row
    numbers = (("bias", one.bias, 2), ("", one.bias_error, 2), ("", one.z, 1), ("", one.sd, 2), ("", one.mean_se, 2))
    test = one.row.endswith("test")
    rates = (("", math.nan if test else one.coverage, 3), ("", one.coverage_error, 3), ("coverage", 1.0 - one.coverage, 3))
    if not test:
        rates = (("coverage", one.coverage, 3), ("", one.coverage_error, 3), ("", 1.0 - one.coverage, 3))
    for metric, value, decimals in (*numbers, *rates):
        told = "" if math.isnan(value) else _minus(f"{value:.{decimals}f}")
        yield f"**{told}\\***" if metric in beyond else told
    yield ASKED[one.asks]


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _minus(text: str) -> str:
    return text.replace("-", "−")
