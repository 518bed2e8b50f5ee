"""Goodman-Bacon: how much of a two-way fixed-effects estimate compares newly treated firms with firms already treated.

These comparisons are forbidden: if effects grow, the growth of the firms treated earlier is taken off. A large share does not say
that the headline is wrong, which uses none of them; it says that a two-way regression of the same data would be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .protocol import CheckResult, Row, Table

SMALL_SHARE = 0.1
"""Below a tenth of the weight, forbidden comparisons move a two-way estimate by less than a tenth of how far their own is off."""
LATER = "later"
"""The kind of comparison that is forbidden."""
COLUMNS = ("share_weight", "estimate", "n_pairs")


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoByTwo:
    """One comparison of two groups: its `kind` ("never", "earlier", "later"), weight and estimate."""

    kind: str
    weight: float
    estimate: float


def check_forbidden(samples: Mapping[str, tuple[Sequence[TwoByTwo], int]]) -> CheckResult:
    """Comparisons and treated firms by sample: "all" firms, and the ever "treated" alone, where it can be decomposed."""
    rows = [row for name, (pairs, n_firms) in samples.items() for row in _rows(name, pairs, n_firms)]
    shares = {name: sum(pair.weight for pair in pairs if pair.kind == LATER) for name, (pairs, _) in samples.items()}
    if "all" not in shares:
        return CheckResult(name="forbidden", threat="comparison", passed=None, reason="forbidden_unknown")
    share, numbers = shares["all"], {"share": shares["all"]}
    if "treated" in shares:
        numbers["share_treated"] = shares["treated"]
        reason = "forbidden_small" if share < SMALL_SHARE else "forbidden_large"
    else:
        reason = "forbidden_one_cohort" if share < SMALL_SHARE else "forbidden_large_alone"
    return CheckResult(
        name="forbidden",
        threat="comparison",
        passed=None,
        reason=reason,
        numbers=numbers,
        statistic=share,
        table=Table(columns=COLUMNS, rows=tuple(rows)),
    )


def _rows(name: str, pairs: Sequence[TwoByTwo], n_firms: int) -> list[Row]:
    """One row per kind: its weight, and the average of its comparisons by their weight."""
    rows = []
    for kind in dict.fromkeys(pair.kind for pair in pairs):
        own = [pair for pair in pairs if pair.kind == kind]
        weight = sum(pair.weight for pair in own)
        average = sum(pair.weight * pair.estimate for pair in own) / weight
        values = {"share_weight": weight, "estimate": average, "n_pairs": len(own)}
        rows.append(Row(key=f"{name}_{kind}", values=values, n_firms=n_firms))
    return rows
