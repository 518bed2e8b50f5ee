"""Parts of a record that set an effect against its public cost: value for money. Leaves of the schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .record_base import Bilingual, Count, Number

ValueUnit = Literal["person", "ten_thousand_yuan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumptionRecord:
    """One assumption from `low` to `high`, in `unit`; `confirmed` if the source of key `source` states it.

    `n_firms` is how many treated firms it is the mean of, None where the policy file states it.
    """

    name: str
    label: Bilingual
    unit: str
    low: Number
    high: Number
    confirmed: bool
    source: str
    n_firms: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeRecord:
    """From `low` to `high`; an end that is not finite is unavailable, with its reason."""

    low: Number
    high: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """One result per treated firm, over all values of the assumptions.

    `central` is at the estimate; `interval` at the effect's interval; `hull` at the hull where there is a
    bracket. `drawn` repeats `interval` for a ratio from draws of the estimate. What the effect does not enter has `central` only.
    """

    name: str
    central: RangeRecord
    interval: RangeRecord | None = None
    hull: RangeRecord | None = None
    drawn: RangeRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRecord:
    """What the effect on an outcome in `unit` costs the public, for a typical firm. Never a total over firms."""

    unit: ValueUnit
    assumptions: tuple[AssumptionRecord, ...]
    rows: tuple[ValueRow, ...]
    draws: int
    seed: int
