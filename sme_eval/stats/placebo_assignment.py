"""Placebo assignments: treatment histories dealt out again among the units of a stratum, and the landmark effect of each deal.

A permutation test conditional on strata. The effect is that of `treated_gap` by regression, cohorts pooled by their treated weight and
event times averaged; a deal costs one product with the cross-products of covariates and one p × p inverse per cohort.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .doubly_robust import SPAN_TOLERANCE
from .least_squares import PINV_CUTOFF

DEALS_AT_ONCE = 64
"""Deals handled together: (units, deals) arrays then stay within a processor's cache."""


@dataclass(frozen=True, eq=False, kw_only=True)
class HistoryCohort:
    """What makes a unit `treated` in a cohort or its `comparison`, (N,) each: its history, which is dealt out.

    `x` (N, p) covariates with an intercept and `change` (N, E) outcome changes since the base year stay with the unit; NaN where
    not known.
    """

    treated: BoolArray
    comparison: BoolArray
    x: FloatArray
    change: FloatArray


def deals(stratum: IntArray, draws: int, rng: np.random.Generator) -> Iterator[IntArray]:
    """`draws` times (N,): whose history each unit gets, a random order within each stratum (N,)."""
    units = np.argsort(stratum, kind="stable")
    for _ in range(draws):
        given = np.empty(len(stratum), dtype=np.int64)
        given[units] = np.lexsort((rng.random(len(stratum)), stratum))
        yield given


def alone_in_stratum(stratum: IntArray, history: IntArray) -> BoolArray:
    """Units (N,) in whose stratum every unit has the same history: no deal changes anything for them."""
    pairs = np.unique(np.column_stack([stratum, history]), axis=0)
    kinds = np.bincount(pairs[:, 0], minlength=int(stratum.max()) + 1)
    return np.asarray(kinds[stratum] == 1)


