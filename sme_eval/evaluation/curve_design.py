"""From a policy's rule to specifications: the product of its options, less what is ruled out, then the contrasts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal, cast

from sme_eval.errors import DesignError, Problem, raise_if_any, suggestion
from sme_eval.estimators.callaway_santanna import CallawaySantAnna
from sme_eval.estimators.imputation import ImputationDiD
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.policies.rules import SUBSTANTIVE, CurveRule

from .design import ESTIMATORS, Design

OutcomeScale = Literal["log", "ihs", "level"]
FITTED: Final = (LandmarkDiD, CallawaySantAnna, ImputationDiD)
"""Estimators whose firms' influences are known."""
COLUMNS: Final = ("cohort", "covariates", "listed", "growth_of")
"""Choices that name columns of the panel."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a specification does to the outcome, the sample and the dating; the defaults are the headline's.

    `scale` None is the declared one; values beyond the quantiles `winsorise` and 1 − `winsorise` of their year are set to them; the
    shares `largest` and `smallest` of the firms are left out; `balanced` keeps firms seen in every year.
    """

    scale: OutcomeScale | None = None
    winsorise: float = 0.0
    largest: float = 0.0
    smallest: float = 0.0
    without_year: int | None = None
    balanced: bool = False
    cohort: str = ""

    @property
    def outcome(self) -> str:
        """A name for the outcome so scaled."""
        return f"{self.scale or ''} {self.winsorise:g}"

    @property
    def firms(self) -> str:
        """A name for the firms so kept."""
        return f"{self.largest:g} {self.smallest:g} {self.balanced}"


@dataclass(frozen=True, kw_only=True)
class Specification:
    """One specification: where it stands in the curve, its estimator and what that is fitted to."""

    places: tuple[int | None, ...]
    contrast: int | None
    estimator: object
    rules: Rules


def offered(rule: CurveRule, columns: tuple[str, ...]) -> CurveRule | None:
    """The rule without options that name columns the panel lacks; None if too little is left to vary."""
    dimensions = []
    for dimension in rule.dimensions:
        options = tuple(o for o in dimension.options if _columns(o.choices, rule.size) <= set(columns))
        dimensions.append(dataclasses.replace(dimension, options=options))
    contrasts = tuple(c for c in rule.contrasts if _columns(c.choices, rule.size) <= set(columns))
    varied = {d.kind for d in dimensions if len(d.options) > 1} & set(SUBSTANTIVE)
    if len(varied) < 2 or not all(d.options for d in dimensions):
        return None
    return dataclasses.replace(rule, dimensions=tuple(dimensions), contrasts=contrasts)


def _columns(choices: Mapping[str, Any], size: str) -> set[str]:
    named = [choices[key] for key in COLUMNS if choices.get(key)]
    listed = [name for one in named for name in ((one,) if isinstance(one, str) else one)]
    return {*listed, *((size,) if choices.get("largest") or choices.get("smallest") else ())}


def specifications(rule: CurveRule, design: Design) -> list[Specification]:
    """Every defended specification, the first options' first, then every contrast.

    Raises
    ------
    DesignError
        An option makes a choice that neither the estimator nor a rule knows.
    """
    made: list[Specification] = []
    sizes = [range(len(dimension.options)) for dimension in rule.dimensions]
    for places in product(*sizes):
        if not _excluded(rule, places):
            made.append(_specification(rule, design, places, None))
    for n, contrast in enumerate(rule.contrasts):
        kept = [(None,) if d.name in contrast.replaces else s for d, s in zip(rule.dimensions, sizes, strict=True)]
        made += [_specification(rule, design, places, n) for places in product(*kept) if not _excluded(rule, places)]
    return made


def _excluded(rule: CurveRule, places: tuple[int | None, ...]) -> bool:
    chosen = {d.name: None if n is None else d.options[n].name for d, n in zip(rule.dimensions, places, strict=True)}
    return any(all(chosen[name] == option for name, option in pairs.items()) for pairs in rule.excluded)


def _choices(rule: CurveRule, places: tuple[int | None, ...], contrast: int | None) -> Iterator[tuple[str, Any]]:
    for dimension, n in zip(rule.dimensions, places, strict=True):
        if n is not None:
            yield from dimension.options[n].choices.items()
    if contrast is not None:
        yield from rule.contrasts[contrast].choices.items()


def _specification(rule: CurveRule, design: Design, places: tuple[int | None, ...], contrast: int | None) -> Specification:
    made = dict(_choices(rule, places, contrast))
    own = {field.name for field in dataclasses.fields(Rules)}
    rules = Rules(**{name: made.pop(name) for name in own & set(made)})
    estimator = _base(design, made.pop("estimator", None))
    known = {field.name for field in dataclasses.fields(cast(Any, estimator))}
    raise_if_any(
        DesignError,
        [Problem(what=f"The curve makes an unknown choice {name!r}.", remedy=suggestion(name, tuple(known | own)))
         for name in set(made) - known],
    )  # fmt: skip
    if isinstance(estimator, LandmarkDiD) and "window" in made:
        made["window"] = (estimator.window[0], made["window"][1])
    return Specification(
        places=places,
        contrast=contrast,
        estimator=dataclasses.replace(cast(Any, estimator), **made),
        rules=dataclasses.replace(rules, cohort=rules.cohort or design.policy.treatment.cohort),
    )


def _base(design: Design, name: object) -> object:
    """The design's own estimator, or one of another name with its defaults."""
    if name is None or name == type(design.estimator).__name__:
        return design.estimator
    return ESTIMATORS[str(name)](level=design.level)


def is_headline(one: Specification, design: Design) -> bool:
    """Whether a specification is the design's own."""
    return one.contrast is None and one.estimator == design.estimator and one.rules == Rules(cohort=design.policy.treatment.cohort)
