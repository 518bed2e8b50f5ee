"""The leaves of a record that its other parts are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sme_eval.results.unavailable import Unavailable

Number = float | Unavailable
Count = int | Unavailable
Scalar = str | int | float | bool | None
Choice = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bilingual:
    """One text in both languages; in a template, `{path|format}` refers to a value of the record."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorRecord:
    """Which estimator with which choices."""

    name: str
    choices: Mapping[str, Choice]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRecord:
    """An effect in per cent, 100 (e^β − 1), with its interval."""

    estimate: Number
    conf_low: Number
    conf_high: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRecord:
    """One estimated effect, named by `key`.

    `estimand` is "treated_firm_years", "regression_weighted", "event_average", "landmark", "dose_slope", "separated" or
    "before_after". `role` sets apart uses of one estimator: "conditional", "doubly_robust", "unconditional", or None.
    """

    key: str
    outcome: str
    estimator: EstimatorRecord
    estimand: str
    estimate: Number
    std_error: Number
    p_value: Number
    conf_low: Number
    conf_high: Number
    level: float
    percent: IntervalRecord | None
    n_firms: int
    n_treated: int | Unavailable | None
    n_observations: int
    n_clusters: int
    truth: float | None = None
    truth_percent: float | None = None
    covers_truth: bool | None = None
    role: str | None = None
