"""Effects by district against the dose that a district pays: the slope, what it rests on, and what would change it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sme_eval.stats.arrays import BoolArray, FloatArray, frozen
from sme_eval.stats.dose_layouts import DosePlan, DoseSensitivity
from sme_eval.stats.few_clusters import PermutationTest
from sme_eval.stats.inference import JointTest, critical_value, wald_test
from sme_eval.stats.wild_bootstrap import WildBootstrap

from .effects import Effects
from .estimate import Estimate
from .event_study import EventStudy
from .text import Printable, text_table
from .unavailable import Unavailable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

INFERENCE_COLUMNS = ("method", "estimate", "std_error", "conf_low", "conf_high", "p_value", "note")


@dataclass(frozen=True, kw_only=True, eq=False)
class SlopeEffects(Effects):
    """Slopes on dose by event time: errors from the spread of districts, joint tests from firms.

    `covariance` has the squares of the districts' least-squares errors on its diagonal and, off it, the correlations of the firms'
    influences; with D districts there are only D − 2 residuals per event time, too few for a matrix of their own. `firm_covariance`
    (J, J) is that of the firms' influences alone; joint tests use it. It leaves out what districts differ in beyond their firms, so
    that a joint test that does not reject is worth less than it looks.
    """

    firm_covariance: FloatArray

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "firm_covariance", frozen(self.firm_covariance))

    def critical_value(self, level: float, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> float:
        """Pointwise t; simultaneous: Bonferroni's t, because each error is estimated from few districts (`draws` is not used)."""
        live = int(np.isfinite(self.std_error).sum())
        shared = 1.0 - (1.0 - level) / max(live, 1) if simultaneous else level
        return critical_value(shared, self.basis.degrees_of_freedom)

    def joint_test(self, rows: BoolArray) -> JointTest | Unavailable:
        """Wald test that the selected slopes are all zero, with the covariance of the firms' influences."""
        picked = np.flatnonzero(rows)
        test = wald_test(self.estimate[picked], self.firm_covariance[np.ix_(picked, picked)])
        return test if test is not None else Unavailable("no slope with a standard error to test")


