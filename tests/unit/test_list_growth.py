"""Growth over a list that changes: by hand, as an identity, under changes that must not matter, and what is refused."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.panel.declarations import Label
from sme_eval.panel.dictionary import Column, load_dictionary
from sme_eval.panel.firm_panel import Contract, FirmPanel
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.results.list_growth import PARTS, WORDS
from sme_eval.stats.list_change import list_change

IDENTITY = 1e-12
"""Relative: exactly rounded sums, then four additions."""
KNOWN = load_dictionary()
AMOUNT = Column(name="balance", type="float", label=Label("贷款余额", "loan balance"), unit=KNOWN["reward_dose"].unit)
GONE = replace(KNOWN["listed_year"], name="gone_year", constant_within_firm=False, minimum=None)
LOOSE = replace(KNOWN["listed_year"], constant_within_firm=False)
DICTIONARY = replace(KNOWN, columns=FrozenMapping({**KNOWN.columns, "balance": AMOUNT, "gone_year": GONE, "listed_year": LOOSE}))

# firm, on the list from, off it from, balance at the end of 2021 and of 2022
ROWS = (
    (1, 2019, 0, 100.0, 110.0),  # stays
    (2, 2021, 0, 200.0, 210.0),  # stays, entered in the year of the start
    (3, 2022, 0, 50.0, 70.0),  # enters
    (4, 2020, 2022, 40.0, 44.0),  # leaves
    (5, 0, 0, 900.0, 990.0),  # never on it
    (6, 2023, 0, 800.0, 880.0),  # later
    (7, 2019, 0, 30.0, None),  # stays, not known at the end
    (8, 2022, 0, None, 25.0),  # enters, not known at the start
)


def panel(rows: Any = ROWS, scale: float = 1.0, kind: Any = "simulated") -> FirmPanel:
    long = [
        (firm, year, listed, gone, math.nan if amount is None else scale * amount)
        for firm, listed, gone, *amounts in rows
        for year, amount in zip((2021, 2022), amounts, strict=True)
    ]
    return framed(pd.DataFrame(long, columns=["firm", "year", "listed_year", "gone_year", "balance"]), kind)


def framed(frame: pd.DataFrame, kind: Any = "simulated") -> FirmPanel:
    return FirmPanel(frame, data_kind=kind, source="by hand", contract=Contract(DICTIONARY))


def growth(one: FirmPanel, **choices: Any) -> sme.ListGrowth:
    return sme.list_growth(one, **{"left": "gone_year", "amount": "balance", **choices})


def test_by_hand() -> None:
    result = growth(panel())
    assert (result.start, result.end, result.change) == (340.0, 390.0, 50.0)
    assert result.current_list == pytest.approx(100 * 50 / 340, rel=1e-14)
    assert result.frozen_start == pytest.approx(100 * 24 / 340, rel=1e-14)
    assert result.frozen_end == pytest.approx(100 * 40 / 350, rel=1e-14)
    assert dict(result.parts) == {"frozen_list": 24.0, "brought_in": 50.0, "entrants_growth": 20.0, "taken_out": -44.0}
    assert result.points["frozen_list"] == result.frozen_start
    assert result.omitted == 2
    stayed, entered, left = result.groups.values()
    assert (stayed.firms, stayed.omitted, stayed.omitted_start, stayed.omitted_end) == (2, 1, 30.0, 0.0)
    assert (entered.firms, entered.omitted, entered.omitted_start, entered.omitted_end) == (1, 1, 0.0, 25.0)
    assert (left.firms, left.omitted) == (1, 0)


def test_tables_hold_the_parts_and_their_total() -> None:
    frame = growth(panel()).to_frame().set_index("part")
    assert list(frame.index) == [*PARTS, "total"]
    assert list(frame["firms"]) == [3, 1, 1, 1, 3]
    assert frame.loc["entrants_growth", "growth"] == pytest.approx(40.0, rel=1e-14)
    assert np.isnan(frame["growth"].iloc[1])
    assert frame["amount"].iloc[:-1].sum() == frame.loc["total", "amount"]
    groups = growth(panel()).groups_frame().set_index("group")
    assert groups.loc["left"].to_dict() == pytest.approx(
        {"firms": 1, "start": 40, "end": 44, "growth": 10, "omitted": 0, "omitted_start": 0, "omitted_end": 0}
    )


def test_without_leavers_nothing_is_taken_out() -> None:
    """The fourth firm stays on the list, since nobody says that it left."""
    result = growth(panel(), left=None)
    assert (result.start, result.end, result.parts["taken_out"]) == (340.0, 434.0, 0.0)
    assert result.groups["left"].firms == 0


def test_one_year_more_is_another_question() -> None:
    rows = pd.concat([panel().frame, panel().frame.assign(year=2023)[panel().frame["year"] == 2022]])
    rows.loc[(rows["firm"] == 3) & (rows["year"] == 2023), "balance"] = 77.0
    two = growth(framed(rows), year=2023, since=2021)
    assert two.since == 2021 and two.groups["entered"].firms == 2  # the third, and the sixth who enters in 2023
    assert two.parts["entrants_growth"] == 27.0 + 80.0


def test_summary_says_what_it_is_not() -> None:
    text = growth(panel()).summary()
    assert "SIMULATED" in text and "no standard error" in text and "2 firms of the list are left out" in text
    assert "SIMULATED" not in growth(panel(kind="observed")).summary()
    assert "identity" in growth(panel())._repr_html_()


@st.composite
def lists(draw: st.DrawFn) -> list[tuple[int, int, int, float | None, float | None]]:
    amounts = st.one_of(st.none(), st.floats(0.0, 1e9, allow_subnormal=False))
    firms = draw(st.integers(1, 12))
    rows = []
    for firm in range(1, firms + 1):
        listed = draw(st.sampled_from([0, 2019, 2021, 2022, 2023]))
        gone = draw(st.sampled_from([0, listed + 1, listed + 2])) if listed else 0
        rows.append((firm, listed, gone, draw(amounts), draw(amounts)))
    return [*rows, (firms + 1, 2019, 0, 10.0, 11.0)]


@settings(deadline=None, max_examples=12)
@given(rows=lists(), seed=st.integers(0, 99), scale=st.sampled_from([1e-4, 10.0, 1e4]))
def test_parts_add_up_and_nothing_else_matters(rows: Any, seed: int, scale: float) -> None:
    """Exactly, whatever the order of rows; the same in other units but for the units; the same under other names."""
    result = growth(panel(rows))
    size = max(abs(result.start), abs(result.end), *map(abs, result.parts.values()))
    assert abs(sum(result.parts.values()) - result.change) <= IDENTITY * size
    assert abs(sum(result.points.values()) - result.current_list) <= IDENTITY * 100 * size / result.start
    shuffled = framed(panel(rows).frame.sample(frac=1.0, random_state=seed))
    assert growth(shuffled).parts == result.parts
    renamed = framed(panel(rows).frame.assign(firm=lambda frame: "x" + (1000 - frame["firm"]).astype(str)))
    assert growth(renamed).parts == result.parts
    other = growth(panel(rows, scale))
    assert other.points == pytest.approx(dict(result.points), rel=1e-9, abs=1e-9)
    assert other.change == pytest.approx(scale * result.change, rel=1e-9, abs=1e-9 * scale * size)


@settings(deadline=None, max_examples=30)
@given(rows=lists())
def test_an_oracle_that_counts_firm_by_firm(rows: Any) -> None:
    totals = {"frozen_list": 0.0, "brought_in": 0.0, "entrants_growth": 0.0, "taken_out": 0.0}
    for _, listed, gone, start, end in rows:
        before, after = (0 < listed <= year and not (gone and year >= gone) for year in (2021, 2022))
        if start is None or end is None:
            continue
        totals["frozen_list"] += (end - start) * before
        totals["brought_in"] += start * (after and not before)
        totals["entrants_growth"] += (end - start) * (after and not before)
        totals["taken_out"] -= end * (before and not after)
    assert dict(growth(panel(rows)).parts) == pytest.approx(totals, rel=1e-9, abs=1e-6)


def test_a_list_that_does_not_change_has_one_growth() -> None:
    result = growth(panel([row for row in ROWS if row[0] in (1, 2, 5)]))
    assert result.current_list == result.frozen_start == result.frozen_end
    assert [amount for part, amount in result.parts.items() if part != "frozen_list"] == [0.0, 0.0, 0.0]


def test_arrays_alone() -> None:
    groups = list_change(np.array([1.0, np.nan]), np.array([2.0, 5.0]), np.array([True, False]), np.array([True, True]))
    assert (groups["stayed"].change, groups["entered"].omitted, groups["entered"].omitted_end) == (1.0, 1, 5.0)


# --- refusals --------------------------------------------------------------------------------------------------------


def refused(error: type[sme.SmeEvalError], words: str, one: FirmPanel, **choices: Any) -> sme.SmeEvalError:
    with pytest.raises(error, match=re.escape(words)) as caught:
        growth(one, **choices)
    return caught.value


def test_negative_amounts_are_refused_and_only_they() -> None:
    zero, below = panel([*ROWS, (9, 2019, 0, 0.0, 0.0)]), panel([*ROWS, (9, 0, 0, -0.01, 0.0)])
    assert growth(zero).groups["stayed"].firms == 3
    found = refused(sme.DataError, "balance is negative in 1 rows", below)
    assert found.problems[0].first == "row 17"


def test_all_that_is_wrong_with_the_rows_at_once() -> None:
    frame = panel().frame
    frame.loc[0, "listed_year"] = 2018
    frame.loc[3, "balance"] = -1.0
    found = refused(sme.DataError, "listed_year varies within 1 firms", framed(frame))
    assert len(found.problems) == 2


@pytest.mark.parametrize("gone", [2018, 2019])
def test_leaving_before_or_with_entry(gone: int) -> None:
    refused(sme.DataError, "1 firms leave the list before they are on it", panel([*ROWS, (9, 2019, gone, 1.0, 1.0)]))
    assert growth(panel([*ROWS, (9, 2019, 2020, 1.0, 1.0)])).groups["left"].firms == 1


def test_leaving_a_list_that_one_never_was_on() -> None:
    refused(sme.DataError, "1 firms leave the list", panel([*ROWS, (9, 0, 2020, 1.0, 1.0)]))


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        ("log_revenue is a logarithm", {"amount": "log_revenue"}),
        ("unsecured_share is in", {"amount": "unsecured_share"}),
        ("district has no unit", {"amount": "district"}),
        ("Column 'balanse' is not in the dictionary", {"amount": "balanse"}),
        ("runs backwards", {"since": 2022}),
    ],
)
def test_questions_that_mean_nothing(words: str, choices: dict[str, Any]) -> None:
    refused(sme.DesignError, words, panel(), **choices)


def test_what_is_not_in_the_panel_comes_at_once() -> None:
    found = refused(sme.DataError, "no column 'certified_year'", panel(), listed="certified_year", year=2030, since=2021)
    assert [problem.what for problem in found.problems] == [
        "The panel has no column 'certified_year'.",
        "The panel has no year 2030.",
    ]


def test_nothing_grows_from_nothing() -> None:
    refused(sme.DataError, "nothing can grow", panel([(1, 2022, 0, 5.0, 6.0)]))
    refused(sme.DataError, "nothing can grow", panel([(1, 2019, 0, 0.0, 6.0)]))


# --- the drawing -----------------------------------------------------------------------------------------------------


def drawn(one: FirmPanel, language: Any = "en") -> tuple[list[str], str]:
    axes = growth(one).plot(language=language)
    texts = [label.get_text() for label in axes.get_xticklabels()]
    title = axes.get_title(loc="left")
    import matplotlib.pyplot as plt

    plt.close(axes.figure)  # type: ignore[arg-type]
    return texts, title


def test_the_drawing_says_simulated() -> None:
    texts, title = drawn(panel())
    assert len(texts) == 6 and "simulated" in title
    assert drawn(panel(kind="observed"))[1] == ""
    assert "模拟" in drawn(panel(), "zh")[1]


def test_large_amounts_are_drawn_in_hundred_millions() -> None:
    axes = growth(panel(scale=1e4)).plot(language="zh")
    assert axes.get_ylabel() == "贷款余额（亿元）"
    assert axes.patches[0].get_height() == 340.0  # type: ignore[attr-defined]
    import matplotlib.pyplot as plt

    plt.close(axes.figure)  # type: ignore[arg-type]


def test_both_languages_have_the_same_words() -> None:
    english, chinese = WORDS["en"], WORDS["zh"]
    assert set(english) == set(chinese)
    for key, text in english.items():
        assert set(re.findall(r"\{\w+", text)) == set(re.findall(r"\{\w+", chinese[key])), key
