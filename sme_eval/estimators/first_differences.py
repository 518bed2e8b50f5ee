"""Regressions in first differences, estimated by linearmodels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.panel.codes import Codes, factorise
from sme_eval.panel.sample import Sample
from sme_eval.results.effects import Effects
from sme_eval.results.regression import RegressionResult
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.least_squares import dependent_columns
from sme_eval.terms import Covariance

from .absorption import Rows, covariance_options, error_basis, numbers, refuse_covariates, refuse_no_variation, without_effects
from .protocol import check_level, choose


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstDifferences:
    """Coefficients of a regression of yearly changes on yearly changes.

    Estimand: the best linear prediction of the outcome's change by the regressors' changes; with strictly exogenous regressors the
    same β as with firm effects, so that a difference between the two speaks against that assumption. With errors that follow a
    random walk it is the more precise of the two, with errors that do not follow themselves firm effects are.

    y_it − y_i,t−1 = (x_it − x_i,t−1)'β + δ_t + ε_it − ε_i,t−1, the δ_t if `year_effects`.

    Assumptions: changes of the error are unrelated to changes of the regressors (not checked): weaker than strict exogeneity, yet
    broken if the outcome of one year moves the regressor of the next. That every regressor changes, beside the years, is checked.

    Parameters
    ----------
    regressors
        Kept numeric columns of the sample that vary over time.
    year_effects
        Every year's change has its own intercept.
    covariance
        "clustered" (by the sample's cluster, else by firm), "robust" (HC1) or "classical". Differenced errors follow each other, so
        the last two understate as a rule.
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        Unknown names, no regressor.
    IdentificationError
        No firm is seen in two years that follow each other; a regressor does not change, or its changes repeat others.

    Differences are taken between years that follow each other in the sample; a gap gives none. Errors: fixest's factors with N the
    number of differences and K regressors and years; clustered t has G − 1 degrees of freedom. Source: linearmodels 7
    `FirstDifferenceOLS`; Wooldridge (2010), section 10.6.

    Examples
    --------
    >>> import sme_eval as sme
    >>> frame = sme.open_source("jobtraining").frame.query("year < 1989")
    >>> sample = sme.Sample.from_frame(frame, firm="firm", year="year", outcome="log_scrap", columns=("grant",))
    >>> fit = sme.FirstDifferences(regressors=("grant",), covariance="classical").fit(sample)
    >>> round(fit["grant"].estimate, 3), round(fit["grant"].std_error, 3)    # Wooldridge prints these
    (-0.317, 0.164)
    """

    regressors: tuple[str, ...]
    year_effects: bool = True
    covariance: Covariance = "clustered"
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = choose("covariance", self.covariance, ("clustered", "robust", "classical"))
        problems += check_level(self.level)
        if not self.regressors:
            problems.append(Problem(what="No regressor is named.", remedy='name at least one: regressors=("grant",)'))
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample) -> RegressionResult:
        """Estimate β from a sample."""
        if not isinstance(data, Sample):
            raise DesignError(
                Problem(
                    what=f"FirstDifferences fits a Sample, not {type(data).__name__}.",
                    remedy="regressors vary over time: moments do not hold them",
                )
            )
        refuse_covariates(data, "FirstDifferences")
        matrix, complete = numbers(data, self.regressors)
        pairs = _Pairs.of(data, matrix, complete, self.year_effects)
        refuse_no_variation(pairs.within(pairs.outcome[:, None])[:, 0], pairs.outcome, data.names.outcome)
        pairs.require_changes(self.regressors)
        return _result(self, data, pairs, _fit(self, pairs))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pairs:
    """Levels (m, ·) of firms' unbroken spells in order of time, `later` (m,) those with a difference, which `rows` are of."""

    outcome: FloatArray
    design: FloatArray
    spell: Codes
    year: Codes
    cluster: Codes
    weight: FloatArray | None
    later: BoolArray
    rows: Rows

    @classmethod
    def of(cls, sample: Sample, matrix: FloatArray, complete: BoolArray, year_effects: bool) -> _Pairs:
        order = np.argsort(sample.position)
        order = order[complete[order]]
        position, firm, year = sample.position[order], sample.firm_codes[order], sample.year_codes[order]
        follows = np.zeros(len(order), dtype=np.bool_)
        follows[1:] = (np.diff(position) == 1) & (np.diff(firm) == 0)
        spell = np.cumsum(~follows) - 1
        used = np.bincount(spell, minlength=1)[spell] > 1
        order, follows = order[used], follows[used]
        if not len(order):
            remedy = "first differences need firms seen in two years that follow each other, with all regressors"
            raise IdentificationError(Problem(what="No firm has a first difference.", remedy=remedy))
        owner = sample.firm_codes if sample.cluster is None else sample.cluster[sample.firm_codes]
        keep = np.zeros(len(complete), dtype=np.bool_)
        keep[order[follows]] = True
        weight = None if sample.weight is None else sample.weight[sample.firm_codes[order]]
        rows = Rows(
            keep=keep,
            effects=(factorise(year[used][follows])[0],) if year_effects else (),
            effect_names=("year",) if year_effects else (),
            cluster=factorise(owner[order[follows]])[0],
            weight=None if weight is None else weight[follows],
            n_firms=int(np.unique(firm[used]).size),
            incomplete=int((~complete).sum()),
            singletons=0,
        )
        return cls(
            outcome=sample.outcome.ravel()[sample.position[order]],
            design=matrix[order],
            spell=factorise(spell[used])[0],
            year=year[used],
            cluster=factorise(owner[order])[0],
            weight=weight,
            later=follows,
            rows=rows,
        )

    def change(self, values: FloatArray) -> FloatArray:
        """Differences (n, q) of columns (m, q)."""
        return values[self.later] - values[np.flatnonzero(self.later) - 1]

    def within(self, values: FloatArray) -> FloatArray:
        """Differences (n, q) beside the years."""
        return without_effects(self.change(values), self.rows.effects, self.rows.weight)

    def require_changes(self, regressors: tuple[str, ...]) -> None:
        """Refuse regressors that do not change, or only with others."""
        left = self.within(self.design)
        centered = self.design - self.design.mean(axis=0)
        gone = dependent_columns(left.T @ left, np.square(centered).sum(axis=0))
        if gone.any():
            raise IdentificationError(
                Problem(
                    what="A regressor does not change within firms, or its changes repeat the years or other regressors.",
                    where=f"regressors: {', '.join(name for name, bad in zip(regressors, gone, strict=True) if bad)}",
                    remedy="leave it out",
                )
            )


def _fit(regression: FirstDifferences, pairs: _Pairs) -> Any:
    """The fit; 1{year ≥ t} has the difference 1{year = t}, and entities that are spells keep it from bridging gaps."""
    import pandas as pd
    from linearmodels.panel.model import FirstDifferenceOLS

    index = pd.MultiIndex.from_arrays([pairs.spell, pairs.year])
    columns = {f"x{j}": column for j, column in enumerate(pairs.design.T)}
    if regression.year_effects:
        columns |= {f"since{t}": (pairs.year >= t).astype(np.float64) for t in np.unique(pairs.year[pairs.later])}
    options = covariance_options(regression.covariance, pairs.cluster)
    if "clusters" in options:
        options["clusters"] = pd.DataFrame({"cluster": pairs.cluster}, index=index)
    weights = None if pairs.weight is None else pd.Series(pairs.weight, index=index, name="weight")
    outcome = pd.Series(pairs.outcome, index=index, name="outcome")
    return FirstDifferenceOLS(outcome, pd.DataFrame(columns, index=index), weights=weights).fit(**options)


def _result(regression: FirstDifferences, sample: Sample, pairs: _Pairs, fit: Any) -> RegressionResult:
    q = len(regression.regressors)
    factor, basis = error_basis(sample, pairs.rows, regression.covariance, q, regression.level)
    notes = list(basis.notes)
    single = len(sample.position) - pairs.rows.incomplete - len(pairs.outcome)
    if single:
        notes.append(f"{single} observations without a neighbour in time are left out")
    if (np.diff(sample.years) != 1).any():
        notes.append("years are missing for all firms: some differences span several years")
    estimate = fit.params.to_numpy()[:q]
    left, outcome = pairs.within(pairs.design), pairs.within(pairs.outcome[:, None])[:, 0]
    residual = outcome - left @ estimate
    table = Effects(
        term=regression.regressors,
        estimate=estimate,
        covariance=fit.cov.to_numpy()[:q, :q] * factor,
        basis=replace(
            basis,
            convention=f"first differences; {basis.convention}",
            effects="differences" if regression.year_effects else ("firm",),
            notes=tuple(notes),
        ),
        keys={},
        notes=("",) * q,
    )
    changes = " + ".join(f"Δ{name}" for name in regression.regressors)
    formula = f"Δ{sample.names.outcome} ~ {changes}" + (" | year" if regression.year_effects else "")
    r_squared = 1.0 - float(residual @ residual) / float(outcome @ outcome)
    return RegressionResult(effects=table, formula=formula, r_squared_within=r_squared)
