"""A bundle of policies in its parts: what each did, what only their sums did, and what cannot be told apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sme_eval.errors import DesignError, Problem, suggestion
from sme_eval.stats.arrays import FloatArray, frozen
from sme_eval.stats.inference import JointTest, critical_value
from sme_eval.terms import POWER

from .effects import Effects
from .estimate import Estimate, counts_line
from .text import Printable, text_table
from .unavailable import Unavailable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


TOO_COARSE = 5.0
"""A part is not told when its minimum detectable effect is more than this many times the smallest effect of interest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Decomposition(Printable):
    """Effects of arms, and the parts of the bundle that explain them.

    `parts` (K): the effect of one unit of each exposure, NaN with the reason in its note where it is not separable. `sums`:
    declared sums, then those that are identified although their parts are not; `weights` holds their coefficients by part. `arms`
    (A): the effect of entering by each arm. `matrix` (A, K): how much of each exposure entering by an arm brought, less what past
    growth already held of it. `rank` of the matrix; `condition` with its columns scaled to length one, infinite without full rank.
    `null_vectors`: by how much the parts may move together without any arm's effect changing. `fit`: whether all arms agree with
    one set of parts, where there are more arms than the rank. Effects are in units of the outcome.
    """

    parts: Effects
    sums: Effects
    arms: Effects
    weights: Mapping[str, Mapping[str, float]]
    matrix: FloatArray
    rank: int
    condition: float
    null_vectors: tuple[Mapping[str, float], ...]
    fit: JointTest | Unavailable
    smallest_effect: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", frozen(self.matrix))

    def __getitem__(self, name: str) -> Estimate:
        """One part or sum."""
        for effects in (self.parts, self.sums):
            if name in effects.term:
                return effects.row(effects.term.index(name))
        names = (*self.parts.term, *self.sums.term)
        raise DesignError(Problem(what=f"There is no part or sum {name!r}.", remedy=suggestion(name, names)))

    @property
    def covariance(self) -> FloatArray:
        """Covariance (K, K) of the parts, NaN where one is not separable."""
        return self.parts.covariance

    def detectable(self, effects: Effects) -> FloatArray:
        """Minimum detectable effects: (z_level + z_power) standard errors, 2.80 at the 95 % level and 80 % power."""
        factor = critical_value(self.parts.basis.level, math.inf) + critical_value(2.0 * POWER - 1.0, math.inf)
        return factor * effects.std_error

    @property
    def cannot_tell(self) -> tuple[str, ...]:
        """Separable parts whose minimum detectable effect exceeds five times the smallest effect of interest, if one was named."""
        if self.smallest_effect is None:
            return ()
        coarse = self.detectable(self.parts) > TOO_COARSE * self.smallest_effect
        return tuple(name for name, c in zip(self.parts.term, coarse, strict=True) if c)

    def to_frame(self) -> pd.DataFrame:
        """Parts, then sums: kind, term, estimate, std_error, statistic, p_value, conf_low, conf_high, detectable, note."""
        import pandas as pd

        tables = []
        for kind, effects in (("part", self.parts), ("sum", self.sums)):
            if len(effects):
                table = effects.to_frame()
                table.insert(0, "kind", kind)
                table.insert(len(table.columns) - 1, "detectable", self.detectable(effects))
                tables.append(table)
        return pd.concat(tables, ignore_index=True)

    def matrix_frame(self) -> pd.DataFrame:
        """How much of each exposure (columns) entering by each arm (rows) brought, and the arm's effect and treated firms."""
        import pandas as pd

        frame = pd.DataFrame(self.matrix, index=pd.Index(self.arms.term, name="arm"), columns=list(self.parts.term))
        return frame.assign(effect=self.arms.estimate, std_error=self.arms.std_error, n_treated=self.arms.n_treated)

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """Intervals of the parts at another level, pointwise or simultaneous over all of them."""
        return self.parts.intervals(level, simultaneous, draws, seed)

    def summary(self) -> str:
        """Parts and sums, arms with the matrix, what cannot be told apart, the convention."""
        frame, basis = self.to_frame(), self.parts.basis
        if not frame["note"].any():
            frame = frame.drop(columns="note")
        lines = [
            text_table(frame),
            "",
            text_table(self.matrix_frame().reset_index()),
            f"rank {self.rank} of {self.matrix.shape[1]}, condition {self.condition:.4g}; {self._fit_text()}",
            *(f"not told apart by any arm: {combination_text(vector)}" for vector in self.null_vectors),
            *(self._coarse_text(name) for name in self.cannot_tell),
            counts_line(basis.n_firms, basis.n_observations, basis.n_clusters),
            f"{basis.level:.0%} intervals; {basis.convention}",
            *basis.warnings(),
        ]
        return "\n".join(lines)

    def _fit_text(self) -> str:
        if isinstance(self.fit, Unavailable):
            return self.fit.reason
        return f"J = {self.fit.statistic:.4g} with {self.fit.restrictions} degrees of freedom, p = {self.fit.p_value:.4f}"

    def _coarse_text(self, name: str) -> str:
        detectable = float(self.detectable(self.parts)[self.parts.term.index(name)])
        return f"cannot tell {name}: detectable from {detectable:.3g} on, smallest effect of interest {self.smallest_effect:.3g}"

    def plot(self, **labels: Any) -> Axes:
        """Parts and sums that are identified, with intervals."""
        from .plots import draw_forest

        frame = self.to_frame()
        return draw_forest(frame[np.isfinite(frame["estimate"])], **labels)


def combination_text(weights: Mapping[str, float]) -> str:
    """`certificate + cash`, `credit - 0.31 srdi`: parts with their coefficients, ones left out, largest digits only."""
    words: list[str] = []
    for name, weight in weights.items():
        size = "" if math.isclose(abs(weight), 1.0, rel_tol=1e-6) else f"{abs(weight):.3g} "
        sign = ("-" if weight < 0.0 else "") if not words else ("- " if weight < 0.0 else "+ ")
        words.append(f"{sign}{size}{name}")
    return " ".join(words)
