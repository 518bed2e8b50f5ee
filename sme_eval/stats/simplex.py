"""Weights that are not negative and sum to one: least squares on the simplex, exactly, by scipy."""

from __future__ import annotations

import numpy as np

from sme_eval.errors import IdentificationError, Problem

from .arrays import FloatArray

GRADIENT_TOLERANCE = 1e-12
"""Asked of the dual's gradient: the fitted values and the sum of the weights, both in units of one."""

STEPS = {"gtol": GRADIENT_TOLERANCE, "maxiter": 2000, "max_trust_radius": 1e12}
"""A small ridge makes the dual's solution large; scipy's own largest radius would stop it on the way."""

GRADIENT_REFUSED = 1e-8
"""Left of it after the last step, above which the weights are not those of the minimum."""


def ridge_weights(matrix: FloatArray, target: FloatArray, ridge: float) -> FloatArray:
    """Minimise ‖A ω − b‖² + η‖ω‖² over the simplex, η > 0, for few rows and any number of columns.

    `matrix` A (r, n), `target` b (r,), `ridge` η in squared units of A. By duality ω = max(0, A′ρ + μ) for some ρ (r,) and μ, which
    minimise ½η‖ρ‖² − b′ρ − μ + ½‖max(0, A′ρ + μ)‖²: convex, once differentiable, piecewise quadratic, of r + 1 unknowns however
    many columns there are. A trust-region Newton method ends in finitely many steps.
    """
    from scipy.optimize import minimize

    rows, n = matrix.shape
    size = float(np.sqrt(np.square(matrix).mean() + np.square(target).mean())) or 1.0
    a, b, eta = matrix / size, target / size, ridge / size**2
    stacked = np.vstack([a, np.ones((1, n))])
    curvature = np.diag([*(eta,) * rows, 0.0])
    aim = np.array([*b, 1.0])

    def value(z: FloatArray) -> tuple[float, FloatArray]:
        positive = np.maximum(stacked.T @ z, 0.0)
        bent = curvature @ z
        return float(0.5 * (z @ bent) - aim @ z + 0.5 * (positive @ positive)), bent - aim + stacked @ positive

    def hessian(z: FloatArray) -> FloatArray:
        live = stacked[:, stacked.T @ z > 0.0]
        curved: FloatArray = curvature + live @ live.T
        return curved

    start = np.array([*(0.0,) * rows, 1.0 / n])
    found = minimize(value, start, jac=True, hess=hessian, method="trust-exact", options=STEPS)
    if not np.abs(value(found.x)[1]).max() <= GRADIENT_REFUSED:
        raise IdentificationError(
            Problem(
                what="Weights on the simplex were not found.", remedy="the outcome barely varies: rescale it, or see more years"
            )
        )
    positive = np.maximum(stacked.T @ found.x, 0.0)
    weights: FloatArray = positive / positive.sum()
    return weights


def few_weights(matrix: FloatArray, target: FloatArray, ridge: float) -> FloatArray:
    """Minimise ‖A λ − b‖² + η‖λ‖² over the simplex, η ≥ 0, for few columns and any number of rows.

    `matrix` A (n, r), `target` b (n,). On the simplex A λ − b = (A − b 1′) λ = C λ, and with x = t λ the non-negative least squares
    problem ‖C x‖² + (1′x − 1)² has its minimum over t at m/(1 + m), m = ‖C λ‖²: the same λ minimises both, so `scipy.optimize.nnls`
    solves it exactly.
    """
    from scipy.optimize import nnls

    columns = matrix.shape[1]
    stacked = np.vstack([matrix - target[:, None], np.sqrt(ridge) * np.eye(columns)])
    size = float(np.sqrt(np.square(stacked).sum(axis=0)).min()) or 1.0
    stacked = np.vstack([stacked / size, np.ones((1, columns))])
    found, _ = nnls(stacked, np.array([*(0.0,) * (len(stacked) - 1), 1.0]))
    weights: FloatArray = found / found.sum()
    return weights
