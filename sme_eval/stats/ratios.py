"""The ratio of two estimates, such as a cost per unit of an effect, where the denominator may be zero.

A ratio has no standard error worth printing: where the denominator's interval covers zero, what is not rejected has no end.
Fieller (1954) gives the set exactly under normality; draws of both estimates give it under any distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray

INFINITE = math.inf


@dataclass(frozen=True, slots=True)
class RatioSet:
    """Values of a ratio that are not rejected: intervals in increasing order, with infinite ends where there is no bound.

    One finite interval; or two, each unbounded on one side, where the denominator may be zero; or the whole line; or none.
    """

    intervals: tuple[tuple[float, float], ...]

    @property
    def bounded(self) -> bool:
        """Whether both ends are finite."""
        return bool(self.intervals) and math.isfinite(self.intervals[0][0]) and math.isfinite(self.intervals[-1][1])

    def covers(self, value: float) -> bool:
        """Whether a value is not rejected."""
        return any(low <= value <= high for low, high in self.intervals)

    def positive(self) -> tuple[float, float] | None:
        """Least and largest positive value: those of a positive numerator over a positive denominator. None if there is none."""
        ends = [(max(low, 0.0), high) for low, high in self.intervals if high > 0.0]
        return (ends[0][0], ends[-1][1]) if ends else None


WHOLE_LINE = RatioSet(((-INFINITE, INFINITE),))


def fieller(numerator: float, denominator: float, covariance: FloatArray, critical: float) -> RatioSet:
    """Fieller's set of a/b: every r with (a − rb)² ≤ c² (V_aa − 2r V_ab + r² V_bb), `covariance` V (2, 2), `critical` c.

    A parabola in r, r² (b² − c²V_bb) − 2r (ab − c²V_ab) + a² − c²V_aa ≤ 0: bounded where b is c standard errors from zero,
    else the outside of an interval or everything.

    >>> fieller(50.0, 6.0, np.array([[0.0, 0.0], [0.0, 1.0]]), 2.0)
    RatioSet(intervals=((6.25, 12.5),))
    >>> fieller(50.0, 1.0, np.array([[0.0, 0.0], [0.0, 1.0]]), 2.0).positive()
    (16.666666666666668, inf)
    """
    square, a, b = critical**2, numerator, denominator
    above, both, below = float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])
    lead, half, free = b * b - square * below, a * b - square * both, a * a - square * above
    if lead == 0.0:
        return _half_line(half, free)
    # half² − lead · free, multiplied out: where the errors are small it would be a difference of like numbers.
    gap = square * (b * b * above - 2.0 * a * b * both + a * a * below - square * (above * below - both * both))
    if gap < 0.0:
        return WHOLE_LINE if lead < 0.0 else RatioSet(())
    # The root that would be a difference of like numbers is taken from the product of both.
    far = half + math.copysign(math.sqrt(gap), half)
    low, high = sorted((far / lead, free / far if far else 0.0))
    return RatioSet(((low, high),)) if lead > 0.0 else RatioSet(((-INFINITE, low), (high, INFINITE)))


def _half_line(half: float, free: float) -> RatioSet:
    """The r with 2r·half ≥ free, where the parabola is a line."""
    if half == 0.0:
        return WHOLE_LINE if free <= 0.0 else RatioSet(())
    end = free / (2.0 * half)
    return RatioSet(((end, INFINITE),)) if half > 0.0 else RatioSet(((-INFINITE, end),))


def known_over(numerator: float, low: float, high: float) -> RatioSet:
    """Fieller's set where the numerator is known and the denominator's interval is [`low`, `high`], symmetric or not.

    >>> known_over(50.0, 4.0, 8.0)
    RatioSet(intervals=((6.25, 12.5),))
    >>> known_over(50.0, -2.0, 8.0)
    RatioSet(intervals=((-inf, -25.0), (6.25, inf)))
    """
    half = (high - low) / 2.0
    return fieller(numerator, (high + low) / 2.0, np.array([[0.0, 0.0], [0.0, half * half]]), 1.0)


def drawn(numerator: FloatArray, denominator: FloatArray, level: float) -> RatioSet:
    """The set of a ratio from draws (D,) of its two estimates: equal tails of 1 − `level` together, cut off by direction.

    Percentiles of the ratios themselves would jump from one infinity to the other where a denominator changes its sign. A ratio is
    the slope of a direction in the plane, and directions have no such jump: the tails are cut off beside the mean direction.
    Units do not matter: each coordinate is measured in its own root mean square.
    """
    size = [float(np.sqrt(np.mean(np.square(part)))) or 1.0 for part in (numerator, denominator)]
    up, right = numerator / size[0], denominator / size[1]
    centre = math.atan2(float(np.mean(up)), float(np.mean(right)))
    turned = np.remainder(np.arctan2(up, right) - centre + math.pi, 2.0 * math.pi) - math.pi
    tail = (1.0 - level) / 2.0
    first, last = (centre + float(turn) for turn in np.quantile(turned, (tail, 1.0 - tail)))
    if last - first >= math.pi:
        return WHOLE_LINE
    low, high = (math.tan(angle) * size[0] / size[1] for angle in (first, last))
    upright = [math.floor((angle - math.pi / 2.0) / math.pi) for angle in (first, last)]
    return RatioSet(((low, high),)) if upright[0] == upright[1] else RatioSet(((-INFINITE, high), (low, INFINITE)))
