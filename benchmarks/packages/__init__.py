"""One file per package: how it is asked for each task, and how its numbers are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import pandas as pd

Numbers = dict[str, tuple[float, float]]
"""Name of a number → (estimate, standard error); the same names from every package."""

OURS: Final = "sme_eval"
MODULES: Final = {
    OURS: "ours",
    "diff-diff": "diff_diff",
    "csdid": "csdid",
    "moderndid": "moderndid",
    "pyfixest": "pyfixest",
    "linearmodels": "linearmodels",
}
"""Python packages, by the name under which they are installed."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is timed (`run`); how its numbers are read afterwards (`read`) and what is made before (`prepare`) is not."""

    run: Callable[[Any], Any]
    read: Callable[[Any], Numbers]
    prepare: Callable[[pd.DataFrame], Any] = lambda frame: frame


def job(package: str, task: str) -> Job:
    """How a package does a task; imports that package only."""
    jobs: Mapping[str, Job] = import_module(f"benchmarks.packages.{MODULES[package]}").JOBS
    return jobs[task]


def named(name: Callable[..., str], keys: Iterable[Any], estimates: Iterable[Any], errors: Iterable[Any]) -> Numbers:
    """Numbers named by their keys; references, which have no error, are left out."""
    rows = ((key, float(value), float(error)) for key, value, error in zip(keys, estimates, errors, strict=True))
    return {name(key): (value, error) for key, value, error in rows if error > 0.0}


def cell(key: tuple[Any, Any]) -> str:
    """Name of a group-time effect."""
    return f"ATT({int(key[0])}, {int(key[1])})"


def event(time: Any) -> str:
    """Name of an effect by event time."""
    return f"event time {int(time)}"
