"""From the solved bundle to its result: reasons, sums, counts and the convention in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.decomposition import Decomposition, combination_text
from sme_eval.results.effects import Effects
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.separation import Parts, Separation, clustered_covariance

if TYPE_CHECKING:
    from sme_eval.estimators.untangle import Untangle

FEW_TREATED = 30
"""Below this many treated firms an arm's normal intervals under-cover noticeably; the result says so."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """What was found of A arms.

    `value` (A, 1 + K) their effects on outcome and exposures, `influence` (N, A) on the outcome's, `treated` (A, N) their firms,
    `brought` (A, K) whether these got an exposure; `groups` (N,) the clusters' codes.
    """

    value: FloatArray
    influence: FloatArray
    treated: BoolArray
    brought: BoolArray
    groups: IntArray

    @property
    def n_treated(self) -> tuple[int, ...]:
        """Treated firms of each arm."""
        return tuple(int(n) for n in self.treated.sum(axis=1))


def decomposition(choices: Untangle, sample: Sample, found: Found, separation: Separation, parts: Parts) -> Decomposition:
    """The result, with a reason wherever a number cannot be given."""
    names = tuple(choices.exposures)
    null = tuple(_named(vector, names) for vector in separation.null)
    basis = _basis(choices, sample, found, len(choices.arms) == separation.rank)
    solution = (parts.theta, clustered_covariance(parts.influence, found.groups))
    behind = tuple(int(found.treated[moves].any(axis=0).sum()) for moves in found.brought.T)
    reasons = tuple(_reason(name, null, bool(moves.any())) for name, moves in zip(names, found.brought.T, strict=True))
    of_parts = _effects(names, solution, basis, reasons, behind)
    weights = _sums(choices, separation, names)
    of_arms = (found.value[:, 0], clustered_covariance(found.influence, found.groups))
    return Decomposition(
        parts=of_parts,
        sums=_sum_effects(weights, of_parts, separation, solution),
        arms=_effects(tuple(choices.arms), of_arms, basis, ("",) * len(choices.arms), found.n_treated),
        weights=weights,
        matrix=found.value[:, 1:],
        rank=separation.rank,
        condition=separation.condition,
        null_vectors=null,
        fit=Unavailable("as many arms as separable parts: nothing to test") if parts.fit is None else parts.fit,
        smallest_effect=choices.smallest_effect,
    )


def _sum_effects(
    weights: Mapping[str, Mapping[str, float]], parts: Effects, separation: Separation, solution: tuple[FloatArray, FloatArray]
) -> Effects:
    """Sums of parts; one that a null vector moves is not given. A sum rests on no more firms than the scarcest of its parts."""
    combinations = np.array([[given.get(name, 0.0) for name in parts.term] for given in weights.values()]).reshape(-1, len(parts))
    null = [_named(vector, parts.term) for vector in separation.null]
    notes = tuple(
        "" if separation.identifies(row) else _sum_reason(given, null)
        for row, given in zip(combinations, weights.values(), strict=True)
    )
    behind = np.array(parts.n_treated)
    found = (combinations @ solution[0], combinations @ solution[1] @ combinations.T)
    return _effects(tuple(weights), found, parts.basis, notes, tuple(int(behind[row != 0.0].min()) for row in combinations))


def _effects(
    names: tuple[str, ...],
    found: tuple[FloatArray, FloatArray],
    basis: Basis,
    notes: tuple[str, ...],
    n_treated: tuple[int, ...],
) -> Effects:
    """Effects with their covariance; those with a reason in `notes` are not given."""
    withheld = np.array([note != "" for note in notes], dtype=np.bool_)
    return Effects(
        term=names,
        estimate=np.where(withheld, np.nan, found[0]),
        covariance=np.where(withheld[:, None] | withheld, np.nan, found[1]),
        basis=basis,
        keys={},
        notes=notes,
        n_treated=n_treated,
    )


def _named(vector: FloatArray, names: tuple[str, ...]) -> dict[str, float]:
    """A combination of parts without those it does not hold."""
    return {name: float(c) for name, c in zip(names, vector, strict=True) if c != 0.0}


def _reason(name: str, null: tuple[Mapping[str, float], ...], brought: bool) -> str:
    """Why a part has no estimate, naming those it is mixed with, the strongest first; empty if it has one."""
    mixed: dict[str, float] = {}
    for vector in null:
        if name in vector:
            for other, weight in vector.items():
                mixed[other] = max(mixed.get(other, 0.0), abs(weight / vector[name]))
    if not mixed:
        return ""
    if not brought:
        return "no arm moves it"
    del mixed[name]
    return f"not separable from {', '.join(sorted(mixed, key=lambda other: -round(mixed[other], 6)))}"


def _sum_reason(given: Mapping[str, float], null: list[dict[str, float]]) -> str:
    """Which null vector moves a declared sum."""
    moved = [vector for vector in null if any(name in vector for name in given)]
    return f"not identified: no arm tells it from a change of {'; or '.join(combination_text(vector) for vector in moved)}"


def _sums(choices: Untangle, separation: Separation, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Declared sums, then identified ones that were not declared; name → part → coefficient."""
    sums = {name: {part: float(c) for part, c in given.items() if c} for name, given in choices.sums.items()}
    for row in separation.sums:
        found = _named(row, names)
        if not any(_same(found, given) for given in sums.values()):
            sums[combination_text(found)] = found
    return sums


def _same(first: Mapping[str, float], second: Mapping[str, float]) -> bool:
    return set(first) == set(second) and all(math.isclose(first[name], second[name], rel_tol=1e-6) for name in first)


def _basis(choices: Untangle, sample: Sample, found: Found, just_identified: bool) -> Basis:
    given = [*choices.covariates]
    if choices.past_growth is not None:
        of = f" of {choices.growth_of}" if choices.growth_of else ""
        given.append("growth{} from g{:+d} to g{:+d}".format(of, *choices.past_growth))
    solved = "inverse" if just_identified else "two-step generalised method of moments"
    lists = "anything declared" if choices.listed is None else f"{choices.listed} or anything declared"
    few = [
        f"only {n} treated firms in the arm {name}: errors of what rests on it under-cover"
        for name, n in zip(choices.arms, found.n_treated, strict=True)
        if n < FEW_TREATED
    ]
    return Basis(
        n_firms=sample.n_firms,
        n_observations=len(sample.position),
        n_clusters=int(np.unique(found.groups).size),
        convention=f"comparison: not yet in {lists} up to and in the year of entry, whatever happens later; "
        f"given {', '.join(given) or 'nothing'}; mean of event times {choices.window[0]} to {choices.window[1]}; "
        f"parts by {solved}, the matrix counted as estimated; "
        f"clustered by {sample.names.cluster or 'firm'}: influence functions, no small-sample factor, normal critical values",
        level=choices.level,
        unit=sample.names.outcome,
        notes=tuple(few),
        effects="differences",
        cluster=sample.names.cluster or "firm",
        covariance="clustered",
    )
