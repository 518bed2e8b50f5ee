"""Group-time effects given baseline covariates: by regression, by weighting, or doubly robust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.group_time import GroupTimeEffects
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.conditional_changes import (
    Conditional,
    OddsSums,
    Sums,
    conditional_effects,
    first_sums,
    odds_sums,
    propensities,
    regressions,
)
from sme_eval.stats.conditional_covariance import covariance
from sme_eval.stats.contrasts import COMPARISON, TREATED, Contrasts
from sme_eval.stats.small_sample import require_clusters

from .cross_fitting import CrossFit
from .group_time_changes import FoundChanges, empty_groups, no_overlap, refuse_all
from .group_time_design import CohortFirms, cohort_firms, late_cohorts
from .group_time_learned import learned_changes
from .group_time_rows import GroupTimeChoices, Row, compared_with, group_time_rows, in_use, years_left_out

Method = Literal["dr", "reg", "ipw"]
METHODS: Final[dict[Method, str]] = {
    "dr": "doubly robust (regression of the comparison's changes, and its odds of treatment by logit)",
    "reg": "regression of the comparison's changes",
    "ipw": "weighting of the comparison by its odds of treatment (logit)",
}
ORTHOGONAL = (
    "doubly robust, cross-fitted ({learner}; folds by {by}; the score is orthogonal, so that errors hold no term for the learners)"
)
ONE_FIRM = "one treated firm: the error holds the comparison's variation only"
_REMEDY = 'use fewer covariates, a wider comparison ("not_yet_treated"), or method="reg" where overlap is what fails'
_LEARNERS_REMEDY = 'use fewer covariates, fewer folds, a wider comparison ("not_yet_treated"), or learners that fit less closely'


class ConditionalChoices(GroupTimeChoices, Protocol):
    """The choices of a group-time design with covariates."""

    @property
    def method(self) -> Method:
        """How covariates enter."""

    @property
    def learner(self) -> CrossFit | None:
        """Learners in place of the linear regression and the logit."""


@dataclass(slots=True, eq=False)
class _Answer:
    """Per row of the design: effect (NaN: unavailable), why not, treated firms behind it; and the joint covariance with shares."""

    estimate: FloatArray
    notes: list[str]
    n_treated: IntArray
    covariance: FloatArray


def fit_given_covariates(choices: ConditionalChoices, sample: Sample) -> GroupTimeEffects:
    """Every ATT(g, t) of a sample with baseline covariates, as `choices` say.

    ATT(g, t) = E[Y_t − Y_b | G = g] − E[m(X) | G = g] under parallel trends given X: m(x) is the comparison's mean change at x.
    By "reg" m is linear in X; by "ipw" the comparison is weighted by p(X) / (1 − p(X)), p a logit of being in g rather than in the
    comparison, weights summing to one; by "dr" the residuals of the regression are so weighted: right if either model is.
    Comparison firms with p ≥ 0.995 get no weight. Effects for which some firm has p ≥ 0.999, or whose comparison firms do not span
    the covariates, are unavailable with the reason, and counted in the notes. With a `learner` m and p are cross-fitted.

    Raises
    ------
    DesignError
        No treatment named.
    IdentificationError
        No cohort has a year before treatment, no firm is seen in every year ("balanced"), or no effect at all is identified.

    Source: Callaway and Sant'Anna (2021), Sant'Anna and Zhao (2020); R did 2.5 with DRDID 1.2.
    """
    if sample.cohort is None:
        what = "CallawaySantAnna needs to know who was treated when."
        raise DesignError(Problem(what=what, remedy="name `cohort` or `treatment` in Sample.from_frame"))
    years, treated = in_use(choices, sample.years, np.unique(sample.cohort))
    firms = cohort_firms(sample, sample.cohort, choices.panel, len(years))
    if len(years) == len(sample.years):  # the never treated may be gone with the firms that have gaps
        years, treated = in_use(choices, years, firms.cohorts)
    rows = group_time_rows(choices, years, treated[np.isin(treated, firms.cohorts)])
    if not rows:
        what = "No cohort has a year before treatment."
        raise IdentificationError(Problem(what=what, remedy="lengthen the panel or lower `anticipation`"))
    member = np.isin(firms.cohorts, [cohort for cohort, _, _ in rows])
    answer = _answer(choices, sample, years, firms, rows, member)
    return _result(choices, sample, years, firms, rows, answer, member)


def _contrasts(choices: ConditionalChoices, firms: CohortFirms, rows: Sequence[Row], years: IntArray) -> Contrasts:
    """Rows with the same cohort and comparison share a setting, unless each has firms of its own because some are not seen."""
    pairs = not firms.complete
    keys: dict[tuple[int, bytes, int], int] = {}
    compared = [compared_with(choices, years, firms.cohorts, row) for row in rows]
    setting = [
        keys.setdefault((row[0], blocks.tobytes(), n if pairs else 0), len(keys))
        for n, (row, blocks) in enumerate(zip(rows, compared, strict=True))
    ]
    first = np.unique(setting, return_index=True)[1]
    return Contrasts(
        year=np.array([year for _, year, _ in rows]),
        base=np.array([base for _, _, base in rows]),
        setting=np.array(setting),
        treated=np.searchsorted(firms.cohorts, [rows[n][0] for n in first]),
        comparison=np.array([compared[n] for n in first]),
        pairs=pairs,
    )


def _answer(
    choices: ConditionalChoices, sample: Sample, years: IntArray, firms: CohortFirms, rows: Sequence[Row], member: BoolArray
) -> _Answer:
    """Effects and their covariance in the order of `rows`, those of reference years zero, those refused NaN with the reason."""
    moving = np.array([year != base for _, year, base in rows])
    places = np.flatnonzero(moving)
    compared = [rows[int(place)] for place in places]
    contrasts = _contrasts(choices, firms, compared, years)
    if choices.learner is None:
        found = _parametric_changes(choices, firms, contrasts, member)
    else:
        found = learned_changes(choices.learner, sample, firms, contrasts, member)
    known = found.known
    if not known.any():
        refuse_all(compared, found.reasons, _REMEDY if choices.learner is None else _LEARNERS_REMEDY)
    n_shares = int(member.sum())
    kept = np.concatenate([places[known], len(rows) + np.arange(n_shares)])
    joint = np.zeros((len(rows) + n_shares,) * 2)
    joint[np.ix_(kept, kept)] = found.joint
    joint[places[~known], :] = joint[:, places[~known]] = np.nan
    estimate, n_treated = np.zeros(len(rows)), np.zeros(len(rows), dtype=np.int64)
    estimate[places] = np.where(known, found.estimate, np.nan)
    n_treated[places] = found.n_treated
    notes = ["" if moves else "reference" for moves in moving]
    for place, reason in zip(places, found.reasons, strict=True):
        notes[place] = reason or (ONE_FIRM if n_treated[place] == 1 else "")
    _count_references(firms, rows, moving, n_treated)
    return _Answer(estimate=estimate, notes=notes, n_treated=n_treated, covariance=joint)


def _parametric_changes(choices: ConditionalChoices, firms: CohortFirms, contrasts: Contrasts, member: BoolArray) -> FoundChanges:
    """Effects by linear regression and logit, and their covariance with the cohorts' shares."""
    sums, found, refused = _effects(choices, firms, contrasts)
    reasons = [refused[s] for s in contrasts.setting]
    known = np.array([not reason for reason in reasons])
    return FoundChanges(
        estimate=found.estimate,
        reasons=reasons,
        n_treated=sums.count[TREATED, contrasts.setting].astype(np.int64),
        joint=covariance(firms.blocks, contrasts.only(known), found.only(known), member),
    )


