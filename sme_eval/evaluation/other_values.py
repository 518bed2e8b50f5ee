"""The headline's design on other values of its outcome, or on another outcome: only the average effect, as cheaply as it comes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sme_eval.errors import DataError, DesignError, IdentificationError
from sme_eval.estimators.district_dose import DistrictDose
from sme_eval.estimators.district_effects import DistrictColumns, district_effects
from sme_eval.estimators.district_slopes import slope_estimates
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.landmark_covariates import PastGrowth
from sme_eval.estimators.protocol import Estimator
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.results.basis import Basis
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.few_clusters import FEWEST_DISTRICTS

from .asked import Asked
from .design import Design
from .fitting import fit, needed_columns

if TYPE_CHECKING:
    import pandas as pd


def refitted(asked: Asked, values: FloatArray) -> Estimate | Unavailable:
    """The headline with `values` (rows of the panel's frame) in the place of its outcome, past growth of it included.

    What cannot be estimated is the reason why.
    """
    frame = asked.panel.frame
    frame[asked.design.outcome] = values
    try:
        return estimate_of(asked.design.estimator, sample_like(asked.design, frame, asked.design.outcome))
    except (DataError, DesignError, IdentificationError) as error:
        return Unavailable(f"not identified: {error.problems[0].what}")


def sample_like(design: Design, frame: pd.DataFrame, outcome: str, further: tuple[str, ...] = ()) -> Sample:
    """The design's sample of `outcome` on a frame that need not obey the dictionary: transformed outcomes have no unit there."""
    treatment = design.policy.treatment
    needed = dict.fromkeys((*needed_columns((design.estimator,)), *further))
    return Sample.from_frame(
        frame,
        firm="firm",
        year="year",
        outcome=outcome,
        cohort=treatment.cohort,
        never_treated=treatment.never_treated,
        always_treated="drop",
        covariates=design.covariates,
        columns=tuple(name for name in needed if name not in (outcome, treatment.cohort)),
        cluster=design.cluster,
    )


def estimate_of(estimator: Estimator, sample: Sample) -> Estimate:
    """The average effect alone: no leads, no permutation, no bootstrap; equal to the headline's on its own sample."""
    if isinstance(estimator, LandmarkDiD):
        return fit(replace(estimator, window=(0, estimator.window[1])), sample).overall
    if isinstance(estimator, DistrictDose) and sample.cohort is not None:
        return _slope(estimator, sample)
    return fit(estimator, sample).overall


def _slope(choices: DistrictDose, sample: Sample) -> Estimate:
    """The slope on dose without what the headline shows around it."""
    assert sample.cohort is not None
    growth = None if choices.past_growth is None else PastGrowth(span=choices.past_growth, of=choices.growth_of)
    columns = DistrictColumns(
        district=choices.district, dose=choices.dose, listed=choices.listed, covariates=choices.covariates, growth=growth
    )
    found = district_effects(sample, sample.cohort, columns, (0, choices.window[1]))
    usable = found.estimable()
    if usable.sum() < FEWEST_DISTRICTS or np.ptp(found.dose[usable]) == 0.0:
        return fit(choices, sample).overall  # which says why there is no slope
    basis = Basis(
        n_firms=sample.n_firms,
        n_observations=len(sample.position),
        n_clusters=len(found.scores),
        convention="",
        level=choices.level,
        unit=sample.names.outcome,
    )
    return slope_estimates(found, choices.per, basis).ols


def holds(panel: FirmPanel, *names: str) -> bool:
    """Whether the panel has all these columns."""
    return all(name in panel.columns for name in names)
