"""One simulated city: its firms, their lists, and every outcome with and without policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sme_eval.simulate.concurrent import (
    Beside,
    draw_exit,
    draw_lapse,
    draw_others,
    draw_research,
    supplier_exposure,
    with_status,
)
from sme_eval.simulate.credit import credit_effects, untreated_credit
from sme_eval.simulate.effects import employment_parts, revenue_parts
from sme_eval.simulate.firms import Draws, Firms, FloatArray, IntegerArray, draw_firms
from sme_eval.simulate.more import Known, More, draw_more
from sme_eval.simulate.outcomes import own_noise, untreated_employment, untreated_revenue
from sme_eval.simulate.scenario import Scenario
from sme_eval.simulate.selection import Tiers, draw_tiers
from sme_eval.simulate.traits import Traits, draw_traits


@dataclass(frozen=True, slots=True)
class City:
    """A city; outcomes are (firms, years)."""

    number: int
    firms: Firms
    tiers: Tiers
    traits: Traits
    beside: Beside
    more: More
    untreated: Mapping[str, FloatArray]
    """By outcome, without the policies under study; other policies act here."""
    parts: Mapping[str, Mapping[str, FloatArray]]
    """By outcome and part: what each policy adds. Observed = untreated + sum of the parts."""


def draw_city(draws: Draws, world: Scenario, count: int, years: IntegerArray) -> City:
    """A city of `count` firms."""
    firms = draw_firms(draws, count)
    noise = own_noise(draws, "revenue", world.revenue, years.size, count)
    revenue = untreated_revenue(draws, world, firms, years, noise)
    employment = untreated_employment(draws, world, firms, years)
    tiers = draw_tiers(draws, world, firms, revenue, years)
    beside = _beside(draws, world, firms, tiers, (revenue, years))
    credit = credit_effects(world.credit, tiers, years)
    terms = untreated_credit(draws, world, firms, noise)
    traits = draw_traits(draws, firms, employment[:, 0], int(years[0]))
    city = Known(firms, tiers, traits, beside)
    more = draw_more(draws, world, city, (revenue, noise, years), {name: terms[name] + credit[name] for name in terms})
    return City(
        number=draws.city,
        firms=firms,
        tiers=tiers,
        traits=traits,
        beside=beside,
        more=more,
        untreated={
            "log_revenue": with_status(revenue, world.concurrent, beside.high_tech, years),
            "log_employment": employment,
            **terms,
            **more.untreated,
        },
        parts={
            "log_revenue": revenue_parts(draws, world, firms, tiers, years),
            "log_employment": employment_parts(world, tiers, years),
            **{outcome: {"credit": effect} for outcome, effect in credit.items()},
            **more.parts,
        },
    )


def _beside(draws: Draws, world: Scenario, firms: Firms, tiers: Tiers, untreated: tuple[FloatArray, IntegerArray]) -> Beside:
    """Everything beside the policies under study; `untreated` is revenue (firms, years) and its years."""
    revenue, years = untreated
    high_tech, digital = draw_others(draws, world.concurrent, firms, tiers)
    reported, verified = draw_research(draws, world.reporting, firms, (tiers.certified, high_tech), years)
    return Beside(
        high_tech=high_tech,
        digital=digital,
        lapse=draw_lapse(draws, world.review, tiers, int(years[-1])),
        reported=reported,
        verified=verified,
        exposure=supplier_exposure(firms, tiers, years),
        gone=draw_exit(draws, world.exit, tiers, revenue, years),
    )
