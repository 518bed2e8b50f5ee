"""District-level inference on a dose: identities, permutations by brute force, what is attainable, size, refusals."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import statsmodels.api as sm

from sme_eval.errors import DesignError
from sme_eval.stats import few_clusters
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.few_clusters import (
    DoseSlope,
    attainable_p,
    dose_slope_knapp_hartung,
    dose_slope_ols,
    permutation_test,
)

EXACT = 1e-10
"""Closed forms and identities: rounding of a dozen numbers, and of the root of the Paule-Mandel equation."""

TAU = np.array([4.1, -2.0, 7.3, 0.4, 3.3, 9.9, -1.2])
STD_ERROR = np.array([3.4, 4.0, 6.7, 3.5, 5.5, 4.4, 3.9])
DOSE = np.array([50.0, 25, 100, 50, 75, 100, 50])


def values(slope: DoseSlope) -> FloatArray:
    return np.array([slope.estimate, slope.std_error, slope.conf_low, slope.conf_high, slope.p_value])


def generator() -> np.random.Generator:
    return np.random.default_rng(20)


# --- identities ------------------------------------------------------------------------------------------------------


def test_ols_is_statsmodels() -> None:
    other = sm.OLS(TAU, sm.add_constant(DOSE)).fit()
    expected = [other.params[1], other.bse[1], *other.conf_int(0.1)[1], other.pvalues[1]]
    got = dose_slope_ols(TAU, DOSE, level=0.9)
    np.testing.assert_allclose(values(got), expected, rtol=EXACT)
    assert (got.degrees_of_freedom, got.heterogeneity) == (other.df_resid, None)


def test_knapp_hartung_is_ols_when_standard_errors_are_equal_and_heterogeneity_dominates() -> None:
    """Then Q = RSS / (se^2 + tau2) = D - 2, so that se^2 + tau2 is the residual variance and the KH factor is one."""
    ols, got = dose_slope_ols(TAU, DOSE), dose_slope_knapp_hartung(TAU, np.full(7, 0.5), DOSE)
    np.testing.assert_allclose(values(got), values(ols), rtol=EXACT)
    residual_variance = ols.std_error**2 * ((DOSE - DOSE.mean()) ** 2).sum()
    assert got.heterogeneity == pytest.approx(residual_variance - 0.25, rel=EXACT)


def test_knapp_hartung_solves_the_paule_mandel_equation() -> None:
    """Unequal standard errors, tau2 > 0: statsmodels' WLS with the solved weights has residual variance one and the same answer."""
    std_error = STD_ERROR / 3.0
    got = dose_slope_knapp_hartung(TAU, std_error, DOSE)
    assert got.heterogeneity is not None
    assert got.heterogeneity > 0.0
    other = sm.WLS(TAU, sm.add_constant(DOSE), weights=1.0 / (std_error**2 + got.heterogeneity)).fit()
    assert other.scale == pytest.approx(1.0, rel=EXACT)
    np.testing.assert_allclose(values(got), [other.params[1], other.bse[1], *other.conf_int()[1], other.pvalues[1]], rtol=EXACT)


def test_knapp_hartung_by_hand() -> None:
    """Doses 0, 0, 1, 1, effects 1, 3, 5, 5, variances 2, 2, 1, 1.

    Group means 2 and 5, b = 3. Q = (1 + 1) / 2 = 1 < D - 2 = 2: tau2 = 0, factor truncated to 1, and the variance of b is the sum
    of the variances of two means, 2 / 2 + 1 / 2 = 3 / 2. t(2) has the closed form p = 1 - |t| / sqrt(2 + t^2).
    """
    got = dose_slope_knapp_hartung(np.array([1.0, 3, 5, 5]), np.sqrt([2.0, 2, 1, 1]), np.array([0.0, 0, 1, 1]))
    assert (got.estimate, got.heterogeneity) == (pytest.approx(3.0, rel=EXACT), 0.0)
    assert got.std_error == pytest.approx(math.sqrt(1.5), rel=EXACT)
    t = 3.0 / math.sqrt(1.5)
    assert got.p_value == pytest.approx(1.0 - t / math.sqrt(2.0 + t**2), rel=EXACT)


