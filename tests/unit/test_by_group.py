"""Effects by group of treated firms: the whole, each group fitted alone, and covariances across overlapping groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.estimators.by_group import effects_by_group
from sme_eval.terms import NEVER
from tests.unit.test_landmark import make, panel

LANDMARKS = [
    {"covariates": ("x", "kind"), "window": (-3, 1)},
    {"covariates": ("x", "kind"), "window": (-3, 1), "method": "dr"},
    {"covariates": ("x",), "past_growth": None, "listed": "listed", "window": (-1, 1)},
    {"covariates": ("x",), "window": (-3, 1), "among": "asked"},
]
TIMES = [
    {"comparison": "never_treated"},
    {"comparison": "not_yet_treated"},
    {"panel": "pairs"},
    {"panel": "pairs", "comparison": "not_yet_treated", "base_period": "universal", "anticipation": 1},
]
OPTIONS: list[dict[str, str]] = [{}, {"weight": "w"}, {"cluster": "d"}]


def traits(sample: sme.Sample, seed: int = 0) -> np.ndarray:
    """Two traits of every firm, by its number: two groups and three, (N, 5)."""
    rng = np.random.default_rng(seed)
    drawn = np.column_stack([rng.integers(0, k, 500) for k in (2, 3)])
    firm = pd.Series(sample.column("id").to_numpy()).groupby(sample.firm_codes).first().to_numpy()
    first, second = drawn[firm].T
    return np.column_stack([*(first == k for k in range(2)), *(second == k for k in range(3))])


def clustered(sample: sme.Sample, influence: np.ndarray) -> np.ndarray:
    """Brute force: one outer product per cluster."""
    groups = np.arange(sample.n_firms) if sample.cluster is None else sample.cluster
    sums = [influence[groups == g].sum(axis=0) for g in np.unique(groups)]
    return np.sum([np.outer(s, s) for s in sums], axis=0)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("choices", LANDMARKS, ids=str)
def test_everybody_is_the_landmark_itself(choices: dict[str, Any], options: dict[str, str]) -> None:
    sample, landmark = make(panel(1, firms=150), **options), sme.LandmarkDiD(**choices)
    whole, found = landmark.fit(sample), effects_by_group(landmark, sample, np.ones((sample.n_firms, 1), dtype=bool))
    assert found.value[0] == pytest.approx(whole.estimate, rel=1e-11)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(whole.std_error, rel=1e-11)
    assert found.n_treated[0] == whole.overall.n_treated


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("choices", TIMES, ids=str)
def test_everybody_is_callaway_santanna_itself(choices: dict[str, Any], options: dict[str, str]) -> None:
    data = panel(2, firms=150)
    if choices.get("panel") == "pairs":
        data = data[np.random.default_rng(0).random(len(data)) > 0.1]
    sample, design = make(data, **options), sme.CallawaySantAnna(**choices)
    whole = design.fit(sample).aggregate("simple").overall
    found = effects_by_group(design, sample, np.ones((sample.n_firms, 1), dtype=bool))
    assert found.value[0] == pytest.approx(whole.estimate, rel=1e-11)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(whole.std_error, rel=1e-11)


@pytest.mark.parametrize("choices", LANDMARKS[:3], ids=str)
def test_each_group_is_the_landmark_asked_among_it(choices: dict[str, Any]) -> None:
    """`among` is the estimator's own way to ask about some entrants: same comparison, other members."""
    data = panel(3, firms=150)
    sample = make(data)
    members = traits(sample)
    found = effects_by_group(sme.LandmarkDiD(**choices), sample, members)
    for j, member in enumerate(members.T):
        alone = sme.LandmarkDiD(**choices, among="asked").fit(make(data.assign(asked=member[sample.firm_codes].astype(int))))
        assert found.value[j] == pytest.approx(alone.estimate, rel=1e-10)
        assert np.sqrt(found.covariance[j, j]) == pytest.approx(alone.std_error, rel=1e-10)
        assert found.n_treated[j] == alone.overall.n_treated


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("choices", TIMES, ids=str)
def test_groups_of_one_trait_are_doses_with_their_joint_covariance(choices: dict[str, Any], options: dict[str, str]) -> None:
    """Group k as dose k + 1: DoseResponse compares a cohort's firms at one dose with nobody of the cohort, as here."""
    data = panel(4, firms=150)
    if choices.get("panel") == "pairs":
        data = data[np.random.default_rng(1).random(len(data)) > 0.1]
    sample = make(data, **options)
    assert sample.cohort is not None
    members = traits(sample)[:, 2:]
    group = members.argmax(axis=1) + 1.0
    dosed = data.assign(x=np.where(sample.cohort == NEVER, 0.0, group)[sample.firm_codes])
    expected = sme.DoseResponse(dose="x", **choices).fit(make(dosed, **options)).effects
    found = effects_by_group(sme.CallawaySantAnna(**choices), sample, members)
    np.testing.assert_allclose(found.value, expected.estimate, rtol=1e-10)
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("design", [sme.LandmarkDiD(covariates=("x",), window=(-3, 1)), sme.CallawaySantAnna()], ids=str)
def test_joint_covariance_is_that_of_separately_fitted_influences(design: Any, options: dict[str, str]) -> None:
    """Across traits too, where groups overlap."""
    sample = make(panel(5, firms=150), **options)
    members = traits(sample)
    found = effects_by_group(design, sample, members)
    alone = [effects_by_group(design, sample, members[:, [j]]) for j in range(members.shape[1])]
    stacked = np.column_stack([one.influence[:, 0] for one in alone])
    np.testing.assert_allclose(found.covariance, clustered(sample, stacked), rtol=1e-11, atol=1e-16)
    assert np.abs(found.covariance[:2, 2:]).max() > 0.0
    np.testing.assert_allclose(found.influence.sum(axis=0), 0.0, atol=1e-10)


