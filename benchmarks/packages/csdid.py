"""csdid: the port of R's did; doubly robust by default, which without covariates is the difference of means."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from csdid.att_gt import ATTgt

from benchmarks.packages import Job, Numbers, cell, event, named


def group_time(frame: pd.DataFrame, formula: str | None = None, draws: int = 0) -> tuple[Any, ...]:
    boot = draws > 0
    method = "dr" if formula else "reg"  # the same numbers without covariates, and faster
    model = ATTgt(
        yname="y", tname="year", idname="id", gname="g", data=frame, control_group="nevertreated",
        xformla=formula, cband=boot, biters=draws or 1,
    )  # fmt: skip
    effects = model.fit(est_method=method, bstrap=boot)
    table = pd.DataFrame({name: effects.results[name] for name in ("group", "year", "att", "se")})
    return table, effects.aggte("dynamic").atte, effects.aggte("simple").atte


def read(found: tuple[Any, ...]) -> Numbers:
    table, dynamic, simple = found
    return {
        **named(cell, zip(table["group"], table["year"], strict=True), table["att"], table["se"]),
        **named(event, dynamic["egt"], np.ravel(dynamic["att_egt"]), np.ravel(dynamic["se_egt"])),
        "simple": (float(np.ravel(simple["overall_att"])[0]), float(np.ravel(simple["overall_se"])[0])),
    }


JOBS: Final = {
    "cs": Job(group_time, read),
    "dr": Job(lambda frame: group_time(frame, "y ~ x1 + x2 + x3"), read),
    "bands": Job(lambda frame: group_time(frame, "y ~ x1 + x2 + x3", 999), read),
}
