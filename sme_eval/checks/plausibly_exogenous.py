"""How much the instrument may touch the outcome directly before nothing is left of the instrumented effect.

The amount of credit is instrumented by entering a list; but a listed firm may also borrow more cheaply, or be known to customers.
If that direct effect is γ, two-stage least squares of the outcome less γ times the instrument gives the effect of credit. Shown for
γ from nothing to all that listing did to the outcome (the reduced form); the union of the intervals over that range; a normal prior
whose central 95 % is the range; and the γ at which the interval first includes zero. Source: Conley, Hansen and Rossi (2012).
"""

from __future__ import annotations

import math

import numpy as np

from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import critical_value
from sme_eval.stats.plausibly_exogenous import PlausiblyExogenous

from .protocol import CheckResult, Row, Table, Value

STEPS = 10
"""Equal steps from no direct effect to the whole reduced form."""

PRIOR_LEVEL = 0.95
"""Share of the normal prior that lies within the range."""

COLUMNS = ("bound", "estimate", "conf_low", "conf_high")


def check_plausibly_exogenous(found: PlausiblyExogenous | Unavailable, n_firms: int) -> CheckResult:
    """`n_firms` entered the list. An instrument that is absorbed or moves nothing is said, not raised."""
    if isinstance(found, Unavailable):
        return CheckResult(name="plausibly_exogenous", threat="unobservables", passed=None, reason="exclusion_untested")
    whole, zero_at = found.reduced, found.breakdown()
    grid = [("assumed", float(direct)) for direct in np.linspace(0.0, whole, STEPS + 1)]
    inside = zero_at != 0.0 and abs(zero_at) < abs(whole)
    shown = sorted([*grid, *([("breakdown", zero_at)] if inside else [])], key=lambda row: abs(row[1]))
    low, high = found.union(0.0, whole)
    prior = found.local_to_zero(0.5 * whole, 0.5 * abs(whole) / critical_value(PRIOR_LEVEL, math.inf))
    return CheckResult(
        name="plausibly_exogenous",
        threat="unobservables",
        passed=None,
        reason="exclusion_breaks" if inside else "exclusion_says_nothing",
        numbers={
            "estimate": found.estimate(0.0),
            "reduced": whole,
            "union_low": low,
            "union_high": high,
            "prior_low": prior[0],
            "prior_high": prior[1],
            **({"breakdown": zero_at, "share_breakdown": zero_at / whole} if inside else {}),
        },
        statistic=zero_at / whole if inside else 0.0,
        table=Table(columns=COLUMNS, rows=tuple(_row(found, key, direct, n_firms) for key, direct in shown)),
        figure="sensitivity",
    )


def _row(found: PlausiblyExogenous, key: str, direct: float, n_firms: int) -> Row:
    low, high = found.interval(direct)
    values: dict[str, Value] = {"bound": direct, "estimate": found.estimate(direct), "conf_low": low, "conf_high": high}
    return Row(key=key, values=values, n_firms=n_firms)
