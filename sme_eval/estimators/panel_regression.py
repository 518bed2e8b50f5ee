"""Panel regressions with any fixed effects, estimated by linearmodels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.panel.codes import MISSING, Codes, factorise
from sme_eval.panel.sample import Sample
from sme_eval.panel.validation import read_number
from sme_eval.results.basis import Basis
from sme_eval.results.effects import Effects
from sme_eval.results.regression import RegressionResult
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.terms import Covariance

from .protocol import check_level, choose

if TYPE_CHECKING:
    import pandas as pd

EffectName = str | tuple[str, ...]

SOLVER_TOLERANCE = 1e-14
"""linearmodels absorbs effects iteratively; at its default tolerance coefficients are good to six digits only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRegression:
    """Coefficients of a linear regression with fixed effects.

    Estimand: the best linear prediction of the outcome by the regressors within the fixed effects; an effect of a policy only
    if the regressor is as good as random given them.

    y_it = x_it'β + Σ effects + ε_it.

    Assumptions: strict exogeneity of the regressors given the effects (not checked). That every regressor varies beside the
    effects is checked at run time.

    Parameters
    ----------
    regressors
        Kept numeric columns of the sample; they may vary over time.
    effects
        "firm", "year" or kept columns; a tuple is an interaction: `("industry", "year")`.
    covariance
        "clustered" (by the sample's cluster, else by firm), "robust" (HC1) or "classical".
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        Unknown names, a formula that does not match the sample.
    IdentificationError
        A regressor is absorbed by the effects or repeats others.

    Errors: fixest's conventions (METHODS.md); clustered t has G − 1 degrees of freedom, the others N − K. Rows without a
    regressor are left out and counted in the notes. Source: linearmodels 7 `AbsorbingLS`; R fixest 0.14.

    Examples
    --------
    >>> import sme_eval as sme
    >>> panel = sme.open_source("jobtraining")
    >>> sample = sme.Sample.from_frame(panel.frame, firm="firm", year="year", outcome="log_scrap", columns=("grant", "grant_1"))
    >>> fit = sme.PanelRegression.from_formula("log_scrap ~ grant + grant_1 | firm + year", covariance="classical").fit(sample)
    >>> round(fit["grant"].estimate, 4), round(fit["grant_1"].std_error, 4)
    (-0.2523, 0.2102)
    """

    regressors: tuple[str, ...]
    effects: tuple[EffectName, ...] = ("firm", "year")
    covariance: Covariance = "clustered"
    level: float = 0.95
    outcome: str | None = None

    def __post_init__(self) -> None:
        problems = choose("covariance", self.covariance, ("clustered", "robust", "classical"))
        problems += check_level(self.level)
        if not self.regressors:
            problems.append(Problem(what="No regressor is named.", remedy='name at least one: regressors=("grant",)'))
        raise_if_any(DesignError, problems)

    @classmethod
    def from_formula(cls, formula: str, *, covariance: Covariance = "clustered", level: float = 0.95) -> PanelRegression:
        """From `"outcome ~ a + b | firm + industry^year"`; names only, `^` for interacted effects."""
        head, tilde, tail = formula.partition("~")
        right, _, effects = tail.partition("|")
        regressors = _terms(right)
        names = [head.strip(), *regressors, *(part for e in _terms(effects) for part in e.split("^"))]
        odd = [name for name in names if not name.strip().isidentifier()]
        if not tilde or odd:
            raise DesignError(
                Problem(
                    what=f"The formula {formula!r} cannot be read.",
                    where=f"at {odd[0]!r}" if odd else "no ~",
                    remedy="write names only: outcome ~ a + b | firm + year; transform columns before",
                )
            )
        interactions = (tuple(part.strip() for part in e.split("^")) for e in _terms(effects))
        return cls(
            regressors=tuple(regressors),
            effects=tuple(e[0] if len(e) == 1 else e for e in interactions),
            covariance=covariance,
            level=level,
            outcome=head.strip(),
        )

    @property
    def right_side(self) -> str:
        """The formula without its outcome."""
        effects = " + ".join(e if isinstance(e, str) else "^".join(e) for e in self.effects)
        return " + ".join(self.regressors) + (f" | {effects}" if effects else "")

    def fit(self, data: Sample) -> RegressionResult:
        """Estimate β from a sample."""
        if not isinstance(data, Sample):
            raise DesignError(
                Problem(
                    what=f"PanelRegression fits a Sample, not {type(data).__name__}.",
                    remedy="regressors vary over time: moments do not hold them",
                )
            )
        if self.outcome not in (None, data.names.outcome):
            raise DesignError(
                Problem(
                    what=f"The formula explains {self.outcome}, the sample holds {data.names.outcome}.",
                    remedy="name the same outcome in both",
                )
            )
        return _fit(self, data)


