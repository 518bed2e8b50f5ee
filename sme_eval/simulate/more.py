"""What completes a city: further tiers, services, their outcomes, loans, banks and the register."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sme_eval.simulate.bank_return import BankReturn, bank_return
from sme_eval.simulate.banks import Banks, draw_banks
from sme_eval.simulate.concurrent import Beside
from sme_eval.simulate.firms import Draws, Firms, FloatArray, IntegerArray
from sme_eval.simulate.register import Register, draw_register
from sme_eval.simulate.scenario import Scenario
from sme_eval.simulate.selection import Tiers
from sme_eval.simulate.service_outcomes import service_parts, untreated_outcomes
from sme_eval.simulate.services import Services, draw_services
from sme_eval.simulate.tiers_more import Candidates, MoreTiers, draw_more_tiers
from sme_eval.simulate.traits import Traits


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a city before."""

    firms: Firms
    tiers: Tiers
    traits: Traits
    beside: Beside


@dataclass(frozen=True, slots=True)
class More:
    """All of it; `untreated` and `parts` are those of the services' outcomes, as in `City`."""

    tiers: MoreTiers
    services: Services
    untreated: Mapping[str, FloatArray]
    parts: Mapping[str, Mapping[str, FloatArray]]
    loans: BankReturn
    banks: Banks
    register: Register


def draw_more(
    draws: Draws,
    world: Scenario,
    city: Known,
    revenue: tuple[FloatArray, FloatArray, IntegerArray],
    terms: Mapping[str, FloatArray],
) -> More:
    """`revenue` is the untreated one, its noise (both (firms, years)) and the years; `terms` are the observed credit columns."""
    untreated, noise, years = revenue
    gone = city.beside.gone
    who = Candidates(city.firms, city.tiers, untreated, years, gone)
    tiers = draw_more_tiers(draws, world, who, city.beside.lapse)
    services = draw_services(draws, world, who, tiers.key, city.traits)
    starts = {**services.starts, "key": tiers.key, "digital": city.beside.digital}
    return More(
        tiers=tiers,
        services=services,
        untreated=untreated_outcomes(draws, world, city.firms, noise, services.exporter, years),
        parts=service_parts(world.services, starts, years),
        loans=bank_return(draws, terms, city.tiers, services.starts["first_loan"], gone, years),
        banks=draw_banks(draws, city.tiers, gone),
        register=draw_register(draws, world, city.firms.district, _first_list(city.tiers, tiers, starts), gone, years),
    )


def _first_list(tiers: Tiers, more: MoreTiers, starts: Mapping[str, IntegerArray]) -> IntegerArray:
    """(firms,) first year of anything."""
    lists = (tiers.certified, tiers.listed, more.innovative, more.upgrade_library, more.above_scale, more.provincial_library)
    return np.asarray(np.min([*lists, *starts.values()], axis=0))