def test_influences_are_derivatives_in_the_firms_weights() -> None:
    """Central differences of the estimate in a firm's weight, for firms on both sides and of either group."""
    data = panel(6, firms=60)
    sample = make(data, weight="w")
    members = traits(sample)
    for design in (sme.CallawaySantAnna(comparison="not_yet_treated"), sme.LandmarkDiD(covariates=("x",), window=(-3, 1))):
        found = effects_by_group(design, sample, members)
        for firm in (0, 7, 21, 40):
            mine, step = data["id"] == data["id"].unique()[firm], 1e-5
            moved = [
                effects_by_group(
                    design, make(data.assign(w=data["w"].where(~mine, data["w"] * (1 + sign * step))), weight="w"), members
                )
                for sign in (1, -1)
            ]
            slope = (moved[0].value - moved[1].value) / (2 * step)
            np.testing.assert_allclose(found.influence[firm], slope, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("design", [sme.LandmarkDiD(covariates=("x",), window=(-3, 1)), sme.CallawaySantAnna()], ids=str)
def test_row_order_does_not_matter_and_units_only_scale(design: Any) -> None:
    data = panel(7)
    samples = [make(d) for d in (data, data.sample(frac=1.0, random_state=1), data.assign(y=1000 * data["y"]))]
    first, turned, scaled = (effects_by_group(design, sample, traits(sample)) for sample in samples)
    np.testing.assert_allclose(turned.value, first.value, rtol=1e-9)
    np.testing.assert_allclose(turned.covariance, first.covariance, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(scaled.value, 1000 * first.value, rtol=1e-9)
    np.testing.assert_allclose(scaled.covariance, 1e6 * first.covariance, rtol=1e-9, atol=1e-9)


def test_a_group_without_an_effect_says_why_and_leaves_the_others_alone() -> None:
    sample = make(panel(8, firms=120))
    assert sample.cohort is not None
    members = traits(sample)
    nobody = np.column_stack([members, sample.cohort == NEVER])
    for design in (sme.CallawaySantAnna(), sme.LandmarkDiD(covariates=("x",), window=(-3, 1))):
        found, others = effects_by_group(design, sample, nobody), effects_by_group(design, sample, members)
        assert np.isnan(found.value[-1]) and found.n_treated[-1] == 0
        assert found.notes[-1] == "no effect of this group is identified" and not any(found.notes[:-1])
        np.testing.assert_array_equal(found.value[:-1], others.value)
        np.testing.assert_allclose(found.covariance[-1], 0.0)


def test_a_propensity_without_overlap_is_one_groups_own_trouble() -> None:
    data = panel(9, firms=120)
    sample = make(data)
    assert sample.cohort is not None
    certain = (sample.cohort != NEVER) & (np.arange(sample.n_firms) % 4 == 0)
    apart = make(data.assign(x=data["x"] + 100.0 * certain[sample.firm_codes]))
    design = sme.LandmarkDiD(covariates=("x",), window=(-3, 1), method="dr")
    found = effects_by_group(design, apart, np.column_stack([certain, ~certain]))
    assert np.isnan(found.value[0]) and "overlap" in found.notes[0]
    assert np.isfinite(found.value[1]) and not found.notes[1]
    assert found.n_treated[0] == certain.sum()


@pytest.mark.parametrize("design", [sme.TwoWayFixedEffects(), sme.SunAbraham()], ids=str)
def test_other_estimators_are_refused(design: Any) -> None:
    sample = make(panel(10))
    with pytest.raises(sme.DesignError, match="no effects by group"):
        effects_by_group(design, sample, traits(sample))


def test_covariates_of_the_sample_and_a_missing_treatment_are_refused() -> None:
    data: pd.DataFrame = panel(11)
    given = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", covariates=("x",))
    with pytest.raises(sme.DesignError, match="no effects by group"):
        effects_by_group(sme.CallawaySantAnna(), given, np.ones((given.n_firms, 1), dtype=bool))
    untreated = sme.Sample.from_frame(data, firm="id", year="year", outcome="y")
    with pytest.raises(sme.DesignError, match="need cohorts"):
        effects_by_group(sme.CallawaySantAnna(), untreated, np.ones((untreated.n_firms, 1), dtype=bool))
