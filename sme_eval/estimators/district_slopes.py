"""Slopes of district effects on dose: by several errors, by event time, and by the usual regression."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sme_eval.estimators.district_effects import DistrictEffects
from sme_eval.estimators.landmark_arm import BASE
from sme_eval.estimators.protocol import as_moments
from sme_eval.estimators.two_way import fit_two_way, regression_basis, without_singletons
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.dose import SlopeEffects
from sme_eval.results.estimate import Estimate
from sme_eval.results.event_study import EventStudy
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.few_clusters import DoseSlope, dose_slope_knapp_hartung, dose_slope_ols

NO_ERROR = Unavailable("a single entrant: no error counts its own deviation")
FIRMS_ONLY = "not valid with few districts: the error counts firms and not what districts differ in beyond their firms"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlopeEstimates:
    """The slope by districts' least squares, its intercept, and the slope by other errors."""

    ols: Estimate
    intercept: Estimate
    knapp_hartung: Estimate | Unavailable
    firm_clustered: Estimate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stated:
    """Districts with a stated dose and an effect: effects, doses over `per` and errors, (D,) each, and what a slope rests on."""

    tau: FloatArray
    dose: FloatArray
    error: FloatArray
    term: str
    basis: Basis
    n_treated: int

    def estimate(self, slope: DoseSlope, words: str, term: str = "", notes: tuple[str, ...] = ()) -> Estimate:
        """A slope with t(D − 2); the general warning about few clusters does not apply to it."""
        free = slope.degrees_of_freedom
        own = replace(self.basis, convention=f"{words}; t with D−2 = {free}", degrees_of_freedom=float(free))
        made = Estimate.from_basis(term or self.term, slope.estimate, slope.std_error, own, self.n_treated)
        return replace(made, notes=notes)


def slope_estimates(found: DistrictEffects, per: float, basis: Basis) -> SlopeEstimates:
    """Slopes per `per` units of dose over the districts with a stated dose and an effect."""
    usable = found.estimable()
    size = int(usable.sum())
    stated = _Stated(
        tau=found.tau[usable],
        dose=found.dose[usable] / per,
        error=np.sqrt(np.diag(found.covariance)[usable]),
        term=f"slope of the effect per {per:g} of dose, {size} districts",
        basis=replace(basis, n_clusters=size, cluster=found.label, notes=()),
        n_treated=int(found.n_treated[usable].sum()),
    )
    ols = dose_slope_ols(stated.tau, stated.dose, basis.level)
    words = f"least squares over {size} districts, each counting the same"
    scores = found.scores[:, usable] @ _slope_weights(stated.dose)
    firm_basis = replace(basis, notes=(FIRMS_ONLY,))
    firm_error = float(np.sqrt(scores @ scores))
    return SlopeEstimates(
        ols=stated.estimate(ols, words),
        intercept=stated.estimate(_at_zero(ols, stated), words, _zero_term(found.dose[usable])),
        knapp_hartung=_knapp_hartung(stated),
        firm_clustered=Estimate.from_basis(stated.term, ols.estimate, firm_error, firm_basis, stated.n_treated),
    )


def _slope_weights(dose: FloatArray) -> FloatArray:
    """(D,) what the least-squares slope gives to each district's effect."""
    x = dose - dose.mean()
    return np.asarray(x / (x @ x))


def _at_zero(slope: DoseSlope, stated: _Stated) -> DoseSlope:
    """The intercept of the same line."""
    centre, spread = float(stated.dose.mean()), float(np.sum((stated.dose - stated.dose.mean()) ** 2))
    error = slope.std_error * math.sqrt(spread * (1.0 / stated.dose.size + centre**2 / spread))
    return replace(slope, estimate=float(stated.tau.mean()) - slope.estimate * centre, std_error=error)


def _knapp_hartung(stated: _Stated) -> Estimate | Unavailable:
    if not np.isfinite(stated.error).all():
        return NO_ERROR
    slope = dose_slope_knapp_hartung(stated.tau, stated.error, stated.dose, stated.basis.level)
    between = f"variance between districts {slope.heterogeneity:.4g} (Paule–Mandel)"
    return stated.estimate(slope, f"random-effects regression over {stated.dose.size} districts, Knapp–Hartung", notes=(between,))


def _zero_term(dose: FloatArray) -> str:
    if dose.min() <= 0.0:
        return "effect at dose 0"
    return f"effect at dose 0, an extrapolation: stated doses are {dose.min():g} to {dose.max():g}"


