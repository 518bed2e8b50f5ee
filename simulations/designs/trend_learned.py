"""Where models linear in x are all wrong, and cross-fitted learners take their place."""

from __future__ import annotations

from collections.abc import Iterator

from simulations.designs.trend_found import Found, single
from simulations.designs.trend_panels import Panel
from sme_eval.estimators.callaway_santanna import CallawaySantAnna
from sme_eval.estimators.cross_fitting import CrossFit


def learned(panel: Panel) -> Iterator[Found]:
    """The default learners: ridge regression and logit on squares and products."""
    sample, truth = panel.sample(covariates=("x",)), panel.truth().overall
    linear = CallawaySantAnna().fit(sample)
    yield single("CallawaySantAnna dr, simple", linear.aggregate("simple").overall, truth, "shown")
    result = CallawaySantAnna(learner=CrossFit()).fit(sample)
    yield single("CallawaySantAnna dr, cross-fitted, simple", result.aggregate("simple").overall, truth)
