"""Value for money: the worked example by hand, no bound where the effect may be nothing, and never the volume of a loan."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sme_eval as sme
from sme_eval.briefing.compose import compose
from sme_eval.briefing.document import Reference, Run, Text, plain
from sme_eval.evaluation.disclosure import WITHHELD, require_released
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_base import Bilingual
from sme_eval.evaluation.record_reading import NaturalRecord
from sme_eval.evaluation.record_value import AssumptionRecord, RangeRecord, ValueRecord, ValueUnit
from sme_eval.evaluation.value import NO_BOUND, NO_GAIN, PAYS, value_of
from sme_eval.evaluation.value_costs import assumption_records, corner, corners
from sme_eval.policies.cost_rules import UNITS
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import LANGUAGES, Language
from tests.unit.landmark_record import landmark

GONE = Unavailable(WITHHELD)


def assumed(balance_firms: int | None = None, /, **ranges: float | tuple[float, float]) -> tuple[AssumptionRecord, ...]:
    """Assumptions from numbers or (low, high)."""
    ends = {name: value if isinstance(value, tuple) else (value, value) for name, value in ranges.items()}
    return tuple(
        AssumptionRecord(
            name=name,
            label=Bilingual(zh="某项假定", en="some assumption"),
            unit=UNITS[name],  # type: ignore[index]
            low=low,
            high=high,
            confirmed=False,
            source="",
            n_firms=balance_firms if name == "balance" else None,
        )
        for name, (low, high) in ends.items()
    )


def evaluation(estimate: float, std_error: float, *, base: float = 150.0, hull: tuple[float, float] | None = None) -> Evaluation:
    """A landmark record whose effect on a firm of size `base` is base × (e^β − 1)."""
    made = landmark()
    low, high = (estimate + sign * 1.959963984540054 * std_error for sign in (-1.0, 1.0))
    natural = NaturalRecord(
        unit=Bilingual(zh="人", en="persons"),
        base=base,
        base_n_firms=283,
        estimate=base * math.expm1(estimate),
        conf_low=base * math.expm1(low),
        conf_high=base * math.expm1(high),
        hull_low=None if hull is None else base * math.expm1(hull[0]),
        hull_high=None if hull is None else base * math.expm1(hull[1]),
    )
    return replace(
        made, headline=replace(made.headline, estimate=estimate, std_error=std_error, conf_low=low, conf_high=high), natural=natural
    )


def rows(found: ValueRecord) -> dict[str, dict[str, RangeRecord]]:
    return {row.name: {k: getattr(row, k) for k in ("central", "interval", "hull", "drawn")} for row in found.rows}


def valued(
    record: Evaluation, unit: ValueUnit = "person", **ranges: float | tuple[float, float]
) -> dict[str, dict[str, RangeRecord]]:
    return rows(value_of(record, assumed(**ranges), unit))


def one(value: float) -> Any:
    return pytest.approx(value, rel=1e-9)


def test_the_worked_example() -> None:
    """An award of 500,000 yuan, 150 workers, four per cent more: six jobs, 8.33 each, 2.78 for each of three years."""
    found = valued(evaluation(math.log(1.04), 0.01), award=50.0, years=3.0)
    assert found["outlay"]["central"].low == one(50.0)
    assert found["additional"]["central"].low == one(6.0)
    for name, value in (("cost_per_job", 50 / 6), ("cost_per_job_year", 50 / 18)):
        assert (found[name]["central"].low, found[name]["central"].high) == (one(value), one(value))
    assert f"{50 / 6:.2f}" == "8.33" and f"{50 / 18:.2f}" == "2.78"
    assert set(found) == {"outlay", "additional", "cost_per_job", "cost_per_job_year"}, "no taxes on jobs"


def test_the_interval_is_that_of_the_effect_upside_down_and_draws_agree() -> None:
    record = evaluation(0.04, 0.01)
    assert record.natural is not None
    found = valued(record, award=50.0, years=3.0)["cost_per_job"]
    assert found["interval"].low == one(50 / float(record.natural.conf_high))
    assert found["interval"].high == one(50 / float(record.natural.conf_low))
    for name in ("low", "high"):
        assert getattr(found["drawn"], name) == pytest.approx(getattr(found["interval"], name), rel=0.03)
    assert found["hull"] is None


@pytest.mark.parametrize(("estimate", "central"), [(0.01, True), (-0.01, False)])
def test_no_finite_upper_bound_where_the_interval_covers_zero(estimate: float, central: bool) -> None:
    found = valued(evaluation(estimate, 0.01), award=50.0, years=3.0)
    for name in ("cost_per_job", "cost_per_job_year"):
        assert isinstance(found[name]["interval"].low, float) and found[name]["interval"].high == NO_BOUND
        assert found[name]["drawn"].high == NO_BOUND
        assert isinstance(found[name]["central"].low, float) is central
        assert central or found[name]["central"].low == NO_GAIN


def test_just_above_zero_there_is_a_bound_and_just_below_there_is_none() -> None:
    above, below = (valued(evaluation(1.96 * 0.01 + gap, 0.01), award=50.0, years=1.0)["cost_per_job"] for gap in (1e-4, -1e-4))
    assert isinstance(above["interval"].high, float) and above["interval"].high > 1000
    assert below["interval"].high == NO_BOUND


def test_no_bound_at_all_where_jobs_are_lost() -> None:
    found = valued(evaluation(-0.05, 0.01), award=50.0, years=3.0)["cost_per_job"]
    assert {found[name].low for name in ("central", "interval", "drawn")} == {NO_GAIN}
    assert {found[name].high for name in ("central", "interval", "drawn")} == {NO_GAIN}


def test_the_hull_is_used_where_there_is_one() -> None:
    found = valued(evaluation(0.04, 0.01, hull=(-0.01, 0.06)), award=50.0, years=3.0)["cost_per_job"]
    assert isinstance(found["interval"].high, float) and found["hull"].high == NO_BOUND
    assert found["hull"].low == one(50 / (150 * math.expm1(0.06)))


def test_the_volume_of_loans_never_enters() -> None:
    record = evaluation(0.02, 0.005, base=4000.0)
    nothing = {"subsidy_points": 0.0, "expected_loss": 0.0, "administration": 1.0, "years": 3.0, "tax_share": 0.03}
    once, twice = (valued(record, "ten_thousand_yuan", balance=balance, **nothing) for balance in (8000.0, 16000.0))
    assert once == twice
    subsidised = {"subsidy_points": 0.5, "expected_loss": 0.3, "years": 2.0}
    once, twice = (valued(record, "ten_thousand_yuan", balance=balance, **subsidised) for balance in (8000.0, 16000.0))
    assert once["outlay"]["central"].low == one(2 * (0.5 + 0.3) / 100 * 8000.0) == 128.0
    assert twice["outlay"]["central"].low == one(256.0)


def test_marginal_value_by_hand() -> None:
    """Outlay 50, ten per cent lost on applying; 100 more revenue a year for two years, four per cent of it taxes: 45 / (50 − 8)."""
    record = evaluation(math.log(1.1), 0.01, base=1000.0)
    found = valued(record, "ten_thousand_yuan", award=50.0, years=2.0, tax_share=0.04, compliance=0.1)
    assert found["taxes"]["central"].low == one(8.0)
    assert found["net_cost"]["central"].low == one(42.0)
    assert found["marginal_value"]["central"].low == one(45 / 42)
    assert found["cost_per_revenue"]["central"].low == one(50 / 200)
    # More effect is more taxes, less net cost and more value: the interval's ends keep their order.
    low, high = found["marginal_value"]["interval"].low, found["marginal_value"]["interval"].high
    assert isinstance(low, float) and isinstance(high, float) and low < 45 / 42 < high
    assert found["marginal_value"]["drawn"].high == pytest.approx(high, rel=0.02)


def test_it_pays_for_itself_where_taxes_return_more_than_is_paid() -> None:
    record = evaluation(math.log(1.1), 0.001, base=1000.0)
    exact = valued(record, "ten_thousand_yuan", award=50.0, years=1.0, tax_share=0.6)["marginal_value"]
    assert exact["central"] == exact["interval"] == exact["drawn"] == RangeRecord(low=PAYS, high=PAYS)
    partly = valued(record, "ten_thousand_yuan", award=50.0, years=1.0, tax_share=(0.1, 0.6))["marginal_value"]
    assert partly["central"] == RangeRecord(low=one(50 / 40), high=PAYS)


def test_without_a_tax_share_there_is_no_marginal_value() -> None:
    assert "marginal_value" not in valued(evaluation(0.04, 0.01), "ten_thousand_yuan", award=50.0, years=1.0)


def test_discounting_takes_off_later_years() -> None:
    made = corner({"administration": 10.0, "years": 3.0, "discount": 5.0})
    assert made.years == pytest.approx(1 + 1 / 1.05 + 1 / 1.05**2)
    assert made.outlay == pytest.approx(10 * made.years) and made.cash == 0.0


@given(
    award=st.tuples(st.floats(1, 50), st.floats(50, 100)),
    loss=st.tuples(st.floats(0.0, 0.1), st.floats(0.1, 0.5)),
    rate=st.tuples(st.floats(0, 3), st.floats(3, 8)),
    shares=st.tuples(*[st.floats(0.0, 1.0)] * 4),
)
@settings(max_examples=60, deadline=None)
def test_nothing_inside_the_ranges_is_beyond_the_corners(
    award: tuple[float, float], loss: tuple[float, float], rate: tuple[float, float], shares: tuple[float, ...]
) -> None:
    record = evaluation(math.log(1.05), 0.01, base=1000.0)
    ranges = {"award": award, "displacement": loss, "discount": rate, "tax_share": (0.01, 0.9)}
    inside = {name: low + share * (high - low) for (name, (low, high)), share in zip(ranges.items(), shares, strict=True)}
    wide = valued(record, "ten_thousand_yuan", years=3.0, **ranges)
    for name, found in valued(record, "ten_thousand_yuan", years=3.0, **inside).items():
        outer, value = wide[name]["central"], found["central"].low
        if isinstance(outer.low, float) and isinstance(value, float):
            assert outer.low - 1e-9 <= value
        if isinstance(outer.high, float):
            assert isinstance(value, float) and value <= outer.high * (1 + 1e-9) + 1e-9


@given(scale=st.floats(0.1, 10.0))
@settings(max_examples=20, deadline=None)
def test_twice_the_cost_is_twice_the_cost_per_job(scale: float) -> None:
    record = evaluation(0.04, 0.01)
    once, more = (valued(record, award=a, years=3.0)["cost_per_job"]["interval"] for a in (50.0, 50.0 * scale))
    assert more.low == one(scale * float(once.low)) and more.high == one(scale * float(once.high))


def test_a_column_s_mean_stands_for_the_balance_and_a_missing_one_leaves_a_reason() -> None:
    policy = sme.load_policies()["credit"]
    panel = sme.simulate_ningbo(seed=1, scenario="baseline", firms=2500)[0]
    assert policy.cost is not None
    balance = next(one for one in assumption_records(policy.cost, panel, "library_year") if one.name == "balance")
    frame = panel.frame
    before = frame[(frame.library_year > 0) & (frame.year == frame.library_year - 1)].log_credit_balance.dropna()
    total = sum(math.exp(value) for value in before)
    assert (balance.low, balance.n_firms) == (one(total / len(before)), len(before))
    rule = policy.cost.assumptions["balance"]
    other = replace(policy.cost, assumptions={**policy.cost.assumptions, "balance": replace(rule, column="no_such_column")})
    missing = assumption_records(other, panel, "library_year")
    assert isinstance(corners(missing), Unavailable)
    found = rows(value_of(evaluation(0.02, 0.01), missing, "ten_thousand_yuan"))
    assert all(isinstance(row["central"].low, Unavailable) for row in found.values())
    wrong = replace(policy.cost, assumptions={"balance": replace(rule, column="spread")})
    with pytest.raises(sme.DesignError, match="no amount in 10,000 yuan"):
        assumption_records(wrong, panel, "library_year")


@pytest.mark.parametrize(("name", "outcome", "found"), [("certification", "log_employment", True), ("rewards", None, False)])
def test_evaluations_have_it_where_the_policy_declares_costs(name: str, outcome: str | None, found: bool) -> None:
    design = sme.Design.from_policy(sme.load_policies()[name], outcome=outcome)
    made = sme.evaluate(design, sme.simulate_ningbo(seed=1, firms=2500)[0], lean=True).value
    assert (made is not None) is found
    assert made is None or {one.name for one in made.assumptions}.isdisjoint({"tax_share", "compliance"})


# --- the gate --------------------------------------------------------------------------------------------------------


def whole(**changes: object) -> Evaluation:
    record = evaluation(0.04, 0.01, base=5000.0, hull=(-0.01, 0.06))
    ranges = {"award": (50.0, 100.0), "balance": 800.0, "subsidy_points": 0.5, "years": 3.0, "tax_share": 0.03}
    found = value_of(record, assumed(int(str(changes.pop("n_firms", 283))), **ranges), "ten_thousand_yuan")  # type: ignore[arg-type]
    return replace(record, value=found, **changes)  # type: ignore[arg-type]


def numbers(record: Evaluation, name: str, *ranges: str) -> set[object]:
    assert record.value is not None
    row = next(row for row in record.value.rows if row.name == name)
    found = [getattr(row, one) for one in ranges or ("central", "interval", "hull", "drawn")]
    return {end for one in found if one is not None for end in (one.low, one.high)}


def test_the_gate_lets_it_through_with_enough_firms() -> None:
    record = whole()
    assert sme.release(record).value == record.value
    require_released(sme.release(record))


def test_the_gate_withholds_it_with_the_effect() -> None:
    record = whole()
    few = sme.release(replace(record, headline=replace(record.headline, n_treated=9)))
    assert numbers(few, "additional") == numbers(few, "cost_per_revenue") == numbers(few, "marginal_value") == {GONE}
    assert numbers(few, "outlay") == numbers(record, "outlay"), "what is assumed says nothing about firms"
    assert any(entry.path.startswith("/value/rows/") for entry in few.withheld)
    require_released(few)


def test_the_gate_withholds_the_hull_with_its_bracket() -> None:
    record = whole()
    robust, bare = record.alternatives
    hidden = sme.release(replace(record, alternatives=(robust, replace(bare, n_treated=9))))
    assert numbers(hidden, "cost_per_revenue", "hull") == {GONE}
    assert numbers(hidden, "cost_per_revenue", "interval") == numbers(record, "cost_per_revenue", "interval")
    require_released(hidden)


@pytest.mark.parametrize(("n_firms", "gone"), [(9, True), (10, False)])
def test_the_gate_withholds_a_balance_of_few_firms_and_what_it_enters(n_firms: int, gone: bool) -> None:
    record = whole(n_firms=n_firms)
    released = sme.release(record)
    assert (numbers(released, "outlay") == {GONE}) is gone
    assert (numbers(released, "marginal_value") == {GONE}) is gone
    assert numbers(released, "additional") == numbers(record, "additional")
    assert released.value is not None
    assert (released.value.assumptions[1].low == GONE) is gone
    require_released(released)


# --- record and page -------------------------------------------------------------------------------------------------


def test_a_record_is_read_back_as_it_was_and_an_earlier_one_has_none() -> None:
    record = Evaluation.from_json(whole().to_json())
    assert Evaluation.from_json(record.to_json()) == record and record.value is not None
    earlier = json.loads(landmark().to_json())
    del earlier["value"]
    assert Evaluation.from_json(json.dumps(earlier)).value is None


def runs_of(block: Any) -> Iterator[Run]:
    """Every run of a block of a page."""
    yield from getattr(block, "content", ())
    for phrases in (getattr(block, name, ()) for name in ("columns", "notes", "items")):
        yield from (run for phrase in phrases for run in phrase)
    yield from getattr(block, "caption", ())
    yield from (run for row in getattr(block, "rows", ()) for cell in row for run in cell)
    for inner in getattr(block, "blocks", ()):
        yield from runs_of(inner)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_prints_assumptions_results_and_that_it_is_a_demonstration(language: Language) -> None:
    runs = [run for block in compose(whole(), language).blocks for run in runs_of(block)]
    text = "".join(run.text for run in runs)
    said = {
        "zh": (
            "假定，未经核实",
            "不低于",
            "没有有限的上限",
            "只演示算法",
            "不能据此加总",
            "贷款规模本身不是成本",
            "没有计入的是：行政管理成本",
        ),
        "en": (
            "assumed, not",
            "at least",
            "no finite upper bound",
            "shows the method",
            "added up",
            "volume is no cost",
            "administration",
        ),
    }[language]
    assert [words for words in said if words not in text] == []
    assert {"zh": "没有评估成本与效益", "en": "Costs and benefits were not evaluated"}[language] not in text
    assert not any(re.search(r"\d", run.text) for run in runs if isinstance(run, Text))
    assert {run.pointer.split("/")[2] for run in runs if isinstance(run, Reference) and run.pointer.startswith("/value/")} == {
        "assumptions",
        "rows",
    }


@pytest.mark.parametrize(("kind", "shown"), [("consistent", True), ("cannot_tell_power", True), ("suggestive", False)])
def test_no_cost_per_unit_where_the_claim_bounds_nothing(kind: str, shown: bool) -> None:
    record = whole()
    claim = replace(record.claim, kind=kind, demonstration=False)  # type: ignore[arg-type]
    for form, words in (("full", "按两种比法的合并范围"), ("bureau", "每增加一万元营业收入的财政投入")):
        page = compose(replace(record, claim=claim, data_kind="observed"), "zh", form)  # type: ignore[arg-type]
        text = "".join(
            plain(cell)
            for block in page.blocks
            for row in getattr(block, "rows", ())
            for cell in (*row, *getattr(block, "columns", ()))
        )
        assert (words in text) is (shown and (form == "full" or kind == "consistent"))


def test_bounds_that_are_not_finite_are_said_in_words() -> None:
    base = evaluation(math.log(1.1), 0.001, base=1000.0)
    ranges = {"award": 50.0, "years": 1.0, "tax_share": 0.6}
    found = value_of(base, assumed(**ranges), "ten_thousand_yuan")
    lost = value_of(evaluation(-0.1, 0.001), assumed(award=50.0, years=1.0), "person")
    for value, words in ((found, "增加的税收足以收回全部投入"), (lost, "没有有限的界限：范围内没有增加")):
        page = compose(replace(base, value=value), "zh")
        cells = [plain(cell) for block in page.blocks for row in getattr(block, "rows", ()) for cell in row]
        assert words in cells
