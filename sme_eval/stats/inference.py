"""From estimates and their covariance to p-values, intervals, simultaneous bands and joint tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray
from .least_squares import scaled_pseudoinverse

JOINT_RANK_CUTOFF = 1e-10
"""Relative eigenvalue below which a restriction repeats another in a joint test."""


def critical_value(level: float, degrees_of_freedom: float) -> float:
    """Two-sided critical value of t; infinite degrees of freedom mean the normal."""
    from scipy import stats

    return float(stats.t.ppf(0.5 + level / 2.0, degrees_of_freedom))


def two_sided_p(statistic: FloatArray | float, degrees_of_freedom: float) -> FloatArray:
    """Two-sided p-values of t statistics, shape kept."""
    from scipy import stats

    return np.asarray(2.0 * stats.t.sf(np.abs(statistic), degrees_of_freedom))


def simultaneous_critical_value(covariance: FloatArray, level: float, draws: int, rng: np.random.Generator) -> float:
    """Sup-t critical value: the `level` quantile of max |Z_j| / se_j for Z ~ N(0, covariance).

    With Gaussian multipliers the multiplier bootstrap's law given the data is exactly N(0, V), so drawing from V *is* that
    bootstrap, at a cost that does not depend on the number of firms. Rows without variance are left out. Never below the
    pointwise critical value of the same level. Source: Montiel Olea and Plagborg-Møller (2019); Callaway and Sant'Anna (2021).
    """
    scale = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    live = np.isfinite(scale) & (scale > 0.0)
    if not live.any():
        return math.nan
    correlation = covariance[np.ix_(live, live)] / np.outer(scale[live], scale[live])
    value, vector = np.linalg.eigh(correlation)
    root = vector * np.sqrt(np.maximum(value, 0.0))
    largest = np.abs(rng.standard_normal((draws, int(live.sum()))) @ root.T).max(axis=1)
    return max(float(np.quantile(largest, level, method="higher")), critical_value(level, math.inf))


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """Wald test that several effects are all zero: chi-squared with `restrictions` degrees of freedom."""

    statistic: float
    restrictions: int
    p_value: float


def wald_test(estimate: FloatArray, covariance: FloatArray) -> JointTest | None:
    """Joint test of `estimate` (J,) = 0 given `covariance` (J, J); None when nothing can be tested.

    Restrictions that repeat others (a covariance of lower rank) are counted once.
    """
    from scipy import stats

    live = np.isfinite(estimate) & (np.diag(covariance) > 0.0)
    if not live.any():
        return None
    part = covariance[np.ix_(live, live)]
    scale = np.sqrt(np.diag(part))
    value = np.linalg.eigvalsh(part / np.outer(scale, scale))
    rank = int((value > JOINT_RANK_CUTOFF * value.max()).sum())
    statistic = float(estimate[live] @ scaled_pseudoinverse(part) @ estimate[live])
    return JointTest(statistic=statistic, restrictions=rank, p_value=float(stats.chi2.sf(statistic, rank)))
