"""Group-time changes given covariates whose regressions and propensities come from cross-fitted learners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from sme_eval.errors import DesignError, Problem
from sme_eval.panel.codes import factorise
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.conditional_changes import NO_OVERLAP
from sme_eval.stats.contrasts import Contrasts
from sme_eval.stats.doubly_robust import trimmed_odds
from sme_eval.stats.orthogonal_score import doubly_robust_score

from .cross_fitting import CrossFit, LearnedFirms, deal_folds, refuse_weights
from .group_time_changes import FoundChanges, empty_groups, no_overlap
from .group_time_design import CohortFirms

PATIENCE = 2.0
"""Seconds before a progress bar appears."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Firms:
    """N firms by block: `block` (N,), outcome (N, T), weight (N,), `cluster` (N,) codes or None, and what learners see of them."""

    block: IntArray
    outcome: FloatArray
    weight: FloatArray
    cluster: IntArray | None
    names: tuple[str, ...]
    learned: LearnedFirms

    def change(self, contrasts: Contrasts, j: int) -> FloatArray:
        """Change (N,) of the outcome; NaN where a firm is not seen in both years."""
        change: FloatArray = self.outcome[:, contrasts.year[j]] - self.outcome[:, contrasts.base[j]]
        return change


def learned_changes(choice: CrossFit, sample: Sample, firms: CohortFirms, contrasts: Contrasts, member: BoolArray) -> FoundChanges:
    """Doubly robust effects with predictions out of fold, and their covariance with the cohorts' shares.

    Propensities are fitted once per cohort and comparison; regressions once per comparison, year and base, and serve every cohort
    that is compared so. The influence of N firms on J effects is held at once: 8 N J bytes, 5 MB for 10,000 firms and 60 effects.
    """
    if sample.weight is not None:
        refuse_weights(choice)
    ordered = _in_order_of_data(sample, firms, choice)
    n_changes = len(contrasts.year)
    estimate, influence = np.full(n_changes, np.nan), np.zeros((n_changes, len(ordered.block)))
    reasons, n_treated = [""] * n_changes, np.zeros(n_changes, dtype=np.int64)
    regressions: dict[tuple[bytes, int, int], FloatArray] = {}
    with _progress(choice, contrasts) as step:
        ordered = replace(ordered, learned=replace(ordered.learned, step=step))
        for s in range(len(contrasts.treated)):
            mine = np.flatnonzero(contrasts.setting == s)
            treated, compared = _groups(ordered, contrasts, s, int(mine[0]))
            n_treated[mine] = int(treated.sum())
            propensity, reason = _propensity(choice, ordered, treated, compared)
            for j in mine:
                reasons[j] = reason
                if reason:
                    continue
                change, key = ordered.change(contrasts, int(j)), _regression_key(contrasts, int(j))
                if key not in regressions:
                    regressions[key] = ordered.learned.predicted_change(choice, change, compared)
                here = treated | compared
                residual = (change - regressions[key])[here]
                estimate[j], influence[j, here] = doubly_robust_score(
                    residual, propensity[here], treated[here], ordered.weight[here]
                )
    known = np.array([not reason for reason in reasons])
    joint = _joint(ordered, influence[known], member)
    return FoundChanges(estimate=estimate, reasons=reasons, n_treated=n_treated, joint=joint)


def _regression_key(contrasts: Contrasts, j: int) -> tuple[bytes, int, int]:
    """What a regression of changes depends on: who is compared, and between which years."""
    return contrasts.comparison[contrasts.setting[j]].tobytes(), int(contrasts.year[j]), int(contrasts.base[j])


def _in_order_of_data(sample: Sample, firms: CohortFirms, choice: CrossFit) -> _Firms:
    """Firms by cohort, then by covariates, outcomes and weight: neither rows nor names decide on folds or on what a learner sees.

    Only firms that agree in all of these fall back on the order of their names.
    """
    order = firms.blocks.order
    block = np.repeat(np.arange(firms.blocks.n_blocks), firms.blocks.sizes())
    values, outcome = sample.baseline[:, order], sample.outcome[order]
    weight = np.ones(len(order)) if sample.weight is None else sample.weight[order]
    labels = np.empty(sample.n_firms, dtype=object)
    labels[sample.firm_codes] = sample.column(sample.names.firm).astype(str).to_numpy()
    name = np.unique(labels[order].astype(str), return_inverse=True)[1]
    rank = np.lexsort((name, weight, *outcome.T[::-1], *values[::-1], block))
    cluster = None if sample.cluster is None else factorise(sample.cluster[order[rank]])[0]
    learned = LearnedFirms(
        x=np.ascontiguousarray(values[:, rank].T),
        weight=None if sample.weight is None else weight[rank],
        fold=deal_folds(block[rank], cluster, choice),
        step=lambda: None,
    )
    return _Firms(
        block=block[rank],
        outcome=outcome[rank],
        weight=weight[rank],
        cluster=cluster,
        names=sample.names.covariates,
        learned=learned,
    )


