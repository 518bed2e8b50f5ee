"""Whether every treated firm has comparison firms as likely to enter, and enough of them carry the weight.

Without overlap an effect rests on the regression's straight line where there is no comparison firm at all, or on a handful of firms
with large weights. Propensities speak to what the headline conditions on only.
"""

from __future__ import annotations

from sme_eval.stats.overlap import TENTHS, Overlap

from .protocol import CheckResult, Row, Table

MOST_OUTSIDE = 0.05
"""Share of treated firms outside the comparison's propensities: so few cannot move a mean effect by much more than their share."""
FEWEST_EFFECTIVE = 30
"""Effective comparison firms: below as many the weighted comparison's mean is as uncertain as with few clusters."""
COLUMNS = ("n_treated", "n_comparison", "share_weight")


def check_overlap(found: Overlap) -> CheckResult:
    """Treated firms outside the common support against `MOST_OUTSIDE`, effective comparison firms against `FEWEST_EFFECTIVE`."""
    inside, enough = found.share_outside <= MOST_OUTSIDE, found.effective >= FEWEST_EFFECTIVE
    numbers: dict[str, int | float] = {
        "share_outside": found.share_outside,
        "share_above": found.share_above,
        "share_largest": found.largest_share,
        "n_effective": round(found.effective),
        "n_comparison": found.n_comparison,
        "share_allowed": MOST_OUTSIDE,
        "needed": FEWEST_EFFECTIVE,
    }
    kept = "overlap_good" if enough else "overlap_few"
    return CheckResult(
        name="overlap",
        threat="comparison",
        passed=bool(inside and enough),
        reason=kept if inside else "overlap_outside",
        numbers=numbers,
        statistic=found.share_outside if not inside or enough else found.effective,
        table=Table(columns=COLUMNS, rows=tuple(_tenth(found, k) for k in range(TENTHS))),
    )


def _tenth(found: Overlap, k: int) -> Row:
    treated, comparison = int(found.n_treated_in[k]), int(found.n_comparison_in[k])
    values = {"n_treated": treated, "n_comparison": comparison, "share_weight": float(found.weight_in[k])}
    return Row(key=f"tenth_{k + 1}", values=values, n_firms=min(treated, comparison))
