"""The outcome without treatment, from untreated firm-years: what imputation and two-stage difference-in-differences share.

y_it = α_i + λ_t + ε_it over untreated firm-years. For indicator columns X of firm-years (each firm-year in at most one column) the
averages of y − α̂ − λ̂ are θ_q = Σ_k w_k V_kq·ȳ_k / mass_q, mass_q = Σ_k w_k Σ_t X_ktq, with V = X − (the fit of X from untreated
firm-years): V sums to zero over a firm's years and, weighted, over the firms of a year. A firm's influence is
w (V·(y − λ̂) − X·c) / mass, c the centre of its effects: Borusyak, Jaravel and Spiess centre treated firm-years at the mean effect
of their cohort and year, Gardner at the fitted average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.errors import IdentificationError, Problem
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.results.basis import Basis
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray

from .event_rows import late_cohorts, observed_times
from .firm_and_year import FirmAndYear

NOT_IMPUTABLE = "no firm seen at this event time has a counterfactual: the firm, or the year, is never seen untreated"


@dataclass(frozen=True, kw_only=True, eq=False)
class UntreatedModel:
    """Firm and year effects without treatment.

    effects: the least-squares design · year_effect (T,) λ̂ · imputable (K, T): firm-years seen whose counterfactual is determined ·
    times: every event time seen · lost: treated firm-years without a counterfactual. Firms never seen untreated are left out of
    `moments`.
    """

    moments: Moments
    effects: FirmAndYear
    year_effect: FloatArray
    imputable: BoolArray
    times: IntArray
    lost: int

    @classmethod
    def of(cls, given: Moments) -> UntreatedModel:
        """Fit the model; IdentificationError if no treated firm-year can be imputed."""
        untreated = given.observed & ~given.treated
        has_before: BoolArray = np.asarray(untreated.any(axis=1))
        moments = given.subset(has_before)
        effects = FirmAndYear.over(moments, untreated[has_before])
        imputable = moments.observed & effects.predicts()
        if not (imputable & moments.treated).any():
            raise IdentificationError(
                Problem(
                    what="No treated firm-year has a counterfactual.",
                    where=f"{int(given.n_firms @ (given.observed & given.treated).sum(axis=1))} treated firm-years",
                    remedy="treated firms must be seen before treatment, and other firms untreated in the years after it",
                )
            )
        kept = int(moments.n_firms @ imputable.sum(axis=1))
        return cls(
            moments=moments,
            effects=effects,
            year_effect=effects.years_of(moments.mean[:, :, None])[:, 0],
            imputable=imputable,
            times=observed_times(given, given.observed),
            lost=given.n_observations - kept,
        )

    def event_columns(self, times: IntArray) -> FloatArray:
        """Indicators (K, T, q) of the firm-years at each event time that have a counterfactual."""
        return np.asarray((self.moments.event_time[:, :, None] == times) & self.imputable[:, :, None], dtype=np.float64)

    def treated_column(self) -> FloatArray:
        """Indicator (K, T, 1) of the treated firm-years that have a counterfactual."""
        return np.asarray((self.moments.treated & self.imputable)[:, :, None], dtype=np.float64)

    def averages(self, columns: FloatArray, centre: FloatArray | None = None) -> Influence:
        """Average y − α̂ − λ̂ of each column; firm-years centred at `centre` (K, T), or at the averages themselves."""
        moments, effects = self.moments, self.effects
        mass = np.einsum("k,ktq->q", moments.weight, columns)
        weights = self._adjoint(columns)
        trend = self.year_effect * moments.observed
        estimate = np.einsum("k,ktq,kt->q", effects.weight, weights, moments.mean - trend) / mass
        middle = columns @ estimate if centre is None else centre
        fitted = np.einsum("ktq,kt->kq", weights, trend) + np.einsum("ktq,kt->kq", columns, middle)
        return Influence(
            moments=moments,
            estimate=estimate,
            slope=weights.transpose(0, 2, 1) / mass[:, None],
            constant=-fitted / mass,
        )

    def _adjoint(self, columns: FloatArray) -> FloatArray:
        """V (K, T, q): columns minus what the untreated firm-years' firm and year effects carry of them."""
        effects = self.effects
        used, count = effects.used, effects.count[:, None]
        total = columns.sum(axis=1)
        years = np.einsum("k,ktq->tq", effects.weight, columns) - (used * (effects.weight / effects.count)[:, None]).T @ total
        load = effects.inverse @ years
        firm = (total - used @ load) / count
        return np.asarray(columns - used[:, :, None] * (firm[:, None, :] + load))

    def cohort_year_effects(self) -> FloatArray:
        """Mean effect of a cohort in a year under w², (K, T); zero where nothing is treated or imputed."""
        moments, used = self.moments, self.effects.used
        change = moments.squared_weight_mean - self.year_effect
        effect = change - (change * used).sum(axis=1, keepdims=True) / self.effects.count[:, None]
        mass = moments.squared_weight[:, None] * (moments.treated & self.imputable)
        cohorts, codes = np.unique(moments.cohort, return_inverse=True)
        total, weighted = np.zeros((len(cohorts), mass.shape[1])), np.zeros((len(cohorts), mass.shape[1]))
        np.add.at(total, codes, mass)
        np.add.at(weighted, codes, mass * effect)
        mean = np.divide(weighted, total, out=np.zeros_like(total), where=total > 0.0)
        return np.asarray(mean[codes] * (mass > 0.0))

    def basis(self, convention: str, level: float) -> Basis:
        """Counts and the convention in words; IdentificationError if a single cluster leaves no error."""
        moments = self.moments
        clusters = moments.n_firms.sum() if moments.cluster is None else len(np.unique(moments.labels[moments.cluster]))
        if clusters < 2:  # influences sum to zero, so that one cluster would have an error of zero
            raise IdentificationError(
                Problem(what="Too little data for a standard error.", where=f"{clusters} cluster", remedy="cluster by firm")
            )
        lost = (
            f"{self.lost} treated firm-years have no counterfactual and are left out: the firm or the year is never seen untreated"
        )
        return Basis(
            n_firms=int(moments.n_firms.sum()),
            n_observations=int(moments.n_firms @ self.imputable.sum(axis=1)),
            n_clusters=int(clusters),
            convention=f"firm and year effects from untreated firm-years; clustered by {moments.cluster or 'firm'} {convention}",
            level=level,
            unit=moments.outcome,
            notes=(*([lost] if self.lost else []), *self._one_firm_cohorts(), *late_cohorts(moments)),
            effects=("firm", "year"),
            cluster=moments.cluster or "firm",
            covariance="clustered",
        )

    def _one_firm_cohorts(self) -> list[str]:
        cohorts = [c for c in self.moments.treated_cohorts if self.moments.n_firms[self.moments.cohort == c].sum() == 1]
        return [f"cohorts of one firm: {', '.join(map(str, cohorts))}"] if cohorts else []

    @property
    def average_term(self) -> str:
        """What the overall effect is."""
        return "average over treated observations" + (" that have a counterfactual" if self.lost else "")
