"""The figures of the published reply, found again in the columns of the drawn panel, whatever the scenario and seed."""

import numpy as np
import pandas as pd
import pytest

from sme_eval.simulate import letter_counts
from sme_eval.simulate.letter_counts import COUNTS
from sme_eval.simulate.ningbo import simulate_ningbo
from sme_eval.simulate.scenario import BATCHES, LIBRARY_ONLY, SRDI_ONLY

PUBLISHED = {
    "F02": 283, "F03": 5, "F04": 50, "F05": 127, "F06": 101, "F09": 66, "F19": 1566, "F20": 715, "F21": 1020, "F22": 2200,
    "F23": 888, "F24": 862, "F25": 682, "F39": 135, "F60": 95,
}  # fmt: skip
DRAWN = [(seed, scenario) for seed in (1, 5) for scenario in ("baseline", "null_strong_selection")] + [
    (1, "attrition"),
    (1, "register"),
]


@pytest.fixture(scope="module", params=DRAWN, ids=str)
def frame(request: pytest.FixtureRequest) -> pd.DataFrame:
    seed, scenario = request.param
    return simulate_ningbo(seed, scenario, firms=2500)[0].frame


def test_the_constants_are_those_of_the_reply() -> None:
    assert {count.fact: count.count for count in COUNTS.values()} == PUBLISHED
    assert letter_counts.BALANCE == 1487.49 and letter_counts.BALANCE_GROWTH == 19.84
    assert letter_counts.NEW_LOAN_RATE == 3.61 and letter_counts.UNSECURED_SHARE == 27.82
    assert sum(BATCHES.values()) == COUNTS["little_giants"].count
    assert sum(BATCHES.values()) + sum(SRDI_ONLY.values()) == COUNTS["srdi"].count
    assert sum(LIBRARY_ONLY.values()) == COUNTS["library"].count and LIBRARY_ONLY[2022] == COUNTS["library_entrants"].count


def test_every_list_has_its_firms(frame: pd.DataFrame) -> None:
    firms = frame.drop_duplicates("firm")
    for name, known in COUNTS.items():
        year = firms[known.column]
        found = (year == known.until) if known.flow else year.between(1, known.until)
        assert found.sum() == known.count, name


def test_the_four_figures_of_the_banks(frame: pd.DataFrame) -> None:
    """Of the firms in the panel at the end of 2022: all that ever were on a list where nobody leaves."""
    end = frame[frame["year"] == 2022]
    listed, srdi = end[end["listed_year"].between(1, 2022)], end[end["srdi_year"].between(1, 2022)]
    assert frame.groupby("firm").size().min() < 10 or len(listed) == 1735
    assert listed["loan_balance"].sum() / 10_000 == pytest.approx(1487.49, abs=0.005)
    before = frame[(frame["year"] == 2021) & frame["firm"].isin(listed["firm"])]
    assert len(before) == len(listed)
    assert 100 * (listed["loan_balance"].sum() / before["loan_balance"].sum() - 1) == pytest.approx(19.84, abs=0.005)
    lent = srdi["new_loans"] > 0
    assert np.average(srdi["loan_rate"][lent], weights=srdi["new_loans"][lent]) == pytest.approx(3.61, abs=0.005)
    assert 100 * srdi["unsecured_loans"].sum() / srdi["loan_balance"].sum() == pytest.approx(27.82, abs=0.005)
