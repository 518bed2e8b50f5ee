"""The slope of district effects on a dose when districts are few: two t tests and a permutation test that knows its limits.

The model of all of them is tau_d = a + b dose_d + u_d, one observation per district, d = 1..D. The estimand is b: the change of
the district effect per unit of dose. tau has the outcome's units, dose its own, b is one per the other. b is causal only if
districts are exchangeable (what made a dose high does not itself move the effect): assumed by all of them, checked by none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sme_eval.errors import DesignError, Problem, raise_if_any

from .arrays import BoolArray, FloatArray, IntArray
from .inference import critical_value, two_sided_p

FEWEST_DISTRICTS = 3
"""A line through two districts leaves nothing to judge it by."""
MOST_ENUMERATED = 50_000
"""Distinct assignments up to which all are computed; above, draws are taken."""
DEFAULT_DRAWS = 9_999
"""Random assignments when there are too many to enumerate: p has Monte Carlo error 0.0022 at 0.05."""
SAME_DOSE_DIGITS = 9
"""Doses that agree to this many decimals of their range are one level: rounding must not multiply the assignments."""
TIE = 1e-9
"""Relative gap below which two statistics, or all doses, are the same number but for rounding."""
NO_RESIDUAL = 1e-24
"""Share of the variation of tau below which the residual sum of squares is rounding (the square of 1e-12)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseSlope:
    """Slope of district effects on dose with its t interval; `heterogeneity` is tau squared, None where not estimated."""

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float
    p_value: float
    degrees_of_freedom: int
    level: float
    heterogeneity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationTest:
    """Two-sided permutation test of no dependence of the district effects on dose.

    `attainable` is the smallest p-value that any data with these doses can give (with draws: and with so many draws); where it
    is above 0.05, no statement about significance at 5 % may be made. `n_assignments` counts the distinct assignments of the
    doses to the districts; `draws` is 0 when all of them were computed (`exact`).
    """

    statistic: float
    p_value: float
    attainable: float
    n_assignments: int
    draws: int
    exact: bool


def dose_slope_ols(tau: FloatArray, dose: FloatArray, level: float = 0.95) -> DoseSlope:
    """Least squares of district effects on dose, every district counting the same, with t(D - 2).

    b = sum x_d tau_d / S, x_d = dose_d - mean dose, S = sum x_d^2; se^2 = RSS / (D - 2) / S.

    Parameters
    ----------
    tau, dose : (D,) effects and doses; level : coverage of the interval, between 0 and 1.

    Assumptions: u_d independent with equal variance and normal (D is too small for anything else to help), none checked. Where the
    top dose falls on the smallest district, the variances are unequal in the bad way: it rejected in 12 to 17 % at 5 % (simulated).
    Raises DesignError for fewer than 3 districts, doses that do not vary, unequal lengths, values that are not finite, a level
    outside (0, 1) and effects exactly on a line. Source: Donald and Lang (2007), Review of Economics and Statistics 89, 221-233.

    >>> slope = dose_slope_ols(np.array([0.0, 1.0, 5.0]), np.array([0.0, 1.0, 2.0]))
    >>> round(slope.estimate, 4), round(slope.std_error, 4), slope.degrees_of_freedom
    (2.5, 0.866, 1)
    """
    validate_districts(dose, tau=tau, level=level)
    dose, effects = np.asarray(dose, dtype=np.float64), np.asarray(tau, dtype=np.float64) - np.float64(tau[0])
    estimate, spread, rss = _line(effects, dose, np.ones(dose.size))
    if rss <= NO_RESIDUAL * float(effects @ effects):
        what, remedy = "The district effects lie exactly on a line.", "report them without a test; check where they come from"
        raise DesignError(Problem(what=what, where="tau", remedy=remedy))
    return _t_slope(estimate, math.sqrt(rss / (dose.size - 2) / spread), dose.size - 2, level)


