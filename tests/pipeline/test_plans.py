"""Plans from end to end on notebooks that are quick because they read a record made once: the numbers are not the point here."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from filelock import FileLock

import sme_eval as sme
from sme_eval.evaluation.record import Evaluation
from sme_eval.runs import keys
from sme_eval.runs.failures import read_failures
from sme_eval.runs.history import describe_runs, prune
from sme_eval.runs.keys import read_notebook
from sme_eval.runs.manifest import MANIFEST
from sme_eval.runs.one_at_a_time import LOCK
from sme_eval.runs.plan_file import PlanFile, read_plan
from sme_eval.runs.report import ReportResult, bring_up_to_date, describe_plan
from sme_eval.runs.stamp import digest
from sme_eval.runs.verify import verify

pytestmark = pytest.mark.slow
RAISES, HANGS, DIES = 0.81, 0.82, 0.83
CELLS = (
    "import os, pathlib, time\nimport sme_eval as sme",
    f"assert level != {RAISES}, 'the panel of this district is missing'",
    f"time.sleep(600 * (level == {HANGS}))",
    f"os._exit(1) if level == {DIES} else None",
    "evaluation = sme.Evaluation.read('record')\npathlib.Path('panel.csv').exists()",
    "sme.write_record(evaluation, reports)",
)
PLAN = """
languages = ["en"]
forms = ["bureau"]
formats = ["html"]
deadline = {deadline}
[[reports]]
notebook = "training_grants"
name = "grants-{{level}}"
[reports.grid]
level = {levels}
"""
KILLS = 3
Made = Callable[..., PlanFile]


@pytest.fixture(scope="module")
def record() -> Evaluation:
    policy = sme.load_policies()["training_grants"]
    return sme.evaluate(sme.Design.from_policy(policy), sme.open_source(policy.source), lean=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: Evaluation) -> Made:
    """A project folder with a quick notebook in the place of the package's; writes and reads a plan over levels."""
    original = read_notebook(keys.notebook_path("training_grants"))
    parameters = [cell for cell in original["cells"] if cell["metadata"].get("tags")]
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Grants"}
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
        for n, text in enumerate(CELLS)
    ]
    folder = tmp_path / "project"
    (folder / "notebooks").mkdir(parents=True)
    plain = json.dumps({**original, "cells": [title, *parameters, *cells]})
    (folder / "notebooks" / "training_grants.ipynb").write_text(plain, encoding="utf-8")
    written = record.write(folder / "made")
    written.parent.rename(folder / "record")
    monkeypatch.chdir(folder)

    def plan(*levels: float, deadline: float = 300) -> PlanFile:
        Path("plan.toml").write_text(PLAN.format(levels=list(levels), deadline=deadline), encoding="utf-8")
        return read_plan("plan.toml")

    return plan


def run(plan: PlanFile, said: list[str] | None = None, **options: object) -> ReportResult:
    heard = [] if said is None else said
    return bring_up_to_date("reports", plan, say=heard.append, complain=heard.append, **options)  # type: ignore[arg-type]


def published() -> Mapping[str, str]:
    """Digest by file, of everything that is the same after every run of the same plan."""
    files = (path for path in Path("reports").rglob("*") if path.is_file() and path.name not in ("run.json", LOCK, "failures.json"))
    return {path.as_posix(): digest(path) for path in sorted(files)}


def test_runs_that_raise_hang_and_die_are_told_apart_and_stop_nothing_else(project: Made) -> None:
    plan = project(0.9, RAISES, HANGS, DIES, 0.95, deadline=60)
    said: list[str] = []
    result = run(plan, said)
    assert sorted(result.estimated) == ["grants-0.9", "grants-0.95"]
    kept = read_failures(Path("reports"))
    causes = {name: failure.cause for name, failure in kept.items()}
    assert "AssertionError: the panel of this district is missing" in causes[f"grants-{RAISES}"]
    assert "took longer than 60 seconds" in causes[f"grants-{HANGS}"]
    assert "lost its kernel" in causes[f"grants-{DIES}"]
    assert "assert level" in kept[f"grants-{RAISES}"].cell and "os._exit" in kept[f"grants-{DIES}"].cell
    assert kept[f"grants-{RAISES}"].command == f"sme-eval run training_grants --set level={RAISES}"
    with pytest.raises(sme.RunError, match="3 of 5 runs failed"):
        result.raise_failures()
    told = describe_plan("reports", plan)
    assert "5 reports of 5 evaluations: 2 fresh, 3 failed" in told and "the panel of this district" in told
    assert "Traceback" not in "\n".join(said)
    # The cause is mended: what was done stays done.
    Path("notebooks/training_grants.ipynb").write_text(
        Path("notebooks/training_grants.ipynb")
        .read_text(encoding="utf-8")
        .replace(f"assert level != {RAISES}", "assert level != 2"),
        encoding="utf-8",
    )
    assert run(plan, only=(f"grants-{RAISES}",)).estimated == (f"grants-{RAISES}",)
    assert sorted(read_failures(Path("reports"))) == [f"grants-{HANGS}", f"grants-{DIES}"]