def _terms(text: str) -> list[str]:
    return [part.strip() for part in text.split("+") if part.strip()]


def _effect_codes(sample: Sample, effect: EffectName) -> Codes:
    """Level 0..L-1 of one effect per kept row."""
    parts = (effect,) if isinstance(effect, str) else effect
    codes = np.zeros(len(sample.position), dtype=np.intp)
    for part in parts:
        if part in ("firm", sample.names.firm):
            own = sample.firm_codes
        elif part in ("year", sample.names.year):
            own = sample.year_codes
        else:
            own = factorise(sample.column(part))[0]
            if (own == MISSING).any():
                raise DesignError(
                    Problem(what=f"The effect {part} is missing in {int((own == MISSING).sum())} rows.", remedy="fill it")
                )
        codes = factorise(codes * (int(own.max()) + 1) + own)[0]
    return codes


def _regressor_matrix(regression: PanelRegression, sample: Sample) -> tuple[FloatArray, BoolArray]:
    """Regressors (rows, q) and which rows have them all."""
    problems: list[Problem] = []
    columns = [read_number(sample.column(name).to_frame(), name, problems) for name in regression.regressors]
    raise_if_any(DesignError, problems)
    matrix = np.column_stack(columns)
    return matrix, np.asarray(~np.isnan(matrix).any(axis=1))


def _without_singletons(effects: Sequence[Codes], keep: BoolArray) -> BoolArray:
    """Rows kept after observations that are alone in a level of an effect are left out, again and again, as fixest does."""
    while True:
        alone = np.zeros_like(keep)
        for codes in effects:
            alone |= keep & (np.bincount(codes[keep], minlength=int(codes.max()) + 1)[codes] == 1)
        if not alone.any():
            return keep
        keep = keep & ~alone


def _fit(regression: PanelRegression, sample: Sample) -> RegressionResult:
    matrix, complete = _regressor_matrix(regression, sample)
    outcome = sample.outcome.ravel()[sample.position]
    incomplete = int((~complete).sum())
    effects = [_effect_codes(sample, effect) for effect in regression.effects]
    complete = _without_singletons(effects, complete)
    singletons = len(complete) - incomplete - int(complete.sum())
    effects = [factorise(codes[complete])[0] for codes in effects]
    cluster = sample.firm_codes if sample.cluster is None else sample.cluster[sample.firm_codes]
    cluster = factorise(cluster[complete])[0]
    weight = None if sample.weight is None else sample.weight[sample.firm_codes][complete]
    names = list(regression.regressors)
    design = matrix[complete]
    if not effects:
        design, names = np.column_stack([design, np.ones(len(design))]), [*names, "intercept"]
    fit = _absorbing_fit(design, outcome[complete], names, effects, weight, _options(regression, cluster))
    n_params = _count_parameters(len(names), effects, cluster if regression.covariance == "clustered" else None)
    groups = int(cluster.max()) + 1
    factor, freedom, convention = _convention(regression.covariance, len(design), n_params, groups, sample.names.cluster or "firm")
    counts = {
        "rows without a regressor are left out": incomplete,
        "observations alone in their fixed effect are left out": singletons,
    }
    basis = Basis(
        n_firms=int(np.unique(sample.firm_codes[complete]).size),
        n_observations=len(design),
        n_clusters=groups if regression.covariance == "clustered" else len(design),
        convention=convention,
        degrees_of_freedom=float(freedom),
        level=regression.level,
        unit=sample.names.outcome,
        notes=tuple(f"{n} {text}" for text, n in counts.items() if n),
    )
    table = Effects(
        term=tuple(names),
        estimate=fit.params.to_numpy(),
        covariance=fit.cov.to_numpy() * factor,
        basis=basis,
        keys={},
        notes=("",) * len(names),
    )
    formula = f"{sample.names.outcome} ~ {regression.right_side}"
    return RegressionResult(effects=table, formula=formula, r_squared_within=float(fit.rsquared))


