"""Sensitivity of the headline's average to differences in trends after treatment."""

from __future__ import annotations

from collections.abc import Iterator

from sme_eval.checks.effect_path import Average, effect_path
from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.relative_magnitudes import check_relative_magnitudes
from sme_eval.checks.smoothness import check_smoothness

from .asked import Asked

OTHERS = ("dose_slope", "separated", "before_after")
"""Headlines whose event study is that of another effect, or compares nobody."""


def sensitivity_checks(asked: Asked) -> Iterator[CheckResult]:
    """Relative magnitudes and smoothness, for the average that the design's event study stands for.

    Nothing for slopes on a dose and bundles, whose event study is not that of the headline, and with anticipation.
    """
    shown, effects = asked.shown, asked.shown.by_event_time
    if effects is None or asked.headline.estimand in OTHERS or int(getattr(shown.estimator, "anticipation", 0)):
        return
    varying = str(getattr(shown.estimator, "base_period", "universal")) == "varying"
    average: Average = "treated" if shown.estimand == "treated_firm_years" else "equal"
    path = effect_path(effects, shown.last_lead, varying=varying, average=average)
    alpha, seed = 1.0 - effects.basis.level, asked.effort.seed
    treated = [n for n, e in zip(effects.n_treated, effects.keys["event_time"], strict=True) if e >= 0]
    n_firms = min(treated) if treated else None
    yield check_relative_magnitudes(path, alpha, n_firms, seed)
    yield check_smoothness(path, alpha, asked.smallest_effect, n_firms, seed)
