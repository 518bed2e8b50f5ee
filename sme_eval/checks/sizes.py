"""Enough clusters, and enough firms per cohort, for the asymptotics behind the errors."""

from __future__ import annotations

from collections.abc import Mapping

from sme_eval.results.basis import FEW_CLUSTERS

from .protocol import CheckResult

SMALL_COHORT = 10
"""Below this many firms a cohort's own variance estimate is not to be trusted."""


def check_clusters(n_clusters: int) -> CheckResult:
    """Clusters against the number below which cluster-robust errors under-cover."""
    enough = n_clusters >= FEW_CLUSTERS
    return CheckResult(
        name="clusters",
        threat="inference",
        passed=enough,
        reason="clusters_enough" if enough else "clusters_few",
        numbers={"n_clusters": n_clusters, "needed": FEW_CLUSTERS},
        statistic=float(n_clusters),
    )


def check_cohort_sizes(firms: Mapping[int, int]) -> CheckResult:
    """Cohorts (first treated year → firms) that are too small to be read alone."""
    small = [n for n in firms.values() if n < SMALL_COHORT]
    return CheckResult(
        name="cohort_sizes",
        threat="inference",
        passed=None if small else True,
        reason="cohorts_small" if small else "cohorts_large",
        numbers={"smallest": min(firms.values()), "small_cohorts": len(small), "needed": SMALL_COHORT},
        statistic=float(min(firms.values())),
    )
