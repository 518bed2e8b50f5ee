"""Event studies and aggregations of group-time effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sme_eval.stats.inference import JointTest
from sme_eval.terms import AggregationKind

from .effects import Effects
from .estimate import Estimate
from .text import Printable
from .unavailable import Unavailable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def pretrend_test(effects: Effects, before: int) -> JointTest | Unavailable:
    """Joint test that all effects with event time below `before` are zero."""
    return effects.joint_test(np.asarray(effects.keys["event_time"]) < before)


@dataclass(frozen=True, kw_only=True, eq=False)
class EventStudy(Printable):
    """Effects by event time, and their average after treatment.

    What the average is, is said in `overall.term`. `anticipation` years before treatment are not part of the pre-trend test.
    `by_cohort` is that average for each cohort, where the estimator gives it.
    """

    effects: Effects
    overall: Estimate
    reference: int
    anticipation: int = 0
    by_cohort: Effects | None = None

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

    def pretrend_test(self) -> JointTest | Unavailable:
        """Joint test that every lead but the reference is zero."""
        return pretrend_test(self.effects, -self.anticipation)

    def to_frame(self) -> pd.DataFrame:
        """One row per event time."""
        return self.effects.to_frame()

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """Intervals per event time, pointwise or simultaneous."""
        return self.effects.intervals(level, simultaneous, draws, seed)

    def summary(self) -> str:
        """The effects by event time, then the overall effect."""
        return f"{self.effects.summary()}\n\n{self.overall.summary()}"

    def plot(self, **labels: Any) -> Axes:
        """Effects by event time with intervals."""
        from .plots import draw_event_study

        return draw_event_study(self.to_frame(), **labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Aggregation(Printable):
    """An aggregation of group-time effects: `overall`, and `effects` by event time, cohort or year ("simple" has none)."""

    kind: AggregationKind
    overall: Estimate
    effects: Effects | None
    anticipation: int = 0

    def pretrend_test(self) -> JointTest | Unavailable:
        """Joint test that the averages before treatment are zero; needs kind "dynamic"."""
        if self.effects is None or self.kind != "dynamic":
            return Unavailable('only the "dynamic" aggregation has averages before treatment')
        return pretrend_test(self.effects, -self.anticipation)

    def to_frame(self) -> pd.DataFrame:
        """One row per event time, cohort or year; for "simple" the overall effect."""
        return self.overall.to_frame() if self.effects is None else self.effects.to_frame()

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """Intervals per row, pointwise or simultaneous."""
        source = self.overall if self.effects is None else self.effects
        return source.intervals(level, simultaneous, draws, seed)

    def summary(self) -> str:
        """The averages, then the overall effect."""
        parts = [] if self.effects is None else [self.effects.summary()]
        return "\n\n".join([*parts, self.overall.summary()])

    def plot(self, **labels: Any) -> Axes:
        """An event-study plot for "dynamic", else a forest plot."""
        from .plots import draw_event_study, draw_forest

        draw = draw_event_study if self.kind == "dynamic" else draw_forest
        return draw(self.to_frame(), **labels)
