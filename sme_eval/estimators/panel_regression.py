"""Panel regressions with any fixed effects, estimated by linearmodels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, Problem, raise_if_any
from sme_eval.panel.codes import Codes
from sme_eval.panel.sample import Sample
from sme_eval.results.effects import Effects
from sme_eval.results.regression import RegressionResult
from sme_eval.stats.arrays import FloatArray
from sme_eval.terms import Covariance

from .absorption import (
    SOLVER_TOLERANCE,
    EffectName,
    covariance_options,
    error_basis,
    kept_rows,
    numbers,
    refuse_covariates,
    refuse_no_variation,
)
from .protocol import check_level, choose

if TYPE_CHECKING:
    import pandas as pd


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
        refuse_covariates(data, "PanelRegression")
        return _fit(self, data)


def _terms(text: str) -> list[str]:
    return [part.strip() for part in text.split("+") if part.strip()]


def _fit(regression: PanelRegression, sample: Sample) -> RegressionResult:
    matrix, complete = numbers(sample, regression.regressors)
    rows = kept_rows(sample, regression.effects, complete)
    factor, basis = error_basis(
        sample, rows, regression.covariance, len(regression.regressors) + int(not rows.effects), regression.level
    )
    names = list(regression.regressors)
    design = matrix[rows.keep]
    if not rows.effects:
        design, names = np.column_stack([design, np.ones(len(design))]), [*names, "intercept"]
    outcome = sample.outcome.ravel()[sample.position][rows.keep]
    options = covariance_options(regression.covariance, rows.cluster)
    fit = _absorbing_fit(design, outcome, names, rows.effects, rows.weight, options)
    refuse_no_variation(fit.model.absorbed_dependent.to_numpy().ravel(), outcome, sample.names.outcome)
    table = Effects(
        term=tuple(names),
        estimate=fit.params.to_numpy(),
        covariance=fit.cov.to_numpy() * factor,
        basis=basis,
        keys={},
        notes=("",) * len(names),
    )
    formula = f"{sample.names.outcome} ~ {regression.right_side}"
    return RegressionResult(effects=table, formula=formula, r_squared_within=float(fit.absorbed_rsquared))


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
