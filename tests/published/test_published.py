"""Published results, to the printed digits."""

from __future__ import annotations

import pytest

import sme_eval as sme
from tests.reference.rows import sample

WOOLDRIDGE_14_1 = {"d88": (-0.080, 0.109), "d89": (-0.247, 0.133), "grant": (-0.252, 0.151), "grant_1": (-0.422, 0.210)}
"""Wooldridge, Introductory Econometrics, Example 14.1: log scrap rate, fixed effects, classical errors."""

MINIMUM_WAGE = {
    (2004, 2004): -0.0105, (2004, 2005): -0.0704, (2004, 2006): -0.1373, (2004, 2007): -0.1008,
    (2006, 2004): 0.0065, (2006, 2005): -0.0028, (2006, 2006): -0.0046, (2006, 2007): -0.0412,
    (2007, 2004): 0.0305, (2007, 2005): -0.0027, (2007, 2006): -0.0311, (2007, 2007): -0.0261,
}  # fmt: skip
"""ATT(g, t) of the minimum wage on log teen employment as printed by R did's introduction, without covariates."""

MINIMUM_WAGE_GIVEN_POPULATION = {
    (2004, 2004): -0.0145, (2004, 2005): -0.0764, (2004, 2006): -0.1404, (2004, 2007): -0.1069,
    (2006, 2004): -0.0005, (2006, 2005): -0.0062, (2006, 2006): 0.0010, (2006, 2007): -0.0413,
    (2007, 2004): 0.0267, (2007, 2005): -0.0046, (2007, 2006): -0.0284, (2007, 2007): -0.0288,
}  # fmt: skip
"""The same given log population, doubly robust, as printed there; so are the averages by event time and the pre-test."""
EVENT_TIMES = {-3: 0.0267, -2: -0.0036, -1: -0.0232, 0: -0.0211, 1: -0.0530, 2: -0.1404, 3: -0.1069}


def test_wooldridge_example_14_1() -> None:
    data = sme.Sample.from_frame(
        sme.open_source("jobtraining").frame, firm="firm", year="year", outcome="log_scrap", columns=tuple(WOOLDRIDGE_14_1)
    )
    fit = sme.PanelRegression.from_formula("log_scrap ~ d88 + d89 + grant + grant_1 | firm", covariance="classical").fit(data)
    for term, (estimate, error) in WOOLDRIDGE_14_1.items():
        assert (round(float(fit[term].estimate), 3), round(float(fit[term].std_error), 3)) == (estimate, error), term
    assert (fit["grant"].n_observations, fit["grant"].n_firms) == (162, 54)


def test_minimum_wage_example() -> None:
    table = sme.CallawaySantAnna().fit(sample("mpdta")).to_frame().set_index(["cohort", "year"])["estimate"]
    assert {key: round(float(table[key]), 4) for key in MINIMUM_WAGE} == MINIMUM_WAGE


@pytest.mark.parametrize(("kind", "printed"), [("dynamic", -0.0772), ("group", -0.0310)])
def test_minimum_wage_averages(kind: str, printed: float) -> None:
    overall = sme.CallawaySantAnna().fit(sample("mpdta")).aggregate(kind).overall
    assert round(float(overall.estimate), 4) == printed


def test_minimum_wage_example_given_population() -> None:
    fit = sme.CallawaySantAnna(method="dr").fit(sample("mpdta", covariates=("lpop",)))
    table = fit.to_frame().set_index(["cohort", "year"])["estimate"]
    dynamic = fit.aggregate("dynamic")
    by_time = dynamic.to_frame().set_index("event_time")["estimate"]
    test = fit.pretrend_test()
    assert {key: round(float(table[key]), 4) for key in MINIMUM_WAGE} == MINIMUM_WAGE_GIVEN_POPULATION
    assert {time: round(float(by_time[time]), 4) for time in EVENT_TIMES} == EVENT_TIMES
    assert round(float(dynamic.overall.estimate), 4) == -0.0804
    assert round(float(test.p_value), 5) == 0.23267
