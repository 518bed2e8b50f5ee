"""The gate for a specification curve: specifications on few firms, and samples so alike that their difference shows a few firms.

Two specifications that differ in their sample only give, by subtraction, the effect on the firms that one of them leaves out. Where
these are fewer than `THRESHOLD`, entrants or firms, the one with the smaller sample is withheld.
"""

from __future__ import annotations

from dataclasses import replace

from sme_eval.results.unavailable import Unavailable

from .disclosure_base import THRESHOLD, WITHHELD, Log, hide
from .record import Evaluation
from .record_base import Number
from .record_curve import SpecificationRecord

NUMBERS = ("estimate", "std_error", "conf_low", "conf_high", "n_firms", "n_treated", "n_apart")
SUMMARIES = ("median", "share_positive", "share_significant", "stouffer", "median_p", "share_p", "stouffer_p", "together")
ENDS = ("lowest", "highest")


def release_curve(evaluation: Evaluation, log: Log) -> Evaluation:
    """The evaluation with its curve passed through the gate."""
    found = evaluation.curve
    if found is None:
        return evaluation
    few = {n for n, one in enumerate(found.specifications) if _few(one)}
    alike = {n for n, one in enumerate(found.specifications) if isinstance(one.n_apart, int) and one.n_apart < THRESHOLD} - few
    counts, rows = {"threshold": 0, "complementary": 0}, []
    for n, one in enumerate(found.specifications):
        names = tuple(name for name in NUMBERS if getattr(one, name) is not None)
        hidden, count = hide(one, names) if n in few | alike else (one, 0)
        counts["threshold" if n in few else "complementary"] += count
        rows.append(hidden)
    gone = [one.estimate for n, one in enumerate(found.specifications) if n in few | alike and one.contrast is None]
    ends = tuple(name for name in ENDS if getattr(found, name) in gone)
    curve, count = hide(replace(found, specifications=tuple(rows)), (*ends, *(SUMMARIES if few else ())))
    log.add("/curve", "threshold", counts["threshold"] + (count if few else 0))
    log.add("/curve", "complementary", counts["complementary"] + (0 if few else count))
    if curve.headline is not None and _told(curve.specifications[curve.headline].estimate) is None:
        curve = replace(curve, headline_rank=Unavailable(WITHHELD))
    dimensions = tuple(replace(d, share=Unavailable(WITHHELD)) for d in curve.dimensions) if few else curve.dimensions
    return replace(evaluation, curve=replace(curve, dimensions=dimensions))


def _told(value: Number | int) -> float | None:
    return None if isinstance(value, Unavailable) else float(value)


def _few(one: SpecificationRecord) -> bool:
    """Fewer entrants or clusters than may be told, in a record that still tells; one that has passed the gate stays as it is."""
    few = isinstance(one.n_treated, int) and one.n_treated < THRESHOLD
    return _told(one.estimate) is not None and (few or one.n_clusters - 1 < THRESHOLD)
