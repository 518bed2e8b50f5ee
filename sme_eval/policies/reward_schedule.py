"""What a jurisdiction pays a newly certified firm: by date, tier and what the firm already drew. Not stated is missing, never 0.

Amounts are in 10,000 yuan per firm. Totals are as confidential as counts: a published unit price times the number of firms
gives the number away, so a total over fewer than ten firms must not leave the house, nor one beside another that differs by fewer.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from sme_eval.errors import DataError, ParameterError, Problem, raise_if_any, suggestion
from sme_eval.panel.validation import flag, read_number, require_columns
from sme_eval.resources import resource_files
from sme_eval.results.text import Printable
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray

from .distinct import by_distinct_row, column_or
from .district_list import Districts, load_districts, plain_name
from .reward_reader import Award, read_awards
from .spell_reader import read_days
from .tiers import TIERS, Tier

UNNAMED: Final = (0.0, 100.0)
"""10,000 yuan between which a reward that no document states is varied: nothing, and the largest that one states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """10,000 yuan that an award brings one firm, with the row it follows from and what had to be assumed to read it.

    Assumptions: `carried_back` (the document does not say since when), `at_most` (the amount is an upper limit),
    `netting_not_stated` (the amount is before what a lower tier brought), `match_base_not_stated` (whose award is matched is
    the caller's choice).
    """

    amount: float
    award: Award
    assumptions: tuple[str, ...]

    def __float__(self) -> float:
        return self.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Printable):
    """Every stated award; `load_reward_schedule` reads them.

    A jurisdiction's own document goes before a report about it, a later beginning before an earlier one, a later document before
    an earlier one. An award without an end holds until another follows; one without a beginning holds from its document's date on,
    and before it only if the caller carries it back.
    """

    awards: tuple[Award, ...]
    districts: Districts

    def award(self, jurisdiction: str, tier: Tier, date: dt.date, *, carry_back: bool = False) -> Award | Unavailable:
        """The row that holds, or why none does; a name of no district or zone and an unknown tier raise ParameterError."""
        key = self.districts.find(jurisdiction).key
        if tier not in TIERS:
            raise ParameterError(Problem(what=f"There is no tier {tier!r}.", remedy=suggestion(tier, TIERS)))
        rows = [row for row in self.awards if row.jurisdiction == key and row.tier == tier and row.status != "draft"]
        if not rows:
            return Unavailable(f"no document states what {key} pays for {tier}: missing, not nothing")
        best = max((row for row in rows if row.holds(date, carry_back=carry_back)), key=Award.rank, default=None)
        if best is None or best.rule == "not_stated":
            return Unavailable(f"no document that was read states what {key} paid for {tier} on {date}")
        return best

    def dose(
        self,
        jurisdiction: str,
        tier: Tier,
        date: dt.date,
        *,
        already_paid: float | None = None,
        upper_award: float | None = None,
        carry_back: bool = False,
    ) -> Dose | Unavailable:
        """What the jurisdiction itself adds for one firm: the award up to its ceiling, less `already_paid` where it is a top-up.

        `already_paid`: what lower tiers brought this firm; needed for a top-up (0 if nothing). `upper_award`: the award that is
        matched; a match without it is unavailable. Together with the matched award the firm then has (1 + ratio) × `upper_award`.

        >>> schedule, day = load_reward_schedule(), dt.date(2023, 8, 1)
        >>> float(schedule.dose("haishu", "little_giant", day, already_paid=10))
        40.0
        >>> print(schedule.dose("fenghua", "little_giant", day))
        unavailable: fenghua matches an award whose size is not stated: give upper_award

        Raises
        ------
        ParameterError
            An amount is negative or not finite; a name or tier is unknown.
        """
        for name, value in (("already_paid", already_paid), ("upper_award", upper_award)):
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ParameterError(Problem(what=f"{name} is {value}.", remedy="give 10,000 yuan, 0 or more, or leave it out"))
        row = self.award(jurisdiction, tier, date, carry_back=carry_back)
        if isinstance(row, Unavailable):
            return row
        if row.rule == "match" and upper_award is None:
            return Unavailable(f"{row.jurisdiction} matches an award whose size is not stated: give upper_award")
        if row.netting == "top_up" and already_paid is None:
            return Unavailable(f"{row.jurisdiction} tops up to its amount: give already_paid, 0 if the firm drew nothing before")
        paid = already_paid if row.netting == "top_up" and already_paid is not None else 0.0
        return Dose(amount=max(row.gross(upper_award) - paid, 0.0), award=row, assumptions=row.assumptions(date))

    def bounds(
        self,
        jurisdiction: str,
        tier: Tier,
        date: dt.date,
        *,
        already_paid: float | None = None,
        upper_award: float | None = None,
        unnamed: tuple[float, float] = UNNAMED,
    ) -> tuple[float, float]:
        """Between what and what the dose lies, for a sensitivity analysis; undated awards are carried back.

        A stated dose is its own bounds. A top-up whose history is unknown lies between the amount less the lower tiers' awards and
        the amount; where netting is not stated, between the amount less `already_paid` and the amount. What no document
        states, and a match of an unknown award, is varied over `unnamed`.

        >>> schedule, day = load_reward_schedule(), dt.date(2023, 8, 1)
        >>> schedule.bounds("haishu", "little_giant", day), schedule.bounds("cixi", "little_giant", day)
        ((40.0, 50.0), (0.0, 100.0))
        """
        low, high = unnamed
        if not (math.isfinite(high) and 0 <= low <= high):
            raise ParameterError(Problem(what=f"unnamed is {unnamed}.", remedy="give two amounts, 0 or more, in order"))
        row = self.award(jurisdiction, tier, date, carry_back=True)
        if isinstance(row, Unavailable) or (row.rule == "match" and upper_award is None):
            return float(low), float(high)
        most, least = (
            self.dose(jurisdiction, tier, date, already_paid=paid, upper_award=upper_award, carry_back=True)
            for paid in ((already_paid, already_paid) if already_paid is not None else (0.0, self._lower(row, date)))
        )
        taken = already_paid if row.netting == "not_stated" and already_paid is not None else 0.0
        return max(float(least) - taken, 0.0), float(most)

    def doses(
        self,
        frame: pd.DataFrame,
        *,
        date: str,
        jurisdiction: str = "reward_jurisdiction",
        tier: str = "tier",
        already_paid: str | None = None,
        upper_award: str | None = None,
        carry_back: bool = False,
    ) -> pd.DataFrame:
        """`dose` and `bounds` of every row: `dose` (missing where unavailable), `low`, `high`, `note` (the reason), `assumptions`.

        The arguments name columns; a missing amount is one that is not known. Rows are single firms: keep them in the house.

        Raises
        ------
        DataError
            Columns are missing, or hold no dates, unknown tiers or jurisdictions, or negative amounts; all problems at once.
        """
        names = (jurisdiction, tier, date, already_paid, upper_award)
        require_columns(frame, [name for name in names if name is not None])
        keys = _read_rows(frame, names, self.districts)
        rows = by_distinct_row(keys, lambda place, level, day, paid, upper: self._row(place, level, day, (paid, upper), carry_back))
        return pd.DataFrame(rows, index=frame.index, columns=["dose", "low", "high", "note", "assumptions"])

    def table(self) -> pd.DataFrame:
        """Every row: jurisdiction, tier, rule, amount, ratio, ceiling, netting, dates, status, confirmed, document."""
        columns = (
            "jurisdiction",
            "tier",
            "rule",
            "amount",
            "ratio",
            "ceiling",
            "at_most",
            "netting",
            "valid_from",
            "valid_to",
            "status",
        )
        rows = [{**{c: getattr(a, c) for c in columns}, "confirmed": a.confirmed, "document": a.document.name} for a in self.awards]
        return pd.DataFrame(rows)

    def summary(self) -> str:
        """The rows, in words."""
        rows = [f"  {a.jurisdiction:<14} {a.tier:<14} {a.words()} ({a.status}, {a.document.name})" for a in self.awards]
        return "\n".join(["Rewards per newly certified firm, 10,000 yuan; who is not named is missing", *rows])

    def _lower(self, row: Award, date: dt.date) -> float:
        """The largest award that the same jurisdiction states for a lower tier."""
        lower = [self.award(row.jurisdiction, tier, date, carry_back=True) for tier in TIERS[: TIERS.index(row.tier)]]
        return max((one.amount or 0.0 for one in lower if isinstance(one, Award)), default=0.0)

    def _row(
        self, place: str, tier: Tier, day: pd.Timestamp, amounts: tuple[float, float], carry_back: bool
    ) -> tuple[float, float, float, str, str]:
        paid, upper = (None if np.isnan(value) else float(value) for value in amounts)
        date = day.date()
        dose = self.dose(place, tier, date, already_paid=paid, upper_award=upper, carry_back=carry_back)
        low, high = self.bounds(place, tier, date, already_paid=paid, upper_award=upper)
        if isinstance(dose, Unavailable):
            return np.nan, low, high, dose.reason, ""
        return dose.amount, low, high, "", ", ".join(dose.assumptions)


