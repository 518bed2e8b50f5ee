"""Each trap of the published reply is sprung through public calls, in its own words; what is legal beside it is not."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import sme_eval as sme
from sme_eval.policies.letter import normalise, read_letter
from sme_eval.policies.quantities import Quantity, mean_of
from sme_eval.policies.readings import as_flow, as_stock, benchmark, change_of, fact_of_number, growth_per_firm
from sme_eval.policies.stated_reward import stated_reward
from sme_eval.policies.traps import TrapError, TrapWarning, load_traps

FACTS = sme.load_facts()
TRAPS = load_traps()
Q = {name: fact.quantity() for name, fact in FACTS.items() if fact.value is not None}
PREMIUMS = Quantity(value=3.0, unit="yi_yuan", population="srdi_exporters", kind="flow", date="2022")
SRDI_LOANS = Quantity(value=900.0, unit="yi_yuan", population="srdi", kind="stock", date="2022-12")


def test_twenty_six_traps_in_both_languages() -> None:
    assert list(TRAPS) == [f"T{number}" for number in range(1, 27)]
    assert all(trap.label.zh and trap.label.en and trap.remedy.zh and trap.remedy.en for trap in TRAPS.values())
    concerned = {name for trap in TRAPS.values() for name in trap.facts}
    assert concerned <= set(FACTS)
    assert "T13" in FACTS["F40"].traps and FACTS["F42"].traps == ()


RAISED: list[tuple[str, Callable[[], Any]]] = [
    ("T3", lambda: Q["F19"] + Q["F20"]),
    ("T3", lambda: Q["F20"] + Q["F02"]),
    ("T3", lambda: Q["F02"] / Q["F20"]),
    ("T3", lambda: Q["F20"] + Q["F21"]),
    ("T4", lambda: mean_of(Q["F21"], Q["F24"])),
    ("T4", lambda: Q["F24"] / Q["F21"]),
    ("T5", lambda: as_stock(FACTS["F19"])),
    ("T5", lambda: as_flow(FACTS["F20"])),
    ("T6", lambda: Q["F23"] / Q["F22"]),
    ("T6", lambda: Q["F25"] / Q["F24"]),
    ("T7", lambda: growth_per_firm(FACTS["F30"])),
    ("T8", lambda: Q["F36"] + Q["F31"]),
    ("T8", lambda: Q["F36"] + Q["F36"]),
    ("T8", lambda: Q["F29"] * Q["F31"]),
    ("T8", lambda: Q["F30"] - Q["F34"]),
    ("T8", lambda: Q["F36"].factor()),
    ("T8", lambda: Q["F31"].factor()),
    ("T9", lambda: Q["F29"] * Q["F36"]),
    ("T9", lambda: Q["F36"] * Q["F29"]),
    ("T9", lambda: Q["F29"] * Q["F33"]),
    ("T9", lambda: Q["F29"] / Q["F20"]),
    ("T9", lambda: Q["F29"] - SRDI_LOANS),
    ("T10", lambda: benchmark(Q["F36"] - Q["F37"], "srdi")),
    ("T11", lambda: change_of(FACTS["F33"])),
    ("T11", lambda: SRDI_LOANS * Q["F33"]),
    ("T12", lambda: change_of(FACTS["F34"])),
    ("T12", lambda: PREMIUMS * Q["F34"]),
    ("T12", lambda: PREMIUMS * Q["F34"].factor()),
    ("T13", lambda: Q["F41"] / Q["F39"]),
    ("T13", lambda: Q["F39"] / Q["F40"]),
    ("T13", lambda: Q["F41"] / Q["F40"]),
    ("T14", lambda: stated_reward("fenghua")),
    ("T14", lambda: Quantity(value=1.0, unit="yi_yuan", population="little_giants") * Q["F17"]),
    ("T17", lambda: Q["F56"] + Q["F57"]),
    ("T17", lambda: Q["F57"] / Q["F56"]),
    ("T18", lambda: Q["F50"] + Q["F51"]),
    ("T18", lambda: Q["F51"] + Q["F52"]),
    ("T18", lambda: Q["F50"] - Q["F51"]),
    ("T19", lambda: fact_of_number("246", FACTS)),
    ("T19", lambda: fact_of_number("２４６", FACTS)),
    ("T20", lambda: Q["F46"] / Q["F20"]),
    ("T21", lambda: FACTS["F13"].as_outcome()),
    ("T21", lambda: FACTS["F65"].as_outcome()),
    ("T21", lambda: Q["F63"] - Q["F36"]),
    ("T23", lambda: Q["F08"] + Q["F10"]),
    ("T23", lambda: Q["F08"] * 2.0),
    ("T24", lambda: Q["F02"] + Q["F09"]),
    ("T26", lambda: read_letter("好\n联系人：某某\n")),
    ("T26", lambda: read_letter("好\n１３８ 0000 0000\n")),
    ("T26", lambda: read_letter("好\n0574-00000000\n")),
]


@pytest.mark.parametrize(("name", "act"), RAISED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_raises(name: str, act: Callable[[], Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrapWarning)
        with pytest.raises(TrapError) as caught:
            act()
    assert caught.value.traps == (name,)
    trap = TRAPS[name]
    assert trap.label.en in str(caught.value) and trap.label.zh in str(caught.value) and trap.remedy.en in str(caught.value)
    assert isinstance(caught.value, sme.DesignError) and caught.value.exit_code == 11


WARNED: list[tuple[str, Callable[[], Quantity]]] = [
    ("T2", lambda: Q["F02"] / Q["F01"]),
    ("T4", lambda: Q["F21"] - Q["F24"]),
    ("T5", lambda: Q["F20"] / Q["F19"]),
    ("T3", lambda: Q["F20"] / Q["F19"]),
    ("T7", lambda: Q["F30"].factor()),
    ("T10", lambda: Q["F36"] - Q["F37"]),
    ("T12", lambda: Q["F34"].factor()),
    ("T15", lambda: Q["F02"] * Q["F15"]),
    ("T16", lambda: Q["F02"] * Q["F16"]),
    ("T16", lambda: stated_reward("海曙区")),  # type: ignore[return-value, list-item]
    ("T18", lambda: Q["F51"] / Q["F50"]),
]


@pytest.mark.parametrize(("name", "act"), WARNED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_warns(name: str, act: Callable[[], Quantity]) -> None:
    with pytest.warns(TrapWarning) as caught:
        result = act()
    assert any(TRAPS[name].text() in str(one.message) for one in caught)
    assert name in result.traps


def test_how_says_what_the_tests_show() -> None:
    raised, warned = {name for name, _ in RAISED}, {name for name, _ in WARNED}
    assert {trap.id for trap in TRAPS.values() if trap.how == "raises"} == raised
    assert {trap.id for trap in TRAPS.values() if trap.how == "warns"} <= warned
    assert {trap.id for trap in TRAPS.values() if trap.how == "handled"} == {"T1", "T15", "T22", "T25"}


# --- handled ---------------------------------------------------------------------------------------------------------


def test_t1_any_width_of_digits_and_broken_numbers_are_read() -> None:
    assert "１" in FACTS["F07"].words and FACTS["F07"].value == 3.1
    assert fact_of_number("3.１", FACTS) == (FACTS["F07"],)
    assert normalise("增长\n\n 19.\n84％") == "增长19.84%"
    # The page mark stands inside this sentence of the letter.
    assert "“专精特新”中小企业发展的意见" in FACTS["F27"].words


@pytest.mark.parametrize("place", ["beilun", "镇海区", "余姚", "Cixi", "ninghai", "象山县"])
def test_t15_a_district_that_is_not_named_has_no_dose(place: str) -> None:
    answer = stated_reward(place)
    assert isinstance(answer, sme.Unavailable) and answer.reason == TRAPS["T15"].text()
    assert float(answer) != 0 and not answer


def test_t14_to_t16_and_t25_the_dose_that_is_stated() -> None:
    def dose(place: str, upper_award: float | None = None, already_received: float | None = None) -> float:
        answer = stated_reward(place, upper_award=upper_award, already_received=already_received)
        assert isinstance(answer, Quantity) and answer.unit == "wan_yuan_per_firm"
        return answer.value

    assert dose("杭州湾新区") == dose("前湾新区") == dose("hangzhou_bay") == 100  # T25
    assert dose("fenghua", upper_award=30) == 30  # T14: the district's own part
    # T16: a firm that drew 10 gets 40 more; one that drew 50 or more gets nothing.
    assert [dose("yinzhou", already_received=drawn) for drawn in (0, 10, 49, 50, 51)] == [50, 40, 1, 0, 0]
    with pytest.raises(sme.DesignError, match="did you mean '奉化区'"):
        stated_reward("奉化县区")


def test_t22_typing_errors_are_kept_and_corrected() -> None:
    for name, verbatim, corrected in (
        ("F55", "服务有公司", "服务有限公司"), ("F69", "实施规划工业", "实施规上工业"), ("F70", "更广发", "更广泛"),
    ):  # fmt: skip
        fact = FACTS[name]
        assert verbatim in fact.words and corrected not in fact.words
        assert corrected in fact.corrected and verbatim not in fact.corrected
    assert FACTS["F01"].corrected == FACTS["F01"].words


# --- what is legal ---------------------------------------------------------------------------------------------------


def test_parts_of_one_whole_add_once() -> None:
    total = Q["F03"] + Q["F04"] + Q["F05"] + Q["F06"]
    assert total.value == Q["F02"].value and total.traps == () and total.kind == "flow"
    with pytest.raises(sme.DesignError):
        total + Q["F03"]
    planned = Q["F65"] + Q["F66"] + Q["F67"]
    assert (planned.value, planned.status) == (255, "plan")


def test_points_are_the_difference_of_two_levels() -> None:
    """A level less its gap is the benchmark; benchmark and gap give the level back; level less benchmark gives the gap."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrapWarning)
        for level, gap in (("F36", "F37"), ("F30", "F31")):
            all_loans = Q[level] - Q[gap]
            assert (all_loans.population, all_loans.unit) == ("all_loans", "percent")
            back = all_loans + Q[gap]
            assert (back.population, back.unit) == (Q[level].population, "percent")
            assert back.value == pytest.approx(Q[level].value, rel=1e-12)
            points = Q[level] - all_loans
            assert points.unit == "percentage_points" and points.value == pytest.approx(Q[gap].value, rel=1e-12)


