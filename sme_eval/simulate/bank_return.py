"""Loans as banks return them: the credit columns of the panel on the scale of the reply.

The reply states four figures of 2022 (`letter_counts.py`). Each city's constants are solved so that the firms in the panel at the
end of 2022 have them: one factor on all balances of a year, one shift of all unsecured shares, one reference rate. A constant that
all firms share moves no comparison of firms. Where firms leave, those still there carry the whole amounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sme_eval.simulate.firms import Draws, FlagArray, FloatArray, IntegerArray
from sme_eval.simulate.letter_counts import (
    BALANCE,
    BALANCE_GROWTH,
    END,
    NEW_LOAN_RATE,
    PER_HUNDRED_MILLION,
    UNSECURED_SHARE,
)
from sme_eval.simulate.selection import Tiers
from sme_eval.terms import NEVER

YEARLY_GROWTH: Final = 0.08
"""Log points by which all balances grow in every other year than 2022: an assumption."""
RATE_FALL: Final = 0.15
"""Percentage points by which the reference rate falls in every year: an assumption."""
TURNOVER: Final = (0.4, 0.9)
"""New loans of a year as a share of the balance at its end, uniform between these, and never less than the balance grew."""

HALVINGS: Final = 48
"""Of the interval in which the shift of unsecured shares lies: the share is right to far more digits than the reply has."""


@dataclass(frozen=True, slots=True)
class BankReturn:
    """All (firms, years): 10,000 yuan at the end of the year, of which unsecured; new loans during it and their rate in percent."""

    balance: FloatArray
    unsecured: FloatArray
    new: FloatArray
    rate: FloatArray


def bank_return(
    draws: Draws, terms: Mapping[str, FloatArray], tiers: Tiers, first_loan: IntegerArray, gone: IntegerArray, years: IntegerArray
) -> BankReturn:
    """The return of one city; `terms` are its observed credit columns, `gone` (firms,) the first year without a row.

    `first_loan` (firms,) is the first year of a first-time borrower, who has no loan before; the others, `NEVER`, always borrow.
    """
    end, there = int(np.searchsorted(years, END)), gone > END
    listed, srdi = there & (tiers.listed <= END), there & (tiers.srdi <= END)
    first_time = first_loan < NEVER
    raw = np.exp(terms["log_credit_balance"]) * (~first_time[:, None] | (years >= first_loan[:, None]))
    balance = raw * _scale(raw[listed], end, years)
    share = _shares(terms["unsecured_share"], balance, srdi, end)
    new = _new_loans(draws, balance)
    weight = new[srdi, end]
    reference = NEW_LOAN_RATE - float(np.average(terms["spread"][srdi, end], weights=weight))
    rate = np.maximum(reference + RATE_FALL * (END - years) + terms["spread"], 0.0)
    return BankReturn(balance, share * balance, new, np.where(new > 0, rate, np.nan))


def _scale(raw: FloatArray, end: int, years: IntegerArray) -> FloatArray:
    """(years,) factor on balances, from those of the listed firms."""
    target = BALANCE * PER_HUNDRED_MILLION
    now = target / raw[:, end].sum()
    before = target / (1.0 + BALANCE_GROWTH / 100) / raw[:, end - 1].sum()
    distance = np.where(years >= END, years - END, years - (END - 1))
    return np.asarray(np.where(years >= END, now, before) * np.exp(YEARLY_GROWTH * distance))


def _shares(percent: FloatArray, balance: FloatArray, srdi: FlagArray, end: int) -> FloatArray:
    """(firms, years) unsecured share in [0, 1]: shifted so that the mean over the loans of SRDI firms is that of the reply."""
    given, weight = percent[srdi, end], balance[srdi, end] / balance[srdi, end].sum()

    def mean(shift: float) -> float:
        return float(weight @ np.minimum(np.maximum(given + shift, 0.0), 100.0))

    low, high = -float(given.max()), 100.0 - float(given.min())  # every share 0, every share 100
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if mean(middle) < UNSECURED_SHARE else (low, middle)
    return np.asarray(np.clip(percent + 0.5 * (low + high), 0.0, 100.0) / 100.0)


def _new_loans(draws: Draws, balance: FloatArray) -> FloatArray:
    new = draws.stream("new loans").uniform(*TURNOVER, balance.shape) * balance
    new[:, 1:] = np.maximum(new[:, 1:], np.diff(balance, axis=1))
    return new
