"""Figures implied by the letter: equal to what a reader with a pencil gets, and refused where nobody may print them bare."""

from __future__ import annotations

import warnings

import pytest

import sme_eval as sme
from sme_eval.policies.vocabulary import load_vocabulary

FIGURES = sme.implied_figures()
# Rounded as printed by hand; the tolerance is half of the last digit.
BY_HAND = {
    "prior_balance": (1241.23, 2), "net_new_lending": (246.26, 2), "all_loan_growth": (13.06, 2),
    "balance_at_all_loan_growth": (1403.33, 2), "balance_gap": (84.16, 2), "all_loan_unsecured_share": (18.69, 2),
    "unsecured_ratio": (1.49, 2), "national_share": (3.1455, 4), "batch_sum": (283, 0), "first_three_batches": (182, 0),
    "first_batch_share": (1.8, 1), "second_batch_share": (17.7, 1), "third_batch_share": (44.9, 1), "fourth_batch_share": (35.7, 1),
    "key_share": (23.3, 1), "library_gap": (158, 0), "library_gap_share": (15.5, 1), "loans_per_firm_library": (0.857, 3),
    "loans_per_firm_entrants": (0.943, 3), "loans_per_firm_all": (0.737, 3), "upgraded_per_library": (40.4, 1),
    "guided_share": (32.4, 1), "warned_share": (19.3, 1), "premium_rate_factor": (0.867, 3), "reward_bill": (1.415, 3),
}  # fmt: skip
REFUSED = {
    "balance_at_all_loan_growth": ("T9",), "balance_gap": ("T9",), "library_gap_share": ("T4",), "loans_per_firm_library": ("T3",),
    "loans_per_firm_entrants": ("T3",), "loans_per_firm_all": ("T3",), "upgraded_per_library": ("T6",),
}  # fmt: skip
QUALIFIED = {
    "prior_balance": ("T7",), "net_new_lending": ("T7",), "all_loan_growth": ("T10",), "all_loan_unsecured_share": ("T10",),
    "unsecured_ratio": ("T10",), "national_share": ("T2",), "library_gap": ("T4", "T5"), "guided_share": ("T18",),
    "warned_share": ("T18",), "premium_rate_factor": ("T12",), "reward_bill": ("T15", "T16"),
}  # fmt: skip


def test_every_figure_equals_the_one_by_hand() -> None:
    assert list(FIGURES) == list(BY_HAND)
    for name, (value, decimals) in BY_HAND.items():
        # 84.155… rounds to 84.16 by either rule; half a last digit is what rounding may take.
        assert FIGURES[name].value == pytest.approx(value, abs=0.5 * 10**-decimals + 1e-9), name


def test_exactly_from_the_letter() -> None:
    """Independent of the facts: the letter's own figures in one line each."""
    prior = 1487.49 / 1.1984
    assert FIGURES["prior_balance"].value == pytest.approx(prior, rel=1e-12)
    assert FIGURES["net_new_lending"].value == pytest.approx(1487.49 - prior, rel=1e-12)
    assert FIGURES["balance_gap"].value == pytest.approx(1487.49 - prior * (1 + (19.84 - 6.78) / 100), rel=1e-9)
    assert FIGURES["unsecured_ratio"].value == pytest.approx(27.82 / (27.82 - 9.13), rel=1e-12)
    shares = [FIGURES[f"{batch}_batch_share"].value for batch in ("first", "second", "third", "fourth")]
    assert sum(shares) == pytest.approx(100, rel=1e-12)


def test_standing_and_traps() -> None:
    assert {name: figure.traps for name, figure in FIGURES.items() if figure.standing == "refused"} == REFUSED
    assert {name: figure.traps for name, figure in FIGURES.items() if figure.standing == "qualified"} == QUALIFIED
    assert all(figure.caveat for figure in FIGURES.values() if figure.standing != "sound")
    for name in ("loans_per_firm_library", "loans_per_firm_entrants", "loans_per_firm_all"):
        caveat = FIGURES[name].caveat
        assert caveat and "cannot be known" in caveat.en and "无从得知" in caveat.zh
    gap = FIGURES["balance_gap"].caveat
    assert gap and "not an effect" in gap.en and "不是政策效果" in gap.zh


def test_unit_population_and_source_are_known() -> None:
    vocabulary, facts = load_vocabulary(), sme.load_facts()
    for figure in FIGURES.values():
        assert figure.unit in vocabulary.units and figure.population in vocabulary.populations
        assert figure.facts and set(figure.facts) <= set(facts)
        assert figure.formula.zh and figure.formula.en
    assert FIGURES["all_loan_growth"].population == "all_loans"
    assert FIGURES["net_new_lending"].unit == "yi_yuan"


def test_they_move_with_the_facts_and_warn_nobody() -> None:
    from dataclasses import replace

    facts = dict(sme.load_facts())
    facts["F30"] = replace(facts["F30"], value=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sme.implied_figures(facts)["prior_balance"].value == 1487.49
