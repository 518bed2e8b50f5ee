"""Districts across boundary changes, reward jurisdictions, and zones that are counted twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.errors import DataError, ParameterError
from sme_eval.panel.dictionary import load_dictionary
from sme_eval.policies.district_list import load_districts
from sme_eval.policies.districts import (
    code_text,
    counted_twice,
    harmonise_district,
    harmonise_districts,
    reward_jurisdiction,
    reward_jurisdictions,
)
from sme_eval.results.unavailable import Unavailable

DISTRICTS = load_districts()
TODAY = ["330203", "330205", "330206", "330211", "330212", "330213", "330225", "330226", "330281", "330282"]
CODES = sorted(district.code for district in DISTRICTS.districts.values())


def harmonise(code: str, year: int, to_year: int, later: str | None = None) -> str | None:
    found = harmonise_district(code, year, to_year=to_year, later_code=later, districts=DISTRICTS)
    return None if isinstance(found, Unavailable) else found


def test_ten_districts_today() -> None:
    assert sorted(district.code for district in DISTRICTS.districts.values() if district.until is None) == TODAY


@pytest.mark.parametrize(
    ("code", "year", "to_year", "expected"),
    [
        ("330204", 2015, 2022, "330212"),  # Jiangdong
        ("330204", 2015, 2015, "330204"),
        ("330204", 2016, 2016, "330212"),
        ("330204", 2018, 2022, "330212"),  # abolished two years before, still in a record
        ("330283", 2015, 2022, "330213"),  # Fenghua
        ("330213", 2022, 2015, "330283"),
        ("330213", 2014, 2022, "330213"),  # coded afterwards
        ("330227", 2001, 2015, "330212"),  # Yin County
        ("330212", 2005, 2001, "330227"),
        ("330203", 2015, 2022, "330203"),  # Haishu gained, and lost nothing
        ("330212", 2015, 2015, "330212"),
        ("330212", 2017, 2022, "330212"),
        ("330282", 2010, 2022, "330282"),
    ],
)
def test_what_a_code_alone_tells(code: str, year: int, to_year: int, expected: str) -> None:
    assert harmonise(code, year, to_year) == expected


@pytest.mark.parametrize(
    ("code", "year", "to_year"),
    [
        ("330212", 2015, 2016),
        ("330212", 2016, 2022),  # before or after October
        ("330227", 2001, 2022),
        ("330212", 2022, 2015),  # was Yinzhou or Jiangdong
        ("330203", 2022, 2015),  # was Haishu or Yinzhou
    ],
)
def test_what_a_code_alone_does_not_tell(code: str, year: int, to_year: int) -> None:
    found = harmonise_district(code, year, to_year=to_year, districts=DISTRICTS)
    assert isinstance(found, Unavailable)
    assert " or " in found.reason


def test_a_firm_of_yinzhou_is_told_by_its_own_later_code() -> None:
    assert harmonise("330212", 2015, 2022, "330203") == "330203"
    assert harmonise("330212", 2015, 2022, "330212") == "330212"
    moved = harmonise_district("330212", 2015, to_year=2022, later_code="330206", districts=DISTRICTS)
    assert isinstance(moved, Unavailable)
    assert "moved" in moved.reason


def test_jiangdong_does_not_follow_yinzhou_into_haishu() -> None:
    """Both changes are of one year and act on the areas before it: a later code in Haishu is a firm that moved."""
    assert harmonise("330204", 2015, 2022, "330203") == "330212"


@pytest.mark.parametrize("code", ["330106", "abc", "", "33020", "nan"])
def test_other_codes_are_unknown(code: str) -> None:
    found = harmonise_district(code, 2015, to_year=2022, districts=DISTRICTS)
    assert isinstance(found, Unavailable)
    assert "no declared district" in found.reason


@pytest.mark.parametrize(
    ("written", "code"),
    [(330212, "330212"), (330212.0, "330212"), ("330212001000", "330212"), ("330212001", "330212"), ("3302120", None)],
)
def test_codes_as_they_are_written(written: object, code: str | None) -> None:
    assert code_text(written) == code


ROWS = pd.DataFrame(
    {
        "firm": ["a", "a", "b", "b", "c", "d", "d", "e", "f", "f", "f"],
        "year": [2015, 2017, 2015, 2018, 2015, 2015, 2017, 2015, 2015, 2017, 2017],
        "district_code": ["330212", "330203", "330212", "330206", "330212", "330204", "330203", None, "330212", "330203", "330212"],
    },
    index=range(20, 31),
)


def test_a_panel_with_its_own_later_codes() -> None:
    done = harmonise_districts(ROWS, to_year=2022, firm="firm")
    assert done.frame["status"].tolist() == [
        "resolved", "same", "ambiguous", "same", "ambiguous", "changed", "same", "unknown", "ambiguous", "same", "same",
    ]  # fmt: skip
    assert done.frame["code"].iloc[0] == "330203"
    assert done.frame["code"].isna().tolist() == [status in ("ambiguous", "unknown") for status in done.frame["status"]]
    assert (done.frame["note"] != "").tolist() == done.frame["code"].isna().tolist()
    assert dict(done.counts) == {"same": 5, "changed": 1, "resolved": 1, "ambiguous": 3, "unknown": 1}
    assert done.frame.index.tolist() == ROWS.index.tolist()


def test_without_later_codes_more_is_ambiguous() -> None:
    assert harmonise_districts(ROWS, to_year=2022).counts["ambiguous"] == 4
    given = ROWS.assign(later=["330203"] * len(ROWS))
    assert harmonise_districts(given, to_year=2022, later_code="later").counts["resolved"] == 4


def test_the_first_code_after_the_change_decides() -> None:
    rows = pd.DataFrame({"firm": [1, 1, 1], "year": [2019, 2015, 2017], "district_code": ["330212", "330212", "330203"]})
    assert harmonise_districts(rows, to_year=2022, firm="firm").frame["code"].tolist() == ["330212", "330203", "330203"]


def test_refusals() -> None:
    with pytest.raises(ParameterError, match="both given"):
        harmonise_districts(ROWS, to_year=2022, firm="firm", later_code="district_code")
    with pytest.raises(DataError, match="no column 'code'"):
        harmonise_districts(ROWS, to_year=2022, code="code")
    with pytest.raises(DataError, match="no whole year"):
        harmonise_districts(ROWS.assign(year=2015.5), to_year=2022)


@settings(max_examples=40, deadline=None)
@given(
    code=st.sampled_from(CODES),
    year=st.integers(1996, 2025),
    to_year=st.integers(2002, 2025),
    later=st.sampled_from([None, *TODAY]),
)
def test_a_harmonised_code_was_in_use(code: str, year: int, to_year: int, later: str | None) -> None:
    found = harmonise(code, year, to_year, later)
    if found is None:
        return
    district = DISTRICTS.by_code(found)
    assert district is not None
    assert district.since <= max(to_year, year)
    assert district.until is None or to_year <= district.until
    assert harmonise(found, to_year, to_year) in (found, None)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_rows_do_not_depend_on_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"year": rng.integers(2000, 2024, 30), "district_code": rng.choice(CODES, 30)})
    done = harmonise_districts(rows, to_year=2022, districts=DISTRICTS).frame
    expected = [harmonise(code, int(year), 2022) for year, code in rows.itertuples(index=False)]
    assert done["code"].where(done["code"].notna(), None).tolist() == expected
    order = rng.permutation(30)
    pd.testing.assert_frame_equal(harmonise_districts(rows.iloc[order], to_year=2022, districts=DISTRICTS).frame, done.iloc[order])


def test_who_rewards_is_not_who_counts() -> None:
    assert reward_jurisdiction("330282", "前湾新区") == "hangzhou_bay"
    assert reward_jurisdiction("330282") == "cixi"
    assert reward_jurisdiction("330212", "高新区") == "hightech"
    assert isinstance(reward_jurisdiction("330106"), Unavailable)
    with pytest.raises(ParameterError, match="no district or zone"):
        reward_jurisdiction("330282", "某新区")
    frame = pd.DataFrame({"district_code": [330282, 330282, None], "zone": ["杭州湾新区", np.nan, " "]})
    found = reward_jurisdictions(frame)
    assert found.tolist()[:2] == ["hangzhou_bay", "cixi"]
    assert found.isna().tolist() == [False, False, True]


def test_zone_and_district_of_one_firm_are_counted_twice() -> None:
    rows = pd.DataFrame(
        {
            "firm": [1, 1, 2, 3, 4, 4, 1],
            "year": [2022, 2022, 2022, 2022, 2021, 2022, 2023],
            "place": ["330282", "前湾新区", "慈溪市", "高新区", "Yinzhou", "hightech", "hangzhou_bay"],
        }
    )
    done = counted_twice(rows, place="place", firm="firm", year="year")
    assert (done.rows, done.firms, dict(done.by_zone)) == (1, 1, {"hangzhou_bay": 1})
    assert counted_twice(rows, place="place", firm="firm").rows == 3
    assert counted_twice(rows[rows["year"] == 2023], place="place", firm="firm", year="year").rows == 0


def test_totals_of_zones_beside_districts_are_counted_twice() -> None:
    totals = pd.DataFrame({"place": ["慈溪市", "前湾新区", "高新区"], "year": [2021, 2021, 2022]})
    done = counted_twice(totals, place="place", year="year")
    assert (done.rows, done.firms, dict(done.by_zone)) == (1, None, {"hangzhou_bay": 1})
    with pytest.raises(DataError, match="1 place is no district"):
        counted_twice(totals.assign(place=["慈溪市", "前湾新区", "?"]), place="place")


def test_keys_are_those_of_the_dictionary() -> None:
    keys = {*DISTRICTS.districts, *DISTRICTS.zones}
    assert set(load_dictionary()["district"].categories) <= keys


def test_what_no_document_confirmed_says_so() -> None:
    assert [zone.key for zone in DISTRICTS.zones.values() if zone.confirmed] == ["hangzhou_bay", "hightech"]
    assert not any(zone.hosts_confirmed for zone in DISTRICTS.zones.values())


def test_every_problem_of_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "districts.toml"
    tables = (
        '[districts.one]\ncode = "33"\nsince = 2000\nzh = "一"\nen = "One"',
        '[districts.two]\ncode = "330299"\nzh = "二"\nen = "Two"',
        '[zones.two]\nzh = "二"\nen = "Two"\nhosts = ["330298"]\ncolour = 1',
        '[[changes]]\nyear = 2016\nfrom = "330297"\nzh = "变"\nen = "change"',
    )
    path.write_text("\n".join(tables), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_districts(path)
    text = str(caught.value)
    for part in (
        "not six digits",
        "since is missing",
        "colour is not a known key",
        "to is missing",
        "330297, 330298",
        "a district and a zone",
    ):
        assert part in text, part


def test_summary_names_changes_and_what_is_not_confirmed() -> None:
    text = DISTRICTS.summary()
    assert "330212 → 330212 or 330203" in text
    assert "Daxie (not confirmed)" in text
