"""The specification curve of a design: every specification fitted with its firms' influences, and the joint inference."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.specification_curve import (
    Answer,
    CurveData,
    LandmarkSpecification,
    SpecificationEffect,
    fit_landmarks,
)
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.policies.rules import CurveRule
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.curve_inference import CurveTest, curve_test, explained_shares, joint_covariance
from sme_eval.stats.inference import critical_value

from .asked import Effort, Progress
from .curve_data import curve_data, relative, with_influence
from .curve_design import FITTED, Specification, is_headline, offered, specifications
from .design import Design
from .effects import number
from .policy_record import bilingual
from .record_base import EffectRecord
from .record_curve import CurveDimensionRecord, CurveOptionRecord, CurveRecord, SpecificationRecord

Kept = list[tuple[Specification, SpecificationEffect, float]]
FEWEST: int = 2
"""Specifications below which there is no curve."""


def curve_record(
    design: Design, panel: FirmPanel, headline: EffectRecord, effort: Effort, progress: Progress
) -> CurveRecord | None:
    """The curve of the design's outcome; None where the policy declares none, the headline is another's, or nothing varies."""
    declared = design.policy.curve
    own = type(design.estimator).__name__ == design.policy.estimator.name
    if declared is None or not own or design.outcome not in declared.outcomes or not isinstance(design.estimator, FITTED):
        return None
    rule = offered(declared, panel.columns)
    if rule is None:
        return None
    asked = specifications(rule, design)
    data = curve_data(design, panel, rule, asked)
    answers = _answers(data, asked, progress)
    found = [(one, a) for one, a in zip(asked, answers, strict=True) if isinstance(a, SpecificationEffect)]
    errors = _errors(data, [a for _, a in found])
    kept = _once([(one, a, float(e)) for (one, a), e in zip(found, errors, strict=True) if e > 0.0])
    if sum(one.contrast is None for one, _, _ in kept) < FEWEST:
        return None
    return _record(design, rule, data, kept, (headline.truth, len(asked) - len(found), len(found) - len(kept), effort))


def _answers(data: CurveData, asked: list[Specification], progress: Progress) -> list[Answer]:
    """Landmark specifications in shared passes, the others one by one; effects on levels relative to the treated's mean before."""
    from threadpoolctl import threadpool_limits

    answers: list[Answer] = [Unavailable("not estimated")] * len(asked)
    places = [n for n, one in enumerate(asked) if isinstance(one.estimator, LandmarkDiD)]
    passes = [_landmark(asked[n]) for n in places]
    with threadpool_limits(1):  # threads of the passes and of the linear algebra together would wait for each other
        done = fit_landmarks(data, passes, lambda k, of: progress(f"curve {k}/{of}")) if passes else []
    for n, answer in zip(places, done, strict=True):
        answers[n] = answer
    for n, one in enumerate(asked):
        if n not in set(places):
            answers[n] = with_influence(data, one)
            progress(f"curve {n + 1}/{len(asked)}")
    return [relative(data, one.rules, a) if one.rules.scale == "level" else a for one, a in zip(asked, answers, strict=True)]


def _landmark(one: Specification) -> LandmarkSpecification:
    assert isinstance(one.estimator, LandmarkDiD)
    rules = one.rules
    return LandmarkSpecification(
        landmark=one.estimator,
        cohort=rules.cohort,
        outcome=rules.outcome,
        firms=rules.firms,
        without_year=rules.without_year,
    )


def _errors(data: CurveData, answers: list[SpecificationEffect]) -> FloatArray:
    """Standard errors, clustered as the sample is."""
    if not answers:
        return np.zeros(0)
    influence = np.column_stack([a.influence for a in answers])
    cluster = data.sample.cluster
    if cluster is not None:
        sums = np.zeros((int(cluster.max()) + 1, influence.shape[1]))
        np.add.at(sums, cluster, influence)
        influence = sums
    error: FloatArray = np.sqrt((influence**2).sum(axis=0))
    return error


def _once(found: Kept) -> Kept:
    """Specifications whose numbers repeat an earlier one's on these data count once: a curve is no longer for saying it twice."""
    seen: set[tuple[bool, str, str]] = set()
    kept = []
    for one, answer, error in found:
        key = one.contrast is None, f"{answer.estimate:.10g}", f"{error:.10g}"
        if key not in seen:
            seen.add(key)
            kept.append((one, answer, error))
    return kept


