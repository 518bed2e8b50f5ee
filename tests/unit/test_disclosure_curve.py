"""A specification curve passes the gate: no small sample, and no two samples whose difference is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

import sme_eval as sme
from sme_eval.evaluation.asked import Effort
from sme_eval.evaluation.design import Design
from sme_eval.evaluation.disclosure import THRESHOLD, WITHHELD, release, require_released
from sme_eval.evaluation.evaluate import evaluate
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_curve import CurveRecord, SpecificationRecord
from sme_eval.policies.policy import find_policy
from sme_eval.results.unavailable import Unavailable

GONE = Unavailable(WITHHELD)


@pytest.fixture(scope="module")
def observed() -> Evaluation:
    policy = find_policy("training_grants")
    return evaluate(Design.from_policy(policy, "log_sales"), sme.open_source(policy.source), effort=Effort(draws=99))


def curve_of(evaluation: Evaluation) -> CurveRecord:
    assert evaluation.curve is not None
    return evaluation.curve


def with_specifications(evaluation: Evaluation, *changed: tuple[int, dict[str, int]]) -> Evaluation:
    curve = curve_of(evaluation)
    rows = list(curve.specifications)
    for place, values in changed:
        rows[place] = replace(rows[place], **values)  # type: ignore[arg-type]
    return replace(evaluation, curve=replace(curve, specifications=tuple(rows)))


def enough(evaluation: Evaluation) -> Evaluation:
    """The same with every sample far enough from every other."""
    curve = curve_of(evaluation)
    rows = tuple(replace(one, n_apart=THRESHOLD) for one in curve.specifications)
    return replace(evaluation, curve=replace(curve, specifications=rows))


def numbers(one: SpecificationRecord) -> tuple[object, ...]:
    return (one.estimate, one.std_error, one.conf_low, one.conf_high, one.n_firms, one.n_treated)


def test_a_curve_on_enough_firms_passes_unchanged(observed: Evaluation) -> None:
    record = enough(observed)
    released = release(record)
    assert released.curve == record.curve
    require_released(released)


def test_samples_that_differ_by_few_firms_are_not_told_apart(observed: Evaluation) -> None:
    record = with_specifications(enough(observed), (1, {"n_apart": THRESHOLD - 1}))
    released = curve_of(release(record))
    assert numbers(released.specifications[1]) == (GONE,) * 6
    assert released.specifications[0] == curve_of(record).specifications[0] and released.median == curve_of(record).median
    require_released(release(record))
    assert [entry for entry in release(record).withheld if entry.path == "/curve"]


def test_an_end_of_the_curve_goes_with_its_specification(observed: Evaluation) -> None:
    curve = curve_of(observed)
    place = next(n for n, one in enumerate(curve.specifications) if one.estimate == curve.lowest)
    released = release(with_specifications(enough(observed), (place, {"n_apart": 3})))
    assert curve_of(released).lowest == GONE and curve_of(released).highest == curve.highest
    require_released(released)


def test_few_treated_firms_take_the_summaries_with_them(observed: Evaluation) -> None:
    released = release(with_specifications(enough(observed), (0, {"n_treated": THRESHOLD - 1})))
    curve = curve_of(released)
    assert numbers(curve.specifications[0]) == (GONE,) * 6
    assert (curve.median, curve.share_significant, curve.median_p, curve.headline_rank) == (GONE,) * 4
    assert all(dimension.share == GONE for dimension in curve.dimensions)
    require_released(released)
