"""Sensitivity of an event study to differences in trends, for users: `sme.honest_did`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any, suggestion
from sme_eval.results.effects import Effects
from sme_eval.results.event_study import Aggregation, EventStudy
from sme_eval.results.group_time import GroupTimeEffects
from sme_eval.results.text import Printable, text_table
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.honest_intervals import Path, Restriction, breakdown, honest_interval

from .effect_path import effect_path
from .relative_magnitudes import BOUNDS
from .smoothness import SHARES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

RESTRICTIONS: tuple[Restriction, ...] = ("relative_magnitudes", "smoothness", "smoothness_conditional")


@dataclass(frozen=True, kw_only=True, eq=False)
class HonestDiD(Printable):
    """Intervals by `bounds` on the difference in trends, and the `breakdown`: the largest bound at which zero stays outside.

    `breakdown` is 0 if the interval holds zero already at bound 0 and infinite if no bound brings it there; an end that is
    infinite is not bounded by the data. `original` is the interval under parallel trends.
    """

    restriction: Restriction
    bounds: tuple[float, ...]
    conf_low: tuple[float, ...]
    conf_high: tuple[float, ...]
    original: tuple[float, float]
    breakdown: float
    level: float
    n_before: int
    n_after: int

    def to_frame(self) -> pd.DataFrame:
        """Columns bound, conf_low, conf_high, note; the first row is the interval under parallel trends."""
        import pandas as pd

        ends = [self.original, *zip(self.conf_low, self.conf_high, strict=True)]
        return pd.DataFrame(
            {
                "bound": [math.nan, *self.bounds],
                "conf_low": [low for low, _ in ends],
                "conf_high": [high for _, high in ends],
                "note": ["parallel trends", *("" if np.isfinite(end).all() else "not bounded" for end in ends[1:])],
            }
        )

    def summary(self) -> str:
        """The table, the breakdown and what was used."""
        return "\n".join(
            [
                text_table(self.to_frame()),
                f"{self.restriction}: zero stays outside up to a bound of {self.breakdown:.3g}",
                f"{self.level:.0%} intervals; {self.n_before} periods before the base, {self.n_after} after it",
            ]
        )

    def plot(self, axes: Axes | None = None) -> Axes:
        """The interval as a function of the bound."""
        from sme_eval.results.plots import EFFECT, new_axes

        axes = new_axes(axes, 3.2)
        axes.fill_between(self.bounds, self.conf_low, self.conf_high, color=EFFECT, alpha=0.25)
        axes.axhline(0.0, color="0.4", linewidth=0.8)
        axes.set(xlabel=self.restriction.replace("_", " "), ylabel="effect")
        return axes


def honest_did(
    result: EventStudy | GroupTimeEffects | Aggregation,
    restriction: Restriction = "relative_magnitudes",
    bounds: Sequence[float] | None = None,
    *,
    target: str | Sequence[float] = "average",
    last_lead: int | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> HonestDiD:
    """Intervals for an average of effects after treatment that allow trends to differ, after Rambachan and Roth (2023).

    Estimand: Σ_e l_e τ(e) over event times from 0 on, where the effect estimated is τ(e) + δ(e) and δ, the difference in trends,
    obeys the restriction: "relative_magnitudes", |Δδ| after treatment at most M̄ times the largest |Δδ| before it, by the
    conditional least-favourable hybrid; "smoothness", |Δ²δ| ≤ M, by the shortest fixed-length interval;
    "smoothness_conditional", the same by the hybrid.

    Parameters
    ----------
    result
        An event study, group-time effects or their "dynamic" aggregation. Yearly changes before treatment (a varying base) are
        summed to levels first.
    bounds
        Values of M̄ or M; None for usual ones (of M in units of the average's standard error).
    target
        "average" over event times from 0 on, "first" for event time 0, or one weight per event time from 0 on.
    last_lead
        The last event time before treatment that speaks to trends; None for all. A landmark design given growth from −3 on: −4.

    Raises
    ------
    DesignError
        An unknown restriction or target; a negative bound; a result without event times.
    IdentificationError
        No consecutive event times before and after treatment.

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel, truth = sme.simulate_ningbo(seed=1, scenario="clean", firms=2500)
    >>> sample = sme.Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_revenue", cohort="certified_year")
    >>> found = sme.honest_did(sme.EventStudyRegression().fit(sample), bounds=(0.5, 1.0))
    >>> found.conf_low[1] < found.conf_low[0] < found.original[0]
    True
    """
    effects, varying = _effects_of(result)
    problems = [] if restriction in RESTRICTIONS else [_unknown("restriction", restriction, RESTRICTIONS)]
    if bounds is not None and any(bound < 0.0 for bound in bounds):
        problems.append(Problem(what="A bound is negative.", remedy="bounds are sizes: 0 or more"))
    if isinstance(target, str) and target not in ("average", "first"):
        problems.append(_unknown("target", target, ("average", "first")))
    raise_if_any(DesignError, problems)
    weights: FloatArray | None = None
    if target == "first":
        weights = np.eye(sum(e >= 0 for e in effects.keys["event_time"]))[0]
    elif not isinstance(target, str):
        weights = np.asarray(target, dtype=np.float64)
    last = -1 if last_lead is None else last_lead
    path = effect_path(effects, last, varying=varying, average="equal" if weights is None else weights)
    if isinstance(path, Unavailable):
        raise IdentificationError(Problem(what=f"There is no path of effects: {path.reason}.", remedy="lengthen the event window"))
    return _found(path, restriction, tuple(bounds) if bounds is not None else _usual(path, restriction), 1.0 - level, seed)


def _found(path: Path, restriction: Restriction, bounds: tuple[float, ...], alpha: float, seed: int) -> HonestDiD:
    ends = [honest_interval(path, restriction, bound, alpha=alpha, seed=seed) for bound in bounds]
    return HonestDiD(
        restriction=restriction,
        bounds=bounds,
        conf_low=tuple(low for low, _ in ends),
        conf_high=tuple(high for _, high in ends),
        original=path.original(alpha),
        breakdown=breakdown(path, restriction, alpha=alpha, seed=seed),
        level=1.0 - alpha,
        n_before=path.n_before,
        n_after=len(path.weights),
    )


def _usual(path: Path, restriction: Restriction) -> tuple[float, ...]:
    return BOUNDS if restriction == "relative_magnitudes" else tuple(share * path.std_error for share in SHARES)


def _unknown(name: str, value: object, choices: tuple[str, ...]) -> Problem:
    return Problem(what=f"{name}={value!r} is not a choice.", remedy=suggestion(value, choices))


def _effects_of(result: Any) -> tuple[Any, bool]:
    """Effects by event time, and whether those before treatment are yearly changes."""
    if isinstance(result, GroupTimeEffects):
        result = result.aggregate("dynamic")
    effects = getattr(result, "effects", None)
    if not isinstance(effects, Effects) or "event_time" not in effects.keys:
        what = f"{type(result).__name__} has no effects by event time."
        raise DesignError(Problem(what=what, remedy="pass an event study or group-time effects"))
    return effects, isinstance(result, Aggregation) and -1 in effects.keys["event_time"] and _has_error_at(effects, -1)


def _has_error_at(effects: Any, time: int) -> bool:
    """A universal base has no error at event time −1; a varying one estimates the change from −2 to −1."""
    return bool(np.isfinite(effects.std_error[list(effects.keys["event_time"]).index(time)]))
