"""Placebo assignments: equal to refitting the estimator on histories dealt out again, level under the null, verdicts."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.checks.placebo_assignment import BINS, Placebos, check_placebo_assignment, empirical_p, histogram
from sme_eval.evaluation.placebos import history_columns, own_share, placebo_check
from sme_eval.evaluation.risk_sets import changes, risk_sets
from sme_eval.stats.placebo_assignment import HistoryCohort, alone_in_stratum, deals, placebo_effects
from tests.unit.design_asked import asked, city
from tests.unit.test_landmark import COLUMNS, panel

EXACT = 1e-9
"""Products in another order differ in the last digits only."""


def sample_of(data: pd.DataFrame, **options: Any) -> sme.Sample:
    return sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", columns=COLUMNS, **options)


def cohorts_of(estimator: sme.LandmarkDiD, sample: sme.Sample) -> list[HistoryCohort]:
    window = (0, estimator.window[1])
    return [
        HistoryCohort(treated=r.treated, comparison=r.comparison, x=r.x, change=changes(sample, r, window))
        for r in risk_sets(estimator, sample)
    ]


def dealt(data: pd.DataFrame, given: np.ndarray[Any, Any], columns: tuple[str, ...]) -> pd.DataFrame:
    """Every firm with the history of the firm it was dealt, row by row."""
    firms = np.sort(data["id"].unique())
    own = data.groupby("id")[list(columns)].first()
    other = data["id"].map(dict(zip(firms, firms[given], strict=True)))
    return data.assign(**{name: other.map(own[name]) for name in columns})


@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"cluster": "d"}], ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_bulk_equals_refitting(options: dict[str, str], missing: float) -> None:
    """Identity: effect and error of each deal are those of the estimator on the columns dealt out, gaps and lists included."""
    data = panel(3, firms=90)
    data = data[np.random.default_rng(4).random(len(data)) >= missing]
    estimator = sme.LandmarkDiD(covariates=("x", "kind"), past_growth=(-2, -1), listed="listed", among="asked", window=(0, 2))
    sample = sample_of(data, **options)
    stratum = data.groupby("id")["kind"].first().astype("category").cat.codes.to_numpy().astype(np.int64)
    given = np.stack([np.arange(sample.n_firms), *deals(stratum, 6, np.random.default_rng(0))])
    effect, error = placebo_effects(cohorts_of(estimator, sample), given, sample.weight, sample.cluster)
    history = history_columns(estimator, sample)
    assert history == ("g", "listed", "asked")
    for r, one in enumerate(given):
        overall = estimator.fit(sample_of(dealt(data, one, history), **options)).overall
        assert effect[r] == pytest.approx(overall.estimate, rel=EXACT)
        assert error[r] == pytest.approx(overall.std_error, rel=EXACT)


def test_a_tier_is_dealt_with_the_history() -> None:
    data = panel(3, firms=90)
    estimator = sme.LandmarkDiD(covariates=("x",), past_growth=(-2, -1), within="listed", window=(0, 2))
    sample = sample_of(data.assign(listed=np.where(data["id"] % 4 > 0, 2016, 0)))
    history = history_columns(estimator, sample)
    given = np.stack([np.arange(sample.n_firms), *deals(np.zeros(sample.n_firms, dtype=np.int64), 3, np.random.default_rng(0))])
    effect, error = placebo_effects(cohorts_of(estimator, sample), given)
    assert history == ("g", "listed")
    changed = data.assign(listed=np.where(data["id"] % 4 > 0, 2016, 0))
    for r, one in enumerate(given):
        overall = estimator.fit(sample_of(dealt(changed, one, history))).overall
        assert (effect[r], error[r]) == pytest.approx((overall.estimate, overall.std_error), rel=EXACT)


def test_a_cohort_whose_growth_nobody_knows_is_left_out() -> None:
    """Entered too early for the years of growth before it: the placebos are those without it, as the estimator's effect is."""
    data = panel(3, firms=90)
    first = int(data["year"].min())
    early = data.assign(g=np.where((data["id"] % 7 == 1) & (data["g"] == 0), first + 1, data["g"]))
    estimator = sme.LandmarkDiD(covariates=("x",), past_growth=(-2, -1), window=(0, 1))
    sample = sample_of(early)
    effect, error = placebo_effects(cohorts_of(estimator, sample), np.arange(sample.n_firms)[None])
    overall = estimator.fit(sample).overall
    assert (effect[0], error[0]) == pytest.approx((overall.estimate, overall.std_error), rel=EXACT)


def test_a_comparison_that_does_not_span_is_left_out_as_the_estimator_does() -> None:
    data = panel(1, firms=24)
    data = data.assign(kind=np.where(data["id"] < 3, "rare", data["kind"]))
    estimator = sme.LandmarkDiD(covariates=("kind",), past_growth=None, window=(0, 1))
    sample = sample_of(data)
    given = np.stack(list(deals(np.zeros(24, dtype=np.int64), 40, np.random.default_rng(2))))
    effect, error = placebo_effects(cohorts_of(estimator, sample), given)
    for r, one in enumerate(given):
        try:
            overall = estimator.fit(sample_of(dealt(data, one, ("g",)))).overall
        except sme.errors.IdentificationError:
            assert np.isnan(effect[r])
            continue
        assert (effect[r], error[r]) == (
            pytest.approx(overall.estimate, rel=EXACT),
            pytest.approx(overall.std_error, rel=EXACT),
        )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5))
