"""The gate for value for money: what is computed from a withheld effect, or is the mean over a few firms, is withheld with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sme_eval.results.unavailable import Unavailable

from .disclosure_base import THRESHOLD, WITHHELD, Log, hide
from .record import Evaluation
from .record_value import AssumptionRecord, RangeRecord, ValueRecord, ValueRow

RANGES = ("central", "interval", "drawn")
"""Ranges of a row that are made of the estimate and its own interval."""
HIDDEN = RangeRecord(low=Unavailable(WITHHELD), high=Unavailable(WITHHELD))
UNPAID = ("additional", "taxes")
"""Rows that the outlay does not enter."""


def release_value(evaluation: Evaluation, log: Log) -> Evaluation:
    """The evaluation, whose effect in natural units has passed the gate, with its value for money passed through it too."""
    found, natural = evaluation.value, evaluation.natural
    if found is None:
        return evaluation
    assumptions = tuple(_assumption(one, f"/value/assumptions/{n}", log) for n, one in enumerate(found.assumptions))
    # A mean over a few firms enters the outlay, and by it every row that outlay enters.
    paid = any(_few(one) for one in found.assumptions)
    effect = natural is None or _gone(natural.base) or _gone(natural.estimate)
    hull = natural is None or _gone(natural.hull_low)
    rows = tuple(_row(row, n, log, paid=paid, effect=effect, hull=hull) for n, row in enumerate(found.rows))
    released: ValueRecord = replace(found, assumptions=assumptions, rows=rows)
    return replace(evaluation, value=released)


def _gone(value: object) -> bool:
    return isinstance(value, Unavailable) and value.reason == WITHHELD


def _few(one: AssumptionRecord) -> bool:
    return _gone(one.n_firms) or _gone(one.low) or (isinstance(one.n_firms, int) and one.n_firms < THRESHOLD)


def _assumption(one: AssumptionRecord, path: str, log: Log) -> AssumptionRecord:
    names = ["low", "high"] if _few(one) else []
    names += ["n_firms"] if log.small(one.n_firms) else []
    hidden, count = hide(one, names)
    log.add(path, "threshold", count)
    return hidden


def _row(row: ValueRow, place: int, log: Log, *, paid: bool, effect: bool, hull: bool) -> ValueRow:
    """A row without what rests on few firms; one without an interval does not depend on the effect."""
    depends, paid = row.interval is not None, paid and row.name not in UNPAID
    gone = [*(RANGES if paid or (effect and depends) else ()), *(("hull",) if paid or effect or hull else ())]
    changes: dict[str, Any] = {}
    numbers = 0
    for name in gone:
        if getattr(row, name) not in (None, HIDDEN):
            # An end without bound goes too: it would tell that the withheld interval covers zero.
            changes[name], numbers = HIDDEN, numbers + 2
    log.add(f"/value/rows/{place}", "threshold", numbers)
    return replace(row, **changes) if changes else row
