"""Instrumental variables with any fixed effects: linearmodels' estimators, first stages, and Anderson–Rubin intervals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.estimators.absorption import (
    EffectName,
    Rows,
    covariance_options,
    error_basis,
    kept_rows,
    numbers,
    refuse_covariates,
    refuse_no_variation,
    without_effects,
)
from sme_eval.estimators.protocol import check_level, choose
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.instrumental import FirstStage, InstrumentalResult, Interval
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.inference import JointTest, wald_test
from sme_eval.stats.least_squares import dependent_columns
from sme_eval.stats.weak_instruments import RatioTest, Regressions, effective_f, joint_regressions
from sme_eval.terms import Covariance

Method = Literal["2sls", "liml"]

CONSTANT_SHARE = 1e-18
"""Share of a column's sum of squares below which its variation around the mean is rounding."""

ONE_ONLY = Unavailable("computed for one endogenous regressor only")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentalVariables:
    """Coefficients of endogenous regressors, estimated from the variation that instruments bring.

    Estimand: the average of the effects of one unit of the endogenous regressor, weighted by how strongly the instrument moves it
    (with a binary instrument: the local average effect among compliers).

    y = Xβ + Wδ + Σ effects + ε; X = ZΠ + WΓ + Σ effects + v. After the effects are taken out: 2SLS
    β = (X'P X)⁻¹ X'P y, P the projection on Z beside W; LIML: P − κM.

    Assumptions: exclusion: the instruments touch the outcome through the endogenous regressors only (not checked, and not
    testable with as many instruments as endogenous regressors); as good as random and strictly exogenous given the effects (not
    checked); no firm moved against the others (not checked); relevance (reported: effective F, and Anderson–Rubin intervals that
    hold without it). That instruments and regressors vary beside the effects and do not repeat each other is checked at run time.

    Parameters
    ----------
    endogenous, instruments, regressors
        Kept numeric columns of the sample; `regressors` are the exogenous ones. At least as many instruments as endogenous.
    effects
        "firm", "year" or kept columns; a tuple is an interaction: `("industry", "year")`. Without any, an intercept is added.
    method
        "2sls" or "liml" (less biased when instruments are many or weak).
    covariance
        "clustered" (by the sample's cluster, else by firm), "robust" (HC1) or "classical".
    level
        Level of the intervals, Anderson–Rubin's included.

    Returns from `fit`: coefficients (J,) in units of the outcome per unit of their column, endogenous first; covariance (J, J).

    Raises
    ------
    DesignError
        Unknown or repeated names, fewer instruments than endogenous regressors.
    IdentificationError
        A column is absorbed by the effects or repeats others; too little data.

    Errors: linearmodels' raw covariance times fixest's factor, K counted as for least squares; clustered t and F have G − 1 degrees
    of freedom, the others N − K. Weights multiply squared residuals. Rows without a value are left out and counted in the notes.
    Source: linearmodels 7 `IV2SLS`, `IVLIML`; Anderson and Rubin (1949); Montiel Olea and Pflueger (2013).

    Examples
    --------
    >>> import numpy as np, pandas as pd, sme_eval as sme
    >>> rng = np.random.default_rng(4)
    >>> z, hidden, noise = rng.standard_normal((3, 2000))
    >>> frame = pd.DataFrame({"firm": np.arange(2000) // 4, "year": np.arange(2000) % 4, "offer": z, "credit": z + hidden})
    >>> frame["revenue"] = 0.5 * frame["credit"] + hidden + noise
    >>> sample = sme.Sample.from_frame(frame, firm="firm", year="year", outcome="revenue", columns=("credit", "offer"))
    >>> fit = sme.InstrumentalVariables(endogenous=("credit",), instruments=("offer",)).fit(sample)
    >>> round(fit["credit"].estimate, 2), round(fit.first_stage.effective_f)
    (0.51, 1282)
    """

    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    regressors: tuple[str, ...] = ()
    effects: tuple[EffectName, ...] = ("firm", "year")
    method: Method = "2sls"
    covariance: Covariance = "clustered"
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = choose("covariance", self.covariance, ("clustered", "robust", "classical"))
        problems += [*choose("method", self.method, ("2sls", "liml")), *check_level(self.level)]
        if not self.endogenous:
            problems.append(Problem(what="No endogenous regressor is named.", remedy="without any, use PanelRegression"))
        if len(self.instruments) < len(self.endogenous):
            counts = f"{len(self.instruments)} instruments, {len(self.endogenous)} endogenous regressors"
            remedy = "name at least one instrument for each"
            problems.append(Problem(what="There are fewer instruments than endogenous regressors.", where=counts, remedy=remedy))
        repeated = [name for name, count in Counter(self.columns).items() if count > 1]
        if repeated:
            what = f"Columns are named more than once: {', '.join(repeated)}."
            problems.append(Problem(what=what, remedy="a column is endogenous, an instrument or a regressor, once"))
        raise_if_any(DesignError, problems)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column named: endogenous, instruments, regressors."""
        return (*self.endogenous, *self.instruments, *self.regressors)

    @property
    def right_side(self) -> str:
        """The formula without its outcome, as fixest writes it."""
        effects = " + ".join(e if isinstance(e, str) else "^".join(e) for e in self.effects)
        parts = [" + ".join(self.regressors) or "1", effects, f"{' + '.join(self.endogenous)} ~ {' + '.join(self.instruments)}"]
        return " | ".join(part for part in parts if part)

    def fit(self, data: Sample) -> InstrumentalResult:
        """Estimate β from a sample."""
        if not isinstance(data, Sample):
            raise DesignError(
                Problem(
                    what=f"InstrumentalVariables fits a Sample, not {type(data).__name__}.", remedy="moments hold no regressors"
                )
            )
        refuse_covariates(data, "InstrumentalVariables")
        if data.names.outcome in self.columns:
            what = f"The outcome {data.names.outcome} is also named on the right side."
            raise DesignError(Problem(what=what, remedy="take it out"))
        return _fit(self, data)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Columns:
    """Outcome (n,), endogenous (n, m), instruments (n, k), regressors (n, r) after the effects, times √weights; `total` is SST."""

    outcome: FloatArray
    endogenous: FloatArray
    instruments: FloatArray
    regressors: FloatArray
    regressor_names: tuple[str, ...]
    total: float


def _fit(choices: InstrumentalVariables, sample: Sample) -> InstrumentalResult:
    matrix, complete = numbers(sample, choices.columns)
    rows = kept_rows(sample, choices.effects, complete)
    n_constants = int(not rows.effects)
    n_first = len(choices.instruments) + len(choices.regressors) + n_constants
    first_factor, first_basis = error_basis(sample, rows, choices.covariance, n_first, choices.level)
    n_second = len(choices.endogenous) + len(choices.regressors) + n_constants
    factor, basis = error_basis(sample, rows, choices.covariance, n_second, choices.level)
    outcome = sample.outcome.ravel()[sample.position][rows.keep]
    columns = _without_effects(choices, matrix[rows.keep], outcome, sample.names.outcome, rows)
    table, r_squared = _second_stage(choices, columns, rows, factor, basis)
    targets = np.column_stack([columns.outcome, columns.endogenous])
    design = np.column_stack([columns.instruments, columns.regressors])
    raw = joint_regressions(targets, design, choices.covariance, rows.cluster)
    joint = replace(raw, covariance=raw.covariance * first_factor)
    intervals, test = _without_strength(choices, joint, first_basis)
    return InstrumentalResult(
        effects=table,
        formula=f"{sample.names.outcome} ~ {choices.right_side}",
        r_squared_within=r_squared,
        first_stage=_first_stage(choices, joint, first_basis, columns.regressor_names),
        anderson_rubin=intervals,
        overidentification=test,
    )


def _without_effects(choices: InstrumentalVariables, matrix: FloatArray, outcome: FloatArray, name: str, rows: Rows) -> _Columns:
    """The effects taken out of every column; columns that are then nothing, or repeat others, are refused by name."""
    m, k = len(choices.endogenous), len(choices.instruments)
    named, names = len(choices.columns), choices.columns
    values = np.column_stack([outcome, matrix])
    centre = np.average(values, axis=0, weights=rows.weight)
    root = np.ones(len(values)) if rows.weight is None else np.sqrt(rows.weight / rows.weight.mean())
    spread = np.sum((root[:, None] * (values - centre)) ** 2, axis=0)
    spread = np.maximum(spread, CONSTANT_SHARE * np.sum((root[:, None] * values) ** 2, axis=0))[1:]
    if rows.effects:  # the effects hold the mean; without it the solver starts nearer to its end
        values = values - centre
    left = without_effects(values, rows.effects, rows.weight)
    refuse_no_variation(left[:, 0], outcome, name)
    outcome, matrix = left[:, 0], left[:, 1:]
    if not rows.effects:
        matrix, names = np.column_stack([matrix, root]), (*names, "intercept")
        spread = np.append(spread, np.sum(root**2))
    exogenous = [*range(named, len(names)), *range(m + k, named)]  # the intercept first: a constant regressor repeats it
    problems: list[Problem] = []
    for kind, own in (("instrument", range(m, m + k)), ("endogenous regressor", range(m))):
        order = [*exogenous, *own]
        part = matrix[:, order]
        lost = [names[order[j]] for j in np.flatnonzero(dependent_columns(part.T @ part, spread[order]))]
        if lost and not (problems and set(lost) <= set(names[m:])):  # a regressor is said once
            what = f"Absorbed by the fixed effects or a repetition of other columns: {', '.join(lost)}."
            remedy = "leave out what does not vary within the effects"
            problems.append(Problem(what=what, where=f"regressors and {kind}s", remedy=remedy))
    raise_if_any(IdentificationError, problems)
    return _Columns(
        outcome=outcome,
        endogenous=matrix[:, :m],
        instruments=matrix[:, m : m + k],
        regressors=matrix[:, m + k :],
        regressor_names=names[m + k :],
        total=float(np.sum((outcome if rows.effects else root * (outcome / root - centre[0])) ** 2)),
    )


def _second_stage(
    choices: InstrumentalVariables, columns: _Columns, rows: Rows, factor: float, basis: Basis
) -> tuple[Effects, float]:
    """(coefficients, within R²); columns are brought to one length first, so that linearmodels' rank check ignores units."""
    own = np.column_stack([columns.regressors, columns.endogenous])  # linearmodels' order
    length = np.sqrt(np.mean(own**2, axis=0))
    unit = np.sqrt(np.mean(columns.outcome**2)) or 1.0
    split = len(columns.regressor_names)
    instruments = columns.instruments / np.sqrt(np.mean(columns.instruments**2, axis=0))
    scaled = own / length
    parts = (columns.outcome / unit, scaled[:, :split] if split else None, scaled[:, split:], instruments)
    fit = _linearmodels_fit(choices, parts, rows)
    order = [*range(split, own.shape[1]), *range(split)]
    back = unit / length
    estimate = fit.params.to_numpy() * back
    covariance = fit.cov.to_numpy() * factor * np.outer(back, back)
    names = (*choices.endogenous, *columns.regressor_names)
    unexplained = float(np.sum((columns.outcome - own @ estimate) ** 2))
    covariance, notes = covariance[np.ix_(order, order)], ("",) * len(names)
    table = Effects(term=names, estimate=estimate[order], covariance=covariance, basis=basis, keys={}, notes=notes)
    return table, 1.0 - unexplained / columns.total if columns.total else float("nan")


