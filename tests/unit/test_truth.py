"""The truth of a simulated panel: three estimands, several starts, and every average against its definition in a loop."""

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sme_eval.errors import DataError, DesignError
from sme_eval.evaluation.effects import Scale
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.truth import Estimand, Truth
from sme_eval.policies.policy import load_policies
from sme_eval.simulate.ningbo import simulate_ningbo
from sme_eval.terms import NEVER

YEARS = np.arange(2018, 2023)


def hand_made() -> Truth:
    """Firm 1: SRDI 2019, certified 2021. Firm 2: certified and SRDI 2020. Firm 3: library 2019. Firm 4: nothing."""
    certificate = [[0, 0, 0, 0.1, 0.3], [0, 0, 0.2, 0.4, 0.6], [0] * 5, [0] * 5]
    cash = [[0, 0, 0, 0.05, 0.05], [0, 0, 0.01, 0.01, 0.01], [0] * 5, [0] * 5]
    srdi = [[0, 0.02, 0.02, 0.02, 0.02], [0, 0, 0.03, 0.03, 0.03], [0] * 5, [0] * 5]
    credit = [[0, 0.5, 1, 1, 1], [0, 0, 0.5, 1, 1], [0, 0.5, 1, 1, 1], [0] * 5]
    parts = {
        name: np.array(values, dtype=float).ravel()
        for name, values in (("certificate", certificate), ("srdi", srdi), ("cash", cash), ("credit", credit))
    }
    starts = {
        "certified_year": [2021, 2020, NEVER, NEVER],
        "srdi_year": [2019, 2020, NEVER, NEVER],
        "library_year": [NEVER, NEVER, 2019, NEVER],
        "listed_year": [2019, 2020, 2019, NEVER],
    }
    return Truth(
        firm=np.repeat(["a", "b", "c", "d"], YEARS.size),
        year=np.tile(YEARS, 4),
        starts={name: np.repeat(years, YEARS.size) for name, years in starts.items()},
        effects={"y": sum(parts.values(), np.zeros(20)), "balance": parts["credit"]},
        parts={"y": parts, "balance": {"credit": parts["credit"]}},
    )


@pytest.mark.parametrize(
    ("start", "estimand", "expected"),
    [
        # certified at e = 0: firm a in 2021, firm b in 2020
        ("certified_year", "step", (0.15 + 0.21) / 2),
        ("certified_year", "own", (0.15 + 0.74) / 2),
        ("certified_year", "bundle", (1.17 + 0.74) / 2),
        ("srdi_year", "step", (0.02 + 0.03) / 2),
        ("srdi_year", "own", (0.52 + 0.74) / 2),
        ("library_year", "step", 0.5),
        ("library_year", "bundle", 0.5),
        ("listed_year", "step", 0.5),
        ("listed_year", "bundle", (0.52 + 0.74 + 0.5) / 3),
    ],
)
def test_three_estimands_in_the_first_year(start: str, estimand: Estimand, expected: float) -> None:
    assert hand_made().average("y", start=start, estimand=estimand, event_time=0) == pytest.approx(expected, abs=1e-15)


def test_own_at_leads_shows_what_came_before() -> None:
    """Firm a was listed two years before its certificate: from g − 1 back, own is what it had not gained yet."""
    truth = hand_made()
    own = truth.by_event_time("y", estimand="own", leads=(-3, -1))
    assert list(own) == [-3, -2, -1, 0, 1, 2]
    assert own[-1] == 0.0
    assert own[-2] == pytest.approx((0.52 - 1.02 + 0.0) / 2, abs=1e-15)
    assert own[-3] == pytest.approx(0.0 - 1.02, abs=1e-15)  # firm b is not seen three years before
    assert list(truth.by_event_time("y", estimand="own")) == [0, 1, 2]
    assert truth.average("y", estimand="own", event_time=(-2, -1)) == pytest.approx((own[-2] + own[-1]) / 2, abs=1e-15)


def test_a_base_before_the_panel_counts_nothing() -> None:
    truth = Truth.from_cohort([1, 1], [2020, 2021], [2020, 2020], {"y": [0.2, 0.5]})
    assert truth.average("y", estimand="own") == truth.average("y") == pytest.approx(0.35, abs=1e-15)


def test_arms_and_parts() -> None:
    truth = hand_made()
    arm = np.isin(truth.firm, ["a", "c"])
    assert truth.average("y", event_time=0, among=arm) == pytest.approx(1.17, abs=1e-15)
    assert truth.by_cohort("y", among=arm) == {2021: pytest.approx((1.17 + 1.37) / 2, abs=1e-15)}
    assert truth.by_event_time("y", "listed_year", "step", among=arm) == {0: 0.5, 1: 1.0, 2: 1.0, 3: 1.0}
    assert truth.part("y", "cash", event_time=0) == pytest.approx(0.03, abs=1e-15)
    assert truth.part("y", "credit", start="certified_year", event_time=0, among=arm) == 1.0
    assert truth.part("y", "srdi", start="listed_year", event_time=(0, 1)) == pytest.approx((0.02 + 0.03) * 2 / 6, abs=1e-15)


def test_an_outcome_that_the_entry_does_not_touch_has_a_step_of_zero() -> None:
    truth = hand_made()
    assert truth.average("balance", estimand="step") == 0.0
    assert truth.average("balance", estimand="bundle", event_time=0) == 0.75


