"""What a policy file says of public costs: assumptions, each with its unit, its words, and whether a source confirms it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sme_eval.panel.declarations import Label

AssumptionName = Literal[
    "award",
    "administration",
    "subsidy_points",
    "expected_loss",
    "balance",
    "years",
    "discount",
    "tax_share",
    "compliance",
    "displacement",
    "deadweight",
]
UNITS: Final[Mapping[AssumptionName, str]] = {
    "award": "ten_thousand_yuan_per_firm",
    "administration": "ten_thousand_yuan_per_firm_year",
    "subsidy_points": "percentage_point_per_year",
    "expected_loss": "percent_per_year",
    "balance": "ten_thousand_yuan_per_firm",
    "years": "year",
    "discount": "percent_per_year",
    "tax_share": "share",
    "compliance": "share",
    "displacement": "share",
    "deadweight": "share",
}
"""The one unit of each assumption; a file states it, so that nobody has to guess."""
COSTS: Final[tuple[AssumptionName, ...]] = ("award", "administration", "subsidy_points", "expected_loss")
"""What the public pays. A balance of loans is none of it: it is lent, and only what is given up or lost on it costs anything."""
OF_A_BALANCE: Final[tuple[AssumptionName, ...]] = ("subsidy_points", "expected_loss")
"""Costs that are a share of a balance of loans."""
VALUED: Final = ("log_employment", "log_revenue")
"""Outcomes whose effect has a unit that a cost can be divided by: jobs and 10,000 yuan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumptionRule:
    """One assumption from `low` to `high` (equal where it is one number), in `unit`.

    `column` names a column of the panel whose mean over the treated firms, in the year before entry, stands in place of the number:
    `low` and `high` are then None. `confirmed` says that the source of key `source` states the number; all else is assumed.
    """

    name: AssumptionName
    unit: str
    low: float | None
    high: float | None
    column: str
    label: Label
    confirmed: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRule:
    """The public cost per treated firm and what comes back, by the name of each assumption.

    `award` is paid once; `administration`, `subsidy_points` × `balance` and `expected_loss` × `balance` every year; `years` is how
    many years costs and effect are counted, `discount` the yearly rate. `tax_share` of additional revenue returns as taxes.
    `compliance` is the share of a transfer that applying for it uses up. `displacement` is the share of the effect that other firms
    lose, which no comparison of firms sees. `deadweight` is the share that would have come anyway: a comparison has taken it off
    already, so that it is stated only for a part that the comparison is known to miss.
    """

    assumptions: Mapping[str, AssumptionRule]
