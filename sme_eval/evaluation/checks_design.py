"""The checks of a design that refit it: without some firms, without other policies' firms, on placebo assignments."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sme_eval.checks.concurrent import ALL_TOGETHER, OtherPolicy, check_concurrent
from sme_eval.checks.leave_one_out import Unit, check_leave_one_out
from sme_eval.checks.protocol import CheckResult
from sme_eval.checks.shifts import LeftOut
from sme_eval.estimators.before_after import BeforeAfter
from sme_eval.estimators.district_dose import DistrictDose
from sme_eval.estimators.untangle import Untangle
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import BoolArray, FloatArray, IntArray

from .asked import Asked
from .checks_design_data import attrition_check, lapse_check, spillover_check
from .firm_columns import firm_codes, firm_column, first_years, labels_of
from .placebos import placebo_check
from .refits import Refit
from .risk_sets import average_window, risk_sets

SLOW = (DistrictDose, Untangle)
"""Estimators without placebo assignments: hundreds of refits take minutes; a dose has its permutation of districts."""
FEWEST_UNITS = 3
"""Leaving out one of two units leaves the other alone, which is no check."""


def design_checks(asked: Asked) -> Iterator[CheckResult]:
    """Every check of the design that the headline and the panel allow; nothing where nobody is compared."""
    nobody = isinstance(asked.headline.estimator, BeforeAfter)
    if nobody or asked.sample.cohort is None or isinstance(asked.headline.overall.estimate, Unavailable):
        return
    refit, code = Refit.of(asked), firm_codes(asked)
    yield from _leave_one_out(asked, refit, code)
    yield from _concurrent(asked, refit, code)
    if not isinstance(asked.design.estimator, SLOW):
        yield placebo_check(asked)
    yield from spillover_check(asked, refit, code)
    yield from attrition_check(asked)
    yield from lapse_check(asked, refit, code)


def treated_firms(asked: Asked) -> BoolArray:
    """(N,) firms treated within the panel."""
    cohort = asked.sample.cohort
    assert cohort is not None
    return np.asarray(cohort <= asked.sample.years[-1])


def left_out(asked: Asked, refit: Refit, code: IntArray, out: BoolArray, key: str) -> LeftOut:
    """The headline without the firms `out` (N,)."""
    keep = (code < 0) | ~out[np.where(code >= 0, code, 0)]
    counts = int((out & treated_firms(asked)).sum()), int(out.sum())
    return LeftOut(key=key, estimate=refit.rows(keep), n_treated=counts[0], n_firms=counts[1])


def _leave_one_out(asked: Asked, refit: Refit, code: IntArray) -> Iterator[CheckResult]:
    headline, rule = asked.headline.overall, asked.design.policy.checks
    cohorts = _without_cohorts(asked, refit, code)
    if len(cohorts) > 1:
        yield check_leave_one_out("cohort", headline, cohorts)
    units: tuple[tuple[Unit, str], ...] = (("district", rule.district), ("industry", rule.industry))
    for unit, name in units:
        labels = firm_column(asked, name)
        if labels is None:
            continue
        text = labels.astype(str)
        keys = np.unique(text[treated_firms(asked)])
        if len(keys) >= FEWEST_UNITS:
            yield check_leave_one_out(unit, headline, [_without_label(asked, refit, code, name, text == key, key) for key in keys])


def _without_label(asked: Asked, refit: Refit, code: IntArray, name: str, out: BoolArray, key: str) -> LeftOut:
    """The headline without the firms of a category, named as the dictionary names it."""
    left = left_out(asked, refit, code, out, key)
    return LeftOut(
        key=key, estimate=left.estimate, n_treated=left.n_treated, n_firms=left.n_firms, label=labels_of(asked, name, key)
    )


def _without_cohorts(asked: Asked, refit: Refit, code: IntArray) -> list[LeftOut]:
    """The headline without one cohort's entrants, who stay in the comparison of earlier ones where the estimator can keep them."""
    cohort, inside = asked.sample.cohort, code >= 0
    assert cohort is not None
    found = []
    for g in np.unique(cohort[treated_firms(asked)]):
        own = cohort == g
        kept = ~inside | ~own[np.where(inside, code, 0)]
        n = int(own.sum())
        found.append(LeftOut(key=str(int(g)), estimate=refit.entrants(kept), n_treated=n, n_firms=n))
    return found


def _concurrent(asked: Asked, refit: Refit, code: IntArray) -> Iterator[CheckResult]:
    """Other policies one by one, and all of them together where there are several."""
    last = asked.sample.years[-1]
    years = {name: first_years(asked, name) for name in asked.design.policy.checks.concurrent}
    known = {name: values for name, values in years.items() if values is not None and (values <= last).any()}
    if not known:
        return
    others = [_other_policy(asked, refit, code, name, values) for name, values in known.items()]
    if len(known) > 1:
        others.append(_other_policy(asked, refit, code, ALL_TOGETHER, np.min(list(known.values()), axis=0)))
    yield check_concurrent(asked.headline.overall, others)


def _other_policy(asked: Asked, refit: Refit, code: IntArray, name: str, first_year: FloatArray) -> OtherPolicy:
    """The headline without firms that had entered the other policy by the end of the panel."""
    without = left_out(asked, refit, code, first_year <= asked.sample.years[-1], name)
    shares = entered_in_window(asked, first_year)
    dictionary = asked.panel.dictionary
    label = (dictionary[name].label.zh, dictionary[name].label.en) if name in dictionary else None
    if label is None and name != ALL_TOGETHER:
        label = (name, name)
    labelled = LeftOut(key=name, estimate=without.estimate, n_treated=without.n_treated, n_firms=without.n_firms, label=label)
    return OtherPolicy(without=labelled, share_treated=shares[0], share_comparison=shares[1])


def entered_in_window(asked: Asked, first_year: FloatArray) -> tuple[float, float]:
    """Shares of treated and of comparison firms that enter in the window of their cohort, cohorts by their treated firms."""
    window = average_window(asked.design.estimator, asked.sample)
    total, treated, comparison = 0, 0.0, 0.0
    for risk in risk_sets(asked.design.estimator, asked.sample):
        n = int(risk.treated.sum())
        if not n or not risk.comparison.any():
            continue
        entered = (first_year >= risk.cohort + window[0]) & (first_year <= risk.cohort + window[1])
        total += n
        treated += n * float(entered[risk.treated].mean())
        comparison += n * float(entered[risk.comparison].mean())
    return (treated / total, comparison / total) if total else (0.0, 0.0)
