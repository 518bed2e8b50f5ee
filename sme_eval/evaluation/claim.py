"""What may be said: a pure decision table from estimate and checks to a claim without language.

Designs that compare firms as they are, with parallel trends:

| order | condition | claim |
|---|---|---|
| 1 | the headline compares nobody | descriptive_only |
| 2 | no estimate | not_estimated |
| 3 | fewer than MINIMUM_CLUSTERS clusters | cannot_tell_clusters |
| 4 | joint test of trends rejected | cannot_tell_trends |
| 5 | interval excludes zero, trends tested, drift excluded, clusters enough | consistent |
| 6 | interval excludes zero, otherwise | suggestive |
| 7 | interval inside ± the smallest effect of interest, trends tested | no_effect_above its larger end |
| 8 | interval inside ± the smallest effect of interest, trends untestable | cannot_tell_trends |
| 9 | otherwise | cannot_tell_power |

Designs that condition on the past growth by which firms were chosen; A is the effect given growth, B its doubly robust version, U
the effect without covariates, the hull that of the intervals of A and U:

| order | condition | claim |
|---|---|---|
| 1 | no estimate | not_estimated |
| 2 | fewer than MINIMUM_CLUSTERS clusters, or with few districts no data could reach p ≤ DISTRICT_ALPHA | cannot_tell_clusters |
| 3 | leads outside the growth window rejected | cannot_tell_trends |
| 4 | they are untestable, or drift is not excluded (not with districts: selection alike everywhere cancels) | cannot_tell_trends |
| 5 | as 6, U beyond ONE_SIDED errors, A's interval minus the drift beyond zero, clusters enough | consistent |
| 6 | A and B exclude zero on one side and U has that sign | suggestive |
| 7 | hull covers zero and lies inside ± BOUND_SHARE × the smallest effect of interest | no_effect_above its larger end |
| 8 | no bracket (district doses, bundles): interval excludes zero, with districts the permutation too | suggestive |
| 9 | no bracket: interval inside ± the smallest effect of interest | no_effect_above its larger end |
| 10 | otherwise | cannot_tell_power |

"Cannot tell" is an answer, never "no effect". With simulated data the claim is a demonstration of the method whatever the row.
Other checks change no row; one that failed becomes a caveat, `check_` and its name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sme_eval.checks.protocol import CheckResult

from .record import Claim, ClaimKind, Direction

MINIMUM_CLUSTERS = 10
"""Below this many clusters no cluster-robust interval is read at all."""

DISTRICT_ALPHA = 0.05
"""Largest p-value at which a permutation over few districts counts."""

ONE_SIDED = 1.645
"""One-sided 5 % in standard errors: for the effect without covariates, and for the drift that is taken off."""

BOUND_SHARE = 5.0 / 3.0
"""The hull may bound the effect by this multiple of the smallest effect of interest: 5 % where 3 % is of interest."""

DECIDING = frozenset({"trends", "drift", "clusters", "cohort_sizes"})
"""Checks that rows of the table, or caveats of their own, look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracketed:
    """What the second table looks at beside A: B's interval, U with its error, the hull, A's interval minus the drift."""

    robust_low: float
    robust_high: float
    unconditional: float
    unconditional_error: float
    hull_low: float
    hull_high: float
    adjusted_low: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the table looks at: the interval, the smallest effect of interest (same unit) and the checks by name.

    `compares` is false for a headline of the treated alone. `given_growth` chooses the second table; `attainable_p` and
    `permutation_p` are those of a district design.
    """

    conf_low: float
    conf_high: float
    smallest_effect: float | None
    n_clusters: int
    checks: Mapping[str, CheckResult]
    log_scale: bool
    simulated: bool
    selected: bool
    given_growth: bool = False
    bracket: Bracketed | None = None
    attainable_p: float | None = None
    permutation_p: float | None = None
    compares: bool = True

    def passed(self, name: str) -> bool | None:
        """Whether a check passed; None if it is absent or informative."""
        return self.checks[name].passed if name in self.checks else None

    @property
    def side(self) -> int:
        """1 or −1 if the interval lies above or below zero, else 0."""
        return int(self.conf_low > 0.0) - int(self.conf_high < 0.0)

    @property
    def reach(self) -> float:
        """The larger end of what may be printed: the hull's where there is one."""
        ends = (self.conf_low, self.conf_high) if self.bracket is None else (self.bracket.hull_low, self.bracket.hull_high)
        return max(abs(end) for end in ends)

    @property
    def within_smallest_effect(self) -> bool:
        """The interval holds no effect as large as the smallest of interest."""
        return self.smallest_effect is not None and self.reach <= self.smallest_effect