def test_knows_what_it_answers() -> None:
    truth, bare = hand_made(), Truth.from_cohort([1, 1], [2019, 2020], [2020, 2020], {"y": [0.0, 0.3]})
    assert truth.knows("y", "srdi_year", "step") and bare.knows("y", "certified_year", "own")
    assert not bare.knows("y", "certified_year", "step")
    assert not truth.knows("y", "grant", "own") and not truth.knows("z", "srdi_year", "own")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.average("z"), "No true effect is known for 'z'"),
        (lambda t: t.average("y", start="listed_yer"), "did you mean 'listed_year'"),
        (lambda t: t.average("y", estimand="bundel"), "did you mean 'bundle'"),
        (lambda t: t.average("y", cohort=2018), "No firm-year is selected"),
        (lambda t: t.average("y", among=np.ones(3, dtype=bool)), "among does not fit"),
        (lambda t: t.average("y", among=np.ones(20)), "among does not fit"),
        (lambda t: t.part("y", "cahs"), "did you mean 'cash'"),
        (lambda t: t.part("balance", "cash"), "has no part 'cash'"),
        (lambda t: t.part("y", "cash", among=np.zeros(20, dtype=bool)), "No firm-year is selected"),
        (lambda t: Truth.from_cohort(t.firm, t.year, t.cohort, t.effects).average("y", estimand="step"), "ask for own or bundle"),
        (lambda t: Truth(t.firm, t.year, {"grant": t.cohort}, t.effects, t.parts).by_cohort("y", estimand="step"), "not known"),
    ],
)
def test_refuses_what_it_does_not_know(call: Any, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        call(hand_made())


def test_parts_of_different_lengths_are_refused() -> None:
    truth = hand_made()
    with pytest.raises(DataError, match="different lengths"):
        Truth(truth.firm, truth.year, truth.starts, truth.effects, {"y": {"cash": np.zeros(3)}})
    with pytest.raises(DataError, match="needs a start"):
        Truth(truth.firm, truth.year, {}, truth.effects)


def test_cannot_be_changed_and_survives_pickling() -> None:
    truth = hand_made()
    with pytest.raises(dataclasses.FrozenInstanceError):
        truth.year = truth.cohort  # type: ignore[misc]
    copied = pickle.loads(pickle.dumps(truth))
    for known in (truth, copied):
        for column in (known.effects["y"], known.parts["y"]["cash"], known.starts["srdi_year"], known.year):
            with pytest.raises(ValueError, match="read-only"):
                column[0] = 1
    assert repr(copied) == repr(truth) == "Truth(outcomes=('y', 'balance'), rows=20, treated=5)"
    for estimand in ("step", "own", "bundle"):
        assert copied.by_event_time("y", "listed_year", estimand) == truth.by_event_time("y", "listed_year", estimand)


@st.composite
def shuffled(draw: st.DrawFn) -> Truth:
    """A truth of an unbalanced panel in any order of rows."""
    firms = draw(st.integers(1, 6))
    rows = [(firm, int(year)) for firm in range(firms) for year in YEARS]
    kept = draw(st.lists(st.sampled_from(rows), min_size=1, unique=True))
    starts = {
        name: draw(st.lists(st.sampled_from([2017, 2018, 2019, 2021, 2022, NEVER]), min_size=firms, max_size=firms))
        for name in ("certified_year", "listed_year")
    }
    numbers = st.lists(st.floats(-1, 1), min_size=len(kept), max_size=len(kept))
    parts = {part: np.array(draw(numbers)) for part in ("certificate", "credit")}
    firm, year = (np.array(column) for column in zip(*kept, strict=True))
    by_row = {name: np.array(years)[firm] for name, years in starts.items()}
    return Truth(firm, year, by_row, {"y": parts["certificate"] + parts["credit"]}, {"y": parts})


@settings(max_examples=200, deadline=None)
@given(
    truth=shuffled(), start=st.sampled_from(["certified_year", "listed_year"]), estimand=st.sampled_from(["step", "own", "bundle"])
)
def test_averages_follow_their_definition(truth: Truth, start: str, estimand: Estimand) -> None:
    total = {(f, y): e for f, y, e in zip(truth.firm, truth.year, truth.effects["y"], strict=True)}
    step = truth.parts["y"]["certificate" if start == "certified_year" else "credit"]
    by_event: dict[int, list[float]] = {}
    by_cohort: dict[int, list[float]] = {}
    for row, (f, y, g) in enumerate(zip(truth.firm, truth.year, truth.starts[start], strict=True)):
        value = {"step": step[row], "own": total[f, y] - total.get((f, g - 1), 0.0), "bundle": total[f, y]}[estimand]
        if g != NEVER and y >= g - 2:
            by_event.setdefault(int(y - g), []).append(value)
        if y >= g:
            by_cohort.setdefault(int(g), []).append(value)
    got = truth.by_event_time("y", start, estimand, leads=(-2, -1))
    assert got == pytest.approx({e: np.mean(values) for e, values in sorted(by_event.items())}, abs=1e-12)
    assert truth.by_cohort("y", start, estimand) == pytest.approx({g: np.mean(v) for g, v in by_cohort.items()}, abs=1e-12)
    for e, values in by_event.items():
        assert truth.average("y", start=start, estimand=estimand, event_time=e) == pytest.approx(np.mean(values), abs=1e-12)


def test_an_estimate_stands_without_a_truth_where_the_simulation_does_not_know_the_gain() -> None:
    """Clinics ask for the step; a simulation without parts knows only the whole effect."""
    policy = load_policies()["clinics"]
    assert policy.treatment.estimand == "step"
    panel, known = simulate_ningbo(seed=1, firms=2500)
    outcome = next(iter(policy.outcomes))
    assert Scale.of(policy, panel, outcome).truth is known
    less = Truth(known.firm, known.year, known.starts, known.effects)
    bare = FirmPanel(panel.frame, data_kind="simulated", source=panel.source, truth=less, parameters=panel.parameters)
    assert Scale.of(policy, bare, outcome).truth is None
