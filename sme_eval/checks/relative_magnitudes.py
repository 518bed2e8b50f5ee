"""How much worse than before treatment trends may differ afterwards until the result is gone.

Assumes that no yearly change in the difference of trends after treatment is larger than M̄ times the largest before it. Source:
Rambachan and Roth (2023), by their conditional least-favourable hybrid, not by adding a plug-in bias to the interval.
"""

from __future__ import annotations

import math
from typing import Final

from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.honest_intervals import Path, Restriction, breakdown, honest_interval

from .protocol import CheckResult, Row, Table

BOUNDS: Final = (0.25, 0.5, 1.0, 1.5, 2.0)
"""Multiples M̄ that are shown."""
NO_PATH: Final = "sensitivity_unknown"


def check_relative_magnitudes(path: Path | Unavailable, alpha: float, n_firms: int | None, seed: int) -> CheckResult:
    """Intervals by M̄ and the largest M̄ at which zero stays outside. It informs: no threshold is a gate."""
    if isinstance(path, Unavailable):
        return CheckResult(name="relative_magnitudes", threat="trends", passed=None, reason=NO_PATH)
    found = breakdown(path, "relative_magnitudes", alpha=alpha, seed=seed)
    reason = reason_of("relative_magnitudes", path, found, alpha)
    return CheckResult(
        name="relative_magnitudes",
        threat="trends",
        passed=None,
        reason=reason,
        numbers=numbers_of(path, found),
        statistic=found if math.isfinite(found) else None,
        table=sensitivity_table(path, "relative_magnitudes", BOUNDS, alpha, n_firms, seed),
        figure="sensitivity",
    )


def reason_of(stem: str, path: Path, found: float, alpha: float) -> str:
    """Whether there is something to break down, and whether anything breaks it."""
    low, high = path.original(alpha)
    if low <= 0.0 <= high:
        return f"{stem}_covers"
    return f"{stem}_breakdown" if math.isfinite(found) else f"{stem}_always"


def numbers_of(path: Path, found: float) -> dict[str, int | float]:
    """What the sentences quote."""
    numbers: dict[str, int | float] = {"n_leads": path.n_before, "n_after": len(path.weights)}
    return numbers | ({"breakdown": found} if math.isfinite(found) else {})


def sensitivity_table(
    path: Path, restriction: Restriction, bounds: tuple[float, ...], alpha: float, n_firms: int | None, seed: int
) -> Table:
    """The interval under parallel trends, then one row per bound; an end without bound says so."""
    rows = [Row(key="original", values={"bound": None, **_ends(*path.original(alpha))}, n_firms=n_firms)]
    for n, bound in enumerate(bounds):
        ends = honest_interval(path, restriction, bound, alpha=alpha, seed=seed)
        rows.append(Row(key=f"bound_{n}", values={"bound": bound, **_ends(*ends)}, n_firms=n_firms, label=("", "")))
    return Table(columns=("bound", "conf_low", "conf_high"), rows=tuple(rows))


def _ends(low: float, high: float) -> dict[str, float | Unavailable]:
    """The ends of an interval as cells."""
    return {
        "conf_low": low if math.isfinite(low) else Unavailable("no lower bound"),
        "conf_high": high if math.isfinite(high) else Unavailable("no upper bound"),
    }
