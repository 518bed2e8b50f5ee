"""The tables of `simulations/`: running, stopping and going on; stamps; and what the committed results must show."""

from __future__ import annotations

import lzma
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy import stats

from simulations import confirm, run, stamps
from simulations.compare import compare, read_earlier, read_reasons
from simulations.designs import Row, rows
from simulations.stamps import Stamp, files_behind, without_words, world_digest
from simulations.storage import read_rows, read_stamp, restamp, result_file, seeds_done, stamp_file, start
from simulations.summaries import SUMMARIES, Measured, measured
from simulations.tables import TARGET, upper_end, write_results
from simulations.trend_summaries import CHANCE, Judged, judged
from simulations.worlds import DEGENERATE, TABLES, WORLDS, Drawn, World, seeds
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.panel.sample import Sample
from sme_eval.policies.policy import load_policies
from sme_eval.simulate.ningbo import simulate_ningbo

EVERYWHERE = [(table, world) for table, worlds in TABLES.items() for world in worlds]
FEW = 3
MOST_BY_CHANCE = 4.5
"""Monte Carlo errors beyond which none of some hundred numbers lies by chance."""
SIZE_LIMIT, TOTAL_LIMIT = 200_000, 2_000_000
MOST_FALSE = 0.08
"""Upper end of the exact interval of false “consistent” claims at Ningbo's size."""


def world_of(table: str, name: str) -> World:
    return next(world for world in WORLDS[table] if world.name == name)


class Here:
    """A pool of no processes; `stop` panels on it is killed."""

    def __init__(self, stop: int | None = None) -> None:
        self.stop = stop

    def map(self, function: Callable[..., list[Row]], *arguments: Iterable[Any], chunksize: int = 1) -> Iterator[list[Row]]:
        for number, given in enumerate(zip(*arguments, strict=True)):
            if number == self.stop:
                raise KeyboardInterrupt
            yield function(*given)


def run_here(table: str, world: Drawn, wanted: int, folder: Path, stop: int | None = None) -> None:
    run.run_world(table, world, seeds(world, wanted), Here(stop), folder)  # type: ignore[arg-type]


def begin(table: str, world: Drawn, folder: Path) -> None:
    start(table, world, Stamp(files={}, world=world_digest(world)), folder)


# --- running ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [table for table in WORLDS if table not in ("separability", "district_tests")])
def test_a_small_run_gives_a_row_per_panel_and_numbers_of_every_metric(table: str, tmp_path: Path) -> None:
    world = WORLDS[table][0]
    begin(table, world, tmp_path)
    run_here(table, world, FEW, tmp_path)
    found = read_rows(table, world, tmp_path)
    assert found["seed"].unique().tolist() == [world.first_seed + n for n in range(FEW)]
    # One row per panel, or per panel and outcome.
    assert len(found) == FEW if "outcome" not in found else not found.duplicated(["seed", "instrument", "outcome"]).any()
    # A claim that bounds nothing has no bound, a check that only informs no verdict, and some have no statistic.
    assert not found.isna().all().any() or table in ("claims", "checks")
    numbers = list(SUMMARIES[table](world, found))
    assert numbers and all(math.isfinite(one.value) and one.error >= 0.0 for one in numbers)
    assert len({one.key for one in numbers}) == len(numbers)


def test_draws_of_district_effects_come_for_every_layout(tmp_path: Path) -> None:
    from simulations.designs.district_tests import DRAWS, LAYOUTS

    world = WORLDS["district_tests"][0]
    begin("district_tests", world, tmp_path)
    run_here("district_tests", world, 1, tmp_path)
    found = read_rows("district_tests", world, tmp_path)
    assert found.groupby("layout").size().to_dict() == dict.fromkeys(LAYOUTS, DRAWS)


