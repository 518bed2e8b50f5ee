"""Whether other weights on the same comparison firms tell the same: entropy balancing, matching, the doubly robust form.

Entropy balancing gives the comparison exactly the treated firms' means and variances of what the headline conditions on, each at
its cohort's baseline. Where no weights can do so, no comparison firms resemble the treated ones, and the check fails; otherwise it
only informs. It does not help against what is not seen.
"""

from __future__ import annotations

from .protocol import CheckResult, Row, Table, Value
from .side_by_side import INTERVAL, Side

COLUMNS = (*INTERVAL, "n_treated", "n_comparison", "effective_n")


def check_entropy_balancing(sides: tuple[Side, ...], converged: bool, variances: bool, level: float) -> CheckResult:
    """The headline first among `sides`, then entropy balancing, then others; `variances` says whether these are balanced too."""
    headline, entropy = sides[0], sides[1]
    if not converged:
        reason = "entropy_not_balanced"
    elif not (headline.known and entropy.known):
        reason = "entropy_unknown"
    else:
        reason = "entropy_balanced" if variances else "entropy_means_only"
    numbers: dict[str, int | float] = {}
    difference = None
    if converged and headline.known and entropy.known:
        difference = float(entropy.estimate) - float(headline.estimate)
        numbers = {"estimate": float(entropy.estimate), "headline": float(headline.estimate), "difference": difference}
        numbers |= {"n_comparison": entropy.n_comparison or 0, "n_effective": round(entropy.n_effective or 0.0)}
    return CheckResult(
        name="entropy_balancing",
        threat="comparison",
        passed=None if converged else False,
        reason=reason,
        numbers=numbers,
        statistic=difference,
        table=Table(columns=COLUMNS, rows=tuple(_row(side, level) for side in sides)),
        figure="intervals",
    )


def _row(side: Side, level: float) -> Row:
    values: dict[str, Value] = {**side.interval(level), "n_treated": side.n_treated, "n_comparison": side.n_comparison}
    values["effective_n"] = None if side.n_effective is None else round(side.n_effective)
    return Row(key=side.key, values=values, n_firms=side.n_firms, label=side.label)
