"""What differs between two releases, as a record of its own: the pages of a difference print nothing that is not in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sme_eval.evaluation.record_base import Bilingual, Count, Number, Scalar

from .difference_cause import Cause

Change = Literal["sign", "moved", "interval", "appeared", "disappeared", "given", "missing"]
Group = Literal["headline", "alternative", "mechanism"]
Status = Literal["same", "same_numbers", "small", "explained", "several", "unexplained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectChange:
    """One effect that moved, by more than the threshold in standard errors of the old record, or came or went.

    `alike` says that the two samples differ by so few firms that the estimates side by side would single these out: then no number
    is given. `points` is the change in percentage points of an effect that is given in per cent.
    """

    group: Group
    change: Change
    estimator: str
    comparison: str | None
    role: str | None
    outcome: Bilingual
    alike: bool
    old: Number | None
    new: Number | None
    shift: Number | None
    percent_old: Number | None
    percent_new: Number | None
    points: Number | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeChange:
    """A count that changed: of the main estimate, or of a step (`rule`) of the sample flow."""

    name: str
    rule: str | None
    old: Count | None
    new: Count | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AspectChange:
    """One thing the record says in a word: kind and direction of the claim, level of evidence, kind of data, audience."""

    name: str
    old: Scalar
    new: Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckChange:
    """A check whose verdict changed: "passed", "failed", "informative" or "absent"."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDifference:
    """Two evaluations of one question. `n_small` effects changed by less than the threshold, `n_numbers` numbers at all."""

    slug: str
    old_slug: str
    policy: Bilingual
    outcome: Bilingual
    data_kind: str
    audience: str
    status: Status
    stamped: bool
    causes: tuple[Cause, ...]
    effects: tuple[EffectChange, ...]
    aspects: tuple[AspectChange, ...]
    strength: Literal["stronger", "weaker"] | None
    caveats_gained: tuple[str, ...]
    caveats_lost: tuple[str, ...]
    sizes: tuple[SizeChange, ...]
    checks: tuple[CheckChange, ...]
    n_small: int
    n_numbers: int

    @property
    def differs(self) -> bool:
        """Whether anything differs that the page lists."""
        found = (self.effects, self.aspects, self.caveats_gained, self.caveats_lost, self.sizes, self.checks)
        return any(found) or self.status == "unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureFlag:
    """A place where two released records together say what neither may.

    `rule` is "withheld" (a number of the same data is given by one record and withheld by the other), "few_apart" (two counts of
    firms whose difference is small) or "alike" (two estimates whose samples differ by few firms). `place` keys the words of the
    place, which `row` fills; it holds names, years and labels, never a number that was found.
    """

    rule: Literal["withheld", "few_apart", "alike"]
    place: str
    row: Mapping[str, Any]
    old_slug: str
    new_slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedReport:
    """A report that only one of the two releases has."""

    slug: str
    policy: Bilingual
    outcome: Bilingual
    data_kind: str
    audience: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Everything between two releases. `audience` is "internal" as soon as one record that was read is.

    `n_examined` reports were there as released records on both sides, so that disclosure could be looked at.
    """

    threshold: float
    audience: str
    reports: tuple[ReportDifference, ...]
    only_old: tuple[ListedReport, ...] = ()
    only_new: tuple[ListedReport, ...] = ()
    flags: tuple[DisclosureFlag, ...] = ()
    n_examined: int = 0

    @property
    def differs(self) -> bool:
        """Whether anything differs that the page lists."""
        return bool(self.only_old or self.only_new or any(report.differs for report in self.reports))
