"""Untreated potential outcomes: what revenue and employment would be without any policy."""

from __future__ import annotations

from typing import Final

import numpy as np

from sme_eval.simulate.firms import DISTRICTS, INDUSTRIES, Draws, Firms, FloatArray, IntegerArray
from sme_eval.simulate.rewards import true_doses
from sme_eval.simulate.scenario import OutcomeProcess, Scenario

TREND_ORIGIN: Final = 2015
"""Year in which the common trend and every difference in trends are zero."""


def untreated_revenue(draws: Draws, world: Scenario, firms: Firms, years: IntegerArray, noise: FloatArray) -> FloatArray:
    """(firms, years) ln 10,000 yuan; `noise` is the firm's own, which its demand for credit follows too."""
    slope = world.hidden.slope * firms.hidden
    slope += world.reward.richer_grow_faster * true_doses(world.reward)[firms.district] / 50
    outcome = without_noise(draws, "revenue", world.revenue, firms, years) + noise
    outcome += (world.revenue.sd_firm * firms.size)[:, None]
    return np.asarray(outcome + slope[:, None] * (years - TREND_ORIGIN))


def untreated_employment(draws: Draws, world: Scenario, firms: Firms, years: IntegerArray) -> FloatArray:
    """(firms, years) ln persons; its firm effect shares half its variance with revenue's."""
    process = world.employment
    own = draws.stream("employment firm effect").standard_normal(firms.count)
    outcome = without_noise(draws, "employment", process, firms, years)
    outcome += own_noise(draws, "employment", process, years.size, firms.count)
    return np.asarray(outcome + (process.sd_firm * np.sqrt(0.5) * (firms.size + own))[:, None])


def own_noise(draws: Draws, name: str, process: OutcomeProcess, years: int, firms: int) -> FloatArray:
    """(firms, years) the firm's yearly noise of one outcome."""
    return autoregression(draws.stream(f"{name} noise"), (firms, years), process.sd_noise, process.persistence)


def autoregression(generator: np.random.Generator, shape: tuple[int, int], sd: float, persistence: float) -> FloatArray:
    """(firms, years) stationary: the first year is drawn from the distribution of all later ones."""
    noise = np.ascontiguousarray(generator.standard_normal(shape).T)  # (years, firms): a year lies in one piece
    noise *= sd
    noise[1:] *= np.sqrt(1.0 - persistence**2)
    for year in range(1, shape[1]):
        noise[year] += persistence * noise[year - 1]
    return np.ascontiguousarray(noise.T)


def without_noise(draws: Draws, name: str, process: OutcomeProcess, firms: Firms, years: IntegerArray) -> FloatArray:
    """(firms, years) level, trends and the shocks of each firm's industry and district."""
    industry = draws.stream(f"{name} industry × year").normal(0.0, process.sd_cell_year, (len(INDUSTRIES), years.size))
    district = draws.stream(f"{name} district × year").normal(0.0, process.sd_cell_year, (len(DISTRICTS), years.size))
    trend = process.growth + process.slope_rd * firms.rd
    return np.asarray(process.level + trend[:, None] * (years - TREND_ORIGIN) + industry[firms.industry] + district[firms.district])
