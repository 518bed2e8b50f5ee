"""Coefficients estimated with instruments, what the first stage says, and inference that survives weak instruments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sme_eval.errors import DesignError, Problem, suggestion
from sme_eval.results.effects import Effects
from sme_eval.results.regression import RegressionResult
from sme_eval.results.text import Printable, text_table
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import JointTest

if TYPE_CHECKING:
    import pandas as pd

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class FirstStage(Printable):
    """The regression of each endogenous regressor on instruments and regressors.

    `effects`, `partial_f` (that all instruments are zero, with the convention of the errors) and `partial_r_squared` (of the
    instruments beside the regressors and fixed effects) hold one entry per name in `endogenous`. `effective_f` is to be held
    against `critical_value`: below it the bias may exceed a tenth of that of useless instruments.
    """

    endogenous: tuple[str, ...]
    effects: tuple[Effects, ...]
    partial_f: tuple[float, ...]
    partial_r_squared: tuple[float, ...]
    effective_f: float | Unavailable
    critical_value: float | Unavailable

    def __getitem__(self, name: str) -> Effects:
        """The coefficients of one first stage."""
        if name not in self.endogenous:
            raise DesignError(Problem(what=f"{name!r} is not an endogenous regressor.", remedy=suggestion(name, self.endogenous)))
        return self.effects[self.endogenous.index(name)]

    def to_frame(self) -> pd.DataFrame:
        """One row per endogenous regressor and coefficient."""
        import pandas as pd

        tables = [effects.to_frame() for effects in self.effects]
        for name, table in zip(self.endogenous, tables, strict=True):
            table.insert(0, "endogenous", name)
        return pd.concat(tables, ignore_index=True)

    def summary(self) -> str:
        """Coefficients and strength."""
        strength = zip(self.endogenous, self.partial_f, self.partial_r_squared, strict=True)
        lines = [f"{name}: partial F {f:.5g}, partial R² {r:.4f}" for name, f, r in strength]
        effective = (
            f"effective F {self.effective_f}"
            if isinstance(self.effective_f, Unavailable)
            else f"effective F {self.effective_f:.5g}, to exceed {float(self.critical_value):.4g}"
        )
        return "\n".join([text_table(self.to_frame().drop(columns="note")), *lines, effective])


@dataclass(frozen=True, kw_only=True, eq=False)
class InstrumentalResult(RegressionResult):
    """A regression with instruments.

    `anderson_rubin` holds the values of the endogenous coefficient that the Anderson–Rubin test at `level` does not reject: a tuple
    of intervals (low, high), empty, one, several, with infinite ends where the instruments say too little. `r_squared_within` is
    1 − SSR/SST after the fixed effects and may be negative.
    """

    first_stage: FirstStage
    anderson_rubin: tuple[Interval, ...] | Unavailable
    overidentification: JointTest | Unavailable

    def summary(self) -> str:
        """The formula, the coefficients, the strength of the instruments, the Anderson–Rubin intervals."""
        level, test = self.effects.basis.level, self.overidentification
        fits = f"; overidentification p = {test.p_value:.4f}" if isinstance(test, JointTest) else ""
        return "\n".join(
            [
                self.formula,
                self.effects.summary(),
                *self.first_stage.summary().splitlines()[-1 - len(self.first_stage.endogenous) :],
                f"{level:.0%} Anderson–Rubin: {_intervals_text(self.anderson_rubin)}{fits}",
            ]
        )


def _intervals_text(intervals: tuple[Interval, ...] | Unavailable) -> str:
    if isinstance(intervals, Unavailable):
        return str(intervals)
    return " and ".join(f"[{low:.5g}, {high:.5g}]" for low, high in intervals) or "empty: no value fits all instruments"
