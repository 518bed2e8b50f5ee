"""A separated bundle as a record: arms, parts, sums, and what cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sme_eval.panel.firm_panel import FirmPanel
from sme_eval.panel.truth import Truth
from sme_eval.policies.rules import ArmRule, ExposureRule, SumRule
from sme_eval.results.decomposition import TOO_COARSE, Decomposition
from sme_eval.results.effects import Effects
from sme_eval.stats.arrays import BoolArray
from sme_eval.terms import NEVER

from .design import Design
from .effects import Scale, number
from .fitting import Fitted
from .policy_record import bilingual
from .record_base import Bilingual, Number
from .record_sections import ArmRecord, BundleRecord, PartRecord, is_unit


def bundle_record(design: Design, headline: Fitted, panel: FirmPanel) -> BundleRecord | None:
    """The parts of a bundle; None for designs that separate nothing."""
    result = headline.result
    if not isinstance(result, Decomposition):
        return None
    policy = design.policy
    scale = Scale.of(policy, panel, design.outcome)
    labels = {e.name: bilingual(e.label) for e in policy.exposures}
    declared = {one.name: one for one in policy.sums}
    told = _Told(result, scale, policy.outcome(design.outcome).smallest_effect)
    parts = tuple(
        _part(told, (result.parts, j), {name: 1.0}, labels[name], true_part(design, exposure, panel))
        for j, (name, exposure) in enumerate(zip(result.parts.term, policy.exposures, strict=True))
    )
    sums = []
    for j, (name, weights) in enumerate(result.weights.items()):
        known = declared.get(name)
        label = _sum_label(weights, labels) if known is None else bilingual(known.label)
        truth = None if known is None else _true_sum(design, known, panel)
        sums.append(_part(told, (result.sums, j), dict(weights), label, truth))
    return BundleRecord(
        arms=tuple(_arm(result, j, arm) for j, arm in enumerate(policy.arms)),
        parts=parts,
        sums=tuple(sums),
        rank=result.rank,
        condition=number(result.condition, "the matrix has not full rank"),
        null_vectors=tuple(dict(vector) for vector in result.null_vectors),
        multiple=TOO_COARSE,
    )


@dataclass(frozen=True)
class _Told:
    """What every part is told with."""

    result: Decomposition
    scale: Scale
    smallest: float | None


def _sum_label(weights: Mapping[str, float], labels: Mapping[str, Bilingual]) -> Bilingual:
    """Parts joined by their signs; where coefficients differ from one, a weighted sum, whose weights the page refers to."""
    named = {name: labels[name] for name in weights}
    if not all(is_unit(weight) for weight in weights.values()):
        zh, en = "、".join(label.zh for label in named.values()), ", ".join(label.en for label in named.values())
        return Bilingual(zh=f"{zh}的加权和", en=f"weighted sum of {en}")
    zh = "".join(f"{'−' if weights[name] < 0 else '＋'}{label.zh}" for name, label in named.items())
    en = " ".join(f"{'−' if weights[name] < 0 else '+'} {label.en}" for name, label in named.items())
    return Bilingual(zh=zh.removeprefix("＋"), en=en.removeprefix("+ "))


def _part(told: _Told, place: tuple[Effects, int], weights: dict[str, float], label: Bilingual, truth: float | None) -> PartRecord:
    (effects, j), result = place, told.result
    row = effects.row(j)
    reason = effects.notes[j] or "not estimated"
    estimate, error = number(row.estimate, reason), number(row.std_error, reason)
    low, high = number(row.conf_low, reason), number(row.conf_high, reason)
    detectable = number(float(result.detectable(effects)[j]), reason)
    known = isinstance(detectable, float) and isinstance(low, float) and isinstance(high, float)
    return PartRecord(
        name=effects.term[j],
        label=label,
        weights=weights,
        estimate=estimate,
        std_error=error,
        conf_low=low,
        conf_high=high,
        percent=told.scale.percent_interval(estimate, low, high),
        detectable=detectable,
        readable=known and (told.smallest is None or float(detectable) <= TOO_COARSE * told.smallest),
        truth=truth,
        covers_truth=None if truth is None or not known else float(low) <= truth <= float(high),
    )


def _arm(result: Decomposition, j: int, arm: ArmRule) -> ArmRecord:
    row = result.arms.row(j)
    exposures: dict[str, Number] = {name: float(result.matrix[j, k]) for k, name in enumerate(result.parts.term)}
    return ArmRecord(
        name=arm.name,
        label=bilingual(arm.label),
        n_treated=row.n_treated if isinstance(row.n_treated, int) else 0,
        estimate=row.estimate,
        std_error=row.std_error,
        conf_low=number(row.conf_low),
        conf_high=number(row.conf_high),
        exposures=exposures,
    )


def true_sum(design: Design, panel: FirmPanel) -> float | None:
    """The truth of the headline: of the first declared sum, else of the first part."""
    if design.policy.sums:
        return _true_sum(design, design.policy.sums[0], panel)
    return true_part(design, design.policy.exposures[0], panel)


def _true_sum(design: Design, rule: SumRule, panel: FirmPanel) -> float | None:
    arm = next((arm for arm in design.policy.arms if arm.name == rule.truth_arm), None)
    if panel.truth is None or arm is None:
        return None
    found = [_mean(design, panel, panel.truth, part, arm) for part in rule.truth_parts]
    return None if not found or any(value is None for value in found) else float(sum(v for v in found if v is not None))


def true_part(design: Design, rule: ExposureRule, panel: FirmPanel) -> float | None:
    """Mean true effect of a part on the firms of its arm; of a dosed part, its slope over the arms that differ in the dose."""
    if panel.truth is None or not rule.truth_part:
        return None
    arms = {arm.name: arm for arm in design.policy.arms}
    if rule.truth_arm:
        return _mean(design, panel, panel.truth, rule.truth_part, arms[rule.truth_arm])
    if rule.times is None:
        return _over_start(design, panel, panel.truth, rule)
    doses, effects = [], []
    for arm in arms.values():
        dose, mean = arm.where.get(rule.times), _mean(design, panel, panel.truth, rule.truth_part, arm)
        if isinstance(dose, int | float) and mean is not None:
            doses.append(float(dose) / rule.per)
            effects.append(mean)
    return float(np.polyfit(doses, effects, 1)[0]) if len(set(doses)) > 1 else None


def _over_start(design: Design, panel: FirmPanel, truth: Truth, rule: ExposureRule) -> float | None:
    if rule.start not in truth.starts or rule.truth_part not in truth.parts.get(design.outcome, {}):
        return None
    return truth.part(design.outcome, rule.truth_part, start=rule.start, event_time=_window(design))


def _mean(design: Design, panel: FirmPanel, truth: Truth, part: str, arm: ArmRule) -> float | None:
    """Mean true effect of one part over the arm's firms in the design's window; None where there is no such truth or firm."""
    if arm.entry not in truth.starts or part not in truth.parts.get(design.outcome, {}):
        return None
    among = members(panel, arm)
    if not (among & (truth.starts[arm.entry] != NEVER)).any():
        return None
    return truth.part(design.outcome, part, start=arm.entry, event_time=_window(design), among=among)


def members(panel: FirmPanel, arm: ArmRule) -> BoolArray:
    """(rows,) the panel's rows that fulfil an arm's conditions."""
    chosen: BoolArray = np.ones(len(panel.frame), dtype=np.bool_)
    for column, value in arm.where.items():
        values = panel.frame[column]
        chosen &= (values.isna() if value is None else values == value).to_numpy()
    return chosen


def _window(design: Design) -> tuple[int, int]:
    first, last = getattr(design.estimator, "window", (0, 2))
    return max(int(first), 0), int(last)
