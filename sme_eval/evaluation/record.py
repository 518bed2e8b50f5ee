"""The evaluation record: frozen, typed, serialised. Every printed number is a reference into it.

The schema stands in one file, because it is read as one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sme_eval.errors import DataError, Problem
from sme_eval.results.text import Printable
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import DataKind

from .plain import from_plain, to_plain
from .record_base import Bilingual, Count, EffectRecord, EstimatorRecord, Number, Scalar
from .record_checks import CheckRecord
from .record_curve import CurveRecord
from .record_reading import EvidenceLevelRecord, NaturalRecord
from .record_recommendations import RecommendationsRecord
from .record_sections import (
    BracketRecord,
    BundleRecord,
    CodingRecord,
    ComparedRecord,
    DoseRecord,
    EstimandRecord,
    ListingRecord,
    PowerRecord,
)
from .record_upgrade import upgrade
from .record_value import ValueRecord

SCHEMA_VERSION = 3

ClaimKind = Literal[
    "descriptive_only",
    "consistent",
    "suggestive",
    "no_effect_above",
    "cannot_tell_trends",
    "cannot_tell_power",
    "cannot_tell_clusters",
    "not_estimated",
]
Direction = Literal["increase", "decrease", "none"]
Audience = Literal["internal", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """Where a fact comes from."""

    key: str
    citation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreatRecord:
    """What would make the design mislead, and what is done about it."""

    threat: Bilingual
    remedy: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRecord:
    """What the policy file says and the pages print. `numbers` are declared facts that its texts refer to."""

    name: str
    instrument: str
    label: Bilingual
    question: Bilingual
    treatment: Bilingual
    background: tuple[Bilingual, ...]
    reading: tuple[Bilingual, ...]
    limits: tuple[Bilingual, ...]
    numbers: Mapping[str, Scalar]
    published_counts: tuple[int, ...]
    sources: tuple[SourceRecord, ...]
    threats: tuple[ThreatRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRecord:
    """An outcome; with `scale` "log" effects are also given in per cent.

    `smallest_effect` of interest is in the outcome's unit and was fixed in the policy file before estimation.
    """

    name: str
    label: Bilingual
    unit: Bilingual
    scale: Literal["log", "level"]
    smallest_effect: float | None
    role: Literal["outcome", "mechanism"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignRecord:
    """What was decided before the outcome was opened; `hash` seals it."""

    outcome: str
    estimator: EstimatorRecord
    alternatives: tuple[EstimatorRecord, ...]
    mechanisms: tuple[str, ...]
    comparison: str | None
    cluster: str | None
    level: float
    smallest_effect: float | None
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRecord:
    """A joint test of zero: chi-squared with `restrictions` degrees of freedom."""

    __test__ = False  # pytest would take the name for a test

    statistic: Number
    restrictions: int
    p_value: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTimeRecord:
    """The effect at one event time; the band is simultaneous over all event times."""

    event_time: int
    estimate: Number
    std_error: Number
    conf_low: Number
    conf_high: Number
    band_low: Number
    band_high: Number
    n_treated: Count
    is_reference: bool
    truth: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStudyRecord:
    """Effects by event time, the joint test of those before treatment, and the simultaneous band's making.

    Only event times up to `last_lead` speak to trends: what happened later is conditioned on.
    """

    estimator: EstimatorRecord
    rows: tuple[EventTimeRecord, ...]
    pretrend: TestRecord | Unavailable
    level: float
    band_draws: int
    band_critical_value: float
    last_lead: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRecord:
    """One cohort: its firms in the sample, how many are observed in each of the sample's years, and its average effect."""

    cohort: int
    n_firms: Count
    observed: tuple[Count, ...]
    estimate: Number
    std_error: Number
    conf_low: Number
    conf_high: Number
    truth: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortMapRecord:
    """Who was treated when: the years of the sample, the cohorts, and the firms never treated in it."""

    years: tuple[int, ...]
    cohorts: tuple[CohortRecord, ...]
    n_never_treated: Count
    never_observed: tuple[Count, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """One published coefficient and what we get for it; `matches` to the last printed digit."""

    term: str
    estimate: float
    std_error: float
    replicated_estimate: float
    replicated_std_error: float
    matches: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRecord:
    """A published regression, redone."""

    source: str
    formula: str
    decimals: int
    n_firms: int
    n_observations: int
    rows: tuple[PublishedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRecord:
    """One step of the sample flow: what a rule left and what it dropped."""

    rule: str
    firms: Count
    rows: Count
    dropped_firms: Count
    dropped_rows: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What may be said, without a language. `demonstration` marks simulated data: the claim then speaks of the method only."""

    kind: ClaimKind
    direction: Direction
    demonstration: bool
    deciding: tuple[str, ...]
    caveats: tuple[str, ...]
    bound: float | None = None
    bound_percent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepetitionRecord:
    """One estimator over many simulated panels: what it gave on average against the truth, each with its Monte Carlo error.

    `claims` maps each kind of claim to the share of panels in which it was made (headline estimator only).
    """

    key: str
    estimator: EstimatorRecord
    estimand: str
    panels: int
    mean_estimate: float
    mean_truth: float
    bias: float
    bias_error: float
    coverage: float
    coverage_error: float
    level: float
    claims: Mapping[str, float]
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What the record was made from. No time and no place: the same inputs give the same bytes."""

    package_version: str
    commit: str
    dirty: bool | None
    python: str
    libraries: Mapping[str, str]
    source: str
    data_hash: str
    data_parameters: Mapping[str, Scalar]
    modules_hash: str
    lock_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldRecord:
    """What the gate withheld: where, how many numbers and why. Never what."""

    path: str
    rule: str
    numbers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Printable):
    """One policy, one outcome, one design: estimates, checks, claim, sample flow and provenance.

    `data_kind` has no default. `audience` is "internal" until the disclosure gate has made a released copy, which lists what it
    `withheld`. `companions` are evaluations of the same design on other data that the pages show beside it. `repetitions` say how
    the estimators did over many simulated panels of this kind.
    """

    schema_version: int
    name: str
    data_kind: DataKind
    audience: Audience
    policy: PolicyRecord
    outcome: OutcomeRecord
    design: DesignRecord
    headline: EffectRecord
    alternatives: tuple[EffectRecord, ...]
    mechanisms: tuple[EffectRecord, ...]
    mechanism_outcomes: Mapping[str, OutcomeRecord]
    event_study: EventStudyRecord
    cohort_map: CohortMapRecord
    published: tuple[PublishedRecord, ...]
    checks: tuple[CheckRecord, ...]
    claim: Claim
    sample_flow: tuple[FlowRecord, ...]
    warnings: tuple[str, ...]
    withheld: tuple[WithheldRecord, ...]
    companions: tuple[Evaluation, ...]
    repetitions: tuple[RepetitionRecord, ...]
    provenance: Provenance
    power: tuple[PowerRecord, ...] = ()
    compared: tuple[ComparedRecord, ...] = ()
    estimands: tuple[EstimandRecord, ...] = ()
    bracket: BracketRecord | None = None
    codings: tuple[CodingRecord, ...] = ()
    dose: DoseRecord | None = None
    listing: ListingRecord | None = None
    bundle: BundleRecord | None = None
    evidence_level: EvidenceLevelRecord | None = None
    natural: NaturalRecord | None = None
    curve: CurveRecord | None = None
    recommendations: RecommendationsRecord | None = None
    value: ValueRecord | None = None

    @property
    def slug(self) -> str:
        """File name stem: policy, outcome and data kind."""
        return f"{self.name}.{self.data_kind}"

    def beside(self, *others: Evaluation) -> Evaluation:
        """The same evaluation with companions that its pages show beside it."""
        return replace(self, companions=(*self.companions, *others))

    def to_json(self) -> str:
        """The record as text, keys in the order of the schema."""
        return json.dumps(to_plain(self), ensure_ascii=False, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Read a record of this schema version, or of an earlier one."""
        plain = upgrade(_parse(text))
        version = plain.get("schema_version")
        if version != SCHEMA_VERSION:
            raise DataError(
                Problem(
                    what=f"The record has schema version {version}, this package reads {SCHEMA_VERSION}.",
                    remedy="run the evaluation again",
                )
            )
        evaluation: Evaluation = from_plain(cls, plain)
        return evaluation

    def content_hash(self) -> str:
        """sha256 of the record's text."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def write(self, reports: str | Path) -> Path:
        """Write `<reports>/internal/<slug>/evaluation.json`, whole or not at all; returns its path.

        A copy for release is made by `sme_eval.evaluation.disclosure.release` and written to `<reports>/release/`.
        """
        path = Path(reports) / self.audience / self.slug / "evaluation.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".json.part")
        part.write_text(self.to_json(), encoding="utf-8", newline="\n")
        os.replace(part, path)
        return path

    @classmethod
    def read(cls, path: str | Path) -> Evaluation:
        """Read a record; `path` is the file or its folder."""
        path = Path(path)
        path = path / "evaluation.json" if path.is_dir() else path
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(
                Problem(what="There is no evaluation record here.", where=path.name, remedy="run `sme-eval evaluate` first")
            ) from None

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """A notebook keeps the summary beside the page's form of it, not the whole record."""
        printer.text(self.summary())

    def summary(self) -> str:
        """The headline, the claim and the counts."""
        from .summary import summary_text

        return summary_text(self)


def _parse(text: str) -> dict[str, Any]:
    try:
        plain = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            Problem(what="The record is no JSON.", where=f"line {error.lineno}", remedy="run the evaluation again")
        ) from None
    if not isinstance(plain, dict):
        raise DataError(Problem(what="The record is no JSON object.", remedy="run the evaluation again"))
    return plain
