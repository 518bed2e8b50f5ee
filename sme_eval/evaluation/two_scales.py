"""The outcome's logarithm and its level side by side: two-way least squares and two-way Poisson on the same rows and effects."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sme_eval.checks.outcome_scale import LogAndPoisson
from sme_eval.errors import DataError, DesignError, IdentificationError
from sme_eval.panel.codes import factorise
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.small_sample import SmallSample
from sme_eval.stats.two_way_within import TwoWaySlope, linear_slope, poisson_slope

from .asked import Asked
from .other_values import holds, sample_like

NO_SLOPE = Unavailable("not estimated")


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoScales:
    """The effect of having entered, on the log and on the level's mean, and the two against each other."""

    log: Estimate | Unavailable
    poisson: Estimate | Unavailable
    compared: LogAndPoisson | Unavailable


def both_scales(asked: Asked, logged: bool) -> TwoScales:
    """Both regressions with firm and industry × year effects (year alone where no industry is declared).

    `logged` says that the outcome is a logarithm; if not, the logarithm is of its positive values only.
    """
    policy = asked.design.policy
    by = policy.checks.industry or ("" if policy.listing is None else policy.listing.year_effects_by)
    by = by if by and holds(asked.panel, by) else ""
    try:
        sample = sample_like(asked.design, asked.panel.frame, asked.design.outcome, (by,) if by else ())
        label = factorise(sample.label(by))[0] if by else np.zeros(sample.n_firms, dtype=np.intp)
        return _fit(sample, label, logged, by)
    except (DataError, DesignError, IdentificationError):
        return TwoScales(log=NO_SLOPE, poisson=NO_SLOPE, compared=NO_SLOPE)


def _fit(sample: Sample, label: NDArray[np.intp], logged: bool, by: str) -> TwoScales:
    assert sample.cohort is not None
    entered = sample.years[None, :] >= sample.cohort[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.exp(sample.outcome) if logged else sample.outcome
        log = sample.outcome if logged else np.where(level > 0.0, np.log(level), np.nan)
    treated = entered.astype(np.float64)
    linear = linear_slope(log, treated, label, sample.weight)
    # In units of its mean: no exponential overflows, and the slope does not depend on the unit.
    poisson = poisson_slope(level / np.nanmean(level), treated, label, sample.weight)
    words = f"firm and {f'{by} × ' if by else ''}year effects"
    first, second = (_estimate(sample, found, entered, words) for found in (linear, poisson))
    if linear is None or poisson is None:
        return TwoScales(log=first, poisson=second, compared=NO_SLOPE)
    gap = _scores(sample, poisson) - _scores(sample, linear)
    compared = LogAndPoisson(log=linear.estimate, poisson=poisson.estimate, std_error=math.sqrt(float(gap @ gap)))
    return TwoScales(log=first, poisson=second, compared=compared)


def _scores(sample: Sample, found: TwoWaySlope) -> FloatArray:
    """Influences summed by cluster, times the root of fixest's factor: their sum of squares is the variance."""
    cluster = np.arange(sample.n_firms) if sample.cluster is None else sample.cluster
    total = np.bincount(cluster, weights=found.influence)
    factor = SmallSample(observations=found.rows, parameters=found.parameters).clustered(_clusters(sample, found))
    return np.asarray(total * math.sqrt(factor), dtype=np.float64)


def _clusters(sample: Sample, found: TwoWaySlope) -> int:
    return int(found.used.sum()) if sample.cluster is None else int(np.unique(sample.cluster[found.used]).size)


def _estimate(sample: Sample, found: TwoWaySlope | None, entered: BoolArray, words: str) -> Estimate | Unavailable:
    if found is None:
        return NO_SLOPE
    scores = _scores(sample, found)
    basis = Basis(
        n_firms=int(found.used.sum()),
        n_observations=found.rows,
        n_clusters=_clusters(sample, found),
        convention=f"{words}; clustered by {sample.names.cluster or 'firm'} as fixest does; normal critical values",
        unit=sample.names.outcome,
    )
    treated = int((found.used & entered.any(axis=1)).sum())
    return Estimate.from_basis("entered", found.estimate, math.sqrt(float(scores @ scores)), basis, treated)