def dose_slope_knapp_hartung(tau: FloatArray, std_error: FloatArray, dose: FloatArray, level: float = 0.95) -> DoseSlope:
    """Random-effects meta-regression of district effects on dose, Paule-Mandel tau^2, Knapp-Hartung variance, t(D - 2).

    With w_d = 1 / (std_error_d^2 + tau2): b = sum w_d x_d tau_d / S, x_d = dose_d - weighted mean dose, S = sum w_d x_d^2;
    Q = sum w_d residual_d^2; tau2 >= 0 solves Q = D - 2 and is 0 if Q <= D - 2 there; se^2 = max(1, Q / (D - 2)) / S.

    Paule-Mandel rather than DerSimonian-Laird: Veroniki et al. (2016) recommend it, and it makes Q / (D - 2) one whenever tau2 > 0,
    so that truncation at 1 acts only where tau2 = 0. There it keeps the interval from being narrower than the districts' own
    sampling errors allow; Röver, Knapp and Friede (2015) recommend it for few and unequal units. Price: conservative for D near 5.

    Parameters
    ----------
    tau, std_error, dose : (D,) effects, their standard errors (same units), doses; level : coverage, between 0 and 1.

    Assumptions: tau_d normal around the line with variance std_error_d^2 + tau2, independent, std_error_d known; none checked.
    Raises DesignError as `dose_slope_ols` (a line is no problem here) and for standard errors that are not positive.
    Source: Knapp and Hartung (2003), Statistics in Medicine 22, 2693-2710; Paule and Mandel (1982); Röver, Knapp and Friede (2015),
    BMC Medical Research Methodology 15:99; Veroniki et al. (2016), Research Synthesis Methods 7, 55-79.

    >>> slope = dose_slope_knapp_hartung(np.array([0.0, 1.0, 5.0]), np.ones(3), np.array([0.0, 1.0, 2.0]))
    >>> round(slope.estimate, 4), round(slope.std_error, 4), round(slope.heterogeneity, 4)
    (2.5, 0.866, 0.5)
    """
    validate_districts(dose, tau=tau, std_error=std_error, level=level)
    tau, dose = np.asarray(tau, dtype=np.float64), np.asarray(dose, dtype=np.float64)
    variance, free = np.square(std_error, dtype=np.float64), tau.size - 2
    heterogeneity = _paule_mandel(variance, free, lambda weight: _line(tau, dose, weight)[2])
    estimate, spread, q = _line(tau, dose, 1.0 / (variance + heterogeneity))
    return _t_slope(estimate, math.sqrt(max(1.0, q / free) / spread), free, level, heterogeneity)


def permutation_test(
    tau: FloatArray,
    std_error: FloatArray,
    dose: FloatArray,
    *,
    studentised: bool = True,
    draws: int = DEFAULT_DRAWS,
    rng: np.random.Generator,
) -> PermutationTest:
    """Two-sided test of b = 0 that permutes the doses over the districts, each keeping its effect and standard error.

    Raw statistic: |b|, b = sum x_d tau_d / sum x_d^2 the least-squares slope, x_d = dose_d - mean dose. Studentised: |b| / se(b),
    se(b)^2 = sum x_d^2 v_d / (sum x_d^2)^2, v_d = std_error_d^2 + tau2, tau2 the Paule-Mandel value of the model without dose. v_d
    stays with its district, so that the statistic has the same null variance under each assignment, and unlike a residual-based
    standard error it does not collapse when one district alone has the high dose. p = share of the distinct assignments with a
    statistic at least as large as the observed; above 50,000 assignments (1 + count) / (1 + draws) over random ones.

    Parameters
    ----------
    tau, std_error, dose : (D,) as in `dose_slope_knapp_hartung`; draws : random assignments, used only where not all are computed;
    rng : generator, used only there.

    Assumptions: under b = 0 doses are exchangeable over districts (then the level is exact for either statistic), not checked.
    Where the doses go with district size that fails: at 5 %, the raw test rejected in 2 to 14 %, the studentised in 3 to 6 %.
    Raises DesignError as `dose_slope_knapp_hartung`, and for draws below 1.
    Source: Janssen (1997), Statistics and Probability Letters 36, 9-21; DiCiccio and Romano (2017), JASA 112, 1211-1220; for
    meta-regression Higgins and Thompson (2004), Statistics in Medicine 23, 1663-1682; for the + 1 Phipson and Smyth (2010).

    >>> effects, doses = np.array([3.0, 0.1, 0.2, -0.1, 0.0]), np.array([100.0, 50, 50, 50, 50])
    >>> test = permutation_test(effects, np.ones(5), doses, rng=np.random.default_rng(0))
    >>> test.p_value, test.attainable, test.n_assignments, test.exact
    (0.2, 0.2, 5, True)
    """
    validate_districts(dose, tau=tau, std_error=std_error, draws=draws)
    levels, counts, size = _dose_levels(dose)
    exact = size <= MOST_ENUMERATED
    others = _all_assignments(levels, counts) if exact else rng.permuted(np.tile(levels, (draws, 1)), axis=1)
    effects = np.asarray(tau, dtype=np.float64) - np.float64(tau[0])  # constant effects become exact zeros
    variance = _null_variance(effects, np.asarray(std_error, dtype=np.float64)) if studentised else None
    statistic = _statistics(effects, variance, np.vstack([levels, others]))
    extreme = int((statistic[1:] >= statistic[0] * (1.0 - TIE)).sum())
    least = attainable_p(dose)
    return PermutationTest(
        statistic=float(statistic[0]) / (1.0 if studentised else float(np.ptp(dose))),
        p_value=extreme / size if exact else (1 + extreme) / (1 + draws),
        attainable=least if exact else max(least, 1.0 / (1 + draws)),
        n_assignments=size,
        draws=0 if exact else draws,
        exact=exact,
    )


