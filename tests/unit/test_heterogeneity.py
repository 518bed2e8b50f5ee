"""Whether effects differ between groups: the test, its table and what it can find; and the groups that a policy's columns make."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from sme_eval.checks.heterogeneity import DETECTABLE, Grouped, check_heterogeneity, interactions, not_asked
from sme_eval.checks.protocol import Row, Value
from sme_eval.estimators.by_group import effects_by_group
from sme_eval.evaluation.asked import Effort, asked_of
from sme_eval.evaluation.checks_heterogeneity import heterogeneity_checks, trait_of
from sme_eval.evaluation.design import Design
from sme_eval.intake import open_source
from sme_eval.policies.policy import find_policy
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.equal_effects import equal_effects
from sme_eval.stats.multiple_testing import benjamini_hochberg
from sme_eval.terms import NEVER


def grouped(value: list[float], covariance: np.ndarray, n_treated: list[int], trait: str) -> Grouped:
    """Groups of one-letter traits, such as "aabb"."""
    return Grouped(
        trait=tuple(trait),
        key=tuple(str(j) for j in range(len(trait))),
        label=tuple((f"组{j}", f"group {j}") for j in range(len(trait))),
        value=np.array(value),
        covariance=covariance,
        n_treated=np.array(n_treated),
        notes=("",) * len(trait),
    )


def cell(row: Row, column: str) -> Value:
    """One value of a row."""
    return dict(row.values)[column]


def simulated(seed: int, effect: float = 0.0, firms: int = 500) -> sme.Sample:
    """Random walks of four years; a third of the firms treated in two cohorts; `effect` on firms with an even number."""
    rng = np.random.default_rng(seed)
    y, cohort = rng.standard_normal((firms, 4)).cumsum(axis=1), np.zeros(firms, dtype=int)
    cohort[: firms // 3] = 2018
    cohort[: firms // 6] = 2017
    years = np.arange(2015, 2019)
    y += effect * ((np.arange(firms) % 2 == 0) & (cohort > 0))[:, None] * (years >= cohort[:, None])
    rows = {"id": np.repeat(np.arange(firms), 4), "year": np.tile(years, firms), "y": y.ravel(), "g": np.repeat(cohort, 4)}
    return sme.Sample.from_frame(pd.DataFrame(rows), firm="id", year="year", outcome="y", cohort="g")


def by_traits(sample: sme.Sample, seed: int, kinds: tuple[int, ...] = (2, 3, 12)) -> Grouped:
    """The even and odd firms, and random traits of so many groups each."""
    rng, n = np.random.default_rng(seed + 10_000), sample.n_firms
    codes = {"even": np.arange(n) % 2, **{f"t{k}": rng.integers(0, k, n) for k in kinds}}
    names = [(name, j) for name, code in codes.items() for j in range(code.max() + 1)]
    found = effects_by_group(sme.CallawaySantAnna(), sample, np.column_stack([codes[name] == j for name, j in names]))
    return Grouped(
        trait=tuple(name for name, _ in names),
        key=tuple(str(j) for _, j in names),
        label=tuple((name, name) for name, _ in names),
        value=found.value,
        covariance=found.covariance,
        n_treated=found.n_treated,
        notes=found.notes,
    )


# --- the test --------------------------------------------------------------------------------------------------------


def test_two_groups_are_compared_by_the_error_of_their_difference() -> None:
    covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
    tests = interactions(grouped([0.3, -0.1], covariance, [10_000, 10_000], "aa"))
    error = np.sqrt(0.04 + 0.09 - 0.02)
    assert tests["a"].detectable == pytest.approx(DETECTABLE * error, rel=1e-3)
    assert tests["a"].p_value == pytest.approx(0.2278, abs=1e-4)  # 2 Φ(−0.4 / 0.3317)
    assert tests["a"].q_value == tests["a"].p_value


def test_every_trait_has_the_test_of_its_own_groups_and_rates_over_all() -> None:
    root = np.random.default_rng(1).standard_normal((7, 7))
    covariance, value = root @ root.T, np.random.default_rng(2).standard_normal(7)
    firms = np.array([12, 20, 30, 15, 15, 40, 41])
    tests = interactions(grouped(list(value), covariance, list(firms), "aaabbcc"))
    for name, here in {"a": [0, 1, 2], "b": [3, 4], "c": [5, 6]}.items():
        alone = equal_effects(value[here], covariance[np.ix_(here, here)], firms[here])
        assert tests[name].p_value == pytest.approx(alone.p_value, rel=1e-10)
        assert tests[name].adjusted >= tests[name].p_value
    rates = benjamini_hochberg(np.array([test.p_value for test in tests.values()]))
    np.testing.assert_allclose([test.q_value for test in tests.values()], rates, rtol=1e-12)


def test_a_trait_that_repeats_another_costs_nothing() -> None:
    """Adjusted over two copies as over one; 999 draws, standard error 0.013."""
    sample = simulated(3)
    once = by_traits(sample, 3, kinds=())
    positions = np.array([0, 1, 0, 1])
    twice = replace(
        once,
        trait=("even", "even", "copy", "copy"),
        key=("0", "1", "0", "1"),
        label=(*once.label, *once.label),
        value=once.value[positions],
        covariance=once.covariance[np.ix_(positions, positions)],
        n_treated=once.n_treated[positions],
        notes=("",) * 4,
    )
    assert interactions(twice)["even"].adjusted == pytest.approx(interactions(once)["even"].adjusted, abs=4 * 0.02)


def test_small_groups_are_shown_but_not_compared_and_single_firms_are_not_shown() -> None:
    found = grouped([0.1, 0.2, 9.0, 0.3], np.diag([0.01, 0.01, 0.01, np.nan]), [30, 20, 9, 1], "aaaa")
    result = check_heterogeneity(found)
    assert result.table is not None and result.reason == "heterogeneity_none"
    small, single = result.table.rows[2], result.table.rows[3]
    assert cell(small, "estimate") == 9.0 and small.n_firms == 9
    assert cell(single, "estimate") == Unavailable("fewer than two treated firms") and single.n_firms == 1
    pair = grouped([0.1, 0.2], np.diag([0.01, 0.01]), [30, 20], "aa")
    assert result.numbers["p_value"] == check_heterogeneity(pair).numbers["p_value"]


def test_nothing_to_compare_is_said() -> None:
    result = check_heterogeneity(grouped([0.1, 0.2, np.nan], np.diag([0.01, 0.01, 0.0]), [30, 9, 20], "aab"))
    assert (result.passed, result.reason, result.figure, dict(result.numbers)) == (None, "heterogeneity_untestable", None, {})
    assert result.table is not None
    assert cell(result.table.rows[0], "p_interaction") == Unavailable("fewer than two groups with ten treated firms")
    assert cell(result.table.rows[2], "estimate") == Unavailable("not estimated")
    assert (not_asked().passed, not_asked().reason) == (None, "heterogeneity_not_asked")


def test_the_table_has_every_column_and_intervals_at_the_headlines_level() -> None:
    found = grouped([0.1, 0.2], np.diag([0.01, 0.04]), [30, 20], "aa")
    result = check_heterogeneity(replace(found, level=0.90))
    assert result.table is not None and result.figure == "intervals"
    for row in result.table.rows:
        assert set(row.values) == set(result.table.columns)
    assert cell(result.table.rows[1], "conf_low") == pytest.approx(0.2 - 1.6448536 * 0.2, abs=1e-7)
    assert result.table.rows[0].key == "a.0" and result.table.rows[0].label == ("组0", "group 0")


def test_a_difference_is_found_and_named() -> None:
    result = check_heterogeneity(by_traits(simulated(5, effect=2.0), 5))
    assert (result.passed, result.reason, result.numbers["n_found"], result.numbers["n_traits"]) == (
        None,
        "heterogeneity_found",
        1,
        4,
    )
    assert result.statistic == result.numbers["p_value"] and result.numbers["p_value"] <= 0.05
    assert 0.0 < result.numbers["detectable_low"] <= result.numbers["detectable_high"]


def test_without_a_difference_findings_are_as_rare_as_asked() -> None:
    """150 panels: shares of 5 % have a standard error of 0.018, that of any finding over four traits too.

    With the chi-squared law in place of Welch's the twelve groups of about 14 firms reject in some 20 %.
    """
    found = [interactions(by_traits(simulated(seed), seed), draws=499, seed=seed) for seed in range(150)]
    for name in ("even", "t3", "t12"):
        assert np.mean([tests[name].p_value <= 0.05 for tests in found]) == pytest.approx(0.05, abs=3 * 0.018)
    assert np.mean([min(t.adjusted for t in tests.values()) <= 0.05 for tests in found]) == pytest.approx(0.05, abs=3 * 0.018)


def test_a_difference_as_large_as_said_is_found_four_times_in_five() -> None:
    """100 panels with a difference of 2.8 standard errors, tested alone: the share found has a standard error of 0.04."""
    error = np.mean([interactions(by_traits(simulated(seed), seed, ()))["even"].detectable for seed in range(10)])
    found = [interactions(by_traits(simulated(100 + seed, effect=float(error)), seed, ()))["even"] for seed in range(100)]
    assert np.mean([test.p_value <= 0.05 for test in found]) == pytest.approx(0.80, abs=3 * 0.04)


# --- where it is asked -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulated_panel() -> sme.FirmPanel:
    return sme.simulate_ningbo(seed=1, firms=2500)[0]


def test_columns_become_groups(simulated_panel: sme.FirmPanel) -> None:
    asked = asked_of(Design.from_policy(find_policy("certification")), simulated_panel, Effort())
    sample = asked.sample
    assert sample.cohort is not None
    firms = simulated_panel.frame.drop_duplicates("firm")
    ownership = trait_of(simulated_panel, sample, "ownership")
    assert ownership is not None and ownership.keys == ("private", "state", "foreign")
    assert ownership.labels[1] == ("所有制类型：国有", "ownership: State-owned")
    np.testing.assert_array_equal(ownership.members[:, 1], (firms["ownership"] == "state").to_numpy())
    flag = trait_of(simulated_panel, sample, "constrained")
    assert flag is not None and [label[1].rsplit(": ")[1] for label in flag.labels] == ["no", "yes"]
    half = trait_of(simulated_panel, sample, "rd_intensity")
    assert half is not None and half.keys == ("low", "high")
    treated = sample.cohort != NEVER
    assert abs(int(half.members[treated, 0].sum()) - int(half.members[treated, 1].sum())) <= 1
    middle = firms["rd_intensity"].to_numpy()[treated]
    np.testing.assert_array_equal(half.members[:, 0], firms["rd_intensity"].to_numpy() <= np.median(middle))
    assert trait_of(simulated_panel, sample, "no_such_column") is None
    assert trait_of(simulated_panel, sample, "city") is None  # one value only


def test_numbers_that_vary_are_split_by_the_first_year(simulated_panel: sme.FirmPanel) -> None:
    asked = asked_of(Design.from_policy(find_policy("certification")), simulated_panel, Effort())
    found = trait_of(simulated_panel, asked.sample, "log_employment")
    first = simulated_panel.frame.query("year == 2015")["log_employment"].to_numpy()
    assert found is not None and asked.sample.cohort is not None
    np.testing.assert_array_equal(found.members[:, 1], first > np.median(first[asked.sample.cohort != NEVER]))


@pytest.mark.parametrize("policy", ["certification", "credit"])
def test_landmark_policies_are_asked_by_every_declared_trait(policy: str, simulated_panel: sme.FirmPanel) -> None:
    design = Design.from_policy(find_policy(policy))
    [result] = heterogeneity_checks(asked_of(design, simulated_panel, Effort(draws=99)))
    assert result.table is not None and result.name == "heterogeneity"
    assert {row.key.split(".")[0] for row in result.table.rows} == set(design.policy.checks.groups)
    assert result.numbers["n_traits"] <= len(design.policy.checks.groups)
    again = next(heterogeneity_checks(asked_of(design, simulated_panel, Effort(draws=99))))
    assert again == result


@pytest.mark.parametrize("policy", ["rewards", "bundle"])
def test_slopes_and_parts_are_no_effects_by_group(policy: str, simulated_panel: sme.FirmPanel) -> None:
    asked = asked_of(Design.from_policy(find_policy(policy)), simulated_panel, Effort())
    assert [result.reason for result in heterogeneity_checks(asked)] == ["heterogeneity_not_asked"]


def test_observed_grants_keep_small_groups_out_of_the_test() -> None:
    panel = open_source("jobtraining")
    [result] = heterogeneity_checks(asked_of(Design.from_policy(find_policy("training_grants")), panel, Effort()))
    assert result.table is not None
    union = [row for row in result.table.rows if row.key.startswith("union.")]
    assert [row.n_firms for row in union] == [20, 9]
    assert all(isinstance(cell(row, "p_interaction"), Unavailable) for row in union)
    assert sum(int(cell(row, "n_treated")) for row in union) == 29  # type: ignore[arg-type]


def test_a_panel_without_the_columns_is_not_asked(simulated_panel: sme.FirmPanel) -> None:
    named = find_policy("certification")
    bare = replace(named, checks=replace(named.checks, groups=("no_such_column",)))
    assert list(heterogeneity_checks(asked_of(Design.from_policy(bare), simulated_panel, Effort()))) == []
