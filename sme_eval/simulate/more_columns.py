"""The columns of `more.py`, and the starts that its truth knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.simulate.banks import BANKS
from sme_eval.simulate.city import City
from sme_eval.simulate.firms import DISTRICTS, FloatArray, IntegerArray
from sme_eval.simulate.register import STAT_DISTRICTS, STAT_DISTRICTS_2015
from sme_eval.simulate.rows import Rows, categorical, of_districts
from sme_eval.simulate.service_outcomes import OUTCOMES
from sme_eval.simulate.services import SERVICES
from sme_eval.simulate.tiers_more import REVIEWS

DISTRICT_COLUMNS: Final = FrozenMapping(
    {
        "district": DISTRICTS,
        "reward_jurisdiction": DISTRICTS,
        "stat_district": STAT_DISTRICTS,
        "stat_district_2015": STAT_DISTRICTS_2015,
    }
)
"""Column → its keys in the first city."""


STARTS: Final = (
    "innovative_year",
    "key_year",
    "upgrade_library_year",
    "above_scale_year",
    "provincial_library_year",
    *(f"{service}_year" for service in SERVICES),
    "bank_target_year",
)
"""First years of further tiers, lists, services and the assessment of banks, in the order of the panel's columns."""


def more_starts(each: Rows) -> dict[str, IntegerArray]:
    """Start → (rows,) first years, `NEVER` for none."""
    return {name: each.row(lambda city, name=name: _starts(city)[name]) for name in STARTS}  # type: ignore[misc]


def _starts(city: City) -> dict[str, IntegerArray]:
    """Start → (firms,) of one city."""
    tiers = city.more.tiers
    lists = (tiers.innovative, tiers.key, tiers.upgrade_library, tiers.above_scale, tiers.provincial_library)
    return dict(zip(STARTS, (*lists, *city.more.services.starts.values(), city.more.banks.asked), strict=True))


def more_columns(each: Rows, observed: Mapping[str, FloatArray], starts: Mapping[str, IntegerArray], cities: int) -> dict[str, Any]:
    """Column → (rows,); `observed` are outcomes with their effects, `starts` first years, 0 for none."""
    return {
        **{name: starts[name] for name in STARTS},
        "valid_from": starts["certified_year"],
        "valid_to": each.start(lambda city: city.more.tiers.valid_to),
        "review": categorical(each.row(lambda city: city.more.tiers.review), REVIEWS),
        "exporter": each.row(lambda city: city.more.services.exporter.astype(np.int64)),
        **{outcome: observed[outcome] for outcome in OUTCOMES},
        "loan_balance": each.yearly(lambda city: city.more.loans.balance),
        "unsecured_loans": each.yearly(lambda city: city.more.loans.unsecured),
        "new_loans": each.yearly(lambda city: city.more.loans.new),
        "loan_rate": each.yearly(lambda city: city.more.loans.rate),
        "main_bank": each.row(lambda city: city.more.banks.main + 1 + (city.number - 1) * BANKS),
        "entered_year": each.row(lambda city: city.more.register.entered),
        "reward_jurisdiction": of_districts(each, cities, lambda city: city.firms.district, DISTRICTS),
        "stat_district": of_districts(each, cities, lambda city: city.more.register.stat, STAT_DISTRICTS),
        "stat_district_2015": of_districts(each, cities, lambda city: city.more.register.stat_2015, STAT_DISTRICTS_2015),
    }
