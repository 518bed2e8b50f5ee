"""The comparison checks asked: every policy, the headline recovered, groups against estimators, worlds where they must fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.checks.protocol import CheckResult
from sme_eval.evaluation.asked import Asked
from sme_eval.evaluation.checks_comparison import comparison_checks
from sme_eval.evaluation.comparison_effects import balance
from sme_eval.evaluation.design import Design
from sme_eval.evaluation.entry_rows import entry_rows, landmark_twin
from sme_eval.evaluation.fitting import event_source, fit, sample_of
from sme_eval.intake.jobtraining import load_jobtraining
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.policies.policy import find_policy
from sme_eval.stats.entropy_balancing import with_squares

NUMERIC = ("rd_intensity", "log_employment")
NAMES = ["balance", "overlap", "entropy_balancing", "comparison_groups", "forbidden"]


@cache
def city() -> FirmPanel:
    return sme.simulate_ningbo(seed=1, firms=3000)[0]


def asked(name: str, panel: FirmPanel, outcome: str | None = None, **choices: object) -> Asked:
    policy = find_policy(name)
    policy = replace(policy, checks=replace(policy.checks, baseline=NUMERIC, **choices))  # type: ignore[arg-type]
    design = Design.from_policy(policy, outcome)
    sample = sample_of(design, panel, design.outcome)
    headline = fit(design.estimator, sample)
    shown = event_source(design, headline, sample)
    return Asked(design=design, panel=panel, sample=sample, headline=headline, shown=shown, smallest_effect=0.03)


@cache
def checks(name: str) -> Mapping[str, CheckResult]:
    return {check.name: check for check in comparison_checks(asked(name, city()))}


def rows(check: CheckResult) -> Mapping[str, Mapping[str, object]]:
    assert check.table is not None
    return {row.key: row.values for row in check.table.rows}


@pytest.mark.parametrize("name", ["certification", "credit", "rewards", "bundle"])
def test_every_policy_is_asked_everything(name: str) -> None:
    found = checks(name)
    assert list(found) == NAMES and {check.threat for check in found.values()} == {"comparison"}
    for check in found.values():
        assert all(np.isfinite(value) for value in check.numbers.values())
        assert check.table is not None and len({row.key for row in check.table.rows}) == len(check.table.rows)
        assert all(set(row.values) == set(check.table.columns) for row in check.table.rows)


@pytest.mark.parametrize("outcome", ["log_scrap", "training_hours", "log_sales"])
def test_observed_grants_have_no_covariates_and_two_groups(outcome: str) -> None:
    given = asked("training_grants", load_jobtraining(), outcome)
    policy = replace(given.design.policy, checks=replace(given.design.policy.checks, baseline=("log_sales", "union", "nowhere")))
    found = {check.name: check for check in comparison_checks(replace(given, design=replace(given.design, policy=policy)))}
    assert list(found) == ["balance", "comparison_groups", "forbidden"]
    assert found["balance"].reason == "balance_before_only" and found["balance"].passed is None
    assert list(rows(found["balance"])) == [name for name in ("log_sales", "union") if name != outcome]  # never its own level
    groups = rows(found["comparison_groups"])
    assert groups["never_treated"]["estimate"] == given.headline.overall.estimate
    other = fit(replace(given.design.estimator, comparison="not_yet_treated"), given.sample).overall  # type: ignore[type-var]
    assert groups["not_yet_treated"]["std_error"] == other.std_error


def test_the_status_quo_is_the_headline() -> None:
    given = asked("certification", city())
    status = rows(checks("certification")["comparison_groups"])["status_quo"]
    assert status["estimate"] == pytest.approx(given.headline.overall.estimate, abs=1e-12)
    assert status["std_error"] == pytest.approx(given.headline.overall.std_error, abs=1e-12)
    assert rows(checks("certification")["entropy_balancing"])["headline"]["estimate"] == given.headline.overall.estimate


def test_groups_are_the_headline_on_samples_without_the_other_firms() -> None:
    """A comparison that does not depend on g is the headline's without the other firms."""
    given = asked("certification", city())
    frame = given.panel.frame
    frame = frame.assign(rd_intensity=frame["rd_intensity"] - frame["rd_intensity"].mean())
    for key, kept in (
        ("never_listed", (frame.certified_year > 0) | (frame.listed_year == 0)),
        ("library_year", (frame.certified_year > 0) | (frame.library_year > 0)),
    ):
        sample = sme.Sample.from_frame(
            frame[kept & True], firm="firm", year="year", outcome="log_revenue", cohort="certified_year",
            columns=("rd_intensity", "industry", "district"),
        )  # fmt: skip
        landmark = replace(landmark_twin(given.design.estimator), listed=None)  # type: ignore[type-var]
        covariates, arm = sme.estimators.landmark.read_landmark(landmark, sample, sample.cohort)
        late = sample.cohort > sample.years[-1]
        arm = replace(arm, comparison=lambda g, late=late: late)
        effects = sme.estimators.landmark_arm.arm_effects(arm, sample.outcome[None], sample.years, covariates, (0, 2))
        value, influence = effects.window_mean(0, 2)
        row = rows(checks("certification")["comparison_groups"])[key]
        if key == "library_year":  # firms certified later are members of no library here
            assert row["n_comparison"] == late.sum()
        assert row["estimate"] == pytest.approx(value[0], abs=1e-10)
        assert row["std_error"] == pytest.approx(float(np.sqrt(influence[:, 0] @ influence[:, 0])), abs=1e-10)


