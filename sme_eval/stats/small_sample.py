"""fixest's small-sample factors, in one place for regressions on moments and on rows."""

from __future__ import annotations

from dataclasses import dataclass

from sme_eval.errors import IdentificationError, Problem

NO_ERROR = "Too little data for a standard error."


def require_clusters(clusters: int) -> int:
    """`clusters`, if they leave an error: influences sum to zero, so that one cluster alone would have an error of zero."""
    if clusters < 2:
        raise IdentificationError(Problem(what=NO_ERROR, where=f"{clusters} cluster", remedy="cluster by firm"))
    return clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallSample:
    """`observations` N and `parameters` K, effects that nest in the clusters not counted. Source: R fixest 0.14, `ssc()`."""

    observations: int
    parameters: int

    def clustered(self, groups: int) -> float:
        """G/(G−1)·(N−1)/(N−K) for G clusters; IdentificationError where no error can be given."""
        self._refuse(groups <= 1, f"{groups} clusters")
        return groups / (groups - 1) * (self.observations - 1) / (self.observations - self.parameters)

    def per_observation(self) -> float:
        """N/(N−K), for classical and HC1 errors; IdentificationError where no error can be given."""
        self._refuse(False, "no clusters")
        return self.observations / (self.observations - self.parameters)

    def words(self, cluster: str, groups: int) -> str:
        """The convention of clustered errors, as printed with the number."""
        factor = f"G/(G−1)·(N−1)/(N−K), K = {self.parameters}; t with G−1 = {groups - 1}"
        return f"clustered by {cluster} as fixest does: {factor}"

    def _refuse(self, too_few_clusters: bool, clusters: str) -> None:
        if too_few_clusters or self.observations <= self.parameters:
            counts = f"{self.observations} observations, {self.parameters} parameters, {clusters}"
            remedy = "more firms or years, or fewer effects"
            raise IdentificationError(Problem(what=NO_ERROR, where=counts, remedy=remedy))
