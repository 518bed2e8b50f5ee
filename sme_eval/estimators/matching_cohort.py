"""One cohort matched: its propensities, its partners, and why a treated firm has none."""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter
from dataclasses import dataclass

import numpy as np

from sme_eval.panel.sample import Sample
from sme_eval.results.matching import MatchedCohort
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.conditional_changes import NO_OVERLAP
from sme_eval.stats.nearest_neighbours import (
    STEPS,
    Pairs,
    nearest_with_replacement,
    nearest_without_replacement,
    on_grid,
)
from sme_eval.terms import Comparison

from .group_time_design import baseline_design

IMPOSSIBLE = 1e-6
"""Comparison firms with a propensity below this are like no treated firm; where a logit diverges they go to zero."""
UNSETTLED = 1e-6
"""Largest score, per treated firm and standard deviation of a covariate, of a logit that has reached its maximum."""
LARGEST = 700.0
"""Log odds beyond which the exponential function overflows."""
NO_LIMIT = 1 << 60
UNSEEN = "not seen in the year before treatment"
NOBODY = "no comparison firm is seen in the year before treatment"
APART = "no overlap: covariates all but decide who is treated"
UNSTABLE = "the propensity does not settle"
ALONE = "no comparison firm with the same labels"
FAR = "no comparison firm within the caliper"
NONE_FREE = "no unused comparison firm within the caliper"
SPENT = "no comparison firm left"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingChoices:
    """The choices of `match_firms`."""

    neighbours: int
    caliper: float | None
    replace: bool
    exact: tuple[str, ...]
    comparison: Comparison
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MatchingFirms:
    """N firms: cohort, weight, `stratum` of labels, (N,) each; covariates (p, N); seen (N, T); `queue` (N,), who draws first."""

    cohort: IntArray
    years: IntArray
    values: FloatArray
    seen: BoolArray
    weight: FloatArray
    stratum: IntArray
    queue: IntArray

    def ready(self, cohort: int) -> BoolArray:
        """Firms (N,) seen in the last year before `cohort`."""
        before = np.flatnonzero(self.years < cohort)
        return np.asarray(self.seen[:, before[-1]]) if len(before) else np.zeros(len(self.seen), dtype=bool)


