"""From the rows of result files to rates, biases and spreads, each with its Monte Carlo error."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from simulations.designs.district_tests import LAYOUTS, SETTINGS, TESTS
from simulations.storage import RESULTS, read_rows, seeds_done
from simulations.worlds import WORLDS, World
from sme_eval.stats.arrays import BoolArray, FloatArray

Z: Final = 1.959964
PERCENT: Final = 100.0
KINDS: Final = ("consistent", "suggestive", "no_effect_above", "cannot_tell_trends", "cannot_tell_power", "cannot_tell_clusters")
Ends = tuple[FloatArray, FloatArray]
FEWEST_CLAIMS: Final = 20
"""Panels with a claim below which the coverage given that claim is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One number of one row of one world, with its Monte Carlo error over `draws`; effects in per cent, rates as shares."""

    table: str
    world: str
    row: str
    metric: str
    value: float
    error: float
    draws: int
    rate: bool = False

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is compared by."""
        return self.table, self.world, self.row, self.metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a number stands."""

    table: str
    world: str
    row: str

    def number(self, metric: str, value: float, error: float, draws: int, *, rate: bool = False) -> Measured:
        """A number at this place."""
        return Measured(
            table=self.table, world=self.world, row=self.row, metric=metric, value=value, error=error, draws=draws, rate=rate
        )

    def rate(self, metric: str, happened: BoolArray) -> Measured:
        """The share of panels in which something happened; its error from (x + 1) / (n + 2), so that 0 of n is not certain."""
        n, x = len(happened), int(happened.sum())
        smoothed = (x + 1.0) / (n + 2.0)
        return self.number(metric, x / n, math.sqrt(smoothed * (1.0 - smoothed) / n), n, rate=True)

    def mean(self, metric: str, values: FloatArray, unit: float = PERCENT) -> Measured:
        """A mean over panels."""
        known = values[np.isfinite(values)]
        return self.number(metric, unit * float(known.mean()), unit * float(known.std(ddof=1)) / math.sqrt(len(known)), len(known))

    def median(self, metric: str, values: FloatArray) -> Measured:
        """A median over panels; its error as for normal draws, from the quartiles."""
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        return self.number(metric, float(middle), 1.2533 * (high - low) / 1.349 / math.sqrt(len(values)), len(values))

    def spread(self, metric: str, values: FloatArray) -> Measured:
        """A standard deviation over panels."""
        known = values[np.isfinite(values)]
        sd = PERCENT * float(known.std(ddof=1))
        return self.number(metric, sd, sd / math.sqrt(2.0 * (len(known) - 1.0)), len(known))

    def estimator(self, estimate: FloatArray, error: FloatArray, truth: FloatArray) -> Iterator[Measured]:
        """What is asked of every estimator: bias, coverage, rejection of zero, mean standard error, spread."""
        known = np.isfinite(estimate) & np.isfinite(error)
        e, s, t = estimate[known], error[known], truth[known]
        yield self.mean("bias", e - t)
        yield self.rate("rejection", np.abs(e) > Z * s)
        yield self.rate("coverage", np.abs(e - t) < Z * s)
        yield self.mean("mean_se", s)
        yield self.spread("sd", e - t)


def measured(folder: Path = RESULTS) -> list[Measured]:
    """Everything that the result files hold."""
    found: list[Measured] = []
    for table, summarise in SUMMARIES.items():
        for world in WORLDS[table]:
            rows = read_rows(table, world, folder)
            if seeds_done(rows) > 1:
                found += summarise(world, rows)
    return found


def _column(rows: pd.DataFrame, name: str) -> FloatArray:
    return rows[name].to_numpy(dtype=np.float64)


def _designs(rows: pd.DataFrame) -> list[str]:
    return [name.removesuffix(" estimate") for name in rows.columns if name.endswith(" estimate")]


def certification(world: World, rows: pd.DataFrame) -> Iterator[Measured]:
    """Every design against what firms gained since the year before certification."""
    for name in _designs(rows):
        place = Place(table="certification", world=world.name, row=name)
        estimate, error = _column(rows, f"{name} estimate"), _column(rows, f"{name} error")
        if name.startswith("landmark") and name[-4:].isdigit():
            yield place.mean("mean_se", error)
            yield place.spread("sd", estimate)
            continue
        outcome = "log_employment" if name.endswith("employment") else "log_revenue"
        yield from place.estimator(estimate, error, _column(rows, f"own {outcome}"))


def claims(world: World, rows: pd.DataFrame) -> Iterator[Measured]:
    """Shares of claims, and of false ones, by the package's rule and by three simpler ones."""
    own, kind = _column(rows, "own"), rows["kind"].to_numpy()
    rule = Place(table="claims", world=world.name, row="package")
    for name in KINDS:
        yield rule.rate(name, np.asarray(kind == name))
    hull = (_column(rows, "hull_low"), _column(rows, "hull_high"))
    yield rule.rate("false", np.asarray(kind == "consistent") & _wrong(own, *hull))
    yield rule.rate("bound_broken", np.asarray(kind == "no_effect_above") & (np.abs(own) > np.nan_to_num(_column(rows, "bound"))))
    a, a_error, u, p = (_column(rows, name) for name in ("a", "a_error", "u", "trends_p"))
    yield from _false_claims(rule, kind, own, np.sign(a), _column(rows, "bound"))
    yield from _covered(rule, kind, own, {"interval": (a - Z * a_error, a + Z * a_error), "hull": hull})
    interval, beyond = (a - Z * a_error, a + Z * a_error), np.abs(a) > Z * a_error
    agreed = beyond & (np.abs(_column(rows, "b")) > Z * _column(rows, "b_error")) & (a * _column(rows, "b") > 0)
    bracket = agreed & (p > 0.05) & (a * u > 0) & (np.abs(u) > 1.645 * _column(rows, "u_error"))
    for name, says, printed in (
        ("a_significant", beyond, interval),
        ("pretest_and_dr", agreed & (p > 0.05), interval),
        ("bracket_without_equivalence", bracket, hull),
    ):
        place = Place(table="claims", world=world.name, row=name)
        yield place.rate("consistent", says)
        yield place.rate("false", says & _wrong(own, *printed))


