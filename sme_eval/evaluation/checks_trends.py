"""Trend checks beside those that decide: what the test could have missed, earlier base years, placebo dates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np

from sme_eval.checks.anticipation import MovedBase, check_anticipation
from sme_eval.checks.placebo_timing import PlaceboDate, check_placebo_timing
from sme_eval.checks.pretrend_power import EVEN, HIGH, check_pretrend_power, detectable_drift
from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.trends import TREND_ALPHA, TREND_ALPHA_GIVEN_GROWTH
from sme_eval.errors import DataError, DesignError, IdentificationError
from sme_eval.estimators.before_after import BeforeAfter
from sme_eval.estimators.callaway_santanna import CallawaySantAnna
from sme_eval.estimators.landmark import LandmarkDiD
from sme_eval.estimators.landmark_variants import moved_earlier
from sme_eval.panel.sample import Sample
from sme_eval.results.effects import Effects
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.terms import NEVER

from .asked import Asked
from .fitting import GROWTH_DESIGNS, Fitted, fit, leads_of

ANTICIPATION = (1, 2)
"""Years of anticipation that are tried."""
DONUT = 3
"""Years before entry that a donut leaves out where the design conditions on no growth: the usual span of past growth."""
PLACEBO_YEARS = (2, 3, 4)
"""How many years early entry is pretended."""
Found = tuple[float | Unavailable, float | Unavailable, int | None]
"""Estimate, standard error, treated firms."""


def trends_checks(asked: Asked) -> Iterator[CheckResult]:
    """What the pre-trend test could have missed; anticipation and donuts; placebo dates. Nothing where nobody is compared."""
    if isinstance(asked.headline.estimator, BeforeAfter):
        return
    yield _pretrend_power(asked)
    anticipation = _anticipation(asked)
    if anticipation is not None:
        yield anticipation
    placebo = _placebo_timing(asked)
    if placebo is not None:
        yield placebo


def _pretrend_power(asked: Asked) -> CheckResult:
    """Compared with the headline where that is an average over event times; a slope of doses or a part of a bundle is none."""
    shown, effects = asked.shown, asked.shown.by_event_time
    assert effects is not None
    own = asked.headline.estimand not in ("dose_slope", "separated")
    alpha = TREND_ALPHA_GIVEN_GROWTH if isinstance(asked.design.estimator, GROWTH_DESIGNS) else TREND_ALPHA
    base = str(getattr(shown.estimator, "base_period", "universal"))
    weight = average_weight(shown, effects)
    low, high = (detectable_drift(effects, leads_of(shown), weight, base, alpha, chance) for chance in (EVEN, HIGH))
    leads = leads_of(shown)
    treated = [n for n, lead in zip(effects.n_treated, leads, strict=True) if lead] if effects.n_treated else []
    return check_pretrend_power(
        None if low is None or high is None else (low, high),
        log=asked.design.policy.outcome(asked.design.outcome).scale == "log",
        headline=float(asked.headline.overall.estimate),
        smallest_effect=asked.smallest_effect if own else None,
        n_treated=max(treated, default=None),
    )


def average_weight(shown: Fitted, effects: Effects) -> FloatArray:
    """Weight (J,) of each event time in the average effect: its treated firms where firm-years count alike, else the same."""
    late = (np.asarray(effects.keys["event_time"]) >= 0) & np.isfinite(effects.estimate)
    weight = late.astype(np.float64)
    if shown.estimand == "treated_firm_years" and effects.n_treated:
        weight *= np.asarray(effects.n_treated, dtype=np.float64)
    total = float(weight.sum())
    return weight / total if total else weight


def _anticipation(asked: Asked) -> CheckResult | None:
    estimator, overall = asked.headline.estimator, asked.headline.overall
    if isinstance(estimator, LandmarkDiD):
        others = list(_moved_landmarks(estimator, asked.sample))
    elif isinstance(estimator, CallawaySantAnna):
        others = list(_moved_group_time(estimator, asked.sample))
    else:
        return None
    headline = _moved("headline", lambda: (overall.estimate, overall.std_error, overall.n_treated), bump=False)
    return check_anticipation(headline, others, asked.design.level)


def _moved_landmarks(estimator: LandmarkDiD, sample: Sample) -> Iterator[MovedBase]:
    """All have a base before some of the growth by which firms may have been chosen."""
    window = (0, estimator.window[1])
    out = DONUT if estimator.past_growth is None else -estimator.past_growth[0]
    bare = replace(estimator, past_growth=None, growth_of=None, growth_split=False)
    for years in ANTICIPATION:
        bump = estimator.past_growth is not None
        yield _moved(f"anticipation_{years}", lambda n=years: _landmark(estimator, sample, n, window), bump=bump)  # type: ignore[misc]
    yield _moved("donut", lambda: _landmark(bare, sample, out, window), bump=True)
    if estimator.covariates:
        yield _moved("donut_unconditional", lambda: _landmark(estimator.unconditional(), sample, out, window), bump=True)


def _landmark(estimator: LandmarkDiD, sample: Sample, years: int, window: tuple[int, int]) -> Found:
    found = moved_earlier(estimator, sample, years, window)
    return found.estimate, found.std_error, found.n_treated


def _moved_group_time(estimator: CallawaySantAnna, sample: Sample) -> Iterator[MovedBase]:
    for name, years in (*((f"anticipation_{years}", years) for years in ANTICIPATION), ("donut", DONUT)):
        moved = replace(estimator, anticipation=estimator.anticipation + years)
        yield _moved(name, lambda e=moved: _refitted(e, sample), bump=name == "donut")  # type: ignore[misc]


def _refitted(estimator: Any, sample: Sample) -> Found:
    overall = fit(estimator, sample).overall
    return overall.estimate, overall.std_error, overall.n_treated


def _moved(key: str, found: Callable[[], Found], *, bump: bool) -> MovedBase:
    estimate, std_error, n_treated = _tried(found)
    return MovedBase(key=key, estimate=estimate, std_error=std_error, n_treated=n_treated, bump=bump)


def _tried(found: Callable[[], Found]) -> Found:
    """What a refit gives, or why it gives nothing: bad news is no error here."""
    try:
        return found()
    except (IdentificationError, DesignError, DataError):
        return Unavailable("not possible with these years"), Unavailable("not possible with these years"), None


def _placebo_timing(asked: Asked) -> CheckResult | None:
    """By the headline's estimator; a bundle by the landmark design of its event study. A slope of doses has no placebo date."""
    estimator = asked.shown.estimator if asked.headline.estimand == "separated" else asked.headline.estimator
    if isinstance(estimator, LandmarkDiD):
        dates = [_landmark_date(estimator, asked.sample, years) for years in PLACEBO_YEARS]
    elif isinstance(estimator, GROWTH_DESIGNS):
        return None
    else:
        dates = [_date(years, lambda n=years: _refitted_early(asked, n), within_growth=False) for years in PLACEBO_YEARS]  # type: ignore[misc]
    return check_placebo_timing(dates, asked.design.level)


