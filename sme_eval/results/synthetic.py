"""Synthetic difference-in-differences: effects by cohort and the weights that made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sme_eval.stats.arrays import FloatArray

from .effects import Effects
from .estimate import Estimate
from .text import Printable
from .unavailable import Unavailable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticDiDResult(Printable):
    """The `overall` effect, `effects` by cohort, and per cohort the weights of firms (`controls`) and of years before it.

    Weights of firms are as confidential as firms.
    """

    overall: Estimate
    effects: Effects
    controls: tuple[Any, ...]
    years: tuple[int, ...]
    unit_weights: Mapping[int, FloatArray]
    time_weights: Mapping[int, FloatArray]

    @property
    def estimate(self) -> float | Unavailable:
        """The overall effect."""
        return self.overall.estimate

    @property
    def std_error(self) -> float | Unavailable:
        """Standard error of the overall effect."""
        return self.overall.std_error

    @property
    def conf_low(self) -> float:
        """Lower end of the overall effect's interval."""
        return self.overall.conf_low

    @property
    def conf_high(self) -> float:
        """Upper end of the overall effect's interval."""
        return self.overall.conf_high

    def to_frame(self) -> pd.DataFrame:
        """One row per cohort."""
        return self.effects.to_frame()

    def weights(self) -> pd.DataFrame:
        """One row per cohort and firm with a weight above zero: cohort, firm, weight; the heaviest first."""
        import pandas as pd

        tables = [pd.DataFrame({"cohort": g, "firm": self.controls, "weight": w}) for g, w in self.unit_weights.items()]
        table = pd.concat(tables, ignore_index=True)
        return table[table["weight"] > 0].sort_values(["cohort", "weight"], ascending=[True, False], ignore_index=True)

    def year_weights(self) -> pd.DataFrame:
        """One row per cohort and year before it: cohort, year, weight."""
        import pandas as pd

        tables = [pd.DataFrame({"cohort": g, "year": self.years[: len(w)], "weight": w}) for g, w in self.time_weights.items()]
        return pd.concat(tables, ignore_index=True)

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """Intervals per cohort, pointwise or simultaneous."""
        return self.effects.intervals(level, simultaneous, draws, seed)

    def summary(self) -> str:
        """Effects by cohort, how many firms carry the weight, then the overall effect."""
        carried = [f"cohort {g}: weight spread like {1 / float(w @ w):.1f} equal firms" for g, w in self.unit_weights.items()]
        return "\n".join([self.effects.summary(), *carried, "", self.overall.summary()])

    def plot(self, **labels: Any) -> Axes:
        """Effects by cohort with intervals."""
        from .plots import draw_forest

        return draw_forest(self.to_frame(), **labels)