def placebo_effects(
    cohorts: Sequence[HistoryCohort], given: IntArray, weight: FloatArray | None = None, cluster: IntArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Average effect and its standard error under each deal `given` (R, N): (R,) each, NaN where nothing is identified.

    θ = mean over e of Σ_g s_ge τ_ge, τ_ge = Σ_D w r / Σ_D w, r the residual from the comparison's regression on x, s_ge the
    cohort's share of the treated weight. The error is that of the influence functions, shares and regression counting as
    estimated, summed by `cluster` (N,). Cells whose treated lie outside what their comparison spans are left out.
    """
    w = np.ones(given.shape[1]) if weight is None else weight
    parts = [_Cells.of(c, cells) for c in cohorts for cells in _same_units(c)]
    order = None if cluster is None else np.argsort(cluster, kind="stable")
    effect, error = np.empty(len(given)), np.empty(len(given))
    for first in range(0, len(given), DEALS_AT_ONCE):
        some = slice(first, first + DEALS_AT_ONCE)
        effect[some], psi = _effects(parts, given[some], w, cohorts[0].change.shape[1])
        if cluster is not None and order is not None:
            starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
            psi = np.add.reduceat(psi[order], starts, axis=0)
        error[some] = np.sqrt((psi**2).sum(axis=0))
    return effect, np.where(np.isfinite(effect), error, np.nan)


def _same_units(cohort: HistoryCohort) -> Iterator[IntArray]:
    """Event times that are known for the same units, together."""
    known = np.isfinite(cohort.change)
    keyed = sorted((np.packbits(known[:, e]).tobytes(), e) for e in range(known.shape[1]) if known[:, e].any())
    for _, group in groupby(keyed, key=lambda pair: pair[0]):
        yield np.array([e for _, e in group])


@dataclass(frozen=True, eq=False, kw_only=True)
class _Cells:
    """Event times `times` (m,) of one cohort that share their units; x and change are zero where not `usable`."""

    treated: BoolArray
    comparison: BoolArray
    usable: BoolArray
    x: FloatArray
    change: FloatArray
    products: FloatArray
    times: IntArray

    @classmethod
    def of(cls, cohort: HistoryCohort, times: IntArray) -> _Cells:
        usable = np.isfinite(cohort.x.sum(axis=1)) & np.isfinite(cohort.change[:, times]).all(axis=1)
        x = np.where(usable[:, None], cohort.x, 0.0)
        change = np.where(usable[:, None], cohort.change[:, times], 0.0)
        both = np.concatenate([x, change], axis=1)
        return cls(
            treated=cohort.treated,
            comparison=cohort.comparison & ~cohort.treated,
            usable=usable,
            x=x,
            change=change,
            products=(x[:, :, None] * both[:, None, :]).reshape(len(x), -1),
            times=times,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Found:
    """Of R deals: weights (R, N) of treated and comparison, `mass` (R,), `value` (R, m), `beta` (R, p, m), `lead` (R, p)."""

    treated: FloatArray
    comparison: FloatArray
    mass: FloatArray
    value: FloatArray
    beta: FloatArray
    lead: FloatArray


def _effects(parts: list[_Cells], given: IntArray, weight: FloatArray, n_times: int) -> tuple[FloatArray, FloatArray]:
    """(R,) average effects and the influence (N, R) on them."""
    found = [_found(cells, given, weight) for cells in parts]
    total, value = np.zeros((len(given), n_times)), np.zeros((len(given), n_times))
    for cells, of in zip(parts, found, strict=True):
        total[:, cells.times] += of.mass[:, None]
        value[:, cells.times] += of.mass[:, None] * of.value
    live = total > 0.0
    divisor = np.where(live, total, 1.0)
    value, count = value / divisor, live.sum(axis=1)
    psi = np.zeros((given.shape[1], len(given)))
    for cells, of in zip(parts, found, strict=True):
        each = live[:, cells.times] / np.maximum(count, 1)[:, None] / divisor[:, cells.times]
        psi += _influence(cells, of, of.mass[:, None] * each, ((of.value - value[:, cells.times]) * each).sum(axis=1))
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, (value * live).sum(axis=1) / np.where(count > 0, count, 1), np.nan), psi


def _found(cells: _Cells, given: IntArray, weight: FloatArray) -> _Found:
    """Effects of one cohort's cells under each deal."""
    own = weight * cells.usable
    treated, comparison = cells.treated[given] * own, cells.comparison[given] * own
    mass, p = treated.sum(axis=1), cells.x.shape[1]
    known = np.where(mass > 0.0, mass, 1.0)[:, None]
    mean_x, mean_change = treated @ cells.x / known, treated @ cells.change / known
    cross = (comparison @ cells.products).reshape(len(given), p, -1)
    gram = cross[:, :, :p]
    inverse = _inverses(gram)
    lead = np.einsum("rij,rj->ri", inverse, mean_x)
    outside = np.abs(np.einsum("rij,rj->ri", gram, lead) - mean_x).max(axis=1)
    spanned = outside <= SPAN_TOLERANCE * np.maximum(1.0, np.abs(mean_x).max(axis=1))
    usable = spanned & (mass > 0.0) & (comparison.sum(axis=1) > 0.0)
    beta = inverse @ cross[:, :, p:]
    value = mean_change - np.einsum("ri,rim->rm", mean_x, beta)
    return _Found(
        treated=treated,
        comparison=comparison,
        mass=np.where(usable, mass, 0.0),
        value=np.where(usable[:, None], value, 0.0),
        beta=beta,
        lead=lead,
    )


def _influence(cells: _Cells, of: _Found, share: FloatArray, moved: FloatArray) -> FloatArray:
    """(N, R) influence of Σ over cells of `share` (R, m) times their effect, and of the shares by `moved` (R,)."""
    residual = cells.change @ share.T - cells.x @ np.einsum("rim,rm->ir", of.beta, share)
    mass = np.where(of.mass > 0.0, of.mass, 1.0)
    live = of.mass > 0.0
    treated = of.treated.T * ((residual - (share * of.value).sum(axis=1)) / mass + moved) * live
    comparison = of.comparison.T * (cells.x @ of.lead.T) * residual * live
    return np.asarray(treated - comparison)


def _inverses(gram: FloatArray) -> FloatArray:
    """(R, p, p) generalised inverses, each as `scaled_pseudoinverse` makes it."""
    scale = np.sqrt(np.maximum(np.diagonal(gram, axis1=1, axis2=2), 0.0))
    scale = np.where(scale == 0.0, 1.0, scale)
    outer = scale[:, :, None] * scale[:, None, :]
    value, vector = np.linalg.eigh(gram / outer)
    keep = value > PINV_CUTOFF * np.maximum(value.max(axis=1, initial=0.0), 1e-300)[:, None]
    inverse = (vector * np.where(keep, 1.0 / np.where(keep, value, 1.0), 0.0)[:, None, :]) @ vector.transpose(0, 2, 1)
    return np.asarray(inverse / outer)
