"""What other layouts of doses over districts would say: doses that nobody states, and what more districts would bring."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import numpy as np

from sme_eval.errors import DesignError, Problem
from sme_eval.terms import POWER

from .arrays import FloatArray
from .few_clusters import attainable_p, validate_districts
from .inference import critical_value

MOST_LAYOUTS = 300_000
"""Assignments of possible doses up to which all are computed: 3^11 and 2^18 are within it."""
MOST_FURTHER = 12
"""Further districts up to which a layout is searched for that makes significance attainable."""
NEW_DOSES = tuple(math.sqrt(prime) for prime in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37))
"""Distances, in ranges above the top dose, of doses that nobody pays yet: roots of primes never lie symmetrically."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseSensitivity:
    """Slopes over every assignment of possible doses to the districts whose dose is not stated.

    `slope_low`, `slope_high` are the extremes, `doses_low`, `doses_high` (U,) the assignments that give them, `conf_low` and
    `conf_high` the hull of all intervals (`dose_slope_ols`, t with D - 2). `attainable_best` is the smallest p-value that a
    permutation test could reach under the most favourable of the `n_assignments`.
    """

    n_assignments: int
    slope_low: float
    slope_high: float
    conf_low: float
    conf_high: float
    doses_low: tuple[float, ...]
    doses_high: tuple[float, ...]
    attainable_best: float
    level: float


def dose_sensitivity(tau: FloatArray, dose: FloatArray, possible: tuple[float, ...], level: float = 0.95) -> DoseSensitivity | None:
    """Extremes of the least-squares slope over all ways to fill the doses that are NaN in `dose` (D,) with `possible` ones.

    None where there are more than 300,000 ways. The stated doses must hold at least two levels, so that every slope exists.

    >>> found = dose_sensitivity(np.array([0.0, 1.0, 2.0, 9.0]), np.array([0.0, 1.0, 2.0, np.nan]), (0.0, 4.0))
    >>> found.n_assignments, round(found.slope_low, 4), round(found.slope_high, 4), round(found.attainable_best, 4)
    (2, -1.4545, 2.2857, 0.0417)
    """
    stated = np.isfinite(dose)
    validate_districts(np.asarray(dose)[stated], tau=np.asarray(tau)[stated], level=level)
    n_open = int((~stated).sum())
    if not n_open or not possible:
        what = "No dose is open." if not n_open else "No possible dose is named."
        raise DesignError(Problem(what=what, remedy="give districts without a stated dose, and doses they may pay"))
    if len(possible) ** n_open > MOST_LAYOUTS:
        return None
    filled = np.array(list(product(possible, repeat=n_open)))
    layouts = np.tile(dose, (len(filled), 1))
    layouts[:, ~stated] = filled
    slope, error = _slopes(np.asarray(tau, dtype=np.float64), layouts)
    half = critical_value(level, layouts.shape[1] - 2) * error
    low, high = int(slope.argmin()), int(slope.argmax())
    return DoseSensitivity(
        n_assignments=len(filled),
        slope_low=float(slope[low]),
        slope_high=float(slope[high]),
        conf_low=float((slope - half).min()),
        conf_high=float((slope + half).max()),
        doses_low=tuple(filled[low].tolist()),
        doses_high=tuple(filled[high].tolist()),
        attainable_best=min(attainable_p(row) for row in np.unique(np.sort(layouts, axis=1), axis=0)),
        level=level,
    )


def _slopes(tau: FloatArray, layouts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least-squares slope and its standard error for each row of doses (A, D)."""
    x = layouts - layouts.mean(axis=1, keepdims=True)
    y = tau - tau.mean()
    spread = (x**2).sum(axis=1)
    slope = x @ y / spread
    rss = ((y - slope[:, np.newaxis] * x) ** 2).sum(axis=1)
    return slope, np.sqrt(rss / (tau.size - 2) / spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class DosePlan:
    """What would change the answer.

    `attainable` is the smallest p-value that a permutation of the stated doses can give; `with_one_more` the same after one further
    district with the dose named (None: any dose that nobody pays yet). `further_distinct` and `further_repeated` count the further
    districts until it is at most 0.05, if each brings a new dose, or if each pays one of the present ones in the best way (None:
    not within 12). `minimum_detectable` is (t_{.975} + t_{.8}) times `std_error`, t with D - 2.
    """

    attainable: float
    with_one_more: tuple[tuple[float | None, float], ...]
    further_distinct: int | None
    further_repeated: int | None
    std_error: float
    minimum_detectable: float

    def required(self, effect: float) -> float:
        """Cities like this one, with the same doses and independent, that detect `effect` (per unit of the slope) with power 0.8.

        (`minimum_detectable` / effect)^2: the error falls with the root of the number of cities. The t quantiles of one city are
        kept although they shrink with more districts, so the number is an upper one where D is small.
        """
        if not (math.isfinite(effect) and effect != 0.0):
            raise DesignError(Problem(what=f"{effect!r} is no effect to detect.", remedy="a number other than zero"))
        return (self.minimum_detectable / effect) ** 2


def dose_plan(dose: FloatArray, std_error: float, *, candidates: tuple[float, ...] = (), alpha: float = 0.05) -> DosePlan:
    """What further districts would bring to stated doses (D,), and what a slope with `std_error` can detect.

    `candidates` are doses to consider for one more district, beside those already paid.

    >>> plan = dose_plan(np.array([100.0, 50, 50, 50, 50]), 6.5, candidates=(0.0,))
    >>> [(paid, round(p, 3)) for paid, p in plan.with_one_more]
    [(0.0, 0.067), (50.0, 0.167), (100.0, 0.067), (None, 0.033)]
    >>> plan.further_distinct, plan.further_repeated, round(plan.minimum_detectable, 1), round(plan.required(0.4))
    (1, 2, 27.0, 4572)
    """
    validate_districts(dose)
    dose = np.asarray(dose, dtype=np.float64)
    known = sorted({*candidates, *dose.tolist()})
    new = dose.max() + np.ptp(dose) * np.array(NEW_DOSES)
    options: list[tuple[float | None, float]] = [(paid, attainable_p(np.append(dose, paid))) for paid in known]
    quantiles = critical_value(1.0 - alpha, dose.size - 2) + critical_value(2.0 * POWER - 1.0, dose.size - 2)
    return DosePlan(
        attainable=attainable_p(dose),
        with_one_more=(*options, (None, attainable_p(np.append(dose, new[0])))),
        further_distinct=next((k for k in range(MOST_FURTHER + 1) if attainable_p(np.append(dose, new[:k])) <= alpha), None),
        further_repeated=next((k for k in range(MOST_FURTHER + 1) if _best_repeated(dose, k) <= alpha), None),
        std_error=std_error,
        minimum_detectable=quantiles * std_error,
    )


def _best_repeated(dose: FloatArray, further: int) -> float:
    """Smallest attainable p-value if `further` districts pay doses that are already paid."""
    levels = np.unique(dose).tolist()
    return min(attainable_p(np.append(dose, more)) for more in combinations_with_replacement(levels, further))
