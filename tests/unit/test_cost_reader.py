"""The table of costs of a policy file: what is declared, and every way to get it wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sme_eval as sme
from sme_eval.policies.cost_rules import UNITS

PACKAGED = Path(__file__).parents[2] / "data" / "policies"
AWARD = """[cost.award]
low = 50
high = 100"""


def load(tmp_path: Path, old: str, new: str, name: str = "certification") -> sme.Policy:
    text = (PACKAGED / f"{name}.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / f"{name}.toml").write_text(text.replace(old, new), encoding="utf-8")
    return sme.load_policies(tmp_path)[name]


def test_only_the_awards_of_the_letter_are_confirmed() -> None:
    policies = sme.load_policies()
    confirmed = {
        (name, one.name): (one.low, one.high)
        for name, policy in policies.items()
        if policy.cost is not None
        for one in policy.cost.assumptions.values()
        if one.confirmed
    }
    assert confirmed == {("certification", "award"): (50.0, 100.0)}


def test_credit_counts_no_volume() -> None:
    cost = sme.load_policies()["credit"].cost
    assert cost is not None and "award" not in cost.assumptions
    balance = cost.assumptions["balance"]
    assert (balance.low, balance.high, balance.column) == (None, None, "log_credit_balance")
    assert {one.unit for one in cost.assumptions.values()} <= set(UNITS.values())


def test_a_policy_may_have_none() -> None:
    assert sme.load_policies()["training_grants"].cost is None


def test_one_number_is_a_range_of_one(tmp_path: Path) -> None:
    cost = load(tmp_path, AWARD, "[cost.award]\nvalue = 50").cost
    assert cost is not None and (cost.assumptions["award"].low, cost.assumptions["award"].high) == (50.0, 50.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[cost.award]", "[cost.reward]", "reward is no assumption about costs"),
        ("low = 50\nhigh = 100", "low = 100\nhigh = 50", "award is 100 to 50"),
        ("low = 50\nhigh = 100", "low = -1\nhigh = 50", "not negative"),
        ("low = 50\nhigh = 100", "low = 50", "one number or a range"),
        ("low = 50\nhigh = 100", "value = 50\nhigh = 100", "one number or a range"),
        ("low = 50\nhigh = 100", 'column = "reward_dose"', "one number or a range"),
        ('low = 50\nhigh = 100\nunit = "ten_thousand_yuan_per_firm"', 'value = 50\nunit = "yuan"', "unit is 'yuan'"),
        ('confirmed = true\nsource = "reply"', "confirmed = true", "award has no source"),
        ('source = "reply"', 'source = "letter"', "award has no source 'letter'"),
        ("low = 0.02\nhigh = 0.05", "low = 2\nhigh = 5", "between zero and one"),
        ("value = 3", "value = 2.5", "whole years"),
        ("value = 3", "value = 0", "whole years"),
        ("[cost.years]", "[cost.year]", "years is missing"),
        ("low = 0\nhigh = 5", "low = 0\nhigh = 100", "below a hundred"),
        (AWARD, AWARD + "\nsize = 1", "size is not a known key"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(sme.DesignError, match=re.escape(message)):
        load(tmp_path, old, new)


def test_just_inside_is_right(tmp_path: Path) -> None:
    load(tmp_path, "low = 0.02\nhigh = 0.05", "low = 0\nhigh = 1")
    load(tmp_path, "low = 0\nhigh = 5", "low = 0\nhigh = 99.9")
    load(tmp_path, "value = 3", "low = 1\nhigh = 1")


def test_a_balance_alone_is_no_cost(tmp_path: Path) -> None:
    """Neither a balance without what is lost on it, nor a loss on no balance."""
    text = (PACKAGED / "credit.toml").read_text(encoding="utf-8")
    tables = {name: re.search(rf"\[cost\.{name}\].*?\n\n", text, re.S) for name in ("subsidy_points", "expected_loss", "balance")}
    found = {name: match[0] for name, match in tables.items() if match is not None}
    assert len(found) == 3
    for gone in (("balance",), ("subsidy_points", "expected_loss")):
        changed = text
        for name in gone:
            changed = changed.replace(found[name], "")
        (tmp_path / "credit.toml").write_text(changed, encoding="utf-8")
        with pytest.raises(sme.DesignError, match="a balance alone is no cost"):
            sme.load_policies(tmp_path)


def test_costs_may_not_be_nothing(tmp_path: Path) -> None:
    text = (PACKAGED / "certification.toml").read_text(encoding="utf-8")
    changed = text.replace("low = 50\nhigh = 100", "low = 0\nhigh = 100").replace("low = 0.5\nhigh = 3", "low = 0\nhigh = 3")
    (tmp_path / "certification.toml").write_text(changed, encoding="utf-8")
    with pytest.raises(sme.DesignError, match="The costs may be nothing"):
        sme.load_policies(tmp_path)


def test_some_outcome_must_have_a_value(tmp_path: Path) -> None:
    text = (PACKAGED / "certification.toml").read_text(encoding="utf-8")
    changed = text.replace('"log_revenue"', '"log_output"').replace('"log_employment"', '"log_patents"')
    (tmp_path / "certification.toml").write_text(changed, encoding="utf-8")
    with pytest.raises(sme.DesignError, match="No outcome of this policy can be set against a cost"):
        sme.load_policies(tmp_path)
