"""Compact panels with truly parallel trends: staggered treatment, firm and year effects, errors that follow themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulations.trend_worlds import TrendWorld
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray

YEARS = np.arange(2015, 2023)
COHORTS = np.array([2018, 2019, 2020, 2021])
SHARES = np.array([0.2, 0.2, 0.3, 0.3])
"""Of the treated by cohort."""
TAU = 0.2
"""The effect where there is one for all."""
SIZES = np.array([1.6, 1.2, 0.8, 0.4])
"""By cohort, where effects differ."""
SPREAD = 0.2
"""Standard deviation of firms' own effects, where they differ."""
WEIGHTS = (0.25, 2.75)
"""Weights are uniform between these, where firms have weights."""
DOSES = {0.25: 0.1, 0.5: 0.2, 1.0: 0.25}
"""Effect of each dose, all equally frequent, where the effect is that of a dose."""
PERSISTENCE, NOISE = 0.5, 0.5
BUNCHING, TILT = 1.5, 0.7
"""How much more often firms are treated in districts of a higher trait, where districts have shocks and where they have trends."""
COUNT_LEVEL, COUNT_SCALE = 1.0, 0.5
"""Where the outcome is a count: log of its mean is this level plus this share of what the outcome is elsewhere."""
NEVER_AT = -99
"""Event time of firms that are never treated."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """A long `frame` (id, year, y, g, w, x, district, eligible, dose, treated, effect, e) of the firm-years that are seen."""

    world: TrendWorld
    frame: pd.DataFrame

    def sample(
        self, columns: tuple[str, ...] = (), covariates: tuple[str, ...] = (), outcome: str = "y", plain: bool = False
    ) -> Sample:
        """A sample, weighted and clustered as the world is, or `plain`."""
        return Sample.from_frame(
            self.frame,
            firm="id",
            year="year",
            outcome=outcome,
            cohort="g",
            columns=columns,
            covariates=covariates,
            weight="w" if self.world.weighted and not plain else None,
            cluster="district" if self.world.district_shock and not plain else None,
        )

    def truth(self) -> Truth:
        """The mean effect of this panel's treated firm-years, where it is not a number of the world."""
        if self.world.effects == "constant":
            return the_same(TAU)
        if self.world.effects == "by_weight":
            low, high = WEIGHTS
            return the_same(0.1 + 0.1 * (high**3 - low**3) / 3.0 / ((high**2 - low**2) / 2.0))
        treated = self.frame[self.frame["e"] >= 0]
        effect, time = treated["effect"].to_numpy(), treated["e"].to_numpy()
        by_time = {int(e): float(effect[time == e].mean()) for e in np.unique(time)}
        return Truth(overall=float(effect.mean()), by_time=by_time)


@dataclass(frozen=True, eq=False, kw_only=True)
class Truth:
    """The mean effect over treated firm-years, and by event time; before treatment it is zero."""

    overall: float
    by_time: dict[int, float]

    def at(self, event_time: int) -> float:
        """The truth at an event time."""
        return self.by_time[event_time] if event_time >= 0 else 0.0


def the_same(effect: float) -> Truth:
    """One effect in every year."""
    return Truth(overall=effect, by_time=dict.fromkeys(range(len(YEARS)), effect))


def truth_of_all() -> Truth:
    """With effects by cohort and time: the mean over everyone who could be drawn, not over those who were."""
    time = YEARS - COHORTS[:, None]
    effect, share = SIZES[:, None] * growing(time), SHARES[:, None] * (time >= 0)
    seen = range(int(time.max()) + 1)
    by_time = {e: float((effect * share)[time == e].sum() / share[time == e].sum()) for e in seen}
    return Truth(overall=float((effect * share).sum() / share.sum()), by_time=by_time)


def growing(time: IntArray) -> FloatArray:
    """An effect that grows with event time."""
    return np.asarray(np.where(time >= 0, 0.1 + 0.1 * time, 0.0))


