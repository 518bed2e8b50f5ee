"""The certification rules as declared in `data/rules/*.toml`: what is asked, how it is scored, which routes lead past the score.

Units throughout: money in ten thousand yuan (万元), shares and growth in per cent, staff in persons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

from sme_eval.errors import ParameterError, Problem, suggestion
from sme_eval.panel.declarations import Label
from sme_eval.panel.frozen_mapping import FrozenMapping

Tier = Literal["innovative", "srdi", "little_giant"]
TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
RuleVersion = Literal[2022, 2026]
InputKind = Literal["number", "flag", "choice", "text"]
Side = Literal["at_least", "above", "at_most", "below"]
SIDES: Final[tuple[Side, ...]] = get_args(Side)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmInput:
    """One thing that rules ask about a firm. `share` marks per cents that no list of firms has all at or below 1."""

    name: str
    kind: InputKind
    unit: str
    label: Label
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    share: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One comparison of an input with a bound: `at_least` and `at_most` are closed, `above` and `below` open.

    A flag `is` true or false; a choice is `one_of` some. `confirmed` is false where the bound was not checked against a source.
    """

    input: str
    how: Literal["at_least", "above", "at_most", "below", "is", "one_of"]
    bound: float | bool | tuple[str, ...]
    confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionGroup:
    """All, or any, of several conditions."""

    how: Literal["all", "any"]
    parts: tuple[Condition | ConditionGroup, ...]


Test = Condition | ConditionGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What every firm has to meet, or one direct route past the score. `waived_on_review`: asked of new applicants only."""

    name: str
    label: Label
    test: Test
    confirmed: bool = True
    waived_on_review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepScale:
    """A step function: the points of the first bound that the input meets on that `side`, else none.

    With `at_least`, bounds fall: (5, 3) and points (20, 15) give 15 for 3 ≤ x < 5. With `below`, bounds rise.
    """

    input: str
    side: Side
    bounds: tuple[float, ...]
    points: tuple[float, ...]

    @property
    def attainable(self) -> tuple[float, ...]:
        """Every number of points that the scale can give."""
        return (*self.points, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScale:
    """Points by class of a choice."""

    input: str
    classes: Mapping[str, float]

    @property
    def attainable(self) -> tuple[float, ...]:
        """Every number of points that the scale can give."""
        return tuple(self.classes.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppliedScale:
    """Points that somebody else gave: one of those `allowed`, or anything from 0 to `maximum` where these are not known."""

    input: str
    allowed: tuple[float, ...]
    maximum: float

    @property
    def attainable(self) -> tuple[float, ...]:
        """Every number of points that the scale can give; its two ends only where the values are not known."""
        return self.allowed or (0.0, self.maximum)


Scale = StepScale | ClassScale | SuppliedScale


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreItem:
    """One item of a score, in points: the best that any of its scales gives."""

    name: str
    block: str
    maximum: float
    label: Label
    scales: tuple[Scale, ...]
    confirmed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreBlock:
    """A group of items, the most it can give and the least it has to, in points."""

    name: str
    maximum: float
    minimum: float
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRule:
    """The score, in points: passed with at least `passing` and at least the minimum of every block."""

    passing: float
    blocks: tuple[ScoreBlock, ...]
    items: tuple[ScoreItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRule:
    """The rules of one tier in one version.

    Eligible is who meets every requirement and, where there are a score or direct routes, passes the score or one route.
    `since` and `until` are the first and last day of application, None where not known or open; `reviews_from` the first day on
    which reviews follow it too. `complete` is false where conditions are known to be missing: nobody is then found eligible.
    `omitted` says what the document asks beside what is declared.
    """

    name: str
    tier: Tier
    rule_version: RuleVersion
    since: date | None
    until: date | None
    reviews_from: date | None
    source: str
    provenance: Label
    valid_years: int | None
    label: Label
    complete: bool
    omitted: tuple[Label, ...]
    requirements: tuple[Requirement, ...]
    score: ScoreRule | None
    routes: tuple[Requirement, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every input that the rules ask for, sorted."""
        tests = (requirement.test for requirement in (*self.requirements, *self.routes))
        scales = (scale.input for item in (self.score.items if self.score else ()) for scale in item.scales)
        return tuple(sorted({condition.input for test in tests for condition in conditions(test)} | set(scales)))

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Rules that were not checked against a source: `requirement.…`, `item.…`, `route.…`, with the input of a single bound."""
        found = [f"requirement.{name}" for one in self.requirements for name in _unconfirmed(one)]
        found += [f"item.{item.name}" for item in (self.score.items if self.score else ()) if not item.confirmed]
        return tuple(found + [f"route.{name}" for one in self.routes for name in _unconfirmed(one)])


def conditions(test: Test) -> Iterator[Condition]:
    """Every single comparison of a test."""
    if isinstance(test, Condition):
        yield test
    else:
        for part in test.parts:
            yield from conditions(part)


def _unconfirmed(requirement: Requirement) -> list[str]:
    if not requirement.confirmed:
        return [requirement.name]
    return [f"{requirement.name}.{one.input}" for one in conditions(requirement.test) if not one.confirmed]


def score_support(score: ScoreRule) -> tuple[float, ...]:
    """Every total that the declared steps can give, in points, rising; items without declared values make it incomplete.

    Raises
    ------
    ParameterError
        An item's points are supplied and their values are not declared.

    Examples
    --------
    >>> from sme_eval.policies.tier_rule_files import find_tier_rule
    >>> support = score_support(find_tier_rule("innovative", 2022).score)
    >>> support[0], support[-1], len(support), 60.0 in support
    (5.0, 100.0, 20, True)
    """
    totals = {0.0}
    for item in score.items:
        open_ended = any(isinstance(scale, SuppliedScale) and not scale.allowed for scale in item.scales)
        if open_ended:
            raise ParameterError(Problem(what=f"The points of {item.name} are not declared.", remedy="declare its values first"))
        lowest = max(min(scale.attainable) for scale in item.scales)
        points = {value for scale in item.scales for value in scale.attainable if value >= lowest}
        totals = {total + value for total in totals for value in points}
    return tuple(sorted(totals))


def known_tier(tier: str) -> Tier:
    """`tier` as one of `TIERS`.

    Raises
    ------
    ParameterError
        There is no such tier.
    """
    for known in TIERS:
        if tier == known:
            return known
    raise ParameterError(Problem(what=f"There is no tier {tier!r}.", remedy=suggestion(tier, TIERS)))


FirmInputs = FrozenMapping[str, FirmInput]
