"""Every check of a design, group by group; those that the claim rests on come first and are always asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.sizes import check_clusters, check_cohort_sizes
from sme_eval.checks.trends import TREND_ALPHA, TREND_ALPHA_GIVEN_GROWTH, check_drift, check_trends
from sme_eval.estimators.before_after import BeforeAfter

from .asked import Asked
from .bracket import leads_drift
from .checks_trends import trend_checks
from .fitting import GROWTH_DESIGNS, leads_of

Group = Callable[[Asked], Iterator[CheckResult]]


def deciding_checks(asked: Asked) -> Iterator[CheckResult]:
    """The checks that the claim rests on; where nobody is compared there are no trends to compare either."""
    effects, sample = asked.shown.by_event_time, asked.sample
    if effects is None or sample.cohort is None:
        raise AssertionError("a design's estimators have cohorts and event times")
    cohorts, firms = np.unique(sample.cohort[sample.cohort <= sample.years[-1]], return_counts=True)
    alpha = TREND_ALPHA_GIVEN_GROWTH if isinstance(asked.design.estimator, GROWTH_DESIGNS) else TREND_ALPHA
    if not isinstance(asked.headline.estimator, BeforeAfter):
        yield check_trends(effects.joint_test(leads_of(asked.shown)), alpha)
        yield check_drift(leads_drift(asked.shown), asked.smallest_effect)
    yield check_clusters(asked.headline.overall.n_clusters)
    yield check_cohort_sizes({int(g): int(n) for g, n in zip(cohorts, firms, strict=True)})


GROUPS: Final[Mapping[str, Group]] = {
    "trends": trend_checks,
}
"""Further checks by the name of their group, in the order of the page."""
