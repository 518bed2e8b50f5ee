"""What is stale and why, on fakes: no notebook runs here."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sme_eval.runs import keys
from sme_eval.runs.keys import notebook_estimation, notebook_rendering, reasons
from sme_eval.runs.parameters import resolve
from sme_eval.runs.plan_file import Report
from sme_eval.runs.render import with_prose, without_title
from sme_eval.runs.stale import changed_outputs, decide, find_stamp, plan_report
from sme_eval.runs.stamp import STAMP, Stamp, digest, publish, read_stamps, record_folder

SLUG = "training_grants-log_scrap.observed"
ESTIMATION = {"policy": "p", "lock": "l", "parameters": {"outcome": "log_scrap"}}
RENDERING = {"texts": "t", "templates": "c"}


def put(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return digest(path)


@pytest.fixture
def stamped(tmp_path: Path) -> Stamp:
    """A finished run of one record and one page."""
    record = put(record_folder(tmp_path, SLUG) / "evaluation.json", "{}")
    page = put(record_folder(tmp_path, SLUG) / "page.html", "page")
    stamp = Stamp(
        name="training_grants",
        slug=SLUG,
        estimation=ESTIMATION,
        rendering={**RENDERING, "record": record},
        estimated={f"internal/{SLUG}/evaluation.json": record},
        rendered={f"internal/{SLUG}/page.html": page},
    )
    stamp.write(tmp_path)
    return stamp


def test_nothing_changed_nothing_stale(tmp_path: Path, stamped: Stamp) -> None:
    assert decide(tmp_path, stamped, ESTIMATION, RENDERING) == ((), ())


def test_what_was_never_run_is_new(tmp_path: Path) -> None:
    assert decide(tmp_path, None, ESTIMATION, RENDERING) == (("new",), ())


def test_a_changed_policy_estimates_again(tmp_path: Path, stamped: Stamp) -> None:
    assert decide(tmp_path, stamped, {**ESTIMATION, "policy": "other"}, RENDERING) == (("policy file changed",), ())


def test_changed_texts_render_again_and_estimate_nothing(tmp_path: Path, stamped: Stamp) -> None:
    assert decide(tmp_path, stamped, ESTIMATION, {**RENDERING, "texts": "other"}) == ((), ("briefing texts changed",))


def test_every_reason_is_told(tmp_path: Path, stamped: Stamp) -> None:
    now = {"policy": "other", "lock": "other", "parameters": {"outcome": "log_scrap"}}
    assert decide(tmp_path, stamped, now, RENDERING)[0] == ("policy file changed", "library versions changed")


def test_a_missing_page_is_rendered_again(tmp_path: Path, stamped: Stamp) -> None:
    (tmp_path / f"internal/{SLUG}/page.html").unlink()
    assert decide(tmp_path, stamped, ESTIMATION, RENDERING) == ((), (f"missing: internal/{SLUG}/page.html",))


def test_a_record_edited_by_hand_is_estimated_again(tmp_path: Path, stamped: Stamp) -> None:
    put(record_folder(tmp_path, SLUG) / "evaluation.json", '{"estimate": 1}')
    estimate, render = decide(tmp_path, stamped, ESTIMATION, RENDERING)
    assert estimate == (f"altered: internal/{SLUG}/evaluation.json",) and render == ("record changed",)


def test_an_interrupted_rendering_is_taken_up(tmp_path: Path, stamped: Stamp) -> None:
    half = Stamp(name=stamped.name, slug=SLUG, estimation=ESTIMATION, estimated=stamped.estimated)
    assert decide(tmp_path, half, ESTIMATION, RENDERING) == ((), ("not rendered yet",))


def test_many_missing_outputs_are_counted(tmp_path: Path) -> None:
    assert changed_outputs(tmp_path, {"a": "1", "b": "2", "c": "3"}) == ("missing: a and 2 more",)


def test_stamps_survive_writing(tmp_path: Path, stamped: Stamp) -> None:
    assert read_stamps(tmp_path) == [stamped]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 0}', '{"schema": 1, "nonsense": 1}'])
def test_a_broken_stamp_counts_as_none(tmp_path: Path, stamped: Stamp, text: str) -> None:
    put(record_folder(tmp_path, SLUG) / STAMP, text)
    assert read_stamps(tmp_path) == []


def test_a_folder_renamed_by_hand_counts_as_none(tmp_path: Path, stamped: Stamp) -> None:
    shutil.move(record_folder(tmp_path, SLUG), record_folder(tmp_path, "renamed"))
    assert read_stamps(tmp_path) == []


def test_stamps_are_found_by_notebook_and_outcome(tmp_path: Path, stamped: Stamp) -> None:
    def asked(notebook: str, name: str = "", **settings: str) -> Report:
        return Report(notebook=notebook, parameters=resolve(notebook, settings), name=name)

    assert find_stamp([stamped], asked("training_grants")) is stamped
    assert find_stamp([stamped], asked("training_grants", outcome="log_sales")) is None
    assert find_stamp([stamped], asked("certification")) is None
    named = replace(stamped, report="grants")
    assert find_stamp([named], asked("training_grants")) is None, "the report of a plan has a place of its own"
    assert find_stamp([stamped, named], asked("training_grants", "grants", outcome="log_sales")) is named


def test_publishing_moves_and_removes(tmp_path: Path) -> None:
    staging, reports = tmp_path / "staging", tmp_path / "reports"
    put(staging / "internal/x/new.html", "new")
    put(reports / "internal/x/old.html", "old")
    put(reports / "internal/x/of-a-person.txt", "keep")
    made = publish(staging, reports, ["internal/x/old.html"])
    assert made == {"internal/x/new.html": digest(reports / "internal/x/new.html")}
    assert sorted(path.name for path in (reports / "internal/x").iterdir()) == ["new.html", "of-a-person.txt"]


def test_a_new_folder_needs_every_notebook(tmp_path: Path) -> None:
    plans = plan_report(tmp_path)
    assert [str(plan) for plan in plans] == [
        f"{name}: new" for name in ("training_grants", "certification", "rewards", "credit", "bundle")
    ]


def test_the_kind_of_a_change_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the briefing's folder, edited: texts, templates and code each have a component of their own."""
    before = notebook_rendering("training_grants")
    copy = tmp_path / "briefing"
    shutil.copytree(keys.BRIEFING, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(keys, "BRIEFING", copy)
    assert reasons(notebook_rendering("training_grants"), before) == ()
    for inside, why in {"text/zh.toml": "texts", "templates/page.css": "templates", "numbers.py": "code"}.items():
        path = copy / inside
        original = path.read_bytes()
        path.write_bytes(original + b"\n# edited\n")
        assert reasons(notebook_rendering("training_grants"), before) == (f"briefing {why} changed",)
        path.write_bytes(original)


def test_prose_and_code_of_a_notebook_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = keys.notebook_path("training_grants").read_text(encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    own = tmp_path / "notebooks" / "training_grants.ipynb"
    monkeypatch.chdir(tmp_path)
    own.write_text(original, encoding="utf-8")
    estimation, rendering = notebook_estimation("training_grants", {}), notebook_rendering("training_grants")
    own.write_text(original.replace("What else moved", "Further outcomes"), encoding="utf-8")
    assert reasons(notebook_estimation("training_grants", {}), estimation) == ()
    assert reasons(notebook_rendering("training_grants"), rendering) == ("notebook prose changed",)
    own.write_text(original.replace("sme.evaluate(design, panel)", "sme.evaluate(design,panel)"), encoding="utf-8")
    assert reasons(notebook_estimation("training_grants", {}), estimation) == ("notebook code changed",)


def test_an_executed_notebook_takes_new_words_and_keeps_its_outputs() -> None:
    executed = {"cells": [{"id": "a", "cell_type": "markdown", "source": "old"}, {"id": "b", "cell_type": "code", "outputs": [1]}]}
    current = {
        "cells": [{"id": "a", "cell_type": "markdown", "source": "# New\nwords"}, {"id": "b", "cell_type": "code", "outputs": []}]
    }
    shown = with_prose(executed, current)
    assert [cell.get("outputs") for cell in shown["cells"]] == [None, [1]]
    assert without_title(shown)["cells"][0]["source"] == "words"
