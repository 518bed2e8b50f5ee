"""The triple difference in its transparent form: each district's effect of entering, against the dose that the district pays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.estimators.district_effects import FEWEST_ENTRANTS, DistrictColumns, DistrictEffects, district_effects
from sme_eval.estimators.district_slopes import NO_ERROR, dose_regression, slope_estimates, slopes_by_event_time
from sme_eval.estimators.landmark_covariates import PastGrowth
from sme_eval.estimators.protocol import check_level
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.dose import DistrictDoseResult
from sme_eval.results.effects import Effects
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.dose_layouts import DoseSensitivity, dose_plan, dose_sensitivity
from sme_eval.stats.few_clusters import FEWEST_DISTRICTS, PermutationTest, permutation_test
from sme_eval.stats.wild_bootstrap import WildBootstrap, districts_alone, wild_bootstrap

SEED = 0
"""Of random assignments and weights, drawn only where there are too many to try all: the same data give the same p-value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistrictDose:
    """Effect of entering by district, regressed on the district's dose: what one more dose adds, and whether anything can tell.

    Estimand: τ_d, the mean over event times 0 to `window[1]` of the landmark effect on the entrants of district d, compared with
    firms of the same district; b in τ_d = a + b · dose_d / `per` + u_d over the districts whose dose is stated. a is the effect at
    dose 0, an extrapolation unless a district pays nothing. Districts whose dose is missing keep their own τ_d and get one common
    mean, certificate and an unknown amount of cash; they never count as dose 0.

    Each cohort's change is regressed on covariates and a dummy for every district among all its comparison firms: districts keep
    their own change, slopes of covariates are common, because few districts hold enough firms to estimate their own. Without
    covariates, one cohort and one year before, b by weights n₁n₀/(n₁ + n₀) is the coefficient on treated × dose in the regression
    with firm and district × year effects; the result shows that regression beside (`triple_difference`, on the sample as it is).

    Assumptions: within a district, entry at g is as good as random given X_g (not checked; what shifts all τ_d alike, such as
    selection that is equal across districts, cancels in b); common slopes (not checked); doses as good as random over districts, so
    that richer districts do not pay more where effects are larger anyway (not checked); no firm moves for the dose (not checked).

    Parameters
    ----------
    dose
        A kept column: what each entrant of a district gets, one value per district; missing where it is not stated. Firms that do
        not enter are not read.
    district
        A kept column, constant within firms.
    per
        Units of dose that the slope is given for.
    covariates, past_growth, growth_of, listed, window
        As in `LandmarkDiD`; `growth_of` names the column whose past growth is conditioned on, None for the outcome.
    possible_doses
        What districts without a stated dose may pay: the slope is computed for every assignment of these doses to them.
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        Contradictory choices, columns that the sample does not hold, no treatment named.
    DataError
        A dose that varies within a district or is stated for some of its entrants only; covariates as in `LandmarkDiD`.
    IdentificationError
        Fewer than 3 districts with a stated dose and an effect, or the same dose in all of them.

    Errors: τ_d by influence functions, clustered by firm or above, no small-sample factor. Headline b: least squares over
    districts, t(D − 2); Knapp–Hartung, a studentised permutation test and a wild bootstrap beside, each with its limits. Source:
    Donald and Lang (2007); `stats.few_clusters` and `stats.wild_bootstrap` give the rest.

    Examples
    --------
    >>> import numpy as np, pandas as pd, sme_eval as sme
    >>> rng = np.random.default_rng(3)
    >>> firm, year = np.repeat(np.arange(900), 6), np.tile(np.arange(2017, 2023), 900)
    >>> entry = np.where(rng.random(900) < 0.2, 2020, 0)[firm]
    >>> frame = pd.DataFrame({"firm": firm, "year": year, "g": entry, "district": firm % 6})
    >>> frame["reward_dose"] = np.array([100.0, 50, 50, 25, 0, np.nan])[firm % 6]
    >>> frame["y"] = rng.standard_normal(5400) + ((year >= 2020) & (entry > 0)) * frame["reward_dose"].fillna(35.0) / 50
    >>> columns = ("district", "reward_dose")
    >>> sample = sme.Sample.from_frame(frame, firm="firm", year="year", outcome="y", cohort="g", columns=columns)
    >>> fit = sme.DistrictDose(covariates=(), past_growth=None).fit(sample)
    >>> round(fit.conf_low, 2), round(fit.conf_high, 2), round(fit.attainable, 3)      # true slope: 1 per 50
    (0.43, 2.11, 0.017)
    """

    dose: str = "reward_dose"
    district: str = "district"
    per: float = 50.0
    covariates: tuple[str, ...] = ("rd_intensity", "industry")
    past_growth: tuple[int, int] | None = (-3, -1)
    growth_of: str | None = None
    listed: str | None = None
    window: tuple[int, int] = (-7, 2)
    possible_doses: tuple[float, ...] = (0.0, 50.0, 100.0)
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = check_level(self.level)
        if not (math.isfinite(self.per) and self.per > 0.0):
            problems.append(Problem(what=f"per={self.per!r} is no amount of dose.", remedy="a positive number such as 50.0"))
        if self.window[0] > 0 or self.window[1] < 0:
            problems.append(Problem(what=f"The window {self.window} does not hold event time 0.", remedy="such as (-7, 2)"))
        if self.past_growth is not None and not self.past_growth[0] < self.past_growth[1] < 0:
            remedy = "such as (-3, -1), or None"
            problems.append(Problem(what=f"past_growth={self.past_growth} is not a span before treatment.", remedy=remedy))
        if not self.possible_doses or not all(math.isfinite(paid) for paid in self.possible_doses):
            what = f"possible_doses={self.possible_doses} are no doses."
            problems.append(Problem(what=what, remedy="at least one number, such as (0.0, 50.0, 100.0)"))
        if self.district in self.covariates:
            what = f"{self.district} is also named as a covariate."
            problems.append(Problem(what=what, remedy="leave it out: every district has its own change already"))
        raise_if_any(DesignError, problems)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a sample must keep for this estimator, beside outcome and cohort; `growth_of` may be the outcome."""
        named = (self.dose, self.district, *self.covariates, self.growth_of, self.listed)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def fit(self, data: Sample) -> DistrictDoseResult:
        """Estimate district effects and their slope on dose from a sample."""
        if not isinstance(data, Sample):
            raise DesignError(
                Problem(
                    what=f"DistrictDose fits a Sample, not {type(data).__name__}.", remedy="covariates differ from firm to firm"
                )
            )
        if data.cohort is None:
            remedy = "name `cohort` or `treatment` in Sample.from_frame"
            raise DesignError(Problem(what="DistrictDose needs to know who entered when.", remedy=remedy))
        growth = None if self.past_growth is None else PastGrowth(span=self.past_growth, of=self.growth_of)
        columns = DistrictColumns(
            district=self.district, dose=self.dose, listed=self.listed, covariates=self.covariates, growth=growth
        )
        found = district_effects(data, data.cohort, columns, self.window)
        _refuse_no_slope(found)
        return _result(self, data, found)


def _refuse_no_slope(found: DistrictEffects) -> None:
    """Too few districts with a stated dose and an effect, or one dose in all of them."""
    usable, stated = found.estimable(), np.isfinite(found.dose)
    counts = (
        f"{len(found.names)} districts with entrants, {int(stated.sum())} of them with a stated dose, "
        f"{int(usable.sum())} of these with an effect"
    )
    problems = []
    if usable.sum() < FEWEST_DISTRICTS:
        remedy = "ask the districts for their doses, pool cities, or report the effect without a slope (LandmarkDiD)"
        what = f"A slope on dose needs {FEWEST_DISTRICTS} districts with a stated dose and an effect."
        problems.append(Problem(what=what, where=counts, remedy=remedy))
    if usable.any() and np.ptp(found.dose[usable]) == 0.0:
        what = "The dose is the same in all districts that state it: certificate and cash cannot be told apart."
        problems.append(Problem(what=what, where=counts, remedy="report the common effect (LandmarkDiD)"))
    raise_if_any(IdentificationError, problems)


def _result(choices: DistrictDose, sample: Sample, found: DistrictEffects) -> DistrictDoseResult:
    basis = _basis(choices, sample, len(found.scores))
    slopes = slope_estimates(found, choices.per, basis)
    usable = found.estimable()
    covariance = found.covariance
    permutation, bootstrap = _tests(found.tau[usable], np.sqrt(np.diag(covariance)[usable]), found.dose[usable])
    plan = dose_plan(found.dose[usable], float(slopes.ols.std_error), candidates=choices.possible_doses)
    return DistrictDoseResult(
        districts=_districts(found, covariance, basis),
        dose=found.dose,
        per=choices.per,
        slope=slopes.ols,
        intercept=slopes.intercept,
        knapp_hartung=slopes.knapp_hartung,
        permutation=permutation,
        wild_bootstrap=bootstrap,
        firm_clustered=slopes.firm_clustered,
        triple_difference=_regression(choices, sample, found),
        attainable=plan.attainable,
        unnamed=_unnamed(found, basis),
        by_event_time=slopes_by_event_time(found, choices.per, slopes.ols, basis, choices.past_growth),
        sensitivity=_sensitivity(choices, found),
        plan=plan,
    )


def _tests(
    tau: FloatArray, std_error: FloatArray, dose: FloatArray
) -> tuple[PermutationTest | Unavailable, WildBootstrap | Unavailable]:
    rng = np.random.default_rng(SEED)
    known = bool(np.isfinite(std_error).all())
    permutation = permutation_test(tau, std_error, dose, rng=rng) if known else NO_ERROR
    if districts_alone(dose).any():
        reason = "degenerate: one district alone carries the variation of dose, so that its residual is fitted away"
        return permutation, Unavailable(reason)
    return permutation, wild_bootstrap(tau, dose, rng=rng)


def _regression(choices: DistrictDose, sample: Sample, found: DistrictEffects) -> Estimate | Unavailable:
    try:
        dose = {name: float(paid) for name, paid in zip(found.names, found.dose, strict=True)}
        return dose_regression(sample, choices.district, dose, choices.per, choices.level)
    except IdentificationError as refused:
        return Unavailable(refused.problems[0].what)


def _sensitivity(choices: DistrictDose, found: DistrictEffects) -> DoseSensitivity | Unavailable:
    seen = np.isfinite(found.tau)
    if np.isfinite(found.dose[seen]).all():
        return Unavailable("every district with an effect states its dose")
    tau, dose = found.tau[seen], found.dose[seen] / choices.per
    possible = tuple(paid / choices.per for paid in choices.possible_doses)
    swept = dose_sensitivity(tau, dose, possible, choices.level)
    return swept if swept is not None else Unavailable("too many assignments of possible doses to districts to try all")


def _unnamed(found: DistrictEffects, basis: Basis) -> Estimate | Unavailable:
    """Mean effect on entrants of districts without a stated dose, each firm counting the same."""
    rows = np.isfinite(found.tau) & ~np.isfinite(found.dose)
    if not rows.any():
        return Unavailable("every district with an effect states its dose")
    share = np.where(rows, found.weight, 0.0) / found.weight[rows].sum()
    scores = found.scores @ share
    treated = int(found.n_treated[rows].sum())
    error: float | Unavailable = float(np.sqrt(scores @ scores)) if treated >= FEWEST_ENTRANTS else NO_ERROR
    term = f"certificate and unnamed cash: mean over entrants of {int(rows.sum())} districts without a stated dose"
    return Estimate.from_basis(term, float(np.where(rows, found.tau, 0.0) @ share), error, basis, treated)


def _districts(found: DistrictEffects, covariance: FloatArray, basis: Basis) -> Effects:
    """The effects by district; what is odd about a row is in its note."""
    last = int(found.seen[np.isfinite(found.tau), 1].max())
    notes = []
    for d in range(len(found.names)):
        note = [] if np.isfinite(found.dose[d]) else ["dose not stated"]
        if not np.isfinite(found.tau[d]):
            note.append("no base year, no comparison of its own, or covariates that the comparison does not span")
        elif found.n_treated[d] < FEWEST_ENTRANTS:
            note.append(NO_ERROR.reason)
        if np.isfinite(found.tau[d]) and tuple(found.seen[d]) != (0, last):
            note.append("event times {} to {} only".format(*found.seen[d]))
        notes.append("; ".join(note))
    return Effects(
        term=found.names,
        estimate=found.tau,
        covariance=covariance,
        basis=basis,
        keys={},
        notes=tuple(notes),
        n_treated=tuple(found.n_treated.tolist()),
    )


def _basis(choices: DistrictDose, sample: Sample, n_clusters: int) -> Basis:
    given = [*choices.covariates]
    if choices.past_growth is not None:
        given.append("growth of {} from g{:+d} to g{:+d}".format(choices.growth_of or sample.names.outcome, *choices.past_growth))
    comparison = "untreated by g" if choices.listed is None else f"untreated by g and on no list ({choices.listed}) before"
    cluster = sample.names.cluster or "firm"
    return Basis(
        n_firms=sample.n_firms,
        n_observations=len(sample.position),
        n_clusters=n_clusters,
        convention=f"comparison: firms of the same district, {comparison}, whatever happens later; given "
        f"{', '.join(given) or 'nothing'} at common slopes; clustered by {cluster}: influence functions, no small-sample factor, "
        "normal critical values",
        level=choices.level,
        unit=sample.names.outcome,
        effects="differences",
        cluster=cluster,
        covariance="clustered",
    )