def decide(evidence: Evidence) -> Claim:
    """The claim of the first row that applies."""
    kind, deciding = _row(evidence)
    bound = evidence.reach if kind == "no_effect_above" else None
    direction: Direction = "none"
    if kind in ("consistent", "suggestive", "descriptive_only") and evidence.side:
        direction = "increase" if evidence.side > 0 else "decrease"
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
    if not evidence.compares:
        return "descriptive_only", ("no_comparison",)
    if not (math.isfinite(evidence.conf_low) and math.isfinite(evidence.conf_high)):
        return "not_estimated", ("no_estimate",)
    if evidence.attainable_p is not None:
        if evidence.attainable_p > DISTRICT_ALPHA:
            return "cannot_tell_clusters", ("attainable_p_too_large",)
    elif evidence.n_clusters < MINIMUM_CLUSTERS:
        return "cannot_tell_clusters", ("too_few_clusters",)
    if evidence.passed("trends") is False:
        return "cannot_tell_trends", ("trends_rejected",)
    return _given_growth(evidence) if evidence.given_growth else _parallel_trends(evidence)


def _parallel_trends(evidence: Evidence) -> tuple[ClaimKind, tuple[str, ...]]:
    trends = evidence.passed("trends")
    if evidence.side:
        if trends and evidence.passed("drift") and evidence.passed("clusters"):
            return "consistent", ("interval_excludes_zero", "trends_not_rejected", "drift_small")
        return "suggestive", ("interval_excludes_zero",)
    if evidence.within_smallest_effect:
        if trends is None:
            return "cannot_tell_trends", ("trends_untestable",)
        return "no_effect_above", ("interval_within_smallest_effect",)
    return "cannot_tell_power", ("interval_too_wide",)


def _given_growth(evidence: Evidence) -> tuple[ClaimKind, tuple[str, ...]]:
    if evidence.attainable_p is None and evidence.passed("trends") is None:
        return "cannot_tell_trends", ("trends_untestable",)
    if evidence.attainable_p is None and evidence.passed("drift") is not True:
        return "cannot_tell_trends", ("drift_not_excluded",)
    if evidence.bracket is None:
        return _without_bracket(evidence)
    bracket, side = evidence.bracket, evidence.side
    robust = int(bracket.robust_low > 0.0) - int(bracket.robust_high < 0.0)
    if side and robust == side and side * bracket.unconditional > 0.0:
        agreed = abs(bracket.unconditional) > ONE_SIDED * bracket.unconditional_error and bracket.adjusted_low > 0.0
        if not agreed:
            return "suggestive", ("interval_excludes_zero", "bracket_disagrees")
        if evidence.passed("clusters") is False:
            return "suggestive", ("interval_excludes_zero", "few_clusters")
        return "consistent", ("bracket_agrees", "trends_not_rejected", "drift_small")
    covers = bracket.hull_low <= 0.0 <= bracket.hull_high
    if covers and evidence.smallest_effect is not None and evidence.reach <= BOUND_SHARE * evidence.smallest_effect:
        return "no_effect_above", ("hull_within_bound",)
    return "cannot_tell_power", ("interval_too_wide",)


def _without_bracket(evidence: Evidence) -> tuple[ClaimKind, tuple[str, ...]]:
    permuted = evidence.permutation_p is None or evidence.permutation_p <= DISTRICT_ALPHA
    if evidence.side and permuted:
        return "suggestive", ("interval_excludes_zero", "no_bracket")
    if not evidence.side and evidence.within_smallest_effect:
        return "no_effect_above", ("interval_within_smallest_effect",)
    return "cannot_tell_power", ("interval_too_wide",)


def _caveats(evidence: Evidence) -> tuple[str, ...]:
    district = evidence.attainable_p is not None
    found = {
        "trends_untestable": evidence.compares and evidence.passed("trends") is None,
        "trend_test_may_lack_power": evidence.passed("trends") is True and evidence.passed("drift") is not True,
        "few_clusters": evidence.passed("clusters") is False and not district,
        "few_districts": district,
        "small_cohorts": "cohort_sizes" in evidence.checks and evidence.passed("cohort_sizes") is None,
        "future_shocks": evidence.selected and evidence.compares,
    }
    failed = (name for name in evidence.checks if name not in DECIDING and evidence.passed(name) is False)
    return (*(name for name, present in found.items() if present), *(f"check_{name}" for name in failed))
