"""When a firm enters the register, and which district pays it and counts it, today and before the changes of 2016."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sme_eval.simulate.firms import DISTRICTS, Draws, IntegerArray
from sme_eval.simulate.scenario import Scenario

BEFORE_A_LIST: Final = 4
"""Years that a firm is in the panel before its first list or service at least: growth from three years before counts, and one more
year is needed to see a trend."""
LEAST_ROWS: Final = 2
"""Years that a firm is in the panel at least."""

STAT_DISTRICTS: Final = tuple(district for district in DISTRICTS if district not in ("hightech", "hangzhou_bay"))
STAT_DISTRICTS_2015: Final = ("haishu", "jiangdong", *STAT_DISTRICTS[1:])

IN_YUYAO: Final = 0.2
"""Share of the firms of the Hangzhou Bay zone that are counted in Yuyao, the others in Cixi: an assumption."""
FROM_YINZHOU: Final = 0.4
"""Share of today's Haishu firms that were counted in Yinzhou before 2016: an assumption."""
FROM_JIANGDONG: Final = 0.3
"""Share of today's Yinzhou firms that were counted in Jiangdong, which became part of it in 2016: an assumption."""


@dataclass(frozen=True, slots=True)
class Register:
    """All (firms,): first year with a row; `stat` and `stat_2015` index `STAT_DISTRICTS` and `STAT_DISTRICTS_2015`."""

    entered: IntegerArray
    stat: IntegerArray
    stat_2015: IntegerArray


def draw_register(
    draws: Draws, world: Scenario, district: IntegerArray, first_list: IntegerArray, gone: IntegerArray, years: IntegerArray
) -> Register:
    """One city; `first_list` (firms,) is the first year of any list or service, `gone` the first without a row, `NEVER` if none."""
    stat = _stat_district(draws, district)
    return Register(_entered(draws, world, first_list, gone, years), stat, _before_2016(draws, stat))


def _entered(draws: Draws, world: Scenario, first_list: IntegerArray, gone: IntegerArray, years: IntegerArray) -> IntegerArray:
    """(firms,) the panel's first year, except for those that arrive later."""
    first = np.full(gone.size, years[0], dtype=np.int64)
    if not world.arrival.share:
        return first
    arrives = draws.stream("arrives").random(gone.size) < world.arrival.share
    year = draws.stream("arrival year").integers(years[0] + 1, years[-1] - LEAST_ROWS + 2, gone.size)
    latest = np.minimum(first_list - BEFORE_A_LIST, gone - LEAST_ROWS)
    return np.where(arrives, np.maximum(np.minimum(year, latest), first), first)


def _stat_district(draws: Draws, district: IntegerArray) -> IntegerArray:
    """(firms,) the zones' firms in the districts that their figures are counted in."""
    home = {"hightech": "yinzhou", "hangzhou_bay": "cixi"}
    position = np.array([STAT_DISTRICTS.index(home.get(key, key)) for key in DISTRICTS])[district]
    bay = district == DISTRICTS.index("hangzhou_bay")
    moved = bay & (draws.stream("bay in yuyao").random(district.size) < IN_YUYAO)
    return np.where(moved, STAT_DISTRICTS.index("yuyao"), position)


def _before_2016(draws: Draws, stat: IntegerArray) -> IntegerArray:
    """(firms,) the districts of 2015."""
    then = np.array([STAT_DISTRICTS_2015.index(key) for key in STAT_DISTRICTS])[stat]
    chance = draws.stream("district of 2015").random(stat.size)
    was_yinzhou = (stat == STAT_DISTRICTS.index("haishu")) & (chance < FROM_YINZHOU)
    was_jiangdong = (stat == STAT_DISTRICTS.index("yinzhou")) & (chance < FROM_JIANGDONG)
    then[was_yinzhou] = STAT_DISTRICTS_2015.index("yinzhou")
    then[was_jiangdong] = STAT_DISTRICTS_2015.index("jiangdong")
    return then
