"""Imputation difference-in-differences: treated outcomes minus what untreated firm-years predict for them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sme_eval.errors import DesignError, IdentificationError, raise_if_any
from sme_eval.moments.influence import Influence
from sme_eval.moments.moments import Moments
from sme_eval.panel.sample import Sample
from sme_eval.results.event_study import EventStudy
from sme_eval.stats.arrays import IntArray

from .event_rows import REFERENCE, event_effects, one_estimate, side_by_side, with_factor
from .protocol import as_moments, check_level
from .two_way import fit_two_way
from .untreated_model import NOT_IMPUTABLE, UntreatedModel

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

    α_i + λ_t by least squares over {t < g_i}; τ̂_it = y_it − α̂_i − λ̂_t for t ≥ g_i; τ̂(e) = mean of τ̂_{i,g_i+e}. Leads are a
    separate regression over untreated firm-years, y_it = α_i + λ_t + Σ_{e < −1} γ_e·1{t − g_i = e} + ε_it: they test the model and
    take no part in the effects.

    Assumptions: parallel trends between all firms over all untreated years and no anticipation (the leads speak to both). A
    treated firm-year whose firm or year is never seen untreated has no counterfactual: it is left out and counted in the notes; an
    event time of which nothing is left is unavailable. Every untreated year counts as before, so a rise just before treatment
    biases the effects, and differently than in estimators that start from the last year before.

    Parameters
    ----------
    level
        Level of the intervals.

    Raises
    ------
    DesignError
        The sample names no treatment or has covariates.
    IdentificationError
        No treated firm-year has a counterfactual, or all firms are in one cluster.

    Errors: clustered by firm or above, effects centred at the mean of their cohort and year, which is conservative; no small-sample
    factor, normal critical values. With weights the centre uses w². Source: Borusyak, Jaravel and Spiess (2024); R
    didimputation 0.5.

    Examples
    --------
    >>> import pandas as pd, sme_eval as sme
    >>> frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2, 3, 3, 3], "year": [2019, 2020, 2021] * 3,
    ...                       "y": [1.0, 1.0, 3.0, 2.0, 2.2, 2.2, 0.0, 0.0, 0.2], "g": [2021] * 3 + [0] * 6})
    >>> sample = sme.Sample.from_frame(frame, firm="id", year="year", outcome="y", cohort="g")
    >>> round(sme.ImputationDiD().fit(sample).estimate, 10)      # 3 − (1 + 0.15): the others rose by 0.15 over their mean before
    1.85
    """

    level: float = 0.95

    def __post_init__(self) -> None:
        raise_if_any(DesignError, check_level(self.level))

    def fit(self, data: Sample | Moments) -> EventStudy:
        """Impute and average, from a sample or its moments."""
        model = UntreatedModel.of(as_moments(data, (), "ImputationDiD"))
        moments = model.moments
        basis = model.basis(CONVENTION, self.level)
        centre = model.cohort_year_effects()
        leads, after = model.times[model.times < REFERENCE], model.times[model.times >= 0]
        given = model.event_columns(after).any(axis=(0, 1))
        effects = model.averages(model.event_columns(after[given]), centre)
        missing = {int(e): NOT_IMPUTABLE for e in after[~given]}
        pretrends = _pretrends(moments, leads)
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
            overall=one_estimate(overall, model.average_term, basis, moments.treated & model.imputable),
            reference=REFERENCE,
        )


def _pretrends(moments: Moments, leads: IntArray) -> Influence | None:
    """Leads by regression over untreated firm-years alone; None if there are none or they are not identified.

    A firm with a single untreated year stays in, as it does in R didimputation: it moves no lead but counts in N and G.
    """
    if not len(leads):
        return None
    untreated = moments.observed & ~moments.treated
    table = replace(
        moments,
        observed=untreated,
        mean=moments.mean * untreated,
        squared_weight_mean=moments.squared_weight_mean * untreated,
    )
    columns = ((table.event_time[:, :, None] == leads) & untreated[:, :, None]).astype(np.float64)
    try:
        return with_factor(fit_two_way(table, [f"event time {e}" for e in leads], columns, (None,)))
    except IdentificationError:
        return None
