"""Coefficients of a Poisson regression, also as per cent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .regression import RegressionResult

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, eq=False)
class PoissonResult(RegressionResult):
    """Semi-elasticities: a coefficient is the change of the log of the expected outcome per unit of its regressor.

    `r_squared_within` is the share of the deviance left by the fixed effects that the regressors take away; for least squares,
    whose deviance is the sum of squares, the same definition gives the usual one.
    """

    def percent(self, level: float | None = None) -> pd.DataFrame:
        """Columns term, percent, conf_low, conf_high: 100·(exp β − 1), the ends of β's interval carried over."""
        import pandas as pd

        half = self.effects.critical_value(self.effects.basis.level if level is None else level) * self.effects.std_error
        center = self.effects.estimate
        ends = {"percent": center, "conf_low": center - half, "conf_high": center + half}
        return pd.DataFrame({"term": self.effects.term, **{name: 100.0 * np.expm1(value) for name, value in ends.items()}})

    def summary(self) -> str:
        """The formula, the coefficients and what each is in per cent."""
        rows = self.percent().itertuples(index=False)
        words = [f"{r.term}: {r.percent:+.3g} % per unit, from {r.conf_low:+.3g} to {r.conf_high:+.3g}" for r in rows]
        deviance = f"within R² (of the deviance) {self.r_squared_within:.4f}"
        return "\n".join([self.formula, self.effects.summary(), *words, deviance])
