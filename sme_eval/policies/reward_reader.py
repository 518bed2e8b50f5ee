"""Reads the documents that state district rewards, `data/rewards/<name>.toml`, strictly: every problem named, all at once."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast, get_args

from sme_eval.errors import Problem
from sme_eval.panel.declarations import Entry, Label, read_tables

from .facts import Fact, load_facts
from .tiers import TIERS, Tier

Rule = Literal["amount", "match", "not_stated"]
Netting = Literal["top_up", "none", "not_stated"]
Status = Literal["in_force", "expired", "draft"]
DocumentKind = Literal["own", "report"]

_DOCUMENT: Final = ("name", "kind", "date", "zh", "en")
UNITS: Final[Mapping[str, str]] = {"wan_yuan_per_firm": "amount", "ratio": "ratio"}
"""Unit of a fact → the number of an award that it gives."""
_AWARD: Final = (
    "jurisdiction", "tier", "rule", "fact", "amount", "ratio", "ceiling", "at_most", "netting",
    "valid_from", "valid_to", "status", "confirmed",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardDocument:
    """Where an award is stated: the jurisdiction's own document, or a report about it by somebody else, which gives way to it."""

    name: str
    kind: DocumentKind
    date: dt.date
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """What one document says that a jurisdiction pays a newly certified firm of one tier, in 10,000 yuan.

    `amount` per firm, or `ratio` of an award from above, or not stated; never more than `ceiling`. With `at_most` the amount is an
    upper limit itself. Netting: `top_up` takes off what the lower tier brought, `none` does not, `not_stated` leaves it
    open. `valid_from` None: since when is not stated; `valid_to` None: until another row follows.
    """

    jurisdiction: str
    tier: Tier
    rule: Rule
    amount: float | None
    ratio: float | None
    ceiling: float | None
    at_most: bool
    netting: Netting
    valid_from: dt.date | None
    valid_to: dt.date | None
    status: Status
    confirmed: bool
    document: RewardDocument

    def holds(self, date: dt.date, *, carry_back: bool) -> bool:
        """Whether the award was paid on `date`; before an undated one's document only with `carry_back`."""
        if self.valid_to is not None and date > self.valid_to:
            return False
        if self.valid_from is not None:
            return date >= self.valid_from
        # An end without a beginning says that everything before it was under this award.
        return carry_back or self.valid_to is not None or date >= self.document.date

    def rank(self) -> tuple[bool, dt.date, dt.date]:
        """The larger goes first among awards that hold: own documents, then later beginnings, then later documents."""
        return self.document.kind == "own", self.valid_from or dt.date.min, self.document.date

    def gross(self, upper_award: float | None) -> float:
        """The award before netting, up to its ceiling; NaN for a match of an unknown award."""
        stated = self.amount if self.rule == "amount" else math.nan if upper_award is None else (self.ratio or 0.0) * upper_award
        value = math.nan if stated is None else stated
        return value if self.ceiling is None else min(value, self.ceiling)

    def assumptions(self, date: dt.date) -> tuple[str, ...]:
        """What reading the award as a dose of `date` assumes; the names are explained at `Dose`."""
        undated = self.valid_from is None and self.valid_to is None
        named = (
            ("carried_back", undated and date < self.document.date),
            ("at_most", self.at_most),
            ("netting_not_stated", self.netting == "not_stated"),
            ("match_base_not_stated", self.rule == "match"),
        )
        return tuple(name for name, holds in named if holds)

    def words(self) -> str:
        """The rule in words."""
        if self.rule == "amount":
            return f"{'at most ' if self.at_most else ''}{self.amount:g}{' as a top-up' if self.netting == 'top_up' else ''}"
        return f"{self.ratio:g} × an award from above" if self.rule == "match" else "not stated"


def read_awards(path: Path, problems: list[Problem]) -> tuple[Award, ...]:
    """The awards of one document; what is wrong is added to `problems`."""
    top = Entry(read_tables(path), path.name, problems)
    top.only(("document", "awards"))
    document = _document(top, path.stem)
    rows = top.values.get("awards", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Mapping) for row in rows):
        problems.append(Problem(what="awards must be a list of tables.", where=path.name, remedy="write at least one [[awards]]"))
        return ()
    facts = load_facts()
    entries = [Entry(row, f"{path.name} [[awards]] {n}", problems) for n, row in enumerate(rows, start=1)]
    return tuple(_award(entry, document, facts) for entry in entries)