def _linearmodels_fit(choices: InstrumentalVariables, parts: tuple[Any, ...], rows: Rows) -> Any:
    """Linearmodels' fit; LIML's κ that is not defined is an IdentificationError."""
    from linearmodels.iv import IV2SLS, IVLIML

    options = covariance_options(choices.covariance, rows.cluster)
    if choices.method == "2sls":
        return IV2SLS(*parts).fit(**options)
    try:
        return IVLIML(*parts).fit(**options)
    except ValueError as error:
        problem = Problem(what="LIML is not defined here.", where=str(error), remedy='method="2sls", or more observations')
        raise IdentificationError(problem) from error


def _first_stage(choices: InstrumentalVariables, joint: Regressions, basis: Basis, regressor_names: tuple[str, ...]) -> FirstStage:
    k, names = len(choices.instruments), (*choices.instruments, *regressor_names)
    gram = joint.gram_beside_others(k)
    tables, f_values, shares = [], [], []
    for j, name in enumerate(choices.endogenous, start=1):
        first, covariance = joint.coefficient[j, :k], joint.covariance[j, :, j]
        test = wald_test(first, covariance[:k, :k])
        f_values.append(np.inf if test is None else test.statistic / test.restrictions)
        explained = float(first @ gram @ first)
        shares.append(explained / (explained + float(np.sum(joint.residual[:, j] ** 2))))
        own = replace(basis, unit=name)
        notes = ("",) * len(names)
        tables.append(Effects(term=names, estimate=joint.coefficient[j], covariance=covariance, basis=own, keys={}, notes=notes))
    strength = effective_f(joint.coefficient[1, :k], joint.covariance[1, :k, 1, :k], gram)
    single = len(choices.endogenous) == 1
    return FirstStage(
        endogenous=choices.endogenous,
        effects=tuple(tables),
        partial_f=tuple(f_values),
        partial_r_squared=tuple(shares),
        effective_f=strength.value if single else ONE_ONLY,
        critical_value=strength.critical_value if single else ONE_ONLY,
    )


def _without_strength(
    choices: InstrumentalVariables, joint: Regressions, basis: Basis
) -> tuple[tuple[Interval, ...] | Unavailable, JointTest | Unavailable]:
    """(Anderson–Rubin intervals, overidentification test), neither of which needs strong instruments."""
    from scipy import stats

    if len(choices.endogenous) > 1:
        return ONE_ONLY, ONE_ONLY
    k = len(choices.instruments)
    test = RatioTest.of(joint.coefficient[:, :k], joint.covariance[:, :k, :, :k], joint.gram_beside_others(k))
    if test is None:
        singular = Unavailable("the covariance of the instruments is singular: fewer clusters than instruments, or no residual")
        return singular, singular
    limit = k * float(stats.f.ppf(choices.level, k, basis.degrees_of_freedom))
    exact = Unavailable("as many instruments as endogenous regressors: nothing to test")
    return test.intervals(limit), test.smallest() if k > 1 else exact
