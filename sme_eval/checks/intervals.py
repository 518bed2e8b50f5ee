"""One estimate as the cells of a check's table."""

from __future__ import annotations

import math

from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable

from .protocol import Value

INTERVAL = ("estimate", "std_error", "conf_low", "conf_high")
"""The columns of an estimate with its interval."""

NOT_ESTIMATED = Unavailable("not estimated")


def interval_of(estimate: Estimate | Unavailable) -> dict[str, Value]:
    """The four cells, or the reason in each of them."""
    if isinstance(estimate, Unavailable):
        return dict.fromkeys(INTERVAL, estimate)
    if isinstance(estimate.estimate, Unavailable):
        return dict.fromkeys(INTERVAL, estimate.estimate)
    cells: dict[str, Value] = {"estimate": estimate.estimate, "std_error": estimate.std_error}
    return cells | {"conf_low": finite_or_not(estimate.conf_low), "conf_high": finite_or_not(estimate.conf_high)}


def percent_of(estimate: Estimate | Unavailable) -> Value:
    """100 (e^β − 1), what a coefficient on a log-like scale is read as."""
    value = math.nan if isinstance(estimate, Unavailable) else float(estimate.estimate)
    return finite_or_not(100.0 * math.expm1(value))


def firms_of(estimate: Estimate | Unavailable) -> int | None:
    """The treated firms behind an estimate, or all of them where it does not say."""
    if isinstance(estimate, Unavailable):
        return None
    return estimate.n_firms if estimate.n_treated is None else estimate.n_treated


def is_known(estimate: Estimate | Unavailable) -> bool:
    """Whether there is an estimate with a standard error."""
    return not isinstance(estimate, Unavailable) and math.isfinite(float(estimate.estimate) + float(estimate.std_error))


def finite_or_not(value: float) -> float | Unavailable:
    """The number, or that it is not estimated."""
    return value if math.isfinite(value) else NOT_ESTIMATED
