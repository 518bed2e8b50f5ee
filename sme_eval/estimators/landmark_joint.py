"""Several outcomes by one landmark design, with their joint covariance: what ratios of effects need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.errors import DataError, Problem, raise_if_any
from sme_eval.estimators.landmark import LandmarkDiD, clustered, read_landmark, require_landmark
from sme_eval.estimators.landmark_arm import arm_effects
from sme_eval.estimators.landmark_covariates import firm_paths
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class JointEffects:
    """Mean effects after entry on several outcomes, `value` (K,), each in its outcome's unit, with `covariance` (K, K)."""

    names: tuple[str, ...]
    value: FloatArray
    covariance: FloatArray


def joint_effects(landmark: LandmarkDiD, sample: Sample, columns: tuple[str, ...]) -> JointEffects:
    """The effects of `landmark` (regression form) on the sample's outcome and on further kept columns, in this order.

    Estimand, errors and refusals are those of `LandmarkDiD`; a firm-year without a column's value is left out of its effects.
    """
    cohort = require_landmark(landmark, sample)
    covariates, arm = read_landmark(landmark, sample, cohort)
    problems: list[Problem] = []
    outcomes = np.stack([sample.outcome, *(firm_paths(sample, name, problems) for name in columns)])
    raise_if_any(DataError, problems)
    window = (0, landmark.window[1])
    found = arm_effects(arm, outcomes, sample.years, covariates, window, sample.weight)
    value, influence = found.window_mean(*window)
    return JointEffects(names=(sample.names.outcome, *columns), value=value, covariance=clustered(sample, influence))
