"""Moments on disk: one compressed file of plain arrays, for internal folders."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sme_eval.errors import DataError, Problem
from sme_eval.panel.sample_flow import FlowStep, SampleFlow

from .moments import Moments

FORMAT = "sme_eval moments 1"
ARRAYS = (
    "years", "cohort", "observed", "n_firms", "weight", "squared_weight", "mean", "squared_weight_mean", "covariance", "shift",
)  # fmt: skip
PLAIN = ("weighted", "cluster", "outcome", "treatment_known")


def write_moments(moments: Moments, path: Path) -> Path:
    """Write to a temporary sibling, then rename: never half a file."""
    header = {name: getattr(moments, name) for name in PLAIN}
    header |= {"format": FORMAT, "labels": list(moments.labels), "flow": [asdict(step) for step in moments.flow.steps]}
    arrays: dict[str, Any] = {name: getattr(moments, name) for name in ARRAYS}
    arrays |= {f"label {n}": _plain(values) for n, (_, values) in enumerate(moments.labels.items())}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)
    os.replace(part, path)
    return path


def _plain(values: Any) -> Any:
    """Text labels as fixed-width strings: no pickles on disk."""
    return values.astype(str) if values.dtype.kind in "OTU" else values


def read_moments(path: Path) -> Moments:
    """Read and check the form."""
    try:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            if header.pop("format") != FORMAT:
                raise KeyError("format")
            arrays = {name: file[name] for name in ARRAYS}
            labels = {name: file[f"label {n}"] for n, name in enumerate(header.pop("labels"))}
    except FileNotFoundError:
        raise DataError(Problem(what="There is no such file of moments.", where=path.name, remedy="check the path")) from None
    except (KeyError, ValueError, OSError, EOFError) as error:
        raise DataError(
            Problem(
                what="This is not a file of moments of this version.",
                where=path.name,
                remedy="write it again with Moments.write",
            )
        ) from error
    flow = SampleFlow(tuple(FlowStep(**step) for step in header.pop("flow")))
    return Moments(labels=labels, flow=flow, **arrays, **header)
