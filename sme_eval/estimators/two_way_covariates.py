"""Two-way regressions with baseline covariates × year: regressors from the table of cells, covariates from passes over firms.

With M the deviations from a firm's mean over its observed years, C the columns that are constant within cells (regressors and year
effects) and x ⊗ years the covariates' paths, every cross-product but those with the outcome needs a cell's Σ w x and Σ w xx' only.
A firm's influence is w · bread · U'M(y − fit), where U, the regressors less what year effects and covariates predict, differs
between firms of a cell by their covariates: so influences are summed in passes and never follow from the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sme_eval.moments.build import sort_into_cells
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.panel.codes import factorise
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.firm_blocks import Chunk, FirmBlocks, as_square
from sme_eval.stats.least_squares import PINV_CUTOFF, scaled_pseudoinverse
from sme_eval.stats.small_sample import SmallSample
from sme_eval.terms import NEVER

from .group_time_design import baseline_values, standardised
from .protocol import as_moments
from .two_way import YearEffects, fit_two_way, flat, parameters, refuse_dependent, within, year_effects

CELL = "cell of the whole table"
"""Label under which a table remembers its cells when some are taken out."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GivenCovariates:
    """Estimates (J,) given covariates and the sum of their influences' products (J, J), by firm or cluster.

    It answers what `Influence` answers, but cannot be merged.
    """

    moments: Moments
    estimate: FloatArray
    products: FloatArray
    n_clusters: int
    small_sample: SmallSample
    covariates: tuple[str, ...] = ()

    def combine(self, weights: FloatArray) -> GivenCovariates:
        """Fixed combinations of the estimates, weights (A, J)."""
        weights = np.atleast_2d(weights)
        return replace(self, estimate=weights @ self.estimate, products=weights @ self.products @ weights.T)

    def covariance(self) -> FloatArray:
        """Covariance (J, J) with fixest's small-sample factor."""
        return self.products * self.small_sample.clustered(self.n_clusters)


Fit = Callable[[Moments, Sequence[str], FloatArray, YearEffects], Influence | GivenCovariates]


def two_way_design(data: Sample | Moments, by: tuple[str, ...], estimator: str) -> tuple[Moments, Fit]:
    """The table and the regression to fit on it (or on what is left of it): given covariates if `data` is a sample that has any."""
    if not isinstance(data, Sample) or not data.names.covariates:
        return as_moments(data, by, estimator), fit_two_way
    bare = replace(data, names=replace(data.names, covariates=()))
    moments = as_moments(bare, by, estimator)
    labels = {**moments.labels, CELL: np.arange(len(moments.n_firms))}
    firms = _firms(data, by)

    def fit(table: Moments, terms: Sequence[str], regressors: FloatArray, effects: YearEffects) -> GivenCovariates:
        return replace(_fit(firms, table, terms, regressors, effects), covariates=data.names.covariates)

    return replace(moments, labels=labels), fit


def _firms(sample: Sample, by: tuple[str, ...]) -> FirmBlocks:
    """Firms sorted as in the table, blocks being cells, with their covariates and without an intercept."""
    labels = {name: sample.label(name) for name in by}
    if sample.cluster is not None and sample.names.cluster is not None:
        labels.setdefault(sample.names.cluster, sample.label(sample.names.cluster))
    cohort = sample.cohort if sample.cohort is not None else np.full(sample.n_firms, NEVER)
    order, start = sort_into_cells(~np.isnan(sample.outcome), (cohort, *labels.values()))
    return FirmBlocks(
        outcome=sample.outcome,
        order=order,
        start=start,
        design=standardised(baseline_values(sample), order),
        weight=None if sample.weight is None else sample.weight[order],
        cluster=None if sample.cluster is None else sample.cluster[order],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Products:
    """Normal equations of year effects (P), covariates × year (T p), regressors (q), in this order, and their outcome side."""

    gram: FloatArray
    outcome: FloatArray
    n_effects: int
    n_regressors: int

    @property
    def nuisance(self) -> FloatArray:
        """Cross-products of what is partialled out."""
        return self.gram[: -self.n_regressors, : -self.n_regressors]

    @property
    def extra(self) -> int:
        """Independent covariates × year beside the fixed effects: fixest counts them as regressors."""
        return _rank(self.nuisance) - _rank(self.gram[: self.n_effects, : self.n_effects])


def _rank(gram: FloatArray) -> int:
    scale = np.sqrt(np.maximum(np.diag(gram), 0.0))
    scale[scale == 0.0] = 1.0
    value = np.linalg.eigvalsh(gram / np.outer(scale, scale))
    return int((value > PINV_CUTOFF * value.max(initial=0.0)).sum())


def _fit(firms: FirmBlocks, moments: Moments, terms: Sequence[str], regressors: FloatArray, by: YearEffects) -> GivenCovariates:
    """Partial year effects and covariates × year out of regressors (K, T, q) and outcome, then regress."""
    effects = {b: year_effects(moments, b) for b in by}
    dummies = np.concatenate(list(effects.values()), axis=2)
    products = _products(firms, moments, dummies, regressors)
    q = len(terms)
    inverse = scaled_pseudoinverse(products.nuisance)
    partial = inverse @ products.gram[:-q, -q:]
    gram = products.gram[-q:, -q:] - products.gram[-q:, :-q] @ partial
    refuse_dependent(terms, gram, np.diag(products.gram)[-q:])
    bread = np.linalg.inv(gram)
    beta = bread @ (products.outcome[-q:] - partial.T @ products.outcome[:-q])
    gamma = inverse @ (products.outcome[:-q] - products.gram[:-q, -q:] @ beta)
    scores = _Scores.of(firms, moments, dummies, regressors, partial, np.append(gamma, beta))
    total, n_clusters = scores.products(firms, moments)
    return GivenCovariates(
        moments=moments,
        estimate=beta,
        products=bread @ total @ bread,
        n_clusters=n_clusters,
        small_sample=SmallSample(observations=moments.n_observations, parameters=parameters(moments, effects, q + products.extra)),
    )


def _blocks(moments: Moments) -> list[int]:
    """Which of the firms' blocks each cell of the table is."""
    return [int(cell) for cell in moments.labels[CELL]]


def _centring(observed: BoolArray) -> FloatArray:
    """M of every cell, (K, T, T): deviations from the mean over observed years, zero elsewhere."""
    seen = observed.astype(np.float64)
    count = np.maximum(seen.sum(axis=1), 1.0)[:, None, None]
    return np.asarray(seen[:, :, None] * np.eye(observed.shape[1]) - seen[:, :, None] * seen[:, None, :] / count)


def _products(firms: FirmBlocks, moments: Moments, dummies: FloatArray, regressors: FloatArray) -> _Products:
    n_years, p = len(moments.years), len(firms.design)
    first, second, paths = _covariate_sums(firms, moments)
    seen = moments.observed[:, :, None].astype(np.float64)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1.0)
    constant = within(np.concatenate([dummies, regressors], axis=2), seen, count)
    weighted = flat(constant * moments.weight[:, None, None])
    own = weighted.T @ flat(constant)
    cross = np.einsum("ktc,ka->cta", constant, first).reshape(-1, n_years * p)
    covariates = np.einsum("kts,kab->tasb", _centring(moments.observed), second).reshape(n_years * p, n_years * p)
    n_effects, q = dummies.shape[2], regressors.shape[2]
    gram = np.block([[own, cross], [cross.T, covariates]])
    order = np.concatenate([np.arange(n_effects), n_effects + q + np.arange(n_years * p), n_effects + np.arange(q)])
    outcome = np.concatenate([weighted.T @ moments.mean.ravel(), paths.ravel()])
    return _Products(gram=gram[np.ix_(order, order)], outcome=outcome[order], n_effects=n_effects, n_regressors=q)


