"""Size classes and the threshold of industrial statistics: the standard's table pinned by hand, each bound from both sides."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.policies.size_rules import load_above_scale, load_size_standard
from sme_eval.policies.size_standard import SIZE_CLASSES

PACKAGED = Path(__file__).parents[2] / "data" / "rules"
FIGURES = ("employees", "revenue", "assets")

# Lower bounds of large, medium and small: employees, revenue, assets; "-" where a figure is not asked.
STANDARD = """
industry                   1000 40000 -       300 2000 -    20 300 -
construction               - 80000 80000      - 6000 5000   - 300 300
wholesale                  200 40000 -        20 5000 -     5 1000 -
retail                     300 20000 -        50 500 -      10 100 -
transport                  1000 30000 -       300 3000 -    20 200 -
storage                    200 30000 -        100 1000 -    20 100 -
post                       1000 30000 -       300 2000 -    20 100 -
accommodation              300 10000 -        100 2000 -    10 100 -
catering                   300 10000 -        100 2000 -    10 100 -
information_transmission   2000 100000 -      100 1000 -    10 100 -
software                   300 10000 -        100 1000 -    10 50 -
real_estate_development    - 200000 10000     - 1000 5000   - 100 2000
property_management        1000 5000 -        300 1000 -    100 500 -
leasing_business_services  300 - 120000       100 - 8000    10 - 100
agriculture                - 20000 -          - 500 -       - 50 -
other                      300 - -            100 - -       10 - -
"""
ROWS = [line.split() for line in STANDARD.strip().splitlines()]
TABLE: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    row[0]: {
        name: {figure: float(bound) for figure, bound in zip(FIGURES, row[1 + 3 * n : 4 + 3 * n], strict=True) if bound != "-"}
        for n, name in enumerate(("large", "medium", "small"))
    }
    for row in ROWS
}
UNCHECKED = {"property_management", "leasing_business_services", "other"}


def by_hand(industry: str, figures: Mapping[str, float]) -> str:
    for name, bounds in TABLE[industry].items():
        if all(figures[figure] >= bound for figure, bound in bounds.items()):
            return name
    return "micro"


def test_the_declared_table_is_the_standard() -> None:
    declared = load_size_standard()
    assert {name: {key: dict(bounds) for key, bounds in one.bounds.items()} for name, one in declared.items()} == TABLE
    assert {name for name, one in declared.items() if not one.confirmed} == UNCHECKED


@pytest.mark.parametrize("industry", TABLE)
def test_each_bound_from_both_sides(industry: str) -> None:
    """All combinations of figures just below and at every bound, against the rule in plain Python."""
    asked = [figure for figure in FIGURES if figure in TABLE[industry]["large"]]
    around = [[value for each in TABLE[industry].values() for value in (each[f] - 0.01, each[f])] for f in asked]
    firms = [dict(zip(asked, combination, strict=True)) for combination in itertools.product(*around)]
    given_figures = {figure: [firm[figure] for firm in firms] if figure in asked else None for figure in FIGURES}
    found = sme.size_class(**given_figures, industry=industry)
    assert list(found.classes) == [by_hand(industry, firm) for firm in firms]
    assert set(found.classes) == set(SIZE_CLASSES)
    assert found.sme.tolist() == [float(name != "large") for name in found.classes]


def test_one_bound_missed_drops_the_class() -> None:
    """A firm of 900 with revenue of a thousand million is medium, so a little giant need not be small."""
    found = sme.size_class([900, 1000, 1000, 19, 300], [100_000, 39_999, 40_000, 100_000, 1999], None, "industry")
    assert found.classes == ("medium", "medium", "large", "micro", "small")


def test_what_is_missing_leaves_what_it_cannot_exclude() -> None:
    employees, revenue = [19, 999, 1000, None, 300, 20], [None, None, None, 299, None, None]
    found = sme.size_class(employees, revenue, None, "industry")
    assert found.classes == ("micro", None, None, "micro", None, None)
    assert np.array_equal(found.sme, [1, 1, np.nan, 1, 1, 1], equal_nan=True)
    assert [SIZE_CLASSES[n] for n in found.highest] == ["micro", "medium", "large", "micro", "medium", "small"]
    nothing = sme.size_class(5, 5, 5, [None])
    assert nothing.classes == (None,) and math.isnan(nothing.sme[0])


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(TABLE)), *[st.floats(0, 3e5)] * 3, st.floats(1, 10), st.sets(st.sampled_from(FIGURES)))
def test_growing_never_lowers_the_class_and_gaps_only_widen(
    industry: str, employees: float, revenue: float, assets: float, factor: float, hidden: set[str]
) -> None:
    figures = {"employees": employees, "revenue": revenue, "assets": assets}
    exact = sme.size_class(**figures, industry=industry)
    larger = sme.size_class(**{name: value * factor for name, value in figures.items()}, industry=industry)
    partly = sme.size_class(**{name: None if name in hidden else value for name, value in figures.items()}, industry=industry)
    assert exact.classes == (by_hand(industry, figures),)
    assert larger.lowest[0] >= exact.lowest[0]
    assert partly.lowest[0] <= exact.lowest[0] <= partly.highest[0]


def test_names_and_codes_of_industries() -> None:
    names = ["industry", "工业", "C", "C39", "B06", "D44", "3990"]
    with pytest.raises(sme.DataError, match="1 values are not in the standard") as caught:
        sme.size_class(1000, 40000, None, names)
    assert "row 7" in str(caught.value) and "3990" not in str(caught.value)
    assert set(sme.size_class(1000, 40000, None, names[:-1]).classes) == {"large"}
    assert sme.size_class(300, 10000, None, "软件和信息技术服务业").classes == ("large",)


def test_frame_and_summary() -> None:
    found = sme.size_class([1000, None, 5], 40_000, None, ["industry", "industry", "other"])
    frame = found.to_frame()
    assert frame["size_class"].tolist()[::2] == ["large", "micro"] and frame["size_class"].isna().tolist() == [False, True, False]
    assert frame["sme"].isna().tolist() == [False, True, False] and frame["confirmed"].tolist() == [True, True, False]
    assert "large 1, medium 0, small 0, micro 1, not known 1" in found.summary()
    assert "bounds of other are not confirmed" in found.summary()
    assert "not confirmed" not in sme.size_class(1, 1, None, "industry").summary()


@pytest.mark.parametrize(
    ("employees", "revenue", "message"),
    [
        ([1, 2], [1, 2, 3], "employees: 2 firms instead of 3"),
        (-1, 1, "employees: 1 values"),
        (1, "many", "revenue: 1 values are not numbers"),
    ],
)
def test_figures_that_are_refused(employees: object, revenue: object, message: str) -> None:
    with pytest.raises(sme.DataError, match=message):
        sme.size_class(employees, revenue, None, "industry")


@pytest.mark.parametrize(("year", "threshold"), [(1998, 500), (2006, 500), (2007, 500), (2010, 500), (2011, 2000), (2024, 2000)])
def test_threshold_by_year(year: int, threshold: float) -> None:
    assert sme.above_scale_threshold(year) == threshold
    covered = sme.is_above_scale([threshold - 0.01, threshold], year, state_firm=False)
    assert covered.tolist() == [0, 1]


def test_state_firms_before_2007() -> None:
    revenue, state = [499, 499, 499, 500, None, None], [True, False, None, None, True, False]
    assert np.array_equal(sme.is_above_scale(revenue, 2006, state), [1, 0, np.nan, 1, 1, np.nan], equal_nan=True)
    assert np.array_equal(sme.is_above_scale(revenue, 2007, state), [0, 0, 0, 1, np.nan, np.nan], equal_nan=True)


def test_years_before_the_first_threshold() -> None:
    with pytest.raises(sme.ParameterError, match="No threshold is declared for 1997"):
        sme.above_scale_threshold(1997)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("size_standard_2017", "medium = { employees = 300, revenue = 2000 }", "medium = { employees = 3000, revenue = 2000 }",
         "large does not ask more than medium"),
        ("size_standard_2017", "large = { employees = 1000, revenue = 40000 }", "large = { staff = 1000, revenue = 40000 }",
         "staff is not a known key"),
        ("above_scale", "threshold = 2000", "treshold = 2000", "did you mean 'threshold'"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    text = (PACKAGED / f"{name}.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / f"{name}.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    load = load_size_standard if name.startswith("size") else load_above_scale
    with pytest.raises(sme.DesignError, match=message):
        load(tmp_path)
