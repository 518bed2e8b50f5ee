"""District doses as a record: effects by district, the slope by every inference, and what the doses can show at best."""

from __future__ import annotations

import numpy as np

from sme_eval.panel.declarations import Label
from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.results.dose import DistrictDoseResult
from sme_eval.results.estimate import Estimate
from sme_eval.results.unavailable import Unavailable

from .claim import DISTRICT_ALPHA
from .design import Design
from .effects import number
from .fitting import Fitted
from .policy_record import bilingual, unit_label
from .record_base import Count, Number
from .record_sections import DistrictRecord, DoseRecord, SlopeRecord

ONLY_WITHIN_LIMIT = Unavailable("not within the districts searched")


def dose_record(design: Design, headline: Fitted, panel: FirmPanel) -> DoseRecord | None:
    """The doses of a district design; None for others."""
    result = headline.result
    if not isinstance(result, DistrictDoseResult):
        return None
    permutation, bootstrap, tried = result.permutation, result.wild_bootstrap, result.sensitivity

    def over_doses(name: str) -> Number:
        return tried if isinstance(tried, Unavailable) else float(getattr(tried, name))

    unnamed = result.unnamed
    return DoseRecord(
        unit=unit_label(panel, str(design.policy.estimator.choices["dose"])),
        per=result.per,
        alpha=DISTRICT_ALPHA,
        n_districts=result.slope.n_clusters,
        n_unnamed=int((np.isnan(result.dose) & np.isfinite(result.districts.estimate)).sum()),
        districts=_districts(design, result, panel),
        slopes=_slopes(result),
        at_zero=result.intercept.estimate,
        at_zero_low=number(result.intercept.conf_low),
        at_zero_high=number(result.intercept.conf_high),
        permutation_p=permutation if isinstance(permutation, Unavailable) else permutation.p_value,
        bootstrap_p=bootstrap if isinstance(bootstrap, Unavailable) else bootstrap.p_value,
        attainable_p=result.attainable,
        assignments=0 if isinstance(permutation, Unavailable) else permutation.n_assignments,
        needed_new=_further(result.plan.further_distinct),
        needed_repeated=_further(result.plan.further_repeated),
        unnamed_estimate=unnamed if isinstance(unnamed, Unavailable) else unnamed.estimate,
        unnamed_low=unnamed if isinstance(unnamed, Unavailable) else number(unnamed.conf_low),
        unnamed_high=unnamed if isinstance(unnamed, Unavailable) else number(unnamed.conf_high),
        unnamed_firms=_unnamed_firms(result),
        tried=tuple(float(paid) for paid in getattr(design.estimator, "possible_doses", ())),
        combinations=tried if isinstance(tried, Unavailable) else tried.n_assignments,
        slope_lowest=over_doses("slope_low"),
        slope_highest=over_doses("slope_high"),
        hull_lowest=over_doses("conf_low"),
        hull_highest=over_doses("conf_high"),
        attainable_best=over_doses("attainable_best"),
        truth=true_slope(design, headline, panel),
    )


def true_slope(design: Design, headline: Fitted, panel: FirmPanel) -> float | None:
    """The slope of the districts' true effects of entering on their stated doses, by the same least squares; None if unknown."""
    result, truth, start = headline.result, panel.truth, design.policy.treatment.cohort
    known = truth is not None and truth.parts and start in truth.starts
    if not isinstance(result, DistrictDoseResult) or truth is None or not known:
        return None
    district = panel.frame[str(design.policy.estimator.choices["district"])].astype(str).to_numpy()
    last = int(getattr(design.estimator, "window", (0, 2))[1])
    stated = [j for j in range(len(result.dose)) if np.isfinite(result.dose[j])]
    effects = [
        truth.average(
            design.outcome, start=start, estimand="step", event_time=(0, last), among=district == str(result.districts.term[j])
        )
        for j in stated
    ]
    return float(np.polyfit(result.dose[stated] / result.per, effects, 1)[0])


def _districts(design: Design, result: DistrictDoseResult, panel: FirmPanel) -> tuple[DistrictRecord, ...]:
    """One row per district, those with the highest dose first and those without a stated one last."""
    names = panel.dictionary[str(design.policy.estimator.choices["district"])].categories
    order = sorted(range(len(result.dose)), key=lambda j: (np.isnan(result.dose[j]), -np.nan_to_num(result.dose[j]), j))
    rows = []
    for j in order:
        row, key = result.districts.row(j), str(result.districts.term[j])
        label = names.get(key, Label(key, key))
        rows.append(
            DistrictRecord(
                district=key,
                label=bilingual(label),
                dose=number(float(result.dose[j]), "not stated"),
                n_treated=row.n_treated if isinstance(row.n_treated, int) else 0,
                estimate=row.estimate,
                std_error=row.std_error,
                conf_low=number(row.conf_low),
                conf_high=number(row.conf_high),
            )
        )
    return tuple(rows)


def _slopes(result: DistrictDoseResult) -> tuple[SlopeRecord, ...]:
    """The slope by least squares over districts first; the firm-clustered ones are shown, and are not valid with few districts."""
    shown: list[tuple[str, Estimate | Unavailable, bool]] = [
        ("districts", result.slope, True),
        ("knapp_hartung", result.knapp_hartung, True),
        ("firm_clustered", result.firm_clustered, False),
        ("triple_difference", result.triple_difference, False),
    ]
    return tuple(_slope(method, estimate, valid) for method, estimate, valid in shown)


def _slope(method: str, estimate: Estimate | Unavailable, valid: bool) -> SlopeRecord:
    if isinstance(estimate, Unavailable):
        return SlopeRecord(
            method=method,
            estimate=estimate,
            std_error=estimate,
            conf_low=estimate,
            conf_high=estimate,
            p_value=estimate,
            degrees_of_freedom=None,
            valid=valid,
        )
    free = estimate.degrees_of_freedom
    return SlopeRecord(
        method=method,
        estimate=estimate.estimate,
        std_error=estimate.std_error,
        conf_low=number(estimate.conf_low),
        conf_high=number(estimate.conf_high),
        p_value=number(estimate.p_value),
        degrees_of_freedom=int(free) if np.isfinite(free) else None,
        valid=valid,
    )


def _further(districts: int | None) -> Count:
    return ONLY_WITHIN_LIMIT if districts is None else districts


def _unnamed_firms(result: DistrictDoseResult) -> Count:
    counts = result.districts.n_treated
    return sum(n for n, dose in zip(counts, result.dose, strict=True) if np.isnan(dose) and isinstance(n, int))
