"""Two-stage difference-in-differences: regress what untreated firm-years leave unexplained on treatment."""

from __future__ import annotations

from dataclasses import dataclass

from sme_eval.errors import DesignError, raise_if_any
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.event_study import EventStudy

from .event_rows import REFERENCE, event_effects, one_estimate
from .protocol import check_level
from .untreated_covariates import untreated_model
from .year_effects import YearEffectsBy, check_year_effects

CONVENTION = (
    "as R did2s does: both stages as one system of moment conditions, no small-sample factor, normal critical values; leads are "
    "means of first-stage residuals"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoStageDiD:
    """Gardner's two stages: firm and year effects from untreated firm-years, then means of the residuals by treatment status.

    Estimand and point estimates from treatment on are those of `ImputationDiD`; the errors differ, and so do the leads.

    Stage one: α_i + λ_t + x_i'β_t by least squares over {t < g_i}, λ_t by label if `year_effects_by` names any, with the sample's
    covariates x, if it has any, × year. Stage two: what that leaves of y_it on 1{t ≥ g_i} (overall), or on 1{t − g_i = e}, e ≠ −1,
    without an intercept. Leads are means of residuals of the very firm-years that stage one fits: they are pulled towards zero and
    are no regression coefficients relative to event time −1, which is only left out. For a test of trends take the leads of
    `ImputationDiD` or `SunAbraham`.

    Assumptions: parallel trends over all untreated years, between all firms; with `year_effects_by` only between firms of the same
    label; with covariates only between firms of the same x, trends being linear in x. No anticipation. These leads do not check
    that well. Treatment has not moved x or the label (not checked). A treated firm-year whose firm or (label ×) year is never seen
    untreated, or whose x the firms untreated in the year do not span, has no counterfactual: it is left out and counted in the
    notes; an event time of which nothing is left is unavailable.

    Parameters
    ----------
    year_effects_by
        A kept column that is constant within firms, or several: year effects are then specific to their values ("district":
        district × year).
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        The sample names no treatment or lacks a label; `year_effects_by` is no name.
    IdentificationError
        No treated firm-year has a counterfactual, or all firms are in one cluster.

    Errors: clustered by firm or above, the generalised method of moments of both stages; effects are centred at the fitted mean, so
    that differences between cohorts count as variation. Source: Gardner (2021); R did2s 1.2.

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [2019, 2020, 2021] * 3,
    ...                       "y": [1.0, 1.0, 3.0, 2.0, 2.2, 2.2, 0.0, 0.0, 0.2], "g": [2021] * 3 + [0] * 6})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g")
    >>> round(sme.TwoStageDiD().fit(sample).estimate, 10)
    1.85
    """

    year_effects_by: YearEffectsBy = None
    level: float = 0.95

    def __post_init__(self) -> None:
        raise_if_any(DesignError, check_level(self.level) + check_year_effects(self.year_effects_by))

    def fit(self, data: Sample | Moments) -> EventStudy:
        """Fit both stages, from a sample or its moments."""
        model = untreated_model(data, self.year_effects_by, "TwoStageDiD")
        basis = model.basis(CONVENTION, self.level)
        times = model.times[model.times != REFERENCE]
        given = model.event_columns(times).any(axis=(0, 1))
        effects = model.averages(model.event_columns(times[given]))
        overall = model.averages(model.treated_column())
        missing = {int(e): model.not_imputable for e in times[~given]}
        return EventStudy(
            effects=event_effects(effects, times[given], missing, basis, model.imputable),
            overall=one_estimate(overall, model.average_term, basis, model.moments.treated & model.imputable),
            reference=REFERENCE,
        )
