"""Which changes are compared between which blocks of firms, and what a block contributes to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .firm_blocks import Chunk

COMPARISON, TREATED = 0, 1
"""Positions along the first axis of sums that are kept for both sides."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contrasts:
    """J changes from year `base` to year `year` (J,), positions, each in one of S settings (`setting`, (J,)).

    A setting has one treated block, `treated` (S,), and its comparison blocks, `comparison` (S, B). With `pairs` only firms that
    are seen in both years count, and a setting belongs to one change.
    """

    year: IntArray
    base: IntArray
    setting: IntArray
    treated: IntArray
    comparison: BoolArray
    pairs: bool

    @property
    def live(self) -> BoolArray:
        """Settings that have a change, (S,)."""
        return np.bincount(self.setting, minlength=len(self.treated)) > 0

    def part(self, block: int, settings: BoolArray) -> Part:
        """What a block does in those of the marked `settings` (S,) that have a change."""
        mine = settings & self.live & (self.comparison[:, block] | (self.treated == block))
        here = np.flatnonzero(mine)
        changes = np.flatnonzero(mine[self.setting])
        first = np.searchsorted(self.setting, here) if self.pairs else np.zeros(0, dtype=np.int64)
        return Part(
            settings=here,
            side=(self.treated[here] == block).astype(np.int64),
            changes=changes,
            within=np.searchsorted(here, self.setting[changes]),
            year=self.year[changes],
            base=self.base[changes],
            pair_year=self.year[first] if self.pairs else None,
            pair_base=self.base[first] if self.pairs else None,
        )

    def only(self, changes: BoolArray) -> Contrasts:
        """The marked changes (J,); settings are kept."""
        return replace(self, year=self.year[changes], base=self.base[changes], setting=self.setting[changes])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What one block does: its K settings with its `side` in each (`TREATED` or `COMPARISON`), and its m changes.

    `changes` (m,) says which, `within` (m,) in which of the K settings, `year` and `base` (m,) between which years. `pair_year` and
    `pair_base` (K,) are the years in which a firm must be seen to count in a setting; None if all firms are seen always.
    """

    settings: IntArray
    side: IntArray
    changes: IntArray
    within: IntArray
    year: IntArray
    base: IntArray
    pair_year: IntArray | None
    pair_base: IntArray | None

    def __bool__(self) -> bool:
        return len(self.settings) > 0

    @property
    def change_side(self) -> IntArray:
        """The block's side in each of its changes (m,)."""
        return self.side[self.within]

    def mask(self, chunk: Chunk) -> FloatArray | None:
        """1 where a firm counts in a setting, (K, n); None where every firm does."""
        if chunk.seen is None or self.pair_year is None or self.pair_base is None:
            return None
        return (chunk.seen[self.pair_year] & chunk.seen[self.pair_base]).astype(np.float64)

    def differences(self, chunk: Chunk) -> FloatArray:
        """Changes of the outcome (m, n)."""
        change: FloatArray = chunk.path[self.year]
        change -= chunk.path[self.base]
        return change
