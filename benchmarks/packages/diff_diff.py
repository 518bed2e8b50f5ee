"""diff-diff: analytical errors; event study and overall effect at fit, which is less work than aggregate="all"."""

from __future__ import annotations

from typing import Any, Final

import diff_diff
import pandas as pd

from benchmarks.packages import Job, Numbers, cell, event, named

NAMES: Final = {"outcome": "y", "unit": "id", "time": "year", "first_treat": "g"}
COVARIATES: Final = ["x1", "x2", "x3"]


def group_time(frame: pd.DataFrame, covariates: list[str] | None = None, draws: int = 0) -> Any:
    estimator = diff_diff.CallawaySantAnna(n_bootstrap=draws, seed=1)
    return estimator.fit(frame, covariates=covariates, aggregate="event_study", **NAMES)


def imputation(frame: pd.DataFrame) -> Any:
    return diff_diff.ImputationDiD().fit(frame, aggregate="event_study", **NAMES)


def sun_abraham(frame: pd.DataFrame) -> Any:
    return diff_diff.SunAbraham().fit(frame, **NAMES)


def two_stage(frame: pd.DataFrame) -> Any:
    return diff_diff.TwoStageDiD().fit(frame, aggregate="event_study", **NAMES)


def events(found: Any) -> Numbers:
    rows = found.event_study_effects
    return named(event, rows, [row["effect"] for row in rows.values()], [row["se"] for row in rows.values()])


def read_event_study(found: Any) -> Numbers:
    return {**events(found), "overall": (float(found.overall_att), float(found.overall_se))}


def read_group_time(found: Any) -> Numbers:
    rows = found.group_time_effects
    cells = named(cell, rows, [row["effect"] for row in rows.values()], [row["se"] for row in rows.values()])
    return {**cells, **events(found), "simple": (float(found.overall_att), float(found.overall_se))}


JOBS: Final = {
    "cs": Job(group_time, read_group_time),
    "dr": Job(lambda frame: group_time(frame, COVARIATES), read_group_time),
    "bands": Job(lambda frame: group_time(frame, COVARIATES, 999), read_group_time),
    "imputation": Job(imputation, read_event_study),
    "sunab": Job(sun_abraham, events),
    "twostage": Job(two_stage, read_event_study),
}