def _document(top: Entry, stem: str) -> RewardDocument:
    value = top.values.get("document", {})
    entry = Entry(value if isinstance(value, Mapping) else {}, f"{top.where} [document]", top.problems)
    entry.only(_DOCUMENT)
    name = entry.text("name", required=True)
    if name and name != stem:
        top.problems.append(Problem(what=f"name is {name!r}.", where=top.where, remedy="name the file after the document"))
    date = _date(entry, "date")
    if date is None:
        top.problems.append(Problem(what="date is missing.", where=entry.where, remedy="add date = YYYY-MM-DD"))
    kind = cast(DocumentKind, entry.choice("kind", get_args(DocumentKind)))
    return RewardDocument(name=name, kind=kind, date=date or dt.date.min, label=entry.label())


def _award(entry: Entry, document: RewardDocument, facts: Mapping[str, Fact]) -> Award:
    entry.only(_AWARD)
    award = Award(
        jurisdiction=entry.text("jurisdiction", required=True),
        tier=cast(Tier, entry.choice("tier", TIERS)),
        rule=cast(Rule, entry.choice("rule", get_args(Rule))),
        amount=_stated(entry, "amount", facts),
        ratio=_stated(entry, "ratio", facts),
        ceiling=entry.number("ceiling"),
        at_most=entry.flag("at_most"),
        netting=cast(Netting, entry.choice("netting", get_args(Netting))),
        valid_from=_date(entry, "valid_from"),
        valid_to=_date(entry, "valid_to"),
        status=cast(Status, entry.choice("status", get_args(Status))),
        confirmed=entry.flag("confirmed"),
        document=document,
    )
    _check(award, entry)
    return award


def _stated(entry: Entry, key: str, facts: Mapping[str, Fact]) -> float | None:
    """A number of the row, or of the fact of `data/facts/` that it names; a fact's unit says whether it is an amount or a ratio."""
    name, own = entry.text("fact"), entry.number(key)
    if not name:
        return own
    fact = facts.get(name)
    if fact is None or fact.unit is None or fact.unit not in UNITS:
        remedy = "name a fact in 10,000 yuan per firm or of a match, such as F15"
        entry.problems.append(Problem(what=f"fact is {name!r}.", where=entry.where, remedy=remedy))
        return own
    if own is not None:
        entry.problems.append(Problem(what=f"{key} stands beside a fact.", where=entry.where, remedy="drop one of them"))
    return fact.value if UNITS[fact.unit] == key else own


def _check(award: Award, entry: Entry) -> None:
    """A rule has the number it needs and no other; numbers are not negative; dates are in order."""
    needed = {"amount": award.amount, "match": award.ratio}
    numbers = {"amount": award.amount, "ratio": award.ratio, "ceiling": award.ceiling}
    after = award.valid_from is not None and award.valid_to is not None and award.valid_to < award.valid_from
    found = (
        (
            award.rule in needed and needed[award.rule] is None,
            f"rule {award.rule} has no number.",
            "add amount, or ratio of a match",
        ),
        (award.rule != "amount" and award.amount is not None, f"rule {award.rule} has an amount.", "drop it, or change the rule"),
        (award.rule != "match" and award.ratio is not None, f"rule {award.rule} has a ratio.", "drop it, or change the rule"),
        (any(value is not None and value < 0 for value in numbers.values()), "a number is negative.", "rewards are paid to firms"),
        (after, "valid_to is before valid_from.", "check the dates"),
    )
    entry.problems.extend(Problem(what=what, where=entry.where, remedy=remedy) for bad, what, remedy in found if bad)


def _date(entry: Entry, key: str) -> dt.date | None:
    value = entry.values.get(key)
    if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return value
    entry.problems.append(Problem(what=f"{key} must be a date.", where=entry.where, remedy=f"write {key} = 2022-11-03"))
    return None
