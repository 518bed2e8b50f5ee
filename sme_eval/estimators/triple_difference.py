"""Triple difference: what treatment does to eligible firms beyond what it does to the others of their cohort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.errors import DesignError, Problem, raise_if_any
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.estimate import Estimate

from .protocol import check_level
from .two_way import regression_basis, without_singletons
from .two_way_covariates import two_way_design
from .year_effects import YearEffectsBy, check_year_effects, labels_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TripleDifference:
    """The coefficient on treated × eligible, with firm, eligible × year and cohort × year effects.

    Estimand: a regression-weighted average, over cohorts and years, of the difference between the effects on eligible and on
    other firms of the same cohort; what hits a whole cohort, or all eligible firms, in a year drops out.

    y_it = α_i + λ_{elig,t} + μ_{g,t} + β·1{t ≥ g_i}·elig_i + x_i'δ_t + ε_it, with the sample's covariates x, if it has any, × year.

    Assumptions: the gap between eligible and other firms would have moved alike in treated and untreated cohorts, given x and
    within the values of `year_effects_by` where there are any (not checked here). Identification beside the fixed effects is
    checked at run time.

    Parameters
    ----------
    eligible
        A kept 0/1 column, constant within firms.
    year_effects_by
        A kept column, or several: label × year effects beside the two sets above, as in `TwoWayFixedEffects`.
    level
        Level of the interval.

    Raises
    ------
    DesignError
        No treatment named; `eligible` is not kept or not 0/1; `year_effects_by` is no name, not kept or `eligible` itself.
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
    year_effects_by: YearEffectsBy = None
    level: float = 0.95

    def __post_init__(self) -> None:
        problems = check_level(self.level) + check_year_effects(self.year_effects_by)
        if not problems and self.eligible in labels_of(self.year_effects_by):
            what = f"{self.eligible} × year effects are in every triple difference."
            problems.append(Problem(what=what, remedy=f"leave {self.eligible} out of year_effects_by"))
        raise_if_any(DesignError, problems)

    def fit(self, data: Sample | Moments) -> Estimate:
        """Estimate β from a sample or its moments."""
        labels = (self.eligible, *labels_of(self.year_effects_by))
        by = (self.eligible, "cohort", *labels_of(self.year_effects_by))
        given, regress = two_way_design(data, labels, "TripleDifference")
        label = given.label(self.eligible)
        if not set(np.unique(label)) <= {0, 1}:
            raise DesignError(Problem(what=f"{self.eligible} is not 0/1.", remedy="code eligibility as 0 or 1, one value per firm"))
        moments = without_singletons(given, by)
        eligible = moments.label(self.eligible).astype(np.float64)
        regressor = (moments.treated & moments.observed) * eligible[:, None]
        influence = regress(moments, [f"treated × {self.eligible}"], regressor[:, :, None], by)
        error = float(np.sqrt(influence.covariance()[0, 0]))
        basis = regression_basis(influence, self.level, by, given.n_observations - moments.n_observations)
        n_treated = int(moments.n_firms[regressor.any(axis=1)].sum())
        return Estimate.from_basis(f"treated × {self.eligible}", float(influence.estimate[0]), error, basis, n_treated)
