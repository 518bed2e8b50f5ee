"""Value for money: what the effect of the headline costs the public, and what a yuan of public money is worth to those who get it.

Everything is per treated firm of typical size and follows from the effect in natural units by `sme_eval.stats.ratios`: no total
over firms. Where the effect's interval covers zero, a cost per unit of it has no upper bound, and where all of it is negative none.
Sources: Hendren and Sprung-Keyser (2020) for the marginal value of public funds; Fieller (1954) for the intervals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast, get_args

import numpy as np

from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.policies.policy import Policy
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray
from sme_eval.stats.ratios import drawn, known_over

from .natural_units import AVERAGES
from .record_base import Number
from .record_value import AssumptionRecord, RangeRecord, ValueRecord, ValueRow, ValueUnit
from .value_costs import Corner, assumption_records, corners

if TYPE_CHECKING:
    from .record import Evaluation

COMPARING: Final = tuple(name for name in AVERAGES if name != "before_after")
"""Estimands that are an effect per treated firm and compare somebody."""
OF_REVENUE: Final = ("tax_share", "compliance")
"""Assumptions that only the marginal value of public funds asks for, which needs an effect in money."""
DRAWS: Final = 9_999
SEED: Final = 0
NO_BOUND = Unavailable("no upper bound")
NO_GAIN = Unavailable("no finite bound: there is no gain to divide by")
PAYS = Unavailable("pays for itself: the net cost is not positive")
NO_CASH = Unavailable("no cash reaches the firm")
NO_COST = Unavailable("no public cost is stated")

Amount = Callable[[Corner, float], float]
Pair = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """One result that is a ratio: `above` over `below`, the effect in natural units being the second argument of `below`.

    `open` stands for an end that is not finite because the denominator reaches zero, `none` where it is nowhere positive, `nothing`
    where there is nothing above.
    """

    above: Callable[[Corner], float]
    below: Callable[[Corner, FloatArray], FloatArray]
    open: Unavailable
    none: Unavailable
    nothing: Unavailable


def _taxes(corner: Corner, effect: FloatArray) -> FloatArray:
    return corner.tax_share * corner.additional * corner.years * effect


OUTLAY: Final[Mapping[str, Amount]] = {"outlay": lambda corner, _: corner.outlay}
"""Does not depend on the effect."""
GAINS: Final[Mapping[str, Amount]] = {"additional": lambda corner, effect: corner.additional * effect}
RETURNS: Final[Mapping[str, Amount]] = {
    "taxes": lambda corner, effect: float(_taxes(corner, np.asarray(effect))),
    "net_cost": lambda corner, effect: corner.outlay - float(_taxes(corner, np.asarray(effect))),
}
PER_UNIT = Ratio(
    above=lambda corner: corner.outlay,
    below=lambda corner, effect: corner.additional * effect,
    open=NO_BOUND,
    none=NO_GAIN,
    nothing=NO_COST,
)
PER_UNIT_YEAR = Ratio(
    above=lambda corner: corner.outlay,
    below=lambda corner, effect: corner.additional * corner.years * effect,
    open=NO_BOUND,
    none=NO_GAIN,
    nothing=NO_COST,
)
MARGINAL_VALUE = Ratio(
    above=lambda corner: corner.cash,
    below=lambda corner, effect: corner.outlay - _taxes(corner, effect),
    open=PAYS,
    none=PAYS,
    nothing=NO_CASH,
)


def value_record(policy: Policy, evaluation: Evaluation, panel: FirmPanel) -> ValueRecord | None:
    """What the headline's effect costs; None without declared costs, without natural units, or where nobody is compared."""
    unit = panel.dictionary[evaluation.outcome.name].unit
    kind = None if unit is None else unit.logarithm_of
    declared = policy.cost is not None and evaluation.natural is not None and evaluation.headline.estimand in COMPARING
    if not declared or policy.cost is None or kind not in get_args(ValueUnit):
        return None
    stated = assumption_records(policy.cost, panel, policy.treatment.cohort)
    used = tuple(one for one in stated if kind != "person" or one.name not in OF_REVENUE)
    return value_of(evaluation, used, cast(ValueUnit, kind))


