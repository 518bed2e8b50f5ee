"""Restrictions on how far trends may differ, as inequalities A δ ≤ d on the difference δ in trends by period.

Periods are consecutive: P before a base period at which δ is zero, then Q after it; δ (P + Q,) leaves the base out.
Source: Rambachan and Roth (2023), sections 2.3 and 3.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .arrays import FloatArray


def differences(n_before: int, n_after: int, order: int) -> FloatArray:
    """Differences of that order between consecutive periods, (P + Q + 1 − order, P + Q): the base's column is left out."""
    full = np.diff(np.eye(n_before + n_after + 1), n=order, axis=0)
    return np.delete(full, n_before, axis=1)


def relative_magnitudes(n_before: int, n_after: int, bound: float) -> Iterator[FloatArray]:
    """One A (rows, P + Q) per earlier change that may be the largest, and per sign of it; d is zero.

    No change after the base is larger than `bound` times the largest before it: |Δδ_t| ≤ bound · max_s |Δδ_s|. The set is the
    union over which change s is the largest and of which sign; given both, it is a polyhedron.
    """
    changes = differences(n_before, n_after, 1)
    factor = np.where(np.arange(len(changes)) < n_before, 1.0, bound)[:, None]
    for largest in range(n_before):
        for sign in (1.0, -1.0):
            limit = factor * (sign * changes[largest])
            rows = np.concatenate([changes - limit, -changes - limit])
            yield rows[(rows**2).sum(axis=1) > 1e-10]


def smoothness(n_before: int, n_after: int) -> FloatArray:
    """A (rows, P + Q) of |Δ²δ_t| ≤ M, whose d is M in every row: the slope of δ changes by at most M from period to period."""
    second = differences(n_before, n_after, 2)
    return np.concatenate([second, -second])
