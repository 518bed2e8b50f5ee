"""Two-way regressions with baseline covariates × year: regressors from the table of cells, covariates from passes over firms.

With M the deviations from a firm's mean over its observed years, C the columns that are constant within cells (regressors and year
effects) and x ⊗ years the covariates' paths, every cross-product but those with the outcome needs a cell's Σ w x and Σ w xx' only.
A firm's influence is w · bread · U'M(y − fit), where U, the regressors less what year effects and covariates predict, differs
between firms of a cell by their covariates: so influences are summed in passes and never follow from the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

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

from .group_time_design import standardised
from .protocol import as_moments
from .two_way import fit_two_way, flat, solve
from .year_effects import YearDummies, YearEffects, centring, parameters, within

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
        """Fixed combinations of the estimates, weights (A, J); one that is not identified may carry weight zero only."""
        weights = np.atleast_2d(weights)
        value = np.where(weights == 0.0, 0.0, weights * self.estimate).sum(axis=1)
        return replace(self, estimate=value, products=weights @ self.products @ weights.T)

    def covariance(self) -> FloatArray:
        """Covariance (J, J) with fixest's small-sample factor."""
        return self.products * self.small_sample.clustered(self.n_clusters)


Regression = Influence | GivenCovariates


class Fit(Protocol):
    """A regression of a table's outcome on regressors (K, T, q), as `fit_two_way`."""

    def __call__(
        self, moments: Moments, terms: Sequence[str], regressors: FloatArray, by: YearEffects, *, partly: bool = False
    ) -> Regression:
        """Estimates with their covariance."""


def two_way_design(data: Sample | Moments, by: tuple[str, ...], estimator: str) -> tuple[Moments, Fit]:
    """The table and the regression to fit on it (or on what is left of it): given covariates if `data` is a sample that has any."""
    if not isinstance(data, Sample) or not data.names.covariates:
        return as_moments(data, by, estimator), fit_two_way
    bare = replace(data, names=replace(data.names, covariates=()))
    moments = as_moments(bare, by, estimator)
    labels = {**moments.labels, CELL: np.arange(len(moments.n_firms))}
    firms = firms_by_cell(data, by)

    def fit(
        moments: Moments, terms: Sequence[str], regressors: FloatArray, by: YearEffects, *, partly: bool = False
    ) -> GivenCovariates:
        return replace(_fit(firms, moments, terms, regressors, by, partly), covariates=data.names.covariates)

    return replace(moments, labels=labels), fit


def firms_by_cell(sample: Sample, by: tuple[str, ...]) -> FirmBlocks:
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
        design=standardised(sample.baseline, order),
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


def _fit(
    firms: FirmBlocks, moments: Moments, terms: Sequence[str], regressors: FloatArray, by: YearEffects, partly: bool
) -> GivenCovariates:
    """Partial year effects and covariates × year out of regressors (K, T, q) and outcome, then regress."""
    dummies, q = YearDummies.of(moments, by), len(terms)
    products = normal_equations(firms, moments, dummies, regressors)
    inverse = scaled_pseudoinverse(products.nuisance)
    partial = inverse @ products.gram[:-q, -q:]
    gram = products.gram[-q:, -q:] - products.gram[-q:, :-q] @ partial
    solution = solve(terms, gram, np.diag(products.gram)[-q:], partly)
    beta = solution.bread @ (products.outcome[-q:] - partial.T @ products.outcome[:-q])
    gamma = inverse @ (products.outcome[:-q] - products.gram[:-q, -q:] @ beta)
    scores = _Scores.of(firms, moments, dummies, regressors, partial, np.append(gamma, beta))
    total, n_clusters = scores.products(firms, moments)
    n_parameters = parameters(moments, [moments.observed], by, solution.rank + products.extra)
    return GivenCovariates(
        moments=moments,
        estimate=np.where(solution.identified, beta, np.nan),
        products=solution.bread @ total @ solution.bread,
        n_clusters=n_clusters,
        small_sample=SmallSample(observations=moments.n_observations, parameters=n_parameters),
    )


def _blocks(moments: Moments) -> list[int]:
    """Which of the firms' blocks each cell of the table is."""
    return [int(cell) for cell in moments.labels[CELL]]


def normal_equations(firms: FirmBlocks, moments: Moments, dummies: YearDummies, regressors: FloatArray) -> _Products:
    """With D the year effects, R the regressors and M the deviations from firms' means: sums over cells of what each has alone."""
    n_years, p = len(moments.years), len(firms.design)
    first, second, paths = _covariate_sums(firms, moments)
    centre, own = centring(moments.observed), within(regressors, moments.observed)
    weight, wide = moments.weight[:, None, None], n_years * p
    by_effects = [
        dummies.gram(weight * centre),
        dummies.collect(np.einsum("kts,ka->ktsa", centre, first).reshape(*moments.observed.shape, wide)),
        dummies.collect(weight * own),
    ]
    covariates = np.einsum("kts,kab->tasb", centre, second).reshape(wide, wide)
    cross = np.einsum("ktc,ka->tac", own, first).reshape(wide, -1)
    regression = flat(weight * own).T @ flat(own)
    path = weight * within(moments.mean[:, :, None], moments.observed)
    return _Products(
        gram=np.block(
            [by_effects, [by_effects[1].T, covariates, cross], [by_effects[2].T, cross.T, regression]],
        ),
        outcome=np.concatenate([dummies.collect(path).ravel(), paths.ravel(), flat(own).T @ path.ravel()]),
        n_effects=dummies.n_columns,
        n_regressors=regressors.shape[2],
    )


def _covariate_sums(firms: FirmBlocks, moments: Moments) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Σ w x (K, p) and Σ w xx' (K, p, p) of every cell, and Σ w (My) x' (T, p) over all."""
    n_cells, p = len(moments.n_firms), len(firms.design)
    first, triangle = np.zeros((n_cells, p)), np.zeros((n_cells, p * (p + 1) // 2))
    paths = np.zeros((len(moments.years), p))
    for k, block in enumerate(_blocks(moments)):
        for chunk in firms.chunks(block):
            first[k] += chunk.weighted.sum(axis=1)
            triangle[k] += chunk.products.sum(axis=1)
            paths += centred(chunk.path - moments.shift[:, None], moments.observed[k]) @ chunk.weighted.T
    return first, as_square(triangle, p), paths


def centred(path: FloatArray, observed: BoolArray) -> FloatArray:
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
        dummies: YearDummies,
        regressors: FloatArray,
        partial: FloatArray,
        coefficients: FloatArray,
    ) -> _Scores:
        """From the regressors' own regression on the nuisances, `partial`, and the outcome's `coefficients` on everything."""
        n_effects, q = dummies.n_columns, regressors.shape[2]
        shape = (len(moments.years), len(firms.design))
        return cls(
            regressor=regressors - dummies.spread(partial[:n_effects]),
            fit=dummies.spread(coefficients[:n_effects, None])[:, :, 0] + regressors @ coefficients[-q:],
            regressor_by_x=partial[n_effects:].reshape(*shape, q),
            fit_by_x=coefficients[n_effects:-q].reshape(shape),
        )

    def of_chunk(self, chunk: Chunk, k: int, moments: Moments) -> FloatArray:
        """Scores (q, n) of a chunk of cell k."""
        known = (moments.shift + self.fit[k])[:, None] + self.fit_by_x @ chunk.design
        residual = centred(chunk.path - known, moments.observed[k])
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