def test_a_share_of_its_own_population_is_legal() -> None:
    """What T9 refuses is the population, not the product: 27.82 % of the loans of SRDI firms alone."""
    unsecured = SRDI_LOANS * Q["F36"]
    assert unsecured.value == pytest.approx(900 * 0.2782, rel=1e-12)
    assert (unsecured.unit, unsecured.population, unsecured.kind, unsecured.traps) == ("yi_yuan", "srdi", "stock", ())
    assert (Q["F36"] * SRDI_LOANS).value == pytest.approx(unsecured.value, rel=1e-12)


def test_growing_and_ungrowing_are_inverse_and_keep_the_date() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrapWarning)
        factor = Q["F30"].factor()
        before = Q["F29"] / factor
        again = before * factor
    assert (before.date, again.date) == ("2021-12", "2022-12")
    assert again.value == pytest.approx(Q["F29"].value, rel=1e-12)
    flow = Q["F29"] - before
    assert (flow.kind, flow.unit) == ("flow", "yi_yuan") and "T7" in flow.traps
    with pytest.raises(TrapError, match="T8"):
        factor.factor()


def test_same_list_makes_a_rate() -> None:
    """What T6 refuses is that the firms are not the same: entrants followed to the year they rise are."""
    entrants = Quantity(value=200, unit="firms", population="upgrade_library", inside=(), kind="flow")
    risen = replace(entrants, value=50, population="risen_of_library", cohort="", inside=("upgrade_library",))
    assert (risen / entrants).value == 0.25


def test_what_has_no_meaning_is_refused_without_a_trap() -> None:
    for act in (
        lambda: Q["F29"] * Q["F29"],
        lambda: Q["F47"] + Q["F48"],
        lambda: Q["F02"] / 0,
        lambda: Q["F02"] + Q["F02"],
        lambda: FACTS["F11"].quantity(),
        lambda: mean_of(),
        lambda: as_stock(FACTS["F33"]),
        lambda: fact_of_number("12345", FACTS),
    ):
        with pytest.raises(sme.DesignError) as caught:
            act()
        assert not isinstance(caught.value, TrapError)


def test_a_trap_error_survives_a_process() -> None:
    with pytest.raises(TrapError) as caught:
        FACTS["F13"].as_outcome()
    copy = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(copy, TrapError) and copy.traps == ("T21",) and str(copy) == str(caught.value)


def test_every_product_across_populations_is_refused() -> None:
    """T9 by brute force: no share of one population meets the money or the firms of another."""
    shares = [q for q in Q.values() if q.unit == "percent"]
    bases = [q for q in Q.values() if q.unit in ("yi_yuan", "firms", "uses", "cases")]
    for share in shares:
        for base in bases:
            if share.population != base.population:
                with pytest.raises(TrapError):
                    share * base
