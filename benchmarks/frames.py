"""The simulated frame that every package reads: firms × 10 years, seeded, kept as parquet beside the code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd

CACHE: Final = Path(__file__).resolve().parent / "cache"
YEARS: Final = range(2015, 2025)
COHORTS: Final = (0, 2018, 2019, 2020, 2021, 2022, 2023)
SHARES: Final = (0.28, 0.12, 0.14, 0.10, 0.14, 0.11, 0.11)
SEED: Final = 20240

Order = Literal["sorted", "shuffled"]
ORDERS: Final[tuple[Order, ...]] = ("shuffled", "sorted")


def simulate(firms: int) -> pd.DataFrame:
    """Firms × 10 years in order of firm and year: six cohorts and never-treated firms, three covariates that move trend and cohort.

    Ids are the integers from 1. `treat` and `event` (−1 for never-treated firms, the reference) are made for the packages that do
    not make them themselves; nobody is timed making them.
    """
    rng = np.random.default_rng(SEED)
    x1, x3 = rng.standard_normal(firms), rng.uniform(-1.0, 1.0, firms)
    x2 = rng.integers(0, 2, firms).astype(np.float64)
    base = np.cumsum(SHARES)
    tilt = 0.05 * np.tanh(0.6 * x1 + 0.4 * (x2 - 0.5) + 0.3 * x3)
    cohort = np.asarray(COHORTS)[np.minimum(np.searchsorted(base, np.clip(rng.random(firms) + tilt, 0.0, 0.999999)), len(base) - 1)]
    year = np.asarray(YEARS)
    treated = (cohort[:, None] > 0) & (year >= cohort[:, None])
    since = np.where(treated, year - cohort[:, None], 0)
    trend = (year - year[0]) * (0.1 + 0.05 * x1 + 0.03 * x2 + 0.02 * x3)[:, None]
    noise = rng.standard_normal((firms, len(year)))
    outcome = rng.standard_normal(firms)[:, None] + trend + treated * (0.5 + 0.1 * since) + noise
    n = len(year)
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(1, firms + 1), n),
            "year": np.tile(year, firms),
            "g": np.repeat(cohort, n),
            "y": outcome.ravel(),
            "x1": np.repeat(x1, n),
            "x2": np.repeat(x2, n),
            "x3": np.repeat(x3, n),
            "treat": treated.ravel().astype(np.int64),
            "event": np.where(np.repeat(cohort, n) > 0, (year - cohort[:, None]).ravel(), -1),
            "elig": np.repeat((x3 > 0).astype(np.int64), n),
        }
    )


def frame_file(firms: int, order: Order, folder: Path = CACHE) -> Path:
    """Where the frame lies; made if it is not there."""
    path = folder / f"{firms}-{order}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        frame = simulate(firms)
        if order == "shuffled":
            frame = frame.take(np.random.default_rng(SEED + 1).permutation(len(frame))).reset_index(drop=True)
        beside = path.with_suffix(".part")
        frame.to_parquet(beside, index=False)
        os.replace(beside, path)
    return path


def read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """The named columns: a task's frame holds what the task needs and nothing else."""
    return pd.read_parquet(path, columns=list(columns))


def csv_file(path: Path) -> Path:
    """The same frame as text, for R; made if it is not there."""
    target = path.with_suffix(".csv")
    if not target.exists():
        beside = path.with_suffix(".csv.part")
        pd.read_parquet(path).to_csv(beside, index=False, float_format="%.17g")
        os.replace(beside, target)
    return target