def _options(regression: PanelRegression, cluster: Codes) -> dict[str, Any]:
    """Linearmodels' covariance without any small-sample factor: ours follows fixest and is applied after."""
    if regression.covariance == "clustered":
        return {"cov_type": "clustered", "clusters": cluster, "debiased": False}
    return {"cov_type": {"robust": "robust", "classical": "unadjusted"}[regression.covariance], "debiased": False}


def _absorbing_fit(
    design: FloatArray,
    outcome: FloatArray,
    names: list[str],
    effects: Sequence[Codes],
    weight: FloatArray | None,
    options: dict[str, Any],
) -> Any:
    """Linearmodels' fit; a regressor that the effects absorb is an IdentificationError naming it."""
    import pandas as pd
    from linearmodels.iv.absorbing import AbsorbingLS
    from linearmodels.panel.utility import AbsorbingEffectError

    absorb: pd.DataFrame | None = None
    if effects:
        absorb = pd.DataFrame({f"effect{n}": pd.Categorical(codes) for n, codes in enumerate(effects)})
        options = options | {
            "absorb_options": {"atol": SOLVER_TOLERANCE, "btol": SOLVER_TOLERANCE},
            "method": "lsmr",
            "use_cache": False,
        }
    frame = pd.DataFrame(design, columns=names)
    try:
        model = AbsorbingLS(pd.Series(outcome, name="outcome"), frame, absorb=absorb, weights=weight)
        return model.fit(**options)
    except (AbsorbingEffectError, ValueError) as error:
        if isinstance(error, ValueError) and "rank" not in str(error):
            raise
        raise IdentificationError(
            Problem(
                what="A regressor is absorbed by the fixed effects or repeats other regressors.",
                where=f"regressors: {', '.join(names)}",
                remedy="leave out what does not vary within the effects; a full set of dummies repeats the constant",
            )
        ) from error


def _count_parameters(n_regressors: int, effects: Sequence[Codes], cluster: Codes | None) -> int:
    """Fixest's K: regressors + levels of each effect (1 if it nests in the cluster) − (number of effects − 1)."""
    if not effects:
        return n_regressors
    levels = [1 if cluster is not None and _nests(codes, cluster) else int(codes.max()) + 1 for codes in effects]
    return n_regressors + sum(levels) - (len(effects) - 1)


def _nests(codes: Codes, cluster: Codes) -> bool:
    owner = np.empty(int(codes.max()) + 1, dtype=np.intp)
    owner[codes] = cluster
    return bool((owner[codes] == cluster).all())


def _convention(covariance: Covariance, n: int, k: int, groups: int, cluster: str) -> tuple[float, int, str]:
    """(factor on the raw covariance, degrees of freedom, words)."""
    if n <= k or (covariance == "clustered" and groups <= 1):
        counts = f"{n} observations, {k} parameters, {groups} clusters"
        remedy = "more firms or years, or fewer effects"
        raise IdentificationError(Problem(what="Too little data for a standard error.", where=counts, remedy=remedy))
    if covariance == "clustered":
        text = f"clustered by {cluster} as fixest does: G/(G−1)·(N−1)/(N−K), K = {k}; t with G−1 = {groups - 1}"
        return groups / (groups - 1) * (n - 1) / (n - k), groups - 1, text
    name = {"robust": "heteroskedasticity-robust (HC1)", "classical": "classical"}[covariance]
    return n / (n - k), n - k, f"{name} errors, N−K = {n - k}; t with N−K"
