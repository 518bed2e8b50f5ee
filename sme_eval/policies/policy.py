"""A policy as declared in `data/policies/<name>.toml`: treatment, comparison, outcomes, published results, words of its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sme_eval.errors import DesignError, Problem, raise_if_any, suggestion
from sme_eval.panel.declarations import Label
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.resources import resource_files
from sme_eval.results.text import Printable

from .cost_rules import CostRule
from .facts import load_facts, load_systems
from .instruments import RefusedInstrument, ThreatRule, contradictions
from .reader import read_policy
from .rules import (
    ArmRule,
    CheckRule,
    Constant,
    CurveRule,
    EstimatorRule,
    ExposureRule,
    Instrument,
    ListingRule,
    OutcomeRule,
    PageText,
    PublishedRule,
    SumRule,
    TreatmentRule,
)


@dataclass(frozen=True, kw_only=True)
class Policy(Printable):
    """One declared policy; `load_policies()` reads them."""

    name: str
    instrument: Instrument
    label: Label
    question: Label
    source: str
    source_parameters: Mapping[str, Constant]
    companion: str | None
    treatment: TreatmentRule
    outcomes: Mapping[str, OutcomeRule]
    estimator: EstimatorRule
    alternatives: tuple[EstimatorRule, ...]
    published: tuple[PublishedRule, ...]
    published_counts: tuple[int, ...]
    numbers: Mapping[str, Constant]
    background: tuple[PageText, ...]
    reading: tuple[PageText, ...]
    limits: tuple[PageText, ...]
    sources: Mapping[str, str]
    data_sources: Mapping[str, str]
    cluster: str | None = None
    listing: ListingRule | None = None
    arms: tuple[ArmRule, ...] = ()
    exposures: tuple[ExposureRule, ...] = ()
    sums: tuple[SumRule, ...] = ()
    checks: CheckRule = field(default_factory=CheckRule)
    curve: CurveRule | None = None
    cost: CostRule | None = None
    system: str = ""
    facts: tuple[str, ...] = ()
    threats: tuple[ThreatRule, ...] = ()

    def outcome(self, name: str) -> OutcomeRule:
        """The rule of one outcome; DesignError with a suggestion if the policy does not declare it."""
        if name not in self.outcomes:
            raise DesignError(
                Problem(
                    what=f"Policy {self.name} declares no outcome {name!r}.",
                    remedy=suggestion(name, tuple(self.outcomes)),
                )
            )
        return self.outcomes[name]

    @property
    def main_outcome(self) -> str:
        """The first declared outcome."""
        return next(iter(self.outcomes))

    def summary(self) -> str:
        """Name, question, outcomes and comparison groups."""
        outcomes = ", ".join(f"{rule.name} ({rule.role})" for rule in self.outcomes.values())
        return "\n".join(
            [
                f"{self.name} ({self.instrument}): {self.label.en} · {self.label.zh}",
                f"  question     {self.question.en}",
                f"  data         {self.source}",
                f"  outcomes     {outcomes}",
                f"  comparisons  {', '.join(self.treatment.comparisons)}",
                f"  estimator    {self.estimator.name}; beside it {', '.join(rule.name for rule in self.alternatives) or 'none'}",
            ]
        )


def load_policies(folder: str | Path | None = None) -> Mapping[str, Policy]:
    """Every policy that can be evaluated, by name; what is refused is among `load_instruments()`.

    Read are the project's `data/policies/*.toml` over the packaged ones, or those of `folder` only.

    Raises
    ------
    DesignError
        A file breaks its form, or contradicts its facts: all problems of all files at once.
    """
    return FrozenMapping({one.name: one for one in _read(folder) if isinstance(one, Policy)})


def load_instruments(folder: str | Path | None = None) -> Mapping[str, Policy | RefusedInstrument]:
    """Every declared instrument by name, refused ones too.

    They come in the order of the systems of the published reply and of its facts, those of no system last.

    Raises
    ------
    DesignError
        A file breaks its form, or contradicts its facts: all problems of all files at once.

    Examples
    --------
    >>> instruments = load_instruments()
    >>> instruments["legal_services"].refusal.kind, instruments["credit"].system
    ('no_comparison', 'finance')
    """
    order = {key: n for n, key in enumerate(load_systems())}
    found = sorted(_read(folder), key=lambda one: (order.get(one.system, len(order)), one.facts or ("F",), one.name))
    return FrozenMapping({one.name: one for one in found})


def find_policy(name: str, folder: str | Path | None = None) -> Policy:
    """One policy by name; DesignError with the reason if it is refused, with a suggestion if there is none."""
    found = find_instrument(name, folder)
    if isinstance(found, RefusedInstrument):
        raise DesignError(found.why_not)
    return found


def find_instrument(name: str, folder: str | Path | None = None) -> Policy | RefusedInstrument:
    """One instrument by name, evaluable or refused; DesignError with a suggestion if there is none."""
    declared = {one.name: one for one in _read(folder)}
    if name not in declared:
        raise DesignError(
            Problem(what=f"There is no policy {name!r}.", where="data/policies/", remedy=suggestion(name, tuple(declared)))
        )
    return declared[name]


def _read(folder: str | Path | None) -> list[Policy | RefusedInstrument]:
    files = resource_files("policies", ".toml") if folder is None else {p.name: p for p in sorted(Path(folder).glob("*.toml"))}
    if not files:
        raise DesignError(Problem(what="No policy file was found.", where="data/policies/*.toml", remedy="check the folder"))
    problems: list[Problem] = []
    read = [read_policy(path, problems) for path in files.values()]
    found = [RefusedInstrument(**fields) if "refusal" in fields else Policy(**fields) for fields in read]
    problems += _against_the_reply(found)
    raise_if_any(DesignError, problems)
    return found


def _against_the_reply(found: list[Policy | RefusedInstrument]) -> list[Problem]:
    """Systems and facts that the published reply does not have, and files that its facts contradict."""
    problems: list[Problem] = []
    named = [one for one in found if one.system or one.facts]
    facts, systems = (load_facts(), load_systems()) if named else ({}, {})
    for one in named:
        where = f"{one.name}.toml"
        if one.system not in systems:
            what, remedy = f"system is {one.system!r}.", suggestion(one.system, tuple(systems))
            problems.append(Problem(what=what, where=where, remedy=remedy))
        for name in (name for name in one.facts if name not in facts):
            problems.append(Problem(what=f"There is no fact {name!r}.", where=where, remedy=suggestion(name, tuple(facts))))
        known = {name: facts[name] for name in one.facts if name in facts}
        codes, statuses = {name: fact.codes for name, fact in known.items()}, {fact.status for fact in known.values()}
        kind = one.refusal.kind if isinstance(one, RefusedInstrument) else None
        problems += contradictions(where, codes, statuses, kind)
    return problems
