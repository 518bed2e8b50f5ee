"""What the specifications of a curve are fitted to: outcomes on other scales, other datings, samples without some firms."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

import numpy as np

from sme_eval.errors import DataError, IdentificationError, Problem, raise_if_any
from sme_eval.estimators.firm_influence import firm_influence
from sme_eval.estimators.landmark_covariates import firm_numbers, firm_paths
from sme_eval.estimators.specification_curve import Answer, CurveData, SpecificationEffect
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.policies.rules import CurveRule
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.terms import NEVER

from .curve_design import Rules, Specification
from .design import Design
from .fitting import needed_columns, sample_of


def curve_data(design: Design, panel: FirmPanel, rule: CurveRule, asked: list[Specification]) -> CurveData:
    """The sample of the design with every column, dating, outcome scale and set of firms that the specifications ask for."""
    own, datings = design.policy.treatment.cohort, {one.rules.cohort for one in asked}
    trimmed = any(one.rules.largest or one.rules.smallest for one in asked)
    further = {*needed_columns(one.estimator for one in asked), *(datings - {own}), *((rule.size,) if trimmed else ())}
    sample = sample_of(design, panel, design.outcome, further=tuple(sorted(further - {design.outcome})))
    declared = design.policy.outcome(design.outcome).scale
    size = first_values(sample, rule.size) if trimmed else np.zeros(sample.n_firms)
    return CurveData(
        sample=sample,
        cohorts={name: _cohort(sample, name, own) for name in datings},
        outcomes={one.rules.outcome: scaled(sample.outcome, declared, one.rules) for one in asked},
        firms={one.rules.firms: _kept(sample, size, one.rules) for one in asked},
    )


def _cohort(sample: Sample, name: str, own: str) -> IntArray:
    """First treated years (N,) by the sample's own dating or another column."""
    assert sample.cohort is not None
    if name == own:
        return sample.cohort
    problems: list[Problem] = []
    year = firm_numbers(sample, name, problems, "a first treated year is one per firm")
    raise_if_any(DataError, problems)
    return np.where(np.isfinite(year) & (year > 0), year, NEVER).astype(np.int64)


def first_values(sample: Sample, name: str) -> FloatArray:
    """A kept column in the first year in which a firm has it, (N,)."""
    problems: list[Problem] = []
    path = firm_paths(sample, name, problems)
    raise_if_any(DataError, problems)
    first = np.isfinite(path).argmax(axis=1)
    return np.asarray(path[np.arange(len(path)), first])


def scaled(outcome: FloatArray, declared: Literal["log", "level"], rules: Rules) -> FloatArray:
    """The outcome (N, T) on another scale, values beyond quantiles of their year set to these."""
    value = outcome
    if (rules.scale or declared) != declared:
        level = np.exp(outcome) if declared == "log" else outcome
        with np.errstate(divide="ignore", invalid="ignore"):
            forms = {"level": level, "ihs": np.arcsinh(level), "log": np.where(level > 0.0, np.log(level), np.nan)}
        value = forms[cast(str, rules.scale)]
    if not rules.winsorise:
        return value
    low, high = np.nanquantile(value, [rules.winsorise, 1.0 - rules.winsorise], axis=0)
    return np.clip(value, low, high)


def _kept(sample: Sample, size: FloatArray, rules: Rules) -> BoolArray:
    """(N,) firms that a specification may use."""
    keep: BoolArray = np.ones(sample.n_firms, dtype=np.bool_)
    if rules.balanced:
        keep &= np.isfinite(sample.outcome).all(axis=1)
    if rules.largest:
        keep &= size <= np.quantile(size, 1.0 - rules.largest)
    if rules.smallest:
        keep &= size >= np.quantile(size, rules.smallest)
    return keep


def relative(data: CurveData, rules: Rules, answer: Answer) -> Answer:
    """An effect on a level over the mean of its treated firms in the year before entry, which is estimated too."""
    if isinstance(answer, Unavailable):
        return answer
    cohort, years = data.cohorts[rules.cohort], data.sample.years
    place = np.searchsorted(years, np.minimum(cohort - 1, years[-1]))
    base = data.outcomes[rules.outcome][np.arange(len(cohort)), place]
    known = answer.treated & np.isfinite(base) & (cohort > years[0])
    if not known.any() or base[known].mean() <= 0.0:
        return Unavailable("not estimated")
    mean = float(base[known].mean())
    own = np.where(known, base - mean, 0.0) / known.sum()
    ratio = answer.estimate / mean
    return replace(answer, estimate=ratio, influence=(answer.influence - ratio * own) / mean)


def with_influence(data: CurveData, one: Specification) -> Answer:
    """One specification of an estimator on moments, with influences at the places of the whole sample's firms."""
    sample, rules = data.sample, one.rules
    try:
        fitted = _refitted(sample, data.cohorts[rules.cohort], data.outcomes[rules.outcome], data.firms[rules.firms])
        found = firm_influence(one.estimator, fitted)
    except (IdentificationError, DataError) as error:
        return Unavailable(f"not identified: {error.problems[0].what}")
    place = {firm: n for n, firm in enumerate(sample.label(sample.names.firm))}
    at = [place[firm] for firm in fitted.label(sample.names.firm)]
    influence, treated = np.zeros(sample.n_firms), np.zeros(sample.n_firms, dtype=np.bool_)
    influence[at], treated[at] = found.influence, found.treated
    return SpecificationEffect(estimate=found.estimate, influence=influence, treated=treated)


def _refitted(sample: Sample, cohort: IntArray, outcome: FloatArray, keep: BoolArray) -> Sample:
    """The sample with another dating and outcome, and some of its firms."""
    names, codes = sample.names, sample.firm_codes
    value = outcome.ravel()[sample.position]
    rows = keep[codes] & np.isfinite(value)
    frame = sample.frame.loc[rows, [names.firm, names.year]]
    start = np.where(cohort == NEVER, 0, cohort)[codes]
    return Sample.from_frame(
        frame.assign(cohort=start[rows], outcome=value[rows]),
        firm=names.firm,
        year=names.year,
        outcome="outcome",
        cohort="cohort",
        always_treated="drop",
    )
