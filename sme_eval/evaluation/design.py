"""A design: which policy, outcome, comparison and estimators; decided before the outcome is opened, and sealed by a hash."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, cast

from sme_eval.checks import sizes, trends
from sme_eval.errors import DesignError, Problem, raise_if_any, suggestion
from sme_eval.estimators.before_after import BeforeAfter
from sme_eval.estimators.callaway_santanna import CallawaySantAnna
from sme_eval.estimators.district_dose import DistrictDose
from sme_eval.estimators.event_study_regression import EventStudyRegression
from sme_eval.estimators.imputation import ImputationDiD
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.protocol import Estimator, choose
from sme_eval.estimators.stacked import StackedDiD
from sme_eval.estimators.sun_abraham import SunAbraham
from sme_eval.estimators.two_stage import TwoStageDiD
from sme_eval.estimators.two_way_fixed_effects import TwoWayFixedEffects
from sme_eval.estimators.untangle import EntryArm, Exposure, Untangle
from sme_eval.policies.policy import Policy
from sme_eval.policies.rules import EstimatorRule
from sme_eval.terms import Comparison, PanelRule

from . import claim
from .plain import to_plain
from .record import DesignRecord
from .record_base import Choice, EstimatorRecord

ESTIMATORS: Mapping[str, type[Any]] = {
    "CallawaySantAnna": CallawaySantAnna,
    "TwoWayFixedEffects": TwoWayFixedEffects,
    "EventStudyRegression": EventStudyRegression,
    "SunAbraham": SunAbraham,
    "ImputationDiD": ImputationDiD,
    "TwoStageDiD": TwoStageDiD,
    "StackedDiD": StackedDiD,
    "LandmarkDiD": LandmarkDiD,
    "DistrictDose": DistrictDose,
    "Untangle": Untangle,
    "BeforeAfter": BeforeAfter,
}
"""Estimators that a design may name: those of the effect of a first treatment."""

NOBODY = "nobody"
"""The comparison of a headline of the treated alone."""
NO_LIST = "on_no_list"
"""The comparison of designs that have no other: firms on no list before, whatever happens to them later."""
NOT_ENTERED = "not_entered"
"""The same where no list counts but the treatment itself."""
SAME_TIER = "same_tier"
"""The same among members of the tier from which one enters."""


def estimator_from_rule(rule: EstimatorRule, policy: Policy) -> Estimator:
    """The estimator that a policy file names, with its choices; one that separates a bundle takes the policy's arms and parts."""
    if rule.name not in ESTIMATORS:
        raise DesignError(Problem(what=f"There is no estimator {rule.name!r}.", remedy=suggestion(rule.name, tuple(ESTIMATORS))))
    kind = ESTIMATORS[rule.name]
    known = tuple(field.name for field in dataclasses.fields(kind))
    unknown = [name for name in rule.choices if name not in known]
    raise_if_any(
        DesignError,
        [Problem(what=f"{rule.name} has no choice {name!r}.", remedy=suggestion(name, known)) for name in unknown],
    )
    choices: dict[str, Any] = dict(rule.choices)
    if kind is Untangle:
        choices |= _bundle(policy)
    return cast(Estimator, kind(**choices))


def _bundle(policy: Policy) -> dict[str, Any]:
    """Arms, exposures and sums as the estimator takes them."""
    return {
        "arms": {arm.name: EntryArm(arm.entry, where=arm.where) for arm in policy.arms},
        "exposures": {e.name: Exposure(e.start, times=e.times, per=e.per, where=e.where) for e in policy.exposures},
        "sums": {one.name: one.weights for one in policy.sums},
    }


def describe(estimator: Estimator, covariates: tuple[str, ...] = ()) -> EstimatorRecord:
    """An estimator as the record holds it; `level` is in the design, and of a mapping its names.

    `covariates` are the sample's: an estimator that conditions on them lists them, and without any has no method of doing so.
    """
    choices: dict[str, Choice] = {}
    for field in dataclasses.fields(cast(Any, estimator)):
        value = getattr(estimator, field.name)
        if field.name != "level":
            choices[field.name] = _told(value)
    if isinstance(estimator, CallawaySantAnna):
        del choices["learner"]
        if estimator.learner is not None:
            choices["learner"] = estimator.learner.description
        if not covariates:
            del choices["method"]
    if covariates and "covariates" not in choices:
        choices["covariates"] = covariates
    return EstimatorRecord(name=type(estimator).__name__, choices=choices)


def _told(value: Any) -> Choice:
    """A choice as a scalar or a list of them: of a mapping its names, of an interaction its factors with a cross between."""
    if isinstance(value, Mapping):
        return tuple(value)
    if isinstance(value, tuple):
        return tuple(" × ".join(item) if isinstance(item, tuple) else item for item in value)
    return cast(Choice, value)


