"""Parameters are declared for three readers: the dataclass, the notebook's cell, and the policy file or the simulation."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest

from sme_eval.evaluation.repetition import FEWEST
from sme_eval.policies.policy import find_policy, load_policies
from sme_eval.runs import parameters
from sme_eval.runs.evaluate import policy_rules
from sme_eval.runs.keys import read_notebook, source
from sme_eval.runs.parameters import NOTEBOOKS, REGISTERED, rules
from sme_eval.simulate import ningbo
from sme_eval.simulate.scenario import SCENARIOS

FOLDER = Path(__file__).parents[2] / "notebooks"


def choices(notebook: str, name: str) -> set[str]:
    return {choice for rule in rules(notebook) if rule.name == name for choice in rule.choices}


def test_every_notebook_has_its_parameters() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(REGISTERED)


@pytest.mark.parametrize("notebook", sorted(REGISTERED))
def test_the_parameters_cell_is_the_dataclass(notebook: str) -> None:
    cells = [
        cell for cell in read_notebook(FOLDER / f"{notebook}.ipynb")["cells"] if "parameters" in cell["metadata"].get("tags", [])
    ]
    [cell] = cells
    declared = {}
    for node in ast.parse(source(cell)).body:
        assert isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        declared[node.targets[0].id] = ast.literal_eval(node.value)
    assert list(declared.items()) == list(dataclasses.asdict(REGISTERED[notebook]()).items())


@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS))
def test_choices_are_those_of_the_policy(notebook: str) -> None:
    policy = find_policy(notebook)
    judged = {name for name, rule in policy.outcomes.items() if policy.listing is None or rule.role == "outcome"}
    assert choices(notebook, "outcome") == judged
    if hasattr(NOTEBOOKS[notebook](), "comparison"):
        assert choices(notebook, "comparison") == set(policy.treatment.comparisons)


@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS))
def test_defaults_are_those_of_the_policy(notebook: str) -> None:
    """A notebook and `sme-eval evaluate` answer the same question when nothing is set."""
    policy, default = find_policy(notebook), NOTEBOOKS[notebook]()
    assert default.outcome == policy.main_outcome
    shared = {rule.name: rule.default for rule in policy_rules(policy) if rule.name != "repetitions"}
    assert {name: getattr(default, name) for name in shared if hasattr(default, name)} == {
        name: value for name, value in shared.items() if hasattr(default, name)
    }


def test_questions_can_be_put_to_every_policy() -> None:
    assert choices("specification_curve", "policy") == set(load_policies())


def test_limits_are_those_of_the_simulation() -> None:
    assert choices("certification", "scenario") == set(SCENARIOS)
    assert parameters.FEWEST_FIRMS == ningbo.FEWEST_FIRMS
    assert parameters.FEWEST_PANELS == FEWEST
