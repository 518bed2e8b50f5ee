"""How strongly what is not observed would have to select, measured by what is observed.

δ is the strength of selection on missing controls, in units of that on the observed ones, at which the effect would be zero; β* the
effect at δ = 1. Both need the R² that all controls together could reach, which nobody knows: 1.3 times that of the observed ones
(at most 1), and 1. The regressions are weighted by the variance of treatment, which the headline is not. A coefficient that is
stable under controls says nothing about selection on past growth unless growth is among them, and nothing about future shocks.
Source: Oster (2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.oster import Stability

from .intervals import finite_or_not
from .protocol import CheckResult, Row, Table, Value

R_MULTIPLE = 1.3
"""Oster's rule: all controls explain 1.3 times what the observed ones do; nine in ten randomised results survive it."""

STABLE_DELTA = 1.0
"""Missing controls as strong as the observed ones, beyond which selection is thought unlikely."""

COLUMNS = ("before", "after", "share_explained_before", "share_explained_after", "share_explained_most", "statistic", "bound")


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilityRow:
    """One pair of regressions under the word `key`; `n_firms` are the treated ones."""

    key: str
    found: Stability | None
    n_firms: int


def check_coefficient_stability(pairs: Sequence[StabilityRow]) -> CheckResult:
    """`pairs` with the one that is nearest to the headline first: the sentence is about it, at 1.3 times its R²."""
    rows = tuple(_row(pair, most) for pair in pairs for most in ("usual", "full"))
    table = Table(columns=COLUMNS, rows=rows)
    main = pairs[0].found
    if main is None or not math.isfinite(main.delta(_most(main, "usual"))):
        return CheckResult(
            name="coefficient_stability",
            threat="unobservables",
            passed=None,
            reason="stability_unknown",
            table=table,
            figure="pairs",
        )
    most = _most(main, "usual")
    delta, adjusted = main.delta(most), main.adjusted(most)
    stable = abs(delta) > STABLE_DELTA and adjusted * main.long > 0.0
    return CheckResult(
        name="coefficient_stability",
        threat="unobservables",
        passed=None,
        reason="coefficient_stable" if stable else "coefficient_unstable",
        numbers={
            "before": main.short,
            "after": main.long,
            "delta": delta,
            "adjusted": adjusted,
            "share_explained": main.long_r,
            "share_most": most,
        },
        statistic=delta,
        table=table,
        figure="pairs",
    )


def _most(found: Stability, most: str) -> float:
    return min(R_MULTIPLE * found.long_r, 1.0) if most == "usual" else 1.0


def _row(pair: StabilityRow, most: str) -> Row:
    found = pair.found
    if found is None:
        missing: dict[str, Value] = dict.fromkeys(COLUMNS, Unavailable("not estimated"))
        return Row(key=f"{pair.key}_{most}", values=missing, n_firms=pair.n_firms)
    share = _most(found, most)
    values: dict[str, Value] = {
        "before": found.short,
        "after": found.long,
        "share_explained_before": found.short_r,
        "share_explained_after": found.long_r,
        "share_explained_most": share,
        "statistic": finite_or_not(found.delta(share)),
        "bound": finite_or_not(found.adjusted(share)),
    }
    return Row(key=f"{pair.key}_{most}", values=values, n_firms=pair.n_firms)
