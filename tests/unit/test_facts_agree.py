"""Numbers of the published reply that stand in declared files and constants beside `data/facts/` are the facts'."""

from __future__ import annotations

import datetime as dt

import pytest

from sme_eval.policies.facts import load_facts
from sme_eval.policies.policy import load_policies
from sme_eval.policies.quantities import Quantity
from sme_eval.policies.reward_schedule import Dose, load_reward_schedule
from sme_eval.policies.stated_reward import stated_reward
from sme_eval.simulate import letter_counts
from sme_eval.simulate.letter_counts import COUNTS

FACTS = load_facts()
BANKS = {"F29": "BALANCE", "F30": "BALANCE_GROWTH", "F33": "NEW_LOAN_RATE", "F36": "UNSECURED_SHARE"}


@pytest.mark.parametrize("count", COUNTS.values(), ids=COUNTS)
def test_counts_of_the_simulation(count: letter_counts.LetterCount) -> None:
    assert FACTS[count.fact].value == count.count


@pytest.mark.parametrize("fact", BANKS)
def test_figures_of_the_banks(fact: str) -> None:
    assert FACTS[fact].value == getattr(letter_counts, BANKS[fact])


@pytest.mark.parametrize("place", ["hangzhou_bay", "jiangbei", "yinzhou", "hightech"])
def test_rewards_of_the_schedule(place: str) -> None:
    """Haishu is left out: there a later document than the reply says more."""
    dose = load_reward_schedule().dose(place, "little_giant", dt.date(2023, 7, 1), already_paid=0.0)
    stated = stated_reward(place, already_received=0.0)
    assert isinstance(dose, Dose) and isinstance(stated, Quantity) and dose.amount == stated.value > 0.0


@pytest.mark.parametrize("name", [name for name, policy in load_policies().items() if policy.facts])
def test_counts_that_policies_publish(name: str) -> None:
    known = {fact.value for fact in FACTS.values()}
    assert set(load_policies()[name].published_counts) <= known