def attainable_p(dose: FloatArray) -> float:
    """Smallest two-sided p-value that a permutation of these doses (D,) over districts can give, whatever the effects.

    1 / N with N = D! / (n_1! n_2! ...) distinct assignments, n_k districts at level k; 2 / N if the doses lie symmetrically about
    their mean, because every assignment then has a mirror image with the opposite slope. It holds for both statistics and some
    effects reach it (raw: those on a line). Doses are compared to 9 decimals of their range. Raises as `dose_slope_ols`.

    >>> [round(attainable_p(np.array([100.0, 50, 50, 50, 50, *more])), 3) for more in ([], [50], [100], [25], [0])]
    [0.2, 0.167, 0.067, 0.033, 0.067]
    """
    validate_districts(dose)
    levels, _, size = _dose_levels(dose)
    ordered = np.sort(levels)
    symmetric = np.allclose(ordered + ordered[::-1], 1.0, rtol=0.0, atol=2.0 * 10.0**-SAME_DOSE_DIGITS)
    return (2 if symmetric else 1) / size


def _t_slope(estimate: float, std_error: float, free: int, level: float, heterogeneity: float | None = None) -> DoseSlope:
    half = critical_value(level, free) * std_error
    return DoseSlope(
        estimate=estimate,
        std_error=std_error,
        conf_low=estimate - half,
        conf_high=estimate + half,
        p_value=float(two_sided_p(estimate / std_error, free)),
        degrees_of_freedom=free,
        level=level,
        heterogeneity=heterogeneity,
    )


def _line(tau: FloatArray, dose: FloatArray, weight: FloatArray) -> tuple[float, float, float]:
    """Weighted least squares with intercept: slope, weighted sum of squares of the centred dose, of the residuals."""
    x, y = (values - np.average(values, weights=weight) for values in (dose, tau))
    spread = float(weight @ x**2)
    slope = float(weight @ (x * y)) / spread
    return slope, spread, float(weight @ (y - slope * x) ** 2)


def _paule_mandel(variance: FloatArray, free: int, q: Callable[[FloatArray], float]) -> float:
    """The tau2 >= 0 at which `q`, a weighted residual sum of squares given weights, equals its degrees of freedom `free`.

    q decreases in tau2 and is at most q(1) / tau2, hence below `free` at twice q(1) / free: a bracket in the data's own units.
    """
    from scipy.optimize import brentq

    if q(1.0 / variance) <= free:
        return 0.0
    top = 2.0 * q(np.ones(variance.size)) / free
    return top * float(brentq(lambda share: q(1.0 / (variance + share * top)) - free, 0.0, 1.0, xtol=1e-15, rtol=1e-14))


def _null_variance(tau: FloatArray, std_error: FloatArray) -> FloatArray:
    """Variance of each district's effect in the model without dose: std_error^2 + tau2."""
    variance = std_error**2
    return variance + _paule_mandel(
        variance, tau.size - 1, lambda weight: float(weight @ (tau - np.average(tau, weights=weight)) ** 2)
    )


