"""Changes of treated rows against weighted changes of comparison rows, pooled over groups, with the weights' estimation counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .entropy_balancing import Balancing
from .least_squares import scaled_pseudoinverse


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightedChange:
    """Effects (E,), NaN where no group is compared, their influence (N, E) by unit, and the treated weight behind them (E,)."""

    effect: FloatArray
    influence: FloatArray
    mass: FloatArray


def weighted_change(
    change: FloatArray,
    treated: BoolArray,
    group: IntArray,
    unit: tuple[IntArray, int],
    weight: FloatArray,
    balancing: Balancing | None = None,
) -> WeightedChange:
    """Σ_g s_g {Σ_D q Δ / Σ_D q − Σ_C w Δ / Σ_C w} for each column of `change` (R, E), over the rows where it is known.

    `weight` (R,) holds q of treated and w of comparison rows, s_g the group's share of the treated weight. `unit` are codes of the
    rows and the number of units: influences are summed over a unit's rows. With a `balancing`, its θ counts as estimated: a
    just-identified M-estimator, so that each row moves θ by (Σ_C w′ z z′)⁻¹ z (D q − (1 − D) w), w′ the derivative of a weight, and
    the effect by its gradient in θ. Without, the weights are taken as given. The groups' shares count as estimated.
    """
    n_columns = change.shape[1]
    effect, mass = np.full(n_columns, np.nan), np.zeros(n_columns)
    own, gradient = np.zeros(change.shape), np.zeros((n_columns, 0 if balancing is None else balancing.design.shape[1]))
    for j in range(n_columns):
        known = np.isfinite(change[:, j])
        parts = [_gap(np.flatnonzero(known & (group == g)), change[:, j], treated, weight) for g in range(int(group.max()) + 1)]
        found = [part for part in parts if part is not None]
        mass[j] = sum(part.mass for part in found)
        if not found:
            continue
        effect[j] = sum(part.mass * part.effect for part in found) / mass[j]
        for part in found:
            moved = np.where(treated[part.rows], weight[part.rows] * (part.effect - effect[j]), 0.0) / mass[j]
            own[part.rows, j] += part.mass / mass[j] * part.influence + moved
            if balancing is not None:
                tilt = np.where(treated[part.rows], 0.0, balancing.slope[part.rows]) * part.deviation / part.total
                gradient[j] -= part.mass / mass[j] * (tilt @ balancing.design[part.rows])
    if balancing is not None:
        own += _estimation(balancing, treated, weight, gradient)
    influence = np.zeros((unit[1], n_columns))
    np.add.at(influence, unit[0], own)
    return WeightedChange(effect=effect, influence=influence, mass=mass)


def _estimation(balancing: Balancing, treated: BoolArray, weight: FloatArray, gradient: FloatArray) -> FloatArray:
    """(R, E) what a row adds to the effects by moving the weights' coefficients."""
    z = balancing.design
    scaled = z * np.sqrt(balancing.slope)[:, None]
    signed = np.where(treated, weight, -weight)
    moved: FloatArray = signed[:, None] * (z @ (scaled_pseudoinverse(scaled.T @ scaled) @ gradient.T))
    return moved


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Gap:
    """One group: its `rows` (r,), effect, influence (r,) given the weights, and the comparison's deviations from its mean (r,)."""

    rows: IntArray
    effect: float
    influence: FloatArray
    deviation: FloatArray
    mass: float
    total: float


def _gap(rows: IntArray, change: FloatArray, treated: BoolArray, weight: FloatArray) -> _Gap | None:
    """None where a side has no weight."""
    inside, value = treated[rows], change[rows]
    ours, theirs = np.where(inside, weight[rows], 0.0), np.where(inside, 0.0, weight[rows])
    mass, total = float(ours.sum()), float(theirs.sum())
    if mass <= 0.0 or total <= 0.0:
        return None
    mean, compared = float(ours @ value / mass), float(theirs @ value / total)
    influence = ours * (value - mean) / mass - theirs * (value - compared) / total
    return _Gap(rows=rows, effect=mean - compared, influence=influence, deviation=value - compared, mass=mass, total=total)
