"""Certification rules: the numbers of both versions pinned by hand, each firm just short of one of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import pytest

import sme_eval as sme
from sme_eval.policies.assessment import MET, NOT_MET
from sme_eval.policies.tier_rule_files import find_tier_rule, load_tier_rules
from sme_eval.policies.tier_rules import score_support
from tests.unit.rule_firms import AT_THE_BOUNDS, MID, PLAIN, SMALL, assessed

RULES = load_tier_rules()

# Tier, version, requirement, what a firm at its bounds is changed to before, and the change that costs it the requirement.
JUST_SHORT = [
    *(("srdi", 2022, name, {}, change) for name, change in [
        ("sme", {"sme": False}), ("years_in_niche", {"years_in_niche": 1.99}), ("rd", {"rd_spending": 99.99}),
        ("rd", {"rd_intensity": 2.99}), ("revenue", {"revenue": 999.99}),
    ]),
    ("srdi", 2022, "revenue", {"revenue": 0, "new_equity_two_years": 2000}, {"new_equity_two_years": 1999.99}),
    *(("little_giant", 2022, name, {}, change) for name, change in [
        ("sme", {"sme": False}), ("years_in_niche", {"years_in_niche": 2.99}), ("main_share", {"main_share": 69.99}),
        ("growth", {"main_growth_two_years": 4.99}), ("debt_ratio", {"debt_ratio": 70.01}),
        ("core_process", {"core_process_digital": False}), ("management_certificate", {"management_certificate": False}),
        ("niche_share", {"niche_share": 9.99}), ("own_brand", {"own_brand": False}), ("rd", {"rd_intensity": 2.99}),
        ("rd", {"rd_intensity_previous": 2.99}), ("rd", {"revenue": 9999.99}), ("rd_institution", {"joint_rd_institution": False}),
        ("class_one_count", {"class_one_count": 1}), ("key_chain_position", {"key_chain_position": False}),
        ("core_basics_product", {"core_basics_product": False}),
    ]),
    *(("little_giant", 2022, "rd", before, change) for before, change in [
        (MID, {"rd_intensity": 5.99}), (MID, {"rd_intensity_previous": 5.99}), (MID, {"revenue": 4999.99}),
        ({**MID, "revenue": 5000}, {"revenue": 4999.99}), (SMALL, {"new_equity_two_years": 7999.99}),
        (SMALL, {"rd_spending_two_years": 2999.99}), (SMALL, {"rd_staff_share": 49.99}), (SMALL, {"revenue": 5000}),
    ]),
    *(("srdi", 2026, name, {}, change) for name, change in [
        ("sme", {"sme": False}), ("first_tier", {"first_tier_valid": False}), ("years_in_niche", {"years_in_niche": 2.99}),
        ("revenue", {"revenue": 1499.99}), ("main_share", {"main_share": 79.99}), ("debt_ratio", {"debt_ratio": 80.01}),
        ("rd", {"rd_spending": 99.99}), ("rd", {"rd_spending_previous": 99.99}), ("rd", {"rd_intensity": 2.99}),
        ("rd", {"rd_intensity_previous": 2.99}), ("class_one_count", {"class_one_count": 0}),
        ("niche_share", {"niche_share_high": False}), ("platform_score", {"platform_score": 49.99}),
    ]),
    ("srdi", 2026, "revenue", {"revenue": 0, "new_equity_two_years": 2000}, {"new_equity_two_years": 1999.99}),
    ("srdi", 2026, "class_one_count", {"class_one_count": 0, "rd_institution": "provincial"}, {"rd_institution": "city"}),
    ("srdi", 2026, "class_one_count", {"class_one_count": 0, "provincial_award_top_three": True},
     {"provincial_award_top_three": False}),
    *(("little_giant", 2026, name, {}, change) for name, change in [
        ("sme", {"sme": False}), ("srdi", {"srdi_valid": False}), ("years_in_niche", {"years_in_niche": 2.99}),
        ("revenue", {"revenue": 4999.99}), ("main_share", {"main_share": 89.99}), ("debt_ratio", {"debt_ratio": 75.01}),
        ("rd", {"rd_spending_two_years": 1199.99}), ("rd", {"rd_intensity": 2.99}), ("rd", {"rd_intensity_previous": 2.99}),
        ("growth", {"revenue_growth_two_years": 4.99}), ("class_one_count", {"class_one_count": 3}),
        ("niche_share", {"niche_share": 9.99}), ("platform_score", {"platform_score": 59.99}),
    ]),
    ("little_giant", 2026, "class_one_count", {"class_one_count": 0, "national_award_top_three": True},
     {"national_award_top_three": False}),
    ("little_giant", 2026, "niche_share", {"niche_share": 0, "niche_rank": 3}, {"niche_rank": 4}),
]  # fmt: skip


@pytest.mark.parametrize(("tier", "version", "name", "before", "change"), JUST_SHORT)
def test_the_firm_just_short_of_one_requirement(
    tier: str, version: int, name: str, before: Mapping[str, Any], change: Mapping[str, Any]
) -> None:
    base = {**AT_THE_BOUNDS[tier, version], **before}
    found = assessed(tier, version, base, {**base, **change})
    assert found.eligible.tolist() == [True, False]
    assert {key for key, statuses in found.requirements.items() if statuses[1] != MET} == {name}
    assert found.requirements[name].tolist() == [MET, NOT_MET]
    assert found.reasons()[0] == "" and found.reasons("zh")[1].startswith("不符合：")


def test_every_requirement_of_every_tier_is_in_the_table() -> None:
    tabled = {(tier, version, name) for tier, version, name, _, _ in JUST_SHORT}
    declared = {(*key, one.name) for key, rule in RULES.items() if key in AT_THE_BOUNDS for one in rule.requirements}
    assert tabled == declared


# Tier, version, item: value → points, on both sides of every step; the 2022 numbers of both scores.
STEPS: Mapping[tuple[str, str], tuple[str, Mapping[float, float]]] = {
    ("innovative", "rd_intensity"): ("rd_intensity", {5: 20, 4.99: 15, 3: 15, 2.99: 10, 2: 10, 1.99: 5, 1: 5, 0.99: 0}),
    ("innovative", "main_growth"): ("main_growth", {15: 20, 14.99: 15, 10: 15, 9.99: 10, 5: 10, 4.99: 5, 0: 5, -0.01: 0}),
    ("innovative", "debt_ratio"): ("debt_ratio", {54.99: 10, 55: 5, 74.99: 5, 75: 0}),
    ("innovative", "main_share"): ("main_share", {70: 20, 69.99: 15, 60: 15, 59.99: 10, 55: 10, 54.99: 5, 50: 5, 49.99: 0}),
    ("srdi", "main_share"): ("main_share", {80: 5, 79.99: 3, 70: 3, 69.99: 1, 60: 1, 59.99: 0}),
    ("srdi", "main_growth_two_years"): (
        "main_growth_two_years", {10: 10, 9.99: 8, 8: 8, 7.99: 6, 6: 6, 5.99: 4, 4: 4, 3.99: 2, 0: 2, -0.01: 0}),
    ("srdi", "years_in_niche"): ("years_in_niche", {1.99: 0, **{float(n): min(5, n // 2) for n in range(2, 14)}}),
    ("srdi", "digital_level"): ("digital_level", {1: 0, 2: 3, 3: 5, 4: 5}),
    ("srdi", "quality"): ("quality_honours", {0: 0, 1: 3, 2: 5, 3: 5}),
    ("srdi", "net_margin"): ("net_margin", {10: 10, 9.99: 8, 8: 8, 7.99: 6, 6: 6, 5.99: 4, 4: 4, 3.99: 2, 2: 2, 1.99: 0}),
    ("srdi", "debt_ratio"): ("debt_ratio", {49.99: 5, 50: 3, 59.99: 3, 60: 1, 69.99: 1, 70: 0}),
    ("srdi", "rd_staff"): ("rd_staff_share", {20: 5, 19.99: 3, 10: 3, 9.99: 1, 5: 1, 4.99: 0}),
}  # fmt: skip
CLASSES = [
    (
        "innovative",
        "intellectual_property",
        "intellectual_property",
        "high_value own_class_one class_one class_two none",
        "20 15 10 5 0",
    ),
    ("innovative", "field", "field", "strategic_emerging other", "10 5"),
    ("srdi", "intellectual_property", "intellectual_property", "high_value own_class_one class_one class_two none", "10 8 6 2 0"),
    ("srdi", "rd_institution", "rd_institution", "national provincial city below none", "10 8 4 2 0"),
]


@pytest.mark.parametrize(("tier", "item"), STEPS)
def test_steps_of_the_scores(tier: str, item: str) -> None:
    column, table = STEPS[tier, item]
    found = sme.assess_eligibility({column: list(table)}, tier=tier, rule_version=2022)
    assert found.points[item].tolist() == list(table.values())


@pytest.mark.parametrize(("tier", "item", "column", "classes", "points"), CLASSES)
def test_classes_of_the_scores(tier: str, item: str, column: str, classes: str, points: str) -> None:
    found = sme.assess_eligibility({column: classes.split()}, tier=tier, rule_version=2022)
    assert found.points[item].tolist() == [float(one) for one in points.split()]


def test_the_better_of_amount_and_share_counts() -> None:
    spending = {500: 10, 499.99: 8, 400: 8, 399.99: 6, 300: 6, 299.99: 4, 200: 4, 199.99: 2, 100: 2, 99.99: 0}
    share = {10: 10, 9.99: 8, 8: 8, 7.99: 6, 6: 6, 5.99: 4, 4: 4, 3.99: 2, 3: 2, 2.99: 0}
    for column, other, table in (("rd_spending", "rd_intensity", spending), ("rd_intensity", "rd_spending", share)):
        found = sme.assess_eligibility({column: list(table), other: 0}, tier="srdi", rule_version=2022)
        assert found.points["rd"].tolist() == list(table.values())
    alone = sme.assess_eligibility({"rd_spending": [500, 499.99]}, tier="srdi", rule_version=2022)
    assert alone.points["rd"][0] == 10 and math.isnan(alone.points["rd"][1])  # the best is the best, whatever the share


def test_blocks_and_cut_offs() -> None:
    innovative, srdi = find_tier_rule("innovative", 2022).score, find_tier_rule("srdi", 2022).score
    assert innovative is not None and srdi is not None
    assert {(b.name, b.minimum) for b in innovative.blocks} == {("innovation", 20), ("growth", 15), ("specialisation", 15)}
    assert [(b.maximum, b.minimum) for b in srdi.blocks] == [(25, 0), (25, 0), (15, 0), (35, 0)]
    assert innovative.passing == srdi.passing == 60
    assert [sum(item.maximum for item in score.items) for score in (innovative, srdi)] == [100, 100]


def test_support_of_the_innovative_score() -> None:
    """Multiples of five with a point at 60. Of the 21 from 0 to 100 the first cannot occur: any field is worth five points."""
    score = find_tier_rule("innovative", 2022).score
    assert score is not None
    by_hand = {sum(p) for p in itertools.product(*[(20, 15, 10, 5, 0)] * 4, (10, 5, 0), (10, 5))}
    assert score_support(score) == tuple(sorted(by_hand)) == tuple(5.0 * n for n in range(1, 21))
    srdi = find_tier_rule("srdi", 2022).score
    assert srdi is not None
    with pytest.raises(sme.ParameterError, match="points of distinctive are not declared"):
        score_support(srdi)


def test_innovative_score_at_sixty_and_just_below() -> None:
    """5 + 15 | 10 + 10 | 5 + 15 = 60; a main share just below 60 % costs five points."""
    found = assessed("innovative", 2022, {**PLAIN, "main_share": 60}, {**PLAIN, "main_share": 59.99})
    assert found.score.tolist() == [60, 55]
    assert found.eligible.tolist() == [True, False]
    assert found.route == ("score", "")


@pytest.mark.parametrize(
    ("change", "score"),
    [
        (dict(intellectual_property="none", main_growth=20, main_share=80), 70),  # innovation 15
        (dict(intellectual_property="high_value", main_growth=-1, main_share=80, field="strategic_emerging"), 75),  # growth 10
        (dict(intellectual_property="high_value", main_growth=20, main_share=54), 75),  # specialisation 10
    ],
)
def test_a_high_score_fails_by_one_block(change: Mapping[str, Any], score: float) -> None:
    found = assessed("innovative", 2022, {**PLAIN, **change})
    assert found.score.tolist() == [score]
    assert found.eligible.tolist() == [False]


@pytest.mark.parametrize(
    ("tier", "route", "met", "short"),
    [
        ("innovative", "science_award", {"science_award": True}, {}),
        ("innovative", "innovation_title", {"innovation_title": True}, {}),
        ("innovative", "rd_institution", {"rd_institution": "provincial"}, {"rd_institution": "city"}),
        ("innovative", "new_equity", {"new_equity_three_years": 500}, {"new_equity_three_years": 499.99}),
        ("srdi", "award", {"provincial_award_top_three": True}, {}),
        ("srdi", "award", {"national_award_top_five": True}, {}),
        ("srdi", "rd_spending", {"rd_spending_two_year_mean": 1000}, {"rd_spending_two_year_mean": 999.99}),
        ("srdi", "new_equity", {"new_equity_two_years": 6000}, {"new_equity_two_years": 5999.99}),
        ("srdi", "maker_contest", {"maker_contest_top_500": True}, {}),
    ],
)
def test_direct_routes_pass_the_score_and_nothing_else(
    tier: str, route: str, met: Mapping[str, Any], short: Mapping[str, Any]
) -> None:
    low = {**AT_THE_BOUNDS["srdi", 2022], "distinctive_points": 0} if tier == "srdi" else PLAIN
    found = assessed(tier, 2022, {**low, **met}, {**low, **short}, {**low, **met, "sme": False})
    assert (found.score < 60).all()
    assert found.eligible.tolist() == [True, False, False]
    assert found.route == (route, "", "")
    assert found.rests_on_unconfirmed.tolist() == [tier == "srdi", tier == "srdi", False]


def test_srdi_score_at_sixty() -> None:
    base = AT_THE_BOUNDS["srdi", 2022]
    # 5+10+1+5 | 5+5+10+5 | 0 | 6+2+1+0 = 55, five points for distinctiveness make it 60.
    found = assessed("srdi", 2022, {**base, "distinctive_points": 5}, {**base, "distinctive_points": 4})
    assert found.score.tolist() == [60, 59]
    assert found.eligible.tolist() == [True, False]
    assert not found.rests_on_unconfirmed[0]
