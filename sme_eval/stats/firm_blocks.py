"""Firms sorted into blocks of one cohort each, handed out in chunks that fit the processor's cache.

What adds up over firms is summed chunk by chunk, so that nothing of the size firms × effects is ever held. Inside a chunk firms
lie along the last axis: whatever is done for many effects at once then runs over contiguous memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray, sealed

CHUNK = 2048
"""Firms per chunk: sixty effects of so many firms take one megabyte."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunk:
    """Some n firms.

    design (q, n) · weight (n,) · path (T, n), deviations from the firm's mean, zero where not observed · seen (T, n), None if every
    year is · cluster (n,) or None.
    """

    design: FloatArray
    weight: FloatArray
    path: FloatArray
    seen: BoolArray | None
    cluster: IntArray | None

    @property
    def weighted(self) -> FloatArray:
        """The design times the weights (q, n)."""
        weighted: FloatArray = self.design * self.weight
        return weighted

    @property
    def products(self) -> FloatArray:
        """Weighted products of the design's columns (q(q+1)/2, n): upper triangles, row by row."""
        weighted, n_columns = self.weighted, len(self.design)
        products = np.empty((n_columns * (n_columns + 1) // 2, len(self.weight)))
        begin = 0
        for j in range(n_columns):
            np.multiply(self.design[j], weighted[j:], out=products[begin : begin + n_columns - j])
            begin += n_columns - j
        return products


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FirmBlocks:
    """N firms in B blocks.

    outcome (·, T) and `order` (N,), the rows of it that are used, block after block · `start` (B + 1,) · design (q, N), intercept
    first, weight (N,) and cluster (N,) codes or None, all three in that order.
    """

    outcome: FloatArray
    order: IntArray
    start: IntArray
    design: FloatArray
    weight: FloatArray | None
    cluster: IntArray | None
    _paths: dict[int, tuple[FloatArray, BoolArray | None]] = field(default_factory=dict, init=False, repr=False)
    """Chunks' paths, kept for the next pass: picking firms out of the whole sample costs more than most passes."""

    @property
    def n_blocks(self) -> int:
        """Blocks, empty ones included."""
        return len(self.start) - 1

    def sizes(self) -> IntArray:
        """Firms per block (B,)."""
        return np.diff(self.start)

    def weights(self, power: int = 1) -> FloatArray:
        """Σ w^power per block (B,)."""
        if self.weight is None:
            return self.sizes().astype(np.float64)
        running = np.concatenate([[0.0], np.cumsum(self.weight**power)])
        return np.asarray(np.diff(running[self.start]))

    def chunks(self, block: int, step: int = 1, *, paths: bool = True) -> Iterator[Chunk]:
        """A block's firms; with `step` every so many-th of them, standing for as many. Without `paths` only design and weight."""
        first, last = int(self.start[block]), int(self.start[block + 1])
        for begin in range(first, last, CHUNK * step):
            here = slice(begin, min(begin + CHUNK * step, last), step)
            design = self.design[:, here]
            weight = np.full(design.shape[1], float(step)) if self.weight is None else self.weight[here] * step
            path, seen = self._path(here) if paths else (np.zeros((0, 0)), None)
            cluster = None if self.cluster is None else self.cluster[here]
            yield Chunk(design=design, weight=weight, path=path, seen=seen, cluster=cluster)

    def _path(self, here: slice) -> tuple[FloatArray, BoolArray | None]:
        if here.step > 1:
            return _apart(self.outcome, self.order[here])
        if here.start not in self._paths:
            path, seen = _apart(self.outcome, self.order[here])
            self._paths[here.start] = (sealed(path), seen)
        return self._paths[here.start]


def _apart(outcome: FloatArray, rows: IntArray) -> tuple[FloatArray, BoolArray | None]:
    """(T, n) deviations from each firm's mean, zero where not observed, and where they are; differences keep their digits."""
    path = np.ascontiguousarray(outcome.take(rows, axis=0).T)
    level = path.mean(axis=0)
    if not np.isnan(level).any():
        path -= level
        return path, None
    seen = ~np.isnan(path)
    path[~seen] = 0.0
    path -= path.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    path *= seen
    return path, seen


def as_square(triangle: FloatArray, size: int) -> FloatArray:
    """(…, q(q+1)/2) upper triangles → symmetric (…, q, q)."""
    first, second = np.triu_indices(size)
    square = np.empty((*triangle.shape[:-1], size, size))
    square[..., first, second] = square[..., second, first] = triangle
    return square
