"""Designs, records and the disclosure gate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import sme_eval as sme
from sme_eval.evaluation.disclosure import THRESHOLD, require_released
from sme_eval.evaluation.fitting import fit, leads_of, sample_of
from sme_eval.evaluation.plain import from_plain, to_plain
from sme_eval.evaluation.record import FlowRecord
from sme_eval.results.unavailable import Unavailable


@pytest.fixture(scope="module")
def grants() -> sme.Evaluation:
    return sme.evaluate(sme.Design.from_policy(sme.load_policies()["training_grants"]), sme.open_source("jobtraining"))


@pytest.fixture(scope="module")
def certified() -> sme.Evaluation:
    panel, _ = sme.simulate_ningbo(seed=1, scenario="clean")
    return sme.evaluate(sme.Design.from_policy(sme.load_policies()["certification"]), panel)


def test_published_example_to_the_last_digit(grants: sme.Evaluation) -> None:
    """Wooldridge, Example 14.1."""
    [published] = grants.published
    assert all(row.matches for row in published.rows)
    assert {r.term: (r.estimate, r.std_error) for r in published.rows} == {"grant": (-0.252, 0.151), "grant_1": (-0.422, 0.210)}
    assert (published.n_firms, published.n_observations) == (54, 162)


def test_observed_data_speak_and_simulated_only_demonstrate(grants: sme.Evaluation, certified: sme.Evaluation) -> None:
    assert (grants.data_kind, grants.claim.demonstration) == ("observed", False)
    assert (certified.data_kind, certified.claim.demonstration) == ("simulated", True)
    assert grants.headline.truth is None
    assert certified.headline.covers_truth is not None
    assert grants.slug == "training_grants-log_scrap.observed"
    assert "future_shocks" in certified.claim.caveats


def test_a_hidden_trend_ends_in_cannot_tell() -> None:
    """No covariate removes it; the leads before the growth window show it in about nine panels of ten."""
    design = sme.Design.from_policy(sme.load_policies()["certification"])
    kinds = []
    for seed in range(6):
        panel, _ = sme.simulate_ningbo(seed=seed, scenario="strong_selection")
        kinds.append(sme.evaluate(design, panel, lean=True).claim.kind)
    assert kinds.count("cannot_tell_trends") >= 4
    assert "consistent" not in kinds


def test_record_is_the_record_on_disk(grants: sme.Evaluation, tmp_path: Path) -> None:
    path = grants.write(tmp_path)
    assert path.relative_to(tmp_path).as_posix() == "internal/training_grants-log_scrap.observed/evaluation.json"
    assert sme.Evaluation.read(path) == grants == sme.Evaluation.read(path.parent)
    assert path.read_text(encoding="utf-8") == grants.to_json()
    assert [p.name for p in path.parent.iterdir()] == ["evaluation.json"]


def test_record_of_another_version_or_form_is_refused(grants: sme.Evaluation, tmp_path: Path) -> None:
    plain = json.loads(grants.to_json())
    for change, message in (
        ({"schema_version": 99}, "schema version 99"),
        ({"data_kind": "guessed"}, "not an evaluation record"),
        ({"extra": 1}, "not an evaluation record"),
    ):
        with pytest.raises(sme.DataError, match=message):
            sme.Evaluation.from_json(json.dumps(plain | change))
    with pytest.raises(sme.DataError, match="no JSON"):
        sme.Evaluation.from_json("{")
    with pytest.raises(sme.DataError, match="no evaluation record here"):
        sme.Evaluation.read(tmp_path)


def test_numbers_are_kept_at_twelve_digits_and_reasons_survive() -> None:
    assert to_plain(1 / 3) == 0.333333333333
    assert from_plain(float | Unavailable, to_plain(Unavailable("why"))) == Unavailable("why")
    with pytest.raises(ValueError, match="no NaN"):
        to_plain(float("nan"))


def test_same_design_same_hash_before_the_outcome_is_opened(grants: sme.Evaluation) -> None:
    policy = sme.load_policies()["training_grants"]
    assert sme.Design.from_policy(policy).record().hash == grants.design.hash
    other = sme.Design.from_policy(policy, comparison="not_yet_treated").record()
    assert other.hash != grants.design.hash


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: sme.Design(p, "log_scrapp", sme.CallawaySantAnna()), "did you mean 'log_scrap'"),
        (lambda p: sme.Design(p, "log_scrap", sme.PanelRegression(regressors=("grant",))), "cannot stand in a design"),
        (lambda p: sme.Design(p, "log_scrap", sme.CallawaySantAnna(), comparison="all"), "does not defend the comparison 'all'"),
        (lambda p: sme.Design(p, "log_scrap", sme.CallawaySantAnna(), checks="none"), "checks='none'"),
    ],
)
def test_designs_that_contradict_the_policy(make, message: str) -> None:
    with pytest.raises(sme.DesignError, match=message):
        make(sme.load_policies()["training_grants"])


def test_a_panel_without_the_columns_is_a_data_error() -> None:
    panel, _ = sme.simulate_ningbo(seed=1, firms=2500)
    with pytest.raises(sme.DataError, match="no column 'log_scrap'") as caught:
        sme.evaluate(sme.Design.from_policy(sme.load_policies()["training_grants"]), panel)
    assert len(caught.value.problems) == 2


def test_gate_withholds_small_cells_and_their_complements(certified: sme.Evaluation) -> None:
    """The first batch has 5 firms; a total would give its effect back, so the next smallest batch goes too."""
    released = sme.release(certified)
    cohorts = {c.cohort: c for c in released.cohort_map.cohorts}
    assert [c for c, r in cohorts.items() if isinstance(r.estimate, Unavailable)] == [2019, 2020]
    assert cohorts[2019].n_firms == 5, "the bureau published this count itself"
    hidden = [r.event_time for r in released.event_study.rows if isinstance(r.estimate, Unavailable)]
    assert hidden == [], "every event time of the window is seen for enough firms"
    assert {w.rule for w in released.withheld} == {"threshold", "complementary"}
    assert released.headline == certified.headline
    require_released(released)
    require_released(sme.Evaluation.from_json(released.to_json()))


def test_released_text_holds_no_withheld_number(certified: sme.Evaluation) -> None:
    text = sme.release(certified).to_json()
    for cohort in certified.cohort_map.cohorts[:2]:
        for value in (cohort.estimate, cohort.std_error, cohort.conf_low):
            assert repr(value) not in text


def test_unpublished_small_counts_are_withheld(certified: sme.Evaluation) -> None:
    secret = replace(certified, policy=replace(certified.policy, published_counts=()))
    released = sme.release(secret)
    assert isinstance(released.cohort_map.cohorts[0].n_firms, Unavailable)
    sizes = next(check for check in released.checks if check.name == "cohort_sizes")
    assert isinstance(sizes.numbers["smallest"], Unavailable)


def test_few_treated_firms_withhold_the_headline(grants: sme.Evaluation) -> None:
    few = replace(grants, headline=replace(grants.headline, n_treated=THRESHOLD - 1))
    released = sme.release(few)
    assert isinstance(released.headline.estimate, Unavailable)
    assert isinstance(released.headline.percent.estimate, Unavailable)
    assert isinstance(released.headline.n_treated, Unavailable)


def test_small_steps_of_the_flow_are_told_together(grants: sme.Evaluation) -> None:
    steps = [(157, 471, 0, 0), (154, 462, 3, 9), (100, 300, 54, 162), (99, 297, 1, 3)]
    flow = tuple(
        FlowRecord(rule=f"r{n}", firms=f, rows=r, dropped_firms=df, dropped_rows=dr) for n, (f, r, df, dr) in enumerate(steps)
    )
    released = sme.release(replace(grants, sample_flow=flow))
    dropped = [step.dropped_firms for step in released.sample_flow]
    assert all(d == 0 or d >= THRESHOLD for d in dropped)
    assert released.sample_flow[-1].firms == 99


def test_an_internal_record_cannot_pass_for_a_released_one(certified: sme.Evaluation) -> None:
    with pytest.raises(sme.DisclosureError) as caught:
        require_released(replace(certified, audience="release"))
    assert caught.value.exit_code == 15


def test_companions_pass_the_gate_too(certified: sme.Evaluation) -> None:
    both = sme.release(certified.beside(certified))
    assert both.companions[0].audience == "release"
    assert both.companions[0].withheld
    require_released(both)


def test_repetition_shows_bias_and_coverage() -> None:
    """Known truth: given past growth no bias within 3 Monte Carlo errors; without, or with a hidden trend, a clear one."""
    design = sme.Design.from_policy(sme.load_policies()["certification"])
    found = {}
    for scenario in ("baseline", "strong_selection"):
        panel, _ = sme.simulate_ningbo(seed=1, scenario=scenario)
        found[scenario] = sme.repeat(sme.evaluate(design, panel, lean=True), design, panels=40).repetitions
    given_growth, robust, bare = found["baseline"][:3]
    assert abs(given_growth.bias) < 3 * given_growth.bias_error
    assert abs(robust.bias) < 3 * robust.bias_error
    assert bare.bias < -3 * bare.bias_error
    hidden = found["strong_selection"][0]
    assert hidden.bias > 3 * hidden.bias_error
    assert hidden.claims["cannot_tell_trends"] > 0.75
    panel, _ = sme.simulate_ningbo(seed=1)
    with pytest.raises(sme.ParameterError, match="too few"):
        sme.repeat(sme.evaluate(design, panel, lean=True), design, panels=3)


def test_observed_data_cannot_be_drawn_again(grants: sme.Evaluation) -> None:
    design = sme.Design.from_policy(sme.load_policies()["training_grants"])
    with pytest.raises(sme.ParameterError, match="cannot be drawn again"):
        sme.repeat(grants, design, panels=50)


def test_the_staggered_core_can_stand_in_a_design(tmp_path: Path) -> None:
    policy = sme.load_policies()["training_grants"]
    others = (sme.SunAbraham(), sme.TwoStageDiD(), sme.StackedDiD(window=(-1, 1)))
    design = sme.Design(policy, outcome="log_scrap", estimator=sme.ImputationDiD(), alternatives=others)
    found = sme.evaluate(design, sme.open_source(policy.source))
    assert found.headline.estimand == "treated_firm_years"
    assert [one.estimand for one in found.alternatives] == ["treated_firm_years", "treated_firm_years", "regression_weighted"]
    assert found.headline.estimate == found.alternatives[1].estimate  # two-stage and imputation differ in their errors only
    for language, name in {"zh": "堆叠双重差分", "en": "Stacked difference-in-differences"}.items():
        written = {path.suffix: path for path in sme.render_briefing(found, language=language).write(tmp_path)}
        assert name in written[".html"].read_text(encoding="utf-8")


def test_leads_of_a_two_stage_design_never_speak_to_trends() -> None:
    policy = sme.load_policies()["training_grants"]
    sample = sample_of(sme.Design.from_policy(policy), sme.open_source(policy.source), "log_scrap")
    assert not leads_of(fit(sme.TwoStageDiD(), sample)).any()
    assert leads_of(fit(sme.ImputationDiD(), sample)).any()