def _statistics(tau: FloatArray, variance: FloatArray | None, doses: FloatArray) -> FloatArray:
    """|slope| for each row of `doses` (N, D), over its standard error if `variance` (D,) is given."""
    x = doses - doses.mean(axis=1, keepdims=True)
    scale = (x**2).sum(axis=1) if variance is None else np.sqrt(x**2 @ variance)
    return np.asarray(np.abs(x @ (tau - tau.mean())) / scale)


def _dose_levels(dose: FloatArray) -> tuple[FloatArray, IntArray, int]:
    """Doses on [0, 1], one value per level, the count of each level in ascending order, the number of distinct assignments."""
    dose = np.asarray(dose, dtype=np.float64)
    share = (dose - dose.min()) / np.ptp(dose)
    _, first, level, counts = np.unique(
        np.round(share, SAME_DOSE_DIGITS), return_index=True, return_inverse=True, return_counts=True
    )
    return share[first][level], counts, math.factorial(dose.size) // math.prod(math.factorial(int(n)) for n in counts)


def _all_assignments(levels: FloatArray, counts: IntArray) -> FloatArray:
    """Every distinct order of `levels`, one per row: level after level takes its places among those still free."""
    free, rows = np.arange(levels.size)[np.newaxis, :], np.zeros((1, levels.size))
    for value, count in zip(np.unique(levels), counts.tolist(), strict=True):
        places = range(free.shape[1])
        taken = np.array(list(combinations(places, count)))
        left = np.array([[p for p in places if p not in chosen] for chosen in map(set, taken.tolist())], dtype=np.int64)
        rows = np.repeat(rows, len(taken), axis=0)
        np.put_along_axis(rows, free[:, taken].reshape(-1, count), value, axis=1)
        free = free[:, left].reshape(len(rows), -1)
    return rows


def validate_districts(
    dose: FloatArray, *, tau: FloatArray | None = None, std_error: FloatArray | None = None, level: float = 0.95, draws: int = 1
) -> None:
    """Refuse, with all problems at once, what no district-level test can use."""
    given = (("dose", dose), ("tau", tau), ("std_error", std_error))
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in given if values is not None}
    problems = []
    shapes, size = ", ".join(f"{name} {values.shape}" for name, values in arrays.items()), arrays["dose"].size
    if any(values.ndim != 1 or values.shape != arrays["dose"].shape for values in arrays.values()):
        problems.append(Problem(what="The arrays do not have one length.", where=shapes, remedy="one value per district in each"))
    elif size < FEWEST_DISTRICTS:
        what = f"{size} districts; a slope needs {FEWEST_DISTRICTS}."
        problems.append(Problem(what=what, where=shapes, remedy="pool cities, or report the district effects without a slope"))
    for name, values in arrays.items():
        problems += _positions(name, "not finite", ~np.isfinite(values), "find the value or leave the district out of all arrays")
        if name == "std_error":
            problems += _positions(name, "not positive", values <= 0.0, "estimate it or leave the district out of all arrays")
    finite = arrays["dose"][np.isfinite(arrays["dose"])]
    if finite.size > 1 and np.ptp(finite) <= TIE * np.abs(finite).max():
        problems.append(Problem(what="The dose is the same in every district.", where="dose", remedy="report the common effect"))
    if not 0.0 < level < 1.0:
        problems.append(Problem(what="The level is not between 0 and 1.", where="level", remedy="0.95 for a 95 % interval"))
    if draws < 1:
        problems.append(Problem(what="No draws.", where="draws", remedy=f"at least 1; {DEFAULT_DRAWS:,} is the default"))
    raise_if_any(DesignError, problems)


def _positions(name: str, what: str, bad: BoolArray, remedy: str) -> list[Problem]:
    """The problem of `name`, districts by number from 1, or none."""
    where = np.flatnonzero(bad) + 1
    first = ", ".join(f"district {number}" for number in where[:3])
    what = f"{where.size} values of {name} are {what}."
    return [Problem(what=what, where=name, first=first, remedy=remedy)] if where.size else []