def _covariate_sums(firms: FirmBlocks, moments: Moments) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Σ w x (K, p) and Σ w xx' (K, p, p) of every cell, and Σ w (My) x' (T, p) over all."""
    n_cells, p = len(moments.n_firms), len(firms.design)
    first, triangle = np.zeros((n_cells, p)), np.zeros((n_cells, p * (p + 1) // 2))
    paths = np.zeros((len(moments.years), p))
    for k, block in enumerate(_blocks(moments)):
        for chunk in firms.chunks(block):
            first[k] += chunk.weighted.sum(axis=1)
            triangle[k] += chunk.products.sum(axis=1)
            paths += _centred(chunk.path - moments.shift[:, None], moments.observed[k]) @ chunk.weighted.T
    return first, as_square(triangle, p), paths


def _centred(path: FloatArray, observed: BoolArray) -> FloatArray:
    """M times (T, n) paths of one cell."""
    centred: FloatArray = path - path[observed].mean(axis=0)
    centred[~observed] = 0.0
    return centred


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scores:
    """What firms' scores are made of.

    `regressor` (K, T, q) and `fit` (K, T) are each cell's part, `regressor_by_x` (T, p, q) and `fit_by_x` (T, p) what a firm's
    covariates add: to U with a minus.
    """

    regressor: FloatArray
    fit: FloatArray
    regressor_by_x: FloatArray
    fit_by_x: FloatArray

    @classmethod
    def of(
        cls,
        firms: FirmBlocks,
        moments: Moments,
        dummies: FloatArray,
        regressors: FloatArray,
        partial: FloatArray,
        coefficients: FloatArray,
    ) -> _Scores:
        """From the regressors' own regression on the nuisances, `partial`, and the outcome's `coefficients` on everything."""
        n_effects, q = dummies.shape[2], regressors.shape[2]
        shape = (len(moments.years), len(firms.design))
        return cls(
            regressor=regressors - dummies @ partial[:n_effects],
            fit=dummies @ coefficients[:n_effects] + regressors @ coefficients[-q:],
            regressor_by_x=partial[n_effects:].reshape(*shape, q),
            fit_by_x=coefficients[n_effects:-q].reshape(shape),
        )

    def of_chunk(self, chunk: Chunk, k: int, moments: Moments) -> FloatArray:
        """Scores (q, n) of a chunk of cell k."""
        known = (moments.shift + self.fit[k])[:, None] + self.fit_by_x @ chunk.design
        residual = _centred(chunk.path - known, moments.observed[k])
        residual *= chunk.weight
        score: FloatArray = self.regressor[k].T @ residual
        for a, x in enumerate(chunk.design):
            score -= x * (self.regressor_by_x[:, a].T @ residual)
        return score

    def products(self, firms: FirmBlocks, moments: Moments) -> tuple[FloatArray, int]:
        """Sum of the products of scores (q, q), by firm or cluster, and how many of these there are."""
        q = self.regressor.shape[2]
        blocks = _blocks(moments)
        if firms.cluster is None:
            total = np.zeros((q, q))
            for k, block in enumerate(blocks):
                for chunk in firms.chunks(block):
                    score = self.of_chunk(chunk, k, moments)
                    total += score @ score.T
            return total, int(moments.n_firms.sum())
        codes, names = factorise(np.array([int(firms.cluster[firms.start[block]]) for block in blocks]))
        sums = np.zeros((len(names), q))
        for k, block in enumerate(blocks):
            for chunk in firms.chunks(block):
                sums[codes[k]] += self.of_chunk(chunk, k, moments).sum(axis=1)
        return sums.T @ sums, len(names)
