"""What the design's hash seals: everything that decides, and no words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import sme_eval as sme
from sme_eval.evaluation import claim
from sme_eval.panel.declarations import Label
from sme_eval.policies.policy import Policy
from sme_eval.policies.rules import CheckRule

POLICIES = sme.load_policies()


def hash_of(policy: Policy) -> str:
    return sme.Design.from_policy(policy).record().hash


def outcome(policy: Policy, name: str, **changes: object) -> Policy:
    return replace(policy, outcomes={**policy.outcomes, name: replace(policy.outcomes[name], **changes)})  # type: ignore[arg-type]


DECIDE: list[tuple[str, str, Callable[[Policy], Policy]]] = [
    ("smallest effect", "certification", lambda p: outcome(p, "log_revenue", smallest_effect=0.05)),
    ("scale", "certification", lambda p: outcome(p, "log_revenue", scale="level")),
    ("smallest effect of a mechanism", "certification", lambda p: outcome(p, "log_employment", smallest_effect=0.5)),
    ("checks", "certification", lambda p: replace(p, checks=CheckRule(district="district", groups=("size",)))),
    ("measured twin", "certification", lambda p: replace(p, checks=CheckRule(measured={"log_revenue": "vat"}))),
    ("treatment", "certification", lambda p: replace(p, treatment=replace(p.treatment, cohort="srdi_year"))),
    ("code of never", "certification", lambda p: replace(p, treatment=replace(p.treatment, never_treated=9999))),
    ("comparisons", "certification", lambda p: replace(p, treatment=replace(p.treatment, comparisons=("never_treated",)))),
    ("datings", "certification", lambda p: replace(p, treatment=replace(p.treatment, codings=()))),
    ("instrument", "certification", lambda p: replace(p, instrument="reward")),
    ("estimator", "certification", lambda p: replace(p, estimator=p.alternatives[0])),
    ("alternatives", "certification", lambda p: replace(p, alternatives=())),
    ("terms of credit", "credit", lambda p: replace(p, listing=replace(p.listing, price="unsecured_share"))),  # type: ignore[type-var]
    ("an arm's firms", "bundle", lambda p: replace(p, arms=(replace(p.arms[0], where={"district": "x"}), *p.arms[1:]))),
    (
        "a part's step",
        "bundle",
        lambda p: replace(p, exposures=(*p.exposures[:3], replace(p.exposures[3], per=100), p.exposures[4])),
    ),
    ("a sum's weights", "bundle", lambda p: replace(p, sums=(replace(p.sums[0], weights={"certificate": 1.0, "cash": 2.0}),))),
]


@pytest.mark.parametrize(("name", "policy", "change"), DECIDE, ids=[name for name, *_ in DECIDE])
def test_what_decides_is_sealed(name: str, policy: str, change: Callable[[Policy], Policy]) -> None:
    assert hash_of(change(POLICIES[policy])) != hash_of(POLICIES[policy])


@pytest.mark.parametrize("constant", ["MINIMUM_CLUSTERS", "DISTRICT_ALPHA", "ONE_SIDED", "BOUND_SHARE"])
def test_so_are_the_thresholds_of_the_rule(constant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hash_of(POLICIES["certification"])
    monkeypatch.setattr(claim, constant, getattr(claim, constant) * 2)
    assert hash_of(POLICIES["certification"]) != before


def test_words_are_not() -> None:
    policy = POLICIES["certification"]
    other = Label("别的", "other")
    reworded = replace(
        policy,
        label=other,
        question=other,
        background=(),
        limits=(),
        sources={},
        treatment=replace(policy.treatment, label=other),
    )
    assert hash_of(reworded) == hash_of(policy)


def test_data_are_not_and_the_hash_is_the_record_s() -> None:
    design = sme.Design.from_policy(POLICIES["certification"])
    found = {sme.evaluate(design, sme.simulate_ningbo(seed=seed, firms=2500)[0], lean=True).design.hash for seed in (1, 2)}
    assert found == {design.record().hash}