def test_conditions_on_the_future_are_marked() -> None:
    groups = rows(checks("certification")["comparison_groups"])
    marked = {key: values["conditions"] for key, values in groups.items()}
    assert marked == {
        "status_quo": "on_the_past",
        "not_yet_treated": "on_the_past",
        "never_treated": "on_the_future",
        "never_listed": "on_the_future",
        "library_year": "on_the_future",
        "srdi_year": "on_the_future",
    }


def test_a_list_that_all_had_joined_before_is_on_the_past() -> None:
    frame = city().frame
    early = np.where((frame.firm % 3 == 0) & (frame.listed_year == 0), 2016, 0)
    panel = FirmPanel(frame.assign(library_year=early), data_kind="observed", source=city().source)
    found = {c.name: c for c in comparison_checks(asked("certification", panel, comparisons=("library_year",)))}
    assert rows(found["comparison_groups"])["library_year"]["conditions"] == "on_the_past"


def test_balancing_gives_every_row_of_the_headline_its_means() -> None:
    given = asked("certification", city())
    found = entry_rows(given.design.estimator, given.sample, given.sample.cohort)  # type: ignore[arg-type]
    assert found is not None and found.odds is not None and found.n_treated == (given.sample.cohort < 2025).sum()
    balancing, variances = balance(found)
    assert balancing.converged and variances
    x = with_squares(found.x, found.treated)
    theirs = balancing.weight[~found.treated] @ x[~found.treated] / balancing.weight.sum()
    np.testing.assert_allclose(theirs, x[found.treated].mean(axis=0), atol=1e-8)
    after = [row["after_entropy"] for row in rows(checks("certification")["balance"]).values() if row["conditioned"]]
    assert max(abs(float(value)) for value in after) < 1e-6  # type: ignore[arg-type]


def test_revenue_s_bundle_of_ways_agrees_and_a_level_beyond_informs() -> None:
    found = checks("certification")
    ways = rows(found["entropy_balancing"])
    assert list(ways) == ["headline", "entropy", "matching", "doubly_robust"]
    error = float(ways["headline"]["std_error"])  # type: ignore[arg-type]
    assert abs(float(ways["entropy"]["estimate"]) - float(ways["headline"]["estimate"])) < error  # type: ignore[arg-type]
    assert float(ways["matching"]["effective_n"]) < float(ways["entropy"]["effective_n"])  # type: ignore[arg-type]
    assert found["overlap"].passed is True
    assert found["balance"].reason == "balance_beyond" and not rows(found["balance"])["log_employment"]["conditioned"]


