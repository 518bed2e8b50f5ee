"""The vocabulary of the field, in one place."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

DataKind = Literal["observed", "simulated"]
Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")

Comparison = Literal["never_treated", "not_yet_treated"]
BasePeriod = Literal["varying", "universal"]
PanelRule = Literal["balanced", "pairs"]
AggregationKind = Literal["simple", "group", "dynamic", "calendar"]
Lapses = Literal["raise", "first"]
AlwaysTreated = Literal["raise", "drop"]
Covariance = Literal["clustered", "robust", "classical"]

NEVER: Final = int(np.iinfo(np.int32).max)
"""Internal code of the cohort that is never treated: later than every year."""

POWER: Final = 0.8
"""The power that detectable effects are told for."""

EFFECT_COLUMNS: Final = ("term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "note")
"""What every table of estimates holds, beside the columns that identify its rows."""
