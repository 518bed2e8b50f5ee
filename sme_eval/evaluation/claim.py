"""What may be said: a pure decision table from estimate and checks to a claim without language.

| order | condition | claim |
|---|---|---|
| 1 | no estimate | not_estimated |
| 2 | fewer than MINIMUM_CLUSTERS clusters | cannot_tell_clusters |
| 3 | joint test of trends rejected | cannot_tell_trends |
| 4 | interval excludes zero, trends tested, drift excluded, clusters enough | consistent |
| 5 | interval excludes zero, otherwise | suggestive |
| 6 | interval inside ± the smallest effect of interest, trends tested | no_effect_above its larger end |
| 7 | interval inside ± the smallest effect of interest, trends untestable | cannot_tell_trends |
| 8 | otherwise | cannot_tell_power |

"Cannot tell" is an answer, never "no effect". With simulated data the claim is a demonstration of the method whatever the row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sme_eval.checks.protocol import CheckResult

from .record import Claim, ClaimKind, Direction

MINIMUM_CLUSTERS = 10
"""Below this many clusters no cluster-robust interval is read at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the table looks at: the interval, the smallest effect of interest (same unit) and the checks by name."""

    conf_low: float
    conf_high: float
    smallest_effect: float | None
    n_clusters: int
    checks: Mapping[str, CheckResult]
    log_scale: bool
    simulated: bool
    certification: bool

    def passed(self, name: str) -> bool | None:
        """Whether a check passed; None if it is absent or informative."""
        return self.checks[name].passed if name in self.checks else None

    @property
    def excludes_zero(self) -> bool:
        """The interval lies on one side of zero."""
        return self.conf_low > 0.0 or self.conf_high < 0.0

    @property
    def within_smallest_effect(self) -> bool:
        """The interval holds no effect as large as the smallest of interest."""
        return self.smallest_effect is not None and max(abs(self.conf_low), abs(self.conf_high)) <= self.smallest_effect


def decide(evidence: Evidence) -> Claim:
    """The claim of the first row that applies."""
    kind, deciding = _row(evidence)
    bound = max(abs(evidence.conf_low), abs(evidence.conf_high)) if kind == "no_effect_above" else None
    direction: Direction = "none"
    if kind in ("consistent", "suggestive"):
        direction = "increase" if evidence.conf_low > 0.0 else "decrease"
    return Claim(
        kind=kind,
        direction=direction,
        demonstration=evidence.simulated,
        deciding=deciding,
        caveats=_caveats(evidence),
        bound=bound,
        bound_percent=100.0 * math.expm1(bound) if bound is not None and evidence.log_scale else None,
    )


def _row(evidence: Evidence) -> tuple[ClaimKind, tuple[str, ...]]:
    if not (math.isfinite(evidence.conf_low) and math.isfinite(evidence.conf_high)):
        return "not_estimated", ("no_estimate",)
    if evidence.n_clusters < MINIMUM_CLUSTERS:
        return "cannot_tell_clusters", ("too_few_clusters",)
    trends = evidence.passed("trends")
    if trends is False:
        return "cannot_tell_trends", ("trends_rejected",)
    if evidence.excludes_zero:
        if trends and evidence.passed("drift") and evidence.passed("clusters"):
            return "consistent", ("interval_excludes_zero", "trends_not_rejected", "drift_small")
        return "suggestive", ("interval_excludes_zero",)
    if evidence.within_smallest_effect:
        if trends is None:
            return "cannot_tell_trends", ("trends_untestable",)
        return "no_effect_above", ("interval_within_smallest_effect",)
    return "cannot_tell_power", ("interval_too_wide",)


def _caveats(evidence: Evidence) -> tuple[str, ...]:
    found = {
        "trends_untestable": evidence.passed("trends") is None,
        "trend_test_may_lack_power": evidence.passed("trends") is True and evidence.passed("drift") is not True,
        "few_clusters": evidence.passed("clusters") is False,
        "small_cohorts": "cohort_sizes" in evidence.checks and evidence.passed("cohort_sizes") is None,
        "future_shocks": evidence.certification,
    }
    return tuple(name for name, present in found.items() if present)
