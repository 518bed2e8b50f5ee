"""Threats from how the outcome is measured: its scale, its extreme values, and who measures it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from sme_eval.checks.outcome_scale import ScaleRow, check_outcome_scale
from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.reported_measured import MeasuredPair, check_reported_measured
from sme_eval.checks.winsorising import TailRow, check_winsorising
from sme_eval.errors import DataError, DesignError, IdentificationError
from sme_eval.estimators.before_after import BeforeAfter
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.landmark_joint import joint_effects
from sme_eval.estimators.protocol import Estimator
from sme_eval.panel.codes import factorise
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.tails import trimmed, winsorised

from .asked import Asked
from .fitting import needed_columns
from .other_values import estimate_of, holds, refitted, sample_like
from .two_scales import both_scales

if TYPE_CHECKING:
    import pandas as pd

UNITS: Final = {
    "ten_thousand_yuan": (("yuan", 1e4), ("ten_thousand_yuan", 1.0), ("hundred_million_yuan", 1e-4)),
    "dollar": (("dollar", 1.0), ("thousand_dollars", 1e-3), ("million_dollars", 1e-6)),
}
"""Unit of a level → the units it may as well be counted in, and how many of each one of its own unit is."""

ANY_UNIT: Final = (("own_unit", 1.0), ("thousand_units", 1e-3))
"""The same for levels of another unit."""

NO_LEVEL: Final = ("percent", "percentage_point", "percent_of_revenue", "year")
"""Units that nobody takes a logarithm of."""

LOG_LIKE: Final = {"ihs": np.arcsinh, "log_plus_one": np.log1p}

TAILS: Final = (("winsorised_narrow", 0.01, winsorised), ("winsorised_wide", 0.05, winsorised), ("trimmed_narrow", 0.01, trimmed))
"""Variants: word, share of each year's values on either side, what is done with them."""


def measurement_checks(asked: Asked) -> Iterator[CheckResult]:
    """The outcome on other scales, with its outer values altered, and beside its better measured twins.

    Nothing where nobody is compared: a change of treated firms alone has no comparison that a scale could upset.
    """
    if isinstance(asked.headline.estimator, BeforeAfter):
        return
    level = _level(asked)
    if level is not None:
        yield _outcome_scale(asked, level)
    yield _winsorising(asked)
    pairs = [pair for pair in (_pair(asked, *names) for names in asked.design.policy.checks.measured.items()) if pair is not None]
    if pairs:
        yield check_reported_measured(pairs)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Level:
    """The outcome's level per row of the panel's frame, in `unit`, and whether the outcome is its logarithm."""

    amount: FloatArray
    unit: str
    logged: bool

    @property
    def share_zeros(self) -> float:
        """Of the known firm-years."""
        return float((self.amount[np.isfinite(self.amount)] == 0.0).mean())


def _level(asked: Asked) -> _Level | None:
    """The level behind a logarithm, or an outcome that is a level itself and sometimes zero; None where no scale is in question."""
    name = asked.design.outcome
    unit = asked.panel.dictionary[name].unit if name in asked.panel.dictionary else None
    if unit is None or unit.key in NO_LEVEL:
        return None
    values = asked.panel.frame[name].to_numpy(dtype=np.float64)
    if unit.logarithm_of:
        return _Level(amount=np.exp(values), unit=unit.logarithm_of, logged=True)
    known = values[np.isfinite(values)]
    return _Level(amount=values, unit=unit.key, logged=False) if known.size and known.min() == 0.0 < known.max() else None


