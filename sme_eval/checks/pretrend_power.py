"""What the test of trends before treatment could have missed.

A test that does not reject says little if it could not have rejected. For a linear drift γ through the base the joint Wald test has
non-centrality γ² δ'V⁻δ, δ the distances of the leads from the base: so the drift that it finds with a given probability is known
exactly, and with it the bias that such a drift would make in the average effect, mean distance × γ. Given that the test passed,
E[leads | passed] = γδ · F_{r+2}(c; λ) / F_r(c; λ) with F the non-central chi-squared (r restrictions, c critical value): the leads'
shortfall moves the average effect through their covariance. Source: Roth (2022), "Pretest with Caution", whose draws this replaces
because the acceptance region of a Wald test is a ball. Assumes effects normal with the estimated covariance, and a drift that would
have gone on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sme_eval.results.effects import Effects
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.inference import JOINT_RANK_CUTOFF
from sme_eval.stats.least_squares import scaled_pseudoinverse

from .protocol import CheckResult, Row, Table

EVEN, HIGH = 0.5, 0.8
"""Probabilities of detection that a drift is looked for at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectableDrift:
    """The yearly drift that the test finds with `probability`; its `bias` in the average effect, and given that the test passed."""

    probability: float
    slope: float
    bias: float
    bias_passed: float


def detectable_drift(
    effects: Effects, leads: BoolArray, weight: FloatArray, base_period: str, alpha: float, probability: float
) -> DetectableDrift | None:
    """The drift found with `probability` by the joint test of the `leads` at `alpha`; None without a usable lead.

    `weight` (J,) of the effects in the average whose bias is asked. With a varying base the leads are yearly changes, each of which
    a drift moves by itself; with a universal base they are levels relative to event time −1.
    """
    from scipy import optimize, stats

    time = np.asarray(effects.keys["event_time"], dtype=np.float64)
    used = leads & (time < 0) & np.isfinite(effects.estimate) & (np.diag(effects.covariance) > 0.0)
    if not used.any():
        return None
    distance = np.ones(int(used.sum())) if base_period == "varying" else time[used] + 1.0
    covariance = effects.covariance[np.ix_(used, used)]
    inverse, rank = scaled_pseudoinverse(covariance), _rank(covariance)
    seen = float(distance @ inverse @ distance)
    if seen <= 0.0:
        return None
    critical = float(stats.chi2.isf(alpha, rank))
    most = (math.sqrt(critical) + 10.0) ** 2
    found = optimize.brentq(lambda nc: float(stats.ncx2.sf(critical, rank, nc)) - probability, 1e-12, most, xtol=1e-12)
    slope = math.sqrt(float(found) / seen)
    shrunk = float(stats.ncx2.cdf(critical, rank + 2, found) / stats.ncx2.cdf(critical, rank, found))
    bias = slope * float(weight @ (time + 1.0))
    shared = weight @ np.nan_to_num(effects.covariance[:, used]) @ inverse @ distance
    return DetectableDrift(
        probability=probability, slope=slope, bias=bias, bias_passed=bias + slope * (shrunk - 1.0) * float(shared)
    )


def _rank(covariance: FloatArray) -> int:
    """Restrictions of the joint test: those that repeat others count once."""
    scale = np.sqrt(np.diag(covariance))
    value = np.linalg.eigvalsh(covariance / np.outer(scale, scale))
    return int((value > JOINT_RANK_CUTOFF * value.max()).sum())


def check_pretrend_power(
    drifts: tuple[DetectableDrift, DetectableDrift] | None,
    *,
    log: bool,
    headline: float,
    smallest_effect: float | None,
    n_treated: int | None = None,
) -> CheckResult:
    """The drifts found with probability EVEN and HIGH, beside the headline and the smallest effect of interest. Informative."""
    if drifts is None:
        return CheckResult(name="pretrend_power", threat="trends", passed=None, reason="pretrend_power_unknown")
    even, high = drifts
    numbers = {"even": even.probability, "high": high.probability}
    for name, drift in (("even", even), ("high", high)):
        told = {"slope": drift.slope, "bias": drift.bias, "passed": drift.bias_passed}
        numbers |= {f"{key}_{name}": 100.0 * math.expm1(value) if log else value for key, value in told.items()}
    known = smallest_effect is not None and math.isfinite(headline)
    if smallest_effect is not None and math.isfinite(headline):
        told = {"smallest": smallest_effect, "headline": headline}
        numbers |= {key: 100.0 * math.expm1(value) if log else value for key, value in told.items()}
    return CheckResult(
        name="pretrend_power",
        threat="trends",
        passed=None,
        reason=("pretrend_power_log" if known else "pretrend_power_log_alone")
        if log
        else ("pretrend_power_level" if known else "pretrend_power_level_alone"),
        numbers=numbers,
        statistic=high.slope,
        table=_table(drifts, n_treated) if log else None,
    )


def _table(drifts: tuple[DetectableDrift, DetectableDrift], n_treated: int | None) -> Table:
    """One row per probability, in per cent."""
    columns = ("share_detected", "percent_slope", "percent_bias", "percent_bias_passed")
    rows = []
    for key, drift in zip(("even", "high"), drifts, strict=True):
        percent = [100.0 * math.expm1(value) for value in (drift.slope, drift.bias, drift.bias_passed)]
        values = dict(zip(columns, (drift.probability, *percent), strict=True))
        rows.append(Row(key=key, values=values, n_firms=n_treated))
    return Table(columns=columns, rows=tuple(rows))
