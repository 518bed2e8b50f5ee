"""Every check of a design, group by group; those that the claim rests on come first and are always asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Final, cast

import numpy as np

from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.sizes import check_clusters, check_cohort_sizes
from sme_eval.checks.trends import TREND_ALPHA, TREND_ALPHA_GIVEN_GROWTH, check_drift, check_trends
from sme_eval.estimators.before_after import BeforeAfter

from .asked import Asked, Progress, silent
from .bracket import leads_drift
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


GROUPS: Final[tuple[str, ...]] = (
    "trends",
    "sensitivity",
    "comparison",
    "design",
    "measurement",
    "unobservables",
    "heterogeneity",
)
"""Further groups in the order of the page: group `x` is `x_checks` of the module `checks_x`, loaded when it is asked, so that
claims over many panels do not depend on it."""


def checks_of(asked: Asked, progress: Progress = silent) -> Iterator[CheckResult]:
    """Every check; `progress` hears the name of each group."""
    yield from deciding_checks(asked)
    for name in GROUPS:
        progress(name)
        group = cast(Group, getattr(import_module(f".checks_{name}", __package__), f"{name}_checks"))
        yield from group(asked)
