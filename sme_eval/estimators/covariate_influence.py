"""Influences that lean on a firm's covariates as well as on its path: summed in passes over firms.

With p a firm's path, M p its deviation from the mean over the used years and x its covariates, an influence whose weights on p and
whose fit are linear in x is linear in the long path (p, x ⊗ M p, x, x ⊗ x). So it is an `Influence` whose slope is that long, and
whatever is done with estimates (combining, standing side by side, a factor) is done alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sme_eval.moments.influence import Influence
from sme_eval.panel.codes import factorise
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.firm_blocks import FirmBlocks

from .two_way_covariates import CELL, centred
from .year_effects import within


@dataclass(frozen=True, kw_only=True, eq=False)
class CovariateInfluence(Influence):
    """Estimates (J,) whose slope (K, J, T + Tp + p + p²) is on long paths of `firms`; used (K, T) are the years of M."""

    firms: FirmBlocks
    used: BoolArray

    def _by_firm(self) -> FloatArray:
        total = np.zeros((len(self.estimate), len(self.estimate)))
        for k in range(len(self.slope)):
            for score in self._scores(k):
                total += score @ score.T
        return total

    def _by_cluster(self, cluster: str) -> FloatArray:
        codes, names = factorise(self.moments.labels[cluster])
        sums = np.zeros((len(names), len(self.estimate)))
        for k, code in enumerate(codes):
            for score in self._scores(k):
                sums[code] += score.sum(axis=1)
        return np.asarray(sums.T @ sums)

    def _scores(self, k: int) -> Iterator[FloatArray]:
        """Influences (J, n) of the firms of cell k, some at a time."""
        shift = self.moments.shift[:, None]
        for chunk in self.firms.chunks(int(self.moments.labels[CELL][k])):
            path, x = chunk.path - shift, chunk.design
            by_x = (x[:, None] * centred(path, self.used[k])).reshape(-1, len(chunk.weight))
            long = np.concatenate([path, by_x, x, (x[:, None] * x).reshape(-1, len(chunk.weight))])
            yield (self.slope[k] @ long + self.constant[k][:, None]) * chunk.weight


def long_slope(slope: FloatArray, slope_by_x: FloatArray, fit: FloatArray, fit_by_x: FloatArray, used: BoolArray) -> FloatArray:
    """The slope (K, q, …) on long paths of (slope − M Σ_a x_a slope_by_x_a)·(p − fit − Σ_a x_a fit_by_x_a), but for −slope·fit.

    slope (K, T, q) · slope_by_x (T, p, q) · fit (K, T) · fit_by_x (T, p) · used (K, T), the years of M.
    """
    n_cells, n_years, q = slope.shape
    trend = within(fit[:, :, None], used)[:, :, 0]
    trend_by_x = within(np.broadcast_to(fit_by_x, (n_cells, *fit_by_x.shape)), used)
    by_path = np.broadcast_to(-slope_by_x.transpose(2, 1, 0).reshape(q, -1), (n_cells, q, slope_by_x.shape[1] * n_years))
    linear = np.einsum("taq,kt->kqa", slope_by_x, trend) - np.einsum("ktq,ta->kqa", slope, fit_by_x)
    square = np.einsum("taq,ktb->kqab", slope_by_x, trend_by_x).reshape(n_cells, q, -1)
    return np.concatenate([slope.transpose(0, 2, 1), by_path, linear, square], axis=2)
