"""Poisson regressions with any fixed effects, estimated by pyfixest: for outcomes that are counts, or that have zeros."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.panel.codes import Codes
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.poisson import PoissonResult
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.terms import Covariance

from .absorption import (
    EffectName,
    Rows,
    effect_codes,
    error_basis,
    kept_rows,
    numbers,
    refuse_covariates,
    refuse_no_variation,
    without_singletons,
)
from .protocol import check_level, choose

DEVIANCE_TOLERANCE = 1e-12
"""Newton's step is quadratic: a deviance that no longer moves in its twelfth digit means coefficients good to about as many."""

EFFECTS_TOLERANCE = 1e-14
"""pyfixest takes the effects out iteratively; at its default tolerance coefficients are good to six digits only."""

SEPARATED = 1e-6
"""Of the smallest positive outcome: a zero whose fitted mean is below is separated, for the iterations drive it on towards zero."""

MOST_STEPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonRegression:
    """Semi-elasticities of an outcome that is never negative and may be zero, with fixed effects.

    Estimand: β in E[y_it | x, effects] = exp(x_it'β + Σ effects): one unit of a regressor multiplies the expected outcome by exp β.
    Unlike a regression of log(y) it needs no y + 1 where y is zero, and stays consistent when the variance depends on x. The
    outcome need be neither whole nor Poisson-distributed.

    β solves Σ w_it (y_it − μ_it) x_it = 0 (and the same for every level of the effects), by iterated weighted least squares.

    Assumptions: the conditional mean is right and the regressors are strictly exogenous given the effects (not checked). That
    every regressor varies beside the effects, and that the estimates exist, is checked at run time.

    Parameters
    ----------
    regressors
        Kept numeric columns of the sample; they may vary over time.
    effects
        "firm", "year" or kept columns; a tuple is an interaction: `("industry", "year")`.
    covariance
        "clustered" (by the sample's cluster, else by firm), "robust" (HC1) or "classical" (variance equal to the mean).
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        Unknown names; an outcome below zero.
    IdentificationError
        No positive outcome; a regressor is absorbed by the effects, repeats others, or is known only from separated rows; the
        iterations do not settle.

    Left out, and counted in the notes: rows without a regressor; rows alone in a level of an effect; rows of a level whose outcomes
    are all zero (a firm that never has any), as fixest does; and rows that several effects together separate, for which fixest
    does not look (their fitted outcome would be zero and some effect infinite). Errors: fixest's factors, (N−1)/(N−K) and for
    clusters G/(G−1); normal critical values. Source: pyfixest 0.60 `fepois`; Santos Silva and Tenreyro (2006); Correia, Guimarães
    and Zylkin (2019) on separation.

    Examples
    --------
    >>> import numpy as np, sme_eval as sme
    >>> frame = sme.open_source("jobtraining").frame
    >>> frame = frame.assign(scrap=np.exp(frame["log_scrap"]))
    >>> sample = sme.Sample.from_frame(frame, firm="firm", year="year", outcome="scrap", columns=("grant", "grant_1"))
    >>> fit = sme.PoissonRegression(regressors=("grant", "grant_1")).fit(sample)
    >>> fit.percent()["percent"].round(1).tolist()
    [-16.2, -18.3]
    """

    regressors: tuple[str, ...]
    effects: tuple[EffectName, ...] = ("firm", "year")
    covariance: Covariance = "clustered"
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = choose("covariance", self.covariance, ("clustered", "robust", "classical"))
        problems += check_level(self.level)
        if not self.regressors:
            problems.append(Problem(what="No regressor is named.", remedy='name at least one: regressors=("grant",)'))
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample) -> PoissonResult:
        """Estimate β from a sample."""
        if not isinstance(data, Sample):
            raise DesignError(
                Problem(
                    what=f"PoissonRegression fits a Sample, not {type(data).__name__}.",
                    remedy="a Poisson regression is not linear in firms' paths: moments do not hold it",
                )
            )
        refuse_covariates(data, "PoissonRegression")
        matrix, complete = numbers(data, self.regressors)
        outcome = data.outcome.ravel()[data.position]
        _refuse_outcome(outcome, data.names.outcome)
        selected = _select(data, self.effects, complete, outcome)
        rows, fit, separated = _fit_without_separated(self, data, matrix, outcome, selected)
        zeros = int(complete.sum()) - int(selected.sum())
        alone = int((complete & ~without_singletons([effect_codes(data, e) for e in self.effects], complete)).sum())
        rows = replace(rows, incomplete=int((~complete).sum()), singletons=alone)
        return _result(self, data, rows, fit, _notes(zeros - alone, separated))