def test_a_number_is_that_of_a_users_own_fit() -> None:
    world = world_of("certification", "baseline")
    (row,) = rows("certification", world, world.first_seed)
    panel, truth = simulate_ningbo(world.first_seed, "baseline")
    columns = ("rd_intensity", "listed_year")
    sample = Sample.from_frame(
        panel.frame, firm="firm", year="year", outcome="log_revenue", cohort="certified_year", columns=columns
    )
    own = LandmarkDiD(covariates=("rd_intensity",), listed="listed_year").fit(sample)
    assert row["landmark estimate"] == pytest.approx(float(own.overall.estimate), rel=1e-10)
    assert row["own log_revenue"] == truth.average("log_revenue", estimand="own", event_time=(0, 2))


def test_a_killed_run_goes_on_and_ends_with_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK", 2)
    world = world_of("rewards", "baseline")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        begin("rewards", world, folder)
    run_here("rewards", world, 5, whole)
    with pytest.raises(KeyboardInterrupt):
        run_here("rewards", world, 5, killed, stop=3)
    assert seeds_done(read_rows("rewards", world, killed)) == 2  # the third panel was not yet written
    run_here("rewards", world, 5, killed)
    assert result_file("rewards", world, killed).read_bytes() == result_file("rewards", world, whole).read_bytes()
    run_here("rewards", world, 5, killed, stop=0)  # nothing is left to do


# --- stamps ----------------------------------------------------------------------------------------------------------


def test_stamp_names_the_estimation_path_and_nothing_that_only_shows() -> None:
    files = files_behind("rewards", WORLDS["rewards"][0])
    wanted = {"estimators/district_dose", "stats/few_clusters", "simulate/selection", "moments/moments", "panel/truth"}
    assert {f"sme_eval/{name}.py" for name in wanted} <= set(files)
    assert {"data/policies/rewards.toml", "simulations/designs/rewards.py"} <= set(files)
    assert not [name for name in files if name.startswith(("sme_eval/briefing", "sme_eval/runs")) or ("credit.py" in Path(name).name
                and "designs" in name)]  # fmt: skip
    assert not {"sme_eval/__init__.py", "sme_eval/evaluation/record.py"} & set(files)
    assert all(files.values())


def test_words_do_not_make_stale_and_code_does() -> None:
    code = '"""What it does."""\n\nX = 1  # why\n\n\ndef f() -> int:\n    """Give x."""\n    return X\n'
    reworded = '"""What it does, in other words,\non two lines."""\nX = 1\ndef f() -> int:\n    """Give."""\n\n    return X  # x\n'
    assert without_words(code) == without_words(reworded)
    assert without_words(code) != without_words(code.replace("X = 1", "X = 2"))
    assert without_words('X = "# no comment"\n') == 'X = "# no comment"'


def test_changed_code_or_world_makes_stale_and_the_next_run_starts_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = tmp_path / "estimator.py"
    code.write_text("X = 1\n", encoding="utf-8")
    monkeypatch.setattr(stamps, "ROOT", tmp_path)
    world = world_of("rewards", "baseline")
    stamp = Stamp(files={"estimator.py": stamps._file_digest(code)}, world=world_digest(world))
    start("rewards", world, stamp, tmp_path)
    assert read_stamp("rewards", world, tmp_path) == stamp
    assert stamp.changes(world) == ()
    assert stamp.changes(replace(world, panels=world.panels + 1)) == ()
    assert stamp.changes(replace(world, first_seed=1)) == ("the world's parameters",)
    code.write_text("X = 2\n", encoding="utf-8")
    assert stamp.changes(world) == ("estimator.py",)
    monkeypatch.setattr(run, "TABLES", {"rewards": (world,)})
    monkeypatch.setattr(run, "files_behind", lambda table, world: {"estimator.py": stamps._file_digest(code)})
    monkeypatch.setattr(run, "ProcessPoolExecutor", lambda *_, **__: _InProcess())
    run.run_table("rewards", panels=2, folder=tmp_path)
    assert "rewards/baseline is stale: estimator.py" in capsys.readouterr().err
    assert seeds_done(read_rows("rewards", world, tmp_path)) == 2
    before = result_file("rewards", world, tmp_path).stat().st_mtime_ns
    run.run_table("rewards", panels=2, folder=tmp_path)
    assert result_file("rewards", world, tmp_path).stat().st_mtime_ns == before


