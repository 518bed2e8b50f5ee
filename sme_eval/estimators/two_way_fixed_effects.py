"""Two-way fixed effects: one coefficient on being treated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sme_eval.errors import DesignError, raise_if_any
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.estimate import Estimate

from .protocol import check_level
from .two_way import regression_basis, without_singletons
from .two_way_covariates import two_way_design
from .year_effects import YearEffectsBy, check_year_effects, effects_of, labels_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoWayFixedEffects:
    """The coefficient on `treated` in a regression with firm and year effects.

    Estimand: a weighted average of effects over cohorts and years, with weights that the regression chooses and that can be
    negative where effects differ; the average effect on the treated only if every effect is the same.

    y_it = α_i + λ_t + β·1{t ≥ g_i} + x_i'δ_t + ε_it, with λ_t by label if `year_effects_by` names any, and the sample's covariates
    x, if it has any, × year: firms with other baseline values may be on other paths.

    Assumptions: parallel trends between all cohorts in every year and no anticipation (not checked here), one common effect (not
    checked here). Identification beside the fixed effects is checked at run time.

    Parameters
    ----------
    year_effects_by
        A kept column, constant within firms; year effects are then specific to its values ("district": district × year). Several
        stand side by side: ("district", "industry") for district × year and industry × year.
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        The sample names no treatment or lacks a label; `year_effects_by` is no name.
    IdentificationError
        Treatment does not vary beside the fixed effects.

    Source: Goodman-Bacon (2021), de Chaisemartin and D'Haultfœuille (2020) on the weights. Errors as R fixest 0.14.

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2, 3, 3, 4, 4], "year": [2020, 2021] * 4,
    ...                       "y": [1.0, 3.0, 2.0, 3.6, 1.0, 1.4, 0.0, 0.2], "g": [2021] * 4 + [0] * 4})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g")
    >>> round(sme.TwoWayFixedEffects().fit(sample).estimate, 10)
    1.5
    """

    year_effects_by: YearEffectsBy = None
    level: float = 0.95

    def __post_init__(self) -> None:
        raise_if_any(DesignError, check_level(self.level) + check_year_effects(self.year_effects_by))

    def fit(self, data: Sample | Moments) -> Estimate:
        """Estimate β from a sample or its moments."""
        by = effects_of(self.year_effects_by)
        given, regress = two_way_design(data, labels_of(self.year_effects_by), "TwoWayFixedEffects")
        moments = without_singletons(given, by)
        treated = (moments.treated & moments.observed)[:, :, None].astype(np.float64)
        influence = regress(moments, ["treated"], treated, by)
        error = float(np.sqrt(influence.covariance()[0, 0]))
        dropped = given.n_observations - moments.n_observations
        basis = regression_basis(influence, self.level, by, dropped)
        n_treated = int(moments.n_firms[treated.any(axis=(1, 2))].sum())
        return Estimate.from_basis("treated", float(influence.estimate[0]), error, basis, n_treated)
