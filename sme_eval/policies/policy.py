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
    listing: ListingRule | None = None
    arms: tuple[ArmRule, ...] = ()
    exposures: tuple[ExposureRule, ...] = ()
    sums: tuple[SumRule, ...] = ()
    checks: CheckRule = field(default_factory=CheckRule)
    curve: CurveRule | None = None
    cost: CostRule | None = None

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
    """Every declared policy by name: the project's `data/policies/*.toml` over the packaged ones, or those of `folder` only.

    Raises
    ------
    DesignError
        A file breaks its form: all problems of all files at once.
    """
    files = resource_files("policies", ".toml") if folder is None else {p.name: p for p in sorted(Path(folder).glob("*.toml"))}
    if not files:
        raise DesignError(Problem(what="No policy file was found.", where="data/policies/*.toml", remedy="check the folder"))
    problems: list[Problem] = []
    policies = [Policy(**read_policy(path, problems)) for path in files.values()]
    raise_if_any(DesignError, problems)
    return FrozenMapping({policy.name: policy for policy in policies})


def find_policy(name: str, folder: str | Path | None = None) -> Policy:
    """One policy by name; DesignError with a suggestion if there is none."""
    policies = load_policies(folder)
    if name not in policies:
        raise DesignError(
            Problem(what=f"There is no policy {name!r}.", where="data/policies/", remedy=suggestion(name, tuple(policies)))
        )
    return policies[name]