def value_of(evaluation: Evaluation, assumptions: tuple[AssumptionRecord, ...], unit: ValueUnit) -> ValueRecord:
    """The results in the order of the page: what is paid, what it brings, the ratio of both, what comes back."""
    effects, found = Effects.of(evaluation), corners(assumptions)
    taxed = unit == "ten_thousand_yuan" and any(one.name == "tax_share" for one in assumptions)
    amounts = {**GAINS, **(RETURNS if taxed else {})}
    ratios = (
        {"cost_per_job": PER_UNIT, "cost_per_job_year": PER_UNIT_YEAR} if unit == "person" else {"cost_per_revenue": PER_UNIT_YEAR}
    )
    rows = [_constant(found)]
    rows += [_amount(name, measure, found, effects) for name, measure in amounts.items()]
    rows[2:2] = [_ratio(name, ratio, found, effects) for name, ratio in ratios.items()]
    rows += [_ratio("marginal_value", MARGINAL_VALUE, found, effects)] if taxed else []
    return ValueRecord(unit=unit, assumptions=assumptions, rows=tuple(rows), draws=DRAWS, seed=SEED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The effect in natural units: at the estimate, over its interval, over the hull if there is one, and as draws."""

    estimate: Number
    interval: Pair | Unavailable
    hull: Pair | Unavailable | None
    draws: FloatArray | Unavailable
    level: float

    @classmethod
    def of(cls, evaluation: Evaluation) -> Effects:
        """Of a record with natural units."""
        natural, headline = evaluation.natural, evaluation.headline
        if natural is None:
            raise AssertionError("asked only of records with natural units")
        hull = natural.hull_low is not None and natural.hull_high is not None
        return cls(
            estimate=natural.estimate,
            interval=_pair(natural.conf_low, natural.conf_high),
            hull=_pair(natural.hull_low, natural.hull_high) if hull else None,
            draws=_draws(natural.base, headline.estimate, headline.std_error),
            level=headline.level,
        )


def _pair(low: Number | None, high: Number | None) -> Pair | Unavailable:
    for end in (low, high):
        if isinstance(end, Unavailable):
            return end
    return cast(float, low), cast(float, high)


def _draws(base: Number, estimate: Number, std_error: Number) -> FloatArray | Unavailable:
    """Draws of the effect in natural units: base × (e^β − 1) with β normal about its estimate."""
    for value in (base, estimate, std_error):
        if isinstance(value, Unavailable):
            return value
    normal = np.random.default_rng(SEED).standard_normal(DRAWS)
    return np.asarray(cast(float, base) * np.expm1(cast(float, estimate) + cast(float, std_error) * normal))


def _constant(found: tuple[Corner, ...] | Unavailable) -> ValueRow:
    return ValueRow(name="outlay", central=_span(OUTLAY["outlay"], found, (0.0, 0.0)))


def _amount(name: str, measure: Amount, found: tuple[Corner, ...] | Unavailable, effects: Effects) -> ValueRow:
    """An amount that is linear in the effect."""
    return ValueRow(
        name=name,
        central=_span(measure, found, _point(effects.estimate)),
        interval=_span(measure, found, effects.interval),
        hull=None if effects.hull is None else _span(measure, found, effects.hull),
    )


def _point(value: Number) -> Pair | Unavailable:
    return value if isinstance(value, Unavailable) else (value, value)


def _span(measure: Amount, found: tuple[Corner, ...] | Unavailable, over: Pair | Unavailable) -> RangeRecord:
    """Least and largest over all corners and both ends of the effect."""
    if isinstance(found, Unavailable):
        return RangeRecord(low=found, high=found)
    if isinstance(over, Unavailable):
        return RangeRecord(low=over, high=over)
    values = [measure(corner, effect) for corner in found for effect in over]
    return RangeRecord(low=min(values), high=max(values))


def _ratio(name: str, ratio: Ratio, found: tuple[Corner, ...] | Unavailable, effects: Effects) -> ValueRow:
    """A ratio at the estimate, over the interval, over the hull, and from draws."""

    def over(pair: Pair | Unavailable) -> RangeRecord:
        return _union(ratio, found, pair if isinstance(pair, Unavailable) else np.asarray(pair), None)

    return ValueRow(
        name=name,
        central=over(_point(effects.estimate)),
        interval=over(effects.interval),
        hull=None if effects.hull is None else over(effects.hull),
        drawn=_union(ratio, found, effects.draws, effects.level),
    )


def _union(
    ratio: Ratio, found: tuple[Corner, ...] | Unavailable, effects: FloatArray | Unavailable, level: float | None
) -> RangeRecord:
    """Over all corners what is not rejected while the denominator is positive; with `level` the effects are draws."""
    for missing in (found, effects):
        if isinstance(missing, Unavailable):
            return RangeRecord(low=missing, high=missing)
    sides = {(ratio.above(corner), *_key(ratio, corner)): corner for corner in cast(tuple[Corner, ...], found)}
    if all(above <= 0.0 for above, *_ in sides):
        return RangeRecord(low=ratio.nothing, high=ratio.nothing)
    ends = [_ends(above, ratio.below(corner, cast(FloatArray, effects)), level) for (above, *_), corner in sides.items()]
    known = [pair for pair in ends if pair is not None]
    if not known:
        return RangeRecord(low=ratio.none, high=ratio.none)
    high = max(pair[1] for pair in known) if len(known) == len(ends) else math.inf
    return RangeRecord(low=min(pair[0] for pair in known), high=high if math.isfinite(high) else ratio.open)


def _key(ratio: Ratio, corner: Corner) -> Pair:
    """Tells denominators apart: a line in the effect is known by two of its points."""
    first, second = ratio.below(corner, np.array([0.0, 1.0]))
    return float(first), float(second)


def _ends(above: float, below: FloatArray, level: float | None) -> Pair | None:
    """Least and largest ratio while the denominator is positive; None where it nowhere is."""
    if above > 0.0 and level is not None:
        return drawn(np.full(below.shape, above), below, level).positive()
    tail = 0.0 if level is None else (1.0 - level) / 2.0
    low, high = (float(end) for end in np.quantile(below, (tail, 1.0 - tail)))
    if above > 0.0:
        return known_over(above, low, high).positive()
    # Nothing over something is nothing, and over nothing it has no bound.
    return None if high <= 0.0 else (0.0, 0.0 if low > 0.0 else math.inf)
