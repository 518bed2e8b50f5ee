"""Coefficients of a panel regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sme_eval.errors import DesignError, Problem, suggestion

from .effects import Effects
from .estimate import Estimate
from .text import Printable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True, eq=False)
class RegressionResult(Printable):
    """Coefficients with their covariance; `formula` is the regression as fitted, `r_squared_within` after the fixed effects."""

    effects: Effects
    formula: str
    r_squared_within: float

    def __getitem__(self, term: str) -> Estimate:
        """The coefficient of one regressor."""
        if term not in self.effects.term:
            raise DesignError(Problem(what=f"There is no coefficient {term!r}.", remedy=suggestion(term, self.effects.term)))
        return self.effects.row(self.effects.term.index(term))

    def to_frame(self) -> pd.DataFrame:
        """One row per coefficient."""
        return self.effects.to_frame()

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """Intervals per coefficient, pointwise or simultaneous."""
        return self.effects.intervals(level, simultaneous, draws, seed)

    def summary(self) -> str:
        """The formula and the coefficients."""
        return f"{self.formula}\n{self.effects.summary()}\nwithin R² {self.r_squared_within:.4f}"

    def plot(self, **labels: Any) -> Axes:
        """Coefficients with intervals."""
        from .plots import draw_forest

        return draw_forest(self.to_frame(), **labels)
