"""moderndid, with its optional numba."""

from __future__ import annotations

from typing import Any, Final

import moderndid
import pandas as pd

from benchmarks.packages import Job, Numbers, cell, event, named

NAMES: Final = {"yname": "y", "tname": "year", "idname": "id", "gname": "g"}


def group_time(frame: pd.DataFrame, formula: str | None = None, draws: int = 0) -> tuple[Any, ...]:
    boot = {"boot": True, "biters": draws, "random_state": 1} if draws else {"boot": False, "cband": False}
    effects = moderndid.att_gt(data=frame, xformla=formula, **NAMES, **boot)
    return effects, moderndid.aggte(effects, type="dynamic", **boot), moderndid.aggte(effects, type="simple", **boot)


def read(found: tuple[Any, ...]) -> Numbers:
    effects, dynamic, simple = found
    return {
        **named(cell, zip(effects.groups, effects.times, strict=True), effects.att_gt, effects.se_gt),
        **named(event, dynamic.event_times, dynamic.att_by_event, dynamic.se_by_event),
        "simple": (float(simple.overall_att), float(simple.overall_se)),
    }


JOBS: Final = {
    "cs": Job(group_time, read),
    "dr": Job(lambda frame: group_time(frame, "~ x1 + x2 + x3"), read),
    "bands": Job(lambda frame: group_time(frame, "~ x1 + x2 + x3", 999), read),
}