def test_deals_keep_every_stratum(seed: int, strata: int) -> None:
    rng = np.random.default_rng(seed)
    stratum = rng.integers(0, strata, 40)
    for order in deals(stratum, 3, rng):
        assert sorted(order) == list(range(40))
        assert (stratum[order] == stratum).all()


def test_alone_means_one_history_in_the_stratum() -> None:
    stratum, history = np.array([0, 0, 1, 1, 2]), np.array([2019, 2019, 2019, 2020, 2021])
    assert alone_in_stratum(stratum, history).tolist() == [True, True, False, False, True]


def test_own_share_is_its_mean_over_deals() -> None:
    """Expectation against 4,000 deals: Monte Carlo error of a share of 12 firms below 0.003."""
    rng = np.random.default_rng(0)
    stratum, treated = np.repeat([0, 1, 2], 10), np.arange(30) % 10 < np.repeat([1, 3, 8], 10)
    shares = np.array([treated[treated[given]].mean() for given in deals(stratum, 4000, rng)])
    assert own_share(treated, stratum)[0] == pytest.approx(shares.mean(), abs=0.01)


def test_the_level_is_kept_without_an_effect() -> None:
    """60 panels without effect whose cohorts differ in size: 5 % of studentised p below 0.05, Monte Carlo error 2.8 points."""
    below = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        firms, years = 60, np.arange(2015, 2020)
        kind = np.repeat([0, 1], 30)
        start = np.where(rng.random(firms) < np.where(kind == 0, 0.15, 0.4), rng.choice([2017, 2018], firms), 0)
        y = rng.standard_normal((firms, 5)).cumsum(axis=1) * (1 + kind[:, None]) + 2.0 * kind[:, None] * np.arange(5)
        data = pd.DataFrame({"id": np.repeat(np.arange(firms), 5), "year": np.tile(years, firms), "y": y.ravel()})
        data["g"], data["kind"] = np.repeat(start, 5), np.repeat(np.array(["a", "b"])[kind], 5)
        sample = sme.Sample.from_frame(data, firm="id", year="year", outcome="y", cohort="g", columns=("kind",))
        cohorts = cohorts_of(sme.LandmarkDiD(covariates=("kind",), past_growth=None, window=(0, 1)), sample)
        given = np.stack([np.arange(firms), *deals(kind, 99, rng)])
        effect, error = placebo_effects(cohorts, given)
        below.append(empirical_p(effect[0] / error[0], effect[1:] / error[1:]) <= 0.05)
    assert 0.0 < np.mean(below) < 0.05 + 4 * 0.028


def placebos(effect: np.ndarray[Any, Any], carried: float = 0.0, overlap: float = 0.0) -> Placebos:
    error = np.full(len(effect), 0.01)
    return Placebos(effect=effect, std_error=error, carried=carried, overlap=overlap, n_strata=9, n_treated=90, n_fixed=1)


def test_verdicts() -> None:
    centred = 0.01 * np.linspace(-2.0, 2.0, 99)
    assert check_placebo_assignment(0.05, 0.01, placebos(centred)).passed is True
    assert check_placebo_assignment(0.01, 0.01, placebos(centred)).passed is None
    assert check_placebo_assignment(0.05, 0.01, placebos(centred + 0.02)).passed is False
    # What real entrants among the placebo ones carry over is no effect of nothing, nor is the noise of the strata's own means.
    assert check_placebo_assignment(0.05, 0.01, placebos(centred + 0.005, carried=0.1)).passed is True
    assert check_placebo_assignment(0.05, 0.01, placebos(centred + 0.005)).passed is False
    assert check_placebo_assignment(0.05, 0.01, placebos(centred + 0.005, overlap=0.09)).passed is True
    few = check_placebo_assignment(0.05, 0.01, placebos(np.full(99, np.nan)))
    assert (few.passed, few.reason, few.table) == (None, "placebo_assignment_unknown", None)


def test_p_counts_the_estimate_among_its_placebos() -> None:
    assert empirical_p(9.0, np.array([-1.0, 1.0, 0.0])) == 0.25
    assert empirical_p(1.0, np.array([-1.0, 1.0, 0.0])) == 0.75


def test_histogram_counts_every_placebo() -> None:
    values = np.random.default_rng(0).standard_normal(500)
    cells = [row.values for row in histogram(values).rows]  # noqa: PD011  a row's cells
    assert len(cells) == BINS and sum(int(str(cell["count"])) for cell in cells) == 500
    assert all(a["high"] == b["low"] for a, b in pairwise(cells))


def test_both_ways_of_a_design_agree() -> None:
    """Refitted on the columns that the same deals give, the landmark has the placebos that the products give."""
    from sme_eval.evaluation import placebos as module

    one = asked(city(firms=2500))
    stratum = module.strata(one)
    few = replace(one, effort=replace(one.effort, placebos=3))
    fast = module._in_bulk(few, stratum, np.random.default_rng(0))
    slow = module._by_refitting(few, stratum, np.random.default_rng(0))
    np.testing.assert_allclose(fast[0], slow[0], rtol=1e-8)
    np.testing.assert_allclose(fast[1], slow[1], rtol=1e-8)
    # Counted by stratum and by the operator the same overlap is meant; the operator's weighs cohorts.
    assert fast[2] == pytest.approx(slow[2], abs=0.1)


@pytest.mark.parametrize("policy", ["rewards", "bundle"])
def test_other_designs_are_refitted(policy: str) -> None:
    one = asked(city(firms=2500), policy)
    found = placebo_check(replace(one, effort=replace(one.effort, placebos=2)))
    assert found.reason == "placebo_assignment_unknown"
