"""Certification rules where something is missing or unconfirmed, and what more knowledge or more research can change."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.policies.assessment import MET, NOT_MET, UNKNOWN
from sme_eval.policies.tier_rule_files import find_tier_rule, load_tier_rules
from tests.unit.rule_firms import AT_THE_BOUNDS, PLAIN, SMALL, assessed

RULES = load_tier_rules()


@pytest.mark.parametrize("key", AT_THE_BOUNDS, ids=str)
def test_what_is_missing_is_unknown_never_a_no(key: tuple[str, int]) -> None:
    """One input after another is taken from a firm that meets everything: its answer is missing, or still yes, but never no."""
    base = AT_THE_BOUNDS[key]
    found = assessed(*key, base, *({**base, name: None} for name in base))
    assert found.status[0] == MET
    assert (found.status >= UNKNOWN).all()
    assert (found.status[1:] == UNKNOWN).sum() >= len(find_tier_rule(*key).requirements) - 2
    assert all("not known: " in text for text, one in zip(found.reasons(), found.status, strict=True) if one == UNKNOWN)


def test_a_missing_column_is_said_and_unknown() -> None:
    base = {name: value for name, value in AT_THE_BOUNDS["little_giant", 2022].items() if name != "own_brand"}
    found = assessed("little_giant", 2022, base)
    assert found.missing_inputs == ("own_brand",)
    assert found.eligible.isna().tolist() == [True]
    assert found.reasons() == ("not known: own brand",)
    assert found.reasons("zh") == ("信息不足：拥有自主品牌。",)
    assert "not supplied           own_brand" in found.summary()


def test_bounds_of_a_score_decide_where_they_can() -> None:
    """Without the province's points the total is open between two ends, and passed, failed or open at 60."""
    base = {**AT_THE_BOUNDS["srdi", 2022], "distinctive_points": None}
    rich = {**base, "intellectual_property": "high_value", "rd_institution": "national"}
    found = assessed("srdi", 2022, base, rich, {**base, "net_margin": 0, "debt_ratio": 80})
    assert np.column_stack([found.score_low, found.score_high]).tolist() == [[55, 70], [69, 84], [40, 55]]
    assert np.isnan(found.score).all()
    assert found.status.tolist() == [UNKNOWN, MET, NOT_MET]


def test_first_tier_of_2026_finds_nobody_eligible() -> None:
    found = assessed("innovative", 2026, {"sme": True}, {"sme": False})
    assert found.status.tolist() == [UNKNOWN, NOT_MET]
    assert found.reasons()[0] == "not known: conditions that are not declared"


def test_growth_is_waived_on_review() -> None:
    slow = {**AT_THE_BOUNDS["little_giant", 2026], "revenue_growth_two_years": -10}
    assert assessed("little_giant", 2026, slow).status.tolist() == [NOT_MET]
    assert assessed("little_giant", 2026, slow, review=True).status.tolist() == [MET]


def test_what_is_not_confirmed() -> None:
    unconfirmed = {key: rule.unconfirmed for key, rule in RULES.items() if rule.unconfirmed}
    assert unconfirmed == {
        ("srdi", 2022): ("route.award", "route.rd_spending", "route.new_equity", "route.maker_contest"),
        ("little_giant", 2022): ("requirement.rd.rd_spending_two_years",),
    }
    small = {**AT_THE_BOUNDS["little_giant", 2022], **SMALL}
    found = assessed("little_giant", 2022, small, AT_THE_BOUNDS["little_giant", 2022])
    assert found.rests_on_unconfirmed.tolist() == [True, False]
    assert "not confirmed          requirement.rd.rd_spending" in found.summary()


def test_size_is_worked_out_and_its_unchecked_bounds_are_named() -> None:
    base = {name: value for name, value in AT_THE_BOUNDS["srdi", 2026].items() if name != "sme"}
    firms = [{**base, "employees": 900, "assets": 100, "industry": name} for name in ("C39", "property_management", None)]
    firms.append({**base, "employees": 1000, "revenue": 40000, "assets": 100, "industry": "工业"})
    found = assessed("srdi", 2026, *firms)
    assert found.requirements["sme"].tolist() == [MET, MET, UNKNOWN, NOT_MET]
    assert found.rests_on_unconfirmed.tolist() == [False, True, False, False]
    assert found.unconfirmed == ("size_standard.property_management",)


