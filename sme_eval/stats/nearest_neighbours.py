"""Nearest neighbours on one score, with ties shared where firms may serve twice and drawn where they may not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray

STEPS = 1e9
"""Scores are compared on a grid of so many steps per standard deviation: what differs by rounding only is a tie."""

ROUNDING = 1e-9
"""Log odds that deviate by less are equal."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """P pairs: `treated` and `compared` (P,) positions, `share` (P,) of the treated firm's weight that the partner carries."""

    treated: IntArray
    compared: IntArray
    share: FloatArray


def on_grid(score: FloatArray, deviation: float) -> IntArray:
    """Scores in whole steps from their mean; if they deviate by rounding only, all are tied."""
    if not len(score) or deviation < ROUNDING:
        return np.zeros(len(score), dtype=np.int64)
    steps: FloatArray = np.rint((score - score.mean()) * (STEPS / deviation))
    return steps.astype(np.int64)


def nearest_with_replacement(treated: IntArray, compared: IntArray, weight: FloatArray, neighbours: int, radius: int) -> Pairs:
    """The nearest `neighbours` of each treated score (n,) among the compared scores (m,), no farther than `radius`.

    All firms at the distance of the last neighbour share its place, so that nothing is drawn; within it, `weight` (m,) decides.
    """
    from sklearn.neighbors import NearestNeighbors

    wanted = min(neighbours, len(compared))
    search = NearestNeighbors(n_neighbors=wanted, algorithm="kd_tree").fit(compared[:, None].astype(np.float64))
    reach = np.rint(search.kneighbors(treated[:, None].astype(np.float64))[0][:, -1]).astype(np.int64)
    order = np.argsort(compared, kind="stable")
    ordered, limit = compared[order], np.minimum(reach, radius)
    low, high = np.searchsorted(ordered, treated - limit, "left"), np.searchsorted(ordered, treated + limit, "right")
    partners, shares = [], []
    for i in range(len(treated)):
        here = order[low[i] : high[i]]
        last: BoolArray = np.abs(compared[here] - treated[i]) == reach[i]
        n_last = int(last.sum())
        place = np.where(last, (wanted - len(here) + n_last) / max(n_last, 1), 1.0) * weight[here]
        partners.append(here)
        shares.append(place / place.sum())
    return Pairs(
        treated=np.repeat(np.arange(len(treated)), high - low),
        compared=np.concatenate([np.zeros(0, dtype=np.int64), *partners]),
        share=np.concatenate([np.zeros(0), *shares]),
    )


def nearest_without_replacement(
    treated: IntArray, compared: IntArray, weight: FloatArray, neighbours: int, radius: int
) -> tuple[Pairs, IntArray]:
    """As above with every compared firm used once: pairs, and the treated for whom none was left, at any distance.

    Treated firms choose in turn, the highest score first, for those have the fewest partners; `neighbours` rounds. Equal scores go
    by position: the caller draws the order.
    """
    order = np.lexsort((np.arange(len(compared)), compared))
    free = _Free(compared[order])
    chosen: list[tuple[int, int]] = []
    exhausted: list[int] = []
    for turn in range(neighbours):
        for i in np.lexsort((np.arange(len(treated)), -treated)):
            place = free.nearest(int(treated[i]))
            if place is None:
                if turn == 0:
                    exhausted.append(int(i))
            elif abs(int(free.score[place]) - int(treated[i])) <= radius:
                free.take(place)
                chosen.append((int(i), int(order[place])))
    first, second = np.array(chosen, dtype=np.int64).reshape(-1, 2).T
    total = np.bincount(first, weights=weight[second], minlength=len(treated))
    pairs = Pairs(treated=first, compared=second, share=weight[second] / total[first])
    return pairs, np.array(exhausted, dtype=np.int64)


class _Free:
    """Sorted scores (m,) of which some are taken; the nearest free one to a value in nearly constant time."""

    def __init__(self, score: IntArray) -> None:
        self.score = score
        self._right = list(range(len(score) + 1))  # position p → a free one at p or above, by jumps; len(score): none
        self._left = list(range(len(score) + 1))  # position p + 1 → a free one at p or below, shifted by one; 0: none

    def nearest(self, value: int) -> int | None:
        """Position of the nearest free score; the upper of two at one distance."""
        start = int(np.searchsorted(self.score, value, "left"))
        above, below = _jump(self._right, start), _jump(self._left, start) - 1
        if above == len(self.score):
            return below if below >= 0 else None
        if below >= 0 and value - int(self.score[below]) < int(self.score[above]) - value:
            return below
        return above

    def take(self, position: int) -> None:
        """Mark a position as used."""
        self._right[position] = position + 1
        self._left[position + 1] = position


def _jump(links: list[int], start: int) -> int:
    """Follow links to one that points at itself, and shorten the way for the next."""
    while links[start] != start:
        links[start] = links[links[start]]
        start = links[start]
    return start
