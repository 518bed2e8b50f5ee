"""Influence of firms on conditional changes, chunk by chunk, and the covariance that its products add up to."""

from __future__ import annotations

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .conditional_changes import Conditional, tilts
from .contrasts import TREATED, Contrasts, Part
from .firm_blocks import Chunk, FirmBlocks


def influence(part: Part, chunk: Chunk, found: Conditional) -> FloatArray:
    """Influence (m, n) of a chunk's firms on the block's changes.

    It is residual × `factor` + mean × `offset` + `share` × z'score. What depends on the setting alone is worked out per setting:
    there are fewer of them than changes.
    """
    changes, design = part.changes, chunk.design
    treated, s = part.side == TREATED, part.settings
    share, tilt = (None, None) if found.tilt is None else tilts(part, chunk, found.tilt)
    factor = found.leverage[s] @ design
    offset = np.zeros_like(factor) if tilt is None else tilt / found.tilted_weight[s, None]
    factor += offset
    np.negative(factor, out=factor)
    factor[treated] = 1.0 / found.treated_weight[s[treated], None]
    offset[treated] = -factor[treated]
    mean = np.where(part.change_side == TREATED, found.treated_mean[changes], found.tilted_mean[changes])
    mask = part.mask(chunk)
    counts = chunk.weight if mask is None else mask * chunk.weight
    result = part.differences(chunk)
    result -= found.slope[changes] @ design
    result *= (factor * counts)[part.within]
    term = (offset * counts)[part.within]
    term *= mean[:, None]
    result += term
    if share is not None:
        share[treated] -= 1.0
        np.matmul(found.score[changes], design, out=term)
        term *= (share * counts)[part.within]
        result += term
    return result


def covariance(firms: FirmBlocks, contrasts: Contrasts, found: Conditional, member: BoolArray) -> FloatArray:
    """Joint covariance (J + G, J + G) of the effects and of the weighted shares of the G blocks that `member` (B,) marks.

    A firm's influence on a share p is w (1{member} − p) / Σw. Clustered by firm, or by the firms' `cluster`.
    """
    shares = _share_influence(firms, member)
    if firms.cluster is not None:
        return _by_cluster(firms, contrasts, found, shares)
    n_changes = len(contrasts.year)
    result = np.zeros((n_changes + shares.shape[1], n_changes + shares.shape[1]))
    inner, cross = result[:n_changes, :n_changes], result[:n_changes, n_changes:]
    for block in range(firms.n_blocks):
        part = contrasts.part(block, contrasts.live)
        total, weighted = np.zeros((len(part.changes),) * 2), np.zeros(len(part.changes))
        for chunk in firms.chunks(block) if part else ():
            here = influence(part, chunk, found)
            total += here @ here.T
            weighted += here @ chunk.weight
        inner[np.ix_(part.changes, part.changes)] += total
        cross[part.changes] += np.outer(weighted, shares[block])
    result[n_changes:, :n_changes] = cross.T
    result[n_changes:, n_changes:] = (shares * firms.weights(2)[:, None]).T @ shares
    return result


def _share_influence(firms: FirmBlocks, member: BoolArray) -> FloatArray:
    """Influence, per unit of weight, of a block's firms on the G shares, (B, G)."""
    weight = firms.weights()
    total = float(weight.sum())
    return np.asarray((np.eye(len(member))[:, member] - weight[member] / total) / total)


def _by_cluster(firms: FirmBlocks, contrasts: Contrasts, found: Conditional, shares: FloatArray) -> FloatArray:
    if firms.cluster is None:
        raise ValueError("firms without clusters")
    n_changes = len(contrasts.year)
    sums = np.zeros((int(firms.cluster.max()) + 1, n_changes + shares.shape[1]))
    for block in range(firms.n_blocks):
        part = contrasts.part(block, contrasts.live)
        columns = np.concatenate([part.changes, n_changes + np.arange(shares.shape[1])])
        for chunk in firms.chunks(block, paths=bool(part)):
            here = influence(part, chunk, found) if part else np.zeros((0, len(chunk.weight)))
            rows = np.concatenate([here, np.outer(shares[block], chunk.weight)])
            codes, added = _sum_by_code(rows, chunk.cluster)
            sums[np.ix_(codes, columns)] += added.T
    return sums.T @ sums


def _sum_by_code(rows: FloatArray, codes: IntArray | None) -> tuple[IntArray, FloatArray]:
    """Distinct codes and the sums of `rows` (m, n) over the columns of each."""
    if codes is None:
        raise ValueError("a chunk without clusters")
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered[first], np.add.reduceat(rows[:, order], first, axis=1)
