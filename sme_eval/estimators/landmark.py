"""Landmark difference-in-differences: each cohort against everybody untreated at its start, given what selected it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sme_eval.errors import DataError, DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.estimators.landmark_arm import BASE, Arm, ArmEffects, Propensity, arm_effects, by_event_time, entry_propensity
from sme_eval.estimators.landmark_covariates import (
    LandmarkCovariates,
    PastGrowth,
    Squares,
    firm_numbers,
    firm_years,
    landmark_covariates,
)
from sme_eval.estimators.protocol import check_level, choose
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.event_study import EventStudy
from sme_eval.stats.arrays import FloatArray, IntArray
from sme_eval.stats.small_sample import require_clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkDiD:
    """Effect by event time of entering in g, against all firms that had not entered anything by then.

    Estimand: for cohort g and event time e, τ(g, e) = E[Y_{g+e} − Y_{g−1} | G = g] − E[m_ge(X_g) | G = g] with
    m_ge(x) = E[Y_{g+e} − Y_{g−1} | comparison, X_g = x]: the step at g relative to the status quo, in which comparison firms may
    be treated later. Cohorts are pooled by their firms; the overall effect is the plain mean over event times from 0 on, and
    `by_cohort` of the result the same mean for each cohort.

    The comparison of cohort g is every firm that is not treated by g and, if `listed` names a column, was on no list before g,
    *whatever happens to it afterwards*: a comparison of never-treated firms would be chosen by what happened after g.
    m_ge is linear in X_g: an intercept, `covariates` (numbers as they are, texts and categories as dummies) and, with
    `past_growth` = (a, b), a change from g + a to g + b, at each cohort's own g. With `method="dr"` the comparison's residuals
    are also weighted by its odds of entering given X_g, a logit with an intercept per cohort and common slopes.

    Assumptions: entry at g is as good as random given X_g (not checked: no rule built on the past protects against selection on
    future shocks); m_ge is linear, or with "dr" either that or the logit holds (not checked); treated firms lie within what
    comparison firms span, and with "dr" entry is certain for nobody (checked).

    Parameters
    ----------
    covariates
        Kept columns, constant within firms. Not the outcome's own level: it would be fitted to its own noise.
    past_growth
        Event times between which a change is a covariate, both before treatment; None for no such covariate.
    growth_of
        A kept column that varies over time, whose change it is: revenue's, if entry looks at revenue and the outcome is another.
        None is the outcome. It is known only in years in which the outcome is.
    growth_split
        Each yearly change of the span is a covariate of its own.
    squares
        Numeric covariates that enter squared too; "numeric" for all of them.
    method
        "reg" by regression alone, "dr" doubly robust.
    window
        First and last event time. Effects at e ≤ min(past_growth) − 1 speak to trends; those inside the growth window are not
        informative, because growth is conditioned on.
    listed
        A kept column: first year on any list, 0 or missing for never. None: only treatment itself counts.
    within
        A kept column: first year in a tier, 0 or missing for never. Entrants and comparison were in it by g. None: any firm.
    among
        A kept 0/1 column, constant within firms: only these entrants' effect is asked; others of their cohort are left out of it.
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        Contradictory choices, columns that the sample does not hold, no treatment named.
    DataError
        A covariate that varies within firms or is missing.
    IdentificationError
        No cohort has both a base year and a comparison; with "dr", covariates that tell entrants from others for certain.

    Errors: influence functions, clustered by firm or above, no small-sample factor, normal critical values; the cohorts' sizes,
    the regression and the propensity count as estimated. Firms not seen in the years that an effect needs are left out of that
    effect. Source: Heckman, Ichimura and Todd (1997) for the regression form, Sant'Anna and Zhao (2020) for the doubly robust one;
    group-time by group-time they equal R did's `est_method = "reg"` and `"dr"` on the same firms.

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel, truth = sme.simulate_ningbo(seed=1, scenario="baseline")
    >>> sample = sme.Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_revenue", cohort="certified_year",
    ...                                columns=("rd_intensity",))
    >>> given_growth = sme.LandmarkDiD(covariates=("rd_intensity",))
    >>> first, second = given_growth.fit(sample), given_growth.doubly_robust().fit(sample)
    >>> abs(first.estimate - second.estimate) < first.std_error
    True
    """

    covariates: tuple[str, ...] = ()
    past_growth: tuple[int, int] | None = (-3, -1)
    growth_of: str | None = None
    growth_split: bool = False
    squares: Squares = ()
    method: Literal["reg", "dr"] = "reg"
    window: tuple[int, int] = (-7, 2)
    listed: str | None = None
    among: str | None = None
    within: str | None = None
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = [*check_level(self.level), *choose("method", self.method, ("reg", "dr"))]
        if self.window[0] > 0 or self.window[1] < 0:
            problems.append(Problem(what=f"The window {self.window} does not hold event time 0.", remedy="such as (-7, 2)"))
        if self.past_growth is not None and not self.past_growth[0] < self.past_growth[1] < 0:
            problems.append(
                Problem(what=f"past_growth={self.past_growth} is not a span before treatment.", remedy="such as (-3, -1), or None")
            )
        if self.past_growth is None and (self.growth_of is not None or self.growth_split):
            problems.append(
                Problem(
                    what="growth_of and growth_split say how past growth enters, but past_growth=None.", remedy="such as (-3, -1)"
                )
            )
        squared = () if self.squares == "numeric" else self.squares
        problems += [
            Problem(what=f"squares names {name!r}, which is not among the covariates.", remedy=f"covariates={self.covariates}")
            for name in squared
            if name not in self.covariates
        ]
        raise_if_any(DesignError, problems)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a sample must keep for this estimator, beside outcome and cohort; `growth_of` may be the outcome."""
        named = (*self.covariates, self.growth_of, self.listed, self.among, self.within)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def unconditional(self) -> LandmarkDiD:
        """The twin that conditions on nothing: same comparison, entrants and window."""
        return LandmarkDiD(
            listed=self.listed, among=self.among, within=self.within, window=self.window, level=self.level, past_growth=None
        )

    def doubly_robust(self) -> LandmarkDiD:
        """The twin with a propensity beside the regression, growth split by year and numbers squared."""
        return replace(self, method="dr", growth_split=self.past_growth is not None, squares="numeric")

    def fit(self, data: Sample) -> EventStudy:
        """Estimate the effects by event time from a sample."""
        cohort = require_landmark(self, data)
        covariates, arm = read_landmark(self, data, cohort)
        propensity = None
        if self.method == "dr":
            propensity = entry_propensity(arm, data.years, covariates, data.weight, covariates.names)
        effects = arm_effects(arm, data.outcome[None], data.years, covariates, self.window, data.weight, propensity)
        settled = () if covariates.growth is None else covariates.growth.settled(BASE, data.names.outcome)
        return _result(data, effects, _basis(self, data, covariates, propensity), settled)


