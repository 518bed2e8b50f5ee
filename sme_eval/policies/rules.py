"""What a policy file declares, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sme_eval.panel.declarations import Label
from sme_eval.panel.frozen_mapping import FrozenMapping
from sme_eval.terms import Comparison, Covariance

Instrument = Literal["certification", "reward", "credit", "bundle", "list", "service"]
"""What kind of support it is: members of a certification and of a list (a library, a board) are chosen by officials for what they
had done, a service is taken up by firms, credit moves price and access together, a bundle is several at once."""
Scale = Literal["log", "level"]
Gain = Literal["own", "step"]
Role = Literal["outcome", "mechanism"]
Constant = str | int | float | bool
Choice = Constant | tuple[Constant, ...]
CurveKind = Literal["comparison", "covariates", "window", "scale", "sample", "dating", "method"]
SUBSTANTIVE: tuple[CurveKind, ...] = ("comparison", "covariates", "window", "scale", "sample")
"""Kinds of choices about the world, not about computation: a curve must vary at least two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingRule:
    """A column of first treated years, and the rule that dates them in words."""

    column: str
    label: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentRule:
    """The column of the first treated year, the code for never, what treatment is in words.

    `comparisons` are the comparison groups that the policy defends, in order of preference. `codings` are other columns that
    date the same treatment by another rule, shown beside the first. `estimand` says which gain is asked for: "own", everything that
    entrants gain since the year before, other support that comes with the entry included; or "step", what the entry itself
    brings, where those compared with get all other support alike.
    """

    cohort: str
    never_treated: int
    label: Label
    comparisons: tuple[Comparison, ...]
    codings: tuple[CodingRule, ...] = ()
    estimand: Gain = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRule:
    """An outcome that the policy is judged by. `smallest_effect` of interest is in the outcome's own unit; a mechanism has none."""

    name: str
    scale: Scale
    role: Role
    smallest_effect: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorRule:
    """An estimator by name with its choices."""

    name: str
    choices: Mapping[str, Choice]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRule:
    """A published regression: `coefficients` maps a term to its printed estimate and standard error."""

    outcome: str
    formula: str
    covariance: Covariance
    decimals: int
    source: str
    coefficients: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """A paragraph of the policy's pages. `about` "data" is said only of the policy's own source, not of another panel."""

    label: Label
    about: Literal["policy", "data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRule:
    """Cheaper credit by listing: the mechanisms that are terms of credit, which of them is the amount and which the price.

    `certified` is the column of the first year of firms that were listed because of a certificate: the arm whose exclusion fails.
    `year_effects_by` is the label whose year effects the panel regressions beside the headline hold constant.
    """

    terms: tuple[str, ...]
    amount: str
    price: str
    certified: str
    year_effects_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRule:
    """One way into the bundle: the column of its first year, and which of its firms."""

    name: str
    label: Label
    entry: str
    where: Mapping[str, Constant | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureRule:
    """One part of the bundle: from the year in `start` on, times the column `times` / `per`, for the firms of `where`.

    In a simulation its truth is the effect `truth_part` of the firms of `truth_arm`.
    """

    name: str
    label: Label
    start: str
    times: str | None
    per: float
    where: Mapping[str, Constant | None]
    truth_part: str
    truth_arm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SumRule:
    """A sum of parts that is worth knowing; its truth is the sum of the effects `truth_parts` of the firms of `truth_arm`."""

    name: str
    label: Label
    weights: Mapping[str, float]
    truth_parts: tuple[str, ...]
    truth_arm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRule:
    """The columns that the checks of a design ask for; empty where a policy declares none, and the check is then left out.

    `district` and `industry` are labels to leave out one by one and to keep apart in placebo assignments; `size` a numeric baseline
    for trimming. `groups` are labels whose effects are compared. `concurrent` are first years of other policies, excluded one by
    one. `measured` maps an outcome to a better measured twin. `lapse` is the first year without the treatment again, `exposure`
    are shares of treated neighbours, `baseline` numeric columns whose balance is shown, `comparisons` first years of lists whose
    members may serve as comparison.
    """

    district: str = ""
    industry: str = ""
    size: str = ""
    groups: tuple[str, ...] = ()
    concurrent: tuple[str, ...] = ()
    measured: Mapping[str, str] = field(default_factory=FrozenMapping)
    lapse: str = ""
    exposure: tuple[str, ...] = ()
    baseline: tuple[str, ...] = ()
    comparisons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveOption:
    """One choice of a dimension: `choices` are fields of the estimator, or rules of the outcome, the sample and the dating."""

    name: str
    label: Label
    choices: Mapping[str, Choice | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveDimension:
    """One question that could have been decided otherwise, with every answer that the policy defends, its own first.

    `kind` says what the question is about; two dimensions may be about the same.
    """

    name: str
    kind: CurveKind
    label: Label
    options: tuple[CurveOption, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveContrast:
    """Specifications that are not defended and are shown as such: `choices` in place of those of the dimensions `replaces`."""

    name: str
    label: Label
    replaces: tuple[str, ...]
    choices: Mapping[str, Choice | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveRule:
    """The specification curve: the product of the dimensions, less the combinations `excluded` (dimension → option).

    It is drawn for `outcomes`. `size` is the column whose first year says how large a firm is, for samples without the largest.
    """

    outcomes: tuple[str, ...]
    size: str
    dimensions: tuple[CurveDimension, ...]
    excluded: tuple[Mapping[str, str], ...]
    contrasts: tuple[CurveContrast, ...]
