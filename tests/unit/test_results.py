"""One vocabulary, one table form, intervals and bands, text and tables of results."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import sme_eval as sme
from sme_eval.stats.inference import simultaneous_critical_value, wald_test
from sme_eval.terms import EFFECT_COLUMNS
from tests.unit.test_moments import frame, make


@pytest.fixture(scope="module")
def sample() -> sme.Sample:
    return make(frame())


@pytest.fixture(scope="module")
def results(sample: sme.Sample) -> dict[str, object]:
    group_time = sme.CallawaySantAnna(panel="pairs").fit(sample)
    return {
        "twfe": sme.TwoWayFixedEffects().fit(sample),
        "event": sme.EventStudyRegression().fit(sample),
        "group-time": group_time,
        **{kind: group_time.aggregate(kind) for kind in ("simple", "group", "dynamic", "calendar")},
    }


def test_every_table_has_the_vocabulary(results: dict[str, object]) -> None:
    for name, result in results.items():
        columns = list(result.to_frame().columns)
        assert columns[-len(EFFECT_COLUMNS) :] == list(EFFECT_COLUMNS), name
        assert str(result) == result.summary()
        assert result._repr_html_().startswith("<pre")
        assert {"estimate", "conf_low", "conf_high"} <= set(result.intervals(level=0.9))


def test_intervals_use_the_convention(results: dict[str, object]) -> None:
    estimate = results["twfe"]
    half = stats.t.ppf(0.975, estimate.degrees_of_freedom) * estimate.std_error
    assert estimate.conf_high - estimate.estimate == pytest.approx(half)
    assert estimate.p_value == pytest.approx(2 * stats.t.sf(abs(estimate.statistic), estimate.degrees_of_freedom))
    normal = results["simple"].overall
    assert math.isinf(normal.degrees_of_freedom)
    assert (normal.conf_high - normal.estimate) / normal.std_error == pytest.approx(stats.norm.ppf(0.975))


def test_bands_are_wider_and_reproducible(results: dict[str, object]) -> None:
    dynamic = results["dynamic"]
    point, band = (dynamic.intervals(simultaneous=s) for s in (False, True))
    assert ((band.conf_high - band.conf_low) > (point.conf_high - point.conf_low)).all()
    assert band.equals(dynamic.intervals(simultaneous=True))
    assert not band.equals(dynamic.intervals(simultaneous=True, seed=1))


def test_sup_t_of_independent_effects() -> None:
    """Known value: for J independent normals the critical value solves (2Φ(c) − 1)^J = level."""
    exact = stats.norm.ppf(0.5 + 0.95 ** (1 / 8) / 2)
    draws = 200_000
    got = simultaneous_critical_value(np.diag(np.arange(1.0, 9.0)), 0.95, draws, np.random.default_rng(0))
    density = 8 * (2 * stats.norm.cdf(exact) - 1) ** 7 * 2 * stats.norm.pdf(exact)
    monte_carlo_error = math.sqrt(0.95 * 0.05 / draws) / density
    assert abs(got - exact) < 4 * monte_carlo_error


def test_joint_test_counts_repeated_restrictions_once() -> None:
    covariance = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 4.0]])
    test = wald_test(np.array([2.0, 2.0, 4.0]), covariance)
    assert test is not None
    assert (test.restrictions, test.statistic) == (2, pytest.approx(8.0))
    assert wald_test(np.array([np.nan]), np.array([[1.0]])) is None


def test_unavailable_in_frames_and_text() -> None:
    missing = sme.Unavailable("no such firms")
    estimate = sme.Estimate(
        term="x", estimate=missing, std_error=missing, n_firms=0, n_observations=0, n_clusters=50, convention="none"
    )
    row = estimate.to_frame().iloc[0]
    assert math.isnan(row["estimate"])
    assert row["note"] == "no such firms"
    assert not missing
    assert "no such firms" in str(missing)


def test_unknown_aggregations_are_refused(results: dict[str, object]) -> None:
    with pytest.raises(sme.DesignError, match="did you mean 'dynamic'"):
        results["group-time"].aggregate("dynamics")
    with pytest.raises(sme.DesignError, match="dynamic aggregation"):
        results["group-time"].aggregate("group", balance=1)


def test_every_result_draws_itself(results: dict[str, object]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    for result in results.values():
        assert result.plot().get_figure() is not None


def test_arrays_of_results_are_read_only(results: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        results["event"].effects.estimate[0] = 0.0
