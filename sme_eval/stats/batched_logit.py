"""Many logits of belonging to one block against others, all advanced by the same passes over the firms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .contrasts import TREATED, Contrasts, Part
from .firm_blocks import Chunk, FirmBlocks, as_square
from .least_squares import scaled_pseudoinverse

SETTLED = 1e-6
"""Newton ends when a step, in the metric of the information per treated firm, is shorter: the error left is its square."""
MOST_PASSES = 80
OVERSHOT = 0.5
"""A step is halved if the likelihood falls at its end by more than this share of the slope with which it rose at its start."""
UNBALANCED_SCORE = 1e-4
"""Largest sum of residuals, per treated firm, of a logit that settled; a saturated one stands still unsolved."""
LARGEST_INDEX = 30.0
"""Beyond this a probability is one to twelve digits; odds stay finite."""
PREVIEW = 8192
"""Firms per block on whose logits the passes over all firms start."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logits:
    """Coefficients (S, q) of S logits and whether each settled (S,)."""

    coefficients: FloatArray
    settled: BoolArray


def odds(coefficients: FloatArray, design: FloatArray) -> FloatArray:
    """Odds of being treated (K, n) from coefficients (K, q) and design (q, n)."""
    index: FloatArray = coefficients @ design
    np.minimum(index, LARGEST_INDEX, out=index)
    np.exp(index, out=index)
    return index


def batched_logits(firms: FirmBlocks, contrasts: Contrasts, settings: BoolArray, start: FloatArray) -> Logits:
    """Maximum likelihood by Newton's steps in all marked `settings` (S,), from `start` (S, q).

    Large blocks are previewed on some of their firms, each standing for several, which saves passes and moves no result: the steps
    over all firms go on until they settle.
    """
    steps = np.maximum(firms.sizes() // PREVIEW, 1)
    if (steps > 1).any():
        preview = _newton(firms, contrasts, settings, start, steps)
        start = np.where(preview.settled[:, None], preview.coefficients, start)
    return _newton(firms, contrasts, settings, start, np.ones_like(steps))


@dataclass(slots=True)
class _State:
    """Where Newton stands: coefficients, the last step, the slope along it where it began."""

    at: FloatArray
    step: FloatArray
    slope: FloatArray


def _newton(firms: FirmBlocks, contrasts: Contrasts, settings: BoolArray, start: FloatArray, steps: IntArray) -> Logits:
    state = _State(at=start.copy(), step=np.zeros_like(start), slope=np.zeros(len(start)))
    active, settled = settings.copy(), np.zeros(len(start), dtype=bool)
    for _ in range(MOST_PASSES):
        parts = [contrasts.part(b, active) for b in range(firms.n_blocks)]
        score, information, mass = _derivatives(firms, parts, state.at, steps)
        for s in np.flatnonzero(active):
            if _advance(state, int(s), score[s], information[s], float(mass[s])):
                active[s], settled[s] = False, True
        if not active.any():
            break
    return Logits(coefficients=state.at, settled=settled)


def _advance(state: _State, s: int, score: FloatArray, information: FloatArray, mass: float) -> bool:
    """Take setting s one step on, or half a step back if the last one overshot; whether it settled."""
    along = float(score @ state.step[s])
    if along < -OVERSHOT * state.slope[s]:
        state.step[s] *= 0.5
        state.slope[s] *= 0.5
        state.at[s] -= state.step[s]
        return False
    state.step[s] = scaled_pseudoinverse(information) @ score
    state.slope[s] = float(score @ state.step[s])
    state.at[s] += state.step[s]
    return state.slope[s] <= SETTLED**2 * mass and abs(float(score[0])) <= UNBALANCED_SCORE * mass


def _derivatives(
    firms: FirmBlocks, parts: Sequence[Part], at: FloatArray, steps: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scores (S, q), information (S, q, q) and weight of the treated (S,)."""
    n_columns = at.shape[1]
    score, mass = np.zeros_like(at), np.zeros(len(at))
    triangle = np.zeros((len(at), n_columns * (n_columns + 1) // 2))
    for block, part in enumerate(parts):
        if not part:
            continue
        treated = (part.side == TREATED).astype(np.float64)[:, None]
        for chunk in firms.chunks(block, int(steps[block]), paths=part.pair_year is not None):
            share, counts = _shares(part, chunk, at)
            score[part.settings] += ((treated - share) * counts) @ chunk.weighted.T
            triangle[part.settings] += (share * (1.0 - share) * counts) @ chunk.products.T
            mass[part.settings] += treated[:, 0] * (counts @ chunk.weight)
    return score, as_square(triangle, n_columns), mass


def _shares(part: Part, chunk: Chunk, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Probabilities (K, n) and which firms count, (K, n) or (1, n)."""
    share = odds(at[part.settings], chunk.design)
    share /= 1.0 + share
    mask = part.mask(chunk)
    return share, np.ones((1, share.shape[1])) if mask is None else mask
