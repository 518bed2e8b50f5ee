"""A ratio of coefficients when its instrument may touch the outcome directly: Conley, Hansen and Rossi (2012).

One instrument z, one endogenous regressor x: y = βx + γz + …; γ = 0 is the exclusion restriction. With ρ and π the coefficients on
z in the regressions of y and x on everything exogenous, two-stage least squares of y − γz on x is (ρ − γ)/π.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlausiblyExogenous:
    """`reduced` ρ and `first` π with their joint `covariance` (2, 2), π not zero; intervals at ± `critical` standard errors."""

    reduced: float
    first: float
    covariance: FloatArray
    critical: float

    def estimate(self, direct: float) -> float:
        """(ρ − γ)/π: β if the instrument's direct effect is `direct`."""
        return (self.reduced - direct) / self.first

    def std_error(self, direct: float) -> float:
        """Standard error of `estimate`, equal to that of two-stage least squares of y − γz."""
        gradient = np.array([1.0, -self.estimate(direct)]) / self.first
        return math.sqrt(float(gradient @ self.covariance @ gradient))

    def interval(self, direct: float) -> tuple[float, float]:
        """The interval of β if the instrument's direct effect is `direct`."""
        centre, half = self.estimate(direct), self.critical * self.std_error(direct)
        return centre - half, centre + half

    def union(self, low: float, high: float) -> tuple[float, float]:
        """The union of the intervals over all direct effects from `low` to `high`.

        Each end is (ρ − γ)/π ± c·se(γ), and se is convex in γ: the upper end is largest at an end of the range, and so on.
        """
        ends = self.interval(low), self.interval(high)
        return min(end[0] for end in ends), max(end[1] for end in ends)

    def local_to_zero(self, mean: float, std_dev: float) -> tuple[float, float]:
        """The interval of β under the normal prior N(`mean`, `std_dev`²) on the direct effect: β̂ − mean/π ± c (V + sd²/π²)^½."""
        centre = self.estimate(mean)
        half = self.critical * math.hypot(self.std_error(0.0), std_dev / self.first)
        return centre - half, centre + half

    def breakdown(self) -> float:
        """The direct effect nearest to zero, in the direction of ρ, at which the interval includes zero; 0 if it does at once.

        The interval includes zero where b = β̂(γ) solves π²b² ≤ c² (C₁₁ − 2bC₁₂ + b²C₂₂), whatever γ: γ = ρ − πb at the root of the
        sign of ρ/π. Infinite if no direct effect helps, which needs a first stage that is not significant.
        """
        if self._includes_zero(0.0):
            return 0.0
        square, (one, two) = self.critical**2, self.covariance
        lead = self.first**2 - square * two[1]
        roots = np.roots([lead, 2.0 * square * one[1], -square * one[0]])
        direct = self.reduced - self.first * roots.real[np.isreal(roots)]
        ahead = direct[direct * self.reduced > 0.0]
        return float(ahead[np.abs(ahead).argmin()]) if ahead.size else math.copysign(math.inf, self.reduced)

    def _includes_zero(self, direct: float) -> bool:
        low, high = self.interval(direct)
        return low <= 0.0 <= high