# --- permutations ----------------------------------------------------------------------------------------------------


def test_permutation_by_brute_force() -> None:
    """All 120 orders of five doses in three levels; each of the 20 distinct assignments is met six times, so p is the same."""
    tau, std_error, dose = TAU[:5], STD_ERROR[:5] / 3.0, np.array([50.0, 25, 100, 50, 50])

    def equation(tau2: float) -> float:
        weight = 1.0 / (std_error**2 + tau2)
        return float(weight @ (tau - weight @ tau / weight.sum()) ** 2) - 4.0

    low, high = 0.0, 1000.0
    for _ in range(100):  # bisection, independent of the root finder under test
        low, high = ((low + high) / 2, high) if equation((low + high) / 2) > 0.0 else (low, (low + high) / 2)
    assert low > 0.0
    for studentised in (False, True):
        share = []
        for order in permutations(dose):
            x = np.array(order) - dose.mean()
            b = x @ tau / (x @ x)
            share.append(abs(b) / math.sqrt(x**2 @ (std_error**2 + low)) * (x @ x) if studentised else abs(b))
        got = permutation_test(tau, std_error, dose, studentised=studentised, rng=generator())
        assert got.statistic == pytest.approx(share[0], rel=EXACT)  # the first order is the observed one
        assert got.p_value == pytest.approx(np.mean(np.array(share) >= share[0] * (1 - 1e-9)), rel=EXACT)
        assert (got.n_assignments, got.draws, got.exact) == (20, 0, True)


def test_raw_statistic_is_the_least_squares_slope() -> None:
    got = permutation_test(TAU, STD_ERROR, DOSE, studentised=False, rng=generator())
    assert got.statistic == pytest.approx(abs(dose_slope_ols(TAU, DOSE).estimate), rel=EXACT)


def test_draws_agree_with_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = permutation_test(TAU, STD_ERROR, DOSE, rng=generator())
    monkeypatch.setattr(few_clusters, "MOST_ENUMERATED", exact.n_assignments - 1)
    drawn = permutation_test(TAU, STD_ERROR, DOSE, draws=4_000, rng=generator())
    monte_carlo_error = math.sqrt(exact.p_value * (1 - exact.p_value) / 4_000)
    assert abs(drawn.p_value - exact.p_value) < 4 * monte_carlo_error
    assert (drawn.exact, drawn.draws, drawn.n_assignments) == (False, 4_000, exact.n_assignments)
    few = permutation_test(TAU, STD_ERROR, DOSE, draws=9, rng=generator())
    assert few.attainable == pytest.approx(0.1)  # ten orders cannot give less


def test_twelve_known_districts_are_enumerated_and_twelve_levels_are_drawn() -> None:
    tau, std_error = np.linspace(0.0, 5.0, 12), np.full(12, 4.0)
    known = permutation_test(tau, std_error, np.repeat([100.0, 50, 25], [1, 7, 4]), rng=generator())
    assert (known.n_assignments, known.exact) == (3_960, True)
    levels = permutation_test(tau, std_error, np.arange(12.0), draws=99, rng=generator())
    assert (levels.n_assignments, levels.exact, levels.p_value) == (math.factorial(12), False, 0.01)


def test_equal_effects_never_reject() -> None:
    for studentised in (False, True):
        assert permutation_test(np.full(7, 0.1), STD_ERROR, DOSE, studentised=studentised, rng=generator()).p_value == 1.0


# --- invariance ------------------------------------------------------------------------------------------------------


