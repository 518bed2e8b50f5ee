"""The specification curve as a record: every combination of choices that the policy defends, and what they say together."""

from __future__ import annotations

from dataclasses import dataclass

from .record_base import Bilingual, Count, Number


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveOptionRecord:
    """One answer to a question that could have been decided otherwise, or one contrast."""

    name: str
    label: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveDimensionRecord:
    """One such question; `share` of the estimates' variance that it explains alone."""

    name: str
    kind: str
    label: Bilingual
    options: tuple[CurveOptionRecord, ...]
    share: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecificationRecord:
    """One specification. `choices` are places among the options, one per dimension; None where a contrast replaces the dimension.

    `contrast` is a place among the contrasts, None for a defended specification. `n_firms` may be used, `n_treated` are the
    entrants that the effect averages over. `n_apart` are the fewest firms, entrants or all, by which its sample differs from
    that of a specification on no smaller sample that is the same otherwise; None where there is none.
    """

    choices: tuple[int | None, ...]
    contrast: int | None
    estimate: Number
    std_error: Number
    conf_low: Number
    conf_high: Number
    n_firms: Count
    n_treated: Count
    n_clusters: int
    n_apart: Count | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveRecord:
    """Every specification, contrasts last, and the joint inference over the defended ones.

    `n_missing` could not be estimated; `n_repeated` gave the numbers of an earlier one and are not counted again.
    `headline` is the place of the main estimate among the specifications and `headline_rank` its rank by size, from one. The
    p-values are those of no effect in any specification, from `draws` of the joint normal law. `band` is the critical value of the
    band that holds the whole curve at `level`, `effective` how many uncorrelated specifications would say as much. `together` is
    the share of variance that all dimensions explain as a sum. Effects on levels are relative to treated firms' mean before
    treatment, so that one curve has one unit. `truth` is the main estimate's.
    """

    dimensions: tuple[CurveDimensionRecord, ...]
    contrasts: tuple[CurveOptionRecord, ...]
    specifications: tuple[SpecificationRecord, ...]
    n_defended: int
    n_contrasts: int
    n_missing: int
    n_repeated: int
    headline: int | None
    headline_rank: Count | None
    level: float
    median: Number
    lowest: Number
    highest: Number
    share_positive: Number
    share_significant: Number
    stouffer: Number
    median_p: Number
    share_p: Number
    stouffer_p: Number
    band: Number
    effective: Number
    together: Number
    draws: int
    truth: float | None
