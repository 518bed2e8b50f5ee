"""The sample report from end to end: made once, then only what is stale."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sme_eval.briefing.document import FORMS, file_stem
from sme_eval.evaluation.disclosure import require_released
from sme_eval.evaluation.record import Evaluation
from sme_eval.runs import keys
from sme_eval.runs.keys import read_notebook, source
from sme_eval.runs.report import bring_up_to_date
from sme_eval.runs.stale import plan_report
from sme_eval.runs.stamp import digest
from sme_eval.terms import LANGUAGES

pytestmark = pytest.mark.slow
NOTEBOOKS = ("training_grants", "certification", "rewards", "credit", "bundle")
SLUGS = (
    "certification-log_revenue.simulated",
    "training_grants-log_scrap.observed",
    *(f"{name}-log_revenue.simulated" for name in NOTEBOOKS[2:]),
)
WARM_SECONDS = 3
"""Promised to people who run `report` when there is nothing to do."""


def report(project: Path, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "JUPYTER", "MPL"))}
    environment |= {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "sme_eval", "report"]
    return subprocess.run(command, capture_output=True, text=True, cwd=project, env=environment, check=False)


def digests(reports: Path) -> dict[str, str]:
    return {path.relative_to(reports).as_posix(): digest(path) for path in sorted(reports.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports' folder of a whole report, made by the command line with an empty home."""
    project, home = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("home")
    done = report(project, home)
    assert done.returncode == 0, done.stderr
    *new, index = done.stdout.splitlines()
    assert (sorted(new), index) == (sorted(f"{name}: new" for name in NOTEBOOKS), "reports/index.html")
    assert list(home.iterdir()) == [], "something was written to the user's home"
    return project / "reports"


@pytest.fixture
def reports(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that a test may spoil."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made, tmp_path / "reports")
    return tmp_path / "reports"


def test_every_page_is_there(made: Path) -> None:
    found = digests(made)
    for slug in SLUGS:
        for audience in ("internal", "release"):
            for language, form, ending in itertools.product(LANGUAGES, FORMS, ("html", "pdf")):
                assert f"{audience}/{slug}/{file_stem(slug, language, form)}.{ending}" in found
            assert f"{audience}/{slug}/evaluation.json" in found
        assert f"internal/{slug}/{slug}.notebook.html" in found
    assert not [path for path in found if path.endswith(".part") or "staging" in path]


def test_links_of_the_index_lead_somewhere(made: Path) -> None:
    links = re.findall(r'href="([^"#]+)"', (made / "index.html").read_text(encoding="utf-8"))
    assert links and [link for link in links if not (made / link).is_file()] == []


def test_only_what_passed_the_gate_is_released(made: Path) -> None:
    for slug in SLUGS:
        require_released(Evaluation.read(made / "release" / slug))
    assert not list((made / "release").rglob("*notebook*"))


def test_the_records_hold_what_the_pages_tell(made: Path) -> None:
    grants = Evaluation.read(made / "internal" / SLUGS[1])
    assert all(row.matches for record in grants.published for row in record.rows) and grants.published
    certification = Evaluation.read(made / "internal" / SLUGS[0])
    assert certification.companions and certification.repetitions


def test_no_firm_and_no_path_of_this_machine_is_shown(made: Path) -> None:
    """Firms of the observed panel have six-digit code numbers."""
    from sme_eval.intake import open_source

    firms = {str(firm) for firm in open_source("jobtraining").frame["firm"].unique()}
    for slug in SLUGS:
        notebook = read_notebook(made / "internal" / slug / f"{slug}.notebook.ipynb")
        texts = [
            source({"source": text})
            for cell in notebook["cells"]
            for output in cell.get("outputs", [])
            for text in (output.get("text", ""), *(v for k, v in output.get("data", {}).items() if k.startswith("text")))
        ]
        assert texts and not firms & set(re.findall(r"(?<![\d.])\d{6}(?!\d)", "\n".join(texts)))
        everything = json.dumps(notebook)
        assert str(made.parent) not in everything and sys.prefix not in everything


def test_nothing_stale_is_said_at_once_and_changes_nothing(reports: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in reports.rglob("*")}
    started = time.monotonic()
    done = report(tmp_path, tmp_path)
    assert time.monotonic() - started < WARM_SECONDS
    assert (done.returncode, done.stdout) == (0, "nothing is stale: reports/index.html\n")
    assert {path: path.stat().st_mtime_ns for path in reports.rglob("*")} == before


def test_edited_words_render_again_and_estimate_nothing(reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "briefing"
    shutil.copytree(keys.BRIEFING, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "text" / "zh.toml").open("a", encoding="utf-8") as texts:
        texts.write("\n# a word was changed\n")
    monkeypatch.setattr(keys, "BRIEFING", copy)
    before, said = digests(reports), list[str]()
    assert {(plan.estimate, plan.render) for plan in plan_report(reports)} == {((), ("briefing texts changed",))}
    one = {"only": ("training_grants",), "say": said.append}
    result = bring_up_to_date(reports, **one)
    assert (result.estimated, result.rendered) == ((), ("training_grants",))
    assert said[0] == "training_grants: briefing texts changed (pages only, nothing is estimated again)"
    now = digests(reports)
    changed = {path for path in now if now[path] != before[path]}
    kept = ("run.json", "index.json", "manifest.json")
    assert all(path.endswith(kept) for path in changed), f"the same words gave other pages: {sorted(changed)}"
    assert bring_up_to_date(reports, **one).rendered == ()


def test_an_altered_page_is_made_again(reports: Path) -> None:
    page = reports / "release" / SLUGS[1] / f"{SLUGS[1]}.en.html"
    original = page.read_bytes()
    page.write_bytes(original.replace(b"</main>", b"<p>99%</p></main>"))
    said: list[str] = []
    result = bring_up_to_date(reports, say=said.append)
    assert result.rendered == ("training_grants",) and page.read_bytes() == original
    assert said[0].startswith("training_grants: altered: release/")


def test_evaluate_prints_its_record_and_notices_the_other_verb(reports: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sme_eval", "evaluate", "training_grants", "--set", "comparison=not_yet_treated", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    record = Evaluation.from_json(done.stdout)
    assert record.design.comparison == "not_yet_treated"
    assert record == Evaluation.read(reports / "internal" / SLUGS[1])
    assert not list((reports / "internal" / SLUGS[1]).glob("*notebook*")), "a notebook of another record was left beside it"
