"""The headline's estimator on changed data: rows left out, columns replaced, other entrants asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sme_eval.errors import DataError, DesignError, IdentificationError
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.protocol import Estimator
from sme_eval.panel.sample import Sample
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray

from .asked import Asked
from .other_values import estimate_of

if TYPE_CHECKING:
    import pandas as pd

NOT_REFITTED = "the estimate is not identified on what is left"


@dataclass(frozen=True, kw_only=True)
class Refit:
    """The headline of a design again and again: same estimator, same columns, on other rows of `source` or with other values.

    What only the headline's page needs is left out of each fit (`estimate_of`). Average, error and counts are those that the whole
    estimator would give.
    """

    estimator: Estimator
    sample: Sample
    never_treated: float | None
    source: pd.DataFrame

    @classmethod
    def of(cls, asked: Asked) -> Refit:
        """The refit of what is asked, on the rows of its panel."""
        return cls(
            estimator=asked.design.estimator,
            sample=asked.sample,
            never_treated=asked.design.policy.treatment.never_treated,
            source=asked.panel.frame,
        )

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The columns that the estimator reads, every row of the panel."""
        return self.source[list(dict.fromkeys(self.sample.names.needed))]

    def rows(self, keep: NDArray[Any]) -> Estimate | Unavailable:
        """The headline on the rows of the panel that are kept, (rows,)."""
        return self._fit(self.estimator, self.frame.loc[np.asarray(keep, dtype=np.bool_)])

    def columns(self, changed: Mapping[str, NDArray[Any]]) -> Estimate | Unavailable:
        """The headline with other values of some columns, (rows,) each."""
        return self._fit(self.estimator, self.frame.assign(**changed))

    def entrants(self, asked_about: BoolArray) -> Estimate | Unavailable:
        """The headline of only those entrants, (rows,) constant within firms; the others stay where they are compared.

        Estimators that cannot keep a firm as comparison alone lose the other entrants altogether.
        """
        if not isinstance(self.estimator, LandmarkDiD):
            start = self.frame[self.sample.names.cohort]
            never = start.isna() | (start == (self.never_treated if self.never_treated is not None else np.inf)) | np.isinf(start)
            return self.rows(asked_about | never.to_numpy())
        among = np.asarray(asked_about, dtype=np.int64)
        if self.estimator.among is not None:
            among = among * (self.frame[self.estimator.among].to_numpy() == 1)
        name = "_asked_about"
        return self._fit(replace(self.estimator, among=name), self.frame.assign(**{name: among}), (name,))

    def sample_from(self, frame: pd.DataFrame, further: tuple[str, ...] = ()) -> Sample:
        """A sample of another frame, read as the design's own is."""
        names = self.sample.names
        return Sample.from_frame(
            frame,
            firm=names.firm,
            year=names.year,
            outcome=names.outcome,
            cohort=names.cohort,
            never_treated=self.never_treated,
            always_treated="drop",
            covariates=names.covariates,
            columns=(*names.columns, *further),
            cluster=names.cluster,
            weight=names.weight,
        )

    def _fit(self, estimator: Estimator, frame: pd.DataFrame, further: tuple[str, ...] = ()) -> Estimate | Unavailable:
        try:
            overall = estimate_of(estimator, self.sample_from(frame, further))
        except (DataError, DesignError, IdentificationError):
            return Unavailable(NOT_REFITTED)
        return Unavailable(NOT_REFITTED) if isinstance(overall.estimate, Unavailable) else overall
