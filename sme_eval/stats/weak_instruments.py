"""Inference on a ratio of coefficients that stays right when the denominator is weak; how weak it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.inference import JointTest
from sme_eval.terms import Covariance

TOLERATED_BIAS = 0.10
"""Critical values of the effective F are for a worst-case (Nagar) bias of this share of the bias when instruments say nothing."""

TEST_SIZE = 0.05
"""Size of the test that the bias is larger than tolerated."""

NOT_REAL = 1e-5
"""Relative imaginary part above which a root is no boundary; what is no boundary after all is merged by trying both sides."""

SAME_ROOT, INFINITE_ROOT = 1e-10, 1e10
"""In units of the ratio's own scale: roots this close are one, roots this far are none."""

SINGULAR = 1e-10
"""Relative eigenvalue below which instruments repeat each other in their covariance, as with fewer clusters than instruments."""

GRID = 720
"""Directions at which the search for the smallest statistic starts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regressions:
    """Least squares of t targets on the same p columns.

    coefficient (t, p) · covariance (t, p, t, p), joint · inverse_gram (p, p) · residual (n, t).
    """

    coefficient: FloatArray
    covariance: FloatArray
    inverse_gram: FloatArray
    residual: FloatArray

    def gram_beside_others(self, k: int) -> FloatArray:
        """Cross-product (k, k) of the first k columns after the others are taken out."""
        return np.asarray(np.linalg.inv(self.inverse_gram[:k, :k]), dtype=np.float64)


def joint_regressions(targets: FloatArray, design: FloatArray, kind: Covariance, cluster: NDArray[np.intp]) -> Regressions:
    """Targets (n, t) on a design (n, p) of full rank; the covariance is raw, without any small-sample factor."""
    q, r = np.linalg.qr(design)
    coefficient = np.linalg.solve(r, q.T @ targets).T
    residual = targets - design @ coefficient.T
    root = np.linalg.solve(r, np.eye(len(r)))
    inverse = root @ root.T
    n, t, p = len(design), targets.shape[1], design.shape[1]
    if kind == "classical":
        covariance = np.einsum("ab,cd->acbd", residual.T @ residual / n, inverse)
    else:
        score = (residual[:, :, None] * (q @ root.T)[:, None, :]).reshape(n, t * p)
        if kind == "clustered":
            total = np.zeros((int(cluster.max()) + 1, t * p))
            np.add.at(total, cluster, score)
            score = total
        covariance = (score.T @ score).reshape(t, p, t, p)
    return Regressions(coefficient=coefficient, covariance=covariance, inverse_gram=inverse, residual=residual)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveF:
    """Montiel Olea and Pflueger's effective F, and the value it must exceed for a bias of at most `TOLERATED_BIAS`."""

    value: float
    critical_value: float