def require_landmark(landmark: LandmarkDiD, data: Sample) -> IntArray:
    """The cohorts of a sample that holds everything the estimator names."""
    if not isinstance(data, Sample):
        raise DesignError(
            Problem(what=f"LandmarkDiD fits a Sample, not {type(data).__name__}.", remedy="covariates differ from firm to firm")
        )
    problems: list[Problem] = []
    if data.names.covariates:
        what = f"LandmarkDiD would ignore the sample's covariates {', '.join(data.names.covariates)}."
        problems.append(Problem(what=what, remedy="keep them as columns and name them in LandmarkDiD(covariates=…)"))
    for name in landmark.columns:
        try:
            if name != landmark.growth_of or name != data.names.outcome:
                data.column(name)
        except DesignError as refused:
            problems.extend(refused.problems)
    if data.cohort is None:
        problems.append(
            Problem(
                what="LandmarkDiD needs to know who was treated when.", remedy="name `cohort` or `treatment` in Sample.from_frame"
            )
        )
    raise_if_any(DesignError, problems)
    assert data.cohort is not None
    return data.cohort


def read_landmark(landmark: LandmarkDiD, sample: Sample, cohort: IntArray) -> tuple[LandmarkCovariates, Arm]:
    """What is conditioned on, and who is compared with whom."""
    problems: list[Problem] = []
    growth = None
    if landmark.past_growth is not None:
        growth = PastGrowth(span=landmark.past_growth, of=landmark.growth_of, split=landmark.growth_split)
    try:
        covariates = landmark_covariates(sample, landmark.covariates, landmark.squares, growth)
    except DataError as refused:
        problems.extend(refused.problems)
    member, listed = np.ones(sample.n_firms, dtype=np.bool_), cohort
    if landmark.among is not None:
        asked = firm_numbers(sample, landmark.among, problems, "who is asked about is one answer per firm")
        if not np.isin(asked, (0.0, 1.0)).all():
            problems.append(Problem(what=f"{landmark.among} is not 0 or 1 for every firm.", remedy="1 for entrants to ask about"))
        member = asked == 1.0
    if landmark.listed is not None:
        listed = np.minimum(firm_years(sample, landmark.listed, problems, "the first listed year is one per firm"), cohort)
    tier = np.zeros(sample.n_firms, dtype=np.int64)
    if landmark.within is not None:
        tier = firm_years(sample, landmark.within, problems, "the first year in a tier is one per firm")
    raise_if_any(DataError, problems)
    entrants = member & (tier <= cohort)
    return covariates, Arm(entry=cohort, member=entrants, comparison=lambda g: (cohort > g) & (listed >= g) & (tier <= g))


