"""Correlated random effects after Mundlak: firm means beside the regressors, estimated by linearmodels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.panel.codes import Codes, factorise
from sme_eval.panel.sample import Sample
from sme_eval.results.effects import Effects
from sme_eval.results.mundlak import MEAN, MundlakResult
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.stats.least_squares import dependent_columns
from sme_eval.terms import Covariance

from .absorption import Rows, covariance_options, error_basis, kept_rows, numbers, refuse_covariates, refuse_no_variation
from .protocol import check_level, choose

Shown = dict[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class MundlakRegression:
    """Fixed-effects coefficients, coefficients of what never changes, and a test between fixed and random effects, in one fit.

    Estimand: β as with firm (and year) effects: the prediction within firms. γ is how far the relation between firms differs from
    β; δ belongs to characteristics that do not change, and is their prediction given the means, not their effect.

    y_it = x_it'β + x̄_i'γ + z_i'δ + λ_t + a_i + ε_it, a_i random and unrelated to x and z given x̄_i.

    On balanced and unbalanced panels β equals the fixed-effects estimate: the means of the year dummies are among the means
    where firms are seen in different years. γ = 0 is Hausman's hypothesis; clustered, its test needs no homoskedasticity.

    Assumptions: strict exogeneity given a_i for β (not checked); for γ and δ that a_i is linear in the means (not checked). That
    regressors vary within firms beside the others is checked at run time.

    Parameters
    ----------
    regressors
        Kept numeric columns that vary within firms.
    constants
        Kept numeric columns that do not; firm effects could not tell their coefficients.
    year_effects
        Years have dummies; they are not shown.
    method
        "random" is feasible generalised least squares with Swamy and Arora's variances, "pooled" least squares.
    covariance
        "clustered" (by the sample's cluster, else by firm), "robust" (HC1) or "classical"; the last two take a_i as modelled, so
        "classical" is not offered with "pooled".
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        Unknown names, choices that contradict each other, a constant that changes within firms.
    IdentificationError
        A regressor that does not vary within firms, or columns that repeat each other.

    A mean that repeats other columns is left out, with a note. Errors: fixest's factors, K all columns of the regression;
    clustered t has G − 1 degrees of freedom. Source: linearmodels 7 `RandomEffects` and `PooledOLS`; Mundlak (1978);
    Wooldridge (2019).

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel = sme.open_source("jobtraining")
    >>> sample = sme.Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_scrap", columns=("grant", "grant_1"))
    >>> fit = sme.MundlakRegression(regressors=("grant", "grant_1")).fit(sample)
    >>> round(fit["grant"].estimate, 4), fit.means_test().p_value > 0.05          # as with firm and year effects
    (-0.2523, True)
    """

    regressors: tuple[str, ...]
    constants: tuple[str, ...] = ()
    year_effects: bool = True
    method: Literal["random", "pooled"] = "random"
    covariance: Covariance = "clustered"
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = choose("covariance", self.covariance, ("clustered", "robust", "classical"))
        problems += [*choose("method", self.method, ("random", "pooled")), *check_level(self.level)]
        if not self.regressors:
            problems.append(Problem(what="No regressor is named.", remedy='name at least one: regressors=("grant",)'))
        if self.method == "pooled" and self.covariance != "clustered":
            what = f'covariance={self.covariance!r} with method="pooled" ignores that a firm\'s errors share its effect.'
            problems.append(Problem(what=what, remedy='covariance="clustered", or method="random"'))
        both = [name for name in self.constants if name in self.regressors]
        if both:
            problems.append(Problem(what=f"Named twice: {', '.join(both)}.", remedy="either a regressor or a constant"))
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample) -> MundlakResult:
        """Estimate β, γ and δ from a sample."""
        if not isinstance(data, Sample):
            raise DesignError(
                Problem(
                    what=f"MundlakRegression fits a Sample, not {type(data).__name__}.",
                    remedy="regressors vary over time: moments do not hold them",
                )
            )
        refuse_covariates(data, "MundlakRegression")
        matrix, complete = numbers(data, (*self.regressors, *self.constants))
        if not complete.any():
            raise IdentificationError(Problem(what="No row has all regressors.", remedy="name columns that are known together"))
        rows = replace(kept_rows(data, (), complete), keep=complete, singletons=0)
        order = np.argsort(data.position[complete])
        rows = replace(rows, cluster=rows.cluster[order], weight=None if rows.weight is None else rows.weight[order])
        firm, year = factorise(data.firm_codes[complete][order])[0], data.year_codes[complete][order]
        shown, hidden, notes = _columns(self, matrix[complete][order], firm, year)
        outcome = data.outcome.ravel()[data.position[complete][order]]
        refuse_no_variation(outcome - outcome.mean(), outcome, data.names.outcome)
        fit = _fit(self, outcome, shown | hidden, (firm, year), rows)
        return _result(self, data, rows, fit, list(shown), notes)


def _columns(regression: MundlakRegression, matrix: FloatArray, firm: Codes, year: Codes) -> tuple[Shown, Shown, tuple[str, ...]]:
    """Columns whose coefficients are shown and those that are not, and what was left out; refusals for what cannot be told."""
    q = len(regression.regressors)
    levels, years = dict(zip(regression.regressors, matrix[:, :q].T, strict=True)), {}
    constants = dict(zip(regression.constants, matrix[:, q:].T, strict=True))
    if regression.year_effects:
        years = {f"year {t}": (year == t).astype(np.float64) for t in np.unique(year)[1:]}
    _require_variation(levels, constants, firm)
    means = {MEAN + name: _firm_mean(column, firm) for name, column in levels.items()}
    shares = {f"share of {name}": _firm_mean(column, firm) for name, column in years.items()}
    everything = {"intercept": np.ones(len(matrix)), **years, **constants, **levels, **means, **shares}
    gone = _dependent(everything)
    refused = [name for name in (*levels, *constants) if name in gone]
    if refused:
        raise IdentificationError(
            Problem(what="Columns repeat the years or each other.", where=f"columns: {', '.join(refused)}", remedy="leave them out")
        )
    left_out = [name for name in means if name in gone]
    shown = {**levels, **{n: c for n, c in means.items() if n not in gone}, **constants}
    hidden = {"intercept": everything["intercept"], **years, **{n: c for n, c in shares.items() if n not in gone}}
    if not regression.year_effects:
        shown["intercept"] = hidden.pop("intercept")
    return shown, hidden, (f"repeats other columns and is left out: {', '.join(left_out)}",) if left_out else ()


def _require_variation(levels: Shown, constants: Shown, firm: Codes) -> None:
    """Regressors must vary within firms, constants must not."""
    moves = {name: not np.allclose(column, _firm_mean(column, firm), rtol=1e-12) for name, column in (levels | constants).items()}
    changing = [name for name in constants if moves[name]]
    still = [name for name in levels if not moves[name]]
    if changing:
        what = f"Constants change within firms: {', '.join(changing)}."
        raise DesignError(Problem(what=what, remedy="name them among the regressors"))
    if still:
        what = f"Regressors do not vary within firms: {', '.join(still)}."
        raise IdentificationError(Problem(what=what, remedy="name them among the constants"))


def _firm_mean(column: FloatArray, firm: Codes) -> FloatArray:
    mean: FloatArray = (np.bincount(firm, weights=column) / np.bincount(firm))[firm]
    return mean


def _dependent(columns: Shown) -> set[str]:
    """Names of columns that combine earlier ones; all but the intercept about their means, which keeps digits."""
    matrix = np.column_stack([c if name == "intercept" else c - c.mean() for name, c in columns.items()])
    own = np.square(np.column_stack(list(columns.values()))).sum(axis=0)
    scale = np.maximum(np.square(matrix).sum(axis=0), 1e-20 * own)
    gone: BoolArray = dependent_columns(matrix.T @ matrix, scale)
    return {name for name, dependent in zip(columns, gone, strict=True) if dependent}


def _fit(regression: MundlakRegression, outcome: FloatArray, columns: Shown, index: tuple[Codes, Codes], rows: Rows) -> Any:
    """The fit of linearmodels, without any small-sample factor."""
    import pandas as pd
    from linearmodels.panel.model import PooledOLS, RandomEffects

    place = pd.MultiIndex.from_arrays(list(index))
    options = covariance_options(regression.covariance, rows.cluster)
    if "clusters" in options:
        options["clusters"] = pd.DataFrame({"cluster": rows.cluster}, index=place)
    weights = None if rows.weight is None else pd.Series(rows.weight, index=place, name="weight")
    model = RandomEffects if regression.method == "random" else PooledOLS
    try:
        return model(pd.Series(outcome, index=place, name="outcome"), pd.DataFrame(columns, index=place), weights=weights).fit(
            **options
        )
    except ValueError as error:
        if "degrees of freedom" not in str(error):
            raise
        raise IdentificationError(
            Problem(what="Too few firms or years for the variances of random effects.", remedy='method="pooled", or fewer columns')
        ) from error


def _result(
    regression: MundlakRegression, sample: Sample, rows: Rows, fit: Any, shown: list[str], notes: tuple[str, ...]
) -> MundlakResult:
    factor, basis = error_basis(sample, rows, regression.covariance, len(fit.params), regression.level)
    words = "random effects (Swamy–Arora)" if regression.method == "random" else "pooled least squares"
    table = Effects(
        term=tuple(shown),
        estimate=fit.params[shown].to_numpy(),
        covariance=fit.cov.loc[shown, shown].to_numpy() * factor,
        basis=replace(
            basis,
            convention=f"{words} with firm means; {basis.convention}",
            effects=("year",) if regression.year_effects else (),
            notes=(*basis.notes, *notes),
        ),
        keys={},
        notes=("",) * len(shown),
    )
    random = regression.method == "random"
    return MundlakResult(
        effects=table,
        formula=f"{sample.names.outcome} ~ {' + '.join(shown)}" + (" | year" if regression.year_effects else ""),
        r_squared_within=float(fit.rsquared_within),
        random_share=float(fit.variance_decomposition["Percent due to Effects"]) if random else Unavailable("pooled least squares"),
    )
