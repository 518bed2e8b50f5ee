"""The checks of who is compared: balance, overlap, other weights, other groups, and what a two-way regression would compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sme_eval.checks.balance import Covariate, check_balance
from sme_eval.checks.comparison_groups import check_comparison_groups
from sme_eval.checks.entropy_balancing import check_entropy_balancing
from sme_eval.checks.forbidden import TwoByTwo, check_forbidden
from sme_eval.checks.overlap import check_overlap
from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.side_by_side import NOT_ESTIMATED, Side
from sme_eval.errors import IdentificationError, Problem
from sme_eval.estimators.bacon import KINDS, bacon_decomposition
from sme_eval.estimators.before_after import BeforeAfter
from sme_eval.estimators.landmark_covariates import firm_paths
from sme_eval.estimators.protocol import Estimator
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.covariate_balance import standardised_difference
from sme_eval.stats.entropy_balancing import Balancing, effective_size, with_squares
from sme_eval.stats.overlap import overlap, propensity

from .asked import Asked
from .comparison_effects import balance, matched_weight, regression_effective, weighted_side
from .comparison_groups import estimator_groups, landmark_groups
from .design import Design
from .entry_rows import GROWTH, EntryRows, entry_rows, landmark_twin
from .fitting import fit, sample_of

KIND = dict(zip(KINDS, ("never", "earlier", "later"), strict=True))
"""Kinds of the decomposition → of the check."""


def comparison_checks(asked: Asked) -> Iterator[CheckResult]:
    """Balance, overlap, entropy balancing and comparison groups of the headline; forbidden comparisons of a two-way regression.

    What needs covariates is left out where the headline has none, the groups where the estimator has no choice of them, everything
    where nobody is compared.
    """
    design = asked.design
    sample = _sample(asked)
    if sample.cohort is None or isinstance(asked.headline.estimator, BeforeAfter):
        return
    rows = entry_rows(design.estimator, sample, sample.cohort)
    if rows is not None:
        balancing, variances = balance(rows) if rows.names else (None, False)
        yield from _balance(asked, sample, rows, balancing)
        if balancing is not None:
            chance = propensity(with_squares(rows.x, rows.treated), rows.treated, rows.group, rows.weight)
            yield check_overlap(overlap(chance, rows.treated, rows.group, rows.firm, rows.weight))
            yield check_entropy_balancing(
                tuple(_ways(asked, sample, rows, balancing)), balancing.converged, variances, design.level
            )
    yield from _groups(design, sample)
    yield check_forbidden(_decomposed(sample))


def _sample(asked: Asked) -> Sample:
    """The headline's sample with the columns that these checks read besides."""
    rule, columns = asked.design.policy.checks, asked.panel.columns
    outcome, cohort = asked.design.outcome, asked.design.policy.treatment.cohort
    known = (outcome, cohort, *asked.design.covariates)
    further = tuple(name for name in (*rule.baseline, *rule.comparisons) if name in columns and name not in known)
    return sample_of(asked.design, asked.panel, outcome, further=further) if further else asked.sample


# --- balance ---------------------------------------------------------------------------------------------------------------


def _balance(asked: Asked, sample: Sample, rows: EntryRows, balancing: Balancing | None) -> Iterator[CheckResult]:
    """One row per covariate of the headline, then per other declared characteristic; nothing without either."""
    balanced = balancing is not None and balancing.converged
    weights = _Weights(
        before=rows.scaled(rows.weight),
        odds=None if rows.odds is None else _tilted(rows, rows.odds),
        entropy=np.where(rows.treated, rows.weight, balancing.weight) if balancing is not None and balanced else None,
    )
    named = dict.fromkeys(rows.names)
    covariates = [_covariate(asked, rows, (name, True), _columns(rows, name), weights) for name in named]
    for name, values in _further(asked.design, sample, rows):
        covariates.append(_covariate(asked, rows, (name, False), values, weights))
    if covariates:
        yield check_balance(tuple(covariates), min(rows.n_treated, rows.n_comparison))


def _columns(rows: EntryRows, name: str) -> FloatArray:
    """(R, k) the columns of a covariate; past growth that enters year by year as its sum."""
    values = rows.x[:, [j for j, own in enumerate(rows.names) if own == name]]
    return values.sum(axis=1, keepdims=True) if name == GROWTH else values


