"""How much of the window treated firms had already lost the certificate in, and the effect while it was valid.

The estimand is that of first certification: a lapsed firm still counts as treated. Firms lapse for reasons that may go with
their outcome, so that the estimate on years before the lapse only is no effect of a valid certificate, but shows how
much hangs on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable

from .protocol import CheckResult, Row, Table
from .shifts import estimate_values
from .sizes import SMALL_COHORT

COLUMNS = ("estimate", "conf_low", "conf_high", "n_treated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapsed:
    """Of the treated firms' years in the window the `share` after a lapse, and the number of firms that lapsed within it."""

    share: float
    n_firms: int


def check_lapses(headline: Estimate, censored: Estimate | Unavailable, lapsed: Lapsed) -> CheckResult:
    """Informative: the headline beside the same without the years after a lapse."""
    if not lapsed.n_firms:
        return CheckResult(name="lapses", threat="design", passed=None, reason="lapses_none")
    left = lapsed.n_firms if isinstance(censored, Unavailable) else min(lapsed.n_firms, censored.n_treated or lapsed.n_firms)
    table = Table(
        columns=COLUMNS,
        rows=(
            Row(key="headline", values=estimate_values(headline), n_firms=headline.n_treated),
            Row(key="until_lapse", values=estimate_values(censored), n_firms=left),
        ),
    )
    if lapsed.n_firms < SMALL_COHORT or isinstance(censored, Unavailable):
        return CheckResult(name="lapses", threat="design", passed=None, reason="lapses_few", table=table, figure="intervals")
    return CheckResult(
        name="lapses",
        threat="design",
        passed=None,
        reason="lapses_share",
        numbers={
            "share": lapsed.share,
            "n_firms": lapsed.n_firms,
            "estimate": float(headline.estimate),
            "until_lapse": float(censored.estimate),
        },
        statistic=lapsed.share,
        table=table,
        figure="intervals",
    )
