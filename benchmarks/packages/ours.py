"""sme_eval, from the raw frame: full validation, fit and aggregation are inside the timed call."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

import sme_eval as sme
from benchmarks.packages import Job, Numbers, cell, event, named

COVARIATES: Final = ("x1", "x2", "x3")
DRAWS: Final = 999


def sample(frame: pd.DataFrame, covariates: tuple[str, ...] = ()) -> sme.Sample:
    """Every check that a sample makes."""
    return sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g", covariates=covariates)


def group_time(frame: pd.DataFrame, covariates: tuple[str, ...] = ()) -> tuple[Any, ...]:
    effects = sme.CallawaySantAnna().fit(sample(frame, covariates))
    return effects, effects.aggregate("dynamic"), effects.aggregate("simple")


def with_bands(frame: pd.DataFrame) -> tuple[Any, ...]:
    effects, dynamic, simple = group_time(frame, COVARIATES)
    bands = [result.intervals(simultaneous=True, draws=DRAWS) for result in (effects, dynamic)]
    return effects, dynamic, simple, bands


def read_group_time(found: tuple[Any, ...]) -> Numbers:
    effects, dynamic, simple = found[:3]
    table, events = effects.effects, dynamic.effects
    cells = zip(table.keys["cohort"], table.keys["year"], strict=True)
    return {
        **named(cell, cells, table.estimate, table.std_error),
        **named(event, events.keys["event_time"], events.estimate, events.std_error),
        "simple": (simple.overall.estimate, simple.overall.std_error),
    }


def read_event_study(found: Any) -> Numbers:
    effects = found.effects
    return {
        **named(event, effects.keys["event_time"], effects.estimate, effects.std_error),
        "overall": (found.overall.estimate, found.overall.std_error),
    }


def read_treated(found: Any) -> Numbers:
    return {"treated": (found.estimate, found.std_error)}


def regression(frame: pd.DataFrame) -> Any:
    kept = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", columns=("treat",))
    return sme.PanelRegression(regressors=("treat",)).fit(kept)["treat"]


def moments(frame: pd.DataFrame) -> sme.Moments:
    """The moments that the linear estimators share; made before the clock starts."""
    kept = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g", columns=("elig",))
    return sme.Moments.from_sample(kept, by=("elig",))


def every_linear_estimator(table: sme.Moments) -> dict[str, Any]:
    """All that fit moments, with the averages of the group-time effects."""
    effects = sme.CallawaySantAnna().fit(table)
    for kind in ("simple", "group", "dynamic", "calendar"):
        effects.aggregate(kind)
    return {
        "CallawaySantAnna": effects.aggregate("simple").overall,
        "TwoWayFixedEffects": sme.TwoWayFixedEffects().fit(table),
        "EventStudyRegression": sme.EventStudyRegression().fit(table),
        "SunAbraham": sme.SunAbraham().fit(table),
        "ImputationDiD": sme.ImputationDiD().fit(table),
        "TwoStageDiD": sme.TwoStageDiD().fit(table),
        "StackedDiD": sme.StackedDiD().fit(table),
        "TripleDifference": sme.TripleDifference(eligible="elig").fit(table),
        "bacon_decomposition": sme.bacon_decomposition(table),
    }


def read_linear(found: dict[str, Any]) -> Numbers:
    return {name: (fit.estimate, fit.std_error) for name, fit in found.items() if name != "bacon_decomposition"}


def bare_pivot(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The least that anybody must do with a long frame: codes of firms and years, then the outcome to its place."""
    firm, firms = pd.factorize(frame["id"])
    year, years = pd.factorize(frame["year"])
    wide = np.full(len(firms) * len(years), np.nan)
    wide[firm * len(years) + year] = frame["y"].to_numpy()
    return wide.reshape(len(firms), len(years))


JOBS: Final = {
    "cs": Job(group_time, read_group_time),
    "dr": Job(lambda frame: group_time(frame, COVARIATES), read_group_time),
    "bands": Job(with_bands, read_group_time),
    "imputation": Job(lambda frame: sme.ImputationDiD().fit(sample(frame)), read_event_study),
    "twfe": Job(lambda frame: sme.TwoWayFixedEffects().fit(sample(frame)), read_treated),
    "event": Job(lambda frame: sme.EventStudyRegression().fit(sample(frame)), read_event_study),
    "sunab": Job(lambda frame: sme.SunAbraham().fit(sample(frame)), read_event_study),
    "twostage": Job(lambda frame: sme.TwoStageDiD().fit(sample(frame)), read_event_study),
    "panel": Job(regression, read_treated),
    "linear": Job(every_linear_estimator, read_linear, moments),
}
