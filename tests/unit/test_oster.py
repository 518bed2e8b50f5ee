"""Oster's adjustment against the model that it inverts, moment by moment, and its inputs against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.stats.oster import Stability, stability


def moments_of(rng: np.random.Generator, controls: int, delta: float) -> tuple[Stability, float, float, bool]:
    """The population's regressions under proportional selection: (stability, true effect, R² of everything, assumption 3)."""
    root = rng.standard_normal((controls, controls))
    observed = root @ root.T + 0.5 * np.eye(controls)
    slopes, with_treatment = rng.uniform(0.5, 2.0, controls), rng.uniform(0.2, 1.5, controls) * rng.choice([-1.0, 1.0])
    effect, missing, noise = rng.standard_normal(), rng.uniform(0.2, 3.0), rng.uniform(0.0, 1.0)
    index = float(slopes @ with_treatment)
    hidden = delta * index / (slopes @ observed @ slopes) * missing
    explained = with_treatment @ np.linalg.solve(observed, with_treatment)
    treatment = explained + hidden**2 / missing + rng.uniform(0.2, 3.0)
    n = controls + 2
    covariance = np.zeros((n, n))  # controls, missing part, treatment
    covariance[:controls, :controls], covariance[-2, -2], covariance[-1, -1] = observed, missing, treatment
    covariance[:controls, -1] = covariance[-1, :controls] = with_treatment
    covariance[-2, -1] = covariance[-1, -2] = hidden
    weights = np.array([*slopes, 1.0, effect])
    outcome, cross = weights @ covariance @ weights + noise, covariance @ weights
    shown = [*range(controls), n - 1]
    long = np.linalg.solve(covariance[np.ix_(shown, shown)], cross[shown])
    found = Stability(
        short=cross[-1] / treatment,
        long=long[-1],
        short_r=cross[-1] ** 2 / treatment / outcome,
        long_r=long @ cross[shown] / outcome,
        outcome=outcome,
        treatment=treatment,
        treatment_left=treatment - explained,
    )
    return found, effect, 1.0 - noise / outcome, bool(np.sign(with_treatment @ long[:-1]) == np.sign(index))


@pytest.mark.parametrize("controls", [1, 2, 4])
def test_equal_selection_gives_back_the_true_effect(controls: int) -> None:
    rng, seen = np.random.default_rng(controls), 0
    for _ in range(200):
        found, effect, most, same_direction = moments_of(rng, controls, 1.0)
        if same_direction:
            assert found.adjusted(most) == pytest.approx(effect, abs=1e-6)
            seen += 1
    assert seen > 100


@pytest.mark.parametrize("delta", [-0.7, 0.3, 1.0, 2.5])
def test_delta_of_the_true_effect_is_the_strength_of_selection(delta: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(100):
        found, effect, most, _ = moments_of(rng, 3, delta)
        assert found.delta(most, effect) == pytest.approx(delta, abs=1e-6)


def test_delta_at_the_adjusted_effect_is_one() -> None:
    found, *_ = moments_of(np.random.default_rng(3), 2, 0.5)
    for most in (found.long_r + 0.01, 0.999):
        assert found.delta(most, found.adjusted(most)) == pytest.approx(1.0, abs=1e-8)


def test_nothing_missing_means_nothing_to_adjust() -> None:
    found, *_ = moments_of(np.random.default_rng(3), 2, 0.5)
    assert found.adjusted(found.long_r) == found.long


@given(scale=st.floats(1e-4, 1e4), unit=st.floats(1e-3, 1e3), seed=st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_units_of_outcome_and_treatment_only_rescale(scale: float, unit: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, d = rng.standard_normal((2, 60))
    d = d + 0.5 * x
    y = 0.3 * d + x + rng.standard_normal(60)
    found, scaled = (stability(*parts(y * a, d * b, x)) for a, b in ((1.0, 1.0), (scale, unit)))
    assert found is not None and scaled is not None
    assert scaled.delta(0.9) == pytest.approx(found.delta(0.9), rel=1e-7)
    assert scaled.adjusted(0.9) == pytest.approx(found.adjusted(0.9) * scale / unit, rel=1e-7)


def parts(y: np.ndarray, d: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    both, design = np.stack([y, d]), np.column_stack([np.ones_like(x), x])
    given = both - (design @ np.linalg.lstsq(design, both.T, rcond=None)[0]).T
    return both - both.mean(axis=1, keepdims=True), given


def test_both_regressions_are_those_of_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    x, d = rng.standard_normal((2, 200))
    d = d + 0.5 * x
    y = 0.3 * d + x + rng.standard_normal(200)
    found = stability(*parts(y, d, x))
    assert found is not None
    short, long = sm.OLS(y, sm.add_constant(d)).fit(), sm.OLS(y, sm.add_constant(np.column_stack([d, x]))).fit()
    assert (found.short, found.short_r) == pytest.approx((short.params[1], short.rsquared), rel=1e-10)
    assert (found.long, found.long_r) == pytest.approx((long.params[1], long.rsquared), rel=1e-10)
    assert found.treatment_left == pytest.approx(np.var(sm.OLS(d, sm.add_constant(x)).fit().resid), rel=1e-10)


def test_a_treatment_that_controls_explain_has_no_stability() -> None:
    x = np.random.default_rng(1).standard_normal(50)
    assert stability(*parts(x**2, 2.0 * x, x)) is None
