"""The shortest fixed-length interval when the slope of the difference in trends changes by at most M from period to period.

The centre is linear, a'β̂ with a = (v, l), and free of a linear trend (Σ t a_t = 0). Its worst bias over |Δ²δ| ≤ M is M‖B'a‖₁,
where δ = B u + slope · t inverts the second differences u; its interval has half-length sd · cv(bias / sd), cv the 1 − α quantile
of |N(b, 1)|. Both are convex in v. Weights that for some λ minimise variance / 2 + λ · (bias at M = 1) are the frontier of the two;
the shortest interval lies on it.

Source: Rambachan and Roth (2023), section 3.1, after Donoho (1994) and Armstrong and Kolesár (2018). R's HonestDiD takes cv from a
million draws and stops its search there; here cv is exact and the search runs to its end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray
from .honest_restrictions import differences

FAR = 8.0
"""Standard errors of bias beyond which the other tail of |N(b, 1)| is nothing."""
COARSE = 9
"""Points of a first look along the frontier."""
PASSES = 10_000
"""Most passes of coordinate descent; a dozen weights need fewer than a hundred."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FixedLength:
    """The interval a'β̂ ± half_length, its weights a (P + Q,), worst bias and standard error."""

    weights: FloatArray
    half_length: float
    bias: float
    std_error: float

    def interval(self, estimate: FloatArray) -> tuple[float, float]:
        """Its ends at an estimate (P + Q,)."""
        centre = float(self.weights @ estimate)
        return centre - self.half_length, centre + self.half_length


def shortest_interval(covariance: FloatArray, n_before: int, weights: FloatArray, bound: float, alpha: float) -> FixedLength:
    """The shortest interval for l'τ, `weights` l (Q,), at M = `bound`."""
    from scipy.optimize import minimize_scalar

    problem = _Frontier.of(covariance, n_before, weights)
    if bound == 0.0 or not len(problem.linear):
        return _at(problem, problem.solve(0.0), bound, alpha)
    most = problem.largest_penalty()
    start = np.zeros(len(problem.linear))

    def half_length(share: float) -> float:
        return _at(problem, problem.solve(share * most, start), bound, alpha).half_length

    # Half-length is quasi-convex along the frontier: a coarse look finds the valley, Brent's method its floor.
    coarse = np.linspace(0.0, 1.0, COARSE)
    place = int(np.argmin([half_length(share) for share in coarse]))
    ends = (coarse[max(place - 1, 0)], coarse[min(place + 1, COARSE - 1)])
    found = minimize_scalar(half_length, bounds=ends, method="bounded", options={"xatol": 1e-12})
    tried = [_at(problem, problem.solve(share * most, start), bound, alpha) for share in (float(found.x), *ends)]
    return min(tried, key=lambda one: one.half_length)


def _at(problem: _Frontier, free: FloatArray, bound: float, alpha: float) -> FixedLength:
    weights = problem.weights(free)
    bias = bound * float(np.abs(problem.slopes.T @ weights).sum())
    sd = math.sqrt(float(weights @ problem.covariance @ weights))
    return FixedLength(weights=weights, half_length=sd * folded_quantile(bias / sd, 1.0 - alpha), bias=bias, std_error=sd)


def folded_quantile(bias: float, level: float) -> float:
    """The `level` quantile of |N(bias, 1)|, by root finding, a hundred times as fast as the non-central chi-squared."""
    from scipy.optimize import brentq
    from scipy.special import ndtr, ndtri

    if bias > FAR:
        return float(bias + ndtri(level))
    return float(brentq(lambda x: ndtr(x - bias) - ndtr(-x - bias) - level, 0.0, bias + 2.0 * FAR, xtol=1e-13, rtol=1e-14))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Frontier:
    """Weights a = fixed + basis x, whose pre-period second differences are x itself: a lasso in x (K,).

    `quadratic` (K, K) and `linear` (K,) are those of half the variance in x; `slopes` is B.
    """

    covariance: FloatArray
    slopes: FloatArray
    fixed: FloatArray
    basis: FloatArray
    quadratic: FloatArray
    linear: FloatArray

    @classmethod
    def of(cls, covariance: FloatArray, n_before: int, weights: FloatArray) -> _Frontier:
        n_after = len(weights)
        times = np.concatenate([np.arange(-n_before, 0), np.arange(1, n_after + 1)]).astype(np.float64)
        second = differences(n_before, n_after, 2)
        pinned = np.zeros(len(times))
        pinned[n_before] = 1.0  # δ in the first period after the base is zero: the linear trend is apart
        inverse = np.linalg.inv(np.vstack([second, pinned]))
        slopes = inverse[:, : len(second)]
        # Pre-period weights v enter the second differences that end before or at the base through their columns of B.
        before = slopes[:n_before]
        own = np.flatnonzero(np.abs(before).sum(axis=0) > 1e-12)[: n_before - 1]
        target = np.concatenate([np.zeros(len(own)), [-(times[n_before:] @ weights)]])
        equations = np.vstack([before[:, own].T, times[:n_before][None, :]])
        offset = slopes[n_before:, own].T @ weights
        target[: len(own)] = -offset
        solve = np.linalg.inv(equations)
        fixed = np.concatenate([solve @ target, weights])
        basis = np.vstack([solve[:, : len(own)], np.zeros((n_after, len(own)))])
        return cls(
            covariance=covariance,
            slopes=slopes,
            fixed=fixed,
            basis=basis,
            quadratic=basis.T @ covariance @ basis,
            linear=basis.T @ covariance @ fixed,
        )

    def weights(self, free: FloatArray) -> FloatArray:
        """A (P + Q,) at x."""
        return np.asarray(self.fixed + self.basis @ free)

    def largest_penalty(self) -> float:
        """The least λ at which every x is zero."""
        return float(np.abs(self.linear).max())

    def solve(self, penalty: float, start: FloatArray | None = None) -> FloatArray:
        """X that minimises half the variance plus `penalty`‖x‖₁, by coordinate descent to the last digits."""
        if penalty == 0.0:
            return np.asarray(-np.linalg.lstsq(self.quadratic, self.linear, rcond=None)[0])
        free = np.zeros(len(self.linear)) if start is None else start.copy()
        diagonal = np.diag(self.quadratic)
        for _ in range(PASSES):
            before = free.copy()
            for j in range(len(free)):
                pull = diagonal[j] * free[j] - self.quadratic[j] @ free - self.linear[j]
                free[j] = math.copysign(max(abs(pull) - penalty, 0.0), pull) / diagonal[j]
            if np.abs(free - before).max() <= 1e-15 * max(1.0, np.abs(free).max()):
                break
        return free
