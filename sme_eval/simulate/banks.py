"""Which bank a firm deals with, and whose loans to SRDI firms an assessment asks for: all of it is an assumption.

The reply says only that such lending counts in the assessment of banks. Here it counts from `ASSESSED` on for every bank and asks
most of those that had lent least to such firms: every second one. It moves no outcome: an evaluation must be able to find that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sme_eval.simulate.firms import Draws, IntegerArray
from sme_eval.simulate.selection import Tiers
from sme_eval.terms import NEVER

BANKS: Final = 24
"""Per city; the k-th has a share in proportion to 1/√k of the firms."""
ASSESSED: Final = 2022


@dataclass(frozen=True, slots=True)
class Banks:
    """(firms,) number of the main bank from 0; first year in which a bank that had lent little is asked for loans to the firm."""

    main: IntegerArray
    asked: IntegerArray


def draw_banks(draws: Draws, tiers: Tiers, gone: IntegerArray) -> Banks:
    """The banks of one city; `gone` (firms,) is the first year without a row. Asked for are loans to firms SRDI by then."""
    share = 1.0 / np.sqrt(np.arange(1, BANKS + 1))
    main = draws.stream("main bank").choice(BANKS, gone.size, p=share / share.sum()).astype(np.int64)
    asked = (main % 2 == 1) & (tiers.srdi <= ASSESSED) & (gone > ASSESSED)
    return Banks(main, np.where(asked, ASSESSED, NEVER).astype(np.int64))