def test_forbidden_comparisons_weigh_little_with_most_firms_never_treated() -> None:
    found = checks("certification")["forbidden"]
    assert found.reason == "forbidden_small" and found.numbers["share_treated"] > 10.0 * found.numbers["share"]
    weights = [row["share_weight"] for key, row in rows(found).items() if key.startswith("all_")]
    assert sum(float(w) for w in weights) == pytest.approx(1.0, abs=1e-12)  # type: ignore[arg-type]


def test_firms_that_nobody_resembles_fail_overlap_and_balancing() -> None:
    frame = city().frame
    apart = frame.assign(rd_intensity=frame["rd_intensity"] + np.where(frame["certified_year"] > 0, 40.0, 0.0))
    panel = FirmPanel(apart, data_kind="observed", source=city().source)
    policy = find_policy("certification")
    design = Design.from_policy(policy)
    sample = sample_of(design, panel, design.outcome)
    headline = fit(design.estimator, sample)
    given = Asked(design=design, panel=panel, sample=sample, headline=headline, shown=headline, smallest_effect=None)
    found = {check.name: check for check in comparison_checks(given)}
    assert found["overlap"].passed is False and found["overlap"].reason == "overlap_outside"
    assert found["entropy_balancing"].passed is False and found["entropy_balancing"].reason == "entropy_not_balanced"
    assert found["balance"].passed is False and found["balance"].reason == "balance_not_reached"


def test_group_time_designs_with_covariates_are_weighted_too() -> None:
    policy = find_policy("certification")
    estimator = sme.CallawaySantAnna(comparison="not_yet_treated", method="reg")
    design = Design(policy, outcome="log_revenue", estimator=estimator, covariates=("rd_intensity",))
    sample = sample_of(design, city(), design.outcome)
    headline = fit(estimator, sample)
    given = Asked(design=design, panel=city(), sample=sample, headline=headline, shown=headline, smallest_effect=None)
    found = {check.name: check for check in comparison_checks(given)}
    assert list(found) == NAMES
    balance = rows(found["balance"])
    assert next(iter(balance)) == "rd_intensity" and abs(float(str(balance["rd_intensity"]["after"]))) < 0.1
    assert list(rows(found["entropy_balancing"])) == ["headline", "entropy", "matching"]


def test_every_name_that_these_checks_give_has_words() -> None:
    """Names of reasons, columns, rows and words, found as text in the code; columns common to all checks are the pages' own."""
    import ast
    from pathlib import Path

    from sme_eval.briefing.wording import load_wording

    folder = Path(sme.__file__).parent
    files = [folder / "checks" / f"{name}.py" for name in NAMES] + [folder / "evaluation" / "comparison_groups.py"]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    texts = {n.value for t in trees for n in ast.walk(t) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    stems = ("balance_", "overlap_", "entropy_", "groups_", "forbidden_")
    reasons = {text for text in texts if text.startswith(stems) and text not in NAMES}
    own = {"after_entropy", "variance_ratio", "conditioned", "conditions", "note", "effective_n", "share_weight", "n_pairs"}
    keys = {f"check.{name}" for name in NAMES} | {f"reason.{text}" for text in reasons} | {f"column.{text}" for text in own}
    for name in ("certification", "credit", "rewards"):
        for check in checks(name).values():
            assert check.table is not None
            keys |= {f"row.{check.name}.{row.key}" for row in check.table.rows if row.label is None}
            keys |= {f"word.{c}.{row.values[c]}" for row in check.table.rows for c in ("conditions", "note") if c in row.values}
    keys |= {"word.note.not_by_the_year"}
    assert len(reasons) == 20
    for language in ("zh", "en"):
        assert {key for key in keys if not load_wording(language).has(key)} == set()