def test_stale_results_stand_only_if_the_panels_drawn_again_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "files_behind", lambda table, world: {})
    world = replace(world_of("rewards", "baseline"), panels=3)
    begin("rewards", world, tmp_path)
    run_here("rewards", world, 3, tmp_path)

    def stale() -> None:
        stamp = Stamp(files={"sme_eval/terms.py": "other"}, world=world_digest(world))
        restamp("rewards", world, stamp, tmp_path)

    stale()
    assert confirm.confirm_world("rewards", world, 2, Here(), {}, tmp_path) is True  # type: ignore[arg-type]
    assert read_stamp("rewards", world, tmp_path) == Stamp(files={}, world=world_digest(world), confirmed=2)
    assert confirm.confirm_world("rewards", world, 2, Here(), {}, tmp_path) is None  # type: ignore[arg-type]
    stale()
    path = result_file("rewards", world, tmp_path)
    path.write_bytes(lzma.compress(lzma.decompress(path.read_bytes()).replace(b"410000,", b"410000,9", 1)))
    assert confirm.confirm_world("rewards", world, 3, Here(), {}, tmp_path) is False  # type: ignore[arg-type]
    stamp = read_stamp("rewards", world, tmp_path)
    assert stamp is not None and stamp.changes(world) == ("sme_eval/terms.py",)


class _InProcess(Here):
    def __enter__(self) -> _InProcess:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def shutdown(self, wait: bool, cancel_futures: bool) -> None:
        assert cancel_futures and not wait


# --- committed results -----------------------------------------------------------------------------------------------


def test_stale_results_are_named() -> None:
    stale = []
    for table, world in EVERYWHERE:
        stamp = read_stamp(table, world)
        assert stamp is not None, f"{table}/{world.name} was never measured: make simulations"
        if stamp.changes(world):
            stale.append(f"{table}/{world.name}")
    if stale:
        warnings.warn(f"stale simulated results (make simulations measures them anew): {', '.join(stale)}", stacklevel=1)


def test_every_panel_is_there_and_files_are_small() -> None:
    sizes = []
    for table, world in EVERYWHERE:
        found = read_rows(table, world)
        assert seeds_done(found) * world.batch == world.panels, f"{table}/{world.name}"
        assert found["seed"].unique().tolist() == list(seeds(world))
        sizes += [path(table, world).stat().st_size for path in (result_file, stamp_file)]
    assert max(sizes) < SIZE_LIMIT and sum(sizes) < TOTAL_LIMIT


@pytest.fixture(scope="module")
def numbers() -> dict[tuple[str, str, str, str], Measured]:
    return {one.key: one for one in measured()}


def test_page_is_made_of_the_results(tmp_path: Path) -> None:
    write_results(tmp_path / "RESULTS.md")
    assert (tmp_path / "RESULTS.md").read_text(encoding="utf-8") == TARGET.read_text(encoding="utf-8")


def test_every_difference_from_the_earlier_measurement_has_a_reason(numbers: dict[tuple[str, str, str, str], Measured]) -> None:
    earlier = read_earlier()
    assert set(earlier) <= set(numbers)
    compared = compare(list(numbers.values()), earlier, read_reasons()[0])
    assert [one.now.key for one in compared if one.far and not one.reasons] == []


@pytest.fixture(scope="module")
def estimators() -> dict[tuple[str, str], Judged]:
    return {(one.world, one.row): one for one in judged()}


