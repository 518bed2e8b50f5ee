"""Untreated potential outcomes: what each firm's revenue and employment would be without any policy."""

from __future__ import annotations

from typing import Final

import numpy as np

from sme_eval.simulate.firms import DISTRICTS, INDUSTRIES, Firms, FloatArray, IntegerArray, stream
from sme_eval.simulate.scenario import OutcomeProcess

TREND_ORIGIN: Final = 2015
"""Year in which the common trend and the slope of R&D are zero."""


def untreated_outcome(
    seed: int, name: str, process: OutcomeProcess, firms: Firms, years: IntegerArray, firm_effect: FloatArray
) -> FloatArray:
    """(firms, years) outcome without policy, log points; `firm_effect` is standardised, (firms,)."""
    clock = (years - TREND_ORIGIN).astype(np.float64)
    trend = process.growth + process.slope_rd * firms.rd
    outcome = _noise(stream(seed, f"{name} noise"), process, len(firm_effect), years.size)
    outcome += _cell_shocks(seed, name, process, firms, years.size)
    outcome += (process.level + process.sd_firm * firm_effect)[:, None]
    outcome += trend[:, None] * clock
    return outcome


def _noise(generator: np.random.Generator, process: OutcomeProcess, firms: int, years: int) -> FloatArray:
    """(firms, years) stationary autoregression: the first year is drawn from the distribution of all later ones."""
    rho = process.persistence
    noise = generator.standard_normal((firms, years)) * process.sd_noise
    noise[:, 1:] *= np.sqrt(1.0 - rho**2)
    for year in range(1, years):
        noise[:, year] += rho * noise[:, year - 1]
    return noise


def _cell_shocks(seed: int, name: str, process: OutcomeProcess, firms: Firms, years: int) -> FloatArray:
    """(firms, years) sum of the shocks of each firm's industry and district."""
    industry = stream(seed, f"{name} industry × year").normal(0.0, process.sd_cell_year, (len(INDUSTRIES), years))
    district = stream(seed, f"{name} district × year").normal(0.0, process.sd_cell_year, (len(DISTRICTS), years))
    return industry[firms.industry] + district[firms.district]
