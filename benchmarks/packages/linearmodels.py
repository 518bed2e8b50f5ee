"""linearmodels: PanelOLS with firm and year effects."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from linearmodels.panel import PanelOLS

from benchmarks.packages import Job, Numbers


def two_way(frame: pd.DataFrame) -> Any:
    indexed = frame.set_index(["id", "year"])
    model = PanelOLS(indexed["y"], indexed[["treat"]], entity_effects=True, time_effects=True)
    return model.fit(cov_type="clustered", cluster_entity=True)


def read(found: Any) -> Numbers:
    return {"treated": (float(found.params["treat"]), float(found.std_errors["treat"]))}


JOBS: Final = {"twfe": Job(two_way, read), "panel": Job(two_way, read)}
