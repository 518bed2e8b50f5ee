"""Firms that enter, and the district that pays them and counts them, today and before 2016."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sme_eval.panel.truth import STEP
from sme_eval.simulate.beside import Arrival
from sme_eval.simulate.ningbo import simulate_ningbo
from sme_eval.simulate.scenario import SCENARIOS

STARTS = [start for start in STEP if start != "certified_year_half"]


@pytest.fixture(scope="module")
def register() -> pd.DataFrame:
    return simulate_ningbo(1, "register", firms=2500)[0].frame


def test_firms_are_there_from_their_entry_to_their_exit(register: pd.DataFrame) -> None:
    years = register.groupby("firm")["year"].agg(["min", "max", "size"])
    assert (years["min"] == register.groupby("firm")["entered_year"].first()).all()
    assert (years["size"] == years["max"] - years["min"] + 1).all() and years["size"].min() >= 2
    assert len(years) == 2500
    assert 0.05 < (years["min"] > 2015).mean() < 0.3 and years["min"].max() > 2018
    assert (years["max"] < 2024).mean() > 0.05


def test_no_firm_enters_later_than_four_years_before_its_first_list(register: pd.DataFrame) -> None:
    firms = register.drop_duplicates("firm")
    first = firms[STARTS].where(firms[STARTS] > 0).min(axis=1)
    late = firms["entered_year"] > 2015
    assert (firms["entered_year"] <= first - 4)[late & first.notna()].all()
    assert (firms["entered_year"] == first - 4)[late].any()  # and some just in time


def test_rows_that_are_there_are_those_of_attrition(register: pd.DataFrame) -> None:
    """Entry drops rows and moves nothing else."""
    longer, truth = simulate_ningbo(1, "attrition", firms=2500)
    rows = [pd.MultiIndex.from_frame(frame[["firm", "year"]]) for frame in (longer.frame, register)]
    kept = longer.frame[rows[0].isin(rows[1])].reset_index(drop=True)
    assert kept.drop(columns="entered_year").equals(register.drop(columns="entered_year"))
    assert (longer.frame["entered_year"] == 2015).all()
    assert truth.year.size == longer.n_rows > len(register)


def test_everybody_arrives_where_a_scenario_says_so() -> None:
    world = replace(SCENARIOS["baseline"], arrival=Arrival(share=1.0))
    firms = simulate_ningbo(1, world, firms=2500, years=(2012, 2024))[0].frame.drop_duplicates("firm")
    first = firms[STARTS].where(firms[STARTS] > 0).min(axis=1)
    assert (firms["entered_year"] <= np.maximum(first.fillna(9999) - 4, 2012)).all()
    assert (firms["entered_year"] > 2012).mean() > 0.9
    assert firms["entered_year"].max() == 2023


def test_functional_zones_pay_and_do_not_count() -> None:
    """Shares among some 120 to 900 firms; four standard errors are allowed."""
    firms = simulate_ningbo(2)[0].frame.drop_duplicates("firm")
    pays, counts, then = (firms[name].astype(str) for name in ("reward_jurisdiction", "stat_district", "stat_district_2015"))
    assert (pays == firms["district"].astype(str)).all()
    zones = {"hightech", "hangzhou_bay"}
    assert zones < set(pays) and not zones & set(counts) and not zones & set(then)
    assert (counts == pays)[~pays.isin(zones)].all()
    assert set(counts[pays == "hightech"]) == {"yinzhou"} and set(counts[pays == "hangzhou_bay"]) == {"cixi", "yuyao"}
    assert "jiangdong" in set(then) and "jiangdong" not in set(counts)
    assert set(counts[then == "jiangdong"]) == {"yinzhou"} and set(then[counts == "haishu"]) == {"haishu", "yinzhou"}
    assert (then == counts)[~counts.isin({"haishu", "yinzhou"})].all()
    for share, found in (
        (0.2, counts[pays == "hangzhou_bay"] == "yuyao"),
        (0.4, then[counts == "haishu"] == "yinzhou"),
        (0.3, then[counts == "yinzhou"] == "jiangdong"),
    ):
        assert found.mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(found)))