def test_estimators_do_what_they_claim_where_trends_are_parallel(estimators: dict[tuple[str, str], Judged]) -> None:
    """What is far has a reason, which no bias can have, or is as rare as chance has it, and never very far."""
    reasons = [reason for reason in read_reasons()[0] if reason.table == "estimators"]
    assert all(reason.metrics == ("coverage",) for reason in reasons)
    asked = [comparison for one in estimators.values() for comparison in one.comparisons()]
    assert len(asked) > 500
    bare = [one for one in asked if one.beyond and not any(reason.applies(one.number) for reason in reasons)]
    assert len(bare) <= stats.poisson.ppf(0.999, CHANCE * len(asked))
    assert all(abs(one.distance) < MOST_BY_CHANCE for one in bare)


def test_doubly_robust_effects_have_no_bias_with_one_model_wrong(estimators: dict[tuple[str, str], Judged]) -> None:
    for world, wrong, right in (("wrong_outcome_model", "reg", "ipw"), ("wrong_propensity", "ipw", "reg")):
        z = {method: abs(estimators[world, f"CallawaySantAnna {method}, simple"].z) for method in ("dr", "reg", "ipw")}
        assert z[wrong] > 10.0 > MOST_BY_CHANCE > max(z["dr"], z[right])


@pytest.mark.parametrize("row", ["landmark", "landmark_dr", "landmark_dummies", "landmark_dummies_dr"])
def test_given_growth_is_unbiased_without_effect_and_covers(numbers: dict[tuple[str, str, str, str], Measured], row: str) -> None:
    bias = numbers["certification", "null", row, "bias"]
    assert abs(bias.value) < 3.0 * bias.error
    for world in ("null", "baseline"):
        covered = numbers["certification", world, row, "coverage"]
        assert abs(covered.value - 0.95) < 3.0 * covered.error
    # Earlier tiers had added to the growth that is conditioned on, and comparison firms are listed later: together under 0.1 %.
    moved = numbers["certification", "baseline", row, "bias"].value - bias.value
    assert abs(moved) < 0.1


ONE_CITY = [world.name for world in WORLDS["claims"] if world.scenario.cities == 1]


@pytest.mark.parametrize("world", ONE_CITY)
def test_false_claims_are_rare(numbers: dict[tuple[str, str, str, str], Measured], world: str) -> None:
    """Of a wrong direction, of an effect where there is none, of a bound that is exceeded."""
    assert upper_end(numbers["claims", world, "package", "false_claim"]) <= MOST_FALSE


@pytest.mark.parametrize("world", [name for name in ONE_CITY if name != "concurrent"])
def test_a_hull_that_misses_is_as_rare(numbers: dict[tuple[str, str, str, str], Measured], world: str) -> None:
    """“Consistent” with a hull that misses the effect; not where another policy comes with the certificate, see the next test."""
    assert upper_end(numbers["claims", world, "package", "false"]) <= MOST_FALSE


def test_the_rule_does_not_see_a_policy_that_comes_with_the_certificate(
    numbers: dict[tuple[str, str, str, str], Measured],
) -> None:
    """Its effect is taken for the certificate's: the pages of that world say so, and the check that leaves its firms out fires."""
    missed = numbers["claims", "concurrent", "package", "false"]
    assert missed.value > MOST_FALSE and numbers["claims", "concurrent", "package", "interval coverage"].value < 0.5
    fires, by_chance = (numbers["checks", world, "concurrent", "failed"] for world in ("concurrent", "baseline"))
    assert fires.value - by_chance.value > MOST_BY_CHANCE * math.hypot(fires.error, by_chance.error)


def test_the_rule_cannot_tell_under_strong_selection_and_tells_with_four_cities(
    numbers: dict[tuple[str, str, str, str], Measured],
) -> None:
    assert numbers["claims", "strong_selection", "package", "cannot_tell_trends"].value >= 0.90
    assert numbers["claims", "baseline_4_cities", "package", "consistent"].value >= 0.75


def test_the_hull_holds_the_truth_where_selection_is_on_observed_growth(numbers: dict[tuple[str, str, str, str], Measured]) -> None:
    for world in ("null", "clean", "baseline"):
        covered = numbers["claims", world, "package", "hull coverage"]
        assert covered.value >= 0.95 - 3.0 * covered.error


