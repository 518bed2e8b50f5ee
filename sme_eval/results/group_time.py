"""Group-time average treatment effects and their aggregations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sme_eval.errors import DesignError, Problem, suggestion
from sme_eval.stats.aggregation import Averages, GroupTimeCells, aggregate_cells, select_cells, treated_firms
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray, frozen
from sme_eval.stats.inference import JointTest
from sme_eval.terms import AggregationKind

from .effects import Effects
from .estimate import Estimate
from .event_study import Aggregation
from .text import Printable
from .unavailable import Unavailable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

OVERALL_TERMS: dict[AggregationKind, str] = {
    "simple": "average effect per treated firm and year",
    "group": "average over cohorts of each cohort's average effect",
    "dynamic": "unweighted average over event times from treatment on",
    "calendar": "unweighted average over years",
}
KEY_NAMES: dict[AggregationKind, str] = {"group": "cohort", "dynamic": "event_time", "calendar": "year"}


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupTimeEffects(Printable):
    """ATT(g, t) for every cohort g and year t, with what its averages need.

    `effects` holds the J cells (keys `cohort`, `year`, `event_time`). `cohorts`, `firms` and `share` (G,) are the treated cohorts,
    their firms and weighted shares; `joint_covariance` (J + G, J + G) that of effects and shares together, because the shares that
    weight the averages are estimated too.
    """

    effects: Effects
    cohorts: IntArray
    firms: IntArray
    share: FloatArray
    joint_covariance: FloatArray
    years: IntArray
    anticipation: int = 0

    def __post_init__(self) -> None:
        for name, dtype in (("cohorts", np.int64), ("firms", np.int64), ("years", np.int64)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
        for name in ("share", "joint_covariance"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def _cells(self) -> GroupTimeCells:
        keys = self.effects.keys
        return GroupTimeCells(
            cohort=np.asarray(keys["cohort"], dtype=np.int64),
            year=np.asarray(keys["year"], dtype=np.int64),
            effect=self.effects.estimate,
            cohorts=self.cohorts,
            share=self.share,
        )

    def aggregate(self, kind: AggregationKind, *, window: tuple[int, int] | None = None, balance: int | None = None) -> Aggregation:
        """Average the effects.

        Parameters
        ----------
        kind
            "simple": per treated firm and year. "group": by cohort. "dynamic": by event time. "calendar": by year. The overall
            effect is the share-weighted average of cells ("simple") or of cohorts ("group"), or the plain average of event times
            from 0 on ("dynamic") or of years ("calendar").
        window
            Only event times from the first to the second, both included.
        balance
            "dynamic" only: keep cohorts observed at least this many years after treatment, and event times up to it, so that every
            event time averages the same cohorts.
        """
        if kind not in OVERALL_TERMS:
            raise DesignError(Problem(what=f"There is no aggregation {kind!r}.", remedy=suggestion(kind, tuple(OVERALL_TERMS))))
        if balance is not None and kind != "dynamic":
            raise DesignError(Problem(what="`balance` belongs to the dynamic aggregation.", remedy='use kind="dynamic"'))
        cells = self._cells()
        selected = select_cells(cells, int(self.years[0]), int(self.years[-1]), window, balance)
        table, overall = aggregate_cells(cells, kind, selected)
        effects = None if table is None else self._table(kind, cells, selected, table)
        return Aggregation(
            kind=kind,
            overall=self._overall(kind, cells, selected, overall),
            effects=effects,
            anticipation=self.anticipation,
        )

    def _covariance(self, gradient: FloatArray) -> FloatArray:
        covariance = np.where(np.isfinite(self.joint_covariance), self.joint_covariance, 0.0)
        return np.asarray(gradient @ covariance @ gradient.T)

    def _table(self, kind: AggregationKind, cells: GroupTimeCells, selected: BoolArray, table: Averages) -> Effects:
        key = {"dynamic": cells.event_time, "calendar": cells.year}.get(kind, cells.cohort)
        after = selected if kind == "dynamic" else selected & (cells.event_time >= 0)
        name = KEY_NAMES[kind]
        return Effects(
            term=tuple(f"{name} {k}" for k in table.key),
            estimate=table.value,
            covariance=self._covariance(table.gradient),
            basis=self.effects.basis,
            keys={name: table.key},
            notes=("",) * len(table.key),
            n_treated=tuple(treated_firms(cells, self.firms, key, after, table.key)),
        )

    def _overall(
        self,
        kind: AggregationKind,
        cells: GroupTimeCells,
        selected: BoolArray,
        overall: tuple[float, FloatArray] | None,
    ) -> Estimate:
        if overall is None:
            missing = Unavailable("no effect from treatment on is identified")
            return Estimate.from_basis(OVERALL_TERMS[kind], missing, missing, self.effects.basis)
        value, gradient = overall
        error = float(np.sqrt(self._covariance(gradient[None])[0, 0]))
        after = selected & (cells.event_time >= 0)
        [treated] = treated_firms(cells, self.firms, np.zeros_like(cells.year), after, [0])
        return Estimate.from_basis(OVERALL_TERMS[kind], value, error, self.effects.basis, treated)

    def pretrend_test(self) -> JointTest | Unavailable:
        """Joint test that every ATT(g, t) with t < g (less `anticipation`) is zero: R did's Wald pre-test."""
        return self.effects.joint_test(np.asarray(self.effects.keys["event_time"]) < 0)

    def to_frame(self) -> pd.DataFrame:
        """One row per cohort and year."""
        return self.effects.to_frame()

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """Intervals per cohort and year, pointwise or simultaneous."""
        return self.effects.intervals(level, simultaneous, draws, seed)

    def summary(self) -> str:
        """The table of group-time effects."""
        return self.effects.summary()

    def plot(self, **labels: Any) -> Axes:
        """Effects by event time: the dynamic aggregation."""
        return self.aggregate("dynamic").plot(**labels)
