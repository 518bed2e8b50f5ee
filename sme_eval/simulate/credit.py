"""A firm's credit: its price, its amount and how much of it is unsecured; without policy, and what listing changes."""

from __future__ import annotations

from typing import Final

import numpy as np

from sme_eval.simulate.firms import Draws, Firms, FloatArray, IntegerArray
from sme_eval.simulate.outcomes import autoregression
from sme_eval.simulate.scenario import Credit, Scenario
from sme_eval.simulate.selection import Tiers
from sme_eval.terms import NEVER

SPREAD: Final = (1.2, -0.1, 0.5)
"""Percentage points over the reference rate: level, change per standard deviation of size, standard deviation of noise."""
BALANCE: Final = (6.0, 1.0, 0.35)
"""ln 10,000 yuan: level, change per standard deviation of size, standard deviation of noise of its own."""
BALANCE_FOLLOWS_REVENUE: Final = 0.5
"""Of revenue's noise that the balance takes over: demand for credit, so that a regression of revenue on it is biased."""
UNSECURED: Final = (19.0, 12.0)
"""Percent: level, standard deviation of noise. Not cut at 0, so that its true effect is exact: some values are negative."""


def untreated_credit(draws: Draws, world: Scenario, firms: Firms, revenue_noise: FloatArray) -> dict[str, FloatArray]:
    """Outcome → (firms, years) credit terms without listing; `revenue_noise` (firms, years) is revenue's own noise."""
    rho, shape = world.revenue.persistence, (revenue_noise.shape[0], revenue_noise.shape[1])

    def noise(name: str, sd: float) -> FloatArray:
        return autoregression(draws.stream(f"{name} noise"), shape, sd, rho)

    spread = SPREAD[0] + SPREAD[1] * firms.size[:, None] + noise("spread", SPREAD[2])
    balance = BALANCE[0] + BALANCE[1] * firms.size[:, None] + noise("balance", BALANCE[2])
    return {
        "spread": spread,
        "log_credit_balance": balance + BALANCE_FOLLOWS_REVENUE * revenue_noise,
        "unsecured_share": UNSECURED[0] + noise("unsecured", UNSECURED[1]),
    }


def credit_effects(rules: Credit, tiers: Tiers, years: IntegerArray) -> dict[str, FloatArray]:
    """Outcome → (firms, years) what listing changes."""
    ramp = on_list(rules, tiers, years)
    return {
        "spread": spread_step(rules, tiers, years),
        "log_credit_balance": rules.balance * ramp,
        "unsecured_share": rules.unsecured * ramp,
    }


def on_list(rules: Credit, tiers: Tiers, years: IntegerArray) -> FloatArray:
    """(firms, years) how far the amount of credit has followed the listing: the ramp by years since, 0 before."""
    event = years - tiers.listed[:, None]
    ramp = np.asarray(rules.ramp)[np.clip(event, 0, len(rules.ramp) - 1)]
    return np.where(event >= 0, ramp, 0.0)


def spread_step(rules: Credit, tiers: Tiers, years: IntegerArray) -> FloatArray:
    """(firms, years) percentage points; at once, and lower for firms that are SRDI at any time."""
    step = np.where(tiers.srdi < NEVER, rules.spread_srdi, rules.spread_library)
    return np.where(years >= tiers.listed[:, None], step[:, None], 0.0)
