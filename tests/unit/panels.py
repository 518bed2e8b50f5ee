"""Small panels for regressions: firm effects that go with the regressors, years, weights, clusters, on request with gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd

import sme_eval as sme


def panel(seed: int = 0, firms: int = 60, years: int = 6, missing: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    firm, year = np.divmod(np.arange(firms * years), years)
    own = rng.standard_normal(firms)
    x = rng.standard_normal(firms * years) + 0.5 * own[firm]
    z = rng.standard_normal(firms * years) + 0.1 * year
    linear = 0.3 * x - 0.2 * z + 0.5 * own[firm] + 0.1 * year
    frame = pd.DataFrame(
        {
            "id": firm,
            "year": 2015 + year,
            "x": x,
            "z": z,
            "size": rng.standard_normal(firms)[firm],
            "industry": firm % 3,
            "town": firm // 2,
            "w": rng.uniform(0.5, 2.0, firms)[firm],
            "y": linear + rng.standard_normal(firms * years),
            "count": rng.poisson(np.exp(linear - 0.5)).astype(float),
        }
    )
    return frame[rng.random(len(frame)) >= missing]


def sample(frame: pd.DataFrame, outcome: str = "y", **choices: str | None) -> sme.Sample:
    columns = ("x", "z", "size", "industry", *(("h",) if "h" in frame else ()))
    return sme.Sample.from_frame(frame, firm="id", year="year", outcome=outcome, columns=columns, **choices)
