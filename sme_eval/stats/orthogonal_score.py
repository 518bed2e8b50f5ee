"""The doubly robust average change of the treated with first steps that were predicted elsewhere, and its influence."""

from __future__ import annotations

import numpy as np

from .arrays import BoolArray, FloatArray
from .doubly_robust import trimmed_odds


def doubly_robust_score(
    residual: FloatArray, probability: FloatArray, treated: BoolArray, weight: FloatArray
) -> tuple[float, FloatArray]:
    """Effect and influence (n,) of n firms, treated or compared, at least one of which has a weight on either side.

    `residual` (n,) is the change less the predicted change of a comparison firm with the same covariates, `probability` (n,) the
    predicted propensity. With r the residual, o = p / (1 − p) below the trimming bound and zero above it, D and C the groups,

        θ = Σ_D w r / Σ_D w − Σ_C w o r / Σ_C w o,
        ψ = w (r − r̄_D) / Σ_D w for the treated, −w o (r − r̄_C) / Σ_C w o for the comparison.

    ψ holds no term for the predictions: at the true m and p the derivative of θ in either is zero in expectation (Neyman
    orthogonality), so that errors of predictions from other firms enter as products. Source: Sant'Anna and Zhao (2020), equation
    3.1; Chernozhukov et al. (2018); Chang (2020).
    """
    on_treated = weight * treated
    tilted = np.where(treated, 0.0, weight * trimmed_odds(probability))
    on_treated, tilted = on_treated / on_treated.sum(), tilted / tilted.sum()
    mean, drift = float(on_treated @ residual), float(tilted @ residual)
    influence: FloatArray = on_treated * (residual - mean) - tilted * (residual - drift)
    return mean - drift, influence
