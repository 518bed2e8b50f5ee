"""The trend checks as they are asked: on every policy's headline, observed and simulated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.checks.protocol import CheckResult
from sme_eval.evaluation.asked import Asked
from sme_eval.evaluation.checking import GROUPS
from sme_eval.evaluation.checks_trends import average_weight, trends_checks
from sme_eval.evaluation.fitting import event_source, fit, sample_of
from sme_eval.policies.policy import Policy
from sme_eval.policies.rules import EstimatorRule
from sme_eval.results.unavailable import Unavailable

POLICIES = sme.load_policies()
NINGBO = {seed: sme.simulate_ningbo(seed=seed, scenario="baseline")[0] for seed in (1,)}


def asked(policy: Policy, panel: sme.FirmPanel, outcome: str | None = None) -> Asked:
    design = sme.Design.from_policy(policy, outcome)
    sample = sample_of(design, panel, design.outcome)
    headline = fit(design.estimator, sample)
    return Asked(
        design=design,
        panel=panel,
        sample=sample,
        headline=headline,
        shown=event_source(design, headline, sample),
        smallest_effect=policy.outcome(design.outcome).smallest_effect,
    )


def with_headline(name: str, **choices: str) -> Policy:
    return replace(POLICIES["certification"], estimator=EstimatorRule(name=name, choices=choices), alternatives=())


def checks(policy: Policy, panel: sme.FirmPanel, outcome: str | None = None) -> dict[str, CheckResult]:
    return {check.name: check for check in trends_checks(asked(policy, panel, outcome))}


def test_the_group_is_asked() -> None:
    assert "trends" in GROUPS


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        (POLICIES["certification"], ["pretrend_power", "anticipation", "placebo_timing"]),
        (POLICIES["credit"], ["pretrend_power", "anticipation", "placebo_timing"]),
        (POLICIES["bundle"], ["pretrend_power", "placebo_timing"]),
        (POLICIES["rewards"], ["pretrend_power"]),
        (with_headline("CallawaySantAnna"), ["pretrend_power", "anticipation", "placebo_timing"]),
        (with_headline("TwoWayFixedEffects"), ["pretrend_power", "placebo_timing"]),
        (with_headline("BeforeAfter"), []),
    ],
    ids=lambda value: value.estimator.name if isinstance(value, Policy) else "",
)
def test_every_headline_is_coped_with(policy: Policy, names: list[str]) -> None:
    found = checks(policy, NINGBO[1])
    assert list(found) == names
    for check in found.values():
        assert check.threat == "trends"
        assert all(np.isfinite(value) for value in check.numbers.values())
        if check.table is not None:
            assert all(set(row.values) == set(check.table.columns) for row in check.table.rows)


@pytest.mark.parametrize("outcome", list(POLICIES["training_grants"].outcomes))
def test_three_observed_years(outcome: str) -> None:
    found = checks(POLICIES["training_grants"], sme.open_source("jobtraining"), outcome)
    assert found["placebo_timing"].passed is None and found["placebo_timing"].reason == "placebo_timing_impossible"
    rows = {row.key: row for row in found["anticipation"].table.rows}  # type: ignore[union-attr]
    assert isinstance(rows["anticipation_2"].values["estimate"], Unavailable)
    assert "slope_high" in found["pretrend_power"].numbers


@pytest.mark.parametrize("comparison", ["never_treated", "not_yet_treated"])
def test_firm_years_weigh_event_times_into_the_average(comparison: str) -> None:
    found = asked(with_headline("CallawaySantAnna", comparison=comparison), NINGBO[1])
    effects = found.shown.by_event_time
    assert effects is not None
    weight = average_weight(found.shown, effects)
    assert weight.sum() == pytest.approx(1.0)
    assert weight @ np.nan_to_num(effects.estimate) == pytest.approx(float(found.headline.overall.estimate), abs=1e-9)


def test_a_landmark_average_is_the_plain_mean() -> None:
    found = asked(POLICIES["certification"], NINGBO[1])
    effects = found.shown.by_event_time
    assert effects is not None
    weight = average_weight(found.shown, effects)
    assert weight @ effects.estimate == pytest.approx(float(found.headline.overall.estimate), abs=1e-12)
    assert weight @ effects.covariance @ weight == pytest.approx(float(found.headline.overall.std_error) ** 2, rel=1e-9)


def test_a_group_time_placebo_by_hand() -> None:
    """One cohort, entry pretended two years early: its last two years before entry against the never treated, from g − 3."""
    panel = NINGBO[1]
    frame = panel.frame[panel.frame.certified_year.isin([0, 2021])]
    policy = with_headline("CallawaySantAnna", comparison="never_treated")
    given = asked(policy, panel)
    sample = sme.Sample.from_frame(frame, firm="firm", year="year", outcome="log_revenue", cohort="certified_year")
    found = list(trends_checks(replace(given, sample=sample)))
    row = next(c for c in found if c.name == "placebo_timing").table.rows[0]  # type: ignore[union-attr]
    wide = frame.pivot(index="firm", columns="year", values="log_revenue")
    treated = frame.groupby("firm").certified_year.first() == 2021
    change = wide[[2019, 2020]].mean(axis=1) - wide[2018]
    assert row.values["estimate"] == pytest.approx(change[treated].mean() - change[~treated].mean(), abs=1e-9)
    assert row.n_firms == int(treated.sum())


def test_selection_on_growth_is_seen_where_nothing_is_conditioned_on() -> None:
    """The bump makes unconditional placebo dates reject; given growth the one that counts is quiet, the others are marked."""
    bare, given = checks(with_headline("CallawaySantAnna"), NINGBO[1]), checks(POLICIES["certification"], NINGBO[1])
    assert bare["placebo_timing"].passed is False
    assert given["placebo_timing"].passed is True and given["placebo_timing"].numbers["dates"] == 1
    rows = {row.key: row for row in given["placebo_timing"].table.rows}  # type: ignore[union-attr]
    assert [rows[f"early_{k}"].values["conditions"] for k in (2, 3, 4)] == ["within_growth_window"] * 2 + ["counted"]
    assert rows["early_2"].values["p_value"] < 1e-3


def test_donuts_are_biased_under_a_true_zero_and_say_so() -> None:
    """Officials choose on growth and the policies do nothing: the headline is near zero, earlier bases are not."""
    seeds = range(6)
    found: dict[str, list[float]] = {}
    for seed in seeds:
        panel, _ = sme.simulate_ningbo(seed=seed, scenario="null")
        for row in checks(POLICIES["certification"], panel)["anticipation"].table.rows:  # type: ignore[union-attr]
            found.setdefault(row.key, []).append(float(row.values["estimate"]))  # type: ignore[arg-type]
            assert (row.values["conditions"] == "as_declared") == (row.key == "headline")
    mean = {key: np.mean(values) for key, values in found.items()}
    error = {key: np.std(values, ddof=1) / np.sqrt(len(values)) for key, values in found.items()}
    assert abs(mean["headline"]) < 4 * error["headline"]
    for key in ("donut", "donut_unconditional", "anticipation_2"):
        assert mean[key] - 3 * error[key] > 0.02, key
