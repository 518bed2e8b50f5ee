"""Instruments of the published reply: which of them a panel of firms can evaluate, and what is said of the others.

| facts of the instrument are coded | verdict |
|---|---|
| A (a panel of firms is enough) or B (linked records) | evaluable: the file declares treatment, outcomes and design |
| B without A, and something else than the firm is treated | refused: no panel of firms holds the treated unit |
| C (few firms, or monitoring), D (a benchmark), P (a plan) only, or nothing | refused: the file declares why, and no design |

Source of the codes: `data/facts/*.toml`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

from sme_eval.errors import Problem
from sme_eval.panel.declarations import Label
from sme_eval.results.text import Printable

from .rules import Instrument

Verdict = Literal["evaluable", "refused"]
RefusalKind = Literal["small_n", "no_comparison", "plan", "descriptive", "other_unit"]
EVALUABLE_CODES: Final = frozenset("AB")
TEST_LEVEL: Final = 0.05
"""Two-sided level of the test that a sample is planned for."""
POWER: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreatRule:
    """What would make the design mislead, and what is done about it."""

    name: str
    label: Label
    remedy: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallSample:
    """How many treated firms there are, and what their number allows.

    `smallest_effect` and `standard_deviation` (of the outcome's change from before treatment to after) are in the outcome's own
    unit; `compared` is how many comparison firms there are per treated one. The standard deviation is an assumption.

    Examples
    --------
    >>> few = SmallSample(outcome="log_revenue", treated=42, smallest_effect=0.03, standard_deviation=0.22, compared=5)
    >>> few.needed, round(few.detectable, 3)
    (507, 0.104)
    """

    outcome: str
    treated: int
    smallest_effect: float
    standard_deviation: float
    compared: float

    @property
    def needed(self) -> int:
        """Treated firms with which the smallest effect of interest would be found in four of five cases."""
        return math.ceil((_reach() * self.standard_deviation / self.smallest_effect) ** 2 * self._inflation())

    @property
    def detectable(self) -> float:
        """The smallest effect that as many firms as there are would show in four of five cases."""
        return _reach() * self.standard_deviation * math.sqrt(self._inflation() / self.treated)

    def _inflation(self) -> float:
        """Variance of a difference of means relative to the treated firms' own."""
        return 1.0 + 1.0 / self.compared


def _reach() -> float:
    """Standard errors between zero and an effect that is found with `POWER`."""
    normal = NormalDist()
    return normal.inv_cdf(1.0 - TEST_LEVEL / 2.0) + normal.inv_cdf(POWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an instrument is not evaluated. `unit` is who is treated, where that is not the firm."""

    kind: RefusalKind
    label: Label
    small_n: SmallSample | None = None
    unit: Label | None = None


@dataclass(frozen=True, kw_only=True)
class RefusedInstrument(Printable):
    """An instrument that is not evaluated, with its reason; `load_instruments()` reads them."""

    name: str
    instrument: Instrument
    label: Label
    question: Label
    system: str
    facts: tuple[str, ...]
    threats: tuple[ThreatRule, ...]
    refusal: Refusal
    sources: Mapping[str, str]

    @property
    def why_not(self) -> Problem:
        """The refusal as an error says it."""
        return Problem(
            what=f"{self.name} is not evaluated: {self.refusal.label.en} {self.refusal.label.zh}",
            where=f"data/policies/{self.name}.toml [refusal], kind {self.refusal.kind}",
            remedy=f"sme-eval policies {self.name} says more; sme-eval policies lists what can be evaluated",
        )

    def summary(self) -> str:
        """Name, question, facts, the reason."""
        return "\n".join(
            [
                f"{self.name} ({self.instrument}): {self.label.en} · {self.label.zh}",
                f"  question     {self.question.en}",
                f"  facts        {', '.join(self.facts)}",
                f"  evaluation   refused ({self.refusal.kind}): {self.refusal.label.en}",
                f"               {self.refusal.label.zh}",
            ]
        )


def verdict_of(codes: Collection[str]) -> Verdict:
    """Whether facts with these codes can be evaluated.

    Examples
    --------
    >>> verdict_of("BC"), verdict_of("CD"), verdict_of("")
    ('evaluable', 'refused', 'refused')
    """
    return "evaluable" if EVALUABLE_CODES & set(codes) else "refused"


def contradictions(
    where: str, codes: Mapping[str, Collection[str]], statuses: Collection[str], refused: RefusalKind | None
) -> list[Problem]:
    """What a file says against the codes (fact → codes) and statuses of its facts; `refused` is its kind of refusal, None without.

    A file that names no fact is of nobody's reply: its author decides.
    """
    if not codes:
        return []
    every = frozenset(code for each in codes.values() for code in each)
    facts = ", ".join(f"{fact} ({', '.join(each) or 'no code'})" for fact, each in codes.items())
    problems = []
    if verdict_of(every) == "refused" and refused is None:
        what = "It declares a design, but none of its facts is coded A or B."
        remedy = "declare [refusal] in place of treatment, outcomes and design, or name the fact that can be evaluated"
        problems.append(Problem(what=what, where=f"{where}: {facts}", remedy=remedy))
    if verdict_of(every) == "evaluable" and refused is not None and (refused != "other_unit" or "A" in every):
        what = "It declares [refusal], but its facts are coded A or B: they can be evaluated."
        remedy = 'declare treatment, outcomes and design; only facts coded B may be refused, with kind = "other_unit"'
        problems.append(Problem(what=what, where=f"{where}: {facts}", remedy=remedy))
    if refused == "plan" and set(statuses) - {"plan", "draft"}:
        what = "Its refusal says that it is a plan, but facts of it are in force."
        remedy = 'choose another kind: "small_n", "no_comparison" or "descriptive"'
        problems.append(Problem(what=what, where=f"{where}: {facts}", remedy=remedy))
    return problems