def test_checks_that_ask_about_the_design_seldom_fail_where_it_holds(numbers: dict[tuple[str, str, str, str], Measured]) -> None:
    """Trends, placebo dates and placebo assignments where selection is on observed growth only: their levels, and chance."""
    for check, level in (("trends", 0.01), ("placebo_timing", 0.05), ("placebo_assignment", 0.05), ("overlap", 0.01)):
        failed = numbers["checks", "null", check, "failed"]
        assert failed.value <= level + 3.0 * failed.error


@pytest.mark.parametrize("world", ["strong_selection", "null_strong_selection"])
def test_checks_of_trends_fire_under_a_hidden_trend(numbers: dict[tuple[str, str, str, str], Measured], world: str) -> None:
    """The joint test alone would miss most of it: the drift that cannot be excluded is what stops a claim."""
    assert numbers["checks", world, "drift", "failed"].value > 0.6
    for check in ("trends", "placebo_timing"):
        fires, quiet = (numbers["checks", one, check, "failed"] for one in (world, "null"))
        assert fires.value - quiet.value > MOST_BY_CHANCE * math.hypot(fires.error, quiet.error)


@pytest.mark.parametrize("world", [world.name for world in WORLDS["checks"]])
def test_tests_between_groups_find_a_difference_at_their_level_where_there_is_none(
    numbers: dict[tuple[str, str, str, str], Measured], world: str
) -> None:
    found = numbers["checks", world, "heterogeneity", "reason heterogeneity_found"]
    assert found.value <= 0.05 + 3.0 * found.error


@pytest.mark.parametrize("world", ["baseline", "null"])
def test_the_other_instruments_cover_or_their_pages_say_that_they_do_not(
    numbers: dict[tuple[str, str, str, str], Measured], world: str
) -> None:
    policies = load_policies().items()
    admitted = {name: float(policy.numbers["null_coverage"]) for name, policy in policies if "null_coverage" in policy.numbers}
    for (table, of_world, row, metric), number in numbers.items():
        if (table, of_world, metric) != ("instruments", world, "coverage"):
            continue
        name, _, outcome = row.partition(", ")
        if name in admitted and outcome == "log_revenue":
            assert world != "null" or abs(number.value - admitted[name]) < 0.005
        else:
            assert number.value > 0.95 - MOST_BY_CHANCE * number.error


@pytest.mark.parametrize("row", ["credit", "srdi", "certificate_with_cash"])
def test_parts_that_are_told_have_their_size(numbers: dict[tuple[str, str, str, str], Measured], row: str) -> None:
    size = numbers["bundle", "null", row, "rejection"]
    assert abs(size.value - 0.05) < 3.0 * size.error
    bias = numbers["bundle", "null", row, "bias"]
    assert abs(bias.value) < 3.0 * bias.error


def test_five_stated_doses_reject_never_by_permutation(numbers: dict[tuple[str, str, str, str], Measured]) -> None:
    settings = {key[3] for key in numbers if key[0] == "district_tests" and key[3].startswith("permutation")}
    assert len(settings) == 12
    assert all(numbers["district_tests", "null", "five_stated", metric].value == 0.0 for metric in settings)


def test_degenerate_worlds_have_a_null_vector_and_the_full_one_has_none() -> None:
    found = pd.concat([read_rows("separability", world) for world in WORLDS["separability"]]).set_index("without")
    assert found["rank"].to_dict() == {
        "nothing": 5,
        **dict.fromkeys(DEGENERATE[1:], 4),
    }
    assert found.loc["nothing", "null"] == "none"
    assert found.loc["doses_that_differ", "given"] == "credit, srdi"
    assert found.loc["doses_that_differ", "null"] == "certificate - cash - unnamed_cash"
    assert found.loc["library_firms", "null"] == "credit - srdi"
    assert found.loc["srdi_firms_and_date", "null"] == "srdi - certificate"
