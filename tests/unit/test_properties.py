"""Invariances of every estimator on moments and of the designs beside them: rows, names of firms, units, irrelevant levels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme

from .test_moments import frame as bare_frame

INVARIANT = 1e-10
"""Sums in another order; the largest difference seen is near 1e-12."""

SEEDS = st.integers(0, 10_000)
OPTIONS: list[dict[str, str]] = [{}, {"weight": "w"}, {"cluster": "d"}, {"weight": "w", "cluster": "d"}]


def frame(seed: int, missing: float = 0.15) -> pd.DataFrame:
    """With eligibility, a dose per firm and a baseline covariate."""
    data = bare_frame(seed, missing=missing)
    own = np.random.default_rng(seed + 1).normal(size=60)
    return data.assign(elig=data.id % 2, dose=(data.g > 0) * (1.0 + data.id % 3), x=own[data.id])


def make(data: pd.DataFrame, **options: Any) -> sme.Sample:
    columns = ("d", "elig", "dose")
    return sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", columns=columns, **options)


def whole(study: Any) -> pd.DataFrame:
    return pd.concat([study.overall.to_frame(), study.to_frame()], ignore_index=True)


def averages(choices: sme.CallawaySantAnna) -> Callable[[Any], pd.DataFrame]:
    def estimate(data: Any) -> pd.DataFrame:
        effects = choices.fit(data)
        kinds = [effects.aggregate(kind) for kind in ("simple", "group", "dynamic", "calendar")]
        return pd.concat([effects.to_frame(), *(whole(k) if k.effects is not None else k.overall.to_frame() for k in kinds)])

    return estimate


LINEAR: dict[str, Callable[[Any], pd.DataFrame]] = {
    "two-way": lambda data: sme.TwoWayFixedEffects().fit(data).to_frame(),
    "two-way by district": lambda data: sme.TwoWayFixedEffects(year_effects_by="d").fit(data).to_frame(),
    "event study": lambda data: whole(sme.EventStudyRegression().fit(data)),
    "triple difference": lambda data: sme.TripleDifference(eligible="elig").fit(data).to_frame(),
    "group-time": averages(sme.CallawaySantAnna(panel="pairs")),
    "group-time, later": averages(sme.CallawaySantAnna(panel="pairs", comparison="not_yet_treated", base_period="universal")),
    "Sun-Abraham": lambda data: whole(sme.SunAbraham().fit(data)),
    "imputation": lambda data: whole(sme.ImputationDiD().fit(data)),
    "two-stage": lambda data: whole(sme.TwoStageDiD().fit(data)),
    "stacked": lambda data: whole(sme.StackedDiD(window=(-2, 1)).fit(data)),
}
"""Estimators that fit a sample or its moments."""

BESIDE: dict[str, Callable[[sme.Sample], pd.DataFrame]] = {
    "synthetic": lambda data: whole(sme.SyntheticDiD().fit(data)),
    "landmark": lambda data: whole(sme.LandmarkDiD(past_growth=None).fit(data)),
}
"""Estimators that need the firms, without weights."""

GIVEN: dict[str, Callable[[sme.Sample], pd.DataFrame]] = {
    "two-way": LINEAR["two-way"],
    "event study": LINEAR["event study"],
    "doubly robust": averages(sme.CallawaySantAnna(comparison="not_yet_treated")),
    "weighting": averages(sme.CallawaySantAnna(method="ipw")),
}
"""Estimators that condition on baseline covariates."""

NUMBERS = ["estimate", "std_error"]


def same(
    a: pd.DataFrame, b: pd.DataFrame, name: str, scale: float = 1.0, relative: float = INVARIANT, absolute: float = 0.0
) -> None:
    """Equal numbers, and missing ones in the same places."""
    np.testing.assert_allclose(scale * a[NUMBERS], b[NUMBERS], rtol=relative, atol=relative * scale + absolute, err_msg=name)


def assert_invariant(first: pd.DataFrame, second: pd.DataFrame, **options: str) -> None:
    a, b = make(first, **options), make(second, **options)
    for name, estimate in LINEAR.items():
        same(estimate(a), estimate(b), name)
    if not options:
        complete = [make(data[data.groupby("id")["y"].transform("size") == 7]) for data in (first, second)]
        for name, beside in BESIDE.items():
            same(beside(complete[0]), beside(complete[1]), name)
        conditional = [make(data, covariates=("x",)) for data in (first, second)]
        for name, given_x in GIVEN.items():
            same(given_x(conditional[0]), given_x(conditional[1]), name)


@settings(max_examples=2, deadline=None)
@given(SEEDS, st.sampled_from(OPTIONS))
def test_order_of_rows(seed: int, options: dict[str, str]) -> None:
    data = frame(seed % 7, missing=0.05)
    assert_invariant(data, data.sample(frac=1.0, random_state=seed), **options)


@settings(max_examples=1, deadline=None)
@given(SEEDS, st.sampled_from(OPTIONS))
def test_names_of_firms(seed: int, options: dict[str, str]) -> None:
    data = frame(seed % 7, missing=0.05)
    names = pd.Series(np.random.default_rng(seed).permutation(60), index=range(60))
    for renamed in (data.id.map(names), "企业" + data.id.map(names).astype(str), data.id.map(names) * 10_000_019):
        assert_invariant(data, data.assign(id=renamed), **options)


@pytest.mark.parametrize("shift", [-1000, 37])
def test_years_count_from_anywhere(shift: int) -> None:
    data = frame(2, missing=0.05)
    moved = data.assign(year=data.year + shift, g=data.g.where(data.g == 0, data.g + shift))
    assert_invariant(data, moved, weight="w")
    assert_invariant(data, moved)


@settings(max_examples=3, deadline=None)
@given(st.floats(1e-4, 1e4), st.floats(-1e3, 1e3))
def test_units(scale: float, level: float) -> None:
    """In other units the estimates are in other units; a common level changes nothing."""
    data = frame(3, missing=0.05)
    moved = data.assign(y=scale * data.y + level)
    for name, estimate in LINEAR.items():
        a, b = (estimate(make(d, weight="w")) for d in (data, moved))
        same(a, b, name, scale, relative=1e-8, absolute=1e-11 * abs(level))


@settings(max_examples=2, deadline=None)
@given(SEEDS)
def test_year_effects_change_nothing(seed: int) -> None:
    data = frame(seed % 5, missing=0.05)
    shock = pd.Series(np.random.default_rng(seed).normal(0, 5, 40), index=range(2000, 2040))
    a, b = make(data), make(data.assign(y=data.y + data.year.map(shock)))
    for name, estimate in LINEAR.items():
        same(estimate(a), estimate(b), name)


@settings(max_examples=2, deadline=None)
@given(st.floats(1e-3, 1e3))
def test_weights_count_relatively(factor: float) -> None:
    data = frame(2)
    a, b = (make(d, weight="w") for d in (data, data.assign(w=data.w * factor)))
    for name, estimate in LINEAR.items():
        same(estimate(a), estimate(b), name)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_merged_tables_equal_the_whole(options: dict[str, str]) -> None:
    """Firms dealt at random into three parts: their moments, merged in any order, answer as the moments of all."""
    data = frame(4)
    part = np.random.default_rng(5).integers(0, 3, 60)[data.id]
    tables = [sme.Moments.from_sample(make(data[part == k], **options), by=("d", "elig")) for k in (2, 0, 1)]
    merged = tables[0].merge(tables[1]).merge(tables[2])
    for name, estimate in LINEAR.items():
        same(estimate(merged), estimate(make(data, **options)), name)


def test_merged_doses_and_decompositions() -> None:
    data = frame(6, missing=0.0)
    parts = [sme.Moments.from_sample(make(data[data.id % 2 == k]), by=("dose",)) for k in (0, 1)]
    merged, sample = parts[0].merge(parts[1]), make(data)
    a, b = (sme.bacon_decomposition(d)[["weight", "estimate"]] for d in (merged, sample))
    np.testing.assert_allclose(a, b, rtol=INVARIANT, atol=INVARIANT)
    doses = [sme.DoseResponse(dose="dose").fit(d).to_frame() for d in (merged, sample)]
    same(doses[0], doses[1], "dose response")


def test_small_integers_do_not_wrap() -> None:
    data = frame(1, missing=0.05)
    narrow = data.assign(id=data.id.astype(np.int8), year=data.year.astype(np.int16), g=data.g.astype(np.int16))
    assert_invariant(data, narrow)
