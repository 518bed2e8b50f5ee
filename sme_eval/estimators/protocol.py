"""What an estimator is, and the step from a sample to moments that all linear ones share."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from sme_eval.errors import DesignError, Problem, suggestion
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample


@runtime_checkable
class Estimator(Protocol):
    """Choices in a frozen object; `fit` takes a sample (linear estimators: or moments) and returns a frozen result."""

    def fit(self, data: Any) -> Any:
        """Estimate; never alters `data` or the estimator."""


def as_moments(data: Sample | Moments, by: tuple[str, ...], estimator: str) -> Moments:
    """The moments to fit, with cohorts known; a sample is split by the labels `by` only."""
    if not isinstance(data, Sample | Moments):
        raise DesignError(
            Problem(
                what=f"{estimator} fits a Sample or Moments, not {type(data).__name__}.",
                remedy="start with Sample.from_frame",
            )
        )
    moments = data if isinstance(data, Moments) else Moments.from_sample(data, by=by)
    moments.require_treatment(estimator)
    return moments


def check_level(level: object) -> list[Problem]:
    """A problem if `level` is not a share between 0 and 1."""
    if isinstance(level, float) and 0.0 < level < 1.0:
        return []
    return [Problem(what=f"level={level!r} is not the level of an interval.", remedy="a share such as 0.95")]


def choose(name: str, value: object, choices: tuple[str, ...]) -> list[Problem]:
    """A problem if `value` is not one of `choices`."""
    if value in choices:
        return []
    return [Problem(what=f"{name}={value!r} is not a choice.", remedy=suggestion(value, choices))]
