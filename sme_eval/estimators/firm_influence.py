"""What each firm adds to an average effect: group-time and imputation designs, whose results keep covariances only.

Both are linear in firms' paths, with one map per cell of the moments. Where every firm is a cell of its own, the map at the firm's
path is its influence, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sme_eval.errors import DesignError, IdentificationError, Problem
from sme_eval.estimators.callaway_santanna import CallawaySantAnna, _share_influence
from sme_eval.estimators.group_time_rows import Row
from sme_eval.estimators.imputation import ImputationDiD
from sme_eval.estimators.untreated_covariates import untreated_model
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.stats.aggregation import GroupTimeCells, aggregate_cells, select_cells
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False, kw_only=True)
class FirmInfluence:
    """An average effect, the influence (N,) of the sample's firms on it, and which of them are treated firms it rests on."""

    estimate: float
    influence: FloatArray
    treated: BoolArray


@dataclass(frozen=True, eq=False, kw_only=True)
class _Joint:
    """Group-time effects before their covariance is taken: influences of effects and shares, rows and cohorts."""

    moments: Moments
    years: IntArray
    rows: list[Row]
    effects: Influence
    shares: Influence
    cohorts: IntArray


class _UpToInfluence(CallawaySantAnna):
    """The same fit, ended where the influences are known."""

    __slots__ = ()

    def _result(self, moments: Moments, years: IntArray, rows: list[Row], dropped: int) -> _Joint:  # type: ignore[override]
        cohorts = np.unique([cohort for cohort, _, _ in rows])
        effects, _ = self._influence(moments, years, rows)
        shares = _share_influence(moments, cohorts)
        return _Joint(moments=moments, years=years, rows=rows, effects=effects, shares=shares, cohorts=cohorts)


def firm_influence(estimator: object, sample: Sample) -> FirmInfluence:
    """The average effect of treated firm-years by `estimator`, with firms' influences.

    Estimand, assumptions and errors are the estimator's own: `CallawaySantAnna` aggregated "simple", or the overall of
    `ImputationDiD`; Σ ψψ' is the variance that it reports. No covariates, no weights.

    Raises
    ------
    DesignError
        Another estimator.
    IdentificationError
        Nothing is identified.
    """
    if isinstance(estimator, CallawaySantAnna):
        return _group_time(estimator, sample)
    if isinstance(estimator, ImputationDiD):
        return _imputation(estimator, sample)
    what = f"Influences of firms on {type(estimator).__name__} are not known."
    raise DesignError(Problem(what=what, remedy="CallawaySantAnna, ImputationDiD or LandmarkDiD"))


def _by_firm(sample: Sample) -> Moments:
    """Moments with a cell per firm."""
    return Moments.from_sample(sample, by=(sample.names.firm,))


def _spread(sample: Sample, moments: Moments, values: NDArray[Any]) -> NDArray[Any]:
    """Values of cells that are firms, at the firms' places in the sample; zero for those left out."""
    firms = sample.label(sample.names.firm)
    place = {firm: n for n, firm in enumerate(firms)}
    spread = np.zeros(len(firms), dtype=values.dtype)
    spread[[place[firm] for firm in moments.labels[sample.names.firm]]] = values
    return spread


def _at_paths(influence: Influence) -> FloatArray:
    """(K, J) influence of a cell's only firm on each estimate."""
    moments = influence.moments
    path = np.einsum("kjt,kt->kj", influence.slope, moments.mean) + influence.constant
    return np.asarray(path * moments.weight[:, None])


def _group_time(estimator: CallawaySantAnna, sample: Sample) -> FirmInfluence:
    choices = {field.name: getattr(estimator, field.name) for field in fields(estimator)}
    joint: _Joint = _UpToInfluence(**choices).fit(_by_firm(sample))  # type: ignore[assignment]
    cohort, year = np.array([c for c, _, _ in joint.rows]), np.array([joint.years[t] for _, t, _ in joint.rows])
    cells = GroupTimeCells(
        cohort=cohort, year=year, effect=joint.effects.estimate, cohorts=joint.cohorts, share=joint.shares.estimate
    )
    selected = select_cells(cells, int(joint.years[0]), int(joint.years[-1]), None, None)
    _, overall = aggregate_cells(cells, "simple", selected)
    if overall is None:
        raise IdentificationError(Problem(what="No effect from treatment on is identified."))
    value, gradient = overall
    own = np.concatenate([_at_paths(joint.effects), _at_paths(joint.shares)], axis=1)
    used = selected & (cells.event_time >= 0) & np.isfinite(cells.effect)
    moments = joint.moments
    counted = np.zeros(len(moments.cohort), dtype=np.bool_)
    for n in np.flatnonzero(used):
        g, t, b = joint.rows[n]
        counted |= (moments.cohort == g) & moments.observed[:, t] & moments.observed[:, b]
    influence = np.where(gradient == 0.0, 0.0, own * gradient).sum(axis=1)
    return FirmInfluence(estimate=value, influence=_spread(sample, moments, influence), treated=_spread(sample, moments, counted))


def _imputation(estimator: ImputationDiD, sample: Sample) -> FirmInfluence:
    model = untreated_model(_by_firm(sample), estimator.year_effects_by, "ImputationDiD")
    found = model.averages(model.treated_column(), model.cohort_year_effects())
    counted = np.asarray((model.moments.treated & model.imputable).any(axis=1))
    return FirmInfluence(
        estimate=float(found.estimate[0]),
        influence=_spread(sample, model.moments, _at_paths(found)[:, 0]),
        treated=_spread(sample, model.moments, counted),
    )
