"""Threats from what nobody observed: missing controls, and an instrument that works on its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sme_eval.checks.coefficient_stability import StabilityRow, check_coefficient_stability
from sme_eval.checks.plausibly_exogenous import check_plausibly_exogenous
from sme_eval.checks.protocol import CheckResult
from sme_eval.errors import DataError, DesignError, IdentificationError
from sme_eval.estimators.district_dose import DistrictDose
from sme_eval.estimators.landmark import LandmarkDiD, read_landmark
from sme_eval.estimators.landmark_covariates import landmark_covariates
from sme_eval.estimators.untangle import Untangle
from sme_eval.panel.sample import Sample
from sme_eval.policies.rules import ListingRule
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.covariates_by_year import without_firm_and_covariates
from sme_eval.stats.least_squares import scaled_pseudoinverse
from sme_eval.stats.oster import Stability, stability

from .asked import Asked
from .direct_effect import direct_effect
from .other_values import holds, sample_like


def unobservables_checks(asked: Asked) -> Iterator[CheckResult]:
    """How far missing controls, and a direct effect of the instrument, would have to go."""
    if not isinstance(asked.design.estimator, DistrictDose | Untangle):  # slopes and parts are no coefficient on one treatment
        rows = _stability_rows(asked)
        if rows:
            yield check_coefficient_stability(rows)
    rule = asked.design.policy.listing
    if rule is not None and _instrumented(asked, rule):
        yield check_plausibly_exogenous(*direct_effect(asked, rule))


def _instrumented(asked: Asked, rule: ListingRule) -> bool:
    """Whether the outcome is none of the terms of credit, and everything that the regression needs is there."""
    columns = (rule.amount, rule.certified, rule.year_effects_by, asked.design.policy.treatment.cohort)
    return asked.design.outcome not in rule.terms and holds(asked.panel, *columns)


def _stability_rows(asked: Asked) -> list[StabilityRow]:
    """The headline's own comparison first, where it has one, then two-way regressions; nothing without controls."""
    headline = asked.design.estimator
    rows = []
    if isinstance(headline, LandmarkDiD) and (headline.covariates or headline.past_growth is not None):
        found, treated = _landmark(headline, asked.sample)
        rows.append(StabilityRow(key="landmark", found=found, n_firms=treated))
    names = getattr(headline, "covariates", ()) or asked.design.covariates or asked.design.policy.checks.baseline
    names = tuple(name for name in names if holds(asked.panel, name) and name != asked.design.outcome)
    two_way = _two_way(asked, names) if names else None
    if two_way is not None:
        rows.append(StabilityRow(key="two_way", found=two_way[0], n_firms=two_way[1]))
    return rows


def _landmark(landmark: LandmarkDiD, sample: Sample) -> tuple[Stability | None, int]:
    """The mean change over the window on entering, cohort by cohort without and with the covariates, and the entrants behind it.

    Cohorts are stacked: intercepts of their own without, intercepts and slopes of their own with the covariates.
    """
    assert sample.cohort is not None
    covariates, arm = read_landmark(landmark, sample, sample.cohort)
    years, last, treated = list(sample.years), landmark.window[1], 0
    without, given, weights = [], [], []
    for g in (int(g) for g in arm.cohorts(sample.years) if g - 1 in years):
        x = covariates(g)
        members, comparison = arm.groups(g, x)
        after = sample.outcome[:, (sample.years >= g) & (sample.years <= g + last)]
        change = after.mean(axis=1) - sample.outcome[:, years.index(g - 1)]
        rows = (members | comparison) & np.isfinite(change)
        if not (members & rows).any() or not (comparison & rows).any():
            continue
        weight = np.ones(int(rows.sum())) if sample.weight is None else sample.weight[rows]
        both = np.stack([change[rows], members[rows].astype(np.float64)])
        without.append(_residual(both, np.ones((len(weight), 1)), weight))
        given.append(_residual(both, x[rows], weight))
        weights.append(weight)
        treated += int((members & rows).sum())
    if not without:
        return None, 0
    return stability(np.concatenate(without, axis=1), np.concatenate(given, axis=1), np.concatenate(weights)), treated


def _residual(values: FloatArray, design: FloatArray, weight: FloatArray) -> FloatArray:
    """`values` (q, n) less their weighted least-squares fit on `design` (n, p), whose columns may repeat each other."""
    weighted = design * weight[:, None]
    slopes = scaled_pseudoinverse(weighted.T @ design) @ (weighted.T @ values.T)
    return np.asarray(values - (design @ slopes).T)


def _two_way(asked: Asked, names: tuple[str, ...]) -> tuple[Stability | None, int] | None:
    """Firm and year effects, without and with the baseline covariates × year; None where they cannot be read as baseline."""
    design = replace(asked.design, covariates=()) if asked.design.covariates else asked.design
    try:
        sample = sample_like(design, asked.panel.frame, asked.design.outcome, names)
        x = landmark_covariates(sample, names).fixed
    except (DataError, DesignError, IdentificationError):
        return None
    assert sample.cohort is not None
    entered = sample.years[None, :] >= sample.cohort[:, None]
    seen = np.isfinite(sample.outcome)
    both = np.stack([np.where(seen, sample.outcome, 0.0), entered.astype(np.float64)])
    parts = [without_firm_and_covariates(both, seen, z, sample.weight)[:, seen] for z in (x[:, :1], x)]
    weight = None if sample.weight is None else np.broadcast_to(sample.weight[:, None], seen.shape)[seen]
    return stability(parts[0], parts[1], weight), int((entered & seen).any(axis=1).sum())
