"""Districts of a panel in the boundaries of one year, and which government rewards a firm: two columns that are not the same.

A code says where a firm is counted, in the boundaries of its own year. In 2016 Ningbo's changed: Jiangdong was joined to Yinzhou
and nine towns of Yinzhou to Haishu, so that a panel across that year compares different areas under one code. A functional
zone pays rewards of its own and has no code at all: its firms are counted in a host district. Neither is read from the
credit code, whose digits are those of first registration and never change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from sme_eval.errors import DataError, ParameterError, Problem
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.panel.validation import flag, read_whole_number, require_columns
from sme_eval.results.text import Printable
from sme_eval.results.unavailable import Unavailable

from .distinct import by_distinct_row, column_or
from .district_list import Districts, Zone, load_districts, plain_name

HarmoniseStatus = Literal["same", "changed", "resolved", "ambiguous", "unknown"]
STATUSES: Final[tuple[HarmoniseStatus, ...]] = get_args(HarmoniseStatus)

_CODE: Final = re.compile(r"(\d{6})(\d{3}|\d{6})?(\.0)?")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HarmonisedDistricts(Printable):
    """`frame`: code, status and note by row of the input; `counts`: rows by status. Counts below ten are for the house only."""

    frame: pd.DataFrame
    counts: Mapping[str, int]
    to_year: int

    def summary(self) -> str:
        """Rows by status."""
        rows = [f"  {status:<10} {count}" for status, count in self.counts.items()]
        return "\n".join([f"Districts in the boundaries of {self.to_year}: rows", *rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTwice:
    """Rows of zones that a district's row counts already: their number, their firms (None in tables of totals), by zone."""

    rows: int
    firms: int | None
    by_zone: Mapping[str, int]


def harmonise_district(
    code: str | int, year: int, *, to_year: int, later_code: str | int | None = None, districts: Districts | None = None
) -> str | Unavailable:
    """The code, in the boundaries at the end of `to_year`, of the place that had `code` in `year`; or why it cannot be told.

    `later_code` is the firm's own code after the change. It decides only between the codes that are possible: a firm that has
    moved elsewhere since stays ambiguous. A firm that moved between the two parts looks like one that stayed. A code
    outside its years (an abolished one in later records) counts as one of its last or first year. In the year of a change a code
    that exists before and after it may mean either.

    >>> harmonise_district("330204", 2015, to_year=2022)
    '330212'
    >>> harmonise_district("330212", 2015, to_year=2022, later_code="330203")
    '330203'
    >>> print(harmonise_district("330212", 2015, to_year=2022))
    unavailable: 330212 in 2015 is 330203 or 330212 in 2022; the firm's own code after the change would decide
    """
    found, _, reason = _harmonise(code, year, later_code, to_year, districts or load_districts())
    return Unavailable(reason) if found is None else found


def harmonise_districts(
    frame: pd.DataFrame,
    *,
    to_year: int,
    code: str = "district_code",
    year: str = "year",
    firm: str | None = None,
    later_code: str | None = None,
    districts: Districts | None = None,
) -> HarmonisedDistricts:
    """`harmonise_district` for every row, with counts of what stayed ambiguous.

    A divided code is decided by the column `later_code`, or by the first record of the same `firm` after the last change up to
    `to_year`; by nothing where neither is named. Ambiguous and unknown rows are missing, with the reason in `note`.

    >>> rows = pd.DataFrame({"firm": [1, 1, 2], "year": [2015, 2018, 2015], "district_code": ["330212", "330203", "330212"]})
    >>> done = harmonise_districts(rows, to_year=2022, firm="firm")
    >>> done.frame["code"].tolist(), done.counts["ambiguous"]
    (['330203', '330203', nan], 1)

    Raises
    ------
    DataError
        A column is missing, or years are not whole.
    ParameterError
        Both `firm` and `later_code` are given.
    """
    if firm is not None and later_code is not None:
        raise ParameterError(Problem(what="firm and later_code are both given.", remedy="name one: each says how to decide"))
    districts = districts or load_districts()
    require_columns(frame, [name for name in (code, year, firm, later_code) if name is not None])
    problems: list[Problem] = []
    years = read_whole_number(frame, year, problems)
    if years is None:
        raise DataError(problems)
    codes = frame[code].reset_index(drop=True).astype(object)
    later = column_or(frame, later_code, None)
    if firm is not None:
        later = _own_later(frame[firm].reset_index(drop=True), codes, pd.Series(years), to_year, districts)
    keys = pd.DataFrame({"code": codes, "year": years, "later": later})
    answers = by_distinct_row(keys, lambda c, y, after: _harmonise(c, int(y), after, to_year, districts))
    columns = list(zip(*answers, strict=True))
    table = pd.DataFrame(dict(zip(("code", "status", "note"), columns, strict=True)), index=frame.index)
    table["code"] = table["code"].astype(object).where(table["code"].notna(), np.nan)
    counts: FrozenMapping[str, int] = FrozenMapping({str(status): int((table["status"] == status).sum()) for status in STATUSES})
    return HarmonisedDistricts(frame=table, counts=counts, to_year=to_year)


def reward_jurisdiction(
    code: str | int | None, zone: str | None = None, *, districts: Districts | None = None
) -> str | Unavailable:
    """Who rewards a firm: the key of its functional `zone` if it lies in one, else of the district of its statistical `code`.

    A zone's hosts are not all confirmed, so a zone and a code that do not go together are not refused.

    >>> reward_jurisdiction("330282", "杭州湾新区"), reward_jurisdiction("330282")
    ('hangzhou_bay', 'cixi')
    """
    districts = districts or load_districts()
    if zone is not None and not pd.isna(zone) and str(zone).strip():
        return districts.find(str(zone)).key
    six = code_text(code)
    district = districts.by_code(six) if six else None
    return Unavailable("the code belongs to no declared district") if district is None else district.key


