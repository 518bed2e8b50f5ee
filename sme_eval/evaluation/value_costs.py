"""The public cost of a policy per treated firm, from what its file assumes: present values over the years that are counted."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sme_eval.errors import DesignError, Problem
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.policies.cost_rules import AssumptionRule, CostRule
from sme_eval.results.unavailable import Unavailable
from sme_eval.stats.arrays import FloatArray

from .policy_record import bilingual
from .record_value import AssumptionRecord

MONEY = "ten_thousand_yuan"
NOT_IN_PANEL = Unavailable("the panel has no such column")


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """One combination of the ends of all assumptions: what a firm costs the public, in present values over the years counted.

    `outlay` is everything paid, `cash` what reaches the firm net of applying for it, `years` the discounted number of years,
    `additional` the share of the effect that is nobody else's loss, `tax_share` the share of additional revenue that returns.
    """

    outlay: float
    cash: float
    years: float
    additional: float
    tax_share: float


def corners(assumptions: tuple[AssumptionRecord, ...]) -> tuple[Corner, ...] | Unavailable:
    """Every combination of ends; the reason instead where one of them is not known.

    Every result is monotone in each assumption while the others stand still (a ratio of terms that are linear in it), so that its
    least and largest values over all assumptions are among these.
    """
    ends: dict[str, tuple[float, ...]] = {}
    for one in assumptions:
        if isinstance(one.low, Unavailable) or isinstance(one.high, Unavailable):
            return one.low if isinstance(one.low, Unavailable) else NOT_IN_PANEL
        ends[one.name] = tuple(dict.fromkeys((one.low, one.high)))
    found = [corner(dict(zip(ends, chosen, strict=True))) for chosen in itertools.product(*ends.values())]
    return tuple(dict.fromkeys(found))


def corner(stated: Mapping[str, float]) -> Corner:
    """The cost that these values make; what is not stated is not counted.

    >>> corner({"award": 50.0, "years": 3.0})
    Corner(outlay=50.0, cash=50.0, years=3.0, additional=1.0, tax_share=0.0)

    A loan costs what is given up or lost on it, not its volume: two points and half a per cent of a balance of 800 are 20 a year.

    >>> corner({"balance": 800.0, "subsidy_points": 2.0, "expected_loss": 0.5, "years": 1.0}).outlay
    20.0
    """

    def of(name: str) -> float:
        return stated.get(name, 0.0)

    years = float(sum((1.0 + of("discount") / 100.0) ** -year for year in range(int(stated["years"]))))
    subsidy, loss = (of(name) / 100.0 * of("balance") for name in ("subsidy_points", "expected_loss"))
    return Corner(
        outlay=of("award") + years * (of("administration") + subsidy + loss),
        cash=(1.0 - of("compliance")) * (of("award") + years * subsidy),
        years=years,
        additional=(1.0 - of("deadweight")) * (1.0 - of("displacement")),
        tax_share=of("tax_share"),
    )


def assumption_records(rule: CostRule, panel: FirmPanel, start: str) -> tuple[AssumptionRecord, ...]:
    """The assumptions as the record holds them; a column's is the mean over the firms that enter in `start`."""
    return tuple(_record(one, panel, start) for one in rule.assumptions.values())


def _record(rule: AssumptionRule, panel: FirmPanel, start: str) -> AssumptionRecord:
    low: float | Unavailable
    high: float | Unavailable
    firms: int | None = None
    if rule.low is None or rule.high is None:
        values = balances_before_entry(panel, rule.column, start)
        firms = len(values)
        low = high = float(values.mean()) if firms else NOT_IN_PANEL
    else:
        low, high = rule.low, rule.high
    return AssumptionRecord(
        name=rule.name,
        label=bilingual(rule.label),
        unit=rule.unit,
        low=low,
        high=high,
        confirmed=rule.confirmed,
        source=rule.source,
        n_firms=firms,
    )


def balances_before_entry(panel: FirmPanel, column: str, start: str) -> FloatArray:
    """A balance in 10,000 yuan of each treated firm in the year before its entry, where it is seen; none without the column.

    Raises
    ------
    DesignError
        The column is neither in 10,000 yuan nor the logarithm of it.
    """
    frame = panel.frame
    if column not in frame.columns:
        return np.empty(0)
    unit = panel.dictionary[column].unit
    if unit is None or MONEY not in (unit.key, unit.logarithm_of):
        problem = Problem(what=f"{column} is no amount in 10,000 yuan.", where="[cost.balance]", remedy="name a column of balances")
        raise DesignError(problem)
    before = frame["year"] == frame[start] - 1
    values: FloatArray = frame.loc[before, column].to_numpy(dtype=np.float64)
    values = values[np.isfinite(values)]
    return values if unit.key == MONEY else np.asarray(np.exp(values))
