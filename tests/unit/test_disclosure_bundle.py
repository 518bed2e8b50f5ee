"""The gate for a bundle: what a small arm takes with it, and what it must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

import sme_eval as sme
from sme_eval.evaluation.disclosure import require_released
from sme_eval.results.unavailable import Unavailable


@pytest.fixture(scope="module")
def bundle() -> sme.Evaluation:
    panel, _ = sme.simulate_ningbo(seed=1)
    return sme.evaluate(sme.Design.from_policy(sme.load_policies()["bundle"]), panel)


def with_small(evaluation: sme.Evaluation, name: str) -> sme.Evaluation:
    """The same record, in which one arm has nine firms."""
    assert evaluation.bundle is not None
    arms = tuple(replace(arm, n_treated=9) if arm.name == name else arm for arm in evaluation.bundle.arms)
    return replace(evaluation, bundle=replace(evaluation.bundle, arms=arms))


def test_large_arms_pass_untouched(bundle: sme.Evaluation) -> None:
    assert sme.release(bundle).bundle == bundle.bundle


def test_a_small_arm_takes_the_parts_that_need_it(bundle: sme.Evaluation) -> None:
    """Without the districts that pay more, certificate and cash cannot be told apart, but credit and their sum can."""
    released = sme.release(with_small(bundle, "lg_high"))
    assert released.bundle is not None
    told = {part.name: not isinstance(part.estimate, Unavailable) for part in (*released.bundle.parts, *released.bundle.sums)}
    assert told == {
        "credit": True,
        "srdi": True,
        "certificate": False,
        "cash": False,
        "unnamed_cash": False,
        "certificate_with_cash": True,
    }
    arm = next(arm for arm in released.bundle.arms if arm.name == "lg_high")
    assert isinstance(arm.estimate, Unavailable) and isinstance(arm.n_treated, Unavailable)
    assert all(isinstance(value, Unavailable) for value in arm.exposures.values())
    assert {w.rule for w in released.withheld if w.path.startswith("/bundle")} == {"threshold", "complementary"}


def test_a_released_bundle_does_not_change_again(bundle: sme.Evaluation) -> None:
    released = sme.release(with_small(bundle, "lg_high"))
    require_released(released)
    require_released(sme.Evaluation.from_json(released.to_json()))


def test_no_withheld_number_is_in_the_released_text(bundle: sme.Evaluation) -> None:
    assert bundle.bundle is not None
    text = sme.release(with_small(bundle, "lg_high")).to_json()
    hidden = [arm.estimate for arm in bundle.bundle.arms if arm.name == "lg_high"]
    hidden += [part.estimate for part in bundle.bundle.parts if part.name in ("certificate", "cash")]
    assert [value for value in hidden if repr(value) in text] == []
