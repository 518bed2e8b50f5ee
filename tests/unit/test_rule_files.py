"""Rule files: versions by day, notches, input that is refused, and every way to get a file wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.policies.notches import rd_bands
from sme_eval.policies.tier_rule_files import load_firm_inputs, load_tier_rules

PACKAGED = Path(__file__).parents[2] / "data" / "rules"
RULES = load_tier_rules()


# --- notches and versions --------------------------------------------------------------------------------------------


def test_required_intensity_is_a_notch_in_revenue() -> None:
    revenue = [0, 4999.99, 5000, 9999.99, 10000, 1e6, None]
    required = sme.required_rd_intensity(revenue)
    assert np.array_equal(required, [np.nan, np.nan, 6, 6, 3, 3, np.nan], equal_nan=True)
    assert [(band.since, band.below, band.intensity) for band in rd_bands()] == [
        (0, 5000, None), (5000, 10000, 6), (10000, math.inf, 3)]  # fmt: skip
    with pytest.raises(sme.DataError, match="1 values are infinite or outside"):
        sme.required_rd_intensity(-1)


@pytest.mark.parametrize(
    ("day", "review", "version"),
    [
        ("2022-07-01", False, 2022), ("2026-03-31", False, 2022), ("2026-04-01", False, 2026), (date(2026, 4, 25), False, 2026),
        ("2026-04-01", True, 2022), ("2026-12-31", True, 2022), ("2027-01-01", True, 2026),
    ],
)  # fmt: skip
def test_version_by_day(day: date | str, review: bool, version: int) -> None:
    assert sme.rule_version_for(day, review=review) == version
    assert sme.rule_version_for(pd.Timestamp(day), review=review) == version


def test_days_that_no_rules_cover_or_that_are_none() -> None:
    with pytest.raises(sme.ParameterError, match="No declared rules were in force on 2021-12-31"):
        sme.rule_version_for("2021-12-31")
    for odd in ("2026-4-1", pd.NaT, 2026):
        with pytest.raises(sme.ParameterError, match="is no date"):
            sme.rule_version_for(odd)  # type: ignore[arg-type]


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("firms", "message"),
    [
        ({"revenues": [1.0]}, "No column that the rules ask for"),
        ({"main_share": [0.7, 0.55]}, "look like fractions"),
        ({"main_share": [70.0, 101.0]}, "main_share: 1 values are infinite or outside 0 to 100"),
        ({"revenue": [1.0, -1.0]}, "revenue: 1 values.*\n.*row 2"),
        ({"revenue": ["12万"]}, "revenue: 1 values are not numbers"),
        ({"sme": ["是"]}, "sme: 1 values are not true or false"),
        ({"rd_institution": ["state"]}, "rd_institution: 1 values are not one of national"),
        ({"field_points": [4]}, "field_points: 1 values are not among 5, 3, 0"),
        ({"distinctive_points": [15.5]}, "distinctive_points: 1 values are not among 0 to 15"),
        ({"revenue": [1.0, 2.0], "rd_spending": [1.0, 2.0, 3.0]}, "revenue: 2 firms instead of 3"),
        ({"employees": [10], "revenue": [10], "industry": ["indutsry"]}, "did you mean 'industry'"),
    ],
)
def test_input_that_is_refused(firms: Mapping[str, list[Any]], message: str) -> None:
    with pytest.raises(sme.DataError, match=message):
        sme.assess_eligibility(firms, tier="srdi", rule_version=2022)


def test_unknown_tiers_and_versions() -> None:
    with pytest.raises(sme.ParameterError, match="did you mean 'little_giant'"):
        sme.assess_eligibility({"sme": [True]}, tier="little_gaint", rule_version=2022)
    with pytest.raises(sme.ParameterError, match="one of: 2022, 2026"):
        sme.assess_eligibility({"sme": [True]}, tier="srdi", rule_version=2024)


def changed(tmp_path: Path, name: str, old: str, new: str) -> Path:
    for stem in {"inputs", "little_giant_2026", name}:
        path = PACKAGED / f"{stem}.toml"
        text = path.read_text(encoding="utf-8")
        if stem == name:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("innovative_2022", "passing = 60", "pass = 60", "did you mean 'passing'"),
        ("innovative_2022", 'input = "debt_ratio", below', 'input = "dept_ratio", below', "did you mean 'debt_ratio'"),
        ("innovative_2022", "below = [55, 75]", "below = [75, 55]", "bounds and points do not match"),
        ("innovative_2022", "points = [20, 15, 10, 5] }", "points = [20, 15, 10] }", "bounds and points do not match"),
        ("innovative_2022", "maximum = 20", "maximum = 25", "a scale does not reach the maximum of 25"),
        ("innovative_2022", 'block = "growth"', 'block = "grow"', "did you mean 'growth'"),
        ("innovative_2022", "class_two = 5, ", "", "no points for class_two"),
        ("innovative_2022", '"provincial", "national"', '"provincal", "national"', "did you mean 'provincial'"),
        ("srdi_2022", "at_least = 2 }", "is = true }", "is is not a known key"),
        ("srdi_2022", "rule_version = 2022", "rule_version = 2023", "rule_version must be 2022 or 2026"),
        ("srdi_2026", "from = 2026-04-01", 'from = "2026-04-01"', "from must be a date"),
        ("srdi_2026", "from = 2026-04-01", "from = 2026-05-01", "in force at different times"),
        ("srdi_2026", 'tier = "srdi"', 'tier = "little_giant"', "little_giant, 2026: declared twice"),
        ("inputs", 'type = "flag"', 'type = "boolean"', "type is 'boolean'"),
        ("inputs", 'kind = "inputs"', 'kind = "input"', "did you mean 'inputs'"),
        ("srdi_2026", 'name = "srdi_2026"', 'name = "srdi"', "name is not that of the file"),
    ],
)
def test_mistakes_in_rule_files_are_named(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    with pytest.raises(sme.DesignError, match=message) as caught:
        load_tier_rules(changed(tmp_path, name, old, new))
    assert caught.value.exit_code == 11


def test_every_input_is_asked_by_some_rule_or_worked_from() -> None:
    asked = {name for rule in RULES.values() for name in rule.inputs}
    parts = {"employees", "assets", "industry", "revenue_previous"}
    assert set(load_firm_inputs()) == asked | parts