def _record(
    design: Design, rule: CurveRule, data: CurveData, kept: Kept, told: tuple[float | None, int, int, Effort]
) -> CurveRecord:
    truth, missing, repeated, effort = told
    defended = [(one, a) for one, a, _ in kept if one.contrast is None]
    estimate = np.array([a.estimate for _, a in defended])
    covariance = joint_covariance(np.column_stack([a.influence for _, a in defended]), data.sample.cluster)
    test = curve_test(estimate, covariance, np.random.default_rng(effort.seed), draws=effort.draws, level=design.level)
    codes = [np.array([one.places[d] for one, _ in defended]) for d in range(len(rule.dimensions))]
    shares, together = explained_shares(estimate, codes)
    place = next((n for n, (one, _, _) in enumerate(kept) if is_headline(one, design)), None)
    rank = None if place is None else int((estimate < kept[place][1].estimate).sum()) + 1
    samples = tuple(n for n, dimension in enumerate(rule.dimensions) if dimension.kind == "sample")
    return CurveRecord(
        dimensions=_dimensions(rule, shares),
        contrasts=tuple(CurveOptionRecord(name=c.name, label=bilingual(c.label)) for c in rule.contrasts),
        specifications=_specifications(data, kept, design.level, samples),
        n_defended=len(defended),
        n_contrasts=len(kept) - len(defended),
        n_missing=missing,
        n_repeated=repeated,
        headline=place,
        headline_rank=rank,
        level=design.level,
        lowest=float(estimate.min()),
        highest=float(estimate.max()),
        share_positive=float((estimate > 0.0).mean()),
        together=number(together),
        truth=truth,
        **_tested(test),
    )


def _tested(test: CurveTest) -> dict[str, Any]:
    return {
        "median": test.median,
        "median_p": test.median_p,
        "share_significant": test.share,
        "share_p": test.share_p,
        "stouffer": test.stouffer,
        "stouffer_p": test.stouffer_p,
        "band": test.critical,
        "effective": test.effective,
        "draws": test.draws,
    }


def _dimensions(rule: CurveRule, shares: FloatArray) -> tuple[CurveDimensionRecord, ...]:
    return tuple(
        CurveDimensionRecord(
            name=dimension.name,
            kind=dimension.kind,
            label=bilingual(dimension.label),
            options=tuple(CurveOptionRecord(name=o.name, label=bilingual(o.label)) for o in dimension.options),
            share=number(float(share)),
        )
        for dimension, share in zip(rule.dimensions, shares, strict=True)
    )


def _apart(data: CurveData, kept: Kept, samples: tuple[int, ...]) -> list[int | None]:
    """Per specification the fewest firms by which its sample differs from one that is no smaller, all other choices equal."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for n, (one, _, _) in enumerate(kept):
        key = (one.contrast, *(place for d, place in enumerate(one.places) if d not in samples))
        groups.setdefault(key, []).append(n)
    fewest: list[int | None] = [None] * len(kept)
    for places in groups.values():
        for n, m in permutations(places, 2):
            mine, other = data.firms[kept[n][0].rules.firms], data.firms[kept[m][0].rules.firms]
            if mine.sum() <= other.sum():
                gaps = [int((mine != other).sum()), int((kept[n][1].treated != kept[m][1].treated).sum())]
                fewest[n] = min((gap for gap in (*gaps, fewest[n]) if gap), default=None)
    return fewest


def _specifications(data: CurveData, kept: Kept, level: float, samples: tuple[int, ...]) -> tuple[SpecificationRecord, ...]:
    half, cluster = critical_value(level, np.inf), data.sample.cluster
    firms = {name: int(keep.sum()) for name, keep in data.firms.items()}
    clusters = firms if cluster is None else {name: int(np.unique(cluster[keep]).size) for name, keep in data.firms.items()}
    return tuple(
        SpecificationRecord(
            choices=one.places,
            contrast=one.contrast,
            estimate=answer.estimate,
            std_error=error,
            conf_low=answer.estimate - half * error,
            conf_high=answer.estimate + half * error,
            n_firms=firms[one.rules.firms],
            n_treated=int(answer.treated.sum()),
            n_clusters=clusters[one.rules.firms],
            n_apart=apart,
        )
        for (one, answer, error), apart in zip(kept, _apart(data, kept, samples), strict=True)
    )