@dataclass(frozen=True, kw_only=True, eq=False)
class DistrictDoseResult(Printable):
    """District effects τ_d, their slope on dose, and every way to judge it.

    `districts` holds τ_d (D,), one row per district with entrants, with the joint covariance of firms' influences; `dose` (D,) is
    NaN where it is not stated. `slope` (per `per` units of dose, the headline), `intercept`, `knapp_hartung` and the tests use
    districts with a stated dose only. `unnamed` is the mean effect in the others: certificate and an unknown amount of cash, not a
    dose of zero. `firm_clustered` and `triple_difference`, the usual regression, are shown beside and are not valid with few
    districts. `attainable` is the smallest p-value that a permutation of these doses can give: above 0.05 nothing may be called
    significant, whatever another method says.
    """

    districts: Effects
    dose: FloatArray
    per: float
    slope: Estimate
    intercept: Estimate
    knapp_hartung: Estimate | Unavailable
    permutation: PermutationTest | Unavailable
    wild_bootstrap: WildBootstrap | Unavailable
    firm_clustered: Estimate
    triple_difference: Estimate | Unavailable
    attainable: float
    unnamed: Estimate | Unavailable
    by_event_time: EventStudy
    sensitivity: DoseSensitivity | Unavailable
    plan: DosePlan

    def __post_init__(self) -> None:
        object.__setattr__(self, "dose", frozen(self.dose))

    @property
    def overall(self) -> Estimate:
        """The headline: the slope."""
        return self.slope

    @property
    def estimate(self) -> float | Unavailable:
        """The slope per `per` units of dose."""
        return self.slope.estimate

    @property
    def std_error(self) -> float | Unavailable:
        """Standard error of the slope, from the spread of districts."""
        return self.slope.std_error

    @property
    def conf_low(self) -> float:
        """Lower end of the slope's interval."""
        return self.slope.conf_low

    @property
    def conf_high(self) -> float:
        """Upper end of the slope's interval."""
        return self.slope.conf_high

    @property
    def significance_attainable(self) -> bool:
        """Whether these doses could show any slope at 5 %; if not, no statement about significance may be made."""
        return self.attainable <= 0.05

    def to_frame(self) -> pd.DataFrame:
        """One row per district: district, dose, n_treated, estimate, std_error, statistic, p_value, conf_low, conf_high, note."""
        frame = self.districts.to_frame().rename(columns={"term": "district"})
        frame.insert(1, "dose", self.dose)
        frame.insert(2, "n_treated", list(self.districts.n_treated))
        return frame

    def inferences(self) -> pd.DataFrame:
        """The slope by every method: its name, estimate, std_error, conf_low, conf_high, p_value, note (why not, or how valid)."""
        import pandas as pd

        return pd.DataFrame(list(self._methods()), columns=list(INFERENCE_COLUMNS))

    def _methods(self) -> Iterator[tuple[Any, ...]]:
        freedom = f"t({self.slope.degrees_of_freedom:.0f})"
        few = "not valid with few districts: too many rejections"
        yield _row(f"districts, least squares, {freedom}", self.slope, "headline")
        yield _row(f"districts, Knapp–Hartung, {freedom}", self.knapp_hartung, "conservative near five districts")
        least = self.permutation.attainable if isinstance(self.permutation, PermutationTest) else self.attainable
        yield _test("permutation, studentised", self.permutation, f"cannot fall below {least:.3g}")
        yield _test("wild bootstrap, Webb weights", self.wild_bootstrap, "")
        yield _row("districts, clustered by firm", self.firm_clustered, few)
        yield _row("firm and district × year effects", self.triple_difference, few)

    def intervals(self, level: float = 0.95, simultaneous: bool = False, draws: int = 999, seed: int = 0) -> pd.DataFrame:
        """Intervals of the district effects, pointwise or simultaneous."""
        return self.districts.intervals(level, simultaneous, draws, seed).rename(columns={"term": "district"})

    def summary(self) -> str:
        """Districts, the slope by every method, what is attainable, and what would change it."""
        frame = self.to_frame().drop(columns=["statistic", "p_value"])
        parts = [
            text_table(frame),
            self.districts.basis.convention,
            "",
            self.slope.term,
            text_table(self.inferences()),
            self.slope.convention,
            *self._answers(),
        ]
        return "\n".join(parts)

    def _answers(self) -> Iterator[str]:
        """One line each: attainable, intercept, unnamed, open doses, what more districts would bring."""
        verdict = "" if self.significance_attainable else "; no statement about significance can be made"
        yield f"smallest p-value that these doses can give: {self.attainable:.3g}{verdict}"
        yield _line(self.intercept)
        yield _line(self.unnamed)
        yield _sensitivity_line(self.sensitivity)
        plan = self.plan
        yield (
            f"detectable with power 0.8: {plan.minimum_detectable:.4g}; further districts until significance is attainable: "
            f"{_count(plan.further_distinct)} if each brings a new dose, {_count(plan.further_repeated)} if none does"
        )

    def plot(self, **labels: Any) -> Axes:
        """District effects against dose with intervals and the fitted line; districts without a dose in a lane of their own."""
        from .dose_plot import draw_dose

        line = (float(self.intercept.estimate), float(self.slope.estimate) / self.per)
        return draw_dose(self.to_frame(), line=line, **labels)


def _row(method: str, estimate: Estimate | Unavailable, note: str) -> tuple[Any, ...]:
    if isinstance(estimate, Unavailable):
        return (method, *[math.nan] * 5, str(estimate))
    error, interval = float(estimate.std_error), (estimate.conf_low, estimate.conf_high)
    return (method, float(estimate.estimate), error, *interval, estimate.p_value, note)


def _test(method: str, test: PermutationTest | WildBootstrap | Unavailable, note: str) -> tuple[Any, ...]:
    if isinstance(test, Unavailable):
        return (method, *[math.nan] * 5, str(test))
    return (method, *[math.nan] * 4, test.p_value, note)


def _line(estimate: Estimate | Unavailable) -> str:
    if isinstance(estimate, Unavailable):
        return str(estimate)
    return f"{estimate.term}: {float(estimate.estimate):.4g} [{estimate.conf_low:.4g}, {estimate.conf_high:.4g}]"


def _sensitivity_line(found: DoseSensitivity | Unavailable) -> str:
    if isinstance(found, Unavailable):
        return f"doses that are not stated: {found}"
    return (
        f"over {found.n_assignments} assignments of doses that are not stated: "
        f"slope {found.slope_low:.4g} to {found.slope_high:.4g}, "
        f"hull of {found.level:.0%} intervals [{found.conf_low:.4g}, {found.conf_high:.4g}], "
        f"smallest attainable p-value {found.attainable_best:.3g}"
    )


def _count(number: int | None) -> str:
    return "more than 12" if number is None else str(number)
