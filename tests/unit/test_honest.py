"""Sensitivity to trends: identities, brute force, and size by simulation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

import sme_eval as sme
from sme_eval.checks.effect_path import effect_path
from sme_eval.checks.relative_magnitudes import check_relative_magnitudes
from sme_eval.checks.smoothness import check_smoothness
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.honest_conditional import accepted, hypotheses
from sme_eval.stats.honest_intervals import Path, Restriction, breakdown, honest_interval
from sme_eval.stats.honest_length import folded_quantile, shortest_interval
from sme_eval.stats.honest_restrictions import relative_magnitudes, smoothness

ALPHA = 0.05
ALL: tuple[Restriction, ...] = ("relative_magnitudes", "smoothness", "smoothness_conditional")


def path(seed: int = 0, n_before: int = 3, n_after: int = 3, shift: float = 0.0) -> Path:
    rng = np.random.default_rng(seed)
    size = n_before + n_after
    root = rng.normal(size=(size, size)) * 0.02 + np.eye(size) * 0.05
    estimate = rng.normal(scale=0.05, size=size) + np.r_[np.zeros(n_before), np.full(n_after, shift)]
    return Path(estimate=estimate, covariance=root @ root.T, weights=np.full(n_after, 1.0 / n_after))


@pytest.mark.parametrize("restriction", ALL)
def test_an_interval_far_from_zero_is_the_same_interval_moved(restriction: Restriction) -> None:
    """Restrictions concern trends, not effects; R's default grid would have cut this one."""
    here, there = path(), path(shift=10.0)
    near = honest_interval(here, restriction, 0.5, alpha=ALPHA)
    far = honest_interval(there, restriction, 0.5, alpha=ALPHA)
    assert np.subtract(far, near) == pytest.approx([10.0, 10.0], abs=1e-6)


@pytest.mark.parametrize("restriction", ALL)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 50), unit=st.sampled_from([1e-4, 100.0]))
def test_units_scale_intervals(restriction: Restriction, seed: int, unit: float) -> None:
    one = path(seed)
    other = Path(estimate=one.estimate * unit, covariance=one.covariance * unit**2, weights=one.weights)
    bound = 0.7 if restriction == "relative_magnitudes" else 0.01
    scaled = bound if restriction == "relative_magnitudes" else bound * unit
    found = np.array(honest_interval(one, restriction, bound, alpha=ALPHA)) * unit
    assert np.array(honest_interval(other, restriction, scaled, alpha=ALPHA)) == pytest.approx(found, rel=1e-5, abs=1e-7 * unit)


@pytest.mark.parametrize("restriction", ALL)
def test_wider_bounds_give_wider_intervals(restriction: Restriction) -> None:
    one = path(3)
    ends = [honest_interval(one, restriction, bound, alpha=ALPHA) for bound in (0.0, 0.02, 0.1, 0.5, 2.0)]
    lows, highs = np.array(ends).T
    assert (np.diff(lows) <= 1e-6).all() and (np.diff(highs) >= -1e-6).all()
    assert highs[-1] - lows[-1] > highs[0] - lows[0]


def test_a_dozen_periods_are_no_burden() -> None:
    """Corners are known in closed form: their number is that of the periods and two."""
    one = path(6, 10, 12)
    (matrix, *_) = relative_magnitudes(10, 12, 1.0)
    assert len(hypotheses((matrix, 0.0), one.estimate, one.covariance, one.weights, alpha=ALPHA, seed=0).vertices) == 14
    low, high = honest_interval(one, "relative_magnitudes", 0.5, alpha=ALPHA)
    assert low < one.average < high


@pytest.mark.parametrize("restriction", ALL)
def test_breakdown_is_where_zero_enters(restriction: Restriction) -> None:
    one = path(1, shift=0.25)
    found = breakdown(one, restriction, alpha=ALPHA)
    assert 0.0 < found < math.inf
    inside = honest_interval(one, restriction, 0.99 * found, alpha=ALPHA)
    outside = honest_interval(one, restriction, 1.01 * found, alpha=ALPHA)
    assert inside[0] > 0.0 > outside[0]


def test_nothing_to_break_down() -> None:
    flat = Path(estimate=np.zeros(6), covariance=path().covariance, weights=np.full(3, 1 / 3))
    assert [breakdown(flat, restriction, alpha=ALPHA) for restriction in ALL] == [0.0, 0.0, 0.0]


# --- pieces against brute force --------------------------------------------------------------------------------------


