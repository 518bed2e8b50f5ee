"""The listing's reduced form and first stage with their joint covariance: what a direct effect of listing is weighed against."""

from __future__ import annotations

import numpy as np

from sme_eval.errors import DataError, DesignError, IdentificationError
from sme_eval.estimators.absorption import EffectName, error_basis, kept_rows, numbers
from sme_eval.panel.codes import factorise
from sme_eval.panel.sample import Sample
from sme_eval.policies.rules import ListingRule
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.inference import critical_value
from sme_eval.stats.least_squares import dependent_columns
from sme_eval.stats.plausibly_exogenous import PlausiblyExogenous
from sme_eval.stats.two_way_within import without_firm_and_year
from sme_eval.stats.weak_instruments import joint_regressions

from .asked import Asked

IN_LIST, CERTIFIED = "entered_list", "holds_certificate"
"""Columns 0/1 per firm-year: entered the list; holds a certificate, which is beside it among the regressors."""

ABSORBED = Unavailable("not estimated")


def direct_effect(asked: Asked, rule: ListingRule) -> tuple[PlausiblyExogenous | Unavailable, int]:
    """The regressions behind credit instrumented by entering, and how many firms entered.

    The same rows, effects and errors as `InstrumentalVariables` with the amount as endogenous, entering as instrument and the
    certificate beside it; there two-stage least squares is the ratio of the two coefficients.
    """
    frame = asked.panel.frame
    for name, start in ((IN_LIST, asked.design.policy.treatment.cohort), (CERTIFIED, rule.certified)):
        frame[name] = ((frame[start] > 0) & (frame["year"] >= frame[start])).astype(np.float64)
    columns = (IN_LIST, CERTIFIED, rule.amount, rule.year_effects_by)
    try:
        sample = Sample.from_frame(
            frame, firm="firm", year="year", outcome=asked.design.outcome, columns=columns, cluster=asked.design.cluster
        )
        return _regressions(sample, rule, asked.design.level)
    except (DataError, DesignError, IdentificationError):
        return ABSORBED, 0


def _regressions(sample: Sample, rule: ListingRule, level: float) -> tuple[PlausiblyExogenous | Unavailable, int]:
    effects: tuple[EffectName, ...] = ("firm", (rule.year_effects_by, "year"))
    matrix, complete = numbers(sample, (rule.amount, IN_LIST, CERTIFIED))
    rows = kept_rows(sample, effects, complete)
    factor, basis = error_basis(sample, rows, "clustered", 2, level)
    outcome = sample.outcome.ravel()[sample.position]
    left = _within(sample, np.column_stack([outcome, matrix]), rows.keep, rule.year_effects_by)
    entered = int(np.unique(sample.firm_codes[rows.keep & (matrix[:, 1] > 0.0)]).size)
    targets, design = left[:, :2], left[:, 2:]
    design = design[:, ~dependent_columns(design.T @ design, np.sum(matrix[rows.keep, 1:] ** 2, axis=0))]
    if design.shape[1] == 0 or not np.allclose(design[:, 0], left[:, 2]):
        return ABSORBED, entered
    found = joint_regressions(targets, design, "clustered", rows.cluster)
    reduced, first = (float(value) for value in found.coefficient[:, 0])
    if first == 0.0:
        return ABSORBED, entered
    return (
        PlausiblyExogenous(
            reduced=reduced,
            first=first,
            covariance=found.covariance[:, 0, :, 0] * factor,
            critical=critical_value(level, basis.degrees_of_freedom),
        ),
        entered,
    )


def _within(sample: Sample, values: FloatArray, keep: np.ndarray[tuple[int], np.dtype[np.bool_]], by: str) -> FloatArray:
    """Columns (rows, q) of the kept rows without firm and label × year effects."""
    shape, place = sample.outcome.shape, sample.position[keep]
    wide = np.zeros((values.shape[1], shape[0] * shape[1]))
    wide[:, place] = values[keep].T
    used = np.zeros(shape[0] * shape[1])
    used[place] = 1.0
    label = factorise(sample.label(by))[0]
    left = without_firm_and_year(wide.reshape(-1, *shape), used.reshape(shape), label)
    return np.asarray(left.reshape(len(wide), -1)[:, place].T)