def load_reward_schedule(folder: str | Path | None = None) -> Schedule:
    """Every stated award: the project's `data/rewards/*.toml` over the packaged ones, or those of `folder` only.

    Districts that no document names have no row: `Schedule.dose` is unavailable there and `Schedule.bounds` is wide.

    Raises
    ------
    DataError
        A file breaks its form: all problems of all files at once.
    """
    files = resource_files("rewards", ".toml") if folder is None else {p.name: p for p in sorted(Path(folder).glob("*.toml"))}
    if not files:
        raise DataError(Problem(what="No file of rewards was found.", where="data/rewards/*.toml", remedy="check the folder"))
    problems: list[Problem] = []
    districts = load_districts()
    awards = tuple(award for path in files.values() for award in read_awards(path, problems))
    known = (*districts.districts, *districts.zones)
    unknown = sorted({award.jurisdiction for award in awards if award.jurisdiction} - set(known))
    problems.extend(
        Problem(what=f"jurisdiction {name!r} is neither a district nor a zone.", remedy=suggestion(name, known)) for name in unknown
    )
    raise_if_any(DataError, problems)
    return Schedule(awards=awards, districts=districts)


def _read_rows(frame: pd.DataFrame, names: tuple[str | None, ...], districts: Districts) -> pd.DataFrame:
    """The columns that a dose needs, checked; all problems at once."""
    jurisdiction, tier, date, already_paid, upper_award = names
    problems: list[Problem] = []
    places = column_or(frame, jurisdiction, "").map(str)
    known = districts.names()
    unknown = ~places.map(lambda name: plain_name(name) in known).to_numpy(bool)
    words = ("place is no district and no zone", "places are no district and no zone")
    flag(problems, unknown, words, f"column {jurisdiction}", "write them as data/districts.toml does")
    tiers = column_or(frame, tier, "")
    words = ("value is no tier", "values are no tier")
    flag(problems, (~tiers.isin(TIERS)).to_numpy(bool), words, f"column {tier}", f"one of: {', '.join(TIERS)}")
    days = read_days(frame, str(date), problems, last_day=False, required=True)
    amounts = [_amounts(frame, name, problems) for name in (already_paid, upper_award)]
    raise_if_any(DataError, problems)
    return pd.DataFrame({"place": places, "tier": tiers, "day": days, "paid": amounts[0], "upper": amounts[1]})


def _amounts(frame: pd.DataFrame, name: str | None, problems: list[Problem]) -> FloatArray:
    if name is None:
        return np.full(len(frame), np.nan)
    values = read_number(frame, name, problems)
    flag(problems, values < 0, ("amount is negative", "amounts are negative"), f"column {name}", "give 10,000 yuan, 0 or more")
    return values
