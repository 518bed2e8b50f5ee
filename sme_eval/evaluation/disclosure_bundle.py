"""The gate for a separated bundle: small arms, and every part that cannot be had without them.

The parts solve equations of which each arm is one. A part that the other arms give as well says nothing about a small one; a part
that needs it would, together with what the arm got, give the arm's effect back.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray

from .disclosure_base import THRESHOLD, WITHHELD, Log, hide
from .record import Evaluation
from .record_base import IntervalRecord
from .record_sections import ArmRecord, BundleRecord, PartRecord

NEEDED = 0.02
"""Share of a part in a direction that the other arms leave open, above which it counts as resting on the small arm."""
NULL = 1e-6
"""Relative size below which a singular value of what the other arms got counts as zero."""


def release_bundle(evaluation: Evaluation, log: Log) -> Evaluation:
    """The evaluation with its bundle passed through the gate."""
    found = evaluation.bundle
    if found is None:
        return evaluation
    small = [isinstance(arm.n_treated, int) and 0 < arm.n_treated < THRESHOLD for arm in found.arms]
    if not any(small):
        return evaluation
    open_directions = _open(found, [not s for s in small])
    bundle = replace(
        found,
        arms=tuple(_arm(a, s, f"/bundle/arms/{n}", log) for n, (a, s) in enumerate(zip(found.arms, small, strict=True))),
        parts=tuple(_part(p, found, open_directions, f"/bundle/parts/{n}", log) for n, p in enumerate(found.parts)),
        sums=tuple(_part(p, found, open_directions, f"/bundle/sums/{n}", log) for n, p in enumerate(found.sums)),
    )
    return replace(evaluation, bundle=bundle)


def _open(found: BundleRecord, kept: list[bool]) -> FloatArray:
    """Directions (K, m) in which the parts may move without any kept arm noticing."""
    names = [part.name for part in found.parts]
    rows = [[float(arm.exposures[name]) for name in names] for arm, keep in zip(found.arms, kept, strict=True) if keep]
    matrix = np.nan_to_num(np.array(rows, dtype=np.float64).reshape(len(rows), len(names)))
    length = np.linalg.norm(matrix, axis=0)
    length[length == 0.0] = 1.0
    _, value, vector = np.linalg.svd(matrix / length, full_matrices=True)
    rank = int((value > NULL * max(float(value.max(initial=0.0)), 1e-300)).sum())
    directions: FloatArray = vector[rank:].T / length[:, None]
    scale: FloatArray = np.maximum(np.abs(directions).max(axis=0, initial=0.0), np.finfo(float).tiny)
    directions /= scale
    return directions


def _arm(arm: ArmRecord, small: bool, path: str, log: Log) -> ArmRecord:
    """A small arm without its numbers; beside one, any other without what would give it back.

    The counts of arms add up to published totals. What the arms got closes the equations: the smallest entry off the diagonal is
    enough to solve for a part that was withheld, because a record has twelve digits.
    """
    hidden, count = hide(arm, ("n_treated", "estimate", "std_error", "conf_low", "conf_high") if small else ("n_treated",))
    log.add(path, "threshold" if small else "complementary", count + len(arm.exposures))
    return replace(hidden, exposures=dict.fromkeys(arm.exposures, Unavailable(WITHHELD)))


def _part(part: PartRecord, found: BundleRecord, directions: FloatArray, path: str, log: Log) -> PartRecord:
    weights = np.array([part.weights.get(other.name, 0.0) for other in found.parts])
    if not directions.size or np.abs(weights @ directions).max() <= NEEDED * float(np.abs(weights).max()):
        return part
    hidden, count = hide(part, ("estimate", "std_error", "conf_low", "conf_high", "detectable"))
    log.add(path, "complementary", count)
    missing = Unavailable(WITHHELD)
    percent = None if part.percent is None else IntervalRecord(estimate=missing, conf_low=missing, conf_high=missing)
    return replace(hidden, percent=percent, covers_truth=None)
