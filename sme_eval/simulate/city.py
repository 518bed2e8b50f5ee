"""One simulated city: its firms, their lists, and every outcome with and without policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sme_eval.simulate.credit import credit_effects, untreated_credit
from sme_eval.simulate.effects import employment_parts, revenue_parts
from sme_eval.simulate.firms import Draws, Firms, FloatArray, IntegerArray, draw_firms
from sme_eval.simulate.outcomes import own_noise, untreated_employment, untreated_revenue
from sme_eval.simulate.scenario import Scenario
from sme_eval.simulate.selection import Tiers, draw_tiers


@dataclass(frozen=True, slots=True)
class City:
    """A city; outcomes are (firms, years)."""

    number: int
    firms: Firms
    tiers: Tiers
    untreated: Mapping[str, FloatArray]
    """By outcome."""
    parts: Mapping[str, Mapping[str, FloatArray]]
    """By outcome and part: what each policy adds. Observed = untreated + sum of the parts."""


def draw_city(draws: Draws, world: Scenario, count: int, years: IntegerArray) -> City:
    """A city of `count` firms."""
    firms = draw_firms(draws, count)
    noise = own_noise(draws, "revenue", world.revenue, years.size, count)
    revenue = untreated_revenue(draws, world, firms, years, noise)
    tiers = draw_tiers(draws, world, firms, revenue, years)
    credit = credit_effects(world.credit, tiers, years)
    return City(
        number=draws.city,
        firms=firms,
        tiers=tiers,
        untreated={
            "log_revenue": revenue,
            "log_employment": untreated_employment(draws, world, firms, years),
            **untreated_credit(draws, world, firms, noise),
        },
        parts={
            "log_revenue": revenue_parts(draws, world, firms, tiers, years),
            "log_employment": employment_parts(world, tiers, years),
            **{outcome: {"credit": effect} for outcome, effect in credit.items()},
        },
    )
