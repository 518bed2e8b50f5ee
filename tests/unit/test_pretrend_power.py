"""Power of the joint test against a drift: against draws, closed forms and the decision that it is about."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sme_eval.checks.pretrend_power import EVEN, HIGH, DetectableDrift, check_pretrend_power, detectable_drift
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects

TIMES = (-5, -4, -3, -2, -1, 0, 1, 2)
LATE = np.array([0.0] * 5 + [1 / 3] * 3)
EARLY = np.array(TIMES) < 0


def effects(seed: int = 0, *, universal: bool = True, repeat: bool = False) -> Effects:
    """Effects with a correlated covariance; with a universal base event time −1 is fixed at zero."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(len(TIMES), len(TIMES))) * 0.01 + 0.01 * np.eye(len(TIMES)) + 0.008
    if repeat:
        root[1] = root[0]
    if universal:
        root[TIMES.index(-1)] = 0.0
    basis = Basis(n_firms=100, n_observations=800, n_clusters=100, convention="")
    return Effects(
        term=tuple(str(e) for e in TIMES),
        estimate=np.zeros(len(TIMES)),
        covariance=root @ root.T,
        basis=basis,
        keys={"event_time": TIMES},
        notes=("",) * len(TIMES),
    )


def found(given: Effects, base: str, probability: float, alpha: float = 0.05) -> DetectableDrift:
    drift = detectable_drift(given, EARLY, LATE, base, alpha, probability)
    assert drift is not None
    return drift


def distances(base: str) -> tuple[np.ndarray, np.ndarray]:
    used = EARLY if base == "varying" else EARLY & (np.array(TIMES) != -1)
    return used, np.ones(used.sum()) if base == "varying" else np.array(TIMES)[used] + 1.0


@pytest.mark.parametrize("base", ["universal", "varying"])
@pytest.mark.parametrize("probability", [EVEN, HIGH])
def test_draws_reject_as_often_and_are_as_biased(base: str, probability: float) -> None:
    """200,000 draws of leads and average effect under the drift: shares, and means among those that pass."""
    given = effects(universal=base == "universal")
    drift = found(given, base, probability)
    used, distance = distances(base)
    joint = np.vstack([np.eye(len(TIMES))[used], LATE])
    covariance = joint @ given.covariance @ joint.T
    mean = np.append(drift.slope * distance, drift.slope * float(LATE @ (np.array(TIMES) + 1.0)))
    draws = np.random.default_rng(1).multivariate_normal(mean, covariance, size=200_000)
    inverse = np.linalg.inv(covariance[:-1, :-1])
    passed = np.einsum("ij,jk,ik->i", draws[:, :-1], inverse, draws[:, :-1]) <= stats.chi2.isf(0.05, used.sum())
    assert abs((1 - passed.mean()) - probability) < 4 * math.sqrt(probability * (1 - probability) / len(draws))
    kept = draws[passed, -1]
    assert abs(kept.mean() - drift.bias_passed) < 4 * kept.std() / math.sqrt(len(kept))
    assert drift.bias == pytest.approx(mean[-1], rel=1e-12)


def test_one_lead_is_a_truncated_normal() -> None:
    """With one lead the test is |z| > 1.96: power and the mean of a doubly truncated normal are known."""
    given = effects()
    only = np.array(TIMES) == -3
    drift = detectable_drift(given, only, LATE, "universal", 0.05, HIGH)
    assert drift is not None
    error = math.sqrt(given.covariance[2, 2])
    shift, critical = -2.0 * drift.slope / error, stats.norm.isf(0.025)
    assert stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift) == pytest.approx(HIGH, abs=1e-9)
    lead = stats.truncnorm.mean(-critical - shift, critical - shift, loc=shift) * error
    slope = float(LATE @ given.covariance[:, 2]) / given.covariance[2, 2]
    assert drift.bias_passed == pytest.approx(drift.bias + slope * (lead + 2.0 * drift.slope), rel=1e-8)


def test_independent_leads_leave_the_bias_as_it_is() -> None:
    given = effects()
    covariance = given.covariance.copy()
    covariance[np.ix_(EARLY, ~EARLY)] = 0.0
    covariance[np.ix_(~EARLY, EARLY)] = 0.0
    apart = Effects(**{**{n: getattr(given, n) for n in given.__dataclass_fields__}, "covariance": covariance})
    drift = found(apart, "universal", HIGH)
    assert drift.bias_passed == pytest.approx(drift.bias, rel=1e-12)


def test_a_repeated_lead_counts_once() -> None:
    given = effects(repeat=True)
    drift = found(given, "universal", HIGH)
    assert math.isfinite(drift.slope) and drift.slope > 0.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0.2, 5.0), st.sampled_from(["universal", "varying"]))
def test_units_and_order(seed: int, scale: float, base: str) -> None:
    given = effects(seed, universal=base == "universal")
    first, high = found(given, base, EVEN), found(given, base, HIGH)
    assert first.slope < high.slope
    assert found(given, base, HIGH, alpha=0.01).slope > high.slope, "a stricter test misses more"
    parts = {name: getattr(given, name) for name in given.__dataclass_fields__}
    wider = found(Effects(**{**parts, "covariance": scale**2 * given.covariance}), base, HIGH)
    for name in ("slope", "bias", "bias_passed"):
        assert getattr(wider, name) == pytest.approx(scale * getattr(high, name), rel=1e-7)


def test_no_lead_no_answer() -> None:
    given = effects()
    assert detectable_drift(given, np.zeros(len(TIMES), dtype=bool), LATE, "universal", 0.05, HIGH) is None
    assert detectable_drift(given, np.array(TIMES) == -1, LATE, "universal", 0.05, HIGH) is None
    check = check_pretrend_power(None, log=True, headline=0.1, smallest_effect=0.03)
    assert (check.passed, check.reason, check.table) == (None, "pretrend_power_unknown", None)


def test_what_the_sentence_quotes() -> None:
    drifts = (
        DetectableDrift(probability=EVEN, slope=0.01, bias=0.02, bias_passed=0.025),
        DetectableDrift(probability=HIGH, slope=0.02, bias=0.04, bias_passed=0.05),
    )
    log = check_pretrend_power(drifts, log=True, headline=0.06, smallest_effect=0.03, n_treated=283)
    assert log.passed is None and log.reason == "pretrend_power_log" and log.statistic == 0.02
    assert log.numbers["slope_high"] == pytest.approx(100 * math.expm1(0.02))
    assert log.numbers["smallest"] == pytest.approx(100 * math.expm1(0.03))
    assert log.table is not None and [row.n_firms for row in log.table.rows] == [283, 283]
    assert log.table.rows[1].values["percent_bias_passed"] == pytest.approx(100 * math.expm1(0.05))
    alone = check_pretrend_power(drifts, log=True, headline=math.nan, smallest_effect=0.03)
    assert alone.reason == "pretrend_power_log_alone" and "headline" not in alone.numbers
    level = check_pretrend_power(drifts, log=False, headline=0.06, smallest_effect=0.03)
    assert (level.reason, level.numbers["bias_high"], level.table) == ("pretrend_power_level", 0.04, None)
    assert check_pretrend_power(drifts, log=False, headline=0.06, smallest_effect=None).reason == "pretrend_power_level_alone"
