"""A landmark design with its dates moved: another base year, or an entry that is pretended to have come earlier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sme_eval.errors import IdentificationError, Problem
from sme_eval.estimators.landmark import LandmarkDiD, clustered, read_landmark, require_landmark
from sme_eval.estimators.landmark_arm import Arm, arm_effects
from sme_eval.estimators.landmark_covariates import LandmarkCovariates
from sme_eval.panel.sample import Sample
from sme_eval.stats.arrays import FloatArray
from sme_eval.terms import NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedEffect:
    """Mean effect over the asked event times with the design's dates moved, its error, and the treated firms behind it."""

    estimate: float
    std_error: float
    n_treated: int


def moved_earlier(
    landmark: LandmarkDiD, sample: Sample, years: int, window: tuple[int, int], *, given_entry_growth: bool = False
) -> MovedEffect:
    """The design with everything before entry moved `years` earlier: base g − 1 − years, past growth as many years earlier.

    Estimand: the mean over event times e of `window`, counted from the *true* entry g, of E[Y_{g+e} − Y_{g−1−years} | G = g] −
    E[m(X) | G = g], X as of g − years. The comparison stays that of the true entry. With `window` from 0 on it is the effect if
    firms react `years` years ahead; with a window before 0 a placebo: an entry that had not happened yet.

    `given_entry_growth` adds the growth before the *true* entry to X: firms that were chosen by it differ in earlier years too,
    because shocks last. It must not be used with effects inside that growth's span, which it would fit away.

    It is the regression form, by the operator of `LandmarkDiD` on the moved entry: years = 0 gives `LandmarkDiD` itself.

    Raises
    ------
    DesignError, DataError
        As `LandmarkDiD`.
    IdentificationError
        No cohort has the moved base year, the moved growth years and a comparison that spans its covariates.
    """
    cohort = require_landmark(landmark, sample)
    covariates, arm = read_landmark(landmark, sample, cohort)
    inside = (cohort != NEVER) & (cohort <= sample.years[-1])
    moved = Arm(entry=np.where(inside, cohort - years, NEVER), member=arm.member, comparison=lambda g: arm.comparison(g + years))
    given = _with_entry_growth(covariates, years) if given_entry_growth else covariates
    asked = (window[0] + years, window[1] + years)
    found = arm_effects(moved, sample.outcome[None], sample.years, given, (min(0, asked[0]), asked[1]), sample.weight)
    cells = [j for j, e in enumerate(found.times) if asked[0] <= e <= asked[1] and np.isfinite(found.value[0, j])]
    if not cells:
        raise IdentificationError(
            Problem(
                what=f"No cohort has a base year {years + 1} years before entry with growth and comparison firms of that time.",
                remedy="lengthen the panel, or ask for fewer years",
            )
        )
    influence = found.influence[:, 0, cells].mean(axis=1)
    return MovedEffect(
        estimate=float(found.value[0, cells].mean()),
        std_error=float(np.sqrt(clustered(sample, influence[:, None])[0, 0])),
        n_treated=int(found.n_treated[cells].max()),
    )


def _with_entry_growth(covariates: LandmarkCovariates, years: int) -> Callable[[int], FloatArray]:
    """Covariates as of the moved entry, and beside them the growth before the true one."""
    n_fixed = covariates.fixed.shape[1]

    def given(g: int) -> FloatArray:
        return np.column_stack([covariates(g), covariates(g + years)[:, n_fixed:]])

    return given
