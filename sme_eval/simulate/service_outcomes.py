"""Outcomes that the services act on, without and with them.

Without: level, trends, shocks and noise as for revenue, and a part of revenue's own deviations (noise, hidden trend, the faster
growth of R&D-intensive firms). So trends are parallel where those of revenue are, given what makes revenue's parallel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.simulate.firms import RD_MEAN, Draws, Firms, FlagArray, FloatArray, IntegerArray
from sme_eval.simulate.outcomes import TREND_ORIGIN, own_noise, without_noise
from sme_eval.simulate.scenario import OutcomeProcess, Scenario
from sme_eval.simulate.service_effects import ServiceEffects
from sme_eval.terms import NEVER

LEAST_RESEARCH: Final = 0.5
"""Percent of revenue that every firm spends on R&D at least, in its R&D spending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOutcome:
    """How an outcome comes about without any service; the firm effect is `size` × size + its own, of `process.sd_firm`."""

    process: OutcomeProcess
    size: float
    """Per standard deviation of size."""
    follows: float
    """Share of revenue's own deviations that the outcome takes over."""


OUTCOMES: Final = FrozenMapping(
    {
        "log_exports": ServiceOutcome(
            process=OutcomeProcess(level=6.3, growth=0.04, sd_firm=0.4, sd_noise=0.20),
            size=1.1,
            follows=0.5,
        ),
        "log_fixed_assets": ServiceOutcome(
            process=OutcomeProcess(level=7.0, growth=0.04, sd_firm=0.6, sd_noise=0.10),
            size=0.9,
            follows=0.2,
        ),
        "log_wage": ServiceOutcome(
            process=OutcomeProcess(level=2.1, growth=0.06, sd_firm=0.2, sd_noise=0.06, sd_cell_year=0.01),
            size=0.05,
            follows=0.1,
        ),
        "log_rd_spending": ServiceOutcome(
            process=OutcomeProcess(level=4.8, growth=0.05, sd_firm=0.1, sd_noise=0.15),
            size=1.1,
            follows=0.5,
        ),
        "equity_share": ServiceOutcome(
            process=OutcomeProcess(level=35.0, growth=0.0, sd_firm=8.0, sd_noise=5.0, sd_cell_year=0.5),
            size=0.0,
            follows=0.0,
        ),
        "log_productivity": ServiceOutcome(
            process=OutcomeProcess(level=1.0, growth=0.02, sd_firm=0.3, sd_noise=0.10),
            size=0.1,
            follows=0.3,
        ),
    }
)
"""Every magnitude is an assumption. Amounts in ln 10,000 yuan (wages per person), the share in percent and not cut at 0 and 100, so
that its true effect is exact."""


def untreated_outcomes(
    draws: Draws, world: Scenario, firms: Firms, noise: FloatArray, exporter: FlagArray, years: IntegerArray
) -> dict[str, FloatArray]:
    """Outcome → (firms, years) without any service; `noise` (firms, years) is revenue's own. Exports of others are missing."""
    slope = world.hidden.slope * firms.hidden + world.revenue.slope_rd * firms.rd
    deviation = noise + slope[:, None] * (years - TREND_ORIGIN)
    outcomes = {}
    for name, rules in OUTCOMES.items():
        own = rules.process.sd_firm * draws.stream(f"{name} firm effect").standard_normal(firms.count)
        outcome = without_noise(draws, name, rules.process, firms, years)
        outcome += own_noise(draws, name, rules.process, years.size, firms.count)
        outcome += (own + rules.size * firms.size)[:, None]
        if rules.follows:
            outcome += rules.follows * deviation
        outcomes[name] = outcome
    outcomes["log_rd_spending"] += np.log(np.maximum(firms.rd_intensity, LEAST_RESEARCH) / RD_MEAN)[:, None]
    outcomes["log_exports"][~exporter] = np.nan
    return outcomes


def service_parts(
    rules: ServiceEffects, starts: Mapping[str, IntegerArray], years: IntegerArray
) -> dict[str, dict[str, FloatArray]]:
    """Outcome → part → (firms, years) what each service adds; exports of firms that do not export are moved by nothing."""
    acting = {outcome: rules.parts_of(outcome.removeprefix("log_")) for outcome in OUTCOMES}
    return {
        outcome: {part: by_event_time(starts[part], years, profile) for part, profile in of.items()}
        for outcome, of in acting.items()
    }


def by_event_time(start: IntegerArray, years: IntegerArray, profile: tuple[float, ...]) -> FloatArray:
    """(firms, years) `profile` by event time, its last value from then on, 0 before; computed for the firms that ever start."""
    effect = np.zeros((start.size, years.size))
    ever = np.flatnonzero(start < NEVER)
    event = years - start[ever, None]
    effect[ever] = np.where(event >= 0, np.asarray(profile)[np.clip(event, 0, len(profile) - 1)], 0.0)
    return effect
