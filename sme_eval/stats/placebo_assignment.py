"""Placebo assignments: treatment histories dealt out again among the units of a stratum, and the landmark effect of each deal.

A permutation test conditional on strata. The effect is that of `treated_gap` by regression, cohorts pooled by their treated weight
and event times averaged; a deal costs one update of the covariates' cross-products and one p × p inverse per cohort.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .doubly_robust import SPAN_TOLERANCE
from .least_squares import dependent_columns, scaled_pseudoinverse

DEALS_AT_ONCE = 64
"""Deals handled together, so that (deals, units) arrays stay small."""

NEARLY_SINGULAR = 1e7
"""Largest element of an inverse of a correlation matrix that is taken as it is; above, the generalised inverse is made."""


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
        given[units] = np.argsort(stratum + rng.random(len(stratum)))
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
    found = (_Cells.of(c, cells, w) for c in cohorts for cells in _same_units(c))
    parts = [cells for cells in found if cells.p]  # without a column, not even an intercept: nobody's covariates are known
    order = None if cluster is None else np.argsort(cluster, kind="stable")
    effect, error = np.empty(len(given)), np.empty(len(given))
    for first in range(0, len(given), DEALS_AT_ONCE):
        some = slice(first, first + DEALS_AT_ONCE)
        effect[some], psi = _effects(parts, given[some], cohorts[0].change.shape[1])
        if cluster is not None and order is not None:
            psi = np.add.reduceat(psi[:, order], np.flatnonzero(np.diff(cluster[order], prepend=-1)), axis=1)
        error[some] = np.sqrt((psi**2).sum(axis=1))
    return effect, np.where(np.isfinite(effect), error, np.nan)


def _same_units(cohort: HistoryCohort) -> Iterator[IntArray]:
    """Event times that are known for the same units, together."""
    known = np.isfinite(cohort.change)
    keyed = sorted((np.packbits(known[:, e]).tobytes(), e) for e in range(known.shape[1]) if known[:, e].any())
    for _, group in groupby(keyed, key=lambda pair: pair[0]):
        yield np.array([e for _, e in group])


@dataclass(frozen=True, eq=False, kw_only=True)
class _Cells:
    """Event times `times` (m,) of one cohort that share their units.

    `both` (N, p + m) are independent covariates and changes, zero where not `usable`; `weight` (N,) is zero there too.
    """

    treated: BoolArray
    comparison: BoolArray
    both: FloatArray
    weight: FloatArray
    times: IntArray
    p: int

    @classmethod
    def of(cls, cohort: HistoryCohort, times: IntArray, weight: FloatArray) -> _Cells:
        usable = np.isfinite(cohort.x.sum(axis=1)) & np.isfinite(cohort.change[:, times]).all(axis=1)
        x = np.where(usable[:, None], cohort.x, 0.0)
        gram = x.T @ x
        x = x[:, ~dependent_columns(gram, np.diag(gram))]
        return cls(
            treated=cohort.treated,
            comparison=cohort.comparison & ~cohort.treated,
            both=np.concatenate([x, np.where(usable[:, None], cohort.change[:, times], 0.0)], axis=1),
            weight=weight * usable,
            times=times,
            p=x.shape[1],
        )

    def products(self, comparison: BoolArray) -> FloatArray:
        """(R, p, p + m) weighted cross-products over each deal's `comparison` (R, N): those of all units less the others'."""
        seen, x = self.weight > 0.0, self.both[:, : self.p]
        whole = (x * self.weight[:, None]).T @ self.both
        found = np.empty((len(comparison), *whole.shape))
        for r, inside in enumerate(comparison):
            rest = np.flatnonzero(seen & ~inside)
            rows = rest if 2 * len(rest) < len(x) else np.flatnonzero(inside & seen)
            some = self.both.take(rows, axis=0)
            part = (some[:, : self.p] * self.weight[rows, None]).T @ some
            found[r] = whole - part if rows is rest else part
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class _Found:
    """Of R deals: weights (R, N) of treated and comparison, `mass` (R,), `value` (R, m), `beta` (R, p, m), `lead` (R, p)."""

    treated: FloatArray
    comparison: FloatArray
    mass: FloatArray
    value: FloatArray
    beta: FloatArray
    lead: FloatArray


def _effects(parts: list[_Cells], given: IntArray, n_times: int) -> tuple[FloatArray, FloatArray]:
    """(R,) average effects and the influence (R, N) on them."""
    found = [_found(cells, given) for cells in parts]
    total, value = np.zeros((len(given), n_times)), np.zeros((len(given), n_times))
    for cells, of in zip(parts, found, strict=True):
        total[:, cells.times] += of.mass[:, None]
        value[:, cells.times] += of.mass[:, None] * of.value
    live = total > 0.0
    divisor, count = np.where(live, total, 1.0), live.sum(axis=1)
    value = value / divisor
    psi = np.zeros(given.shape)
    for cells, of in zip(parts, found, strict=True):
        each = live[:, cells.times] / np.maximum(count, 1)[:, None] / divisor[:, cells.times]
        psi += _influence(cells, of, of.mass[:, None] * each, ((of.value - value[:, cells.times]) * each).sum(axis=1))
    return np.where(count > 0, (value * live).sum(axis=1) / np.maximum(count, 1), np.nan), psi


def _found(cells: _Cells, given: IntArray) -> _Found:
    """Effects of one cohort's cells under each deal."""
    inside, p = cells.comparison[given], cells.p
    treated, comparison = cells.treated[given] * cells.weight, inside * cells.weight
    mass = treated.sum(axis=1)
    mean = treated @ cells.both / np.where(mass > 0.0, mass, 1.0)[:, None]
    cross = cells.products(inside)
    gram, mean_x = cross[:, :, :p], mean[:, :p]
    inverse = _inverses(gram)
    lead = (inverse @ mean_x[:, :, None])[:, :, 0]
    outside = np.abs((gram @ lead[:, :, None])[:, :, 0] - mean_x).max(axis=1)
    spanned = outside <= SPAN_TOLERANCE * np.maximum(1.0, np.abs(mean_x).max(axis=1))
    usable = spanned & (mass > 0.0) & inside.any(axis=1)
    beta = inverse @ cross[:, :, p:]
    value = mean[:, p:] - (mean_x[:, None, :] @ beta)[:, 0]
    return _Found(
        treated=treated,
        comparison=comparison,
        mass=np.where(usable, mass, 0.0),
        value=np.where(usable[:, None], value, 0.0),
        beta=beta,
        lead=lead,
    )


