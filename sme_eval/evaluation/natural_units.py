"""The effect on a log outcome for a typical treated firm, in the outcome's own unit: base × (e^β − 1)."""

from __future__ import annotations

import math

import numpy as np

from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.sample import Sample
from sme_eval.results.unavailable import Unavailable
from sme_eval.terms import NEVER

from .policy_record import bilingual
from .record_base import EffectRecord, Number
from .record_reading import NaturalRecord
from .record_sections import BracketRecord

AVERAGES = ("treated_firm_years", "regression_weighted", "event_average", "landmark", "before_after")
"""Estimands that are a change of treated firms: a slope of doses and a sum of parts are not."""


def natural_record(effect: EffectRecord, sample: Sample, panel: FirmPanel, bracket: BracketRecord | None) -> NaturalRecord | None:
    """The headline for a firm at the geometric mean of the year before entry; None where the outcome is no logarithm of a unit.

    The base is the geometric mean because effects on logs are relative: base × e^β is the mean firm with the effect.
    """
    unit = panel.dictionary[effect.outcome].unit
    if effect.percent is None or effect.estimand not in AVERAGES or unit is None or unit.logarithm_of not in panel.dictionary.units:
        return None
    values = values_before_entry(sample)
    if not len(values):
        return None
    base = math.exp(float(values.mean()))
    return NaturalRecord(
        unit=bilingual(panel.dictionary.units[unit.logarithm_of].label),
        base=base,
        base_n_firms=len(values),
        estimate=_natural(base, effect.estimate),
        conf_low=_natural(base, effect.conf_low),
        conf_high=_natural(base, effect.conf_high),
        hull_low=None if bracket is None else _natural(base, bracket.hull_low),
        hull_high=None if bracket is None else _natural(base, bracket.hull_high),
    )


def values_before_entry(sample: Sample) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The outcome of each treated firm in the year before its entry, where it is seen."""
    if sample.cohort is None:
        return np.empty(0)
    inside = (sample.cohort != NEVER) & np.isin(sample.cohort - 1, sample.years) & (sample.cohort <= sample.years[-1])
    firms = np.flatnonzero(inside)
    values: np.ndarray[tuple[int], np.dtype[np.float64]] = sample.outcome[
        firms, np.searchsorted(sample.years, sample.cohort[firms] - 1)
    ]
    return values[np.isfinite(values)]


def _natural(base: float, value: Number) -> Number:
    return value if isinstance(value, Unavailable) else base * math.expm1(value)
