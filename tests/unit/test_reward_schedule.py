"""District rewards: what the documents state, what is netted, and that what is not stated is never zero."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.errors import DataError, ParameterError
from sme_eval.policies.reward_schedule import UNNAMED, Dose, Schedule, load_reward_schedule
from sme_eval.results.unavailable import Unavailable

DAY = dt.date(2023, 8, 1)
SCHEDULE = load_reward_schedule()
HEAD = '[document]\nname = "{name}"\nkind = "{kind}"\ndate = {date}\nzh = "文件"\nen = "document"\n'


def write(folder: Path, name: str, *awards: str, kind: str = "own", date: str = "2022-01-01") -> None:
    text = HEAD.format(name=name, kind=kind, date=date) + "".join(f"[[awards]]\n{award}\n" for award in awards)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def award(
    place: str = "cixi", *, tier: str = "little_giant", netting: str = "none", status: str = "in_force", **more: object
) -> str:
    fields = {"jurisdiction": f'"{place}"', "tier": f'"{tier}"', "netting": f'"{netting}"', "status": f'"{status}"', **more}
    return "\n".join(f"{key} = {value}" for key, value in fields.items())


def amount(value: float, **more: object) -> str:
    return award(rule='"amount"', amount=value, **more)  # type: ignore[arg-type]


def test_stated_amounts() -> None:
    stated = {"hangzhou_bay": 100, "jiangbei": 50, "yinzhou": 50, "hightech": 50}
    for place, value in stated.items():
        dose = SCHEDULE.dose(place, "little_giant", DAY)
        assert isinstance(dose, Dose)
        assert (dose.amount, dose.assumptions, dose.award.confirmed) == (value, ("netting_not_stated",), True)


@pytest.mark.parametrize("place", ["beilun", "zhenhai", "yuyao", "cixi", "ninghai", "xiangshan", "daxie", "meishan"])
def test_districts_that_are_not_named_are_missing(place: str) -> None:
    dose = SCHEDULE.dose(place, "little_giant", DAY)
    assert isinstance(dose, Unavailable)
    assert math.isnan(float(dose))
    assert "missing, not nothing" in dose.reason
    assert SCHEDULE.bounds(place, "little_giant", DAY) == UNNAMED == (0.0, 100.0)


def test_haishu_tops_up() -> None:
    srdi = SCHEDULE.dose("haishu", "srdi", DAY, already_paid=0)
    assert float(srdi) == 10
    upper = SCHEDULE.dose("haishu", "little_giant", DAY, already_paid=float(srdi))
    assert isinstance(upper, Dose)
    assert upper.amount == 40
    assert upper.assumptions == ("at_most",)
    assert float(SCHEDULE.dose("haishu", "little_giant", DAY, already_paid=0)) == 50
    assert float(SCHEDULE.dose("haishu", "little_giant", DAY, already_paid=60)) == 0


def test_a_top_up_asks_what_was_paid() -> None:
    dose = SCHEDULE.dose("haishu", "little_giant", DAY)
    assert isinstance(dose, Unavailable)
    assert "already_paid" in dose.reason
    assert SCHEDULE.bounds("haishu", "little_giant", DAY) == (40.0, 50.0)
    assert SCHEDULE.bounds("haishu", "little_giant", DAY, already_paid=10) == (40.0, 40.0)


def test_haishu_by_date() -> None:
    before, first = dt.date(2022, 11, 2), dt.date(2022, 11, 3)
    assert isinstance(SCHEDULE.dose("haishu", "little_giant", before, already_paid=0), Unavailable)
    assert isinstance(SCHEDULE.dose("haishu", "little_giant", before, already_paid=0, carry_back=True), Unavailable)
    assert float(SCHEDULE.dose("haishu", "little_giant", first, already_paid=10)) == 40
    assert SCHEDULE.bounds("haishu", "little_giant", before) == UNNAMED


def test_fenghua_with_and_without_a_base() -> None:
    without = SCHEDULE.dose("fenghua", "little_giant", DAY)
    assert isinstance(without, Unavailable)
    assert "upper_award" in without.reason
    assert SCHEDULE.bounds("fenghua", "little_giant", DAY) == UNNAMED
    dose = SCHEDULE.dose("fenghua", "little_giant", DAY, upper_award=30)
    assert isinstance(dose, Dose)
    assert dose.amount == 30
    assert "match_base_not_stated" in dose.assumptions
    assert SCHEDULE.bounds("fenghua", "little_giant", DAY, upper_award=30) == (30.0, 30.0)


def test_undated_awards_are_carried_back_only_on_request() -> None:
    day = dt.date(2023, 6, 8)
    assert isinstance(SCHEDULE.dose("jiangbei", "little_giant", day), Unavailable)
    assert float(SCHEDULE.dose("jiangbei", "little_giant", dt.date(2023, 6, 9))) == 50
    carried = SCHEDULE.dose("jiangbei", "little_giant", day, carry_back=True)
    assert isinstance(carried, Dose)
    assert carried.assumptions == ("carried_back", "netting_not_stated")


def test_where_netting_is_open_the_bounds_show_it() -> None:
    assert SCHEDULE.bounds("jiangbei", "little_giant", DAY, already_paid=10) == (40.0, 50.0)
    assert SCHEDULE.bounds("jiangbei", "little_giant", DAY) == (50.0, 50.0)


def test_names_of_a_zone_are_one_jurisdiction() -> None:
    assert float(SCHEDULE.dose("前湾新区", "little_giant", DAY)) == float(SCHEDULE.dose("杭州湾新区", "little_giant", DAY)) == 100


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_amounts_must_be_amounts(value: float) -> None:
    with pytest.raises(ParameterError, match="already_paid"):
        SCHEDULE.dose("haishu", "little_giant", DAY, already_paid=value)
    with pytest.raises(ParameterError, match="upper_award"):
        SCHEDULE.dose("fenghua", "little_giant", DAY, upper_award=value)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ParameterError, match="did you mean 'haishu'"):
        SCHEDULE.dose("haishuu", "little_giant", DAY)
    with pytest.raises(ParameterError, match="no tier"):
        SCHEDULE.dose("haishu", "giant", DAY)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="unnamed"):
        SCHEDULE.bounds("cixi", "little_giant", DAY, unnamed=(50, 0))


def test_a_frame_gives_the_same_row_by_row() -> None:
    places = ["haishu", "haishu", "慈溪市", "fenghua", "hangzhou_bay"]
    frame = pd.DataFrame(
        {
            "reward_jurisdiction": places,
            "tier": "little_giant",
            "day": [DAY] * 5,
            "paid": [10.0, np.nan, np.nan, np.nan, 10.0],
            "upper": [np.nan, np.nan, np.nan, 20.0, np.nan],
        },
        index=[5, 6, 5, 8, 9],
    )
    done = SCHEDULE.doses(frame, date="day", already_paid="paid", upper_award="upper")
    assert done["dose"].fillna(-1).tolist() == [40, -1, -1, 20, 100]
    assert done["low"].tolist() == [40, 40, 0, 20, 90]
    assert done["high"].tolist() == [40, 50, 100, 20, 100]
    assert (done["note"] == "").tolist() == [True, False, False, True, True]
    assert done.index.tolist() == frame.index.tolist()
    order = [3, 1, 4, 0, 2]
    again = SCHEDULE.doses(frame.iloc[order], date="day", already_paid="paid", upper_award="upper")
    pd.testing.assert_frame_equal(again, done.iloc[order])


def test_a_frame_names_all_its_problems() -> None:
    frame = pd.DataFrame({"reward_jurisdiction": ["nowhere"], "tier": ["giant"], "day": ["?"], "paid": [-1.0]})
    with pytest.raises(DataError) as caught:
        SCHEDULE.doses(frame, date="day", already_paid="paid")
    assert len(caught.value.problems) == 4
    assert "nowhere" not in str(caught.value)


def test_table_lists_every_row_with_its_standing() -> None:
    table = SCHEDULE.table()
    assert len(table) == len(SCHEDULE.awards) == 9
    expired = table[table["status"] == "expired"]
    assert expired["confirmed"].tolist() == [False]
    assert expired["jurisdiction"].tolist() == ["haishu"]


def test_own_document_before_a_report_and_the_later_before_the_earlier(tmp_path: Path) -> None:
    write(tmp_path, "report", amount(30), kind="report", date="2023-01-01")
    write(tmp_path, "old", amount(40, valid_from="2020-01-01"))
    write(tmp_path, "new", amount(60, valid_from="2022-01-01", valid_to="2022-12-31"))
    schedule = load_reward_schedule(tmp_path)
    found = {
        day: float(schedule.dose("cixi", "little_giant", dt.date.fromisoformat(day)))
        for day in ("2021-12-31", "2022-01-01", "2022-12-31", "2023-01-01")
    }
    assert found == {"2021-12-31": 40, "2022-01-01": 60, "2022-12-31": 60, "2023-01-01": 40}


def test_a_draft_pays_nobody(tmp_path: Path) -> None:
    write(tmp_path, "draft", amount(40, status="draft"))
    assert isinstance(load_reward_schedule(tmp_path).dose("cixi", "little_giant", DAY), Unavailable)


def test_every_problem_of_every_file_at_once(tmp_path: Path) -> None:
    write(tmp_path, "one", award("nowhere", rule='"amount"'), award(rule='"match"', ratio=1, amount=3, extra=1))
    write(tmp_path, "two", amount(-1, valid_from="2022-02-01", valid_to="2022-01-01"), date='"2022"')
    with pytest.raises(DataError) as caught:
        load_reward_schedule(tmp_path)
    text = str(caught.value)
    for part in (
        "no number",
        "has an amount",
        "extra is not a known key",
        "negative",
        "before valid_from",
        "must be a date",
        "nowhere",
    ):
        assert part in text, part


def test_a_row_takes_its_number_from_a_fact_and_from_nowhere_else(tmp_path: Path) -> None:
    write(tmp_path, "one", award("cixi", rule='"amount"', fact='"F15"'), award("yuyao", rule='"match"', fact='"F17"'))
    cixi, yuyao = load_reward_schedule(tmp_path).awards
    assert (cixi.amount, cixi.ratio, yuyao.amount, yuyao.ratio) == (100.0, None, None, 1.0)
    rows = [award(rule='"amount"', fact='"F99"'), award(rule='"amount"', fact='"F01"'), amount(3, fact='"F15"')]
    write(tmp_path, "one", *rows)
    with pytest.raises(DataError) as caught:
        load_reward_schedule(tmp_path)
    for part in ("fact is 'F99'", "fact is 'F01'", "amount stands beside a fact"):
        assert part in str(caught.value), part


def test_no_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No file of rewards"):
        load_reward_schedule(tmp_path)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Schedule:
    folder = tmp_path_factory.mktemp("rewards")
    write(folder, "own", award(rule='"match"', ratio=1.5, ceiling=80, netting="top_up"), amount(20, tier="srdi", netting="top_up"))
    return load_reward_schedule(folder)


@settings(max_examples=60, deadline=None)
@given(paid=st.floats(0, 500), upper=st.floats(0, 500))
def test_netting_pays_neither_more_than_the_ceiling_nor_less_than_nothing(limited: Schedule, paid: float, upper: float) -> None:
    dose = float(limited.dose("cixi", "little_giant", DAY, already_paid=paid, upper_award=upper))
    assert 0 <= dose <= 80
    assert dose == pytest.approx(min(1.5 * upper, 80) - min(paid, min(1.5 * upper, 80)), abs=1e-9)
    low, high = limited.bounds("cixi", "little_giant", DAY, upper_award=upper)
    assert low <= high
    assert low == pytest.approx(max(high - 20, 0), abs=1e-9)