def test_statistic_is_the_linear_programme_of_the_paper() -> None:
    one = path(5)
    for matrix in relative_magnitudes(3, 3, 0.8):
        asked = hypotheses((matrix, 0.0), one.estimate, one.covariance, one.weights, alpha=ALPHA, seed=0)
        for theta in (-0.2, 0.05, 0.3):
            moments = asked.level - asked.slope * theta
            found = float((asked.vertices @ moments).max())
            rows = np.flatnonzero((np.abs(matrix[:, 3:]) > 1e-10).any(axis=1))
            free = (matrix[:, 3:] @ np.linalg.svd(one.weights[None, :])[2][1:].T)[rows]
            sd = np.sqrt(np.diag(asked.covariance))
            solved = optimize.linprog(
                np.r_[1.0, 0.0, 0.0], A_ub=-np.column_stack([sd, free]), b_ub=-moments, bounds=[(None, None)] * 3, method="highs"
            )
            assert found == pytest.approx(solved.fun, abs=1e-9)


@pytest.mark.parametrize("bound", [0.0, 0.004, 0.03, 0.3])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 1), (4, 3)])
def test_fixed_length_interval_is_the_shortest(bound: float, shape: tuple[int, int]) -> None:
    """Against a general minimiser over all weights that are free of a linear trend."""
    one = path(2, *shape)
    n_before, weights = shape[0], one.weights
    found = shortest_interval(one.covariance, n_before, weights, bound, ALPHA)
    times = np.r_[-np.arange(n_before, 0, -1), np.arange(1, shape[1] + 1)].astype(float)
    assert found.weights @ times == pytest.approx(0.0, abs=1e-10)
    # The worst bias by linear programming over δ with bounded second differences.
    matrix = smoothness(*shape)
    worst = optimize.linprog(-found.weights, A_ub=matrix, b_ub=np.full(len(matrix), bound), bounds=[(None, None)] * len(times))
    assert found.bias == pytest.approx(-worst.fun, abs=1e-9)
    fixed = times[n_before:] @ weights

    def half_length(free: FloatArray) -> float:
        last = -(fixed + times[: n_before - 1] @ free) / times[n_before - 1]
        a = np.r_[free, last, weights]
        programme = optimize.linprog(-a, A_ub=matrix, b_ub=np.full(len(matrix), bound), bounds=[(None, None)] * len(a))
        sd = math.sqrt(a @ one.covariance @ a)
        return sd * folded_quantile(-programme.fun / sd, 0.95)

    start = found.weights[: n_before - 1]
    assert half_length(start) == pytest.approx(found.half_length, rel=1e-7)
    if n_before > 1:
        rng = np.random.default_rng(0)
        nearby = [half_length(start + rng.normal(scale=scale, size=len(start))) for scale in (1e-3, 0.03, 0.3) for _ in range(8)]
        assert min(nearby) >= found.half_length - 1e-9


@pytest.mark.parametrize("bias", [0.0, 0.3, 2.0, 7.9, 8.1, 40.0])
def test_folded_quantile(bias: float) -> None:
    value = folded_quantile(bias, 0.95)
    assert stats.norm.cdf(value - bias) - stats.norm.cdf(-value - bias) == pytest.approx(0.95, abs=1e-10)


def test_conditional_test_keeps_its_level() -> None:
    """At the edge of the identified set: with 2,000 draws a rate of 5 % has a Monte Carlo error of 0.5 points."""
    base, rng = path(4), np.random.default_rng(8)
    truth = np.array([0.3, 0.1, -0.1, 0.0, 0.0, 0.0])  # the largest earlier change is 0.2, always up to the base
    root = np.linalg.cholesky(base.covariance * 0.2)
    sets = list(relative_magnitudes(3, 3, 1.0))
    tests = [hypotheses((m, 0.0), truth, base.covariance * 0.2, base.weights, alpha=ALPHA, seed=0) for m in sets]
    after = [np.flatnonzero((np.abs(m[:, 3:]) > 1e-10).any(axis=1)) for m in sets]
    edge = np.array([0.4])  # δ falls by 0.2 a year, the average of 0.2, 0.4, 0.6
    rejected = 0
    for _ in range(2000):
        draw = truth + root @ rng.normal(size=6)
        drawn = (replace(one, level=(m @ draw)[rows]) for one, m, rows in zip(tests, sets, after, strict=True))
        rejected += not any(accepted(one, edge, ALPHA)[0] for one in drawn)
    assert rejected / 2000 <= 0.05 + 3.0 * 0.005


# --- from effects to a path ------------------------------------------------------------------------------------------


def effects(times: tuple[int, ...], estimate: list[float], covariance: FloatArray) -> Effects:
    basis = Basis(n_firms=100, n_observations=700, n_clusters=100, convention="")
    names = tuple(f"event time {e}" for e in times)
    return Effects(
        term=names, estimate=np.array(estimate), covariance=covariance, basis=basis, keys={"event_time": times},
        notes=("",) * len(times), n_treated=(50,) * len(times),
    )  # fmt: skip


def test_universal_base_is_left_out() -> None:
    covariance = np.diag([1.0, 2.0, 0.0, 3.0, 4.0])
    found = effect_path(effects((-3, -2, -1, 0, 1), [0.1, 0.2, 0.0, 0.4, 0.5], covariance))
    assert isinstance(found, Path)
    assert found.estimate.tolist() == [0.1, 0.2, 0.4, 0.5]
    assert np.diag(found.covariance).tolist() == [1.0, 2.0, 3.0, 4.0]
    assert found.weights.tolist() == [0.5, 0.5]


