"""What a design could find in a sample of this size: from its standard error alone, before any effect is looked at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.inference import critical_value
from sme_eval.terms import POWER

from .record_base import Bilingual, EffectRecord, Number
from .record_sections import PowerRecord

if TYPE_CHECKING:
    from .fitting import Fitted
    from .record import Evaluation

ALPHA = 0.05
"""Two-sided level of the test that the power is of."""


def power_record(
    key: str,
    label: Bilingual,
    std_error: Number,
    smallest_effect: float | None,
    *,
    log: bool,
    degrees_of_freedom: int | None = None,
) -> PowerRecord:
    """Detectable effect (t_{1 − α/2} + t_{power}) · se, the power at the smallest effect of interest, and the samples needed.

    With few degrees of freedom the power is that of the non-central t. Independent samples of this size divide the squared error by
    their number and bring degrees of freedom with them, so that the number needed is that of the normal.
    """
    detectable: Number = Unavailable("not estimated")
    power: Number = Unavailable("not estimated")
    samples: Number = Unavailable("not estimated")
    if not isinstance(std_error, Unavailable):
        size = reach(degrees_of_freedom) * std_error
        detectable = size
        if smallest_effect is not None:
            power = power_at(smallest_effect / std_error, degrees_of_freedom)
            samples = (reach(None) * std_error / smallest_effect) ** 2
    return PowerRecord(
        key=key,
        label=label,
        std_error=std_error,
        degrees_of_freedom=degrees_of_freedom,
        alpha=ALPHA,
        power=POWER,
        detectable=detectable,
        detectable_percent=_percent(detectable) if log else None,
        smallest_effect=smallest_effect,
        smallest_percent=None if smallest_effect is None or not log else 100.0 * math.expm1(smallest_effect),
        power_at_smallest=power,
        samples=samples,
    )


def reach(degrees_of_freedom: int | None) -> float:
    """The detectable effect in standard errors."""
    return _critical(1.0 - ALPHA, degrees_of_freedom) + _critical(2.0 * POWER - 1.0, degrees_of_freedom)


def power_at(standard_errors: float, degrees_of_freedom: int | None) -> float:
    """Probability that a two-sided test rejects an effect of so many standard errors."""
    from scipy import stats

    critical = _critical(1.0 - ALPHA, degrees_of_freedom)
    if degrees_of_freedom is None:
        return float(stats.norm.sf(critical - standard_errors) + stats.norm.cdf(-critical - standard_errors))
    shift = standard_errors
    return float(stats.nct.sf(critical, degrees_of_freedom, shift) + stats.nct.cdf(-critical, degrees_of_freedom, shift))


def effect_power(effect: EffectRecord, label: Bilingual, smallest_effect: float | None, free: int | None = None) -> PowerRecord:
    """The power of an estimated effect's design."""
    log = effect.percent is not None
    return power_record(effect.key, label, effect.std_error, smallest_effect, log=log, degrees_of_freedom=free)


def _critical(level: float, degrees_of_freedom: int | None) -> float:
    return critical_value(level, math.inf if degrees_of_freedom is None else degrees_of_freedom)


def _percent(value: Number) -> Number:
    return value if isinstance(value, Unavailable) else 100.0 * math.expm1(value)


def power_records(evaluation: Evaluation, headline: Fitted) -> tuple[PowerRecord, ...]:
    """Ex ante: the headline, other outcomes, and every part of a bundle."""
    outcome, smallest = evaluation.outcome, evaluation.outcome.smallest_effect
    free = headline.overall.degrees_of_freedom
    few = int(free) if evaluation.dose is not None and math.isfinite(free) else None
    records = [effect_power(evaluation.headline, outcome.label, smallest, few)]
    for effect in evaluation.mechanisms:
        other = evaluation.mechanism_outcomes[effect.outcome]
        records.append(effect_power(effect, other.label, other.smallest_effect))
    if evaluation.bundle is not None:
        log = evaluation.headline.percent is not None
        records = [
            power_record(part.name, part.label, part.std_error, smallest, log=log)
            for part in (*evaluation.bundle.sums, *evaluation.bundle.parts)
        ]
    return tuple(records)
