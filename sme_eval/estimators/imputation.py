"""Imputation difference-in-differences: treated outcomes minus what untreated firm-years predict for them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sme_eval.errors import DesignError, raise_if_any
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.event_study import EventStudy

from .event_rows import REFERENCE, event_effects, one_estimate, side_by_side
from .protocol import check_level
from .untreated_covariates import untreated_model
from .year_effects import YearEffectsBy, check_year_effects

CONVENTION = (
    "as R didimputation does: effects centred at the mean of their cohort and year, no small-sample factor, normal critical values"
)

LEADS = "; leads from a regression over untreated firm-years alone, with fixest's factor"

LEADS_NOT_IDENTIFIED = "leads repeat the fixed effects of untreated firm-years: they need never-treated firms"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputationDiD:
    """Firm and year effects from untreated firm-years predict what treated firms would have had; effects are averages of the gap.

    Estimand: the average effect on the treated over treated firm-years (overall) and by event time, whatever the effects'
    heterogeneity. Firms weigh by the years they are seen treated.

    α_i + λ_t + x_i'β_t by least squares over {t < g_i}, λ_t by label if `year_effects_by` names any, with the sample's covariates
    x, if it has any, × year; τ̂_it = y_it − α̂_i − λ̂_t − x_i'β̂_t for t ≥ g_i; τ̂(e) = mean of τ̂_{i,g_i+e}. Leads are a separate
    regression over untreated firm-years, the same with Σ_{e < −1} γ_e·1{t − g_i = e}: they test the model and take no part in the
    effects.

    Assumptions: parallel trends over all untreated years, between all firms; with `year_effects_by` only between firms of the same
    label; with covariates only between firms of the same x, trends being linear in x (the leads speak to that). No anticipation (so
    do they). Treatment has not moved x or the label (not checked). A treated firm-year whose firm or (label ×) year is never seen
    untreated, or whose x the firms untreated in the year do not span, has no counterfactual: it is left out and counted in the
    notes; an event time of which nothing is left is unavailable. Every untreated year counts as before, so a rise just before
    treatment biases the effects, and differently than in estimators that start from the last year before.

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

    Errors: clustered by firm or above, effects centred at the mean of their cohort and year, which is conservative; no small-sample
    factor, normal critical values. With weights the centre uses w². Given covariates they are summed over firms in passes,
    so that results cannot be merged from moments. Source: Borusyak, Jaravel and Spiess (2024); R didimputation 0.5.

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [2019, 2020, 2021] * 3,
    ...                       "y": [1.0, 1.0, 3.0, 2.0, 2.2, 2.2, 0.0, 0.0, 0.2], "g": [2021] * 3 + [0] * 6})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g")
    >>> round(sme.ImputationDiD().fit(sample).estimate, 10)      # 3 − (1 + 0.15): the others rose by 0.15 over their mean before
    1.85

    Firms that grow by x a year, given x:

    >>> x = [2.0] * 3 + [1.0] * 3 + [3.0] * 3
    >>> growing = frame.assign(x=x, y=x * (frame["year"] - 2019) + (frame["g"] == frame["year"]))
    >>> sample = sme.Sample.from_frame(growing, firm="id", year="year", outcome="y", cohort="g", covariates=("x",))
    >>> round(sme.ImputationDiD().fit(sample).estimate, 10)
    1.0
    """

    year_effects_by: YearEffectsBy = None
    level: float = 0.95

    def __post_init__(self) -> None:
        raise_if_any(DesignError, check_level(self.level) + check_year_effects(self.year_effects_by))

    def fit(self, data: Sample | Moments) -> EventStudy:
        """Impute and average, from a sample or its moments."""
        model = untreated_model(data, self.year_effects_by, "ImputationDiD")
        basis = model.basis(CONVENTION, self.level)
        centre = model.cohort_year_effects()
        leads, after = model.times[model.times < REFERENCE], model.times[model.times >= 0]
        given = model.event_columns(after).any(axis=(0, 1))
        effects = model.averages(model.event_columns(after[given]), centre)
        missing = {int(e): model.not_imputable for e in after[~given]}
        pretrends = model.leads(leads)
        found = leads if pretrends is not None else leads[:0]
        if pretrends is not None:
            effects = side_by_side(pretrends, effects)
        missing |= {int(e): LEADS_NOT_IDENTIFIED for e in np.setdiff1d(leads, found)}
        overall = model.averages(model.treated_column(), centre)
        return EventStudy(
            effects=event_effects(
                effects,
                np.concatenate([found, after[given]]),
                missing,
                replace(basis, convention=basis.convention + LEADS),
                model.imputable,
            ),
            overall=one_estimate(overall, model.average_term, basis, model.moments.treated & model.imputable),
            reference=REFERENCE,
        )