def test_order_of_districts_does_not_matter() -> None:
    order = np.array([3, 6, 0, 5, 1, 4, 2])
    tau, std_error, dose = TAU[order], STD_ERROR[order], DOSE[order]
    np.testing.assert_allclose(values(dose_slope_ols(tau, dose)), values(dose_slope_ols(TAU, DOSE)), rtol=EXACT)
    moved, here = (dose_slope_knapp_hartung(*a) for a in ((tau, std_error, dose), (TAU, STD_ERROR, DOSE)))
    np.testing.assert_allclose(values(moved), values(here), rtol=EXACT)
    first, second = (permutation_test(*a, rng=generator()) for a in ((tau, std_error, dose), (TAU, STD_ERROR, DOSE)))
    assert first.statistic == pytest.approx(second.statistic, rel=EXACT)
    assert replace(first, statistic=second.statistic) == second


@pytest.mark.parametrize("divisor", [1.0, 4.0], ids=["tau2 zero", "tau2 positive"])
def test_units_only_rescale(divisor: float) -> None:
    """dose -> 3 - 0.02 dose and tau -> 5 + 100 tau multiply b by -5000 and leave every p-value."""
    std_error = STD_ERROR / divisor
    tau, larger, dose = 5.0 + 100.0 * TAU, 100.0 * std_error, 3.0 - 0.02 * DOSE
    for before, after in (
        (dose_slope_ols(TAU, DOSE), dose_slope_ols(tau, dose)),
        (dose_slope_knapp_hartung(TAU, std_error, DOSE), dose_slope_knapp_hartung(tau, larger, dose)),
    ):
        expected = values(before) * [-5000, 5000, -5000, -5000, 1]
        np.testing.assert_allclose(values(after), expected[[0, 1, 3, 2, 4]], rtol=1e-8)
    for studentised in (False, True):
        first = permutation_test(TAU, std_error, DOSE, studentised=studentised, rng=generator())
        second = permutation_test(tau, larger, dose, studentised=studentised, rng=generator())
        assert (first.p_value, first.n_assignments, first.attainable) == (second.p_value, second.n_assignments, second.attainable)
        assert second.statistic == pytest.approx(first.statistic * (1.0 if studentised else 5000.0), rel=1e-8)


# --- what is attainable ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fenghua", "expected"),
    [([], 1 / 5), ([50.0], 1 / 6), ([100.0], 1 / 15), ([25.0], 1 / 30), ([0.0], 2 / 30)],
    ids=["five districts", "Fenghua 50", "Fenghua 100", "Fenghua 25", "Fenghua 0: doses symmetric"],
)
def test_attainable_p_of_ningbo(fenghua: list[float], expected: float) -> None:
    """Five districts of which one pays more, then one further district with each kind of dose."""
    dose = np.array([100.0, 50, 50, 50, 50, *fenghua])
    assert attainable_p(dose) == pytest.approx(expected, rel=EXACT)
    best_raw, std_error = dose, np.linspace(0.5, 1.0, dose.size)
    best_studentised = 1e-3 * std_error**2 * (dose - dose.mean())  # so small that tau2 = 0; the bound of Cauchy and Schwarz
    for studentised, best in ((False, best_raw), (True, best_studentised)):
        test = permutation_test(best, std_error, dose, studentised=studentised, rng=generator())
        assert test.p_value == test.attainable == pytest.approx(expected, rel=EXACT)
    draws = generator().normal(size=(50, dose.size))
    assert min(permutation_test(tau, std_error, dose, rng=generator()).p_value for tau in draws) >= expected * (1 - EXACT)


def test_rounding_does_not_make_a_new_dose() -> None:
    assert attainable_p(np.array([0.1 + 0.2, 0.3, 0.3, 0.6])) == pytest.approx(1 / 4)


def test_equal_halves_have_mirror_images() -> None:
    assert attainable_p(np.array([100.0, 100, 100, 50, 50, 50])) == pytest.approx(2 / 20)


