"""Parts of a record that only some policies have: power, the bracket, district doses, credit listing, the bundle.

Leaves of the schema in `record.py`, which see none of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sme_eval.results.unavailable import Unavailable

from .record_base import Bilingual, Count, EffectRecord, IntervalRecord, Number


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerRecord:
    """What a design could detect in a sample of this size, from its standard error alone.

    `detectable` is the effect found with probability `power` at the two-sided level `alpha`; with few districts by t with
    `degrees_of_freedom`, else None. `power_at_smallest` is the probability of finding the smallest effect of interest, and
    `samples` how many independent samples of this size would find it with probability `power`.
    """

    key: str
    label: Bilingual
    std_error: Number
    degrees_of_freedom: int | None
    alpha: float
    power: float
    detectable: Number
    detectable_percent: Number | None
    smallest_effect: float | None
    smallest_percent: float | None
    power_at_smallest: Number
    samples: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRecord:
    """Who is compared with whom, and when, for one cohort.

    `n_listed` firms were on a list before and are left out; `n_later` of the compared enter some list in that year or later.
    """

    cohort: int
    n_treated: Count
    n_comparison: Count
    n_listed: Count
    n_later: Count
    first_lead: int | None
    last_lead: int | None
    first_growth: int | None
    base: int
    last_effect: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimandRecord:
    """One of the effects that may be asked for, by name (step, own, bundle), and its truth where that is known."""

    name: str
    asked: bool
    truth: float | None
    truth_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BracketRecord:
    """The effect given past growth beside the one without, and the hull of both intervals, which is what may be printed.

    `doubly_robust` and `unconditional` are places among the alternatives. `slope` is the yearly drift of the conditional leads
    through the base (GLS); `reach` what it could make of the effect, `allowed` how much of that the rule bears; `adjusted_low`
    the smaller end of the conditional interval after taking off what the drift could make.
    """

    doubly_robust: int
    unconditional: int
    hull_low: Number
    hull_high: Number
    hull_percent: IntervalRecord | None
    slope: Number
    slope_error: Number
    reach: Number
    allowed: float | None
    adjusted_low: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingRecord:
    """The headline's design with the same entry dated by another rule."""

    column: str
    label: Bilingual
    asked: bool
    effect: EffectRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeRecord:
    """The slope of district effects on dose by one kind of inference; `valid` with as few districts as these."""

    method: str
    estimate: Number
    std_error: Number
    conf_low: Number
    conf_high: Number
    p_value: Number
    degrees_of_freedom: int | None
    valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictRecord:
    """The certificate's effect in one district, beside the dose that the district states."""

    district: str
    label: Bilingual
    dose: Number
    n_treated: Count
    estimate: Number
    std_error: Number
    conf_low: Number
    conf_high: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRecord:
    """District effects on dose: every kind of inference, what chance could give at best, and what unnamed doses could do.

    The slope is per `per` units of the dose. `attainable_p` is the smallest p-value that any data with these doses can give
    when the doses are permuted over `n_districts`, `assignments` the number of different ways to do so. `needed_new` and
    `needed_repeated` are the fewest further districts that bring it to `alpha`, if each pays a dose of its own or repeats one.
    `unnamed_*` is the effect where no dose is stated. The sensitivity gives the unnamed districts every combination of `tried`
    doses.
    """

    unit: Bilingual
    per: float
    alpha: float
    n_districts: int
    n_unnamed: int
    districts: tuple[DistrictRecord, ...]
    slopes: tuple[SlopeRecord, ...]
    at_zero: Number
    at_zero_low: Number
    at_zero_high: Number
    permutation_p: Number
    bootstrap_p: Number
    attainable_p: float
    assignments: int
    needed_new: Count
    needed_repeated: Count
    unnamed_estimate: Number
    unnamed_low: Number
    unnamed_high: Number
    unnamed_firms: Count
    tried: tuple[float, ...]
    combinations: Count
    slope_lowest: Number
    slope_highest: Number
    hull_lowest: Number
    hull_highest: Number
    attainable_best: Number
    truth: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """What entering the list did to one term of credit: the first stage, with its F."""

    effect: EffectRecord
    f_statistic: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioRecord:
    """The effect on the outcome per unit of one term of credit: an effect of that term only if entering worked through it alone.

    `arm` is "library" or "certified", the firms whose entry is used. `anderson_rubin` lists the intervals not rejected as
    (low, high); an end without bound is None.
    """

    term: str
    arm: str
    estimate: Number
    anderson_rubin: tuple[tuple[float | None, ...], ...] | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentRecord:
    """The amount of credit instrumented by entering, in a regression with fixed effects.

    `arm` is "library", "certified" or "both"; with both, `overidentification_p` tests whether the two give one answer.
    """

    arm: str
    method: str
    estimate: Number
    std_error: Number
    conf_low: Number
    conf_high: Number
    effective_f: Number
    critical_f: Number
    anderson_rubin: tuple[tuple[float | None, ...], ...] | Unavailable
    overidentification_p: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRecord:
    """Cheaper credit: first stages, the effect of listing with and without the controls' own listing, and what ratios would say.

    `regressions` are the same effects by a regression with firm and industry × year effects. `access_most` and `price_most` are
    the ends of the identified set: all of the effect through the amount of credit, or all through its price (per unit of the
    term), both channels being non-negative; None if the effect is not positive. `main_cohort` holds the share `main_share` of
    the entrants.
    """

    stages: tuple[StageRecord, ...]
    netted: EffectRecord
    regressions: tuple[EffectRecord, ...]
    ratios: tuple[RatioRecord, ...]
    instruments: tuple[InstrumentRecord, ...]
    amount: str
    price: str
    access_most: Number | None
    price_most: Number | None
    main_cohort: int
    main_share: Number


def is_unit(weight: float) -> bool:
    """Whether a coefficient is one or minus one, up to rounding."""
    return math.isclose(abs(weight), 1.0, rel_tol=1e-6)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecord:
    """One part of a bundle, or a sum of parts: an effect, or why it cannot be given.

    `weights` says how much of each part it holds. `readable` is false where the smallest effect that could be detected is more than
    a fixed multiple of the smallest of interest: then nothing is said about it beyond that.
    """

    name: str
    label: Bilingual
    weights: Mapping[str, float]
    estimate: Number
    std_error: Number
    conf_low: Number
    conf_high: Number
    percent: IntervalRecord | None
    detectable: Number
    readable: bool
    truth: float | None
    covers_truth: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRecord:
    """One arm: its firms, its effect on the outcome, and how much of each exposure it got beyond its comparison."""

    name: str
    label: Bilingual
    n_treated: Count
    estimate: Number
    std_error: Number
    conf_low: Number
    conf_high: Number
    exposures: Mapping[str, Number]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRecord:
    """Arms × exposures: parts, the sums that can be told apart, rank, and the null vectors that say what cannot."""

    arms: tuple[ArmRecord, ...]
    parts: tuple[PartRecord, ...]
    sums: tuple[PartRecord, ...]
    rank: int
    condition: Number
    null_vectors: tuple[Mapping[str, float], ...]
    multiple: float
