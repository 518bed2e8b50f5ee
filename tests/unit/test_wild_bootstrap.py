"""Wild bootstrap over districts: every weight vector by brute force, invariance, degeneracy, refusals."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm

from sme_eval.errors import DesignError
from sme_eval.stats import wild_bootstrap as module
from sme_eval.stats.wild_bootstrap import WEBB, districts_alone, wild_bootstrap

EXACT = 1e-10
TAU = np.array([4.1, -2.0, 7.3, 0.4, 3.3, 9.9, -1.2])
DOSE = np.array([50.0, 25, 100, 50, 75, 100, 50])


def generator(seed: int = 5) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_webb_weights_have_mean_zero_and_variance_one() -> None:
    assert WEBB.sum() == pytest.approx(0.0, abs=1e-15)
    assert np.mean(WEBB**2) == pytest.approx(1.0, rel=1e-15)


def test_statistic_is_the_robust_t_of_statsmodels() -> None:
    fit = sm.OLS(TAU, sm.add_constant(DOSE)).fit(cov_type="HC0")
    assert wild_bootstrap(TAU, DOSE, draws=9, rng=generator()).statistic == pytest.approx(abs(fit.tvalues[1]), rel=EXACT)


def test_every_weight_vector_by_brute_force() -> None:
    """Four districts: 1,296 samples, each fitted by statsmodels with an HC0 error."""
    tau, dose = np.array([1.0, 0.7, 6.0, 4.1]), np.array([1.0, 1.0, 3.0, 3.0])
    x = sm.add_constant(dose)
    observed = abs(sm.OLS(tau, x).fit(cov_type="HC0").tvalues[1])
    count = 0
    for signs in product(WEBB, repeat=4):
        sample = tau.mean() + np.array(signs) * (tau - tau.mean())
        beta, *_ = np.linalg.lstsq(x, sample, rcond=None)
        residual = sample - x @ beta
        inverse = np.linalg.inv(x.T @ x)
        error = np.sqrt((inverse @ (x.T * residual**2) @ x @ inverse)[1, 1])
        count += bool(abs(beta[1]) >= observed * error * (1.0 - 1e-9))
    test = wild_bootstrap(tau, dose, rng=generator())
    assert (test.n_weights, test.draws, test.exact) == (1296, 0, True)
    assert test.p_value == pytest.approx(count / 1296, abs=1e-12)


def test_random_weights_agree_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = wild_bootstrap(TAU, DOSE, draws=20_000, rng=generator())
    assert (drawn.exact, drawn.draws) == (False, 20_000)
    monkeypatch.setattr(module, "MOST_ENUMERATED", 6**7)
    full = wild_bootstrap(TAU, DOSE, rng=generator())
    assert full.exact
    error = np.sqrt(full.p_value * (1.0 - full.p_value) / 20_000)
    assert abs(drawn.p_value - full.p_value) < 4 * error


def test_units_and_origin_do_not_matter() -> None:
    tau, dose = TAU[:5], np.array([50.0, 25, 100, 50, 100])
    reference = wild_bootstrap(tau, dose, rng=generator())
    moved = wild_bootstrap(1e6 + 100.0 * tau, 3.0 - dose / 50.0, rng=generator())
    assert moved.p_value == reference.p_value
    assert moved.statistic == pytest.approx(reference.statistic, rel=1e-8)


def test_equal_effects_say_nothing() -> None:
    assert wild_bootstrap(np.full(5, 0.3), DOSE[:5], rng=generator()).p_value == 1.0


def test_the_statistic_of_a_lone_district_would_not_see_its_noise() -> None:
    """Why it is refused: the line goes through that district whatever its effect, so that the error ignores it."""
    dose = np.array([100.0, 50, 50, 50, 50])
    x = sm.add_constant(dose)
    errors = []
    for lone in (0.0, 5.0, 500.0):
        fit = sm.OLS(np.array([lone, 1.0, 2.0, 0.5, 1.7]), x).fit(cov_type="HC0")
        assert abs(fit.resid[0]) < 1e-9
        errors.append(fit.bse[1])
    np.testing.assert_allclose(errors, errors[0], rtol=1e-8)
    assert districts_alone(dose).tolist() == [True, False, False, False, False]
    with pytest.raises(DesignError, match="degenerate") as refused:
        wild_bootstrap(np.arange(5.0), dose, rng=generator())
    assert "district 1" in str(refused.value)


@pytest.mark.parametrize(
    ("dose", "alone"),
    [([100, 100, 50, 50, 50], 0), ([100, 50, 50, 50, 50, 25], 0), ([1, 2, 3], 0), ([5, 0, 0], 1), ([1e6, 1e6, 1e6 + 1], 1)],
)
def test_alone_means_that_the_others_share_one_dose(dose: list[float], alone: int) -> None:
    assert int(districts_alone(np.array(dose, dtype=float)).sum()) == alone


def test_refusals_come_together() -> None:
    with pytest.raises(DesignError) as refused:
        wild_bootstrap(np.array([1.0, np.nan]), np.array([1.0, 1.0]), draws=0, rng=generator())
    text = str(refused.value)
    assert all(words in text for words in ("a slope needs 3", "not finite", "same in every district", "No draws"))