def _false_claims(place: Place, kind: Any, own: FloatArray, side: FloatArray, bound: FloatArray) -> Iterator[Measured]:
    """Claims that are false as they are worded: a direction that is wrong or where there is no effect, a bound that is exceeded."""
    said = np.asarray(kind == "consistent") & ((own == 0.0) | (np.sign(own) != side))
    exceeded = np.asarray(kind == "no_effect_above") & (np.abs(own) > np.nan_to_num(bound))
    yield place.rate("false_claim", said | exceeded)
    yield place.rate("false_sign", np.asarray(kind == "suggestive") & ((own == 0.0) | (np.sign(own) != side)))


def _covered(
    place: Place, kind: Any, own: FloatArray, intervals: Mapping[str, tuple[FloatArray, FloatArray]]
) -> Iterator[Measured]:
    """How often each interval holds the truth: in all panels, and among those in which a claim was made."""
    for name, (low, high) in intervals.items():
        holds = (low <= own) & (own <= high)
        yield place.rate(f"{name} coverage", holds)
        for claim in KINDS:
            made = np.asarray(kind == claim)
            if made.sum() >= FEWEST_CLAIMS:
                yield place.rate(f"{name} coverage given {claim}", holds[made])


def checks(world: World, rows: pd.DataFrame) -> Iterator[Measured]:
    """How often each check passed, failed or only informed, and with which reason."""
    for name in [column.removesuffix(" reason") for column in rows.columns if column.endswith(" reason")]:
        place = Place(table="checks", world=world.name, row=name)
        verdict = _column(rows, f"{name} passed")
        yield place.rate("passed", verdict == 1.0)
        yield place.rate("failed", verdict == 0.0)
        yield place.rate("informs", np.isnan(verdict))
        reasons = rows[f"{name} reason"].astype(str)
        for reason in sorted(reasons.unique()):
            yield place.rate(f"reason {reason}", (reasons == reason).to_numpy())


def _wrong(own: FloatArray, low: FloatArray, high: FloatArray) -> BoolArray:
    """There is no effect, or the printed interval misses it."""
    return np.asarray((own == 0.0) | (own < low) | (own > high))