def read_firms(sample: Sample, cohort: IntArray, choices: MatchingChoices) -> MatchingFirms:
    """What matching needs to know of a sample's firms."""
    stratum = np.zeros(sample.n_firms, dtype=np.int64)
    for name in choices.exact:
        code = np.unique(sample.label(name).astype(str), return_inverse=True)[1]
        stratum = np.unique(stratum * (int(code.max()) + 1) + code, return_inverse=True)[1]
    labels = np.empty(sample.n_firms, dtype=object)
    labels[sample.firm_codes] = sample.column(sample.names.firm).astype(str).to_numpy()
    queue = np.empty(sample.n_firms, dtype=np.int64)
    queue[np.argsort(labels.astype(str))] = np.random.default_rng(choices.seed).permutation(sample.n_firms)
    return MatchingFirms(
        cohort=cohort,
        years=sample.years,
        values=sample.baseline,
        seen=np.isfinite(sample.outcome),
        weight=np.ones(sample.n_firms) if sample.weight is None else sample.weight,
        stratum=stratum,
        queue=queue,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CohortPairs:
    """One cohort: `treated` (M,) firms that found partners; firms `compared` (P,), repeatedly, and the `weight` each time (P,).

    `candidates` (N,) marks who could be compared.
    """

    treated: IntArray
    compared: IntArray
    weight: FloatArray
    candidates: BoolArray
    counts: MatchedCohort


def match_cohort(firms: MatchingFirms, choices: MatchingChoices, cohort: int, used: BoolArray) -> CohortPairs:
    """Partners of a cohort's treated firms; without replacement not among those `used` (N,) before."""
    ready, never = firms.ready(cohort), firms.cohort > firms.years[-1]
    later = never | (firms.cohort > cohort) if choices.comparison == "not_yet_treated" else never
    everybody = np.flatnonzero(firms.cohort == cohort)
    candidates = later & ready if choices.replace else later & ready & ~used
    treated, compared = _by_queue(firms, everybody[ready[everybody]]), _by_queue(firms, np.flatnonzero(candidates))
    reason = np.full(len(firms.cohort), UNSEEN, dtype=object)
    reason[treated] = NOBODY
    found = []
    if len(treated) and len(compared):
        score, why = _log_odds(firms, treated, compared)
        reason[treated] = why[: len(treated)]
        free = np.array([not text for text in why])
        found = _in_strata(firms, choices, (treated, compared), score, free, reason)
    kinds = (np.int64, np.int64, np.float64)
    matched, partner, weight = (
        np.concatenate([np.zeros(0, dtype=kind), *(part[n] for part in found)]) for n, kind in enumerate(kinds)
    )
    lost = Counter(str(reason[i]) for i in np.setdiff1d(everybody, matched))
    return CohortPairs(
        treated=matched,
        compared=partner,
        weight=weight,
        candidates=np.asarray(later & ready),
        counts=MatchedCohort(
            cohort=cohort,
            treated=len(everybody),
            matched=len(matched),
            candidates=int((later & ready).sum()),
            compared=len(np.unique(partner)),
            unmatched=dict(sorted(lost.items())),
        ),
    )


def _by_queue(firms: MatchingFirms, members: IntArray) -> IntArray:
    """Firms in the order in which ties are broken, which is not that of the rows."""
    return np.asarray(members[np.argsort(firms.queue[members])])


def _log_odds(firms: MatchingFirms, treated: IntArray, compared: IntArray) -> tuple[FloatArray, list[str]]:
    """Log odds of being treated of the two groups, one after the other, and why a firm cannot be matched, or an empty text."""
    from sklearn.linear_model import LogisticRegression

    pool = np.concatenate([treated, compared])
    entered = np.arange(len(pool)) < len(treated)
    design, _ = baseline_design(firms.values, pool)
    if len(design) == 1:  # covariates that do not vary here: everybody is alike
        return np.zeros(len(pool)), [""] * len(pool)
    weight = firms.weight[pool] / firms.weight[pool].mean()
    logit = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what does not converge: judged below by its score and by the overlap
        logit.fit(design[1:].T, entered, sample_weight=weight)
    score = np.asarray(logit.decision_function(design[1:].T), dtype=np.float64)
    chance = 1.0 / (1.0 + np.exp(-np.clip(score, -LARGEST, LARGEST)))
    slack = np.abs(design @ (weight * (entered - chance))).max() / (weight @ entered)
    if score[entered].min() > score[~entered].max():
        return score, [APART] * len(pool)
    if slack > UNSETTLED:
        return score, [UNSTABLE] * len(pool)
    return score, [APART if p >= NO_OVERLAP or (p < IMPOSSIBLE and not own) else "" for p, own in zip(chance, entered, strict=True)]


def _in_strata(
    firms: MatchingFirms,
    choices: MatchingChoices,
    groups: tuple[IntArray, IntArray],
    score: FloatArray,
    free: BoolArray,
    reason: np.ndarray[tuple[int, ...], np.dtype[np.object_]],
) -> list[tuple[IntArray, IntArray, FloatArray]]:
    """Per stratum (treated, compared, weight) of partners among all firms; writes why others found none."""
    treated, compared = groups
    ours, theirs = np.split(free, [len(treated)])
    deviation = _deviation(firms, groups, score, free)
    place = np.zeros(len(score), dtype=np.int64)
    place[free] = on_grid(score[free], deviation)
    left, right = np.split(place, [len(treated)])
    radius = NO_LIMIT if choices.caliper is None else round(choices.caliper * STEPS)
    found = []
    for stratum in np.unique(firms.stratum[treated[ours]]):
        mine = np.flatnonzero(ours & (firms.stratum[treated] == stratum))
        others = np.flatnonzero(theirs & (firms.stratum[compared] == stratum))
        reason[treated[mine]] = (FAR if choices.replace else NONE_FREE) if len(others) else ALONE
        if not len(others):
            continue
        weights = firms.weight[treated[mine]], firms.weight[compared[others]]
        pairs, members, spent = _nearest(choices, (left[mine], right[others]), weights, radius)
        reason[treated[mine[spent]]] = SPENT
        found.append((treated[mine[members]], compared[others[pairs.compared]], pairs.share))
    return found


def _deviation(firms: MatchingFirms, groups: tuple[IntArray, IntArray], score: FloatArray, free: BoolArray) -> float:
    """√((s²_treated + s²_comparison) / 2) of the log odds of firms that can be matched."""
    variances = []
    for part, members in zip(np.split(np.arange(len(score)), [len(groups[0])]), groups, strict=True):
        values, weight = score[part][free[part]], firms.weight[members][free[part]]
        if len(values):
            mean = weight @ values / weight.sum()
            variances.append(float(weight @ (values - mean) ** 2 / weight.sum()))
    return float(np.sqrt(np.mean(variances))) if variances else 0.0


def _nearest(
    choices: MatchingChoices, scores: tuple[IntArray, IntArray], weights: tuple[FloatArray, FloatArray], radius: int
) -> tuple[Pairs, IntArray, IntArray]:
    """Pairs whose `share` is in units of weight, the treated who are in one, and those for whom nobody was left."""
    (treated, compared), (own, theirs) = scores, weights
    if not choices.replace:
        pairs, spent = nearest_without_replacement(treated, compared, theirs, choices.neighbours, radius)
        return dataclasses.replace(pairs, share=pairs.share * own[pairs.treated]), np.unique(pairs.treated), spent
    score, place = np.unique(treated, return_inverse=True)  # the treated of one score have the same partners
    pairs = nearest_with_replacement(score, compared, theirs, choices.neighbours, radius)
    carried = np.bincount(place, weights=own)[pairs.treated] * pairs.share
    members = np.flatnonzero(np.isin(place, pairs.treated))
    return dataclasses.replace(pairs, share=carried), members, np.zeros(0, dtype=np.int64)
