"""What `--set` may say: every mistake is told before anything starts, and all of them at once."""

from __future__ import annotations

import pytest

from sme_eval.errors import ParameterError
from sme_eval.runs.parameters import (
    NOTEBOOKS,
    CertificationParameters,
    TrainingGrantsParameters,
    changed,
    notebook_name,
    resolve,
    rules,
    values,
)
from sme_eval.runs.settings import split_settings


def problems(notebook: str, settings: dict[str, object]) -> list[tuple[str, str]]:
    with pytest.raises(ParameterError) as caught:
        resolve(notebook, settings)
    assert caught.value.exit_code == 13
    return [(problem.what, problem.remedy) for problem in caught.value.problems]


def test_without_settings_the_defaults_hold() -> None:
    assert resolve("training_grants", {}) == TrainingGrantsParameters()
    assert resolve("certification", {}) == CertificationParameters()


def test_texts_are_read_in_the_type_of_their_parameter() -> None:
    made = resolve("certification", {"seed": "7", "level": "0.9", "scenario": "null", "repetitions": "0"})
    assert made == CertificationParameters(seed=7, level=0.9, scenario="null", repetitions=0)


def test_values_are_taken_as_they_are() -> None:
    assert resolve("certification", {"seed": 7, "firms": 3000}) == CertificationParameters(seed=7, firms=3000)


def test_an_unknown_name_gets_a_suggestion() -> None:
    assert problems("training_grants", {"outcom": "log_sales"}) == [("There is no parameter 'outcom'.", "did you mean 'outcome'?")]


@pytest.mark.parametrize(
    ("notebook", "name", "given", "remedy"),
    [
        ("certification", "seed", "one", "a whole number of at least 0"),
        ("certification", "seed", "1.5", "a whole number of at least 0"),
        ("certification", "seed", 1.0, "a whole number of at least 0"),
        ("certification", "seed", True, "a whole number of at least 0"),
        ("certification", "seed", "-1", "a whole number of at least 0"),
        ("certification", "firms", "10", "a whole number from 2500 to 200000"),
        ("certification", "repetitions", "5", "0 or a whole number from 20 to 10000"),
        ("certification", "level", "95", "a number from 0.5 to 0.999"),
        ("certification", "level", "nan", "a number from 0.5 to 0.999"),
        ("certification", "scenario", "cleen", "did you mean 'clean'?"),
        ("certification", "outcome", "", "one of: log_revenue, log_employment"),
        ("training_grants", "comparison", "controls", "one of: never_treated, not_yet_treated"),
        ("training_grants", "outcome", "log_revenue", "did you mean 'log_employment'?"),
    ],
)
def test_a_refused_value_says_what_is_allowed(notebook: str, name: str, given: object, remedy: str) -> None:
    [(what, told)] = problems(notebook, {name: given})
    assert what.startswith(f"{name} is ")
    assert told.startswith(("did you mean", "one of")) if "did you mean" in remedy else told == remedy


def test_all_problems_come_at_once() -> None:
    found = problems("certification", {"sed": "1", "firms": "ten", "level": "2", "scenario": "x"})
    assert [what.split()[0] for what, _ in found] == ["There", "firms", "level", "scenario"]


def test_a_notebook_may_be_named_by_file_or_path() -> None:
    for given in (
        "training_grants",
        "training_grants.ipynb",
        "notebooks/training_grants.ipynb",
        "notebooks\\training_grants.ipynb",
    ):
        assert notebook_name(given) == "training_grants"


def test_an_unknown_notebook_gets_a_suggestion() -> None:
    with pytest.raises(ParameterError, match="did you mean 'certification'"):
        resolve("certificate", {})


def test_settings_are_split_at_the_first_sign() -> None:
    assert split_settings(["a=1", "b = x=y"]) == {"a": "1", "b": "x=y"}
    assert split_settings(["a=1", "a=1"]) == {"a": "1"}


def test_what_is_no_setting_is_refused() -> None:
    with pytest.raises(ParameterError) as caught:
        split_settings(["level", "=3", "a=1", "a=2"])
    assert len(caught.value.problems) == 3


def test_the_folder_of_the_reports_is_no_part_of_what_is_estimated() -> None:
    made = resolve("training_grants", {"reports": "elsewhere", "level": "0.9"})
    assert made.reports == "elsewhere"
    assert "reports" not in values(made)
    assert changed(made) == {"level": 0.9}


@pytest.mark.parametrize("notebook", sorted(NOTEBOOKS))
def test_every_parameter_is_explained_in_both_languages(notebook: str) -> None:
    for rule in rules(notebook):
        assert rule.zh and rule.en and rule.zh != rule.en
        assert rule.allowed