def _result(sample: Sample, found: ArmEffects, basis: Basis, settled: tuple[int, ...]) -> EventStudy:
    """Effects by event time (zero where the covariates settle them), their mean after treatment, and that mean by cohort."""
    value, late = found.value[0], np.array([e >= 0 for e in found.times])
    live = np.isfinite(value)
    if not (live & late).any():
        raise IdentificationError(
            Problem(
                what="No cohort has its base year, its growth years and comparison firms that span its covariates.",
                remedy="lengthen the panel, use fewer covariates, or past_growth=None",
            )
        )
    times, treated = np.array(found.times)[live], found.n_treated[live]
    overall, own = found.window_mean(0, max(found.times))
    free = ~np.isin(times, settled)  # exactly, not to rounding: a rounding error has no meaningful standard error
    covariance = clustered(sample, np.column_stack([found.influence[:, 0, live] * free, own]))
    last = int(times.max())
    return EventStudy(
        effects=by_event_time(times, value[live] * free, covariance[:-1, :-1], treated, basis, settled),
        overall=Estimate.from_basis(
            f"unweighted average over event times 0 to {last}",
            float(overall[0]),
            float(np.sqrt(covariance[-1, -1])),
            basis,
            int(treated[times >= 0].max()),
        ),
        reference=BASE,
        by_cohort=_by_cohort(sample, found, basis),
    )


def clustered(sample: Sample, influence: FloatArray) -> FloatArray:
    """Covariance (J, J) of estimates with influence (N, J)."""
    scores = influence
    if sample.cluster is not None:
        scores = np.zeros((int(sample.cluster.max()) + 1, influence.shape[1]))
        np.add.at(scores, sample.cluster, influence)
    covariance: FloatArray = scores.T @ scores
    return covariance


def _by_cohort(sample: Sample, found: ArmEffects, basis: Basis) -> Effects:
    """Per cohort the plain mean of its effects over event times from 0 on, with their joint covariance."""
    after = np.array([e >= 0 for e in found.times])
    picked = [(c, np.isfinite(c.value[0]) & after) for c in found.cohorts]
    picked = [(c, cells) for c, cells in picked if cells.any()]
    influence = np.column_stack([c.influence[:, 0, cells].mean(axis=1) for c, cells in picked])
    return Effects(
        term=tuple(f"cohort {c.cohort}" for c, _ in picked),
        estimate=np.array([c.value[0, cells].mean() for c, cells in picked]),
        covariance=clustered(sample, influence),
        basis=basis,
        keys={"cohort": tuple(c.cohort for c, _ in picked)},
        notes=tuple(
            ""
            if cells.sum() == after.sum()
            else f"event times {', '.join(str(found.times[j]) for j in np.flatnonzero(cells))} only"
            for _, cells in picked
        ),
        n_treated=tuple(int(c.treated[:, 0, cells].any(axis=1).sum()) for c, cells in picked),
    )


def _basis(landmark: LandmarkDiD, sample: Sample, covariates: LandmarkCovariates, propensity: Propensity | None) -> Basis:
    given = ", ".join(dict.fromkeys(covariates.names)) or "nothing"
    comparison = "untreated by g" if landmark.listed is None else f"untreated by g and on no list ({landmark.listed}) before"
    comparison += "" if landmark.within is None else f", in the same tier ({landmark.within}) by g"
    model, notes = "", []
    if propensity is not None:
        model = "; doubly robust, logit with an intercept per cohort and common slopes"
    if propensity is not None and propensity.n_trimmed:
        notes.append(f"{propensity.n_trimmed} comparison firms (per cohort) have no weight: too certain to enter")
    groups = np.arange(sample.n_firms) if sample.cluster is None else sample.cluster
    return Basis(
        n_firms=sample.n_firms,
        n_observations=len(sample.position),
        n_clusters=require_clusters(int(np.unique(groups).size)),
        convention=f"comparison: {comparison}, whatever happens later; given {given}{model}; "
        f"clustered by {sample.names.cluster or 'firm'}: influence functions, no small-sample factor, normal critical values",
        level=landmark.level,
        unit=sample.names.outcome,
        notes=tuple(notes),
    )
