"""Intervals for an average of post-period effects under bounded differences in trends, and the bound at which they reach zero."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arrays import BoolArray, FloatArray, frozen
from .honest_conditional import Hypotheses, accepted, hypotheses
from .honest_length import shortest_interval
from .honest_restrictions import relative_magnitudes, smoothness
from .inference import critical_value

Restriction = Literal["relative_magnitudes", "smoothness", "smoothness_conditional"]
POINTS = 400
"""Hypotheses looked at between the ends of a first grid, which reaches 20 standard errors to either side."""
REACH = 20.0
DOUBLINGS = 12
"""Times that a grid is doubled before an end counts as unbounded."""
STEPS = 12
"""Halvings of a bracket around a breakdown: a thousandth of it and less."""
FARTHEST = 1e6
"""A breakdown beyond this multiple of the first guess is none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """Effects by consecutive periods around a base at zero: `estimate` (P + Q,), `covariance`, and the average asked, l (Q,)."""

    estimate: FloatArray
    covariance: FloatArray
    weights: FloatArray

    def __post_init__(self) -> None:
        for name in ("estimate", "covariance", "weights"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def n_before(self) -> int:
        """P."""
        return len(self.estimate) - len(self.weights)

    @property
    def average(self) -> float:
        """l'β̂."""
        return float(self.weights @ self.estimate[self.n_before :])

    @property
    def std_error(self) -> float:
        """Its standard error."""
        after = self.covariance[self.n_before :, self.n_before :]
        return math.sqrt(float(self.weights @ after @ self.weights))

    def original(self, alpha: float) -> tuple[float, float]:
        """The interval if trends are parallel."""
        half = critical_value(1.0 - alpha, math.inf) * self.std_error
        return self.average - half, self.average + half


def honest_interval(path: Path, restriction: Restriction, bound: float, *, alpha: float, seed: int = 0) -> tuple[float, float]:
    """The interval at one bound; an end is infinite where the data bound nothing.

    Smoothness gives the shortest fixed-length interval; the other two invert conditional tests. Their grid is centred at the
    estimate and grows until both ends are rejected (R's default is centred at zero and cuts what lies 20 errors away), then the
    ends are found by halving. A set with holes is given by its ends.
    """
    if restriction == "smoothness":
        return shortest_interval(path.covariance, path.n_before, path.weights, bound, alpha).interval(path.estimate)
    tests = _tests(path, restriction, bound, alpha, seed)

    def inside(values: FloatArray) -> BoolArray:
        return np.asarray(np.logical_or.reduce([accepted(one, values, alpha) for one in tests]))

    return _ends(inside, path.average, REACH * path.std_error)


def breakdown(path: Path, restriction: Restriction, *, alpha: float, seed: int = 0) -> float:
    """The largest bound at which the set still excludes zero; zero if it does not even at bound 0, infinite if at every bound."""

    def excludes(bound: float) -> bool:
        if restriction == "smoothness":
            low, high = honest_interval(path, restriction, bound, alpha=alpha)
            return low > 0.0 or high < 0.0
        zero = np.zeros(1)
        return not any(accepted(one, zero, alpha)[0] for one in _tests(path, restriction, bound, alpha, seed))

    guess = 1.0 if restriction == "relative_magnitudes" else max(abs(path.average), path.std_error)
    if not excludes(0.0):
        return 0.0
    low, high = 0.0, guess
    while excludes(high):
        low, high = high, 2.0 * high
        if high > FARTHEST * guess:
            return math.inf
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excludes(middle) else (low, middle)
    return low


def _tests(path: Path, restriction: Restriction, bound: float, alpha: float, seed: int) -> list[Hypotheses]:
    """The polyhedra whose union is the restriction, each with its tests."""
    n_after = len(path.weights)
    if restriction == "relative_magnitudes":
        sets = [(matrix, 0.0) for matrix in relative_magnitudes(path.n_before, n_after, bound)]
    else:
        sets = [(smoothness(path.n_before, n_after), bound)]
    return [hypotheses(one, path.estimate, path.covariance, path.weights, alpha=alpha, seed=seed) for one in sets]


def _ends(inside: Callable[[FloatArray], BoolArray], centre: float, reach: float) -> tuple[float, float]:
    """The ends of an accepted set."""
    low = high = math.nan
    for _ in range(DOUBLINGS):
        grid = np.linspace(centre - reach, centre + reach, POINTS)
        held = np.flatnonzero(inside(grid))
        if not len(held):
            return low, high  # nothing is accepted: every hypothesis contradicts the restriction
        low = -math.inf if held[0] == 0 else _edge(inside, grid[held[0] - 1], grid[held[0]])
        high = math.inf if held[-1] == POINTS - 1 else _edge(inside, grid[held[-1] + 1], grid[held[-1]])
        if math.isfinite(low) and math.isfinite(high):
            break
        reach *= 2.0
    return low, high


def _edge(inside: Callable[[FloatArray], BoolArray], out: float, held: float) -> float:
    """Between a rejected and an accepted hypothesis, by looking at many between them at once."""
    for _ in range(3):
        between = np.linspace(out, held, POINTS)
        place = int(np.flatnonzero(inside(between))[0])
        if place == 0:
            return out
        out, held = float(between[place - 1]), float(between[place])
    return held
