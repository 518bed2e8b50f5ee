"""Certification as spells of three years, each ended by a review: ever certified and certified now are different estimands.

A firm keeps the certificate until its review; the review renews it, does not, or is not known yet. A list that counts everyone who
was ever announced (gross) is no stock, and a list of today's holders (net) forgets those who lost it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from sme_eval.errors import ParameterError, Problem, suggestion
from sme_eval.results.text import Printable

from .spell_reader import read_spells, spell_notes
from .tiers import ENDED, TIERS, Review, Tier

_FOLLOWS: Final = pd.Timedelta(days=366)
"""A renewed certificate whose new spell begins within a year was valid in between: results are published months late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """One certificate: days of validity, both included; `valid_to` None while no end is recorded."""

    firm: object
    tier: Tier
    valid_from: dt.date
    valid_to: dt.date | None
    review: Review


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TierSteps:
    """`levels`: firm × year, highest valid tier 0–4 or missing; `steps`: firm × tier, first year at or above it, 0 never."""

    levels: pd.DataFrame
    steps: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spells(Printable):
    """Spells of certification by firm and tier, as known on the day `as_of`; `Spells.from_frame` makes them.

    `same_year_until` dates cohorts: what begins in that month or earlier belongs to its own calendar year, what begins later to
    the next one (12: always its own). The day after a spell's end is dated by the same rule, so that three years of validity are
    three years wherever they begin. Spells given as years begin on 1 January. `notes` says what is legal but worth knowing.

    Rows and counts here are of single firms: nothing below ten of them may leave the house.
    """

    as_of: dt.date
    same_year_until: int
    notes: tuple[Problem, ...]
    _spells: pd.DataFrame = field(repr=False)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        as_of: dt.date,
        columns: Sequence[str] = ("firm", "tier", "valid_from", "valid_to", "review"),
        same_year_until: int = 6,
    ) -> Spells:
        """Read and check spells; `columns` names firm, tier, valid_from, valid_to and review, in that order.

        Tiers: innovative, srdi, little_giant, key. Reviews: renewed, not_renewed, withdrawn, pending. Dates or years; a missing
        valid_to is a spell without a recorded end.

        >>> rows = {"firm": [7, 7], "tier": ["little_giant"] * 2, "valid_from": [2019, 2022], "valid_to": [2021, 2024]}
        >>> frame = pd.DataFrame({**rows, "review": ["renewed", "not_renewed"]})
        >>> spells = Spells.from_frame(frame, as_of=dt.date(2025, 12, 31))
        >>> int(spells.first_certification("little_giant")[7]), int(spells.lapse_year("little_giant")[7])
        (2019, 2025)

        Raises
        ------
        DataError
            Rows that cannot be true: overlapping spells of one tier, an end before the beginning, two open spells, a beginning
            after `as_of`, an outcome without an end; all at once, by row number.
        ParameterError
            `same_year_until` is no month, or `columns` are not five.
        """
        if same_year_until not in range(1, 13):
            raise ParameterError(Problem(what=f"same_year_until is {same_year_until!r}.", remedy="give a month from 1 to 12"))
        if len(columns) != 5:
            raise ParameterError(Problem(what="columns must be five names.", remedy="firm, tier, valid_from, valid_to, review"))
        spells = read_spells(frame, tuple(columns), as_of)
        notes = spell_notes(spells)
        return cls(as_of=as_of, same_year_until=same_year_until, notes=notes, _spells=_dated(spells, as_of, same_year_until))

    def __iter__(self) -> Iterator[Spell]:
        """Every spell, by tier, firm and beginning."""
        columns = ("firm", "tier", "start", "end", "review")
        for firm, tier, start, end, review in zip(*(self._spells[name] for name in columns), strict=True):
            until = None if pd.isna(end) else end.date()
            yield Spell(firm=firm, tier=tier, valid_from=start.date(), valid_to=until, review=review)

    def __len__(self) -> int:
        """Number of spells."""
        return len(self._spells)

    @property
    def firms(self) -> pd.Index[Any]:
        """Firms with a spell of any tier, sorted."""
        firms: pd.Index[Any] = pd.Index(np.sort(self._spells["firm"].unique()), name="firm")
        return firms

    def first_certification(self, tier: Tier) -> pd.Series[int]:
        """Estimand *ever certified*: the first year ever in which `tier` was awarded, 0 never; by firm.

        The cohort of a design with absorbing treatment: later lapses are part of what follows from first certification.
        """
        first = self._of(tier).groupby("firm")["from_year"].min()
        return first.reindex(self.firms, fill_value=0).astype("int64").rename("first_certification")

    def currently_certified(self, tier: Tier, years: Sequence[int]) -> pd.DataFrame:
        """Estimand *certified now*: firm × year, 1 while a certificate of `tier` is valid, 0 when it is not, missing when unknown.

        Treatment that switches on and off, for designs with non-absorbing treatment. Unknown: after the end of a spell whose
        review is pending, or that was renewed by a spell the list does not have.
        """
        asked, spells, firms = self._years(years), self._of(tier), self.firms
        at = firms.get_indexer(pd.Index(spells["firm"]))
        begin, until, following = (spells[name].to_numpy()[:, None] for name in ("from_year", "until_year", "next_year"))
        valid, unknown = (np.zeros((len(firms), asked.size), dtype=bool) for _ in range(2))
        np.logical_or.at(valid, at, (begin <= asked) & (asked < until))
        np.logical_or.at(unknown, at, (until <= asked) & (asked < following) & ~spells["ended"].to_numpy()[:, None])
        known = pd.DataFrame(valid.astype("int8"), index=firms, columns=pd.Index(asked, name="year")).astype("Int8")
        return known.mask(unknown & ~valid)

    def tier_steps(self, years: Sequence[int]) -> TierSteps:
        """Estimand *step*: the highest tier valid in each year, as 0 none, 1 innovative, 2 SRDI, 3 little giant, 4 key.

        For effects of one step against firms that stay a step below. A step's year is the first in which the firm held that
        tier or a higher one, also before the years asked for; a level is missing where a higher tier's validity is unknown.
        """
        asked, firms = self._years(years), self.firms
        level = np.zeros((len(firms), asked.size))
        for place, tier in enumerate(TIERS, start=1):
            valid = self.currently_certified(tier, years).to_numpy(np.float64, na_value=np.nan)
            level = np.where(np.isnan(valid), np.nan, np.where(valid == 1, place, level))
        first = pd.DataFrame({tier: self.first_certification(tier) for tier in TIERS})
        ever = first.where(first > 0)[list(TIERS[::-1])].cummin(axis=1).ffill(axis=1)
        levels = pd.DataFrame(level, index=firms, columns=pd.Index(asked, name="year")).astype("Int8")
        return TierSteps(levels=levels, steps=ever[list(TIERS)].fillna(0).astype("int64"))

    def lapse_year(self, tier: Tier) -> pd.Series[int]:
        """The first year without a valid certificate after having had one; by firm.

        0 where there is none by `as_of`, missing where it is not known whether the certificate was renewed. A firm certified again
        later keeps the year of its first lapse.
        """
        spells = self._of(tier)
        gaps = spells[(spells["until_year"] < spells["next_year"]) & (spells["until_year"] <= self.as_of.year)]
        first = gaps.drop_duplicates("firm").set_index("firm")
        year = first["until_year"].astype("Int64").where(first["ended"])
        return year.reindex(self.firms, fill_value=0).where(~self.firms.isin(first.index[~first["ended"]])).rename("lapse_year")

    def counts(self, tier: Tier, years: Sequence[int]) -> pd.DataFrame:
        """By year: `new` first certifications, `gross` firms ever certified, `net` certified now, `lost` and `unknown`.

        gross = net + lost + unknown. A sum over batches is `gross`; only `net` is a stock, and only it compares with a published
        list of today's holders.
        """
        asked, first = self._years(years), self.first_certification(tier).to_numpy()
        valid = self.currently_certified(tier, years).to_numpy(np.float64, na_value=np.nan)
        ever = (first > 0)[:, None] & (first[:, None] <= asked)
        columns = {
            "new": (first[:, None] == asked).sum(axis=0),
            "gross": ever.sum(axis=0),
            "net": (valid == 1).sum(axis=0),
            "lost": (ever & (valid == 0)).sum(axis=0),
            "unknown": np.isnan(valid).sum(axis=0),
        }
        return pd.DataFrame(columns, index=pd.Index(asked, name="year"))

    def overlap(self, year: int) -> pd.DataFrame:
        """Firms certified in `year` in both the row's and the column's tier; `any`: in at least one.

        Tiers are nested, so the diagonal never adds up to the number of firms: that is `any` × `any`.
        """
        held = np.column_stack(
            [self.currently_certified(tier, [year]).to_numpy(np.float64, na_value=0)[:, 0] == 1 for tier in TIERS]
        )
        held = np.column_stack([held, held.any(axis=1)]).astype(np.int64)
        names = pd.Index([*TIERS, "any"], name="tier")
        return pd.DataFrame(held.T @ held, index=names, columns=names)

    def to_frame(self) -> pd.DataFrame:
        """Firm, tier, valid_from, valid_to, review and the spell's first year and the first year after it; a copy."""
        names = {"start": "valid_from", "end": "valid_to"}
        return self._spells[["firm", "tier", "start", "end", "review", "from_year", "until_year"]].rename(columns=names)

    def summary(self) -> str:
        """Number of spells and firms by tier, and the notes."""
        by_tier = self._spells.groupby("tier")["firm"].agg(["size", "nunique"])
        lines = [
            f"  {tier:<14} {by_tier['size'][tier]} spells of {by_tier['nunique'][tier]} firms"
            for tier in TIERS
            if tier in by_tier.index
        ]
        return "\n".join([f"Spells of certification, as of {self.as_of}", *lines, *(str(note) for note in self.notes)])

    def _of(self, tier: Tier) -> pd.DataFrame:
        if tier not in TIERS:
            raise ParameterError(Problem(what=f"There is no tier {tier!r}.", remedy=suggestion(tier, TIERS)))
        return self._spells[self._spells["tier"] == tier]

    def _years(self, years: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        late = [int(year) for year in years if year > self.as_of.year]
        if late or not len(years):
            what = (
                f"The list is as of {self.as_of}; {len(late)} of the years asked for lie after it."
                if late
                else "No year was asked for."
            )
            raise ParameterError(Problem(what=what, remedy=f"ask for years up to {self.as_of.year}"))
        return np.asarray(years, dtype=np.int64).reshape(-1)


def _dated(spells: pd.DataFrame, as_of: dt.date, same_year_until: int) -> pd.DataFrame:
    """`spells` with their first year, the first year after them, the next spell's first year, and whether they surely ended."""
    following = spells.groupby(["tier", "firm"])["start"].shift(-1)
    after = spells["end"] + pd.Timedelta(days=1)
    joined = (spells["review"] == "renewed") & (following - after <= _FOLLOWS)
    after = after.where(~joined, following)
    beyond = max(as_of.year, int(spells["start"].dt.year.max())) + 2
    return spells.assign(
        from_year=_year(spells["start"], same_year_until).astype("int64"),
        until_year=_year(after, same_year_until).fillna(beyond).astype("int64"),
        next_year=_year(following, same_year_until).fillna(beyond).astype("int64"),
        ended=spells["review"].isin(ENDED),
    )


def _year(days: pd.Series[pd.Timestamp], same_year_until: int) -> pd.Series[int]:
    return days.dt.year + (days.dt.month > same_year_until)
