"""Entropy balancing: the weights nearest to equal ones that give comparison units the treated units' mean covariates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .least_squares import dependent_columns, scaled_pseudoinverse

BALANCED = 1e-8
"""Largest difference of means, in standard deviations, that counts as none."""
SETTLED, MOST_STEPS, POLISHING = 1e-6, 200, 12
"""The trust region ends at a gradient of this size, which costs few steps; Newton's own steps then do the last digits."""
CERTAINLY = 1e-6
"""How far below its least possible minimum the dual must be, beyond rounding, to say that there is none."""
LARGEST_INDEX = 500.0
"""Beyond this the exponential function, squared, overflows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Balancing:
    """Weights (R,) of comparison rows, zero for treated ones, and how well they balance.

    `design` (R, q) holds an intercept per group and the covariates that were balanced, in standard deviations; `slope` (R,) is the
    derivative of a weight in its index (the weight itself, zero at the cap). `imbalance` is the largest difference of means left.
    """

    weight: FloatArray
    slope: FloatArray
    design: FloatArray
    imbalance: float
    converged: bool


def entropy_balance(
    x: FloatArray, treated: BoolArray, group: IntArray, weight: FloatArray, *, largest: float | None = None
) -> Balancing:
    """Weights w = q·exp(z′θ) of comparison rows with Σ_C w z = Σ_D q z: total weight by group, and the means of `x` (R, p).

    They minimise Σ_C {w log(w/q) − w + q} under these equations; θ minimises the convex dual Σ_C q exp(z′θ) − Σ_D q z′θ. `group`
    (R,) are codes 0..G−1, each with treated and comparison rows; z holds an intercept for each group. `weight` (R,) are the base
    weights q. With `largest`, w = min(q·exp(z′θ), `largest` × the treated rows' mean weight), which minimises the same under that
    bound. Comparison rows that share a 0/1 column with no treated row have weight zero; columns that combine others are left out.

    Not balanced where no weights can do it: `converged` is then false. Source: Hainmueller (2012), equations 4 to 8.
    """
    possible = treated | ~(x[:, _empty_of_treated(x, treated)] > 0.0).any(axis=1)
    z = _design(x, treated, group, possible)
    mass = float(weight[treated].sum())
    rows = np.flatnonzero(possible & ~treated)
    target = weight[treated] @ z[treated] / mass
    cap = math.inf if largest is None else largest * mass / int(treated.sum())
    dual = _Dual(z=z[rows], base=weight[rows] / mass, target=target, log_cap=math.log(cap / mass))
    start = np.zeros(z.shape[1])
    n_groups = int(group.max()) + 1
    theirs = np.bincount(group[rows], weight[rows], n_groups)
    if (theirs == 0.0).any():
        none = np.zeros(len(x))
        return Balancing(weight=none, slope=none, design=z, imbalance=math.inf, converged=False)
    start[:n_groups] = np.log(np.bincount(group[treated], weight[treated], n_groups) / theirs)
    theta = dual.solve(start)
    found, slope = np.zeros(len(x)), np.zeros(len(x))
    found[rows], slope[rows] = (mass * part for part in dual.weights(theta))
    imbalance = float(np.abs(dual.gradient(theta)).max())
    return Balancing(weight=found, slope=slope, design=z, imbalance=imbalance, converged=imbalance <= BALANCED)


def _empty_of_treated(x: FloatArray, treated: BoolArray) -> BoolArray:
    """(p,) 0/1 columns that are zero for every treated row."""
    binary = ((x == 0.0) | (x == 1.0)).all(axis=0)
    return np.asarray(binary & (x[treated].max(axis=0, initial=0.0) == 0.0))


def _design(x: FloatArray, treated: BoolArray, group: IntArray, possible: BoolArray) -> FloatArray:
    """(R, q) an intercept per group and the columns of x that do not combine earlier ones, in standard deviations."""
    centre = x[treated].mean(axis=0)
    scale = np.sqrt(0.5 * (x[treated].var(axis=0) + x[possible & ~treated].var(axis=0)))
    scaled = (x - centre) / np.where(scale > 0.0, scale, 1.0)
    full = np.concatenate([(group[:, None] == np.arange(int(group.max()) + 1)).astype(np.float64), scaled], axis=1)
    gram = full[possible].T @ full[possible]
    return np.asarray(full[:, ~dependent_columns(gram, np.diag(gram))])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Dual:
    """Σ q φ(z′θ) − target′θ over comparison rows: φ is exp up to the logarithm of the cap over q, and its tangent beyond."""

    z: FloatArray
    base: FloatArray
    target: FloatArray
    log_cap: float

    def _index(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The index where a weight is not at its cap, and how far it is beyond."""
        index = np.minimum(self.z @ theta, LARGEST_INDEX)
        bound = self.log_cap - np.log(self.base)
        inside = np.minimum(index, bound)
        return inside, index - inside

    def weights(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weights and their derivative in the index."""
        inside, beyond = self._index(theta)
        weight = self.base * np.exp(inside)
        return weight, np.where(beyond > 0.0, 0.0, weight)

    def value(self, theta: FloatArray) -> float:
        """The dual."""
        inside, beyond = self._index(theta)
        return float((self.base * np.exp(inside)) @ (1.0 + beyond) - self.target @ theta)

    def gradient(self, theta: FloatArray) -> FloatArray:
        """(q,) how far the weighted comparison is from its targets."""
        gradient: FloatArray = self.z.T @ self.weights(theta)[0] - self.target
        return gradient

    def hessian(self, theta: FloatArray) -> FloatArray:
        """(q, q)."""
        scaled = self.z * np.sqrt(self.weights(theta)[1])[:, None]
        hessian: FloatArray = scaled.T @ scaled
        return hessian

    def solve(self, start: FloatArray) -> FloatArray:
        """The minimum: a trust region from `start`, then Newton's steps while they bring the gradient down.

        No weights of sum one are farther than log(1 / min q) − 1 + Σq from q; by duality a value below 1 + log(min q) proves that
        none balance, and ends the search.
        """
        from scipy.optimize import OptimizeResult, minimize

        lowest = 1.0 + math.log(float(self.base.min()))

        def stop(intermediate_result: OptimizeResult) -> None:
            if float(intermediate_result.fun) < lowest - CERTAINLY:
                raise StopIteration

        options = {"gtol": SETTLED, "maxiter": MOST_STEPS}
        found = minimize(
            self.value, start, jac=self.gradient, hess=self.hessian, method="trust-exact", options=options, callback=stop
        )
        theta = np.asarray(found.x, dtype=np.float64)
        left = self.gradient(theta)
        for _ in range(POLISHING):
            moved = theta - scaled_pseudoinverse(self.hessian(theta)) @ left
            reached = self.gradient(moved)
            if np.abs(reached).max() >= np.abs(left).max():
                break
            theta, left = moved, reached
        return theta


def with_squares(x: FloatArray, treated: BoolArray) -> FloatArray:
    """`x` (R, p) and the squares of its columns with more than two values, about the treated rows' mean.

    Balancing both balances means and variances.
    """
    several = ((x != x.min(axis=0)) & (x != x.max(axis=0))).any(axis=0)
    centred = x[:, several] - x[treated][:, several].mean(axis=0)
    return np.concatenate([x, centred**2], axis=1)


def effective_size(weight: FloatArray) -> float:
    """(Σw)² / Σw²: how many equally weighted units would vary as much (Kish 1965); zero without weight."""
    square = float(weight @ weight)
    return float(weight.sum()) ** 2 / square if square > 0.0 else 0.0
