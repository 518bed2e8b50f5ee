"""Who meets the certification rules: every requirement, the score item by item, the direct routes; what is not known stays so.

Three answers, ordered so that *all* is the smallest and *any* the largest: not met, unknown, met (Kleene's logic). A score with
missing items lies between its lowest and its highest possible total, and is passed, or failed, where both agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from sme_eval.errors import DataError, Problem
from sme_eval.panel.frozen_mapping import FrozenMapping

from .assessment import MET, NOT_MET, SCORE, UNKNOWN, Assessment, Statuses
from .firm_columns import Numbers
from .firm_inputs import FirmFacts, firm_facts
from .tier_rule_files import find_tier_rule, load_firm_inputs
from .tier_rules import ClassScale, Condition, Requirement, Scale, ScoreItem, ScoreRule, StepScale, SuppliedScale, Test, TierRule

if TYPE_CHECKING:
    import pandas as pd

_COMPARE: Final = {"at_least": np.greater_equal, "above": np.greater, "at_most": np.less_equal, "below": np.less}
Bounds = tuple[Numbers, Numbers]


def assess_eligibility(
    firms: pd.DataFrame | Mapping[str, Any], *, tier: str, rule_version: int, review: bool = False
) -> Assessment:
    """Which firms meet the rules of a tier, by which route, and what stands against the others.

    Estimand: none; a rule is applied, nothing is estimated. "Eligible" says that the declared rules are met, not that the firm
    applied or was certified. An input that is missing, as a column or for a firm, is unknown and never taken for a no.

    Parameters
    ----------
    firms
        One row per firm: a frame, or columns by name. Names and units are those of `data/rules/inputs.toml`: money in ten
        thousand yuan (万元), shares and growth in per cent (5, not 0.05), staff in persons. R&D intensities, two-year sums and
        whether a firm is an SME are worked out where they are not supplied.
    tier
        "innovative" (创新型中小企业), "srdi" (专精特新中小企业) or "little_giant" (专精特新“小巨人”企业).
    rule_version
        2022 or 2026; `rule_version_for` says which.
    review
        A review of a certificate (复核): what is asked of new applicants only is waived.

    Returns
    -------
    Assessment
        `eligible`, `route`, `score` and its bounds, each requirement; `.to_frame()`, `.summary()`, `.unconfirmed`.

    Raises
    ------
    ParameterError
        The tier or the version is not declared.
    DataError
        Nothing that the rules ask is supplied; values of the wrong kind or out of range; fractions in place of per cents.
    DesignError
        A file of rules breaks its form.

    Examples
    --------
    >>> firms = {"sme": True, "intellectual_property": "class_one", "rd_intensity": [5.0, 4.9], "main_growth": 10.0,
    ...          "debt_ratio": 54.0, "field": "other", "main_share": 55.0}
    >>> found = assess_eligibility(firms, tier="innovative", rule_version=2022)
    >>> found.score.tolist(), found.route
    ([70.0, 65.0], ('score', 'score'))
    """
    rule = find_tier_rule(tier, rule_version)
    facts = firm_facts(firms, rule.inputs, load_firm_inputs())
    _refuse_points(rule, facts)
    requirements = {one.name: _requirement(one, facts, review, trusting=True) for one in rule.requirements}
    routes = {one.name: _requirement(one, facts, review, trusting=True) for one in rule.routes}
    items = {item.name: _item(item, facts, trusting=True) for item in (rule.score.items if rule.score else ())}
    low, high = _total(list(items.values()), facts.rows) if rule.score else (np.full(facts.rows, np.nan),) * 2
    if rule.score:
        routes = {SCORE: _passed(rule.score, items, facts.rows), **routes}
    status = _eligible(rule, list(requirements.values()), list(routes.values()), facts.rows)
    return Assessment(
        rule=rule,
        review=review,
        index=facts.index,
        status=status,
        requirements=FrozenMapping(requirements),
        routes=FrozenMapping(routes),
        points=FrozenMapping({name: np.where(lo == hi, lo, np.nan) for name, (lo, hi) in items.items()}),
        score_low=low,
        score_high=high,
        rests_on_unconfirmed=status != _without_unconfirmed(rule, facts, review),
        unconfirmed=(*rule.unconfirmed, *(f"size_standard.{name}" for name in facts.unconfirmed_industries)),
        missing_inputs=tuple(name for name in rule.inputs if np.isnan(facts.value(name)).all()),
    )


def _without_unconfirmed(rule: TierRule, facts: FirmFacts, review: bool) -> Statuses:
    """Who is eligible if every rule that was not confirmed is unknown."""
    requirements = [_requirement(one, facts, review, trusting=False) for one in rule.requirements]
    routes = [_requirement(one, facts, review, trusting=False) for one in rule.routes]
    if rule.score:
        items = {item.name: _item(item, facts, trusting=False) for item in rule.score.items}
        routes = [_passed(rule.score, items, facts.rows), *routes]
    return _eligible(rule, requirements, routes, facts.rows)


def _eligible(rule: TierRule, requirements: list[Statuses], routes: list[Statuses], rows: int) -> Statuses:
    status = np.min([*requirements, np.full(rows, MET if rule.complete else UNKNOWN, dtype=np.int8)], axis=0)
    found: Statuses = np.minimum(status, np.max(routes, axis=0)) if routes else status
    return found


def _requirement(requirement: Requirement, facts: FirmFacts, review: bool, *, trusting: bool) -> Statuses:
    if review and requirement.waived_on_review:
        return np.full(facts.rows, MET, dtype=np.int8)
    if not (trusting or requirement.confirmed):
        return np.full(facts.rows, UNKNOWN, dtype=np.int8)
    return _status(requirement.test, facts, trusting)


def _status(test: Test, facts: FirmFacts, trusting: bool) -> Statuses:
    if isinstance(test, Condition):
        return _compared(test, facts, trusting)
    parts = [_status(part, facts, trusting) for part in test.parts]
    found: Statuses = np.min(parts, axis=0) if test.how == "all" else np.max(parts, axis=0)
    return found


def _compared(condition: Condition, facts: FirmFacts, trusting: bool) -> Statuses:
    values, bound = facts.value(condition.input), condition.bound
    if isinstance(bound, tuple):
        choices = facts.inputs[condition.input].choices
        met = np.isin(values, [choices.index(name) for name in bound])
    elif condition.how == "is":
        met = values == float(bound)
    else:
        met = _COMPARE[condition.how](values, bound)
    unknown = np.isnan(values)
    if not trusting:
        unknown = unknown | (not condition.confirmed) | (facts.size_unconfirmed & (condition.input == "sme"))
    return np.where(unknown, UNKNOWN, np.where(met, MET, NOT_MET)).astype(np.int8)


def _item(item: ScoreItem, facts: FirmFacts, *, trusting: bool) -> Bounds:
    """The fewest and the most points that an item can give to each firm: the best of its scales."""
    scales = [_points(scale, facts, trusting or item.confirmed) for scale in item.scales]
    return np.max([low for low, _ in scales], axis=0), np.max([high for _, high in scales], axis=0)


def _points(scale: Scale, facts: FirmFacts, trusted: bool) -> Bounds:
    values = facts.value(scale.input)
    if isinstance(scale, StepScale):
        points = np.select([_COMPARE[scale.side](values, bound) for bound in scale.bounds], scale.points, default=0.0)
    elif isinstance(scale, ClassScale):
        choices = facts.inputs[scale.input].choices
        points = np.select([values == choices.index(name) for name in scale.classes], list(scale.classes.values()), default=0.0)
    else:
        points = values
    unknown = np.isnan(values) | (not trusted)
    return np.where(unknown, min(scale.attainable), points), np.where(unknown, max(scale.attainable), points)


def _total(items: list[Bounds], rows: int) -> Bounds:
    zero = np.zeros(rows)
    return np.sum([zero, *(low for low, _ in items)], axis=0), np.sum([zero, *(high for _, high in items)], axis=0)


def _passed(score: ScoreRule, items: Mapping[str, Bounds], rows: int) -> Statuses:
    """Whether the total and every block reach what is asked."""
    asked = [(_total(list(items.values()), rows), score.passing)]
    for block in score.blocks:
        within = [items[item.name] for item in score.items if item.block == block.name]
        asked.append((_total(within, rows), block.minimum))
    reached = [np.where(low >= least, MET, np.where(high < least, NOT_MET, UNKNOWN)) for (low, high), least in asked]
    found: npt.NDArray[np.int8] = np.min(reached, axis=0).astype(np.int8)
    return found


def _refuse_points(rule: TierRule, facts: FirmFacts) -> None:
    """Supplied points have to be among those that the item can give."""
    problems: list[Problem] = []
    scales = [scale for item in (rule.score.items if rule.score else ()) for scale in item.scales]
    for scale in scales:
        if isinstance(scale, SuppliedScale):
            points = facts.value(scale.input)
            fits = np.isin(points, scale.allowed) if scale.allowed else points <= scale.maximum
            wrong = ~np.isnan(points) & ~fits
            if wrong.any():
                among = ", ".join(f"{value:g}" for value in scale.allowed) or f"0 to {scale.maximum:g}"
                first = f"row {int(np.flatnonzero(wrong)[0]) + 1}"
                what = f"{scale.input}: {int(wrong.sum())} values are not among {among}."
                problems.append(Problem(what=what, first=first, remedy="supply the points of this item alone"))
    if problems:
        raise DataError(problems)
