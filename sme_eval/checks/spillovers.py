"""Whether treated firms move their untreated neighbours, so that the comparison is not untouched.

One firm's outcome must not depend on whether another is treated (the stable unit treatment value assumption). Two signs that it
does: the estimate changes where comparison firms with many treated neighbours are left out; and untreated firms' own outcome
moves with their neighbours' treatment. Both look at neighbours in industry × district only: what spreads to a whole industry or
the whole city is not seen, and shocks that reach a cell's treated and untreated firms alike look like spillovers.
"""

from __future__ import annotations

import math

from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable

from .protocol import CheckResult, Row, Table
from .shifts import LeftOut, estimate_values

HIGH_EXPOSURE = 0.75
"""Comparison firms above this quantile of exposure are left out."""

EXPOSURE_STEP = 0.1
"""Step of the share of treated neighbours that the slope is given for: ten percentage points."""

LARGEST_MOVE = 1.0
"""Standard errors of the headline that the estimate may move by."""

COLUMNS = ("estimate", "conf_low", "conf_high", "n_treated")


def check_spillovers(headline: Estimate, without: LeftOut, slope: Estimate | Unavailable) -> CheckResult:
    """Passed if the slope's interval covers zero and the estimate stays, failed if it does not cover zero, else informative.

    `without` is the headline without comparison firms of high exposure, `slope` the change of untreated firms' outcome per
    `EXPOSURE_STEP` of treated neighbours.
    """
    rows = (
        Row(key="headline", values=estimate_values(headline), n_firms=headline.n_treated),
        Row(key="without_exposed", values=estimate_values(without.estimate), n_firms=without.fewest),
        Row(
            key="on_neighbours",
            values=estimate_values(slope) | {"n_treated": None},
            n_firms=None if isinstance(slope, Unavailable) else slope.n_firms,
        ),
    )
    table = Table(columns=COLUMNS, rows=rows)
    move = _move(headline, without)
    if isinstance(slope, Unavailable) or not math.isfinite(slope.conf_low):
        return CheckResult(
            name="spillovers", threat="design", passed=None, reason="spillovers_unknown", table=table, figure="intervals"
        )
    covers = slope.conf_low <= 0.0 <= slope.conf_high
    stays = move < LARGEST_MOVE
    numbers: dict[str, int | float] = {
        "slope": float(slope.estimate),
        "slope_low": slope.conf_low,
        "slope_high": slope.conf_high,
        "step": EXPOSURE_STEP,
        "quantile": HIGH_EXPOSURE,
    }
    if math.isfinite(move):
        numbers["move"] = move
    return CheckResult(
        name="spillovers",
        threat="design",
        passed=False if not covers else (True if stays else None),
        reason=_reason(covers, stays, math.isfinite(move)),
        numbers=numbers,
        statistic=float(slope.estimate) / float(slope.std_error),
        table=table,
        figure="intervals",
    )


def _reason(covers: bool, stays: bool, known: bool) -> str:
    if not covers:
        return "spillovers_found"
    if not known:
        return "spillovers_slope_only"
    return "spillovers_none" if stays else "spillovers_moves"


def _move(headline: Estimate, without: LeftOut) -> float:
    """How far the estimate moves, in standard errors of the headline; NaN where it is not known."""
    return abs(without.value - float(headline.estimate)) / float(headline.std_error)