def _outcome_scale(asked: Asked, level: _Level) -> CheckResult:
    scales = both_scales(asked, level.logged)
    with np.errstate(divide="ignore"):
        positive = np.where(level.amount > 0.0, np.log(level.amount), np.nan)
    rows = [ScaleRow(key="log", estimate=asked.headline.overall if level.logged else refitted(asked, positive))]
    if level.share_zeros > 0.0:
        any_at_all = np.where(np.isfinite(level.amount), level.amount > 0.0, np.nan)
        rows.append(ScaleRow(key="positive", estimate=refitted(asked, any_at_all), log_like=False))
    rows.append(ScaleRow(key="two_way_log", estimate=scales.log))
    rows.append(ScaleRow(key="two_way_poisson", estimate=scales.poisson))
    units = [
        ScaleRow(key=f"{scale}_{unit}", estimate=refitted(asked, transform(level.amount * factor)))
        for scale, transform in LOG_LIKE.items()
        for unit, factor in UNITS.get(level.unit, ANY_UNIT)
    ]
    return check_outcome_scale(rows, units, scales.compared, level.share_zeros)


def _winsorising(asked: Asked) -> CheckResult:
    """Levels are altered by year, before any logarithm."""
    name, frame = asked.design.outcome, asked.panel.frame
    unit = asked.panel.dictionary[name].unit if name in asked.panel.dictionary else None
    logged = unit is not None and bool(unit.logarithm_of)
    values, year = frame[name].to_numpy(dtype=np.float64), factorise(frame["year"])[0]
    known = np.isfinite(values)
    rows = []
    for key, share, alter in TAILS:
        altered = alter(np.exp(values) if logged else values, year, share)
        changed = float((altered[known] != (np.exp(values) if logged else values)[known]).mean())
        estimate = refitted(asked, np.log(altered) if logged else altered)
        rows.append(TailRow(key=key, estimate=estimate, share_altered=changed))
    return check_winsorising(asked.headline.overall, rows)


def _pair(asked: Asked, reported: str, measured: str) -> MeasuredPair | None:
    """One outcome and its twin by the headline's design, on the firm-years that have both; None if the panel lacks either."""
    if not holds(asked.panel, reported, measured):
        return None
    frame, estimator = asked.panel.frame, _on_own_growth(asked)
    frame = frame[frame[[reported, measured]].notna().all(axis=1)]
    effects = [_effect(asked, estimator, frame, name) for name in (reported, measured)]
    joint = _joint_error(asked, estimator, frame, (reported, measured))
    errors = [float(effect if isinstance(effect, Unavailable) else effect.std_error) for effect in effects]
    return MeasuredPair(
        labels=(_label(asked, reported), _label(asked, measured)),
        reported=effects[0],
        measured=effects[1],
        std_error=sum(errors) if joint is None else joint,
        joint=joint is not None,
    )


def _on_own_growth(asked: Asked) -> Estimator:
    """The headline's estimator; past growth that is the outcome's stays that of the design's outcome, whatever is estimated."""
    landmark = asked.design.estimator
    if isinstance(landmark, LandmarkDiD) and landmark.past_growth is not None and landmark.growth_of is None:
        return replace(landmark, growth_of=asked.design.outcome)
    return landmark


def _effect(asked: Asked, estimator: Estimator, frame: pd.DataFrame, name: str) -> Estimate | Unavailable:
    try:
        return estimate_of(estimator, sample_like(asked.design, frame, name, needed_columns((estimator,))))
    except (DataError, DesignError, IdentificationError) as error:
        return Unavailable(f"not identified: {error.problems[0].what}")


def _joint_error(asked: Asked, landmark: Estimator, frame: pd.DataFrame, names: tuple[str, str]) -> float | None:
    """Standard error of the difference by one operator on both outcomes; None for designs that have none."""
    if not isinstance(landmark, LandmarkDiD) or landmark.method != "reg":
        return None
    reported, measured = names
    try:
        sample = sample_like(asked.design, frame, reported, (*needed_columns((landmark,)), measured))
        found = joint_effects(landmark, sample, (measured,))
    except (DataError, DesignError, IdentificationError):
        return None
    gap = np.array([1.0, -1.0])
    return float(np.sqrt(gap @ found.covariance @ gap))


def _label(asked: Asked, name: str) -> tuple[str, str]:
    """(Chinese, English) of a column; its name where the dictionary has none."""
    dictionary = asked.panel.dictionary
    return (dictionary[name].label.zh, dictionary[name].label.en) if name in dictionary else (name, name)
