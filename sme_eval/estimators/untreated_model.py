"""The outcome without treatment, from untreated firm-years: what imputation and two-stage difference-in-differences share.

y_it = α_i + λ_t + x_i'β_t + ε_it over untreated firm-years, λ by label × year if asked, x if there are covariates. For indicator
columns X of firm-years (each firm-year in at most one column) the averages of y − ŷ are θ_q = Σ_i w_i V_iq·y_i / mass_q, mass_q =
Σ_k w_k Σ_t X_ktq, with V = X − (the fit of X from untreated firm-years): V sums to zero over a firm's years and, weighted, over the
firms of a year, also times x. A firm's influence is w (V·(y − λ̂ − x'β̂) − X·c) / mass, c the centre of its effects: Borusyak,
Jaravel and Spiess centre treated firm-years at the mean effect of their cohort and year, Gardner at the fitted average.

Without covariates V is the same for all firms of a cell and everything follows from the table; with them it is linear in x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.errors import IdentificationError, Problem
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.results.basis import Basis
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray
from sme_eval.stats.firm_blocks import FirmBlocks
from sme_eval.stats.small_sample import SmallSample, require_clusters

from .covariate_influence import CovariateInfluence, long_slope
from .event_rows import late_cohorts, observed_times, with_factor
from .firm_and_year import FirmAndYear, covariate_sums
from .two_way import flat, solve
from .year_effects import YearEffects, parameters, within


@dataclass(frozen=True, kw_only=True, eq=False)
class UntreatedModel:
    """The fitted model of the outcome without treatment.

    design: the least squares over untreated firm-years · by: the sets of year effects · covariates: names of x · firms: who has
    them, None without any · imputable (K, T): firm-years seen whose counterfactual is determined · times: every event time seen ·
    lost: treated firm-years without a counterfactual. Firms never seen untreated are left out of `moments`.
    """

    moments: Moments
    design: FirmAndYear
    by: YearEffects
    covariates: tuple[str, ...]
    firms: FirmBlocks | None
    imputable: BoolArray
    times: IntArray
    lost: int

    @classmethod
    def of(
        cls, given: Moments, by: YearEffects = (None,), firms: FirmBlocks | None = None, covariates: tuple[str, ...] = ()
    ) -> UntreatedModel:
        """Fit the model; IdentificationError if no treated firm-year can be imputed.

        With covariates every firm-year of `given` counts as imputable: those that are not have been taken out before.
        """
        untreated = given.observed & ~given.treated
        has_before: BoolArray = np.asarray(untreated.any(axis=1))
        moments = given.subset(has_before)
        design = FirmAndYear.over(moments, untreated[has_before], by, firms)
        imputable = moments.observed if firms is not None else moments.observed & design.predicts()
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
            design=design,
            by=by,
            covariates=covariates,
            firms=firms,
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
        """Average y less the counterfactual over each column; firm-years centred at `centre` (K, T), or at the averages."""
        moments = self.moments
        mass = np.einsum("k,ktq->q", moments.weight, columns)
        slope, by_x = self.design.unexplained(columns)
        estimate = np.einsum("k,ktq,kt->q", moments.weight, columns, self._effects(1)) / mass
        middle = columns @ estimate if centre is None else centre
        return self._influence(
            estimate,
            slope=slope / mass,
            slope_by_x=by_x / mass,
            fit=self.design.fitted,
            constant=-np.einsum("ktq,kt->kq", columns, middle) / mass,
        )

    def leads(self, times: IntArray) -> Influence | None:
        """Leads by regression over untreated firm-years alone, with fixest's factor; None if there are none or not identified.

        A firm with a single untreated year stays in, as it does in R didimputation: it moves no lead but counts in N and G.
        """
        if not len(times):
            return None
        columns = ((self.moments.event_time[:, :, None] == times) & self.design.used[:, :, None]).astype(np.float64)
        try:
            return with_factor(self._regression([f"event time {e}" for e in times], columns))
        except IdentificationError:
            return None

    def _regression(self, terms: list[str], columns: FloatArray) -> Influence:
        """Coefficients on `columns` (K, T, q) in the model itself; IdentificationError if it repeats one."""
        moments, design, used = self.moments, self.design, self.design.used
        own, weight = within(columns, used), moments.weight[:, None, None]
        load, by_x = design.carried(own)
        slope = own - within(load, used)
        gram = flat(weight * own).T @ flat(slope) - np.einsum("ktq,ka,tas->qs", own, design.covariates, by_x)
        solution = solve(terms, gram, np.einsum("k,ktq->q", moments.weight, own**2), False)
        paths = design.outcome[design.dummies.n_columns :].reshape(by_x.shape[:2])
        cross = flat(weight * slope).T @ moments.mean.ravel() - np.einsum("taq,ta->q", by_x, paths)
        beta = solution.bread @ cross
        years, years_by_x = design.fitted
        return self._influence(
            beta,
            slope=slope @ solution.bread,
            slope_by_x=by_x @ solution.bread,
            fit=(years + (columns - load) @ beta, years_by_x - by_x @ beta),
            constant=np.zeros((len(used), len(beta))),
            small_sample=SmallSample(
                observations=int(moments.n_firms @ used.sum(axis=1)),
                parameters=parameters(moments, [used], self.by, solution.rank + design.extra),
            ),
        )

    def _influence(
        self,
        estimate: FloatArray,
        *,
        slope: FloatArray,
        slope_by_x: FloatArray,
        fit: tuple[FloatArray, FloatArray],
        constant: FloatArray,
        small_sample: SmallSample | None = None,
    ) -> Influence:
        """(slope − M Σ_a x_a slope_by_x_a)·(y − fit) + constant; slope (K, T, q), slope_by_x (T, p, q), fit (K, T) and (T, p)."""
        years, years_by_x = fit
        constant = constant - np.einsum("ktq,kt->kq", slope, years)
        if self.firms is None:
            slope = slope.transpose(0, 2, 1)
            return Influence(moments=self.moments, estimate=estimate, slope=slope, constant=constant, small_sample=small_sample)
        return CovariateInfluence(
            moments=self.moments,
            estimate=estimate,
            slope=long_slope(slope, slope_by_x, years, years_by_x, self.design.used),
            constant=constant,
            small_sample=small_sample,
            firms=self.firms,
            used=self.design.used,
        )

    def _effects(self, power: int) -> FloatArray:
        """Mean outcome less counterfactual of a cell under w^power, (K, T); means something where imputable."""
        moments = self.moments
        mean, mass = (moments.mean, moments.weight) if power == 1 else (moments.squared_weight_mean, moments.squared_weight)
        years, by_x = self.design.fitted
        change = mean - years
        if self.firms is not None:
            sums = self.design.covariates if power == 1 else covariate_sums(self.firms, moments, power)
            change -= sums / mass[:, None] @ by_x.T
        return np.asarray(change - (change * self.design.seen).sum(axis=1, keepdims=True) / self.design.count)

    def cohort_year_effects(self) -> FloatArray:
        """Mean effect of a cohort in a year under w², (K, T); zero where nothing is treated or imputed."""
        moments = self.moments
        mass = moments.squared_weight[:, None] * (moments.treated & self.imputable)
        cohorts, codes = np.unique(moments.cohort, return_inverse=True)
        total, weighted = np.zeros((len(cohorts), mass.shape[1])), np.zeros((len(cohorts), mass.shape[1]))
        np.add.at(total, codes, mass)
        np.add.at(weighted, codes, mass * self._effects(2))
        mean = np.divide(weighted, total, out=np.zeros_like(total), where=total > 0.0)
        return np.asarray(mean[codes] * (mass > 0.0))

    def basis(self, convention: str, level: float) -> Basis:
        """Counts and the convention in words; IdentificationError if a single cluster leaves no error."""
        moments = self.moments
        clusters = moments.n_firms.sum() if moments.cluster is None else len(np.unique(moments.labels[moments.cluster]))
        lost = f"{self.lost} treated firm-years have no counterfactual and are left out: {self._why_lost}"
        given = f" and {', '.join(self.covariates)} × year" if self.covariates else ""
        model = f"{' and '.join(('firm', *self._year_effects))} effects{given}"
        return Basis(
            n_firms=int(moments.n_firms.sum()),
            n_observations=int(moments.n_firms @ self.imputable.sum(axis=1)),
            n_clusters=require_clusters(int(clusters)),
            convention=f"{model} from untreated firm-years; clustered by {moments.cluster or 'firm'} {convention}",
            level=level,
            unit=moments.outcome,
            notes=(*([lost] if self.lost else []), *self._one_firm_cohorts(), *late_cohorts(moments)),
            effects=("firm", *self._year_effects),
            cluster=moments.cluster or "firm",
            covariance="clustered",
        )

    @property
    def _year_effects(self) -> tuple[str, ...]:
        return tuple("year" if label is None else f"{label} × year" for label in self.by)

    @property
    def _why_lost(self) -> str:
        years = ", or the ".join(self._year_effects)
        span = ", or the firms untreated in the year do not span its covariates" if self.covariates else ""
        return f"the firm{',' if span or len(self.by) > 1 else ''} or the {years} is never seen untreated{span}"

    @property
    def not_imputable(self) -> str:
        """Why an event time has no effect."""
        return f"no firm seen at this event time has a counterfactual: {self._why_lost}"

    def _one_firm_cohorts(self) -> list[str]:
        cohorts = [c for c in self.moments.treated_cohorts if self.moments.n_firms[self.moments.cohort == c].sum() == 1]
        return [f"cohorts of one firm: {', '.join(map(str, cohorts))}"] if cohorts else []

    @property
    def average_term(self) -> str:
        """What the overall effect is."""
        return "average over treated observations" + (" that have a counterfactual" if self.lost else "")
