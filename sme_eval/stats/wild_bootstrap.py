"""Wild bootstrap test of the slope of district effects on dose, the null imposed, and where even it has nothing to say.

The model is that of `few_clusters`: tau_d = a + b dose_d + u_d, one observation per district, each district its own cluster.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sme_eval.errors import DesignError, Problem, raise_if_any

from .arrays import BoolArray, FloatArray
from .few_clusters import DEFAULT_DRAWS, MOST_ENUMERATED, TIE, validate_districts

WEBB = np.array([-math.sqrt(1.5), -1.0, -math.sqrt(0.5), math.sqrt(0.5), 1.0, math.sqrt(1.5)])
"""Webb's six points, each with probability 1/6: mean 0, variance 1. Two points would give 2^(D - 1) distinct statistics only."""
FITTED_AWAY = 1e-9
"""A district whose leverage is this close to one has no residual: the line goes through it whatever its effect."""
NO_ERROR = 1e-24
"""Share of the variation below which a bootstrap sample's squared error is rounding: it lies on a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WildBootstrap:
    """Two-sided wild bootstrap test of b = 0: `statistic` |b| / se(b); `draws` is 0 where all 6^D = `n_weights` were tried."""

    statistic: float
    p_value: float
    n_weights: int
    draws: int
    exact: bool


def districts_alone(dose: FloatArray) -> BoolArray:
    """Which districts alone carry the variation of dose (D,): without one of them the dose would be the same everywhere.

    Their leverage 1 / D + x_d^2 / sum x^2 is one, so that their residual is zero whatever their effect, and every error that is
    built from residuals (cluster-robust, CR3, bootstrap) has nothing to judge them by.

    >>> districts_alone(np.array([100.0, 50, 50, 50, 50])).tolist()
    [True, False, False, False, False]
    >>> bool(districts_alone(np.array([100.0, 50, 50, 50, 25])).any())
    False
    """
    x = np.asarray(dose, dtype=np.float64) - np.mean(dose)
    return np.asarray(1.0 / x.size + x**2 / (x @ x) >= 1.0 - FITTED_AWAY)


def wild_bootstrap(tau: FloatArray, dose: FloatArray, *, draws: int = DEFAULT_DRAWS, rng: np.random.Generator) -> WildBootstrap:
    """Two-sided p-value of b = 0 by the wild bootstrap with Webb weights, residuals restricted to b = 0.

    tau*_d = mean tau + v_d (tau_d - mean tau), v_d from Webb's six points; the statistic is |b| / se(b) with
    b = sum x_d tau_d / S, se(b)^2 = sum x_d^2 e_d^2 / S^2, x_d = dose_d - mean dose, S = sum x_d^2, e_d the residual of the line (a
    factor common to all samples would cancel). p = share of samples with a statistic at least as large: over all 6^D vectors of
    weights where these are at most 50,000 (D up to 6), else (1 + count) / (1 + draws).

    Parameters
    ----------
    tau, dose : (D,) effects and doses; draws : random weight vectors, used only where not all are computed; rng : used only there.

    Assumptions: u_d independent and, given dose, symmetric enough for signs to be exchanged (not checked).
    Raises DesignError as `dose_slope_ols`, for draws below 1, and where a district alone carries the variation of dose
    (`districts_alone`): the test is then degenerate. Source: Cameron, Gelbach and Miller (2008), Review of Economics and
    Statistics 90, 414-427; Webb (2023), Canadian Journal of Economics 56, 839-858; on the failure with one or few treated clusters
    MacKinnon and Webb (2017), Journal of Applied Econometrics 32, 233-254.

    >>> effects, doses = np.array([9.0, 8.0, 0.1, 0.2, -0.1]), np.array([100.0, 100, 50, 50, 50])
    >>> test = wild_bootstrap(effects, doses, rng=np.random.default_rng(0))
    >>> round(test.p_value, 4), test.n_weights, test.exact
    (0.0093, 7776, True)
    """
    validate_districts(dose, tau=tau, draws=draws)
    alone = districts_alone(dose)
    if alone.any():
        where = ", ".join(f"district {number}" for number in np.flatnonzero(alone) + 1)
        what = "A district alone carries the variation of dose: its residual is fitted away and the bootstrap is degenerate."
        raise_if_any(DesignError, [Problem(what=what, where=where, remedy="a permutation test, whose attainable p-value is known")])
    x = np.asarray(dose, dtype=np.float64) - np.mean(dose)
    effects = np.asarray(tau, dtype=np.float64) - np.float64(tau[0])  # constant effects become exact zeros
    size = len(WEBB) ** x.size
    exact = size <= MOST_ENUMERATED
    weight = _all_weights(x.size) if exact else rng.choice(WEBB, (draws, x.size))
    observed = float(_statistics(effects[np.newaxis, :], x)[0])
    extreme = int((_statistics(weight * (effects - effects.mean()), x) >= observed * (1.0 - TIE)).sum())
    return WildBootstrap(
        statistic=observed,
        p_value=extreme / size if exact else (1 + extreme) / (1 + draws),
        n_weights=size,
        draws=0 if exact else draws,
        exact=exact,
    )


def _all_weights(size: int) -> FloatArray:
    """Every vector of `size` Webb weights, (6^size, size)."""
    return np.stack(np.meshgrid(*[WEBB] * size, indexing="ij"), axis=-1).reshape(-1, size)


def _statistics(effects: FloatArray, x: FloatArray) -> FloatArray:
    """|slope| over its error for each row of `effects` (R, D); 0 without a slope, infinite for a sample that lies on a line."""
    centred = effects - effects.mean(axis=1, keepdims=True)
    spread = float(x @ x)
    slope = centred @ x / spread
    residual = centred - slope[:, np.newaxis] * x
    error = np.sqrt(residual**2 @ x**2) / spread
    on_line = error**2 * spread <= NO_ERROR * (centred**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(on_line, np.inf, np.abs(slope) / error)
    return np.where(slope == 0.0, 0.0, statistic)
