"""Balance: differences against matching's own, categories against one dummy, and each verdict."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.checks.balance import ALIKE, Covariate, check_balance
from sme_eval.stats.covariate_balance import standardised_difference


def test_a_number_s_difference_is_that_of_matching() -> None:
    rng = np.random.default_rng(1)
    x, treated = rng.standard_normal(200), np.arange(200) < 60
    x[treated] += 0.4
    frame = pd.DataFrame({"id": np.repeat(np.arange(200), 2), "year": np.tile([2020, 2021], 200), "x": np.repeat(x, 2)})
    frame["g"], frame["y"] = np.repeat(np.where(treated, 2021, 0), 2), rng.standard_normal(400)
    sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g", covariates=("x",))
    oracle = sme.match_firms(sample).balances[0]
    ones = np.ones(200)
    found = standardised_difference(x[:, None], treated, ones, ones)
    assert found.difference == pytest.approx(oracle.difference_before, abs=1e-12)
    assert found.ratio == pytest.approx(oracle.ratio_before, abs=1e-12)


def test_weights_move_the_means_and_not_the_deviation() -> None:
    rng = np.random.default_rng(2)
    x, treated, weight = rng.standard_normal((100, 1)), rng.random(100) < 0.3, rng.uniform(0.1, 3.0, 100)
    found = standardised_difference(x, treated, weight, np.ones(100))
    gap = np.average(x[treated, 0], weights=weight[treated]) - np.average(x[~treated, 0], weights=weight[~treated])
    assert found.difference == pytest.approx(gap / math.sqrt((x[treated].var() + x[~treated].var()) / 2.0), abs=1e-12)


def test_a_category_of_two_is_its_dummy() -> None:
    rng = np.random.default_rng(3)
    treated = rng.random(300) < 0.4
    dummy = (rng.random(300) < np.where(treated, 0.6, 0.4)).astype(float)
    ones = np.ones(300)
    both = standardised_difference(np.column_stack([dummy, 1.0 - dummy]), treated, ones, ones)
    one = standardised_difference(dummy[:, None], treated, ones, ones)
    assert both.difference == pytest.approx(abs(one.difference), abs=1e-10) and math.isnan(both.ratio)


def test_rows_without_a_value_are_left_out() -> None:
    x = np.array([1.0, 2.0, np.nan, 4.0, 5.0, 7.0])
    treated = np.array([True, True, True, False, False, False])
    found = standardised_difference(x[:, None], treated, np.ones(6), np.ones(6))
    kept = np.isfinite(x)
    assert found == standardised_difference(x[kept, None], treated[kept], np.ones(5), np.ones(5))
    nobody = standardised_difference(np.full((6, 1), np.nan), treated, np.ones(6), np.ones(6))
    assert math.isnan(nobody.difference)


def test_constants_differ_by_nothing_or_have_no_difference() -> None:
    treated, ones = np.array([True, True, False, False]), np.ones(4)
    assert standardised_difference(np.ones((4, 1)), treated, ones, ones).difference == 0.0
    assert math.isnan(standardised_difference(treated[:, None] * 1.0, treated, ones, ones).difference)


def covariate(key: str, after: float | None, conditioned: bool = True, before: float = 0.5) -> Covariate:
    return Covariate(key=key, before=before, after=after, after_entropy=0.0, ratio=1.1, conditioned=conditioned)


@pytest.mark.parametrize(
    ("covariates", "passed", "reason", "statistic"),
    [
        ((covariate("a", 0.02), covariate("b", -0.05)), True, "balance_reached", 0.05),
        ((covariate("a", 0.02), covariate("b", -ALIKE)), False, "balance_not_reached", ALIKE),
        ((covariate("a", 0.02), covariate("b", 0.3, conditioned=False)), None, "balance_beyond", 0.02),
        ((covariate("a", 0.02), covariate("b", 0.05, conditioned=False)), True, "balance_reached", 0.02),
        ((covariate("a", None, before=-0.7), covariate("b", None)), None, "balance_before_only", 0.7),
        ((covariate("a", None, before=math.nan),), None, "balance_unknown", None),
    ],
)
def test_verdicts(covariates: tuple[Covariate, ...], passed: bool | None, reason: str, statistic: float | None) -> None:
    check = check_balance(covariates, 30)
    assert (check.passed, check.reason) == (passed, reason) and check.statistic == pytest.approx(statistic)
    assert check.table is not None and all(row.n_firms == 30 for row in check.table.rows)
    assert all(set(row.values) == set(check.table.columns) for row in check.table.rows)
