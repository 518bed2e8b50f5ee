"""Every estimator where trends are truly parallel: a small run of the table that `make simulations` measures on 2,000 panels.

With S = 60 panels a bias has a Monte Carlo error of sd / √60, a true coverage of 95 % one of sqrt(.95 · .05 / 60) = 2.8 points.
Several hundred numbers are looked at: few may lie beyond three of these errors, none beyond four and a half.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import sme_eval as sme
from simulations.compare import FAR, Reason
from simulations.designs.estimators import HOMES, rows
from simulations.designs.trend_panels import COHORTS, TAU, YEARS, Panel, draw, truth_of_all
from simulations.stamps import files_behind
from simulations.trend_summaries import Judged, judge
from simulations.trend_table import section
from simulations.trend_worlds import TREND_WORLDS, TrendWorld

PANELS = 60
NEVER_BEYOND = 4.5
CHANCE = 2
"""Numbers of one world that may lie beyond three errors: one would be no surprise among seventy."""
FIRMS = {
    "unbalanced": 1000,
    "weighted": 1000,
    "clustered": 720,
    "wrong_outcome_model": 1000,
    "wrong_propensity": 1500,
    "cohort_shocks": 500,
}
"""World → firms, fewer than in the table."""
NOT_MEANT = {
    "weighted": ("ImputationDiD without the weights",),
    "wrong_outcome_model": ("CallawaySantAnna reg, simple",),
    "wrong_propensity": ("CallawaySantAnna ipw, simple",),
    "cohort_shocks": ("TwoWayFixedEffects",),
}
"""World → what is biased there; otherwise the world would prove nothing of what is not."""


def world_of(name: str) -> TrendWorld:
    return next(world for world in TREND_WORLDS if world.name == name)


def small_run(name: str, firms: int, panels: int = PANELS) -> dict[str, Judged]:
    world = replace(world_of(name), firms=firms, batch=panels)
    return {one.row: one for one in judge(world, pd.DataFrame(rows(world, world.first_seed)))}


@pytest.mark.parametrize("name", FIRMS)
def test_bias_and_coverage_are_those_claimed(name: str) -> None:
    found = small_run(name, FIRMS[name])
    asked = [comparison for one in found.values() for comparison in one.comparisons()]
    assert len(asked) >= 2
    told = [(one.number.key, round(one.distance, 1)) for one in asked if one.beyond]
    assert len(told) <= CHANCE, told
    assert all(abs(distance) < NEVER_BEYOND for _, distance in told), told
    for row in NOT_MEANT.get(name, ()):
        assert found[row].asks == "shown" and abs(found[row].z) > FAR


def test_clustering_matters_where_it_is_asked() -> None:
    """Errors by firm are too small in the clustered world."""
    ratio = []
    for number in range(10):
        panel = draw(world_of("clustered"), np.random.default_rng([1, number]))
        plain, clustered = (float(sme.TwoWayFixedEffects().fit(panel.sample(plain=plain)).std_error) for plain in (True, False))
        ratio.append(plain / clustered)
    assert np.mean(ratio) < 0.9


@pytest.mark.parametrize("name", [world.name for world in TREND_WORLDS if world.name not in FIRMS])
def test_every_other_world_runs(name: str) -> None:
    """Two panels: what they show is measured by `make simulations` only."""
    found = small_run(name, firms=100 if name == "synthetic_placebo" else 400, panels=2)
    numbers = [one for one in found.values() if not one.row.endswith(("band", "test"))]
    assert numbers and all(one.panels == 2 and math.isfinite(one.bias) and one.sd > 0.0 for one in numbers)


# --- panels ----------------------------------------------------------------------------------------------------------


def big(name: str, firms: int = 60_000) -> Panel:
    return draw(replace(world_of(name), firms=firms, districts=20), np.random.default_rng(5))


def growth_by_group(panel: Panel, label: str = "g") -> pd.DataFrame:
    """Mean untreated outcome by group and year, less that of 2015."""
    frame = panel.frame.assign(untreated=panel.frame["y"] - panel.frame["effect"])
    means = frame.groupby([label, "year"])["untreated"].mean().unstack()
    return means.sub(means[YEARS[0]], axis=0)


def test_untreated_outcomes_of_all_cohorts_grow_alike() -> None:
    growth = growth_by_group(big("heterogeneous"))
    assert set(growth.index) == {0, *COHORTS}
    assert (growth.max() - growth.min()).max() < 0.04  # sd of a cohort's mean change: 0.7 / √7,000


def test_cohorts_grow_apart_where_the_world_says_so() -> None:
    assert growth_by_group(big("given_x"))[YEARS[-1]].loc[[0, 2018]].diff().abs().max() > 0.2
    assert growth_by_group(big("district_trends"))[YEARS[-1]].loc[[0, 2018]].diff().abs().max() > 0.04


@pytest.mark.parametrize("name", ["balanced", "weighted", "unbalanced"])
def test_the_truth_is_the_mean_effect(name: str) -> None:
    panel = big(name)
    treated = panel.frame[panel.frame["e"] >= 0]
    weight = treated["w"] if panel.world.weighted else None
    truth = panel.truth()
    assert np.average(treated["effect"], weights=weight) == pytest.approx(truth.overall, abs=2e-3)
    assert truth.at(-3) == 0.0
    if name != "weighted":
        assert truth.overall == TAU


def test_the_truth_of_all_firms_is_that_of_a_large_panel() -> None:
    large, everyone = big("heterogeneous", 100_000).truth(), truth_of_all()
    assert large.overall == pytest.approx(everyone.overall, rel=0.02)
    assert large.by_time == pytest.approx(everyone.by_time, rel=0.04)


def test_missing_firm_years_are_as_many_as_said_and_no_firm_is_lost() -> None:
    panel = big("unbalanced", 5000)
    lost = 1.0 - len(panel.frame) / (5000 * len(YEARS))
    assert 0.12 < lost < 0.2
    assert panel.frame["id"].nunique() == 5000


# --- sums, stamps, page ----------------------------------------------------------------------------------------------


def test_sums_are_those_of_a_users_own_fits() -> None:
    world = replace(world_of("unbalanced"), firms=200, batch=3)
    found = judge(world, pd.DataFrame(rows(world, 7)))
    errors, inside = [], []
    for number in range(3):
        frame = draw(world, np.random.default_rng([7, number])).frame
        fit = sme.TwoWayFixedEffects().fit(sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g"))
        errors.append(100.0 * (float(fit.estimate) - TAU))
        inside.append(fit.conf_low <= TAU <= fit.conf_high)
    one = next(one for one in found if one.row == "TwoWayFixedEffects")
    assert (one.panels, one.asks) == (3, "exact")
    assert one.bias == pytest.approx(np.mean(errors), rel=1e-10)
    assert one.sd == pytest.approx(np.std(errors, ddof=1), rel=1e-8)
    assert one.coverage == np.mean(inside)


def test_batches_add_up() -> None:
    world = replace(world_of("cohort_shocks"), firms=200, batch=2)
    one, two = (pd.DataFrame(rows(world, seed)) for seed in (1, 2))
    both = judge(world, pd.concat([one, two]))
    apart = [judge(world, part) for part in (one, two)]
    assert [row.bias for row in both] == pytest.approx([(a.bias + b.bias) / 2 for a, b in zip(*apart, strict=True)])
    assert {row.panels for row in both} == {4}


def test_stamps_hold_what_a_world_runs_through_and_nothing_else() -> None:
    files = set(files_behind("estimators", world_of("cohort_shocks")))
    assert {"sme_eval/estimators/triple_difference.py", "sme_eval/moments/moments.py"} <= files
    assert {"simulations/designs/trend_panels.py", "simulations/designs/trend_triple.py"} <= files
    others = ("sme_eval/estimators/poisson", "sme_eval/estimators/imputation", "simulations/designs/trend_counts")
    unused = ("sme_eval/simulate", "sme_eval/evaluation", "sme_eval/briefing", "sme_eval/runs", "data/")
    assert not [name for name in files if name.startswith((*unused, *others))]


def test_every_world_has_estimators_and_seeds_of_its_own() -> None:
    assert {world.fits for world in TREND_WORLDS} == set(HOMES)
    spans = sorted((world.first_seed, world.first_seed + world.panels // world.batch) for world in TREND_WORLDS)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert all(world.panels % world.batch == 0 for world in TREND_WORLDS)


def test_the_page_counts_and_explains_what_lies_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    far = Judged(world="balanced", row="A", asks="exact", panels=2000, bias=1.0, bias_error=0.1, sd=4.0, mean_se=4.0, coverage=0.95)
    wide = replace(far, row="B", asks="conservative", bias=0.0, coverage=0.99)
    shown = replace(far, row="C", asks="shown", coverage=0.0)
    monkeypatch.setattr("simulations.trend_table.judged", lambda folder: [far, wide, shown])
    reason = Reason(table="estimators", worlds=("*",), rows=("A",), metrics=("bias",), text="Because.")
    explained, bare = ("\n".join(section(reasons)) for reasons in ((reason,), ()))
    assert "**3 of 4 comparisons are within three Monte Carlo errors, 1 beyond.**" in explained
    assert "Because." in explained and "Not explained" in bare and "Not explained" not in explained
    assert "* balanced, A, bias: 1.00 % (+10.0 errors)" in explained
    assert "**1.00\\***" in explained and explained.count("\\*") == 1
