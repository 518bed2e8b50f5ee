"""The gate for district doses and for credit: what a small district or a small effect takes with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

import sme_eval as sme
from sme_eval.evaluation.disclosure import require_released
from sme_eval.evaluation.record_base import Number
from sme_eval.results.unavailable import Unavailable


def record(policy: str) -> sme.Evaluation:
    panel, _ = sme.simulate_ningbo(seed=1)
    return sme.evaluate(sme.Design.from_policy(sme.load_policies()[policy]), panel)


@pytest.fixture(scope="module")
def rewards() -> sme.Evaluation:
    return record("rewards")


@pytest.fixture(scope="module")
def credit() -> sme.Evaluation:
    return record("credit")


def sized(evaluation: sme.Evaluation, firms: dict[str, int]) -> sme.Evaluation:
    """The same record with other numbers of firms in some districts; every other has fifty."""
    assert evaluation.dose is not None
    rows = tuple(replace(row, n_treated=firms.get(row.district, 50)) for row in evaluation.dose.districts)
    return replace(evaluation, dose=replace(evaluation.dose, districts=rows))


def gone(value: Number) -> bool:
    return isinstance(value, Unavailable) and value.reason.startswith("withheld")


def test_large_districts_pass_and_the_slope_with_them(rewards: sme.Evaluation) -> None:
    """Five districts are no ten clusters, but each is an average over firms."""
    whole = sized(rewards, {})
    released = sme.release(whole)
    assert released.dose == whole.dose and released.headline == whole.headline
    require_released(released)


def test_a_small_stated_district_takes_two_others_and_the_intercept(rewards: sme.Evaluation) -> None:
    released = sme.release(sized(rewards, {"jiangbei": 4, "haishu": 20, "yinzhou": 30}))
    assert released.dose is not None
    hidden = {row.district for row in released.dose.districts if gone(row.estimate)}
    assert hidden == {"jiangbei", "haishu", "yinzhou"}
    assert all(isinstance(row.n_treated, Unavailable) for row in released.dose.districts if row.district in hidden)
    assert gone(released.dose.at_zero) and gone(released.dose.slope_lowest) and gone(released.dose.slopes[1].estimate)
    assert not gone(released.dose.slopes[0].estimate) and not gone(released.headline.estimate)
    require_released(sme.Evaluation.from_json(released.to_json()))


def test_an_unnamed_small_district_takes_one_other_of_its_kind(rewards: sme.Evaluation) -> None:
    released = sme.release(sized(rewards, {"fenghua": 3, "cixi": 12}))
    assert released.dose is not None
    assert {row.district for row in released.dose.districts if gone(row.estimate)} == {"fenghua", "cixi"}
    assert not gone(released.dose.at_zero)
    require_released(released)


def test_too_few_districts_left_withhold_the_slope_everywhere(rewards: sme.Evaluation) -> None:
    small = sized(rewards, {"jiangbei": 4, "haishu": 4, "yinzhou": 4})
    released = sme.release(small)
    assert released.dose is not None
    assert gone(released.headline.estimate) and all(gone(slope.estimate) for slope in released.dose.slopes)
    assert all(gone(row.estimate) for row in released.event_study.rows if not row.is_reference)
    assert gone(released.dose.permutation_p) and gone(released.power[0].std_error)
    text = released.to_json()
    assert repr(small.headline.estimate) not in text
    require_released(sme.Evaluation.from_json(text))


def test_a_small_effect_takes_its_ratios(credit: sme.Evaluation) -> None:
    assert credit.listing is not None
    few = replace(
        credit,
        headline=replace(credit.headline, n_treated=6),
        listing=replace(credit.listing, netted=replace(credit.listing.netted, n_treated=6)),
    )
    released = sme.release(few)
    assert released.listing is not None
    assert gone(released.headline.estimate) and gone(released.listing.netted.estimate)
    assert all(gone(ratio.estimate) for ratio in released.listing.ratios)
    assert all(gone(one.estimate) for one in released.listing.instruments)
    assert isinstance(released.listing.main_share, Unavailable)
    require_released(sme.Evaluation.from_json(released.to_json()))


def test_enough_firms_pass_untouched(credit: sme.Evaluation) -> None:
    released = sme.release(credit)
    assert released.listing == credit.listing
    require_released(released)


def test_a_share_that_names_few_firms_is_withheld(credit: sme.Evaluation) -> None:
    assert credit.listing is not None and isinstance(credit.headline.n_treated, int)
    share = 1.0 - 4 / credit.headline.n_treated
    released = sme.release(replace(credit, listing=replace(credit.listing, main_share=share)))
    assert released.listing is not None and isinstance(released.listing.main_share, Unavailable)
