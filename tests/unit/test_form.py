"""The parameter form without a browser: fields from the rules, refusals in words, a run, a stop, a failure."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

import sme_eval as sme
from sme_eval.errors import DataError, ParameterError
from sme_eval.runs.form import ParameterForm
from sme_eval.runs.form_words import FORM_WORDS, allowed
from sme_eval.runs.parameters import REGISTERED, rules
from sme_eval.runs.run import RunResult
from sme_eval.terms import LANGUAGES
from tests import factories


def form(runner: Callable[..., RunResult], notebook: str = "certification", language: str = "en") -> ParameterForm:
    return sme.parameter_form(notebook, language, runner=runner)  # type: ignore[arg-type]


def never(*_: object, **__: object) -> RunResult:
    raise AssertionError("nothing is to run")


def shown(made: ParameterForm) -> str:
    return "\n".join(output["data"]["text/html"] for output in made.result.outputs)


def test_both_languages_have_the_same_words() -> None:
    assert set(FORM_WORDS["zh"]) == set(FORM_WORDS["en"])
    for key, text in FORM_WORDS["zh"].items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", FORM_WORDS["en"][key])), key


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notebook", sorted(REGISTERED))
def test_a_form_has_a_field_per_parameter_and_its_defaults_run(notebook: str, language: str) -> None:
    made = form(never, notebook, language)
    assert {name: field.value for name, field in made.fields.items()} == {rule.name: rule.default for rule in rules(notebook)}
    assert made.settings() == {}
    assert not made.run.disabled and made.stop.disabled
    assert not any(message.value for message in made.messages.values())


def test_fields_follow_the_rules() -> None:
    fields = form(never).fields
    assert isinstance(fields["outcome"], widgets.Dropdown)
    assert ("log_revenue: log operating revenue", "log_revenue") in fields["outcome"].options
    assert isinstance(fields["level"], widgets.BoundedFloatText) and (fields["level"].min, fields["level"].max) == (0.5, 0.999)
    assert isinstance(fields["repetitions"], widgets.BoundedIntText) and fields["repetitions"].min == 0
    assert isinstance(fields["reports"], widgets.Text)
    words = {rule.name: allowed(rule, "zh") for rule in rules("certification")}
    assert words["firms"] == "2500 至 200000 的整数"
    assert words["seed"] == "不小于 0 的整数"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "0 or a whole number from 20 to 10000"), ("zh", "应为 0 或 20 至 10000 的整数")]
)
def test_a_refused_value_is_told_under_its_field_and_nothing_runs(language: str, words: str) -> None:
    made = form(never, language=language)
    made.fields["repetitions"].value = 5
    assert words in made.messages["repetitions"].value
    assert "5" in made.messages["repetitions"].value
    made.fields["seed"].value = -1
    assert made.messages["seed"].value
    assert made.run.disabled
    made.run.click()
    assert made.result.outputs == ()
    made.fields["repetitions"].value = 0
    made.fields["seed"].value = 2
    assert not made.run.disabled and not made.messages["seed"].value


def test_words_of_a_user_are_not_markup() -> None:
    made = form(never, "training_grants")
    made.fields["reports"].value = " "
    assert "write a text" in made.messages["reports"].value
    made.fields["reports"].value = "<b>"
    assert not made.messages["reports"].value


def test_a_run_shows_its_record_and_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given: list[Any] = []

    def runner(notebook: str, settings: Mapping[str, object], reports: Path, *, listen: Any, hold: Any) -> RunResult:
        given.extend((notebook, dict(settings), reports, made.run.disabled, made.stop.disabled))
        listen({"event": "advance"})
        evaluation = factories.observed()
        record = evaluation.write(reports)
        for ending in ("en.html", "notebook.ipynb"):
            record.with_name(f"{evaluation.slug}.{ending}").write_text("{}", encoding="utf-8")
        return RunResult(name=notebook, slug=evaluation.slug, record=record, seconds=2.0)

    made = form(runner, "training_grants")
    made.fields["comparison"].value = "not_yet_treated"
    made.run.click()
    made.wait(60)
    assert given == ["training_grants", {"comparison": "not_yet_treated"}, tmp_path / "reports", True, False]
    assert "Done in 2 s." in made.status.value
    assert made.progress.value == 1 < made.progress.max
    slug = factories.observed().slug
    assert sme.Evaluation.read(tmp_path / "reports/internal" / slug).summary().splitlines()[0] in shown(made)
    for link in (f"reports/internal/{slug}/{slug}.en.html", f"reports/internal/{slug}/{slug}.notebook.ipynb", "reports/index.html"):
        assert f'href="{link}"' in shown(made)
    assert "release" not in shown(made)
    assert not made.run.disabled and made.stop.disabled


def test_a_run_can_be_stopped_and_started_again() -> None:
    stopped, started = threading.Event(), threading.Event()

    class Fake:
        def stop(self) -> None:
            stopped.set()

    def runner(*_: object, listen: Any, hold: Any) -> RunResult:
        hold(Fake())
        started.set()
        assert stopped.wait(30)
        raise DataError("its process died")

    made = form(runner)
    made.run.click()
    assert started.wait(30)
    made.run.click()  # a second run is not begun
    made.fields["seed"].value = 3
    assert made.run.disabled
    made.stop.click()
    made.wait(30)
    assert "Stopped." in made.status.value and shown(made) == ""
    assert not made.run.disabled and made.stop.disabled


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DataError("The panel has <no> rows."), "DataError: The panel has &lt;no&gt; rows."),
        (ZeroDivisionError("x"), "This is a bug"),
    ],
)
def test_a_failure_is_told_in_words(error: Exception, words: str) -> None:
    def runner(*_: object, **__: object) -> RunResult:
        raise error

    made = form(runner)
    made.run.click()
    made.wait(30)
    assert words in shown(made)
    assert "did not finish" in made.status.value
    assert not made.run.disabled


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ParameterError, match="did you mean 'certification'"):
        sme.parameter_form("certificaton")
    with pytest.raises(ParameterError, match="one of: "):
        sme.parameter_form("certification", "french")  # type: ignore[arg-type]