def _date(years: int, found: Callable[[], Found], *, within_growth: bool) -> PlaceboDate:
    estimate, std_error, n_treated = _tried(found)
    return PlaceboDate(years=years, estimate=estimate, std_error=std_error, n_treated=n_treated, within_growth=within_growth)


def _landmark_date(estimator: LandmarkDiD, sample: Sample, years: int) -> PlaceboDate:
    """Counted with effects before the growth window only, and then given the growth in it: shocks that last reach further back."""
    last = -1 if estimator.past_growth is None else estimator.past_growth[0] - 1
    counted = -years <= last

    def found() -> Found:
        window = (-years, last if counted else -1)
        given = counted and estimator.past_growth is not None
        moved = moved_earlier(estimator, sample, years, window, given_entry_growth=given)
        return moved.estimate, moved.std_error, moved.n_treated

    return _date(years, found, within_growth=not counted)


def _refitted_early(asked: Asked, years: int) -> Found:
    """The headline's estimator with entry pretended early, on the rows before the true one."""
    estimator = asked.headline.estimator
    if getattr(estimator, "panel", None) == "balanced":
        estimator = cast(Any, replace(cast(Any, estimator), panel="pairs"))
    return _refitted(estimator, _early_sample(asked, years))


def _early_sample(asked: Asked, years: int) -> Sample:
    """Rows of years before the true entry, of firms that the headline uses, with entry `years` earlier.

    A balanced headline uses firms seen in every year; their rows end at entry here, so that balance is asked for before it is cut.
    """
    sample, names = asked.sample, asked.sample.names
    assert sample.cohort is not None and names.cohort is not None
    cohort, firm = sample.cohort[sample.firm_codes], sample.firm_codes
    year = sample.years[sample.year_codes]
    keep = year < cohort
    if getattr(asked.headline.estimator, "panel", None) == "balanced":
        keep &= np.asarray(np.isfinite(sample.outcome).all(axis=1))[firm]
    treated = (cohort != NEVER) & (cohort <= sample.years[-1])
    frame = sample.frame.loc[:, list(dict.fromkeys(names.needed))].assign(**{names.cohort: np.where(treated, cohort - years, 0)})
    return Sample.from_frame(
        frame[keep],
        firm=names.firm,
        year=names.year,
        outcome=names.outcome,
        cohort=names.cohort,
        never_treated=0,
        always_treated="drop",
        covariates=names.covariates,
        columns=names.columns,
        cluster=names.cluster,
        weight=names.weight,
    )
