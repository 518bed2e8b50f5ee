"""Firms for the tests of the certification rules: every figure exactly at its bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

import sme_eval as sme
from sme_eval.policies.assessment import Assessment

# Every figure exactly at its bound: eligible, and nothing to spare.
AT_THE_BOUNDS: Mapping[tuple[str, int], Mapping[str, Any]] = {
    ("srdi", 2022): dict(
        sme=True, years_in_niche=2, rd_spending=100, rd_intensity=3, revenue=1000, new_equity_two_years=0, main_share=80,
        main_growth_two_years=10, field_points=5, digital_level=3, quality_honours=2, net_margin=10, debt_ratio=40,
        distinctive_points=10, intellectual_property="class_one", rd_staff_share=5, rd_institution="none",
        provincial_award_top_three=False, national_award_top_five=False, rd_spending_two_year_mean=100, maker_contest_top_500=False,
    ),
    ("little_giant", 2022): dict(
        sme=True, years_in_niche=3, main_share=70, main_growth_two_years=5, debt_ratio=70, core_process_digital=True,
        management_certificate=True, niche_share=10, own_brand=True, revenue=10000, rd_intensity=3, rd_intensity_previous=3,
        new_equity_two_years=0, rd_spending_two_years=600, rd_staff_share=0, rd_institution="none", joint_rd_institution=True,
        class_one_count=2, key_chain_position=True, core_basics_product=True,
    ),
    ("srdi", 2026): dict(
        sme=True, first_tier_valid=True, years_in_niche=3, revenue=1500, new_equity_two_years=0, main_share=80, debt_ratio=80,
        rd_spending=100, rd_spending_previous=100, rd_intensity=3, rd_intensity_previous=3, class_one_count=1,
        provincial_award_top_three=False, rd_institution="city", niche_share_high=True, platform_score=50,
    ),
    ("little_giant", 2026): dict(
        sme=True, srdi_valid=True, years_in_niche=3, revenue=5000, main_share=90, debt_ratio=75, rd_spending_two_years=1200,
        rd_intensity=3, rd_intensity_previous=3, revenue_growth_two_years=5, class_one_count=4, national_award_top_three=False,
        niche_share=10, niche_rank=4, platform_score=60,
    ),
}  # fmt: skip
MID = dict(revenue=9999.99, rd_intensity=6, rd_intensity_previous=6)
SMALL = dict(revenue=4999.99, new_equity_two_years=8000, rd_spending_two_years=3000, rd_staff_share=50)
PLAIN = dict(
    sme=True,
    intellectual_property="class_two",
    rd_intensity=3.0,
    main_growth=5.0,
    debt_ratio=54.0,
    field="other",
    main_share=55.0,
    science_award=False,
    innovation_title=False,
    rd_institution="none",
    new_equity_three_years=0,
)


def assessed(tier: str, version: int, *firms: Mapping[str, Any], review: bool = False) -> Assessment:
    return sme.assess_eligibility(pd.DataFrame(list(firms)), tier=tier, rule_version=version, review=review)