def _effects(choices: ConditionalChoices, firms: CohortFirms, contrasts: Contrasts) -> tuple[Sums, Conditional, list[str]]:
    """First sums, effects, and per setting why it is refused (empty if not): pass by pass."""
    sums = first_sums(firms.blocks, contrasts)
    refused = _refused_by_counts(choices, firms, sums)
    tilted = None
    if choices.method != "reg":
        possible = np.array([not reason for reason in refused])
        logits = propensities(firms.blocks, contrasts, sums, possible)
        passed = odds_sums(firms.blocks, contrasts, logits.coefficients, possible)
        refused = _refused_by_overlap(firms, sums, passed, logits.settled, refused)
        tilted = (logits.coefficients, passed)
    slope = regressions(contrasts, sums) if choices.method != "ipw" else None
    return sums, conditional_effects(contrasts, sums, slope, tilted), refused


def _refused_by_counts(choices: ConditionalChoices, firms: CohortFirms, sums: Sums) -> list[str]:
    """Per setting why nothing can be said, or an empty text: a group without firms, a comparison too small for the covariates."""
    spans = sums.full_rank()
    needed = len(firms.names) + 1
    reasons = []
    for s, (compared, treated) in enumerate(sums.count.T):
        empty = empty_groups(treated, compared)
        if empty:
            reasons.append(empty)
        elif choices.method != "ipw" and not spans[s]:
            what = "too few comparison firms" if compared < needed else "comparison firms do not vary independently"
            reasons.append(f"{what}: {int(compared)} for {needed} coefficients (intercept, {', '.join(firms.names)})")
        else:
            reasons.append("")
    return reasons


