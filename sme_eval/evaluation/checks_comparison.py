"""The checks of who is compared: balance, overlap, other weights, other groups, and what a two-way regression would compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
from sme_eval.estimators.landmark_covariates import firm_paths
from sme_eval.estimators.protocol import Estimator
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
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

    What needs covariates is left out where the headline has none, the groups where the estimator has no choice of them.
    """
    design = asked.design
    sample = _sample(asked)
    if sample.cohort is None:
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
    further = tuple(name for name in (*rule.baseline, *rule.comparisons) if name in columns and name not in (outcome, cohort))
    return sample_of(asked.design, asked.panel, outcome, further=further) if further else asked.sample


# --- balance ---------------------------------------------------------------------------------------------------------------


def _balance(asked: Asked, sample: Sample, rows: EntryRows, balancing: Balancing | None) -> Iterator[CheckResult]:
    """One row per covariate of the headline, then per other declared characteristic; nothing without either."""
    weights = [rows.scaled(rows.weight)]
    for own in (rows.odds, balancing.weight if balancing is not None and balancing.converged else None):
        weights.append(None if own is None else rows.scaled(np.where(rows.treated, rows.weight, rows.weight * own)))
    if balancing is not None and balancing.converged:
        weights[2] = np.where(rows.treated, rows.weight, balancing.weight)
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


def _covariate(
    asked: Asked, rows: EntryRows, named: tuple[str, bool], values: FloatArray, weights: list[FloatArray | None]
) -> Covariate:
    name, conditioned = named
    reference = weights[0]
    assert reference is not None
    found = [None if w is None else standardised_difference(values, rows.treated, w, reference) for w in weights]
    before, after, entropy = found
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
    key = "headline" if first == asked.design.estimator else "landmark"
    yield _fitted(key, first, sample, rows, regression_effective(rows))
    if balancing.converged:
        weight = np.where(rows.treated, rows.weight, balancing.weight)
        yield weighted_side("entropy", rows, sample, weight, pooled=pooled, balancing=balancing)
    else:
        yield Side(key="entropy", estimate=Unavailable("not identified: no weights balance the covariates"))
    yield weighted_side("matching", rows, sample, matched_weight(rows, sample), pooled=pooled)
    if landmark is not None and rows.odds is not None:
        tilted = rows.scaled(np.where(rows.treated, rows.weight, rows.weight * rows.odds))
        yield _fitted("doubly_robust", landmark.doubly_robust(), sample, rows, effective_size(rows.carried(tilted)))


def _fitted(key: str, estimator: Estimator, sample: Sample, rows: EntryRows, effective: float) -> Side:
    """An estimator's overall effect, with the counts of the rows."""
    try:
        overall = fit(estimator, sample).overall
    except IdentificationError as refused:
        return Side(key=key, estimate=Unavailable(f"not identified: {refused.problems[0].what}"))
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
    moments = Moments.from_sample(sample, by=())
    whole = np.asarray(moments.observed.all(axis=1))
    ever = np.asarray(moments.cohort <= moments.years[-1])
    parts: dict[str, BoolArray] = {"all": whole, "treated": whole & ever}
    decompose: Callable[[BoolArray], list[TwoByTwo] | None] = lambda cells: _pairs(moments, cells)  # noqa: E731
    found = {
        name: (pairs, int(moments.n_firms[cells & ever].sum())) for name, cells in parts.items() if (pairs := decompose(cells))
    }
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
