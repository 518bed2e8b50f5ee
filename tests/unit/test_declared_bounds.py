"""Every declared bound of the certification rules, just below, at and just above, against an oracle in plain Python."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping
from typing import Any

import pytest

from sme_eval.policies.assessment import MET, NOT_MET
from sme_eval.policies.tier_rule_files import find_tier_rule, load_tier_rules
from sme_eval.policies.tier_rules import Condition, StepScale, Test, conditions
from tests.unit.rule_firms import assessed

RULES = load_tier_rules()
NEAR = 0.01


def holds(test: Test, firm: Mapping[str, Any]) -> bool:
    if not isinstance(test, Condition):
        return (all if test.how == "all" else any)(holds(part, firm) for part in test.parts)
    value, bound = firm[test.input], test.bound
    if isinstance(bound, tuple):
        return value in bound
    compare = {"at_least": operator.ge, "above": operator.gt, "at_most": operator.le, "below": operator.lt, "is": operator.eq}
    return bool(compare[test.how](value, bound))


def around(asked: list[Condition]) -> list[Any]:
    bound = asked[0].bound
    if isinstance(bound, tuple):
        return [bound[0], "none"]
    if isinstance(bound, bool):
        return [True, False]
    numbers = {float(one.bound) for one in asked if not isinstance(one.bound, tuple)}
    return sorted({value for number in numbers for value in (number - NEAR, number, number + NEAR)})


@pytest.mark.parametrize("key", RULES, ids=str)
def test_every_declared_bound_of_every_requirement_and_route(key: tuple[str, int]) -> None:
    """All combinations of values just below, at and just above the bounds; every bound decides in one of them."""
    for one in (*find_tier_rule(*key).requirements, *find_tier_rule(*key).routes):
        asked = list(conditions(one.test))
        names = sorted({condition.input for condition in asked})
        values = [around([c for c in asked if c.input == name]) for name in names]
        firms = [dict(zip(names, combination, strict=True)) for combination in itertools.product(*values)]
        found = assessed(*key, *firms)
        statuses = {**found.requirements, **found.routes}[one.name]
        assert statuses.tolist() == [MET if holds(one.test, firm) else NOT_MET for firm in firms]
        answers = {tuple(firm.values()): bool(status == MET) for firm, status in zip(firms, statuses, strict=True)}
        for n, options in enumerate(values):
            pairs = itertools.pairwise(options)
            assert any(answers[point] != answers[(*point[:n], b, *point[n + 1:])]
                       for a, b in pairs for point in answers if point[n] == a), (one.name, names[n])  # fmt: skip


@pytest.mark.parametrize("key", [key for key, rule in RULES.items() if rule.score], ids=str)
def test_every_declared_step(key: tuple[str, int]) -> None:
    score = find_tier_rule(*key).score
    assert score is not None
    for item in score.items:
        for scale in item.scales:
            if isinstance(scale, StepScale):
                others = {other.input: 0 for other in item.scales if other is not scale}
                at = [value for bound in scale.bounds for value in (bound - NEAR, bound, bound + NEAR)]
                found = assessed(*key, *({**others, scale.input: value} for value in at)).points[item.name].tolist()
                for n, worth in enumerate(scale.points):
                    after = (*scale.points, 0.0)[n + 1]
                    expected = {"at_least": [after, worth, worth], "below": [worth, after, after]}[scale.side]
                    assert found[3 * n : 3 * n + 3] == expected, (item.name, scale.bounds[n])