def district_tests(world: World, rows: pd.DataFrame) -> Iterator[Measured]:
    """Rates of rejection by layout, test and setting; the spread of the slope."""
    for layout in LAYOUTS:
        chosen = rows[rows["layout"] == layout]
        if chosen.empty:  # a file from before this layout was declared, which is stale
            continue
        place = Place(table="district_tests", world=world.name, row=layout)
        yield place.spread("sd", _column(chosen, "slope"))
        for setting in SETTINGS:
            letters = chosen[setting].astype(str)
            for letter, test in TESTS.items():
                yield place.rate(f"{test} {setting}", letters.str.contains(letter).to_numpy())


def rewards(world: World, rows: pd.DataFrame) -> Iterator[Measured]:
    """The slope on full panels."""
    truth = _column(rows, "truth")
    for name in ("ols", "knapp_hartung", "firm_cluster", "triple_difference"):
        place = Place(table="rewards", world=world.name, row=name)
        estimate, low, high = (_column(rows, f"{name} {what}") for what in ("estimate", "low", "high"))
        yield place.mean("bias", estimate - truth)
        yield place.rate("rejection", (low > 0.0) | (high < 0.0))
        yield place.rate("coverage", (low <= truth) & (truth <= high))
        yield place.mean("mean_se", _column(rows, f"{name} error"))
        yield place.spread("sd", estimate - truth)
    place = Place(table="rewards", world=world.name, row="permutation_studentised")
    yield place.rate("rejection", _column(rows, "permutation_p") <= 0.05)
    yield place.mean("attainable_p", _column(rows, "attainable"), unit=1.0)


def credit(world: World, rows: pd.DataFrame) -> Iterator[Measured]:
    """Revenue, terms of credit and ratios of the library arm."""
    truth = _column(rows, "truth")
    for name in _designs(rows):
        place = Place(table="credit", world=world.name, row=name)
        estimate, error = _column(rows, f"{name} estimate"), _column(rows, f"{name} error")
        if name.split()[-1] in ("spread", "unsecured", "balance"):
            unit = PERCENT if name.endswith("balance") else 1.0
            yield place.mean("mean", estimate, unit)
            yield place.mean("mean_se", error, unit)
            yield place.mean("f", (estimate / error) ** 2, 1.0)
            continue
        yield place.mean("mean", estimate)
        yield from place.estimator(estimate, error, truth)
    for design in ("plain", "dummies"):
        for term in ("balance", "spread"):
            place = Place(table="credit", world=world.name, row=f"{design} per {term}")
            ends = [_column(rows, f"{design} per {term} {end}") for end in ("low", "high")]
            yield place.median("median", _column(rows, f"{design} per {term}"))
            yield place.median("low", ends[0])
            yield place.median("high", ends[1])
            if term == "balance":
                elasticity = world.scenario.credit.elasticity
                yield place.rate("coverage", (ends[0] <= elasticity) & (elasticity <= ends[1]))
    yield Place(table="credit", world=world.name, row="certified ratio").median("median", _column(rows, "certified ratio"))
    if "ols" in rows:
        yield Place(table="credit", world=world.name, row="ols").median("median", _column(rows, "ols"))


def bundle(world: World, rows: pd.DataFrame) -> Iterator[Measured]:
    """Parts and the sum against the true mean effect of each."""
    for name in _designs(rows):
        place = Place(table="bundle", world=world.name, row=name)
        truth = _column(rows, f"{name.removeprefix('twfe_')} truth")
        yield from place.estimator(_column(rows, f"{name} estimate"), _column(rows, f"{name} error"), truth)


def instruments(world: World, rows: pd.DataFrame) -> Iterator[Measured]:
    """Each instrument and outcome against what its firms gained since the year before entry."""
    for (instrument, outcome), one in rows.groupby(["instrument", "outcome"], sort=False):
        place = Place(table="instruments", world=world.name, row=f"{instrument}, {outcome}")
        yield place.mean("truth", _column(one, "truth"))
        yield from place.estimator(_column(one, "estimate"), _column(one, "error"), _column(one, "truth"))


SUMMARIES: Final[Mapping[str, Callable[[World, pd.DataFrame], Iterator[Measured]]]] = {
    "certification": certification,
    "claims": claims,
    "checks": checks,
    "district_tests": district_tests,
    "rewards": rewards,
    "credit": credit,
    "bundle": bundle,
    "instruments": instruments,
}
