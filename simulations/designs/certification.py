"""Effect of certification by every design, on one panel: estimates and errors over event times 0 to 2."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from simulations.designs import Row
from simulations.designs.panels import OUTCOME, START, WINDOW, Wide, draw, policy_design, sample, wide
from simulations.worlds import World
from sme_eval.errors import IdentificationError
from sme_eval.estimators.callaway_santanna import CallawaySantAnna
from sme_eval.estimators.imputation import ImputationDiD
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.landmark_arm import Arm, arm_effects
from sme_eval.estimators.two_way_fixed_effects import TwoWayFixedEffects
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.results.effects import Effects
from sme_eval.results.event_study import EventStudy
from sme_eval.stats.arrays import BoolArray, FloatArray
from sme_eval.terms import NEVER

Found = tuple[str, float, float]
"""Name of a design, estimate, standard error."""

POLICY_COLUMNS = ("rd_intensity", "industry", "district", "listed_year")
GIVEN_GROWTH = LandmarkDiD(covariates=("rd_intensity",), growth_of=OUTCOME, listed="listed_year")
"""A as it was first measured: research intensity and past growth, no dummies."""


def rows(world: World, seed: int) -> list[Row]:
    """One row: truth, and estimate and error of each design."""
    panel = draw(world, seed)
    truth = panel.truth
    assert truth is not None
    row: Row = {"seed": seed}
    for outcome in (OUTCOME, "log_employment"):
        row[f"own {outcome}"] = truth.average(outcome, start=START, estimand="own", event_time=WINDOW)
    row["step"] = truth.average(OUTCOME, start=START, estimand="step", event_time=WINDOW)
    for found in (*usual(panel), *by_comparison(wide(panel)), *landmark(panel)):
        row[f"{found[0]} estimate"], row[f"{found[0]} error"] = found[1:]
    return [row]


def usual(panel: FirmPanel) -> Iterator[Found]:
    """Estimators that condition on nothing: all firms, or entrants against firms that are on no list in any year."""
    frame = panel.frame
    everyone = sample(frame)
    pure = sample(frame[(frame[START] > 0) | (frame["listed_year"] == 0)])
    overall = TwoWayFixedEffects().fit(everyone)
    yield "twfe", float(overall.estimate), float(overall.std_error)
    yield "imputation_never_listed", *window_mean(ImputationDiD().fit(pure).effects)
    for name, data, comparison in (
        ("cs_not_yet_treated", everyone, "not_yet_treated"),
        ("cs_never_treated", everyone, "never_treated"),
        ("cs_never_listed", pure, "never_treated"),
    ):
        groups = CallawaySantAnna(comparison=comparison).fit(data)  # type: ignore[arg-type]
        yield name, *window_mean(groups.aggregate("dynamic").effects)


def window_mean(effects: Effects | None) -> tuple[float, float]:
    """Plain mean over the event times of the window: every cohort is seen in all of them."""
    assert effects is not None
    times = np.asarray(effects.keys["event_time"])
    share = ((times >= WINDOW[0]) & (times <= WINDOW[1])) / (WINDOW[1] - WINDOW[0] + 1.0)
    inside = share > 0.0
    return (
        float(share[inside] @ effects.estimate[inside]),
        float(np.sqrt(share[inside] @ effects.covariance[np.ix_(inside, inside)] @ share[inside])),
    )


def by_comparison(firms: Wide) -> Iterator[Found]:
    """The same operator with other comparisons and covariates, base g − 1; the donut's base is g − 4."""
    library, other_srdi = firms.library < NEVER, (firms.srdi < NEVER) & (firms.certified == NEVER)
    start, fixed_growth = firms.outcome[:, [0]], firms.outcome[:, [2]] - firms.outcome[:, [0]]
    growth, nothing = _growth(firms), lambda g: np.ones((len(firms.rd), 1))
    designs: tuple[tuple[str, BoolArray, Callable[[int], FloatArray]], ...] = (
        ("cs_never_listed_growth", firms.never_listed, growth),
        ("library_raw", library, nothing),
        ("library_growth", library, growth),
        ("srdi_other_four_lags", other_srdi, lambda g: _with_intercept(firms.rd[:, None], _lags(firms, g))),
        ("cs_rd_level_2015", firms.never_listed, lambda g: _with_intercept(firms.rd[:, None], start)),
        ("cs_fixed_growth", firms.never_listed, lambda g: _with_intercept(firms.rd[:, None], fixed_growth)),
    )
    for name, comparison, covariates in designs:
        yield name, *_mean(firms, comparison, covariates)
    yield "cs_donut_rd", *_mean(firms, firms.never_listed, lambda g: _with_intercept(firms.rd[:, None]), base=-4)