def test_only_what_changed_is_made_again(project: Made) -> None:
    plan = project(0.9, 0.95)
    assert len(run(plan).estimated) == 2
    before = published()
    assert run(plan) == ReportResult(estimated=(), rendered=())
    text = Path("notebooks/training_grants.ipynb").read_text(encoding="utf-8")
    Path("notebooks/training_grants.ipynb").write_text(text.replace("# Grants", "# Grants, in other words"), encoding="utf-8")
    said: list[str] = []
    result = run(plan, said)
    assert (result.estimated, len(result.rendered)) == ((), 2)
    assert "notebook prose changed (pages only, nothing is estimated again)" in said[0]
    assert any("Grants, in other words" in path.read_text(encoding="utf-8") for path in Path("reports").rglob("*.notebook.html"))
    assert run(project(0.9, 0.95, 0.99)).estimated == ("grants-0.99",), "another report joins, the others stay"
    assert {path for path in before if "grants-0.9." in path or "grants-0.95" in path} <= set(published())
    assert "level=0.99" in describe_runs("reports", "0.99") and "no run holds" in describe_runs("reports", "nonsense")
    Path("reports/internal/grants-0.99.observed/note.txt").write_text("of a person", encoding="utf-8")
    assert prune("reports", plan) == ("grants-0.99.observed",)
    left = [path.name for path in Path("reports").rglob("*") if "grants-0.99" in path.as_posix() and path.is_file()]
    assert left == ["note.txt"], "what a person put there stays"


def test_a_report_is_verified_or_what_does_not_match_is_named(project: Made) -> None:
    run(project(0.9))
    said = verify("grants-0.9")
    assert "are what was written, and the record gives the same pages" in said
    page = next(Path("reports/release").rglob("*.html"))
    assert said == verify(page) == verify(next(Path("reports/release").rglob("*.png")))
    page.write_text(page.read_text(encoding="utf-8").replace("</main>", "<p>99%</p></main>"), encoding="utf-8")
    with pytest.raises(sme.VerificationError, match="altered: release/"):
        verify("grants-0.9")
    with pytest.raises(sme.DataError, match="no stamped report 'grunts'"):
        verify("grunts")


def test_a_run_that_is_killed_at_any_moment_is_taken_up(project: Made) -> None:
    plan = project(0.9, 0.92, 0.95)
    run(plan)
    expected = published()
    command = [sys.executable, "-m", "sme_eval", "run", "--plan", "plan.toml", "--reports", "killed"]
    moments = random.Random(1)
    for _ in range(KILLS):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(moments.uniform(2, 12))
            process.send_signal(signal.SIGKILL)
    time.sleep(1)  # workers notice that their parent is gone
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    Path("reports").rename("whole")
    Path("killed").rename("reports")
    assert published() == expected
    assert Path("reports", MANIFEST).read_bytes() == Path("whole", MANIFEST).read_bytes()
    assert not list(Path("reports").glob(".staging-*/*")) or run(plan).estimated == ()


def test_one_run_at_a_time(project: Made) -> None:
    plan = project(0.9)
    Path("reports").mkdir()
    with FileLock(Path("reports", LOCK)), pytest.raises(sme.DataError, match="Another run is at work"):
        run(plan)
    assert not list(Path("reports").rglob("*.html"))
    assert run(plan).estimated == ("grants-0.9",)


def test_a_full_disk_is_told_and_leaves_what_was_there(project: Made) -> None:
    """A limit on the size of files stands for it: the system refuses to write, as it does when nothing is left."""
    plan = project(0.9)
    run(plan)
    before = published()
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)); "
        "from sme_eval.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "run", "--plan", "plan.toml", "--force"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == sme.DataError.exit_code and "Traceback" not in done.stderr
    assert "could not be written: File too large" in done.stderr
    assert published() == before
    assert run(plan).estimated == ()


def test_a_folder_that_cannot_be_written_is_told(project: Made) -> None:
    plan = project(0.9)
    Path("reports").write_text("a file", encoding="utf-8")
    with pytest.raises(sme.DataError, match="cannot be written"):
        run(plan)


def test_a_clock_that_was_set_back_makes_nothing_stale(project: Made) -> None:
    plan = project(0.9)
    run(plan)
    future = time.time() + 10**7
    for path in Path("reports").rglob("*"):
        os.utime(path, (future, future))
    assert run(plan) == ReportResult(estimated=(), rendered=())