def slopes_by_event_time(
    found: DistrictEffects, per: float, overall: Estimate, basis: Basis, growth: tuple[int, int] | None
) -> EventStudy:
    """The slope at each event time, always over the same districts; where one of them is not seen, there is none.

    `growth` is the span of past growth that is conditioned on: its event times are kept out of the pre-trend test, and the first of
    them is zero by construction, up to rounding, where the change since then is itself a covariate.
    """
    usable = found.estimable()
    dose = found.dose[usable] / per
    times = sorted({*found.times, BASE})
    value, error, notes = np.zeros(len(times)), np.zeros(len(times)), [""] * len(times)
    influence = np.zeros((len(found.scores), len(times)))
    for row, e in enumerate(times):
        notes[row] = _event_note(e, growth, found.own_growth)
        if e == BASE or (growth is not None and e == growth[0] and found.own_growth):
            continue
        at = found.times.index(e)
        effects = found.by_time[usable, at]
        if not np.isfinite(effects).all():
            value[row] = error[row] = np.nan
            notes[row] = f"seen in {int(np.isfinite(effects).sum())} of {dose.size} districts with a stated dose"
            continue
        fitted = dose_slope_ols(effects, dose, basis.level)
        value[row], error[row] = fitted.estimate, fitted.std_error
        influence[:, row] = found.scores_by_time[:, usable, at] @ _slope_weights(dose)
    firm = influence.T @ influence
    table = SlopeEffects(
        term=tuple(f"event time {e}" for e in times),
        estimate=value,
        covariance=np.outer(error, error) * _correlation(firm),
        firm_covariance=firm,
        basis=_event_basis(basis, dose.size, found.label),
        keys={"event_time": tuple(times)},
        notes=tuple(notes),
        n_treated=(overall.n_treated or 0,) * len(times),
    )
    return EventStudy(effects=table, overall=overall, reference=BASE, anticipation=0 if growth is None else -growth[0])


def _event_note(e: int, growth: tuple[int, int] | None, own_growth: bool) -> str:
    if e == BASE:
        return "reference"
    if growth is None or not growth[0] <= e < BASE:
        return ""
    exact = own_growth and e == growth[0]
    return "zero by construction: growth since then is given" if exact else "inside the growth window, not informative"


def _correlation(covariance: FloatArray) -> FloatArray:
    """Correlations, one on the diagonal and zero beside it where there is no variance."""
    length = np.sqrt(np.diag(covariance))
    scaled = covariance / np.outer(*[np.where(length > 0.0, length, 1.0)] * 2)
    np.fill_diagonal(scaled, 1.0)
    return np.asarray(scaled)


def _event_basis(basis: Basis, size: int, label: str) -> Basis:
    words = (
        f"least squares over {size} districts at each event time, t with D−2 = {size - 2}; correlations between event times and "
        "joint tests from firms' influences, which leave out what districts differ in beyond their firms"
    )
    return replace(basis, convention=words, degrees_of_freedom=float(size - 2), n_clusters=size, cluster=label)


def dose_regression(sample: Sample, district: str, dose: Mapping[str, float], per: float, level: float) -> Estimate:
    """The coefficient on treated × dose beside treated, with firm and district × year effects, as it is usually run.

    y_it = α_i + λ_{d,t} + 1{t ≥ g_i}·(stated_d·(a + b·dose_d / per) + (1 − stated_d)·c) + ε_it: districts without a stated dose
    have a c of their own. Errors: clustered by firm (or the sample's cluster) as fixest does. IdentificationError where b is not
    identified.
    """
    by = (district,)
    given = as_moments(sample, by, "DistrictDose")
    moments = without_singletons(given, by)
    paid = np.array([dose.get(str(name), np.nan) for name in moments.label(district)]) / per
    stated = np.isfinite(paid)
    on = (moments.treated & moments.observed).astype(np.float64)
    terms = {
        "treated, dose stated": on * stated[:, np.newaxis],
        f"treated × dose, per {per:g}": on * np.nan_to_num(paid)[:, np.newaxis],
        "treated, dose not stated": on * ~stated[:, np.newaxis],
    }
    if not terms["treated, dose not stated"].any():
        del terms["treated, dose not stated"]
    names = list(terms)
    influence = fit_two_way(moments, names, np.stack([terms[name] for name in names], axis=2), by)
    basis = regression_basis(influence, level, by, given.n_observations - moments.n_observations)
    n_treated = int(moments.n_firms[(on * stated[:, np.newaxis]).any(axis=1)].sum())
    error = float(np.sqrt(influence.covariance()[1, 1]))
    basis = replace(basis, notes=(*basis.notes, FIRMS_ONLY))
    return Estimate.from_basis(names[1], float(influence.estimate[1]), error, basis, n_treated)
