"""What every part of the disclosure gate shares: the threshold, the log, and what happens to an effect that rests on few firms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from sme_eval.results.unavailable import Unavailable

from .record import WithheldRecord
from .record_base import Count, EffectRecord, IntervalRecord

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

THRESHOLD = 10
WITHHELD = "withheld: small cell"

Row = TypeVar("Row", bound="DataclassInstance")


@dataclass
class Log:
    """What has been withheld so far."""

    published: frozenset[int]
    entries: list[WithheldRecord] = field(default_factory=list)

    def add(self, path: str, rule: str, numbers: int) -> None:
        """Note that so many numbers at a place were withheld by a rule."""
        if numbers:
            self.entries.append(WithheldRecord(path=path, rule=rule, numbers=numbers))

    def small(self, count: Count | None) -> bool:
        """Whether a count is itself too small to print."""
        return isinstance(count, int) and 0 < count < THRESHOLD and count not in self.published


def hide(row: Row, names: Sequence[str]) -> tuple[Row, int]:
    """The row with these numbers withheld, and how many there were."""
    hidden: dict[str, Any] = {n: Unavailable(WITHHELD) for n in names if not isinstance(getattr(row, n), Unavailable)}
    return replace(row, **hidden), len(hidden)


def hide_effect(effect: EffectRecord, path: str, log: Log) -> EffectRecord:
    """An effect without its numbers where it rests on few treated firms or few clusters."""
    few_firms = isinstance(effect.n_treated, int) and effect.n_treated < THRESHOLD
    # Each district is an average over firms; `disclosure_dose` withholds small ones, and the slope when too few are left.
    few_clusters = effect.n_clusters - 1 < THRESHOLD and effect.estimator.name != "DistrictDose"
    if not few_firms and not few_clusters:
        return effect
    hidden, count = hide(effect, ("estimate", "std_error", "p_value", "conf_low", "conf_high"))
    missing = Unavailable(WITHHELD)
    percent = None if effect.percent is None else IntervalRecord(estimate=missing, conf_low=missing, conf_high=missing)
    treated = missing if log.small(effect.n_treated if isinstance(effect.n_treated, int) else None) else effect.n_treated
    log.add(path, "threshold" if few_firms else "degrees_of_freedom", count)
    return replace(hidden, percent=percent, n_treated=treated, covers_truth=None)
