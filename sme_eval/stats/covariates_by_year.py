"""Firm effects and baseline covariates × year taken out of columns, exactly, whatever years firms are seen in."""

from __future__ import annotations

import numpy as np

from .arrays import BoolArray, FloatArray
from .least_squares import scaled_pseudoinverse


def without_firm_and_covariates(
    values: FloatArray, seen: BoolArray, covariates: FloatArray, weight: FloatArray | None = None
) -> FloatArray:
    """Residuals (q, N, T) of `values` from firm effects and `covariates` (N, p) × year, by least squares.

    A column of ones among the covariates gives the year effects. `weight` (N,) of firms. Firm-years that are not `seen` (N, T) are
    not used, and zero comes back. With M = diag(u) − uu'/Σu of a pattern of seen years u, the normal equations of the coefficients
    (T·p,) are Σ_patterns M ⊗ Σ w x x': of the size of years × covariates, whatever the number of firms.
    """
    w = np.ones(len(seen)) if weight is None else weight
    patterns, member = np.unique(seen, axis=0, return_inverse=True)
    n_years, p = seen.shape[1], covariates.shape[1]
    gram = np.zeros((n_years * p, n_years * p))
    for k, pattern in enumerate(patterns):
        own = np.flatnonzero(member.ravel() == k)
        if pattern.any():
            x = covariates[own]
            u = pattern.astype(np.float64)
            gram += np.kron(np.diag(u) - np.outer(u, u) / u.sum(), (x * w[own, None]).T @ x)
    left = _about_firm(values, seen)
    moments = np.einsum("qnt,na->qta", left, covariates * w[:, None]).reshape(len(values), -1)
    slopes = (moments @ scaled_pseudoinverse(gram)).reshape(len(values), n_years, p)
    return left - _about_firm(np.einsum("na,qta->qnt", covariates, slopes), seen)


def _about_firm(values: FloatArray, seen: BoolArray) -> FloatArray:
    """Deviations (q, N, T) from a firm's mean over its seen years; zero where it is not seen."""
    shown = np.where(seen, values, 0.0)
    mean = shown.sum(axis=2) / np.maximum(seen.sum(axis=1), 1)
    return np.where(seen, shown - mean[:, :, None], 0.0)