def _refuse_outcome(outcome: FloatArray, name: str) -> None:
    below = int((outcome < 0).sum())
    if below:
        remedy = "a Poisson regression needs levels that are not negative, not logs or changes"
        raise DesignError(Problem(what=f"The outcome {name} is below zero in {below} rows.", remedy=remedy))
    if not (outcome > 0).any():
        raise IdentificationError(Problem(what=f"The outcome {name} is zero in every row.", remedy="choose another outcome"))


def _select(sample: Sample, effects: Sequence[EffectName], keep: BoolArray, outcome: FloatArray) -> BoolArray:
    """Rows left after singletons and levels whose outcomes are all zero are taken out, again and again."""
    codes = [effect_codes(sample, effect) for effect in effects]
    while True:
        kept = without_singletons(codes, keep)
        for own in codes:
            kept = kept & (np.bincount(own[kept], weights=outcome[kept], minlength=int(own.max()) + 1)[own] > 0)
        if (kept == keep).all():
            return keep
        keep = kept


def _fit_without_separated(
    regression: PoissonRegression, sample: Sample, matrix: FloatArray, outcome: FloatArray, keep: BoolArray
) -> tuple[Rows, _Fit, int]:
    """The fit on the rows that are not separated, and how many are."""
    n_selected = int(keep.sum())
    while True:
        if not keep.any():
            raise IdentificationError(
                Problem(
                    what="No row is left to estimate from.", remedy="fewer effects, or see more firms with an outcome above zero"
                )
            )
        rows = kept_rows(sample, regression.effects, keep)
        refuse_no_variation(outcome[keep] - outcome[keep].mean(), outcome[keep], sample.names.outcome)
        fit = _Fit.of(matrix[keep], outcome[keep], regression, rows)
        if not fit.separated.any():
            fit.require(regression.regressors)
            return rows, fit, n_selected - int(keep.sum())
        left = keep.copy()
        left[np.flatnonzero(keep)[fit.separated]] = False
        keep = _select(sample, regression.effects, left, outcome)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fit:
    """pyfixest's fit: coefficients by name, their covariance without any factor, and which rows (n,) are separated."""

    names: tuple[str, ...]
    estimate: FloatArray
    covariance: FloatArray
    deviance: float
    deviance_without: float
    converged: bool
    separated: BoolArray

    @classmethod
    def of(cls, design: FloatArray, outcome: FloatArray, regression: PoissonRegression, rows: Rows) -> _Fit:
        size = np.sqrt(np.square(design).mean(axis=0))
        size[size == 0.0] = 1.0
        columns = {f"x{j}": column for j, column in enumerate((design / size).T)}
        frame, right = _frame(columns, outcome, rows)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is read from the fit, or is pandas' business with pyfixest
            fit = _fepois(" + ".join(columns), frame, right, regression, rows)
            without = _fepois("1", frame, right, regression, rows)
        coefficient = fit.coef()
        unit = {f"x{j}": float(value) for j, value in enumerate(size)}
        back = np.array([1.0 / unit.get(name, 1.0) for name in coefficient.index])
        return cls(
            names=tuple(coefficient.index),
            estimate=coefficient.to_numpy() * back,
            covariance=np.asarray(fit._vcov) * np.outer(back, back),
            deviance=float(fit.deviance),
            deviance_without=float(without.deviance),
            converged=bool(fit.convergence),
            separated=(outcome == 0) & (fit.predict(type="response") < SEPARATED * outcome[outcome > 0].min()),
        )

    def require(self, regressors: Sequence[str]) -> None:
        """Refuse a fit without all regressors or without an end."""
        problems = []
        absent = [name for j, name in enumerate(regressors) if f"x{j}" not in self.names]
        if absent:
            problems.append(
                Problem(
                    what="A regressor is absorbed by the fixed effects, repeats others, or is known from separated rows only.",
                    where=f"regressors: {', '.join(absent)}",
                    remedy="leave out what does not vary within the effects or goes with outcomes of zero only",
                )
            )
        if not self.converged:
            problems.append(
                Problem(what=f"The Poisson regression did not settle in {MOST_STEPS} steps.", remedy="rescale or drop regressors")
            )
        raise_if_any(IdentificationError, problems)