def test_yearly_changes_become_levels() -> None:
    covariance = np.diag([1.0, 2.0, 3.0, 4.0, 5.0])
    found = effect_path(effects((-3, -2, -1, 0, 1), [0.1, 0.2, 0.3, 0.4, 0.5], covariance), varying=True)
    assert isinstance(found, Path)
    assert found.estimate == pytest.approx([-0.6, -0.5, -0.3, 0.4, 0.5])  # levels at −4, −3, −2
    assert np.diag(found.covariance) == pytest.approx([6.0, 5.0, 3.0, 4.0, 5.0])
    assert found.covariance[0, 1] == pytest.approx(5.0)


def test_varying_and_universal_bases_give_the_same_path() -> None:
    panel, _ = sme.simulate_ningbo(seed=1, scenario="clean", firms=2500)
    kept = panel.frame[panel.frame["certified_year"].isin([0, 2021])]
    sample = sme.Sample.from_frame(kept, firm="firm", year="year", outcome="log_revenue", cohort="certified_year")
    bases = ("varying", "universal")
    fits = [sme.CallawaySantAnna(base_period=base).fit(sample).aggregate("dynamic").effects for base in bases]  # type: ignore[arg-type]
    first, second = (effect_path(e, varying=base == "varying") for e, base in zip(fits, bases, strict=True) if e is not None)
    assert isinstance(first, Path) and isinstance(second, Path)
    assert first.estimate == pytest.approx(second.estimate, abs=1e-12)
    assert first.covariance == pytest.approx(second.covariance, abs=1e-14)


def test_settled_years_are_no_periods() -> None:
    """Given growth from −3 to −1 the lead at −4 is one year from a base."""
    covariance = np.diag([1.0, 2.0, 0.0, 9.0, 0.0, 3.0])
    leads = effects((-5, -4, -3, -2, -1, 0), [0.1, 0.2, 0.0, 9.0, 0.0, 0.4], covariance)
    found = effect_path(leads, -4)
    assert isinstance(found, Path) and found.estimate.tolist() == [0.1, 0.2, 0.4]
    unsettled = effects((-5, -4, -3, -2, -1, 0), [0.1, 0.2, 0.3, 9.0, 0.0, 0.4], np.diag([1.0, 2.0, 1.0, 9.0, 0.0, 3.0]))
    assert isinstance(effect_path(unsettled, -4), Unavailable)


def test_a_gap_ends_the_path_and_no_lead_gives_none() -> None:
    gap = effects((-4, -2, -1, 0, 2), [0.1, 0.2, 0.0, 0.4, 0.5], np.diag([1.0, 2.0, 0.0, 3.0, 4.0]))
    found = effect_path(gap)
    assert isinstance(found, Path) and found.estimate.tolist() == [0.2, 0.4]
    assert isinstance(effect_path(effects((-1, 0), [0.0, 0.4], np.diag([0.0, 1.0]))), Unavailable)


# --- checks and the user's function ----------------------------------------------------------------------------------


def test_checks_inform_and_say_the_breakdown() -> None:
    one = path(1, shift=0.25)
    for check in (check_relative_magnitudes(one, ALPHA, 50, 0), check_smoothness(one, ALPHA, 0.03, 50, 0)):
        assert check.passed is None and check.reason.endswith("_breakdown") and check.table is not None
        assert check.numbers["breakdown"] == check.statistic and check.table.rows[0].key == "original"
    covered = path(1)
    assert check_smoothness(covered, ALPHA, None, 50, 0).reason == "smoothness_covers"
    assert check_relative_magnitudes(Unavailable("none"), ALPHA, None, 0).reason == "sensitivity_unknown"


def test_users_function_and_its_refusals() -> None:
    panel, _ = sme.simulate_ningbo(seed=1, scenario="clean", firms=2500)
    sample = sme.Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_revenue", cohort="certified_year")
    study = sme.EventStudyRegression().fit(sample)
    found = sme.honest_did(study, "smoothness", target="first")
    frame = found.to_frame()
    assert frame["note"].iloc[0] == "parallel trends" and len(frame) == 1 + len(found.bounds)
    assert "zero stays outside" in found.summary() and found.plot() is not None
    weights = np.eye(sum(e >= 0 for e in study.effects.keys["event_time"]))[0]
    assert sme.honest_did(study, "smoothness", target=weights.tolist()).conf_low == found.conf_low
    with pytest.raises(sme.DesignError, match=r"restriction='rm'(.|\n)*A bound is negative"):
        sme.honest_did(study, "rm", bounds=(-1.0,))  # type: ignore[arg-type]
    with pytest.raises(sme.DesignError, match="no effects by event time"):
        sme.honest_did(sme.TwoWayFixedEffects().fit(sample))  # type: ignore[arg-type]
