"""Landmark designs with moved dates: zero years is the design itself, the rest equals a regression written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.estimators.landmark_variants import moved_earlier
from sme_eval.evaluation.design import Design
from sme_eval.evaluation.fitting import sample_of

LANDMARK = sme.LandmarkDiD(covariates=("rd_intensity",), listed="listed_year")


def sample_of_seed(seed: int, scenario: str, firms: int = 6000) -> sme.Sample:
    panel, _ = sme.simulate_ningbo(seed=seed, scenario=scenario, firms=firms)
    return sample_of(Design.from_policy(sme.load_policies()["certification"]), panel, "log_revenue")


@pytest.fixture(scope="module")
def sample() -> sme.Sample:
    return sample_of_seed(3, "baseline")


def test_no_years_is_the_design_itself(sample: sme.Sample) -> None:
    fit = LANDMARK.fit(sample)
    moved = moved_earlier(LANDMARK, sample, 0, (0, 2))
    assert moved.estimate == pytest.approx(float(fit.estimate), abs=1e-12)
    assert moved.std_error == pytest.approx(float(fit.std_error), abs=1e-12)
    assert moved.n_treated == fit.overall.n_treated


@pytest.mark.parametrize(("years", "window"), [(1, (0, 0)), (2, (1, 1)), (3, (-1, -1)), (2, (-2, -2))])
@pytest.mark.parametrize("growth", [True, False])
def test_one_cell_by_hand(sample: sme.Sample, years: int, window: tuple[int, int], growth: bool) -> None:
    """Each cohort's change regressed on its covariates among its comparison; cohorts by their size."""
    landmark = LANDMARK if growth else replace(LANDMARK, past_growth=None)
    moved = moved_earlier(landmark, sample, years, window)
    rd = sample.label("rd_intensity").astype(float)
    listed = sample.label("listed_year").astype(float)
    y, place, cohort = sample.outcome, {int(t): j for j, t in enumerate(sample.years)}, sample.cohort
    assert cohort is not None
    total, sizes = 0.0, 0
    for g in np.unique(cohort[cohort <= sample.years[-1]]):
        base, at, first = int(g) - 1 - years, int(g) + window[0], int(g) - 3 - years
        if base not in place or at not in place or (growth and first not in place):
            continue
        x = np.column_stack([np.ones(len(y)), rd, *([y[:, place[base]] - y[:, place[first]]] if growth else [])])
        change = y[:, place[at]] - y[:, place[base]]
        treated, other = cohort == g, (cohort > g) & ~((listed > 0) & (listed < g))
        slope = np.linalg.lstsq(x[other], change[other], rcond=None)[0]
        total += (change[treated] - x[treated] @ slope).sum()
        sizes += int(treated.sum())
    assert moved.estimate == pytest.approx(total / sizes, abs=1e-9)
    assert moved.n_treated == sizes


def test_a_placebo_needs_the_growth_that_selected_in_a_world_without_effects() -> None:
    """Shocks last, so firms chosen for g − 3..g − 1 were low before: only given that growth is the year before it clean."""
    given, without = [], []
    for seed in range(12):
        data = sample_of_seed(seed, "null")
        for found, also in ((given, True), (without, False)):
            moved = moved_earlier(LANDMARK, data, 4, (-4, -4), given_entry_growth=also)
            found.append((moved.estimate, moved.std_error))
    bias, error = np.mean(given, axis=0)[0], np.std([e for e, _ in given], ddof=1) / np.sqrt(len(given))
    assert abs(bias) < 3 * error
    assert np.mean(without, axis=0)[0] < bias - 0.008, "without it the estimate is pulled down"


def test_too_many_years_are_not_identified(sample: sme.Sample) -> None:
    with pytest.raises(sme.IdentificationError, match="8 years before entry"):
        moved_earlier(LANDMARK, sample, 7, (0, 2))
