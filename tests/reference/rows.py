"""Reading the reference values and their data, and counting what matched."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import sme_eval as sme

FOLDER = Path(__file__).parent
TOLERANCE = 1e-8
"""Deterministic estimators must agree with R to this relative difference; both sides are exact up to rounding."""
ABSOLUTE_FLOOR = 1e-12
"""For values that are themselves near zero."""


@cache
def values(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / "values" / f"{name}.csv", dtype={"term": str, "note": str, "spec": str})


@cache
def frame(dataset: str) -> pd.DataFrame:
    if dataset == "sim2000":
        return pd.read_parquet(FOLDER / "data" / "sim2000.parquet")
    import moderndid

    raw = moderndid.load_mpdta()
    data = pd.DataFrame({name: raw[name].to_numpy() for name in raw.columns})
    return data.rename(columns={"first.treat": "g", "lemp": "y", "countyreal": "id"}).assign(st=lambda d: d["id"] // 1000)


def sample(dataset: str, cluster: str | None = None, weight: str | None = None, covariates: tuple[str, ...] = ()) -> sme.Sample:
    columns = ("dist",) if dataset == "sim2000" else ()
    return sme.Sample.from_frame(
        frame(dataset),
        firm="id",
        year="year",
        outcome="y",
        cohort="g",
        covariates=covariates,
        columns=columns,
        cluster=cluster,
        weight=weight,
    )


def close(ours: float, theirs: float) -> bool:
    """Both missing, or equal to the tolerance."""
    if np.isnan(ours) or np.isnan(theirs):
        return bool(np.isnan(ours) and np.isnan(theirs))
    return bool(abs(ours - theirs) <= TOLERANCE * abs(theirs) + ABSOLUTE_FLOOR)


def mismatches(rows: pd.DataFrame, ours: dict[int, tuple[float, float]]) -> list[str]:
    """Rows (by index) whose estimate or standard error differs; every row of `rows` must have an answer."""
    missing = [f"row {i}: no value" for i in rows.index if i not in ours]
    differing = [
        f"{r.spec} {r.quantity} {r.term}: {ours[i]} against {(r.estimate, r.se)}"
        for i, r in rows.iterrows()
        if i in ours and not (close(ours[i][0], r.estimate) and (close(ours[i][1], r.se)))
    ]
    return missing + differing