def _frame(columns: dict[str, FloatArray], outcome: FloatArray, rows: Rows) -> tuple[Any, str]:
    """The rows under names that no formula can misread, and the effects' side of the formula."""
    import pandas as pd

    effects: dict[str, Codes] = {f"e{n}": codes for n, codes in enumerate(rows.effects)}
    weight = np.ones(len(outcome)) if rows.weight is None else rows.weight / rows.weight.mean()
    frame = pd.DataFrame({"y": outcome, **columns, **effects, "cluster": rows.cluster, "weight": weight})
    return frame, f" | {' + '.join(effects)}" if effects else ""


def _fepois(left: str, frame: Any, effects: str, regression: PoissonRegression, rows: Rows) -> Any:
    """The fit of pyfixest without its small-sample factors: ours are applied after."""
    import pyfixest
    from pyfixest.demeaners import LsmrDemeaner

    kind: Any = {"clustered": {"CRV1": "cluster"}, "robust": "hetero", "classical": "iid"}[regression.covariance]
    try:
        return pyfixest.fepois(
            f"y ~ {left}{effects}",
            frame,
            vcov=kind,
            weights=None if rows.weight is None else "weight",
            ssc=pyfixest.ssc(k_adj=False, G_adj=False),
            fixef_rm="none",
            iwls_tol=DEVIANCE_TOLERANCE,
            iwls_maxiter=MOST_STEPS,
            separation_check=[],  # pyfixest's own does not find what two effects separate; `_Fit.separated` does
            demeaner=LsmrDemeaner(fixef_atol=EFFECTS_TOLERANCE, fixef_btol=EFFECTS_TOLERANCE),
        )
    except ValueError as error:
        if "Demeaning failed" not in str(error):
            raise
        what = "The fixed effects could not be taken out: too few firms link their levels."
        raise IdentificationError(Problem(what=what, remedy="fewer effects, or firms seen in more years")) from error


def _notes(zeros: int, separated: int) -> tuple[str, ...]:
    counts = {
        "observations of a fixed effect whose outcomes are all zero are left out": zeros,
        "observations that the effects together separate are left out": separated,
    }
    return tuple(f"{count} {text}" for text, count in counts.items() if count)


def _result(regression: PoissonRegression, sample: Sample, rows: Rows, fit: _Fit, notes: tuple[str, ...]) -> PoissonResult:
    order = [fit.names.index(f"x{j}") for j in range(len(regression.regressors))]
    names = list(regression.regressors)
    if not rows.effects:
        order, names = [*order, fit.names.index("Intercept")], [*names, "intercept"]
    factor, basis = error_basis(sample, rows, regression.covariance, len(names), regression.level)
    factor, basis = _poisson_convention(factor, basis, regression.covariance, len(rows.cluster))
    table = Effects(
        term=tuple(names),
        estimate=fit.estimate[order],
        covariance=fit.covariance[np.ix_(order, order)] * factor,
        basis=replace(basis, notes=(*basis.notes, *notes)),
        keys={},
        notes=("",) * len(names),
    )
    effects = " + ".join(e if isinstance(e, str) else "^".join(e) for e in regression.effects)
    formula = f"{sample.names.outcome} ~ {' + '.join(regression.regressors)}" + (f" | {effects}" if effects else "")
    explained = 1.0 - fit.deviance / fit.deviance_without if fit.deviance_without > 0 else math.nan
    return PoissonResult(effects=table, formula=f"Poisson: {formula}", r_squared_within=explained)


def _poisson_convention(factor: float, basis: Basis, covariance: Covariance, n: int) -> tuple[float, Basis]:
    """As fixest on Poisson: normal critical values, and (N−1)/(N−K) rather than N/(N−K) where no variance is estimated."""
    words = basis.convention.split("; t with")[0]
    if covariance == "classical":
        factor *= (n - 1) / n
        words = words.replace("N−K", "(N−1)/(N−K), N−K")
    return factor, replace(basis, degrees_of_freedom=math.inf, convention=f"Poisson; {words}; normal critical values")