def _mean(firms: Wide, comparison: BoolArray, covariates: Callable[[int], FloatArray], base: int = -1) -> tuple[float, float]:
    """Mean over the window from `base`: of effects from g − 1 that at `base` is taken off, the same firms and covariates given."""
    everyone = np.ones(len(firms.rd), dtype=np.bool_)
    arm = Arm(entry=firms.certified, member=everyone, comparison=lambda g: comparison)
    found = arm_effects(arm, firms.outcome[None], firms.years, covariates, (min(base, 0), WINDOW[1]))
    value, influence = found.window_mean(*WINDOW)
    if base != -1:
        at = found.times.index(base)
        value, influence = value - found.value[:, at], influence - found.influence[:, :, at]
    return float(value[0]), float(np.sqrt(influence[:, 0] @ influence[:, 0]))


def _with_intercept(*columns: FloatArray) -> FloatArray:
    return np.column_stack([np.ones(len(columns[0])), *columns])


def _growth(firms: Wide) -> Callable[[int], FloatArray]:
    def covariates(g: int) -> FloatArray:
        at = int(np.searchsorted(firms.years, g))
        return _with_intercept(firms.rd[:, None], firms.outcome[:, [at - 1]] - firms.outcome[:, [at - 3]])

    return covariates


def _lags(firms: Wide, g: int) -> FloatArray:
    at = int(np.searchsorted(firms.years, g))
    return firms.outcome[:, at - 4 : at]


def landmark(panel: FirmPanel) -> Iterator[Found]:
    """The landmark designs: as first measured, the policy's own with its two twins, and the policy's own on employment."""
    design = policy_design("certification")
    data = sample(panel.frame, columns=POLICY_COLUMNS)
    policy = design.estimator
    assert isinstance(policy, LandmarkDiD)
    designs = {
        "landmark": GIVEN_GROWTH,
        "landmark_dr": GIVEN_GROWTH.doubly_robust(),
        "landmark_dummies": policy,
        "landmark_dummies_dr": policy.doubly_robust(),
        "landmark_unconditional": policy.unconditional(),
    }
    for name, estimator in designs.items():
        result = _fit(estimator, data)
        yield name, *_overall(result)
        if name in ("landmark", "landmark_dummies") and result is not None and result.by_cohort is not None:
            of = result.by_cohort
            for cohort, value, error in zip(of.keys["cohort"], of.estimate, of.std_error, strict=True):
                yield f"{name}_{cohort}", float(value), float(error)
    staff = sample(panel.frame, "log_employment", columns=(*POLICY_COLUMNS, OUTCOME))
    yield "landmark_dummies_employment", *_overall(_fit(policy, staff))


def _fit(estimator: LandmarkDiD, data: object) -> EventStudy | None:
    """None where the covariates tell entrants apart for certain."""
    try:
        return estimator.fit(data)  # type: ignore[arg-type]
    except IdentificationError:
        return None


def _overall(result: EventStudy | None) -> tuple[float, float]:
    return (np.nan, np.nan) if result is None else (float(result.overall.estimate), float(result.overall.std_error))
