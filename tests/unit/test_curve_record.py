"""The curve of a policy: what is declared and refused, what the record holds, what the gate takes out, what the page says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sme_eval as sme
from sme_eval.briefing.compose import compose, speaker_of
from sme_eval.briefing.document import Heading, plain
from sme_eval.briefing.figures import draw_figures
from sme_eval.errors import DesignError
from sme_eval.estimators.specification_curve import CurveData, SpecificationEffect
from sme_eval.evaluation.asked import Effort
from sme_eval.evaluation.curve import curve_record
from sme_eval.evaluation.curve_data import relative, scaled
from sme_eval.evaluation.curve_design import Rules, is_headline, offered, specifications
from sme_eval.evaluation.design import Design
from sme_eval.evaluation.disclosure import WITHHELD, release
from sme_eval.evaluation.evaluate import evaluate
from sme_eval.evaluation.fitting import sample_of
from sme_eval.evaluation.record import Evaluation
from sme_eval.evaluation.record_curve import CurveRecord
from sme_eval.policies.policy import find_policy, load_policies
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import LANGUAGES

EXACT = 1e-10
GONE = Unavailable(WITHHELD)


@pytest.fixture(scope="module")
def observed() -> Evaluation:
    policy = find_policy("training_grants")
    return evaluate(Design.from_policy(policy, "log_sales"), sme.open_source(policy.source), effort=Effort(draws=199))


def curve_of(evaluation: Evaluation) -> CurveRecord:
    assert evaluation.curve is not None
    return evaluation.curve


# --- what is declared ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fewest", "most"), [("certification", 500, 1000), ("credit", 150, 300), ("training_grants", 24, 60)]
)
def test_policies_declare_enough_and_the_first_is_the_design(name: str, fewest: int, most: int) -> None:
    policy = find_policy(name)
    assert policy.curve is not None
    design = Design.from_policy(policy)
    made = specifications(policy.curve, design)
    defended = [one for one in made if one.contrast is None]
    assert fewest <= len(defended) <= most
    assert [n for n, one in enumerate(made) if is_headline(one, design)] == [0]
    assert len({one.places for one in defended}) == len(defended)


def test_combinations_ruled_out_are_not_made() -> None:
    policy = find_policy("certification")
    assert policy.curve is not None
    rule = policy.curve
    names = [d.name for d in rule.dimensions]
    for one in specifications(rule, Design.from_policy(policy)):
        chosen = {n: None if c is None else d.options[c].name for n, d, c in zip(names, rule.dimensions, one.places, strict=True)}
        assert not any(all(chosen[k] == v for k, v in pairs.items()) for pairs in rule.excluded)


def test_contrasts_condition_on_no_two_years_of_growth() -> None:
    policy = find_policy("certification")
    assert policy.curve is not None
    made = specifications(policy.curve, Design.from_policy(policy))
    spans = {getattr(one.estimator, "past_growth", None) for one in made if one.contrast is not None}
    assert spans == {None, (-2, -1)}
    assert all(getattr(one.estimator, "past_growth", None) in ((-3, -1), (-4, -1)) for one in made if one.contrast is None)


def written(folder: Path, change: tuple[str, str]) -> Path:
    text = (Path(__file__).parents[2] / "data" / "policies" / "training_grants.toml").read_text(encoding="utf-8")
    assert change[0] in text
    (folder / "training_grants.toml").write_text(text.replace(*change), encoding="utf-8")
    return folder


def test_a_curve_of_one_substantive_choice_is_refused(tmp_path: Path) -> None:
    start = (Path(__file__).parents[2] / "data" / "policies" / "training_grants.toml").read_text(encoding="utf-8")
    dimensions = start[start.index("[[curve.dimensions]]") :]
    one = dimensions[: dimensions.index("[[curve.dimensions]]", 5)]
    with pytest.raises(DesignError, match="varies 1 substantive choices; at least 2 are needed"):
        load_policies(written(tmp_path, (dimensions, one)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('name = "outliers"\nkind = "scale"', 'name = "outliers"'), "'outliers' is no kind of choice"),
        (("[curve]\n", '[curve]\nshape = "round"\n'), "shape"),
        (('name = "balanced"\nlabel', 'name = "pairs"\nlabel'), "two of one name"),
    ],
)
def test_mistakes_in_the_table_are_named(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(DesignError, match=said):
        load_policies(written(tmp_path, change))


def test_an_unknown_choice_is_refused(tmp_path: Path) -> None:
    policy = load_policies(written(tmp_path, ("winsorise = 0.05", "winsorize = 0.05")))["training_grants"]
    assert policy.curve is not None
    with pytest.raises(DesignError, match="unknown choice 'winsorize'"):
        specifications(policy.curve, Design.from_policy(policy))


def test_options_whose_columns_the_panel_lacks_are_left_out() -> None:
    policy = find_policy("certification")
    assert policy.curve is not None
    columns = ("log_revenue", "rd_intensity", "industry", "district", "listed_year", "certified_year", "log_employment")
    rule = offered(policy.curve, columns)
    assert rule is not None
    counts = {d.name: len(d.options) for d in rule.dimensions}
    assert counts["dating"] == 1 and counts["covariates"] == 3
    assert offered(policy.curve, ("log_revenue",)) is None


# --- what is estimated -----------------------------------------------------------------------------------------------


def test_the_headline_is_among_its_own_curve(observed: Evaluation) -> None:
    curve = curve_of(observed)
    assert curve.headline == 0
    own = curve.specifications[0]
    assert own.estimate == pytest.approx(observed.headline.estimate, abs=EXACT)
    assert own.std_error == pytest.approx(observed.headline.std_error, abs=EXACT)
    assert (own.n_firms, own.n_treated) == (observed.headline.n_firms, observed.headline.n_treated)


def test_a_landmark_curve_keeps_contrasts_apart() -> None:
    """A small curve of certification: contrasts come last, are hollow, and enter no number of the curve."""
    policy = find_policy("certification")
    assert policy.curve is not None
    kept = {"growth": 2, "window": 2, "dating": 2}
    dimensions = tuple(replace(d, options=d.options[: kept.get(d.name, 1)]) for d in policy.curve.dimensions)
    small = replace(policy, curve=replace(policy.curve, dimensions=dimensions, excluded=()))
    design, panel = Design.from_policy(small), sme.simulate_ningbo(seed=2, firms=2500)[0]
    headline = evaluate(design, panel, lean=True).headline
    heard: list[str] = []
    curve = curve_record(design, panel, headline, Effort(draws=99), heard.append)
    assert curve is not None and heard[-1] == "curve 6/6"
    assert (curve.n_defended, curve.n_contrasts, curve.truth) == (8, 4, headline.truth)
    assert [one.contrast for one in curve.specifications] == [None] * 8 + [0, 0, 1, 1]
    assert curve.specifications[8].choices[1] is None and curve.specifications[8].choices[4] == 0
    own, bare = curve.specifications[0], curve.specifications[8]
    assert own.estimate == pytest.approx(headline.estimate, abs=EXACT) and own.std_error == pytest.approx(
        headline.std_error, abs=EXACT
    )
    assert float(bare.estimate) < float(curve.lowest)  # after fast growth firms fall back
    assert {d.name for d in curve.dimensions if float(d.share) < EXACT} == {d.name for d in curve.dimensions} - set(kept)


def test_the_record_counts_what_it_holds(observed: Evaluation) -> None:
    curve = curve_of(observed)
    estimates = np.array([float(one.estimate) for one in curve.specifications if one.contrast is None])
    assert len(estimates) == curve.n_defended and len(curve.specifications) == curve.n_defended + curve.n_contrasts
    assert curve.lowest == pytest.approx(estimates.min()) and curve.highest == pytest.approx(estimates.max())
    assert curve.median == pytest.approx(np.median(estimates)) and curve.share_positive == pytest.approx((estimates > 0).mean())
    assert curve.n_defended + curve.n_repeated + curve.n_missing == 54
    assert len({(one.estimate, one.std_error) for one in curve.specifications}) == len(curve.specifications)


def test_the_record_reads_back_and_repeats_itself(observed: Evaluation) -> None:
    assert Evaluation.from_json(observed.to_json()) == observed
    policy = find_policy("training_grants")
    again = evaluate(Design.from_policy(policy, "log_sales"), sme.open_source(policy.source), effort=Effort(draws=199))
    assert again.curve == observed.curve


def test_who_asks_for_no_curve_gets_none() -> None:
    policy = find_policy("training_grants")
    panel = sme.open_source(policy.source)
    assert evaluate(Design.from_policy(policy, "log_sales"), panel, lean=True).curve is None
    assert evaluate(Design.from_policy(policy, "log_sales"), panel, curve=False).curve is None
    assert evaluate(Design.from_policy(policy, "training_hours"), panel).curve is None


def test_scales_are_those_of_the_level() -> None:
    level = np.array([[1.0, 2.0], [4.0, np.nan], [0.5, 3.0]])
    for declared, outcome in (("log", np.log(level)), ("level", level)):
        assert np.allclose(scaled(outcome, declared, Rules(scale="level")), level, equal_nan=True)  # type: ignore[arg-type]
        assert np.allclose(scaled(outcome, declared, Rules(scale="ihs")), np.arcsinh(level), equal_nan=True)  # type: ignore[arg-type]
    clipped = scaled(level, "level", Rules(winsorise=0.25))
    assert clipped[:, 0] == pytest.approx([1.0, 2.5, 0.75]) and np.isnan(clipped[1, 1])


def test_effects_on_levels_are_relative_to_the_mean_before() -> None:
    """The ratio and its delta-method influence by hand, and the same in any unit."""
    policy = find_policy("training_grants")
    sample = sample_of(Design.from_policy(policy), sme.open_source(policy.source), "log_sales")
    assert sample.cohort is not None
    rng, rules = np.random.default_rng(1), Rules(scale="level", cohort="first_grant")
    treated = (sample.cohort < 2000) & (rng.random(sample.n_firms) < 0.7)
    answer = SpecificationEffect(estimate=3.0, influence=rng.standard_normal(sample.n_firms), treated=treated)
    found = []
    for unit in (1.0, 1000.0):
        data = CurveData(
            sample=sample,
            cohorts={"first_grant": sample.cohort},
            outcomes={rules.outcome: unit * np.exp(sample.outcome)},
            firms={},
        )
        scaled_answer = replace(answer, estimate=unit * answer.estimate, influence=unit * answer.influence)
        made = relative(data, rules, scaled_answer)
        assert isinstance(made, SpecificationEffect)
        found.append(made)
    base = np.exp(sample.outcome)[np.arange(sample.n_firms), np.clip(sample.cohort - 1 - sample.years[0], 0, 2)]
    known = treated & np.isfinite(base)
    mean = base[known].mean()
    own = np.where(known, base - mean, 0.0) / known.sum()
    assert found[0].estimate == pytest.approx(3.0 / mean)
    assert np.allclose(found[0].influence, answer.influence / mean - 3.0 / mean**2 * own, rtol=1e-10, atol=0.0)
    assert found[1].estimate == pytest.approx(found[0].estimate) and np.allclose(found[1].influence, found[0].influence)


# --- what is said ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_the_curve_in_both_languages(observed: Evaluation, language: str) -> None:
    own = curve_of(observed)
    few = replace(own, specifications=tuple(replace(one, n_treated=4) for one in own.specifications))
    for record in (observed, release(replace(observed, curve=few))):
        document = compose(record, language)  # type: ignore[arg-type]
        anchors = [block.anchor for block in document.blocks if isinstance(block, Heading)]
        assert "specification-curve" in anchors
    text = "".join(plain(block.content) for block in document.blocks if isinstance(block, Heading))
    assert text


def test_the_figure_is_drawn(observed: Evaluation) -> None:
    figures = draw_figures(observed, speaker_of(observed, "en"))
    assert figures["curve"].startswith(b"\x89PNG")
    bare = replace(observed, curve=None)
    assert "curve" not in draw_figures(bare, speaker_of(bare, "en"))


def test_notebooks_show_the_curve_or_say_that_there_is_none(observed: Evaluation) -> None:
    table = sme.curve_table(observed)
    assert table.loc["defended specifications", "value"] == curve_of(observed).n_defended
    assert "specification" not in str(sme.plot_curve(observed))
    bare = replace(observed, curve=None)
    assert sme.plot_curve(bare) == sme.curve_table(bare).loc[0, "note"]
    assert sme.plot_check(observed, "trends") == "the check 'trends' has no drawing here"
    assert len(sme.checks_table(observed)) == len(observed.checks)
    assert "not asked" in str(sme.check_table(observed, "nothing").loc[0, "note"])
    assert sme.for_question(observed, "robustness").slug == "training_grants-log_sales-robustness.observed"