def draw(world: TrendWorld, rng: np.random.Generator) -> Panel:
    """One panel."""
    n, n_years = world.firms, len(YEARS)
    level, x, eligible = rng.standard_normal(n), rng.standard_normal(n), rng.integers(0, 2, n)
    district, trait = rng.permutation(np.arange(n) % world.districts), rng.standard_normal(world.districts)
    weight, dose = rng.uniform(*WEIGHTS, n), rng.choice(list(DOSES), n)
    g = _cohorts(world, rng, level, x, trait[district])
    if world.district_shock:  # half of the treated are treated when their district is
        own, bunched = rng.choice(COHORTS, world.districts, p=SHARES)[district], rng.random(n) < 0.5
        g = np.where((g > 0) & bunched, own, g)
    time = np.where(g[:, None] > 0, YEARS - g[:, None], NEVER_AT)
    effect = _effects(world, rng, g, time, weight, eligible, dose)
    mean = level[:, None] + rng.standard_normal(n_years) + effect + _trends(world, x, trait[district], time)
    if world.district_shock:
        mean += world.district_shock * _persistent(rng, world.districts)[district]
    scale = np.exp(0.3 * rng.standard_normal((n, 1)))
    noise = NOISE * scale * _persistent(rng, n)
    y = rng.poisson(np.exp(COUNT_LEVEL + COUNT_SCALE * mean + noise)).astype(np.float64) if world.counts else mean + noise
    firm = {"g": g, "w": weight, "x": x, "district": district, "eligible": eligible, "dose": np.where(g > 0, dose, 0.0)}
    wide = {"y": y, "effect": effect, "e": time, "treated": (time >= 0).astype(np.float64)}
    names = {"id": np.repeat(np.arange(n), n_years), "year": np.tile(YEARS, n)}
    columns = {name: np.repeat(v, n_years) for name, v in firm.items()} | {name: v.ravel() for name, v in wide.items()}
    frame = pd.DataFrame(names | columns)
    return Panel(world=world, frame=frame[_seen(world, rng).ravel()] if world.missing else frame)


def _cohorts(world: TrendWorld, rng: np.random.Generator, level: FloatArray, x: FloatArray, trait: FloatArray) -> IntArray:
    """First treated year, 0 for never; log odds by what the world says, levels where it says nothing of x."""
    index = {
        "": 0.4 * level,
        "both_right": 0.5 * x,
        "wrong_outcome_model": 0.5 * x,
        "wrong_propensity": 0.8 * np.abs(x) - 0.6 + 0.3 * x,
        "both_wrong": 0.8 * np.abs(x) - 0.6 + 0.3 * x,
    }[world.given]
    index = index + BUNCHING * trait * bool(world.district_shock) + TILT * trait * bool(world.district_trend)
    treated = rng.random(world.firms) < 1.0 / (1.0 + np.exp(-world.treated - index))
    return np.where(treated, rng.choice(COHORTS, world.firms, p=SHARES), 0)


def _effects(
    world: TrendWorld,
    rng: np.random.Generator,
    g: IntArray,
    time: IntArray,
    weight: FloatArray,
    eligible: IntArray,
    dose: FloatArray,
) -> FloatArray:
    """Each firm-year's true effect (N, T)."""
    after = (time >= 0).astype(np.float64)
    if world.effects == "by_weight":
        return after * (0.1 + 0.1 * weight)[:, None]
    if world.effects == "eligible_only":
        return after * (TAU * eligible)[:, None]
    if world.effects == "by_dose":
        return np.asarray(after * np.array(list(DOSES.values()))[np.searchsorted(list(DOSES), dose)][:, None])
    if world.effects == "by_cohort_and_time":
        size = np.where(g > 0, SIZES[np.searchsorted(COHORTS, np.maximum(g, COHORTS[0]))], 0.0)
        return np.asarray(size[:, None] * growing(time) + after * SPREAD * rng.standard_normal((len(g), 1)))
    return TAU * after


def _trends(world: TrendWorld, x: FloatArray, trait: FloatArray, time: IntArray) -> FloatArray:
    """What grows apart (N, T)."""
    growth = {
        "": np.zeros_like(x),
        "both_right": 0.1 * x,
        "wrong_outcome_model": 0.1 * x + 0.1 * x**2,
        "wrong_propensity": 0.2 * x,
        "both_wrong": 0.1 * x + 0.1 * x**2,
    }[world.given]
    path = (growth + world.district_trend * trait)[:, None] * (YEARS - YEARS[0])
    return np.asarray(path + world.cohort_shock * (time >= 0))


def _persistent(rng: np.random.Generator, n: int) -> FloatArray:
    """Stationary AR(1) paths of unit variance (n, T)."""
    path = rng.standard_normal((n, len(YEARS)))
    for t in range(1, len(YEARS)):
        path[:, t] = PERSISTENCE * path[:, t - 1] + np.sqrt(1.0 - PERSISTENCE**2) * path[:, t]
    return path


def _seen(world: TrendWorld, rng: np.random.Generator) -> BoolArray:
    """Firm-years that are seen (N, T), whatever the outcome."""
    n, years = world.firms, np.arange(len(YEARS))
    u = rng.random(n)[:, None]
    first = np.where(u < world.turnover, rng.integers(1, 4, (n, 1)), 0)
    last = np.where(u > 1.0 - world.turnover, rng.integers(4, len(YEARS), (n, 1)), len(YEARS))
    seen = (rng.random((n, len(YEARS))) >= world.missing) & (years >= first) & (years < last)
    seen[np.arange(n), first[:, 0]] |= ~seen.any(axis=1)
    return np.asarray(seen)