def _refused_by_overlap(firms: CohortFirms, sums: Sums, passed: OddsSums, settled: BoolArray, refused: Sequence[str]) -> list[str]:
    """Adds settings in which covariates all but decide who is treated."""
    reasons = list(refused)
    for s, reason in enumerate(refused):
        if reason:
            continue
        compared, treated = (int(count) for count in sums.count[[COMPARISON, TREATED], s])
        reasons[s] = no_overlap(firms.names, float(passed.largest[s]), int(passed.certain[s]), (treated, compared))
        if not reasons[s] and not settled[s]:
            reasons[s] = f"no propensity that settles: given {', '.join(firms.names)}"
    return reasons


def _count_references(firms: CohortFirms, rows: Sequence[Row], moving: BoolArray, n_treated: IntArray) -> None:
    """Reference rows have the treated firms seen in that year."""
    for place in np.flatnonzero(~moving):
        cohort, year, _ = rows[int(place)]
        block = int(np.searchsorted(firms.cohorts, cohort))
        members = firms.blocks.order[firms.blocks.start[block] : firms.blocks.start[block + 1]]
        n_treated[place] = int(np.isfinite(firms.blocks.outcome[members, year]).sum())


def _result(
    choices: ConditionalChoices,
    sample: Sample,
    years: IntArray,
    firms: CohortFirms,
    rows: Sequence[Row],
    answer: _Answer,
    member: BoolArray,
) -> GroupTimeEffects:
    weight = firms.blocks.weights()
    cohort = np.array([g for g, _, _ in rows])
    year = years[np.array([t for _, t, _ in rows])]
    effects = Effects(
        term=tuple(f"ATT({c}, {t})" for c, t in zip(cohort, year, strict=True)),
        estimate=answer.estimate,
        covariance=answer.covariance[: len(rows), : len(rows)],
        basis=_basis(choices, sample, years, firms, rows, answer),
        keys={
            "cohort": tuple(int(c) for c in cohort),
            "year": tuple(int(t) for t in year),
            "event_time": tuple(int(e) for e in year - cohort),
        },
        notes=tuple(answer.notes),
        n_treated=tuple(int(n) for n in answer.n_treated),
    )
    return GroupTimeEffects(
        effects=effects,
        cohorts=firms.cohorts[member],
        firms=firms.blocks.sizes()[member],
        share=weight[member] / weight.sum(),
        joint_covariance=answer.covariance,
        years=years,
        anticipation=choices.anticipation,
    )


def _basis(
    choices: ConditionalChoices, sample: Sample, years: IntArray, firms: CohortFirms, rows: Sequence[Row], answer: _Answer
) -> Basis:
    rule = {"balanced": "firms seen in every year", "pairs": "firms seen in both years of each comparison"}[choices.panel]
    unit = sample.names.cluster if sample.cluster is not None else None
    given, method = ", ".join(firms.names) or "no covariate", METHODS[choices.method]
    if choices.learner is not None:  # a learner sees every covariate, also one that combines others
        given = ", ".join(sample.names.covariates)
        method = ORTHOGONAL.format(learner=choices.learner.description, by=unit or "firm")
    late, missing = late_cohorts(firms.cohorts, sample.years), np.isnan(answer.estimate)
    notes = [f"{firms.dropped} firms not seen in every year are left out"] if firms.dropped else []
    notes += years_left_out(sample.years, years)
    if late:
        notes.append(f"cohorts after the last year ({', '.join(map(str, late))}) count as never treated within the panel")
    if firms.left_out and choices.learner is None:
        notes.append(f"covariates that are constant or combine earlier ones are left out: {', '.join(firms.left_out)}")
    if missing.any():
        lost = ", ".join(sorted({str(row[0]) for row, gone in zip(rows, missing, strict=True) if gone}))
        notes.append(
            f"{int(missing.sum())} of {len(rows)} effects (cohorts {lost}) are unavailable and stand in no average; the table "
            "says why"
        )
    return Basis(
        n_firms=len(firms.blocks.order),
        n_observations=firms.n_observations,
        n_clusters=require_clusters(firms.n_clusters),
        convention=f"comparison: {choices.comparison}; {rule}; given {given}: {method}; clustered by "
        f"{unit or 'firm'} as R did does: influence functions, no small-sample factor, normal critical values, "
        "estimated cohort shares included",
        level=choices.level,
        unit=sample.names.outcome,
        notes=tuple(notes),
        effects="differences",
        cluster=unit or "firm",
        covariance="clustered",
    )