def _further(design: Design, sample: Sample, rows: EntryRows) -> Iterator[tuple[str, FloatArray]]:
    """Declared characteristics that the headline does not condition on, (R, 1) as of each cohort's base year."""
    for name in design.policy.checks.baseline:
        if name in sample.names.columns and name not in rows.names and name != design.outcome:
            problems: list[Problem] = []
            path = firm_paths(sample, name, problems)
            if not problems:
                yield name, rows.baseline(path, sample.years)[:, None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Weights:
    """Row weights (R,): treated and comparison of each cohort alike in sum, by the twin's odds, by entropy balancing."""

    before: FloatArray
    odds: FloatArray | None
    entropy: FloatArray | None


def _tilted(rows: EntryRows, odds: FloatArray) -> FloatArray:
    """Comparison rows by their odds, scaled to the treated weight of their cohort."""
    return rows.scaled(np.where(rows.treated, rows.weight, rows.weight * odds))


def _covariate(asked: Asked, rows: EntryRows, named: tuple[str, bool], values: FloatArray, weights: _Weights) -> Covariate:
    """One covariate (R, k) by its name, and whether the headline conditions on it."""
    name, conditioned = named
    before, after, entropy = (
        None if own is None else standardised_difference(values, rows.treated, own, weights.before)
        for own in (weights.before, weights.odds, weights.entropy)
    )
    assert before is not None
    label = asked.panel.dictionary[name].label if name in asked.panel.dictionary else None
    return Covariate(
        key=name,
        before=before.difference,
        after=None if after is None else after.difference,
        after_entropy=None if entropy is None else entropy.difference,
        ratio=(before if after is None else after).ratio,
        conditioned=conditioned,
        label=None if label is None else (label.zh, label.en),
    )


# --- other weights ---------------------------------------------------------------------------------------------------------


def _ways(asked: Asked, sample: Sample, rows: EntryRows, balancing: Balancing) -> Iterator[Side]:
    """The headline, entropy balancing, matching and the doubly robust twin, on the same firms."""
    landmark = landmark_twin(asked.design.estimator)
    pooled = landmark is None
    first = asked.design.estimator if landmark is None else landmark
    if first == asked.design.estimator:
        yield _fitted("headline", asked.headline.overall, rows, regression_effective(rows))
    else:
        yield _fitted("landmark", _overall(first, sample), rows, regression_effective(rows))
    if balancing.converged:
        weight = np.where(rows.treated, rows.weight, balancing.weight)
        yield weighted_side("entropy", rows, sample, weight, pooled=pooled, balancing=balancing)
    else:
        yield Side(key="entropy", estimate=Unavailable("not identified: no weights balance the covariates"))
    yield weighted_side("matching", rows, sample, matched_weight(rows, sample), pooled=pooled)
    if landmark is not None and rows.odds is not None:
        effective = effective_size(rows.carried(_tilted(rows, rows.odds)))
        yield _fitted("doubly_robust", _overall(landmark.doubly_robust(), sample), rows, effective)


def _overall(estimator: Estimator, sample: Sample) -> Estimate | Unavailable:
    try:
        return fit(estimator, sample).overall
    except IdentificationError as refused:
        return Unavailable(f"not identified: {refused.problems[0].what}")


def _fitted(key: str, overall: Estimate | Unavailable, rows: EntryRows, effective: float) -> Side:
    """An estimator's overall effect, with the counts of the rows."""
    if isinstance(overall, Unavailable):
        return Side(key=key, estimate=overall)
    error = overall.std_error
    return Side(
        key=key,
        estimate=overall.estimate,
        std_error=error if isinstance(error, Unavailable) or np.isfinite(error) else NOT_ESTIMATED,
        n_treated=overall.n_treated if overall.n_treated is not None else rows.n_treated,
        n_comparison=rows.n_comparison,
        n_effective=effective,
    )


# --- other groups ----------------------------------------------------------------------------------------------------------


def _groups(design: Design, sample: Sample) -> Iterator[CheckResult]:
    landmark, preferred = landmark_twin(design.estimator), design.policy.treatment.comparisons
    if landmark is None:
        groups = estimator_groups(design.estimator, sample, preferred)
    else:
        columns = tuple(name for name in design.policy.checks.comparisons if name in sample.names.columns)
        groups = landmark_groups(landmark, sample, preferred, columns)
    if groups:
        yield check_comparison_groups(groups, design.level)


# --- forbidden comparisons -------------------------------------------------------------------------------------------------


def _decomposed(sample: Sample) -> dict[str, tuple[list[TwoByTwo], int]]:
    """All firms seen in every year, and the ever treated among them; what cannot be decomposed is left out."""
    bare = replace(sample, names=replace(sample.names, covariates=()))  # a two-way regression of the outcome alone
    moments = Moments.from_sample(bare, by=())
    whole = np.asarray(moments.observed.all(axis=1))
    ever = np.asarray(moments.cohort <= moments.years[-1])
    parts: dict[str, BoolArray] = {"all": whole, "treated": whole & ever}
    found = {}
    for name, cells in parts.items():
        pairs = _pairs(moments, cells)
        if pairs is not None:
            found[name] = (pairs, int(moments.n_firms[cells & ever].sum()))
    return found


def _pairs(moments: Moments, cells: BoolArray) -> list[TwoByTwo] | None:
    if not cells.any():
        return None
    try:
        table = bacon_decomposition(moments.subset(cells))
    except IdentificationError:
        return None
    columns = zip(table["kind"], table["weight"], table["estimate"], strict=True)
    return [TwoByTwo(kind=KIND[kind], weight=float(weight), estimate=float(value)) for kind, weight, value in columns]
