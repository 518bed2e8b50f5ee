"""From sums over panels to bias, spread and coverage where trends are parallel, and how far each is from what is claimed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from simulations.compare import FAR
from simulations.storage import RESULTS, read_rows
from simulations.summaries import PERCENT, Measured
from simulations.trend_worlds import TREND_WORLDS, TrendWorld

TABLE: Final = "estimators"
LEVEL: Final = 0.95
CHANCE: Final = math.erfc(FAR / math.sqrt(2.0))
"""That a number which is what it claims to be lies beyond three Monte Carlo errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A number beside what the estimator claims for it, their distance in Monte Carlo errors, and whether that is too far."""

    number: Measured
    distance: float
    beyond: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One estimator in one world; `bias`, its error, `sd` and `mean_se` in per cent, NaN for joint tests and bands."""

    world: str
    row: str
    asks: str
    panels: int
    bias: float
    bias_error: float
    sd: float
    mean_se: float
    coverage: float

    @property
    def z(self) -> float:
        """The bias in Monte Carlo errors."""
        return self.bias / self.bias_error

    @property
    def coverage_error(self) -> float:
        """Monte Carlo error of the coverage of a true 95 % interval."""
        return math.sqrt(LEVEL * (1.0 - LEVEL) / self.panels)

    @property
    def coverage_distance(self) -> float:
        """Coverage less 95 % in Monte Carlo errors."""
        return (self.coverage - LEVEL) / self.coverage_error

    def comparisons(self) -> Iterator[Comparison]:
        """What is asked: no bias, and coverage of 95 % (or more, if conservative)."""
        if self.asks == "shown":
            return
        if math.isfinite(self.bias):
            yield Comparison(number=self._number("bias"), distance=self.z, beyond=abs(self.z) > FAR)
        low, far = self.coverage_distance < -FAR, abs(self.coverage_distance) > FAR
        beyond = low if self.asks == "conservative" else far
        yield Comparison(number=self._number("coverage"), distance=self.coverage_distance, beyond=beyond)

    def _number(self, metric: str) -> Measured:
        value, error = (self.bias, self.bias_error) if metric == "bias" else (self.coverage, self.coverage_error)
        return Measured(
            table=TABLE,
            world=self.world,
            row=self.row,
            metric=metric,
            value=value,
            error=error,
            draws=self.panels,
            rate=metric == "coverage",
        )


def judged(folder: Path = RESULTS) -> list[Judged]:
    """Every estimator of every world that has results."""
    return [one for world in TREND_WORLDS for one in judge(world, read_rows(TABLE, world, folder))]


def judge(world: TrendWorld, rows: pd.DataFrame) -> list[Judged]:
    """The estimators of one world, from sums by batch."""
    if rows.empty:
        return []
    found = []
    for row, sums in rows.groupby("row", sort=False):
        n = int(sums["n"].sum())
        if n < 2:
            continue
        error, squared, se, inside = (float(sums[name].sum(skipna=False)) / n for name in ("error", "squared", "se", "inside"))
        sd = PERCENT * math.sqrt(max(squared - error**2, 0.0) * n / (n - 1.0))
        found.append(
            Judged(
                world=world.name,
                row=str(row),
                asks=str(sums["asks"].iloc[0]),
                panels=n,
                bias=PERCENT * error,
                bias_error=sd / math.sqrt(n),
                sd=sd,
                mean_se=PERCENT * se,
                coverage=inside,
            )
        )
    return found
