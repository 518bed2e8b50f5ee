"""Whether the effects of several groups are equal, when some groups are small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, IntArray
from .least_squares import scaled_pseudoinverse


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualEffects:
    """The test: F with `restrictions` and `degrees_of_freedom`; `contrast` (K − 1, K), `covariance` (K, K) as it was used."""

    statistic: float
    restrictions: int
    degrees_of_freedom: float
    p_value: float
    contrast: FloatArray
    covariance: FloatArray


def equal_effects(value: FloatArray, covariance: FloatArray, firms: IntArray) -> EqualEffects:
    """Welch's test that the effects `value` (K,) of K ≥ 2 disjoint groups are equal.

    `covariance` (K, K) is from influence functions, without a small-sample factor; `firms` (K,) ≥ 2 stand behind each effect.
    With V_ij → V_ij·√(n_i/(n_i − 1)·n_j/(n_j − 1)), W = (Cθ)'(CVC')⁻¹Cθ for any K − 1 contrasts C, w_j = 1/V_jj and
    Λ = Σ (1 − w_j/Σw)²/(n_j − 1):

        F = W/(K − 1) / [1 + 2(K − 2)Λ/(K² − 1)],  compared with F(K − 1, (K² − 1)/(3Λ)).

    The chi-squared W alone rejects far too often with groups of a dozen firms: each group's own variance is estimated. For two
    groups it is Welch's t; errors that the groups share (those of a common comparison) cancel in C. Source: Welch (1951).
    """
    from scipy import stats

    k = len(value)
    factor = np.sqrt(firms / (firms - 1.0))
    spread = covariance * np.outer(factor, factor)
    contrast = np.eye(k)[1:] - np.eye(k)[0]
    moved = contrast @ value
    wald = float(moved @ scaled_pseudoinverse(contrast @ spread @ contrast.T) @ moved)
    precision = 1.0 / np.diag(spread)
    own = float((np.square(1.0 - precision / precision.sum()) / (firms - 1.0)).sum())
    statistic = wald / (k - 1) / (1.0 + 2.0 * (k - 2) * own / (k**2 - 1.0))
    freedom = (k**2 - 1.0) / (3.0 * own)
    return EqualEffects(
        statistic=statistic,
        restrictions=k - 1,
        degrees_of_freedom=freedom,
        p_value=float(stats.f.sf(statistic, k - 1, freedom)),
        contrast=contrast,
        covariance=spread,
    )