def effective_f(first: FloatArray, covariance: FloatArray, gram: FloatArray) -> EffectiveF:
    """π'Qπ / tr(VQ): π (k,), its covariance V (k, k), cross-product Q (k, k) of the instruments beside the other regressors.

    Critical value: the simplified, conservative one: noncentral chi-squared with K degrees of freedom and noncentrality Kx over K,
    x = 1 / bias, K = tr(W)²(1 + 2x) / (tr(W²) + 2x tr(W) max eigenvalue of W), W = Q^½ V Q^½.
    """
    from scipy import stats

    value, vector = np.linalg.eigh(gram)
    root = (vector * np.sqrt(np.maximum(value, 0.0))) @ vector.T
    noise = root @ covariance @ root
    trace, x = float(np.trace(noise)), 1.0 / TOLERATED_BIAS
    if trace <= 0.0:
        return EffectiveF(value=math.inf, critical_value=math.nan)
    largest = float(np.linalg.eigvalsh(noise)[-1])
    freedom = trace**2 * (1.0 + 2.0 * x) / (float(np.sum(noise * noise.T)) + 2.0 * x * trace * largest)
    critical = float(stats.ncx2.ppf(1.0 - TEST_SIZE, freedom, freedom * x)) / freedom
    return EffectiveF(value=float(first @ gram @ first) / trace, critical_value=critical)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RatioTest:
    """The Anderson–Rubin statistic of β in γ = βπ: (γ − βπ)' V(β)⁻¹ (γ − βπ), V(β) = V_γγ − β(V_γπ + V_πγ) + β²V_ππ.

    Held in the ratio's own scale (β = scale · ratio) and with instruments made orthogonal, so that units do not matter.
    """

    reduced: FloatArray
    first: FloatArray
    reduced_covariance: FloatArray
    cross_covariance: FloatArray
    first_covariance: FloatArray
    scale: float

    @classmethod
    def of(cls, coefficient: FloatArray, covariance: FloatArray, gram: FloatArray) -> RatioTest | None:
        """From (γ, π) (2, k) with joint covariance (2, k, 2, k); None if the instruments' covariance is singular."""
        size = [float(c @ gram @ c + np.sum(gram * covariance[j, :, j])) for j, c in enumerate(coefficient)]
        scale = math.sqrt(size[0] / size[1]) if min(size) > 0.0 else 1.0
        unit = np.array([1.0, scale])
        coefficient = coefficient * unit[:, None]
        covariance = covariance * unit[:, None, None, None] * unit[:, None]
        total = covariance[0, :, 0] + covariance[1, :, 1]
        length = np.sqrt(np.maximum(np.diag(total), 0.0))
        if not (length > 0.0).all():
            return None
        value, vector = np.linalg.eigh(total / np.outer(length, length))
        if value[0] <= SINGULAR * value[-1]:
            return None
        root = (vector / np.sqrt(value)).T / length
        parts = np.einsum("ka,iajb,lb->ijkl", root, covariance, root)
        both = parts[0, 1] + parts[1, 0]
        return cls(
            reduced=root @ coefficient[0],
            first=root @ coefficient[1],
            reduced_covariance=parts[0, 0],
            cross_covariance=both,
            first_covariance=parts[1, 1],
            scale=scale,
        )

    def statistic(self, ratio: float, one: float = 1.0) -> float:
        """At β = scale · ratio / one; infinite where its covariance vanishes."""
        gap = one * self.reduced - ratio * self.first
        part = one**2 * self.reduced_covariance - one * ratio * self.cross_covariance + ratio**2 * self.first_covariance
        try:
            return float(gap @ np.linalg.solve(part, gap))
        except np.linalg.LinAlgError:
            return math.inf

    def intervals(self, limit: float) -> tuple[tuple[float, float], ...]:
        """All β whose statistic is at most `limit`: no interval, one, several, bounded or not.

        The boundaries are the real roots of det [[limit, (γ − βπ)'], [γ − βπ, V(β)]] = 0, a quadratic eigenvalue problem; what lies
        between two of them is tried.
        """
        roots = self._roots(limit)
        if not roots:
            return ((-math.inf, math.inf),) if self.statistic(0.0) <= limit else ()
        edges = [-math.inf, *roots, math.inf]
        far = 2.0 * max(abs(r) for r in roots) + 1.0
        tried = [-far, *((a + b) / 2.0 for a, b in pairwise(roots)), far]
        found: list[tuple[float, float]] = []
        for low, high, middle in zip(edges, edges[1:], tried, strict=False):
            if self.statistic(middle) > limit:
                continue
            if found and found[-1][1] == low:
                low = found.pop()[0]
            found.append((low, high))
        return tuple((self.scale * low, self.scale * high) for low, high in found)

    def _roots(self, limit: float) -> list[float]:
        from scipy.linalg import eig

        size = len(self.first) + 1
        constant, linear, square = (np.zeros((size, size)) for _ in range(3))
        constant[0, 0], constant[1:, 1:] = limit, self.reduced_covariance
        constant[0, 1:] = constant[1:, 0] = self.reduced
        linear[1:, 1:] = -self.cross_covariance
        linear[0, 1:] = linear[1:, 0] = -self.first
        square[1:, 1:] = self.first_covariance
        none, one = np.zeros((size, size)), np.eye(size)
        a, b = np.block([[none, one], [-constant, -linear]]), np.block([[one, none], [none, square]])
        top, bottom = eig(a, b, right=False, homogeneous_eigvals=True)
        finite = np.abs(top) < INFINITE_ROOT * np.abs(bottom)
        value = top[finite] / bottom[finite]
        real = np.sort(value.real[np.abs(value.imag) <= NOT_REAL * (1.0 + np.abs(value))])
        apart = np.diff(real, prepend=-math.inf) > SAME_ROOT * (1.0 + np.abs(real))
        return [float(r) for r in real[apart]]

    def smallest(self) -> JointTest:
        """Test of the k − 1 restrictions beyond one: the smallest statistic over all β (Hansen's J, continuously updated)."""
        from scipy import optimize, stats

        def along(angle: float) -> float:
            return self.statistic(math.sin(angle), math.cos(angle))

        step = math.pi / GRID
        start = min((n * step for n in range(GRID)), key=along)
        found = optimize.minimize_scalar(along, bounds=(start - step, start + step), method="bounded", options={"xatol": 1e-12})
        value, freedom = min(float(found.fun), along(start)), len(self.first) - 1
        return JointTest(statistic=value, restrictions=freedom, p_value=float(stats.chi2.sf(value, freedom)))
