"""Several hypotheses at once: the false discovery rate, and the family-wise error under a known joint law."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .arrays import FloatArray
from .inference import JOINT_RANK_CUTOFF
from .least_squares import scaled_pseudoinverse


def benjamini_hochberg(p_value: FloatArray) -> FloatArray:
    """(H,) q-values: the smallest false discovery rate at which a hypothesis is among the discoveries.

    q_(k) = min over l ≥ k of p_(l)·H/l. Holds under independence and under positive dependence. Source: Benjamini and Hochberg
    (1995).
    """
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p_value)) if len(p_value) else np.zeros(0)


def step_down(p_value: FloatArray, drawn: FloatArray) -> FloatArray:
    """(H,) adjusted p-values that control the family-wise error, given p-values (B, H) `drawn` under all null hypotheses.

    In the order of p: adjusted_(k) = max over l ≤ k of [1 + #{b: min over j ≥ l of drawn_b(j) ≤ p_(l)}] / (1 + B). The minimum
    runs over what is not yet decided, which is what makes it step down. Never below the unadjusted p-value. Source: Romano and
    Wolf (2005, 2016); on p-values, which makes tests of different degrees of freedom comparable, Westfall and Young (1993).
    """
    order = np.argsort(p_value, kind="stable")
    smallest = np.minimum.accumulate(drawn[:, order][:, ::-1], axis=1)[:, ::-1]
    reached = (1.0 + (smallest <= p_value[order]).sum(axis=0)) / (1.0 + len(drawn))
    adjusted = np.empty(len(p_value))
    adjusted[order] = np.maximum.accumulate(np.maximum(reached, p_value[order]))
    return adjusted


def drawn_wald_p(covariance: FloatArray, contrasts: Sequence[FloatArray], draws: int, seed: int) -> FloatArray:
    """(draws, H) p-values of the Wald tests of C_h·θ = 0 for θ ~ N(0, `covariance` (J, J)), `contrasts` H matrices (r_h, J).

    The tests share each draw, so that their dependence is that of the estimates. Contrasts that repeat others count once.
    """
    from scipy import stats

    scale = np.sqrt(np.diag(covariance))
    value, vector = np.linalg.eigh(covariance / np.outer(scale, scale))
    root = scale[:, None] * vector * np.sqrt(np.maximum(value, 0.0))
    theta = np.random.default_rng(seed).standard_normal((draws, len(covariance))) @ root.T
    found = np.empty((draws, len(contrasts)))
    for h, contrast in enumerate(contrasts):
        moved, spread = theta @ contrast.T, contrast @ covariance @ contrast.T
        inner = np.sqrt(np.diag(spread))
        size = np.linalg.eigvalsh(spread / np.outer(inner, inner))
        rank = int((size > JOINT_RANK_CUTOFF * size.max()).sum())
        found[:, h] = stats.chi2.sf(np.einsum("br,rs,bs->b", moved, scaled_pseudoinverse(spread), moved), rank)
    return found
