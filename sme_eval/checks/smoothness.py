"""How far the difference in trends may bend until the result is gone.

Assumes that its slope changes by at most M from one year to the next; M = 0 allows any linear difference in trends. Source:
Rambachan and Roth (2023), by the shortest fixed-length interval.
"""

from __future__ import annotations

import math
from typing import Final

from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.honest_intervals import Path, breakdown

from .protocol import CheckResult
from .relative_magnitudes import NO_PATH, numbers_of, reason_of, sensitivity_table

SHARES: Final = (0.0, 0.05, 0.1, 0.2, 0.4)
"""Values of M that are shown, as shares of the smallest effect of interest, or of the standard error where there is none."""


def check_smoothness(
    path: Path | Unavailable, alpha: float, smallest_effect: float | None, n_firms: int | None, seed: int
) -> CheckResult:
    """Intervals by M and the largest M at which zero stays outside. It informs: no threshold is a gate.

    Already at M = 0 the interval is wider than under parallel trends: a linear difference is taken off, not assumed away.
    """
    if isinstance(path, Unavailable):
        return CheckResult(name="smoothness", threat="trends", passed=None, reason=NO_PATH)
    unit = smallest_effect or path.std_error
    found = breakdown(path, "smoothness", alpha=alpha, seed=seed)
    reason = reason_of("smoothness", path, found, alpha)
    return CheckResult(
        name="smoothness",
        threat="trends",
        passed=None,
        reason=reason,
        numbers=numbers_of(path, found),
        statistic=found if math.isfinite(found) else None,
        table=sensitivity_table(path, "smoothness", tuple(share * unit for share in SHARES), alpha, n_firms, seed),
        figure="sensitivity",
    )
