"""What the services of the reply do, outcome by outcome: every magnitude is an assumption, modest on purpose.

None of them moves revenue, employment or the terms of credit: there the truth is what certificates, cash and credit do. Further
tiers and lists, the lending platform and first loans do nothing at all: an evaluation of them must be able to find that.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

Profile = tuple[float, ...]
"""Effect by event time 0, 1, …; the last value holds from then on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEffects:
    """`<part>_on_<outcome>`: log points, on the share of equity percentage points.

    A part is a service by its column without `_year`, an outcome a key of `service_outcomes.OUTCOMES` without `log_`.
    """

    export_insurance_on_exports: Profile = (0.03, 0.06)
    land_on_fixed_assets: Profile = (0.04, 0.08)
    digital_on_fixed_assets: Profile = (0.02, 0.04)
    loan_equity_on_fixed_assets: Profile = (0.02, 0.04)
    training_on_wage: Profile = (0.005, 0.01, 0.015)
    internship_on_wage: Profile = (0.0, 0.005, 0.01)
    clinic_on_rd_spending: Profile = (0.02, 0.04)
    key_on_rd_spending: Profile = (0.04, 0.08)
    first_set_on_rd_spending: Profile = (0.03, 0.05)
    board_on_equity_share: Profile = (1.0, 2.0)
    loan_equity_on_equity_share: Profile = (1.5, 3.0)
    digital_on_productivity: Profile = (0.0, 0.01, 0.02)
    clinic_on_productivity: Profile = (0.0, 0.01)

    def parts_of(self, outcome: str) -> dict[str, Profile]:
        """Part → profile of what acts on an outcome, named without `log_`; empty for any other outcome."""
        named = {each.name: each.name.partition("_on_") for each in fields(self)}
        return {part: getattr(self, name) for name, (part, _, on) in named.items() if on == outcome}

    def nothing(self) -> ServiceEffects:
        """The same parts, all zero."""
        return ServiceEffects(**{each.name: (0.0,) for each in fields(self)})
