"""Matching treated firms with comparison firms of like propensity, before any estimator."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.panel.sample import Sample
from sme_eval.results.matching import Balance, CohortBalance, Matching, standardised
from sme_eval.stats.arrays import FloatArray, IntArray
from sme_eval.terms import Comparison

from .matched_sample import WEIGHT, matched_sample
from .matching_cohort import CohortPairs, MatchingChoices, MatchingFirms, match_cohort, read_firms
from .protocol import choose


def match_firms(
    sample: Sample,
    *,
    neighbours: int = 1,
    caliper: float | None = 0.2,
    replace: bool = True,
    exact: tuple[str, ...] | str = (),
    comparison: Comparison = "never_treated",
    seed: int = 0,
) -> Matching[Sample]:
    """Match the treated firms of every cohort with comparison firms of nearly the same propensity.

    Estimand of what is fitted on the matched sample: the effect on the treated firms that found partners.

    For cohort g: p(x), a logit of being in g rather than compared given the sample's baseline covariates, by maximum likelihood
    (scikit-learn, no penalty), among firms seen in the last year before g. A treated firm i takes the `neighbours` comparison
    firms nearest in log p/(1 − p), within `caliper` standard deviations √((s²_treated + s²_comparison)/2) of it, and with the same
    labels `exact`. Weights: w_i for the treated firm, w_i · w_j / Σ w over its partners for partner j, added up over all whom j
    serves, in all cohorts; w is the sample's weight, else 1. Weights are thus constant within a firm, and comparison firms have
    the treated firms' total weight and, as far as matching succeeds, their covariates: estimators without covariates then
    compare firms alike in them. All cohorts together, that is: an estimator that compares each cohort with all never-treated firms
    compares it with the partners of the other cohorts too. `.cohort_balance` shows how far a cohort is from its own partners and
    from all of them; where cohorts differ in covariates, match each on a sample of its own.

    Assumptions: parallel trends between treated firms and comparison firms of the same propensity (not checked). Checked: overlap.
    Treated firms with p ≥ 0.999, without partner in the caliper, or without one of the same labels are left out and counted by
    reason; comparison firms that serve nobody are left out. Both stand in the sample flow as "matched".

    Errors of later estimates take the weights as given: they ignore that propensity and partners were estimated. With
    replacement a firm that serves many has one large weight, and clustering by firm counts it once; the error is then right given
    the weights, but not in general (Abadie and Imbens 2006, 2016), and no simple bootstrap repairs it (2008).

    Parameters
    ----------
    neighbours
        Partners per treated firm. Firms at the distance of the last one share its place: with replacement nothing is drawn.
    caliper
        Farthest partner, in standard deviations of the log odds; None for no limit.
    replace
        Whether a firm may serve several treated firms. If not, the treated choose in turn, highest propensity first, cohort by
        cohort, equal ones in an order drawn by `seed` from the firms' names.
    exact
        Kept columns, constant within firms, in which partners must agree.
    comparison
        "never_treated" within the panel, or "not_yet_treated": also firms of later cohorts. These enter as copies that end before
        their own treatment, clustered with their originals; group-time estimates then need `panel="pairs"`.
    seed
        See `replace`.

    Returns
    -------
    Matching
        `.sample`, to fit any estimator on; its covariates are ordinary `columns` now. To adjust for them again, name them in
        `Sample.from_frame(matching.sample.frame, weight="matching_weight", …)`. `.balance`, `.cohorts`, `.unmatched`, `.plot()`.

    Raises
    ------
    DesignError
        No covariates, no treatment named, unknown columns or choices.
    IdentificationError
        No treated firm, or none that finds a partner, with the reasons by cohort.

    Source: Rosenbaum and Rubin (1985); Austin (2011) for the caliper; Abadie and Imbens (2006) for ties.

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5], "year": [2020, 2021] * 5, "g": [2021] * 4 + [0] * 6,
    ...                       "size": [1, 1, 5, 5, 1, 1, 5, 5, 8, 8],
    ...                       "y": [1.0, 3.0, 2.0, 6.0, 1.0, 1.5, 0.0, 2.5, 4.0, 9.0]})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g", covariates=("size",))
    >>> matching = sme.match_firms(sample)
    >>> matching.balance["difference_after"].tolist(), matching.effective_sample_size
    ([0.0], 2.0)
    >>> round(sme.CallawaySantAnna().fit(matching.sample).aggregate("simple").overall.estimate, 10)
    1.5
    """
    choices = MatchingChoices(
        neighbours=neighbours,
        caliper=caliper,
        replace=replace,
        exact=(exact,) if isinstance(exact, str) else tuple(exact),
        comparison=comparison,
        seed=seed,
    )
    cohort = _require(sample, choices)
    firms = read_firms(sample, cohort, choices)
    treated, compared, found = np.zeros(len(cohort)), np.zeros(len(cohort)), []
    for g in np.unique(cohort[cohort <= sample.years[-1]]):
        one = match_cohort(firms, choices, int(g), used=compared > 0.0)
        treated[one.treated] = firms.weight[one.treated]
        np.add.at(compared, one.compared, one.weight)
        found.append(one)
    _refuse_empty(found)
    return Matching(
        sample=matched_sample(sample, cohort, treated, compared),
        balances=_balances(sample.names.covariates, firms, found, (treated, compared)),
        cohort_balances=_cohort_balances(sample.names.covariates, firms, found, compared),
        matched=tuple(one.counts for one in found),
        n_compared=int((compared > 0.0).sum()),
        effective_sample_size=float(compared.sum() ** 2 / (compared @ compared)),
        convention=_convention(sample, choices),
    )


def _require(sample: Sample, choices: MatchingChoices) -> IntArray:
    """The cohorts of a sample that can be matched so."""
    problems = choose("comparison", choices.comparison, ("never_treated", "not_yet_treated"))
    if not isinstance(sample, Sample):
        raise DesignError([*problems, Problem(what=f"match_firms matches a Sample, not {type(sample).__name__}.")])
    if sample.cohort is None:
        what = "match_firms needs to know who was treated when."
        problems.append(Problem(what=what, remedy="name `cohort` or `treatment` in Sample.from_frame"))
    if not sample.names.covariates:
        problems.append(Problem(what="There is nothing to match on.", remedy="name covariates in Sample.from_frame"))
    if isinstance(choices.neighbours, bool) or not isinstance(choices.neighbours, int) or choices.neighbours < 1:
        problems.append(Problem(what=f"neighbours={choices.neighbours!r} are no partners.", remedy="1, 2, 3, …"))
    if choices.caliper is not None and not (isinstance(choices.caliper, int | float) and 0.0 < choices.caliper < math.inf):
        problems.append(Problem(what=f"caliper={choices.caliper!r} is no distance.", remedy="0.2, or None for no limit"))
    raise_if_any(DesignError, problems)
    assert sample.cohort is not None
    if not (sample.cohort <= sample.years[-1]).any():
        what = "No firm is treated within the panel."
        raise IdentificationError(Problem(what=what, remedy="check the cohorts, or lengthen the panel"))
    return sample.cohort


def _refuse_empty(found: Sequence[CohortPairs]) -> None:
    if any(len(one.treated) for one in found):
        return
    remedy = "fewer covariates, a wider caliper, fewer labels, or another comparison"
    raise IdentificationError(
        [
            Problem(what=f"No treated firm finds a partner: {count}: {reason}.", where=f"cohort {one.counts.cohort}", remedy=remedy)
            for one in found
            for reason, count in one.counts.unmatched.items()
        ]
    )


def _balances(
    names: Sequence[str], firms: MatchingFirms, found: Sequence[CohortPairs], after: tuple[FloatArray, FloatArray]
) -> tuple[Balance, ...]:
    """Balance by covariate: all treated against all who could be compared, then as matched, `after` being weights (N,) of each."""
    before = _all_firms(firms, found)
    rows = []
    for name, values in zip(names, firms.values, strict=True):
        (t0, st0), (c0, sc0), (t1, st1), (c1, sc1) = (_moments(values, weight) for weight in (*before, *after))
        deviation = math.sqrt((st0 + sc0) / 2.0)
        rows.append(
            Balance(
                covariate=name,
                treated_before=t0,
                comparison_before=c0,
                difference_before=standardised(t0 - c0, deviation),
                ratio_before=_ratio(st0, sc0),
                treated_after=t1,
                comparison_after=c1,
                difference_after=standardised(t1 - c1, deviation),
                ratio_after=_ratio(st1, sc1),
            )
        )
    return tuple(rows)


def _all_firms(firms: MatchingFirms, found: Sequence[CohortPairs]) -> tuple[FloatArray, FloatArray]:
    """Weights (N,) before matching: of the treated of these cohorts, and of all who could be compared with one."""
    cohorts = [one.counts.cohort for one in found]
    candidates = np.any([one.candidates for one in found], axis=0)
    return firms.weight * np.isin(firms.cohort, cohorts), firms.weight * candidates


def _cohort_balances(
    names: Sequence[str], firms: MatchingFirms, found: Sequence[CohortPairs], compared: FloatArray
) -> tuple[CohortBalance, ...]:
    """Per cohort and covariate, in units of the standard deviation before matching of that cohort and its candidates."""
    rows = []
    for one in found:
        own, mine = np.zeros(len(compared)), np.zeros(len(compared))
        mine[one.treated] = firms.weight[one.treated]
        np.add.at(own, one.compared, one.weight)
        first, candidates = _all_firms(firms, [one])
        for name, values in zip(names, firms.values, strict=True):
            (t0, st0), (c0, sc0) = (_moments(values, weight) for weight in (first, candidates))
            t1, c1, pooled = (_moments(values, weight)[0] for weight in (mine, own, compared))
            deviation = math.sqrt((st0 + sc0) / 2.0)
            rows.append(
                CohortBalance(
                    cohort=one.counts.cohort,
                    covariate=name,
                    difference_before=standardised(t0 - c0, deviation),
                    difference_partners=standardised(t1 - c1, deviation),
                    difference_all=standardised(t1 - pooled, deviation),
                )
            )
    return tuple(rows)


def _moments(values: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """Weighted mean and variance."""
    if not weight.any():
        return math.nan, math.nan
    mean = float(weight @ values / weight.sum())
    return mean, float(weight @ (values - mean) ** 2 / weight.sum())


def _ratio(treated: float, compared: float) -> float:
    """Ratio of variances; of two constants it is not defined."""
    if compared > 0.0:
        return treated / compared
    return math.inf if treated > 0.0 else math.nan


def _convention(sample: Sample, choices: MatchingChoices) -> str:
    caliper = "no caliper" if choices.caliper is None else f"caliper {choices.caliper:g} standard deviations"
    again = "with replacement, ties share" if choices.replace else f"without replacement, ties drawn by seed {choices.seed}"
    exact = f"; same {', '.join(choices.exact)}" if choices.exact else ""
    return (
        f"{choices.neighbours} nearest by the log odds of a logit per cohort given {', '.join(sample.names.covariates)}, {again}, "
        f"{caliper}{exact}; comparison: {choices.comparison}; weights in {WEIGHT}"
    )
