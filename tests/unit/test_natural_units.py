"""The effect for a typical firm in natural units, and what the gate does with it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.evaluation.disclosure import WITHHELD, require_released
from sme_eval.evaluation.fitting import sample_of
from sme_eval.evaluation.natural_units import natural_record, values_before_entry
from sme_eval.evaluation.record_base import Bilingual
from sme_eval.evaluation.record_reading import NaturalRecord
from sme_eval.results.unavailable import Unavailable
from tests.unit.landmark_record import landmark

NATURAL = NaturalRecord(
    unit=Bilingual(zh="万元", en="10,000 yuan"),
    base=5739.5,
    base_n_firms=283,
    estimate=346.3,
    conf_low=185.5,
    conf_high=511.5,
    hull_low=-37.6,
    hull_high=511.5,
)


@pytest.fixture(scope="module")
def panel() -> sme.FirmPanel:
    return sme.simulate_ningbo(seed=1, scenario="baseline")[0]


def test_by_hand(panel: sme.FirmPanel) -> None:
    evaluation = sme.evaluate(sme.Design.from_policy(sme.load_policies()["certification"]), panel, lean=True)
    natural = evaluation.natural
    assert natural is not None and evaluation.bracket is not None
    frame = panel.frame
    before = frame[(frame.certified_year > 0) & (frame.year == frame.certified_year - 1)]
    base = math.exp(before.log_revenue.mean())
    assert natural.base == pytest.approx(base, rel=1e-11)
    assert natural.base_n_firms == len(before) == 283
    assert natural.unit.zh == "万元"
    for name in ("estimate", "conf_low", "conf_high"):
        effect = float(getattr(evaluation.headline, name))
        assert getattr(natural, name) == pytest.approx(base * (math.exp(effect) - 1.0), rel=1e-9)
    assert natural.hull_low == pytest.approx(base * math.expm1(float(evaluation.bracket.hull_low)), rel=1e-9)


def test_levels_slopes_and_parts_have_none(panel: sme.FirmPanel) -> None:
    policy = sme.load_policies()["certification"]
    design = sme.Design.from_policy(policy)
    sample = sample_of(design, panel, "log_revenue")
    headline = sme.evaluate(design, panel, lean=True).headline
    assert natural_record(headline, sample, panel, None) is not None
    assert natural_record(replace(headline, percent=None), sample, panel, None) is None
    for estimand in ("dose_slope", "separated"):
        assert natural_record(replace(headline, estimand=estimand), sample, panel, None) is None
    gone = replace(headline, estimate=Unavailable("not estimated"))
    found = natural_record(gone, sample, panel, None)
    assert found is not None and found.estimate == Unavailable("not estimated") and found.hull_low is None


def test_only_treated_firms_seen_in_the_year_before_count() -> None:
    frame = {
        "firm": [1, 1, 2, 2, 3, 3, 4],
        "year": [2020, 2021] * 3 + [2021],
        "y": [1.0, 9.0, 3.0, 9.0, 7.0, 9.0, 5.0],
        "g": [2021, 2021, 2021, 2021, 0, 0, 2021],
    }
    import pandas as pd

    sample = sme.Sample.from_frame(pd.DataFrame(frame), firm="firm", year="year", outcome="y", cohort="g")
    assert sorted(values_before_entry(sample)) == [1.0, 3.0], "firm 3 is never treated, firm 4 has no year before"
    nobody = sme.Sample.from_frame(pd.DataFrame(frame), firm="firm", year="year", outcome="y")
    assert np.size(values_before_entry(nobody)) == 0


def test_the_gate_lets_it_through_with_enough_firms() -> None:
    released = sme.release(replace(landmark(), natural=NATURAL))
    assert released.natural == NATURAL


@pytest.mark.parametrize("published", [(), (9,)])
def test_the_gate_withholds_a_base_of_few_firms(published: tuple[int, ...]) -> None:
    """A published count may be told; what was computed from those firms may not."""
    record = landmark()
    policy = replace(record.policy, published_counts=published)
    released = sme.release(replace(record, policy=policy, natural=replace(NATURAL, base_n_firms=9)))
    natural, gone = released.natural, Unavailable(WITHHELD)
    assert natural is not None
    assert {natural.base, natural.estimate, natural.conf_low, natural.conf_high, natural.hull_low, natural.hull_high} == {gone}
    assert natural.base_n_firms == (9 if published else gone)
    assert "/natural" in {entry.path for entry in released.withheld}
    require_released(released)


def test_the_gate_withholds_it_with_the_headline_and_the_hull_with_its_bracket() -> None:
    record = replace(landmark(), natural=NATURAL)
    few = sme.release(replace(record, headline=replace(record.headline, n_treated=9)))
    assert few.natural is not None and few.natural.estimate == few.natural.base == Unavailable(WITHHELD)
    require_released(few)
    robust, bare = record.alternatives
    hull = sme.release(replace(record, alternatives=(robust, replace(bare, n_treated=9))))
    assert hull.natural is not None
    assert (hull.natural.estimate, hull.natural.hull_low) == (NATURAL.estimate, Unavailable(WITHHELD))
    require_released(hull)


def test_a_record_without_a_hull_keeps_none() -> None:
    bare = replace(NATURAL, hull_low=None, hull_high=None, base_n_firms=9)
    released = sme.release(replace(landmark(), natural=bare)).natural
    assert released is not None and released.hull_low is None and released.estimate == Unavailable(WITHHELD)
