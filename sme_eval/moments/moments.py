"""The table of moments: cohort × observation pattern × labels → counts, means and covariances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sme_eval.errors import DesignError, Problem
from sme_eval.panel.sample import Sample
from sme_eval.panel.sample_flow import SampleFlow
from sme_eval.results.text import Printable
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray, frozen
from sme_eval.terms import NEVER

Labels = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments(Printable):
    """Moments of firms' outcome paths, K cells over T years.

    A cell holds firms of one cohort, one pattern of observed years and one value of each label. Firm i has weight w (1 if
    unweighted).

    years (T,) · cohort (K,) · observed (K, T) · labels: name → (K,) · n_firms (K,) · weight (K,) = Σw · squared_weight (K,) = Σw² ·
    mean (K, T) under w · squared_weight_mean (K, T) under w² · covariance (K, T+1, T+1) under w², of (y − firm mean, firm mean).

    Means are kept after subtracting `shift` (T,), the weighted year means, which no estimator here can see. The firm's own level
    has a row of its own in the covariance: estimators difference it out, and a covariance of levels would cancel badly.
    The moments are as confidential as the panel: a cell of one firm *is* that firm.
    """

    years: IntArray
    cohort: IntArray
    observed: BoolArray
    labels: Labels
    n_firms: IntArray
    weight: FloatArray
    squared_weight: FloatArray
    mean: FloatArray
    squared_weight_mean: FloatArray
    covariance: FloatArray
    shift: FloatArray
    weighted: bool
    cluster: str | None
    outcome: str
    treatment_known: bool
    flow: SampleFlow

    def __post_init__(self) -> None:
        for name in ("weight", "squared_weight", "mean", "squared_weight_mean", "covariance", "shift"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name, dtype in (("years", np.int64), ("cohort", np.int64), ("n_firms", np.int64), ("observed", np.bool_)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))

    @classmethod
    def from_sample(cls, sample: Sample, by: Sequence[str] | None = None) -> Moments:
        """Moments of a sample.

        `by` names the columns that split cells, beside the cluster. None takes every kept column that is a label: text, category,
        flag or integer, constant within firms.
        """
        from .build import build_moments

        return build_moments(sample, by)

    def merge(self, other: Moments) -> Moments:
        """Moments of both sets of firms together; the firms must be different ones, which only the caller can know."""
        from .merge import merge_moments

        return merge_moments(self, other)

    def write(self, path: str | Path) -> Path:
        """Write the table for an internal folder (never for release)."""
        from .storage import write_moments

        return write_moments(self, Path(path))

    @classmethod
    def read(cls, path: str | Path) -> Moments:
        """Read what `write` wrote."""
        from .storage import read_moments

        return read_moments(Path(path))

    @property
    def treated_cohorts(self) -> IntArray:
        """Cohorts treated within the panel's years, ascending. Later ones are untreated in every year seen."""
        cohorts = np.unique(self.cohort)
        return np.asarray(cohorts[cohorts <= self.years[-1]])

    @property
    def event_time(self) -> IntArray:
        """Years since treatment (K, T); far below zero for never treated."""
        return np.where(self.cohort[:, None] == NEVER, -NEVER, self.years[None, :] - self.cohort[:, None])

    @property
    def treated(self) -> BoolArray:
        """Cell-years from treatment on, (K, T)."""
        return self.event_time >= 0

    @property
    def n_observations(self) -> int:
        """Firm-years behind the table."""
        return int(self.n_firms @ self.observed.sum(axis=1))

    def label(self, name: str) -> NDArray[Any]:
        """A label per cell (K,); DesignError if the table was not split by it."""
        if name not in self.labels:
            held = ", ".join(sorted(self.labels)) or "none"
            raise DesignError(
                Problem(
                    what=f"The moments are not split by {name!r}.",
                    where=f"labels held: {held}",
                    remedy=f"keep the column in the sample and build with Moments.from_sample(sample, by=({name!r},))",
                )
            )
        return self.labels[name]

    def require_treatment(self, estimator: str) -> None:
        """Refuse a table without cohorts."""
        if not self.treatment_known:
            raise DesignError(
                Problem(
                    what=f"{estimator} needs to know who was treated when.",
                    remedy="name `cohort` or `treatment` in Sample.from_frame",
                )
            )

    def subset(self, keep: BoolArray) -> Moments:
        """The cells that `keep` (K,) marks."""
        parts = (
            "cohort",
            "observed",
            "n_firms",
            "weight",
            "squared_weight",
            "mean",
            "squared_weight_mean",
            "covariance",
        )
        return replace(
            self,
            labels={name: values[keep] for name, values in self.labels.items()},
            **{name: getattr(self, name)[keep] for name in parts},
        )

    def summary(self) -> str:
        """Counts only."""
        return (
            f"Moments of {self.outcome}: {int(self.n_firms.sum())} firms in {len(self.n_firms)} cells, "
            f"{self.years[0]}–{self.years[-1]}, {self.n_observations} observations (confidential)"
        )
