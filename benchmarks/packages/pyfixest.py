"""pyfixest: its default demeaner, and its own switches against keeping what nobody asks for."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import pyfixest

from benchmarks.packages import Job, Numbers, event, named

LEAN: Final = {"lean": True, "store_data": False}


def two_way(frame: pd.DataFrame, formula: str) -> Any:
    return pyfixest.feols(formula, frame, vcov={"CRV1": "id"}, **LEAN)


def sun_abraham(frame: pd.DataFrame) -> Any:
    fit = pyfixest.event_study(frame, yname="y", idname="id", tname="year", gname="g", estimator="saturated", cluster="id")
    return fit.aggregate(weighting="shares")


def two_stage(frame: pd.DataFrame) -> Any:
    return pyfixest.did2s(frame, "y", "~ 0 | id + year", "~ i(treat, ref=0)", "treat", "id")


def read_treated(found: Any) -> Numbers:
    table = found.tidy()
    return {"treated": (float(table["Estimate"].iloc[0]), float(table["Std. Error"].iloc[0]))}


def read_events(found: Any) -> Numbers:
    table = found.tidy()
    times = [name.rsplit("::", 1)[1] for name in table.index]
    return named(event, times, table["Estimate"], table["Std. Error"])


def read_averages(found: Any) -> Numbers:
    return named(event, found.index, found["Estimate"], found["Std. Error"])


def read_overall(found: Any) -> Numbers:
    (row,) = read_treated(found).values()
    return {"overall": row}


JOBS: Final = {
    "twfe": Job(lambda frame: two_way(frame, "y ~ treat | id + year"), read_treated),
    "event": Job(lambda frame: two_way(frame, "y ~ i(event, ref=-1) | id + year"), read_events),
    "sunab": Job(sun_abraham, read_averages),
    "twostage": Job(two_stage, read_overall),
    "panel": Job(lambda frame: two_way(frame, "y ~ treat | id + year"), read_treated),
}
