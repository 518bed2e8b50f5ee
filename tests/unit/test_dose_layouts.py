"""Doses nobody states and districts not there yet: against loops over the public slope and permutation functions."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from sme_eval.errors import DesignError
from sme_eval.stats import dose_layouts
from sme_eval.stats.dose_layouts import dose_plan, dose_sensitivity
from sme_eval.stats.few_clusters import attainable_p, dose_slope_ols

EXACT = 1e-10
TAU = np.array([4.1, -2.0, 7.3, 0.4, 3.3, 9.9, -1.2])
OPEN = np.array([1.0, np.nan, 2.0, 1.0, np.nan, 1.0, np.nan])
PRESENT = np.array([100.0, 50, 50, 50, 50])


def test_sensitivity_is_the_loop_over_assignments() -> None:
    possible = (0.0, 1.0, 2.0)
    slopes, layouts = [], []
    for filled in product(possible, repeat=3):
        dose = OPEN.copy()
        dose[np.isnan(OPEN)] = filled
        layouts.append(dose)
        slopes.append(dose_slope_ols(TAU, dose, level=0.9))
    found = dose_sensitivity(TAU, OPEN, possible, level=0.9)
    assert found is not None
    assert found.n_assignments == 27
    estimates = [slope.estimate for slope in slopes]
    np.testing.assert_allclose([found.slope_low, found.slope_high], [min(estimates), max(estimates)], rtol=EXACT)
    hull = [min(slope.conf_low for slope in slopes), max(slope.conf_high for slope in slopes)]
    np.testing.assert_allclose([found.conf_low, found.conf_high], hull, rtol=EXACT)
    assert found.attainable_best == min(attainable_p(dose) for dose in layouts)
    for doses, expected in ((found.doses_low, found.slope_low), (found.doses_high, found.slope_high)):
        dose = OPEN.copy()
        dose[np.isnan(OPEN)] = doses
        assert dose_slope_ols(TAU, dose).estimate == pytest.approx(expected, rel=EXACT)


def test_too_many_assignments_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dose_layouts, "MOST_LAYOUTS", 26)
    assert dose_sensitivity(TAU, OPEN, (0.0, 1.0, 2.0)) is None


@pytest.mark.parametrize(("dose", "possible", "words"), [(np.arange(7.0), (1.0,), "No dose is open"), (OPEN, (), "No possible")])
def test_sensitivity_refuses_what_leaves_nothing_to_vary(dose: np.ndarray, possible: tuple[float, ...], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        dose_sensitivity(TAU, dose, possible)


def test_plan_for_the_doses_that_are_known() -> None:
    """1/5 now; one more district at 50, 100, 0 or a new dose: 1/6, 1/15, 2/30 (mirror images), 1/30."""
    plan = dose_plan(PRESENT, 6.5, candidates=(0.0,))
    assert plan.attainable == 1 / 5
    assert dict(plan.with_one_more) == {50.0: 1 / 6, 100.0: 1 / 15, 0.0: 2 / 30, None: 1 / 30}
    assert (plan.further_distinct, plan.further_repeated) == (1, 2)
    assert attainable_p(np.append(PRESENT, [100.0, 100.0])) <= 0.05 < attainable_p(np.append(PRESENT, 100.0))
    quantiles = stats.t.ppf(0.975, 3) + stats.t.ppf(0.8, 3)
    assert plan.minimum_detectable == pytest.approx(quantiles * 6.5, rel=EXACT)
    assert plan.required(plan.minimum_detectable) == pytest.approx(1.0, rel=EXACT)
    assert plan.required(-0.4) == pytest.approx((quantiles * 6.5 / 0.4) ** 2, rel=EXACT)


@pytest.mark.parametrize(("dose", "further"), [([1, 2, 3], 1), ([1, 1, 2], 2), ([1, 2, 3, 4, 6, 9], 0)])
def test_new_doses_are_never_symmetric(dose: list[float], further: int) -> None:
    """1/24 after a fourth distinct dose (2/24 if it lay symmetrically), 1/12 and then 1/60 from three districts at two doses."""
    assert dose_plan(np.array(dose, dtype=float), 1.0).further_distinct == further


@pytest.mark.parametrize("effect", [0.0, np.nan, np.inf])
def test_no_effect_needs_no_number_of_cities(effect: float) -> None:
    with pytest.raises(DesignError, match="no effect to detect"):
        dose_plan(PRESENT, 1.0).required(effect)
