"""One estimate with its error, interval, counts and convention."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sme_eval.stats.inference import critical_value, two_sided_p
from sme_eval.terms import EFFECT_COLUMNS, Covariance

from .basis import Basis, FixedEffects
from .text import Printable, text_table
from .unavailable import Unavailable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


ROUNDING = 1e-12
"""A standard error below this share of its estimate is rounding: no variation is left for one."""
NO_ERROR = "no variation is left for a standard error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Printable):
    """A point estimate of the effect that `term` names, in units of the outcome (`unit`).

    `estimate` and `std_error` are floats, or `Unavailable` with the reason. `degrees_of_freedom` is infinite where the
    convention uses normal critical values. `effects`, `cluster` and `covariance` are those of its `Basis`.
    """

    term: str
    estimate: float | Unavailable
    std_error: float | Unavailable
    n_firms: int
    n_observations: int
    n_clusters: int
    convention: str
    degrees_of_freedom: float = math.inf
    level: float = 0.95
    unit: str = ""
    n_treated: int | None = None
    notes: tuple[str, ...] = ()
    effects: FixedEffects = None
    cluster: str = ""
    covariance: Covariance | None = None

    @classmethod
    def from_basis(
        cls,
        term: str,
        estimate: float | Unavailable,
        std_error: float | Unavailable,
        basis: Basis,
        n_treated: int | None = None,
    ) -> Estimate:
        """An estimate that rests on `basis`; an error that is only rounding is unavailable."""
        if isinstance(estimate, float) and isinstance(std_error, float) and std_error <= ROUNDING * abs(estimate) > 0.0:
            std_error = Unavailable(NO_ERROR)
        return cls(
            term=term,
            estimate=estimate,
            std_error=std_error,
            n_firms=basis.n_firms,
            n_observations=basis.n_observations,
            n_clusters=basis.n_clusters,
            convention=basis.convention,
            degrees_of_freedom=basis.degrees_of_freedom,
            level=basis.level,
            unit=basis.unit,
            n_treated=n_treated,
            notes=basis.warnings(),
            effects=basis.effects,
            cluster=basis.cluster,
            covariance=basis.covariance,
        )

    @property
    def statistic(self) -> float:
        """Estimate over standard error; NaN without either."""
        error = float(self.std_error)
        return float(self.estimate) / error if error else math.nan

    @property
    def p_value(self) -> float:
        """Two-sided p-value that the effect is zero."""
        return float(two_sided_p(self.statistic, self.degrees_of_freedom))

    @property
    def conf_low(self) -> float:
        """Lower end of the interval at `level`."""
        return float(self.estimate) - critical_value(self.level, self.degrees_of_freedom) * float(self.std_error)

    @property
    def conf_high(self) -> float:
        """Upper end of the interval at `level`."""
        return float(self.estimate) + critical_value(self.level, self.degrees_of_freedom) * float(self.std_error)

    def to_frame(self) -> pd.DataFrame:
        """One row: term, estimate, std_error, statistic, p_value, conf_low, conf_high, note."""
        import pandas as pd

        missing = next((x.reason for x in (self.estimate, self.std_error) if isinstance(x, Unavailable)), None)
        reason = "; ".join(self.notes) if missing is None else missing
        numbers = (self.estimate, self.std_error, self.statistic, self.p_value, self.conf_low, self.conf_high)
        return pd.DataFrame([[self.term, *(float(x) for x in numbers), reason]], columns=list(EFFECT_COLUMNS))

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """The interval at another level; one estimate needs no simultaneous band, so `simultaneous` changes nothing."""
        frame = self.to_frame()[["term", "estimate"]]
        half = critical_value(level, self.degrees_of_freedom) * float(self.std_error)
        return frame.assign(conf_low=frame["estimate"] - half, conf_high=frame["estimate"] + half)

    def summary(self) -> str:
        """The estimate as a person reads it."""
        lines = [
            text_table(self.to_frame().drop(columns="note")),
            counts_line(self.n_firms, self.n_observations, self.n_clusters),
            f"{self.level:.0%} interval; {self.convention}",
            *self.notes,
        ]
        return "\n".join(lines)

    def plot(self, **labels: Any) -> Axes:
        """The estimate with its interval, beside zero."""
        from .plots import draw_forest

        return draw_forest(self.to_frame(), **labels)


def counts_line(n_firms: int, n_observations: int, n_clusters: int) -> str:
    """How much data is behind a result."""
    return f"{n_observations} observations of {n_firms} firms, {n_clusters} clusters"