@dataclass(frozen=True)
class Design:
    """Policy × outcome × comparison × estimators.

    `estimator` gives the headline and `alternatives` stand beside it. A landmark headline always has its doubly robust and its
    unconditional twin beside it. `comparison` must be one that the policy defends; None keeps
    each estimator's own. `mechanisms` are further outcomes estimated the same way. `cluster` is a column under which firms nest.

    Raises
    ------
    DesignError
        An outcome the policy does not declare, a comparison it does not defend, an estimator of something else than a first
        treatment.
    """

    policy: Policy
    outcome: str
    estimator: Estimator
    comparison: Comparison | None = None
    alternatives: tuple[Estimator, ...] = ()
    mechanisms: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    cluster: str | None = None
    checks: Literal["policy"] = "policy"

    def __post_init__(self) -> None:
        self._refuse_contradictions()
        compared = tuple(_with(e, {"comparison": self.comparison}) for e in (self.estimator, *self.alternatives))
        object.__setattr__(self, "estimator", compared[0])
        object.__setattr__(self, "alternatives", _with_twins(compared[0], compared[1:]))
        object.__setattr__(self, "mechanisms", tuple(self.mechanisms))

    @classmethod
    def from_policy(
        cls,
        policy: Policy,
        outcome: str | None = None,
        *,
        comparison: Comparison | None = None,
        panel: PanelRule | None = None,
        level: float | None = None,
    ) -> Design:
        """The policy file's own design for one of its outcomes, with other choices where they are given.

        Its other outcomes are the mechanisms. `panel` and `level` go to every estimator that has them. `comparison` goes to the
        headline only: the alternatives are there to show the other answers, and one that has become the headline changes places
        with it.

        Raises
        ------
        DesignError
            The policy does not declare the outcome or does not defend the comparison.
        """
        chosen = policy.main_outcome if outcome is None else outcome
        policy.outcome(chosen)
        common = {"panel": panel, "level": level}
        declared, *others = (_with(estimator_from_rule(rule, policy), common) for rule in (policy.estimator, *policy.alternatives))
        headline = _with(declared, {"comparison": comparison})
        return cls(
            policy,
            outcome=chosen,
            estimator=headline,
            alternatives=tuple(declared if other == headline else other for other in others),
            mechanisms=tuple(name for name in policy.outcomes if name != chosen),
            cluster=policy.cluster,
        )

    @property
    def level(self) -> float:
        """Level of the headline's interval."""
        return float(getattr(self.estimator, "level", 0.95))

    def record(self) -> DesignRecord:
        """The design as the record holds it, with the hash of everything that was decided before the outcome was opened."""
        record = DesignRecord(
            outcome=self.outcome,
            estimator=describe(self.estimator, self.covariates),
            alternatives=tuple(describe(e, self.covariates) for e in self.alternatives),
            mechanisms=self.mechanisms,
            comparison=_comparison(self.estimator),
            cluster=self.cluster,
            level=self.level,
            smallest_effect=self.policy.outcome(self.outcome).smallest_effect,
            hash="",
        )
        text = json.dumps([self.policy.name, to_plain(record), to_plain(_decided(self))], sort_keys=True)
        return dataclasses.replace(record, hash=hashlib.sha256(text.encode()).hexdigest())

    def _refuse_contradictions(self) -> None:
        for name in (self.outcome, *self.mechanisms):
            self.policy.outcome(name)
        problems = [
            Problem(
                what=f"{type(e).__name__} cannot stand in a design.",
                where="estimators of a first treatment are needed",
                remedy=f"one of: {', '.join(ESTIMATORS)}",
            )
            for e in (self.estimator, *self.alternatives)
            if type(e).__name__ not in ESTIMATORS
        ]
        defended = self.policy.treatment.comparisons
        chosen = {self.comparison, getattr(self.estimator, "comparison", None)} - {None, *defended}
        for comparison in sorted(chosen, key=str):
            problems.append(
                Problem(
                    what=f"Policy {self.policy.name} does not defend the comparison {comparison!r}.",
                    remedy=suggestion(comparison, defended),
                )
            )
        problems += choose("checks", self.checks, ("policy",))
        raise_if_any(DesignError, problems)


def _comparison(estimator: Estimator) -> str | None:
    """Whom the headline compares with, by name."""
    if isinstance(estimator, BeforeAfter):
        return NOBODY
    if getattr(estimator, "within", None) is not None:
        return SAME_TIER
    if hasattr(estimator, "listed"):
        return NO_LIST if estimator.listed is not None else NOT_ENTERED
    return getattr(estimator, "comparison", None)


def _decided(design: Design) -> dict[str, Any]:
    """What decides beside the record's own words: the policy's declarations that numbers or checks read, and the rule's thresholds.

    Labels and page texts are left out: changed words change no decision.
    """
    policy = design.policy
    return {
        "instrument": policy.instrument,
        "treatment": [
            policy.treatment.cohort,
            policy.treatment.never_treated,
            policy.treatment.comparisons,
            policy.treatment.estimand,
        ],
        "codings": [coding.column for coding in policy.treatment.codings],
        "outcomes": policy.outcomes,
        "checks": [design.checks, policy.checks],
        "listing": policy.listing,
        "arms": {arm.name: [arm.entry, arm.where] for arm in policy.arms},
        "exposures": {part.name: [part.start, part.times, part.per, part.where] for part in policy.exposures},
        "sums": {one.name: one.weights for one in policy.sums},
        "thresholds": {
            f"{module.__name__}.{name}": value for module in (claim, sizes, trends) for name, value in _constants(module)
        },
    }


def _constants(module: ModuleType) -> list[tuple[str, float]]:
    """Named numbers of a module, in their order."""
    return [(name, value) for name, value in vars(module).items() if name.isupper() and isinstance(value, int | float)]


def _with_twins(headline: Estimator, alternatives: tuple[Estimator, ...]) -> tuple[Estimator, ...]:
    """The twins of a landmark headline first: what is conditioned on must never go unseen."""
    if not isinstance(headline, LandmarkDiD):
        return alternatives
    twins = (headline.doubly_robust(), headline.unconditional())
    return (*twins, *(e for e in alternatives if e not in twins and e != headline))


def _with(estimator: Estimator, choices: Mapping[str, Any]) -> Estimator:
    """The estimator with those of the choices that were made and that it has."""
    made = {name: value for name, value in choices.items() if value is not None and hasattr(estimator, name)}
    return cast(Estimator, dataclasses.replace(cast(Any, estimator), **made)) if made else estimator
