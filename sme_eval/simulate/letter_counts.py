"""Figures of the published reply that a simulated city matches, each with the number of its fact; nothing else is a fact.

The reply is the Ningbo bureau's of 9 June 2023 (甬经信函〔2023〕25号). Whether 1,566, 715 and 1,020 count what was there in 2022 or
what was added in it, the reply does not say: here they are what is there at the end of 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sme_eval.panel.frozen_mapping import FrozenMapping

END: Final = 2022
"""The year at whose end the reply counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterCount:
    """A number of firms: those with `column` from 1 to `until`, or equal to `until` if `flow`."""

    fact: str
    count: int
    column: str
    until: int = END
    flow: bool = False


COUNTS: Final = FrozenMapping(
    {
        "first_batch": LetterCount(fact="F03", count=5, column="certified_year", until=2019, flow=True),
        "second_batch": LetterCount(fact="F04", count=50, column="certified_year", until=2020, flow=True),
        "third_batch": LetterCount(fact="F05", count=127, column="certified_year", until=2021, flow=True),
        "fourth_batch": LetterCount(fact="F06", count=101, column="certified_year", flow=True),
        "little_giants": LetterCount(fact="F02", count=283, column="certified_year"),
        "key_little_giants": LetterCount(fact="F09", count=66, column="key_year"),
        "innovative": LetterCount(fact="F19", count=1566, column="innovative_year"),
        "srdi": LetterCount(fact="F20", count=715, column="srdi_year"),
        "library": LetterCount(fact="F21", count=1020, column="library_year"),
        "library_entrants": LetterCount(fact="F24", count=862, column="library_year", flow=True),
        "upgrade_library": LetterCount(fact="F22", count=2200, column="upgrade_library_year", flow=True),
        "above_scale": LetterCount(fact="F23", count=888, column="above_scale_year", flow=True),
        "provincial_library": LetterCount(fact="F25", count=682, column="provincial_library_year", flow=True),
        "board": LetterCount(fact="F39", count=135, column="board_year", flow=True),
        "internships": LetterCount(fact="F60", count=95, column="internship_year", flow=True),
    }
)
"""Name → how many firms of each simulated city. The calendar years of the batches are an assumption, as are those of the key firms,
the lists and the services: the reply dates only what it says of 2022."""

BALANCE: Final = 1487.49
"""F29: loans of SRDI and library firms at the end of 2022, 100 million yuan."""
BALANCE_GROWTH: Final = 19.84
"""F30: percent over the end of 2021. Of which list the reply does not state; the simulation reads it as the list of 2022, its firms
in both years."""
NEW_LOAN_RATE: Final = 3.61
"""F33: percent, mean over the new loans of SRDI firms in 2022."""
UNSECURED_SHARE: Final = 27.82
"""F36: percent of the loans of SRDI firms at the end of 2022 that are unsecured."""
PER_HUNDRED_MILLION: Final = 10_000.0
"""10,000 yuan in 100 million yuan."""
