"""Who is compared with whom and when, which effects may be asked for, and the same entry dated by other rules."""

from __future__ import annotations

import math

import numpy as np

from sme_eval.errors import IdentificationError
from sme_eval.estimators.landmark import LandmarkDiD, read_landmark
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.terms import NEVER

from .design import Design
from .effects import Scale, effect_record
from .fitting import GROWTH_DESIGNS, Fitted, fit, last_lead, not_identified, sample_of
from .policy_record import bilingual
from .record_base import EffectRecord
from .record_sections import CodingRecord, ComparedRecord, EstimandRecord

ESTIMANDS = ("step", "own", "bundle")
"""A landmark design asks what firms gained after the year before entry."""


def compared_records(design: Design, sample: Sample) -> tuple[ComparedRecord, ...]:
    """One row per cohort of a landmark design; empty for others."""
    estimator = design.estimator
    if not isinstance(estimator, GROWTH_DESIGNS) or sample.cohort is None:
        return ()
    cohort = sample.cohort
    who = LandmarkDiD(listed=estimator.listed, within=getattr(estimator, "within", None), past_growth=None)
    compared = read_landmark(who, sample, cohort)[1].comparison
    nowhere = compared(NEVER - 1)
    growth = estimator.past_growth
    first, last = (int(t) for t in estimator.window)
    years = sample.years
    rows = []
    for g in np.unique(cohort[cohort <= years[-1]]):
        needed = int(g) + (-1 if growth is None else int(growth[0]))
        if needed < years[0]:
            continue
        leads = [int(g) + e for e in range(first, last_lead(estimator) + 1) if int(g) + e >= years[0]]
        comparison = compared(int(g))
        rows.append(
            ComparedRecord(
                cohort=int(g),
                n_treated=int((cohort == g).sum()),
                n_comparison=int(comparison.sum()),
                n_listed=int(((cohort > g) & ~comparison).sum()),
                n_later=int((comparison & ~nowhere).sum()),
                first_lead=leads[0] if leads else None,
                last_lead=leads[-1] if leads else None,
                first_growth=None if growth is None else int(g) + int(growth[0]),
                base=int(g) - 1,
                last_effect=min(int(g) + last, int(years[-1])),
            )
        )
    return tuple(rows)


def estimand_records(fitted: Fitted, scale: Scale) -> tuple[EstimandRecord, ...]:
    """The three effects that a landmark design must not mix up, with their truth in a simulation."""
    if fitted.estimand != "landmark" or fitted.by_event_time is None:
        return ()
    times = [e for e in fitted.by_event_time.keys["event_time"] if e >= 0]
    rows = []
    for name in ESTIMANDS:
        truth = _truth(scale, name, times)
        percent = None if truth is None or not scale.log else 100.0 * math.expm1(truth)
        rows.append(EstimandRecord(name=name, asked=name == scale.estimand, truth=truth, truth_percent=percent))
    return tuple(rows)


def _truth(scale: Scale, estimand: str, times: list[int]) -> float | None:
    if scale.truth is None or (estimand == "step" and scale.outcome not in scale.truth.parts):
        return None
    by_time = scale.truth.by_event_time(scale.outcome, start=scale.start, estimand=estimand)  # type: ignore[arg-type]
    return float(np.mean([by_time[e] for e in times]))


def coding_records(design: Design, panel: FirmPanel, headline: EffectRecord) -> tuple[CodingRecord, ...]:
    """The headline, and its design on every other dating of the same entry; empty where the policy knows one dating only."""
    treatment = design.policy.treatment
    others = [coding for coding in treatment.codings if coding.column in panel.columns]
    if not others:
        return ()
    records = [CodingRecord(column=treatment.cohort, label=bilingual(treatment.label), asked=True, effect=headline)]
    for n, coding in enumerate(others, start=1):
        sample = sample_of(design, panel, design.outcome, coding.column)
        scale = Scale.of(design.policy, panel, design.outcome, coding.column)
        try:
            fitted = fit(design.estimator, sample)
        except IdentificationError as error:
            fitted = not_identified(design.estimator, sample, error)
        effect = effect_record(f"coding_{n}", design.outcome, fitted, scale)
        records.append(CodingRecord(column=coding.column, label=bilingual(coding.label), asked=False, effect=effect))
    return tuple(records)
