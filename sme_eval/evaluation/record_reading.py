"""Parts of a record that say how to read its claim: how strong the design is, and the effect in units of daily life."""

from __future__ import annotations

from dataclasses import dataclass

from .record_base import Bilingual, Count, Number


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLevelRecord:
    """How strong the design is on a `scale` from 1 to `highest`; `reason` keys the sentence that says why."""

    level: int
    reason: str
    scale: str = "maryland"
    highest: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalRecord:
    """The effect on a log outcome for a typical firm, in the outcome's natural `unit`.

    `base` is the geometric mean over the `base_n_firms` treated firms in the year before entry, and every other number is
    base × (e^β − 1): of the estimate, of its interval, and where there is a bracket of the hull. Never a total over firms.
    """

    unit: Bilingual
    base: Number
    base_n_firms: Count
    estimate: Number
    conf_low: Number
    conf_high: Number
    hull_low: Number | None = None
    hull_high: Number | None = None
