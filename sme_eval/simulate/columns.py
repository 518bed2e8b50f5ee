"""Simulated cities as the columns of one panel, and as its truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sme_eval.panel.categories import with_categories
from sme_eval.panel.declarations import Label
from sme_eval.panel.dictionary import Dictionary
from sme_eval.panel.truth import Truth
from sme_eval.simulate.city import City
from sme_eval.simulate.firms import DISTRICTS, INDUSTRIES, FlagArray, FloatArray, IntegerArray
from sme_eval.simulate.more_columns import DISTRICT_COLUMNS, more_columns, more_starts
from sme_eval.simulate.rewards import published_doses
from sme_eval.simulate.rows import Rows, categorical, district_key, of_districts
from sme_eval.simulate.scenario import Reward
from sme_eval.simulate.traits import AGE_CLASSES, OWNERS, SIZE_CLASSES
from sme_eval.terms import NEVER

if TYPE_CHECKING:
    import pandas as pd

TIERS: Final = ("certified_year", "certified_year_half", "srdi_year", "library_year", "listed_year")
"""Starts of the policies that act on revenue, in the order of the panel's columns."""


def simulated_rows(cities: Sequence[City], years: IntegerArray, reward: Reward) -> tuple[pd.DataFrame, Truth]:
    """The panel's rows and their truth, sorted by firm and year, without the years before a firm enters and after it is gone."""
    truth = panel_truth(cities, years)
    frame = panel_frame(cities, years, reward, truth)
    each = Rows(cities, years.size)
    kept = truth.year < each.row(lambda city: city.beside.gone)
    kept &= truth.year >= each.row(lambda city: city.more.register.entered)
    if kept.all():
        return frame, truth
    return frame[kept].reset_index(drop=True), _restricted(truth, kept)


def panel_frame(cities: Sequence[City], years: IntegerArray, reward: Reward, truth: Truth) -> pd.DataFrame:
    """One row per firm and year, sorted by both; observed outcomes are untreated ones plus the effects of `truth`."""
    import pandas as pd

    each = Rows(cities, years.size)
    starts = {name: np.where(start == NEVER, 0, start) for name, start in truth.starts.items()}
    untreated = {o: np.concatenate([city.untreated[o].ravel() for city in cities]) for o in truth.outcomes}
    observed = {outcome: values + truth.effects[outcome] for outcome, values in untreated.items()}
    doses = published_doses(reward)
    return pd.DataFrame(
        {
            "firm": truth.firm,
            "year": truth.year,
            "log_revenue": observed["log_revenue"],
            "log_employment": observed["log_employment"],
            "rd_intensity": each.row(lambda city: city.firms.rd_intensity),
            "city": each.row(lambda city: np.full(city.firms.count, city.number)),
            "district": of_districts(each, len(cities), lambda city: city.firms.district, DISTRICTS),
            "industry": categorical(each.row(lambda city: city.firms.industry), INDUSTRIES),
            **{name: starts[name] for name in TIERS},
            "certified": (truth.year >= truth.starts["certified_year"]).astype(np.int64),
            "spread": observed["spread"],
            "log_credit_balance": observed["log_credit_balance"],
            "unsecured_share": observed["unsecured_share"],
            "reward_dose": each.row(lambda city: doses[city.firms.district]),
            **_trait_columns(each),
            **_other_columns(each),
            **more_columns(each, observed, starts, len(cities)),
        },
        copy=False,
    )


def _trait_columns(each: Rows) -> dict[str, Any]:
    """Traits that no outcome depends on, by column."""
    return {
        "ownership": categorical(each.row(lambda city: city.traits.ownership), OWNERS),
        "founded_year": each.row(lambda city: city.traits.founded),
        "age_class": categorical(each.row(lambda city: city.traits.age_class), AGE_CLASSES),
        "size_class": categorical(each.row(lambda city: city.traits.size_class), SIZE_CLASSES),
        "high_technology": each.row(lambda city: city.traits.high_technology),
        "constrained": each.row(lambda city: city.traits.constrained),
    }


def _other_columns(each: Rows) -> dict[str, Any]:
    """Other policies, lapses, research and exposure, by column."""
    return {
        "high_tech_year": each.start(lambda city: city.beside.high_tech),
        "digital_year": each.start(lambda city: city.beside.digital),
        "lapse_year": each.start(lambda city: city.beside.lapse),
        "rd_reported": each.yearly(lambda city: city.beside.reported),
        "rd_verified": each.yearly(lambda city: city.beside.verified),
        "supplier_exposure": each.yearly(lambda city: city.beside.exposure),
    }


def panel_truth(cities: Sequence[City], years: IntegerArray) -> Truth:
    """Starts, effects and their parts, in the order of the rows."""
    each = Rows(cities, years.size)
    parts = {
        outcome: {part: np.concatenate([city.parts[outcome][part].ravel() for city in cities]) for part in of_first}
        for outcome, of_first in cities[0].parts.items()
    }
    return Truth(
        firm=np.repeat(np.arange(1, each.count + 1), years.size),
        year=np.tile(years, each.count),
        starts={
            "certified_year": each.row(lambda city: city.tiers.certified),
            "certified_year_half": each.row(lambda city: city.tiers.certified_half),
            "srdi_year": each.row(lambda city: city.tiers.srdi),
            "library_year": each.row(lambda city: city.tiers.library),
            "listed_year": each.row(lambda city: city.tiers.listed),
            "digital_year": each.row(lambda city: city.beside.digital),
            **more_starts(each),
        },
        effects={outcome: _sum(of.values()) for outcome, of in parts.items()},
        parts=parts,
    )


def _restricted(truth: Truth, kept: FlagArray) -> Truth:
    """The truth of the rows that are `kept` (rows,)."""
    return Truth(
        firm=truth.firm[kept],
        year=truth.year[kept],
        starts={name: start[kept] for name, start in truth.starts.items()},
        effects={outcome: effect[kept] for outcome, effect in truth.effects.items()},
        parts={outcome: {part: values[kept] for part, values in of.items()} for outcome, of in truth.parts.items()},
    )


def city_dictionary(dictionary: Dictionary, cities: int) -> Dictionary:
    """`dictionary` with the districts of the second and later cities, named after those of the first."""
    if cities == 1:
        return dictionary
    more = {}
    for column, keys in DISTRICT_COLUMNS.items():
        known = dictionary[column].categories
        more[column] = {
            district_key(key, city): Label(zh=f"第{city}市{known[key].zh}", en=f"{known[key].en} of city {city}")
            for city in range(2, cities + 1)
            for key in keys
        }
    return with_categories(dictionary, more)


def _sum(parts: Any) -> FloatArray:
    """The parts added in their order."""
    return np.asarray(sum(parts))