@contextmanager
def _progress(choice: CrossFit, contrasts: Contrasts) -> Iterator[Callable[[], object]]:
    """A bar over all fits where somebody watches and waits; what it yields moves it on by one."""
    from tqdm import tqdm

    keys = {_regression_key(contrasts, j) for j in range(len(contrasts.year))}
    fits = choice.folds * (len(keys) + len(contrasts.treated))
    with tqdm(total=fits, desc="cross-fitting", disable=None, leave=False, delay=PATIENCE) as bar:
        yield bar.update


def _groups(firms: _Firms, contrasts: Contrasts, setting: int, change: int) -> tuple[BoolArray, BoolArray]:
    """Treated and comparison firms (N,) of a setting; with pairs, those seen in both years of its one change."""
    treated = firms.block == contrasts.treated[setting]
    compared = contrasts.comparison[setting][firms.block]
    if contrasts.pairs:
        seen = np.isfinite(firms.change(contrasts, change))
        treated, compared = treated & seen, compared & seen
    return treated, np.asarray(compared)


def _refused_by_counts(choice: CrossFit, firms: _Firms, treated: BoolArray, compared: BoolArray) -> str:
    """Why learners cannot be fitted: an empty group, or a fold outside of which too few firms are left."""
    reason = empty_groups(treated.sum(), compared.sum())
    if reason:
        return reason
    fold, needed = firms.learned.fold, firms.learned.x.shape[1] + 1
    used = np.unique(fold[treated | compared])
    left = [tuple(int((group & (fold != k)).sum()) for group in (treated, compared)) for k in used]
    if min(t for t, _ in left) == 0:
        return f"too few treated firms to cross-fit: {int(treated.sum())}, none outside one of {choice.folds} folds"
    fewest = min(c for _, c in left)
    if fewest < needed:
        given = ", ".join(firms.names)
        return f"too few comparison firms to cross-fit: {fewest} outside a fold, {needed} needed (given {given})"
    return ""


def _propensity(choice: CrossFit, firms: _Firms, treated: BoolArray, compared: BoolArray) -> tuple[FloatArray, str]:
    """p̂ (N,) of a setting, or why there is none: as for the parametric logit no firm may be all but certain to be treated."""
    propensity = np.zeros(len(treated))
    reason = _refused_by_counts(choice, firms, treated, compared)
    if reason:
        return propensity, reason
    propensity = firms.learned.predicted_propensity(choice, treated, treated | compared)
    if propensity.min() < 0.0 or propensity.max() > 1.0:
        raise DesignError(Problem(what="The propensity's learner predicts outside [0, 1].", remedy="calibrate or change it"))
    certain = int((propensity[treated] >= NO_OVERLAP).sum())
    reason = no_overlap(firms.names, float(propensity.max()), certain, (int(treated.sum()), int(compared.sum())))
    if not reason and not (trimmed_odds(propensity[compared]) > 0.0).any():
        reason = "no overlap: every comparison firm's propensity is zero or trimmed"
    return propensity, reason


def _joint(firms: _Firms, influence: FloatArray, member: BoolArray) -> FloatArray:
    """Covariance of the effects, by their influence (K, N), and of the shares of the blocks that `member` (B,) marks."""
    blocks = np.flatnonzero(member)
    own = (firms.block == blocks[:, None]).astype(np.float64)
    total = firms.weight.sum()
    shares = firms.weight * (own - own @ firms.weight[:, None] / total) / total
    scores = np.vstack([influence, shares])
    if firms.cluster is not None:
        sums = np.zeros((int(firms.cluster.max()) + 1, len(scores)))
        np.add.at(sums, firms.cluster, scores.T)
        scores = sums.T
    joint: FloatArray = scores @ scores.T
    return joint
