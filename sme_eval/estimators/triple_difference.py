"""Triple difference: what treatment does to eligible firms beyond what it does to the others of their cohort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.errors import DesignError, Problem, raise_if_any
from sme_eval.estimators.protocol import as_moments, check_level
from sme_eval.estimators.two_way import fit_two_way, regression_basis, without_singletons
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class TripleDifference:
    """The coefficient on treated × eligible, with firm, eligible × year and cohort × year effects.

    Estimand: a regression-weighted average, over cohorts and years, of the difference between the effects on eligible and on
    other firms of the same cohort; what hits a whole cohort, or all eligible firms, in a year drops out.

    y_it = α_i + λ_{elig,t} + μ_{g,t} + β·1{t ≥ g_i}·elig_i + ε_it.

    Assumptions: the gap between eligible and other firms would have moved alike in treated and untreated cohorts (not checked
    here). Identification beside the fixed effects is checked at run time.

    Parameters
    ----------
    eligible
        A kept 0/1 column, constant within firms.
    level
        Level of the interval.

    Raises
    ------
    DesignError
        No treatment named, covariates given, or `eligible` is not kept or not 0/1.
    IdentificationError
        Eligibility does not vary within treated cohorts.

    Errors: as R fixest 0.14, `feols(y ~ treat:elig | id + elig^year + g^year)`. Source: Gruber (1994); Olden and Møen (2022).

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5], "year": [2020, 2021] * 5,
    ...                       "elig": [1, 1, 0, 0, 1, 1, 0, 0, 0, 0], "g": [2021] * 4 + [0] * 6,
    ...                       "y": [0.0, 3.0, 0.0, 1.0, 0.0, 0.5, 0.0, 0.2, 0.0, 0.2]})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g", columns=("elig",))
    >>> round(sme.TripleDifference(eligible="elig").fit(sample).estimate, 10)      # (3 − 1) − (0.5 − 0.2)
    1.7
    """

    eligible: str
    level: float = 0.95

    def __post_init__(self) -> None:
        raise_if_any(DesignError, check_level(self.level))

    def fit(self, data: Sample | Moments) -> Estimate:
        """Estimate β from a sample or its moments."""
        by = (self.eligible, "cohort")
        given = as_moments(data, (self.eligible,), "TripleDifference")
        label = given.label(self.eligible)
        if not set(np.unique(label)) <= {0, 1}:
            raise DesignError(Problem(what=f"{self.eligible} is not 0/1.", remedy="code eligibility as 0 or 1, one value per firm"))
        moments = without_singletons(given, by)
        eligible = moments.label(self.eligible).astype(np.float64)
        regressor = (moments.treated & moments.observed) * eligible[:, None]
        influence = fit_two_way(moments, [f"treated × {self.eligible}"], regressor[:, :, None], by)
        error = float(np.sqrt(influence.covariance()[0, 0]))
        basis = regression_basis(influence, self.level, by, given.n_observations - moments.n_observations)
        n_treated = int(moments.n_firms[regressor.any(axis=1)].sum())
        return Estimate.from_basis(f"treated × {self.eligible}", float(influence.estimate[0]), error, basis, n_treated)