def reward_jurisdictions(
    frame: pd.DataFrame, *, code: str = "district_code", zone: str | None = "zone", districts: Districts | None = None
) -> pd.Series[str]:
    """`reward_jurisdiction` of every row, missing where unavailable; a name of no declared zone raises ParameterError."""
    districts = districts or load_districts()
    require_columns(frame, [name for name in (code, zone) if name is not None])
    keys = pd.DataFrame({"code": frame[code].reset_index(drop=True).astype(object), "zone": column_or(frame, zone, None)})
    found = by_distinct_row(keys, lambda c, z: reward_jurisdiction(c, z, districts=districts))
    values = [np.nan if isinstance(one, Unavailable) else one for one in found]
    return pd.Series(values, index=frame.index, dtype=object, name="reward_jurisdiction")


def counted_twice(
    frame: pd.DataFrame, *, place: str, year: str | None = None, firm: str | None = None, districts: Districts | None = None
) -> CountedTwice:
    """Zone rows that a district row counts already, in zone and district tables stacked upon each other.

    With `firm`, a firm with a row of a zone and a row of a district (in the same `year`). Without, the frame holds totals, and
    every zone's total beside districts' totals counts: the statistics of zones are part of their host districts'.

    >>> totals = pd.DataFrame({"place": ["慈溪市", "余姚市", "前湾新区"], "revenue": [9.0, 7.0, 4.0]})
    >>> counted_twice(totals, place="place").rows
    1

    Raises
    ------
    DataError
        A column is missing, or places are neither a district nor a zone.
    """
    districts = districts or load_districts()
    require_columns(frame, [name for name in (place, year, firm) if name is not None])
    names = districts.names()
    found = [names.get(plain_name(value)) for value in frame[place]]
    problems: list[Problem] = []
    strange = np.array([one is None for one in found])
    words = ("place is no district and no zone", "places are no district and no zone")
    if flag(problems, strange, words, f"column {place}", "write them as data/districts.toml does"):
        raise DataError(problems)
    in_zone = pd.Series([isinstance(one, Zone) for one in found])
    unit = pd.DataFrame({"year": column_or(frame, year, 0), "firm": column_or(frame, firm, 0)})
    beside = (~in_zone).groupby([unit["year"], unit["firm"]], dropna=False).transform("any")
    twice = in_zone & beside
    zones = pd.Series([one.key for one in found if one is not None])[twice].value_counts().sort_index()
    return CountedTwice(
        rows=int(twice.sum()),
        firms=None if firm is None else int(unit.loc[twice, "firm"].nunique()),
        by_zone=FrozenMapping({str(key): int(count) for key, count in zones.items()}),
    )


def code_text(code: object) -> str | None:
    """The first six digits of a code of 6, 9 or 12 digits, written as text or as a number; None if it is no code."""
    match = _CODE.fullmatch(str(code).strip())
    return match.group(1) if match else None


def _harmonise(
    code: object, year: int, later_code: object, to_year: int, districts: Districts
) -> tuple[str | None, HarmoniseStatus, str]:
    six = code_text(code)
    district = districts.by_code(six) if six else None
    if six is None or district is None:
        return None, "unknown", "the code belongs to no declared district"
    known = max(year, district.since)
    possible = _possible(six, known if district.until is None else min(known, district.until), to_year, districts)
    if len(possible) == 1:
        only = next(iter(possible))
        return only, "same" if only == six else "changed", ""
    own = code_text(later_code) if to_year >= year else None
    if own in possible:
        return own, "resolved", ""
    names = " or ".join(sorted(possible))
    decides = (
        "the firm's own code after the change would decide" if own is None else "the firm's later code is neither: it has moved"
    )
    return None, "ambiguous", f"{six} in {year} is {names} in {to_year}; {decides}"


def _possible(code: str, year: int, to_year: int, districts: Districts) -> set[str]:
    """The codes that a place of `code` in `year` may have in `to_year`. Changes of one year act together: none follows another."""
    found = {code}
    years = sorted({change.year for change in districts.changes})
    if to_year >= year:
        for when in (y for y in years if year <= y <= to_year):
            moved = {change.source: change.to for change in districts.changes if change.year == when}
            found = {new for old in found for new in moved.get(old, (old,))}
        return found
    for when in (y for y in reversed(years) if to_year < y <= year):
        found = {old for new in found for old in _before(new, when, districts)}
    return found


def _before(code: str, when: int, districts: Districts) -> set[str]:
    """The codes that the area of `code` may have had before the changes of the year `when`."""
    sources = {change.source for change in districts.changes if change.year == when and code in change.to}
    district = districts.by_code(code)
    existed = district is not None and district.since < when
    return sources | ({code} if existed else set())


def _own_later(
    firm: pd.Series[Any], codes: pd.Series[Any], years: pd.Series[int], to_year: int, districts: Districts
) -> pd.Series[Any]:
    """Each row's firm's code in its first year after the last change up to `to_year`; missing if it has none, or two."""
    last = max((change.year for change in districts.changes if change.year <= to_year), default=to_year)
    rows = pd.DataFrame({"firm": firm, "code": codes.map(code_text), "year": years})
    after = rows[(rows["year"] > last) & rows["code"].notna()]
    first = after[after["year"] == after.groupby("firm")["year"].transform("min")]
    single = first[first.groupby("firm")["code"].transform("nunique") == 1].drop_duplicates("firm")
    return firm.map(single.set_index("firm")["code"]).astype(object)
