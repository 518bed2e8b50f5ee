"""Spells of certification: what cannot be true, and the estimands that differ."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.errors import DataError, ParameterError
from sme_eval.policies.spells import Spells
from sme_eval.policies.tiers import REVIEWS, TIERS

COLUMNS = ["firm", "tier", "valid_from", "valid_to", "review"]
END_2026 = dt.date(2026, 12, 31)


def spells(*rows: tuple[Any, ...], as_of: dt.date = END_2026, **choices: Any) -> Spells:
    return Spells.from_frame(pd.DataFrame(rows, columns=COLUMNS), as_of=as_of, **choices)


TWICE_RENEWED = (
    ("a", "little_giant", 2016, 2018, "renewed"),
    ("a", "little_giant", 2019, 2021, "renewed"),
    ("a", "little_giant", 2022, 2024, "not_renewed"),
)


def test_two_renewals_and_a_lapse() -> None:
    done = spells(*TWICE_RENEWED)
    assert done.first_certification("little_giant")["a"] == 2016
    assert done.lapse_year("little_giant")["a"] == 2025
    assert done.currently_certified("little_giant", range(2015, 2027)).loc["a"].tolist() == [0] + [1] * 9 + [0, 0]


def test_certified_again_after_a_lapse() -> None:
    done = spells(("a", "srdi", 2016, 2018, "not_renewed"), ("a", "srdi", 2021, 2023, "withdrawn"))
    assert done.currently_certified("srdi", range(2016, 2026)).loc["a"].tolist() == [1, 1, 1, 0, 0, 1, 1, 1, 0, 0]
    assert done.lapse_year("srdi")["a"] == 2019
    assert done.first_certification("srdi")["a"] == 2016


@pytest.mark.parametrize(("day", "year"), [("2019-06-30", 2019), ("2019-07-01", 2020), ("2019-12-31", 2020), ("2019-01-01", 2019)])
def test_cohort_is_dated_by_month(day: str, year: int) -> None:
    done = spells(("a", "little_giant", day, None, "pending"))
    assert done.first_certification("little_giant")["a"] == year


def test_calendar_years_when_the_rule_is_switched_off() -> None:
    row = ("a", "little_giant", "2019-12-31", "2022-12-30", "not_renewed")
    assert spells(row, same_year_until=12).currently_certified("little_giant", [2018, 2019, 2021, 2022]).loc["a"].tolist() == [
        0,
        1,
        1,
        0,
    ]


@pytest.mark.parametrize("begin", ["2019-01-01", "2019-06-30", "2019-07-01", "2019-12-31"])
def test_three_years_of_validity_are_three_years(begin: str) -> None:
    end = pd.Timestamp(begin) + pd.DateOffset(years=3) - pd.Timedelta(days=1)
    done = spells(("a", "key", begin, str(end.date()), "not_renewed"))
    assert done.currently_certified("key", range(2015, 2027)).loc["a"].sum() == 3
    assert done.lapse_year("key")["a"] == done.first_certification("key")["a"] + 3


def test_a_renewal_published_late_leaves_no_gap() -> None:
    rows = (("a", "srdi", "2019-05-01", "2022-04-30", "renewed"), ("a", "srdi", "2022-09-01", None, "pending"))
    done = spells(*rows)
    assert done.currently_certified("srdi", range(2019, 2027)).loc["a"].tolist() == [1] * 8
    assert done.lapse_year("srdi")["a"] == 0


@pytest.mark.parametrize("review", ["pending", "renewed"])
def test_what_is_not_known_is_missing(review: str) -> None:
    done = spells(("a", "srdi", 2019, 2021, review), ("b", "srdi", 2019, 2021, "not_renewed"))
    now = done.currently_certified("srdi", [2021, 2022])
    assert now.loc["a", 2021] == 1
    assert now.loc["a", 2022] is pd.NA
    assert now.loc["b", 2022] == 0
    assert done.lapse_year("srdi").isna().tolist() == [True, False]
    assert done.tier_steps([2022]).levels[2022].isna().tolist() == [True, False]


def test_a_certificate_still_valid_has_not_lapsed() -> None:
    done = spells(("a", "srdi", 2019, 2021, "not_renewed"), as_of=dt.date(2021, 12, 31))
    assert done.lapse_year("srdi")["a"] == 0


def test_steps_go_up_the_ladder() -> None:
    rows = (
        ("a", "innovative", 2018, 2020, "renewed"),
        ("a", "innovative", 2021, 2023, "renewed"),
        ("a", "srdi", 2019, 2021, "not_renewed"),
        ("a", "little_giant", 2020, 2022, "not_renewed"),
        ("b", "little_giant", 2020, None, "pending"),
    )
    done = spells(*rows, as_of=dt.date(2023, 12, 31)).tier_steps(range(2017, 2024))
    assert done.levels.loc["a"].tolist() == [0, 1, 2, 3, 3, 3, 1]
    assert done.steps.loc["a"].tolist() == [2018, 2019, 2020, 0]
    # Without the lower certificates a little giant is at or above every lower step all the same.
    assert done.steps.loc["b"].tolist() == [2020, 2020, 2020, 0]


def test_gross_is_no_stock() -> None:
    rows = (*TWICE_RENEWED, ("b", "little_giant", 2020, None, "pending"), ("c", "little_giant", 2019, 2021, "pending"))
    table = spells(*rows).counts("little_giant", range(2015, 2027))
    assert (table["gross"] == table["net"] + table["lost"] + table["unknown"]).all()
    assert table["gross"].tolist() == table["new"].cumsum().tolist()
    assert table.loc[2026].to_dict() == {"new": 0, "gross": 3, "net": 1, "lost": 1, "unknown": 1}


def test_tiers_overlap_and_are_not_added() -> None:
    rows = [("a", tier, 2020, None, "pending") for tier in TIERS] + [("b", "srdi", 2020, None, "pending")]
    table = spells(*rows).overlap(2022)
    assert table.loc["srdi", "little_giant"] == 1
    assert table.loc["srdi", "srdi"] == 2
    assert table.loc["any", "any"] == 2 < sum(table.loc[tier, tier] for tier in TIERS)
    assert (table.to_numpy() == table.to_numpy().T).all()


def test_every_impossible_row_is_named_at_once_and_no_firm() -> None:
    rows = (
        ("secret1", "srdi", 2019, 2021, "pending"),
        ("secret1", "srdi", 2021, 2023, "pending"),
        ("secret2", "srdi", 2019, None, "pending"),
        ("secret2", "srdi", 2020, None, "pending"),
        ("secret3", "srdi", 2020, 2019, "pending"),
        ("secret4", "srdi", 2030, None, "pending"),
        ("secret5", "srdi", 2020, None, "withdrawn"),
    )
    with pytest.raises(DataError) as caught:
        spells(*rows)
    text = str(caught.value)
    assert len(caught.value.problems) == 5
    assert "row 1 (counted" in text
    assert "row 2, row 3 (counted" in text
    for row in (4, 5, 6):
        assert f"row {row} (counted" in text
    assert "secret" not in text


def test_unreadable_values_are_named_at_once() -> None:
    with pytest.raises(DataError) as caught:
        spells((None, "giant", "2022年", 2021, "ok"), ("b", "srdi", None, 44805, "renewed"))
    assert [problem.where.removeprefix("column ") for problem in caught.value.problems] == [
        "firm", "tier", "valid_from", "valid_from", "valid_to", "review",
    ]  # fmt: skip


def test_overlap_is_seen_past_a_shorter_spell() -> None:
    rows = (("a", "srdi", 2015, 2022, "renewed"), ("a", "srdi", 2016, 2016, "renewed"), ("a", "srdi", 2018, 2020, "renewed"))
    with pytest.raises(DataError, match="2 spells begin before an earlier one"):
        spells(*rows)


def test_the_day_after_is_no_overlap_and_the_same_day_is() -> None:
    first = ("a", "srdi", "2019-07-01", "2022-06-30", "renewed")
    assert len(spells(first, ("a", "srdi", "2022-07-01", None, "pending"))) == 2
    with pytest.raises(DataError, match="1 spell begins before"):
        spells(first, ("a", "srdi", "2022-06-30", None, "pending"))


def test_other_tiers_and_firms_do_not_overlap() -> None:
    assert (
        len(spells(("a", "srdi", 2019, None, "pending"), ("a", "key", 2019, None, "pending"), ("b", "srdi", 2019, None, "pending")))
        == 3
    )


def test_legal_but_worth_knowing_is_a_note() -> None:
    rows = (
        ("a", "little_giant", 2020, 2022, "renewed"),
        ("b", "key", 2021, 2025, "pending"),
        ("c", "srdi", 2019, None, "pending"),
        ("c", "little_giant", 2020, None, "pending"),
    )
    notes = [str(note) for note in spells(*rows).notes]
    assert [text.split("\n")[0] for text in notes] == [
        "1 little giant had no SRDI certificate before.",
        "1 key firm was no little giant before.",
        "1 spell does not last 3 years.",
        "1 renewed spell is followed by none.",
    ]
    assert "row 0" in notes[0]


def test_years_after_the_list_are_refused() -> None:
    done = spells(*TWICE_RENEWED)
    with pytest.raises(ParameterError, match="1 of the years"):
        done.currently_certified("little_giant", [2026, 2027])
    with pytest.raises(ParameterError, match="No year"):
        done.counts("little_giant", [])


@pytest.mark.parametrize("month", [0, 13])
def test_month_of_the_rule_is_a_month(month: int) -> None:
    with pytest.raises(ParameterError, match="same_year_until"):
        spells(*TWICE_RENEWED, same_year_until=month)


def test_unknown_tier_suggests() -> None:
    with pytest.raises(ParameterError, match="did you mean 'little_giant'"):
        spells(*TWICE_RENEWED).first_certification("little_giants")  # type: ignore[arg-type]


@st.composite
def histories(draw: st.DrawFn) -> pd.DataFrame:
    """Firms with spells that follow each other, some late, some open at the end."""
    rows = []
    for firm in range(draw(st.integers(1, 5))):
        for tier in draw(st.lists(st.sampled_from(TIERS), min_size=1, unique=True)):
            day = dt.date(2010, 1, 1) + dt.timedelta(days=draw(st.integers(0, 2500)))
            for _ in range(draw(st.integers(1, 3))):
                end = day + dt.timedelta(days=draw(st.integers(0, 1200)))
                rows.append((firm, tier, day, end, draw(st.sampled_from(REVIEWS))))
                day = end + dt.timedelta(days=draw(st.integers(1, 800)))
            if draw(st.booleans()):
                rows[-1] = (*rows[-1][:3], None, "pending")
    return pd.DataFrame(rows, columns=COLUMNS)


@settings(max_examples=8, deadline=None)
@given(frame=histories(), month=st.integers(1, 12), seed=st.integers(0, 99))
def test_estimands_agree_with_each_other(frame: pd.DataFrame, month: int, seed: int) -> None:
    done = Spells.from_frame(frame, as_of=END_2026, same_year_until=month)
    years = np.arange(2009, 2027)
    for tier in TIERS:
        first, lapse = done.first_certification(tier), done.lapse_year(tier)
        now = done.currently_certified(tier, years)
        valid = now.to_numpy(np.float64, na_value=np.nan)
        for place, (begin, end) in enumerate(zip(first, lapse, strict=True)):
            assert (valid[place, years < begin] == 0).all()
            assert begin > 0 or (valid[place] == 0).all()
            if pd.notna(end) and end > 0:
                assert end >= begin > 0
                assert valid[place, years == end] == 0
        table = done.counts(tier, years)
        assert (table["gross"] == table["net"] + table["lost"] + table["unknown"]).all()
        assert table["gross"].is_monotonic_increasing
    steps = done.tier_steps(years).steps.replace(0, 9999).to_numpy()
    assert (np.diff(steps, axis=1) >= 0).all()
    shuffled = Spells.from_frame(frame.sample(frac=1, random_state=seed), as_of=END_2026, same_year_until=month)
    pd.testing.assert_frame_equal(shuffled.to_frame(), done.to_frame())
    pd.testing.assert_series_equal(shuffled.lapse_year("srdi"), done.lapse_year("srdi"))
