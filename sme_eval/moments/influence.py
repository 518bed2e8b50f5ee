"""Linear estimates and the one place where their covariance is computed.

An estimate that is linear in firms' paths has, for a firm of cell k with path y and weight w, the influence
w · (slope_k · y + constant_k). Then

    clustered by firm:     V = Σ_k Σw²_k [ slope Cov_k slope' + (slope mean_k + constant)(slope mean_k + constant)' ]   (under w²)
    clustered above:       V = Σ_c s_c s_c',  s_c = Σ_{k in c} Σw_k (slope mean_k + constant)                          (under w)

which equals the sum over firms of the outer product of influences, without a matrix of firms × estimates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sme_eval.panel.codes import factorise
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.small_sample import SmallSample

from .moments import Moments


@dataclass(frozen=True, kw_only=True, eq=False)
class Influence:
    """Estimates (J,) and, per cell, the map from a firm's path to its influence on them: slope (K, J, T), constant (K, J)."""

    moments: Moments
    estimate: FloatArray
    slope: FloatArray
    constant: FloatArray
    small_sample: SmallSample | None = None

    def combine(self, weights: FloatArray) -> Influence:
        """Fixed combinations of the estimates, weights (A, J); an unavailable one may carry weight zero only."""
        weights = np.atleast_2d(weights)
        value = np.where(weights == 0.0, 0.0, weights * self.estimate).sum(axis=1)
        return replace(self, estimate=value, slope=np.matmul(weights, self.slope), constant=self.constant @ weights.T)

    @property
    def covariates(self) -> tuple[str, ...]:
        """Covariates beside the fixed effects: a table knows none."""
        return ()

    @property
    def n_clusters(self) -> int:
        """Firms, or the clusters above them."""
        if self.moments.cluster is None:
            return int(self.moments.n_firms.sum())
        return len(np.unique(self.moments.labels[self.moments.cluster]))

    def covariance(self) -> FloatArray:
        """Covariance (J, J), clustered as the moments say, with the small-sample factor if the convention has one."""
        cluster = self.moments.cluster
        covariance = self._by_firm() if cluster is None else self._by_cluster(cluster)
        return covariance if self.small_sample is None else covariance * self.small_sample.clustered(self.n_clusters)

    def _by_firm(self) -> FloatArray:
        moments = self.moments
        level = np.einsum("kjt,kt->kj", self.slope, moments.squared_weight_mean) + self.constant
        slope = np.concatenate([self.slope, self.slope.sum(axis=2, keepdims=True)], axis=2)
        spread = np.matmul(slope, moments.covariance) * moments.squared_weight[:, None, None]
        within = np.tensordot(spread, slope, axes=([0, 2], [0, 2]))
        return np.asarray(within + (level * moments.squared_weight[:, None]).T @ level)

    def _by_cluster(self, cluster: str) -> FloatArray:
        moments = self.moments
        codes, names = factorise(moments.labels[cluster])
        level = (np.einsum("kjt,kt->kj", self.slope, moments.mean) + self.constant) * moments.weight[:, None]
        sums = np.zeros((len(names), level.shape[1]))
        np.add.at(sums, codes, level)
        return sums.T @ sums