def _influence(cells: _Cells, of: _Found, share: FloatArray, moved: FloatArray) -> FloatArray:
    """(R, N) influence of Σ over cells of `share` (R, m) times their effect, and of the shares by `moved` (R,)."""
    slopes = (of.beta @ share[:, :, None])[:, :, 0]
    residual = np.concatenate([-slopes, share], axis=1) @ cells.both.T
    live = of.mass > 0.0
    per_mass = live / np.where(live, of.mass, 1.0)
    level = moved * live - (share * of.value).sum(axis=1) * per_mass
    psi = of.treated * (residual * per_mass[:, None] + level[:, None])
    psi -= of.comparison * ((of.lead * live[:, None]) @ cells.both[:, : cells.p].T) * residual
    return np.asarray(psi)


def _inverses(gram: FloatArray) -> FloatArray:
    """(R, p, p) generalised inverses, equal to the inverse where there is one."""
    scale = np.sqrt(np.maximum(np.diagonal(gram, axis1=1, axis2=2), 0.0))
    scale = np.where(scale == 0.0, 1.0, scale)
    outer = scale[:, :, None] * scale[:, None, :]
    try:
        inverse = np.linalg.inv(gram / outer)
    except np.linalg.LinAlgError:  # one of them is exactly singular, and numpy does not say which
        return np.stack([scaled_pseudoinverse(one) for one in gram])
    inverse = inverse / outer
    size = np.abs(np.diagonal(inverse, axis1=1, axis2=2) * scale**2).max(axis=1)
    for r in np.flatnonzero(~(size < NEARLY_SINGULAR)):
        inverse[r] = scaled_pseudoinverse(gram[r])
    return np.asarray(inverse)
