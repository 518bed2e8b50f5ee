"""The gate for district doses: small districts, those that would give them back, and the slope when too few are left.

Stated and unnamed districts have released totals of their own, so each group is looked at by itself. Slope, its error and the
intercept are three equations in the stated districts: where one of these is withheld, at least `TOGETHER` are, and the
intercept with what else was computed from all of them.
"""

from __future__ import annotations

from dataclasses import replace

from sme_eval.results.unavailable import Unavailable

from .disclosure_base import THRESHOLD, WITHHELD, Log, hide
from .record import Evaluation, EventStudyRecord
from .record_base import EffectRecord, IntervalRecord
from .record_sections import DistrictRecord, DoseRecord, SlopeRecord

TOGETHER = 3
"""Stated districts that are withheld at least, if any is."""
FEWEST_LEFT = 3
"""Stated districts of enough firms below which the slope itself is withheld: a line through two gives both back."""
EFFECT = ("estimate", "std_error", "conf_low", "conf_high")
WHOLE = ("at_zero", "at_zero_low", "at_zero_high", "slope_lowest", "slope_highest", "hull_lowest", "hull_highest")
"""What is computed from every stated district beside the slope."""
UNNAMED = ("unnamed_estimate", "unnamed_low", "unnamed_high")


def release_dose(evaluation: Evaluation, log: Log) -> Evaluation:
    """The evaluation with its doses passed through the gate, and the headline with them where too few districts are left."""
    found = evaluation.dose
    if found is None:
        return evaluation
    stated = [n for n, row in enumerate(found.districts) if not isinstance(row.dose, Unavailable)]
    unnamed = [n for n, row in enumerate(found.districts) if isinstance(row.dose, Unavailable)]
    hidden = _hidden(found, stated, TOGETHER) | _hidden(found, unnamed, 2)
    small = {n for n in stated if _small(found.districts[n])}
    districts = tuple(_district(row, f"/dose/districts/{n}", log) if n in hidden else row for n, row in enumerate(found.districts))
    dose = replace(found, districts=districts)
    if hidden & set(stated):
        dose, count = hide(dose, WHOLE)
        log.add("/dose", "complementary", count)
        dose = replace(dose, slopes=tuple(s if s.method == "districts" else _slope(s, n, log) for n, s in enumerate(dose.slopes)))
    if sum(row.n_treated for row in map(found.districts.__getitem__, unnamed) if isinstance(row.n_treated, int)) < THRESHOLD:
        dose, count = hide(dose, UNNAMED if unnamed else ())
        dose = replace(dose, unnamed_firms=Unavailable(WITHHELD) if log.small(dose.unnamed_firms) else dose.unnamed_firms)
        log.add("/dose", "threshold", count)
    if not _withheld_already(evaluation) and len(stated) - len(small) < FEWEST_LEFT:
        return _without_slope(replace(evaluation, dose=dose), log)
    return replace(evaluation, dose=dose)


def _withheld_already(evaluation: Evaluation) -> bool:
    """A record that has passed the gate: a district's count is gone, and whether the slope may stay was decided with it."""
    rows = () if evaluation.dose is None else evaluation.dose.districts
    return any(isinstance(row.n_treated, Unavailable) for row in rows)


def _small(row: DistrictRecord) -> bool:
    return isinstance(row.n_treated, Unavailable) or row.n_treated < THRESHOLD


def _hidden(found: DoseRecord, group: list[int], together: int) -> set[int]:
    """Districts of the group that are too small, and the next smallest until so many are withheld that none can be told."""
    small = {n for n in group if _small(found.districts[n])}
    if not small:
        return set()
    rest = sorted((n for n in group if n not in small), key=lambda n: _count(found.districts[n]))
    return small | set(rest[: max(0, together - len(small))])


def _count(row: DistrictRecord) -> int:
    return 0 if isinstance(row.n_treated, Unavailable) else row.n_treated


def _district(row: DistrictRecord, path: str, log: Log) -> DistrictRecord:
    hidden, count = hide(row, (*EFFECT, "n_treated"))
    log.add(path, "threshold" if _small(row) else "complementary", count)
    return hidden


def _slope(row: SlopeRecord, place: int, log: Log) -> SlopeRecord:
    hidden, count = hide(row, (*EFFECT, "p_value"))
    log.add(f"/dose/slopes/{place}", "complementary", count)
    return hidden


def _without_slope(evaluation: Evaluation, log: Log) -> Evaluation:
    """No slope in any form: not the headline, not by event time, not a p-value."""
    found = evaluation.dose
    assert found is not None
    dose, count = hide(found, ("permutation_p", "bootstrap_p"))
    dose = replace(dose, slopes=tuple(_slope(s, n, log) for n, s in enumerate(dose.slopes)))
    log.add("/dose", "degrees_of_freedom", count)
    return replace(
        evaluation, dose=dose, headline=_effect(evaluation.headline, log), event_study=_event_study(evaluation.event_study, log)
    )


def _effect(effect: EffectRecord, log: Log) -> EffectRecord:
    hidden, count = hide(effect, (*EFFECT, "p_value"))
    log.add("/headline", "degrees_of_freedom", count)
    missing = Unavailable(WITHHELD)
    percent = None if effect.percent is None else IntervalRecord(estimate=missing, conf_low=missing, conf_high=missing)
    return replace(hidden, percent=percent, covers_truth=None)


def _event_study(study: EventStudyRecord, log: Log) -> EventStudyRecord:
    rows = []
    for n, row in enumerate(study.rows):
        if row.is_reference:
            rows.append(row)
            continue
        hidden, count = hide(row, (*EFFECT, "band_low", "band_high"))
        log.add(f"/event_study/rows/{n}", "degrees_of_freedom", count)
        rows.append(hidden)
    return replace(study, rows=tuple(rows))