# --- size ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rejections() -> dict[str, float]:
    """Shares of 400 draws with p <= 0.05 under b = 0: nine districts of unequal size, the high dose in small ones, effect sd 1."""
    dose = np.array([100.0, 50, 50, 50, 50, 50, 25, 25, 25])
    std_error = np.array([6.7, 3.4, 3.5, 3.6, 3.4, 3.8, 3.5, 4.0, 4.0])
    rng, draws = np.random.default_rng(1), 400
    tau = rng.normal(size=(draws, 9)) * np.sqrt(std_error**2 + 1.0)
    p = [
        (
            dose_slope_ols(t, rng.permutation(dose)).p_value,
            dose_slope_knapp_hartung(t, std_error, dose).p_value,
            permutation_test(t, std_error, dose, studentised=False, rng=rng).p_value,
            permutation_test(t, std_error, dose, rng=rng).p_value,
        )
        for t in tau
    ]
    return dict(zip(("ols", "knapp_hartung", "raw", "studentised"), (np.array(p) <= 0.05).mean(axis=0).tolist(), strict=True))


MONTE_CARLO_ERROR = math.sqrt(0.05 * 0.95 / 400)
"""0.011: the standard error of a share of 0.05 in 400 draws."""


def test_size_of_ols_and_of_the_studentised_permutation(rejections: dict[str, float]) -> None:
    """OLS with doses given to districts by lot, as exchangeability says; the permutation with the worst fixed doses."""
    assert abs(rejections["ols"] - 0.05) < 3 * MONTE_CARLO_ERROR
    assert abs(rejections["studentised"] - 0.05) < 3 * MONTE_CARLO_ERROR


def test_knapp_hartung_is_conservative_and_the_raw_permutation_is_not(rejections: dict[str, float]) -> None:
    assert rejections["knapp_hartung"] < 0.05 + 3 * MONTE_CARLO_ERROR
    assert rejections["raw"] > 0.05 + 3 * MONTE_CARLO_ERROR


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tau", "std_error", "dose", "message"),
    [
        ([1.0, 2], [1.0, 1], [50.0, 100], "2 districts; a slope needs 3"),
        ([1.0, 2, 4], [1.0, 1, 1], [50.0, 50, 50], "dose is the same in every district"),
        ([1.0, 2, 4], [1.0, 1, 1], [50.0, 50, 50, 100], r"do not have one length(.|\n)*dose \(4,\), tau \(3,\)"),
        ([1.0, np.nan, 4], [1.0, 1, 1], [50.0, 50, 100], "1 values of tau are not finite(.|\n)*district 2"),
        ([1.0, 2, 4], [1.0, 1, np.inf], [50.0, 50, 100], "1 values of std_error are not finite(.|\n)*district 3"),
        ([1.0, 2, 4], [0.0, 1, -1], [50.0, 50, 100], "2 values of std_error are not positive(.|\n)*district 1, district 3"),
    ],
)
def test_refusals(tau: list[float], std_error: list[float], dose: list[float], message: str) -> None:
    arrays = np.array(tau), np.array(std_error), np.array(dose)
    for call in (dose_slope_knapp_hartung, lambda *a: permutation_test(*a, rng=generator())):
        with pytest.raises(DesignError, match=message) as refusal:
            call(*arrays)
        assert all(problem.remedy for problem in refusal.value.problems)
    if "std_error" not in message:
        with pytest.raises(DesignError):
            dose_slope_ols(arrays[0], arrays[2])


def test_all_problems_at_once() -> None:
    with pytest.raises(DesignError) as refusal:
        dose_slope_knapp_hartung(np.array([np.nan, 1.0, 2]), np.array([0.0, 1, 1]), np.full(3, 50.0), level=95.0)
    assert len(refusal.value.problems) == 4


def test_other_refusals() -> None:
    with pytest.raises(DesignError, match="exactly on a line"):
        dose_slope_ols(0.1 + 0.3 * DOSE, DOSE)
    with pytest.raises(DesignError, match="exactly on a line"):
        dose_slope_ols(np.full(7, 0.1), DOSE)
    with pytest.raises(DesignError, match="same in every district"):
        dose_slope_ols(np.array([1.0, 2, 4]), np.array([0.3, 0.1 + 0.2, 0.3]))
    with pytest.raises(DesignError, match="No draws"):
        permutation_test(TAU, STD_ERROR, DOSE, draws=0, rng=generator())
    with pytest.raises(DesignError, match="dose are not finite"):
        attainable_p(np.array([50.0, np.nan, 100.0]))
