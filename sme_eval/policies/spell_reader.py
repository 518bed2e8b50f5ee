"""Reads spells of certification strictly: every row that cannot be true is a problem, all of them at once, by row number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from sme_eval.errors import DataError, Problem, raise_if_any
from sme_eval.panel.validation import counted, flag, require_columns, rows_text
from sme_eval.stats.arrays import BoolArray

from .tiers import ENDED, REVIEWS, TIERS, VALIDITY_YEARS

FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2100
COLUMNS: Final = ("firm", "tier", "start", "end", "review", "row")


def read_spells(frame: pd.DataFrame, names: Sequence[str], as_of: dt.date) -> pd.DataFrame:
    """The spells as `COLUMNS`, sorted by tier, firm and start; `names` are the frame's own columns, from firm to review.

    Raises
    ------
    DataError
        Columns that are missing; then every row that cannot be true.
    """
    require_columns(frame, names)
    firm, tier, valid_from, valid_to, review = names
    problems: list[Problem] = []
    spells = pd.DataFrame(
        {
            "firm": _firms(frame, firm, problems),
            "tier": _choice(frame, tier, TIERS, problems),
            "start": read_days(frame, valid_from, problems, last_day=False, required=True),
            "end": read_days(frame, valid_to, problems, last_day=True, required=False),
            "review": _choice(frame, review, REVIEWS, problems),
            "row": np.arange(len(frame)),
        }
    )
    raise_if_any(DataError, problems)
    _check_each(spells, as_of, (valid_from, valid_to), problems)
    spells = spells.sort_values(["tier", "firm", "start", "row"], kind="stable", ignore_index=True)
    _check_together(spells, problems)
    raise_if_any(DataError, problems)
    return spells


def read_days(
    frame: pd.DataFrame, name: str, problems: list[Problem], *, last_day: bool, required: bool
) -> pd.Series[pd.Timestamp]:
    """Dates, or calendar years (whole numbers or four digits): then the first day of the year, or with `last_day` its last."""
    column, where = frame[name].reset_index(drop=True), f"column {name}"
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "M":
        days, missing = column, column.isna()
    else:
        text = column.astype("object").map(_written)
        missing = text == ""
        years = text.str.fullmatch(r"\d{4}") & ~missing
        ending = "-12-31" if last_day else "-01-01"
        days = pd.to_datetime(text.where(~years, text + ending), format="ISO8601", errors="coerce")
    outside = ~days.dt.year.between(FIRST_YEAR, LAST_YEAR)
    bad = (outside & ~missing).to_numpy(bool)
    remedy = f"write dates as 2022-08-31 or years as 2022, from {FIRST_YEAR} to {LAST_YEAR}"
    flag(problems, bad, ("value is no date and no year", "values are no dates and no years"), where, remedy)
    if required:
        absent = missing.to_numpy(bool)
        flag(problems, absent, ("spell has no beginning", "spells have no beginning"), where, "fill in when it began")
    normal: pd.Series[pd.Timestamp] = days.dt.normalize().astype("datetime64[s]")
    return normal


def _written(value: object) -> str:
    """A value as text; a year that was read as 2022.0 is 2022."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _firms(frame: pd.DataFrame, name: str, problems: list[Problem]) -> pd.Series[Any]:
    column = frame[name].reset_index(drop=True)
    flag(problems, column.isna().to_numpy(bool), ("row has no firm", "rows have no firm"), f"column {name}", "fill in the firm")
    return column


def _choice(frame: pd.DataFrame, name: str, choices: Sequence[str], problems: list[Problem]) -> pd.Series[str]:
    column = frame[name].reset_index(drop=True).astype("object")
    bad = (~column.isin(choices)).to_numpy(bool)
    words = ("value is none of the known ones", "values are none of the known ones")
    flag(problems, bad, words, f"column {name}", f"one of: {', '.join(choices)}")
    return column


def _check_each(spells: pd.DataFrame, as_of: dt.date, names: tuple[str, str], problems: list[Problem]) -> None:
    """What is wrong with a spell by itself."""
    start, end = spells["start"], spells["end"]
    where = f"columns {names[0]} and {names[1]}"
    flag(
        problems, (end < start).to_numpy(bool), ("spell ends before it begins", "spells end before they begin"), where,
        "check which of the two dates is wrong",
    )  # fmt: skip
    flag(
        problems, (start > pd.Timestamp(as_of)).to_numpy(bool), ("spell begins in the future", "spells begin in the future"),
        f"column {names[0]}", f"the list is as of {as_of}: check the date, or give the list's own",
    )  # fmt: skip
    endless = (spells["review"].isin(ENDED) & end.isna()).to_numpy(bool)
    flag(
        problems, endless, ("spell is over but has no end", "spells are over but have no end"), f"column {names[1]}",
        "fill in the last day of validity, or of a withdrawal its day",
    )  # fmt: skip


