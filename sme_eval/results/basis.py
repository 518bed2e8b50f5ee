"""What a set of estimates rests on: counts, unit and the convention of its standard errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from sme_eval.terms import Covariance

FEW_CLUSTERS = 30
"""Below this many clusters, cluster-robust errors under-cover noticeably; the result says so."""

FixedEffects = tuple[str, ...] | Literal["differences"] | None
"""Names as ("firm", "district × year"), empty for none; "differences": changes between years are compared, so that firm and year
effects cancel; None: not stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Counts behind the estimates and the convention of their errors.

    `degrees_of_freedom` is infinite where critical values are normal. `unit` is the outcome's unit. `effects` are the
    fixed effects, `covariance` is the kind of error and `cluster` the unit of clustered ones, empty for the others.
    """

    n_firms: int
    n_observations: int
    n_clusters: int
    convention: str
    degrees_of_freedom: float = math.inf
    level: float = 0.95
    unit: str = ""
    notes: tuple[str, ...] = ()
    effects: FixedEffects = None
    cluster: str = ""
    covariance: Covariance | None = None

    def warnings(self) -> tuple[str, ...]:
        """The notes, with the warning about few clusters where it applies."""
        if self.n_clusters >= FEW_CLUSTERS:
            return self.notes
        few = f"only {self.n_clusters} clusters: cluster-robust errors with fewer than {FEW_CLUSTERS} under-cover"
        return (*self.notes, few)
