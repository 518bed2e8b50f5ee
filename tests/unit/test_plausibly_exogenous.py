"""Plausibly exogenous instruments: every interval is two-stage least squares of the outcome less the direct effect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.stats.plausibly_exogenous import PlausiblyExogenous
from sme_eval.stats.weak_instruments import joint_regressions
from tests.unit.panels import panel


def an_instrument(reduced: float = 0.3, first: float = 0.5) -> PlausiblyExogenous:
    return PlausiblyExogenous(reduced=reduced, first=first, covariance=np.array([[0.004, 0.001], [0.001, 0.003]]), critical=1.96)


def test_it_equals_two_stage_least_squares_on_the_outcome_less_the_direct_effect() -> None:
    frame = panel(3, firms=80).rename(columns={"x": "credit", "z": "beside"})
    frame["listed"] = np.random.default_rng(5).standard_normal(len(frame))
    frame["credit"] += 0.7 * frame["listed"]
    choices = sme.InstrumentalVariables(endogenous=("credit",), instruments=("listed",), regressors=("beside",), effects=())
    found = None
    for direct in (0.0, 0.1, -0.4):
        own = frame.assign(net=frame["y"] - direct * frame["listed"])
        sample = sme.Sample.from_frame(own, firm="id", year="year", outcome="net", columns=("credit", "listed", "beside"))
        row = choices.fit(sample)["credit"]
        if found is None:
            design = np.column_stack([frame["listed"], frame["beside"], np.ones(len(frame))])
            raw = joint_regressions(frame[["y", "credit"]].to_numpy(), design, "clustered", sample.firm_codes)
            factor = 80 / 79 * (len(frame) - 1) / (len(frame) - 3)
            covariance = raw.covariance[:, 0, :, 0] * factor
            reduced, first = raw.coefficient[:, 0]
            found = PlausiblyExogenous(reduced=reduced, first=first, covariance=covariance, critical=1.96)
        assert found.estimate(direct) == pytest.approx(row.estimate, rel=1e-9)
        assert found.std_error(direct) == pytest.approx(row.std_error, rel=1e-9)


@given(low=st.floats(-0.5, 0.5), width=st.floats(0.0, 1.0), first=st.sampled_from([0.5, -0.5, 2.0]))
@settings(max_examples=40, deadline=None)
def test_the_union_is_the_hull_over_a_fine_grid(low: float, width: float, first: float) -> None:
    found = an_instrument(first=first)
    ends = [found.interval(direct) for direct in np.linspace(low, low + width, 201)]
    assert found.union(low, low + width) == pytest.approx((min(e[0] for e in ends), max(e[1] for e in ends)))


@pytest.mark.parametrize(("reduced", "first"), [(0.3, 0.5), (-0.3, 0.5), (0.3, -0.5), (-0.3, -0.5)])
def test_the_interval_touches_zero_at_the_breakdown_and_not_before(reduced: float, first: float) -> None:
    found = an_instrument(reduced, first)
    at = found.breakdown()
    assert min(abs(end) for end in found.interval(at)) == pytest.approx(0.0, abs=1e-12)
    before = [found.interval(share * at) for share in np.linspace(0.0, 0.99, 50)]
    assert all(low * high > 0.0 for low, high in before)
    assert 0.0 < at / reduced < 1.0


def test_an_interval_that_holds_zero_breaks_at_once() -> None:
    assert an_instrument(reduced=0.05).breakdown() == 0.0


def test_a_prior_without_spread_is_its_mean_up_to_the_error_at_zero() -> None:
    found = an_instrument()
    assert found.local_to_zero(0.0, 0.0) == pytest.approx(found.interval(0.0))
    low, high = found.local_to_zero(0.1, 0.2)
    assert (low + high) / 2 == pytest.approx(found.estimate(0.1))
    assert (high - low) / 2 == pytest.approx(1.96 * np.sqrt(found.std_error(0.0) ** 2 + (0.2 / 0.5) ** 2))