def _check_together(spells: pd.DataFrame, problems: list[Problem]) -> None:
    """What is wrong with a firm's spells of one tier beside each other."""
    same = ["tier", "firm"]
    open_end = spells["end"].isna()
    both_open = (open_end & (open_end.groupby([spells[c] for c in same]).transform("sum") > 1)).to_numpy(bool)
    _flag_rows(
        spells, both_open, ("spell is open beside another open one", "spells are open beside another of the same firm and tier"),
        "a firm holds a certificate once: close the earlier spell or drop the copy", problems,
    )  # fmt: skip
    # The latest end among all earlier spells, so that a long spell is seen to cover more than the next one.
    ends = spells["end"].fillna(pd.Timestamp.max.floor("s")).astype("datetime64[s]")
    latest = ends.astype("int64").groupby([spells[c] for c in same]).transform(lambda e: e.cummax().shift())
    overlapping = (spells["start"].astype("int64") <= latest).to_numpy(bool) & ~both_open
    _flag_rows(
        spells, overlapping, ("spell begins before an earlier one ends", "spells begin before an earlier one of that tier ends"),
        "end the earlier spell on the day before, or join what is one spell", problems,
    )  # fmt: skip


def _flag_rows(spells: pd.DataFrame, bad: BoolArray, words: tuple[str, str], remedy: str, problems: list[Problem]) -> None:
    """As `flag`, naming rows as they stood in the frame."""
    as_given = np.zeros(len(spells), dtype=bool)
    as_given[spells["row"].to_numpy()[bad]] = True
    flag(problems, as_given, words, "spells of one firm and tier", remedy)


def spell_notes(spells: pd.DataFrame) -> tuple[Problem, ...]:
    """What is legal but worth knowing, by row number and count."""
    tier, review = spells["tier"], spells["review"]
    days = (spells["end"] - spells["start"]).dt.days + 1
    months = (days / (365.25 / 12)).round()
    odd = days.notna() & (months != 12 * VALIDITY_YEARS) & (review != "withdrawn")
    following = spells.groupby(["tier", "firm"])["start"].shift(-1)
    alone = (review == "renewed") & following.isna() & spells["end"].notna()
    found = (
        (
            (tier == "little_giant") & ~_held_before(spells, "srdi"),
            ("little giant had no SRDI certificate before", "little giants had no SRDI certificate before"),
            "legal before the rules of 2022; later ones are worth a look in the lists",
        ),
        (
            (tier == "key") & ~_held_before(spells, "little_giant"),
            ("key firm was no little giant before", "key firms were no little giants before"),
            "key firms are chosen among little giants: a list is probably incomplete",
        ),
        (
            odd,
            (f"spell does not last {VALIDITY_YEARS} years", f"spells do not last {VALIDITY_YEARS} years"),
            "check the dates; a withdrawal has an outcome of its own",
        ),
        (
            alone,
            ("renewed spell is followed by none", "renewed spells are followed by none"),
            "what came after their end counts as unknown: add the new spell",
        ),
    )
    return tuple(_note(spells, mask, words, remedy) for mask, words, remedy in found if mask.any())


def _held_before(spells: pd.DataFrame, tier: str) -> pd.Series[bool]:
    """Whether the firm of each spell had a spell of `tier` that began on or before its start."""
    earliest = spells.loc[spells["tier"] == tier].groupby("firm")["start"].min()
    if earliest.empty:
        return pd.Series(False, index=spells.index)
    return spells["firm"].map(earliest) <= spells["start"]


def _note(spells: pd.DataFrame, mask: pd.Series[bool], words: tuple[str, str], remedy: str) -> Problem:
    as_given = np.zeros(len(spells), dtype=bool)
    as_given[spells.loc[mask, "row"].to_numpy()] = True
    return Problem(what=f"{counted(int(mask.sum()), *words)}.", first=rows_text(as_given), remedy=remedy)