def test_ratios_are_worked_out_and_gaps_filled() -> None:
    firms = {"revenue": [1000.0, 0.0, 37.0], "rd_spending": [30.0, 10.0, 1.11], "rd_intensity": [None, None, None],
             "rd_spending_previous": [2.0, 1990.0, 1989.99]}  # fmt: skip
    found = sme.assess_eligibility(firms, tier="srdi", rule_version=2022)
    assert found.requirements["rd"].tolist() == [NOT_MET, NOT_MET, NOT_MET]  # amounts below 100
    assert found.routes["rd_spending"].tolist() == [NOT_MET, MET, NOT_MET]
    shares = sme.assess_eligibility(firms, tier="innovative", rule_version=2022).points["rd_intensity"]
    assert shares[0] == 15 and math.isnan(shares[1]) and shares[2] == 15  # 1.11 of 37 is 3 %, whatever the division's rounding


def test_frames_keep_their_rows_and_results_cannot_be_changed() -> None:
    frame = pd.DataFrame([PLAIN, PLAIN], index=["b", "a"])
    found = sme.assess_eligibility(frame, tier="innovative", rule_version=2022)
    table = found.to_frame("zh")
    assert table.index.tolist() == found.eligible.index.tolist() == ["b", "a"]
    assert table["score"].tolist() == [55, 55] and str(table["eligible"].dtype) == "boolean"
    assert table["reasons"].tolist() == ["不符合：评价得分或直通条件。"] * 2
    with pytest.raises(ValueError, match="read-only"):
        found.status[0] = MET


def test_the_summary_counts_and_names_no_firm() -> None:
    frame = pd.DataFrame([{**PLAIN, "main_share": 60}, PLAIN, {**PLAIN, "sme": None}], index=["阿尔法", "贝塔", "伽马"])
    text = sme.assess_eligibility(frame, tier="innovative", rule_version=2022).summary()
    assert "3: 1 eligible, 2 not, 0 not known" in text and "by score               1" in text
    assert not any(name in text for name in frame.index)


# --- properties ------------------------------------------------------------------------------------------------------

money = st.floats(0, 2e4)
firm = st.fixed_dictionaries(
    {
        "rd_spending": st.one_of(st.none(), money),
        "rd_spending_previous": money,
        "revenue": st.floats(1, 2e4),
        "main_share": st.one_of(st.none(), st.floats(2, 100)),
        "main_growth": st.floats(-50, 50),
        "main_growth_two_years": st.floats(-50, 50),
        "debt_ratio": st.floats(2, 120),
        "years_in_niche": st.one_of(st.none(), st.floats(0, 20)),
        "intellectual_property": st.sampled_from(["high_value", "class_one", "none", None]),
        "sme": st.sampled_from([True, False, None]),
        "field": st.sampled_from(["strategic_emerging", "other"]),
        "distinctive_points": st.one_of(st.none(), st.floats(0, 15)),
        "rd_staff_share": st.floats(0, 100),
        "rd_institution": st.sampled_from(["national", "none", None]),
        "net_margin": st.floats(-20, 20),
    }
)


@pytest.mark.parametrize("tier", ["innovative", "srdi"])
@settings(max_examples=12, deadline=None)
@given(firms=st.lists(firm, min_size=1, max_size=8), factor=st.floats(1, 5), extra=st.floats(0, 1000))
def test_more_research_never_lowers_the_score(tier: str, firms: list[dict[str, Any]], factor: float, extra: float) -> None:
    more = [{**one, "rd_spending": None if one["rd_spending"] is None else one["rd_spending"] * factor + extra} for one in firms]
    before, after = (sme.assess_eligibility(columns(each), tier=tier, rule_version=2022) for each in (firms, more))
    assert (after.score_low >= before.score_low).all() and (after.score_high >= before.score_high).all()
    assert (after.status >= before.status).all()


@settings(max_examples=12, deadline=None)
@given(firms=st.lists(firm, min_size=1, max_size=8), full=firm)
def test_learning_more_only_narrows(firms: list[dict[str, Any]], full: dict[str, Any]) -> None:
    """Filling gaps never moves a score out of its bounds and never turns a yes or a no into something else."""
    filled = [{name: full[name] if value is None else value for name, value in one.items()} for one in firms]
    before, after = (sme.assess_eligibility(columns(each), tier="srdi", rule_version=2022) for each in (firms, filled))
    assert (after.score_low >= before.score_low).all() and (after.score_high <= before.score_high).all()
    settled = before.status != UNKNOWN
    assert (after.status[settled] == before.status[settled]).all()


def columns(firms: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [one[name] for one in firms] for name in firms[0]}
