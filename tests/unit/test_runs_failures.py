"""Runs that fail: in plain words, with the right exit code, and leaving nothing half-made and no kernel behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sme_eval.errors import DataError, RunError, SmeEvalError
from sme_eval.runs import keys
from sme_eval.runs.keys import read_notebook
from sme_eval.runs.run import run_notebook

pytestmark = pytest.mark.slow
Write = Callable[..., Path]
LAST = "sme.write_record(evaluation, reports)"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A project folder whose own notebook is the parameters cell of ours and the cells that a test gives."""
    original = read_notebook(keys.notebook_path("training_grants"))

    def write(*texts: str) -> Path:
        parameters = [cell for cell in original["cells"] if cell["metadata"].get("tags")]
        cells = [
            {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
            for n, text in enumerate(texts)
        ]
        folder = tmp_path / "notebooks"
        folder.mkdir(exist_ok=True)
        (folder / "training_grants.ipynb").write_text(json.dumps({**original, "cells": parameters + cells}), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        return tmp_path / "reports"

    return write


def outcome(reports: Path, **options: float) -> SmeEvalError:
    with pytest.raises(SmeEvalError) as caught:
        run_notebook("training_grants", {"level": "0.9"}, reports, **options)
    assert [path for path in reports.rglob("*") if path.is_file()] == [], "something half-made was left"
    assert list(reports.iterdir()) == [], "the staging folder was left"
    return caught.value


def wait_for_end(pid: int) -> None:
    """The process is gone, or only waits for its parent to take note."""
    for _ in range(100):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.1)
    raise AssertionError(f"process {pid} still runs")


def test_an_error_of_ours_keeps_its_kind_and_its_words(project: Write) -> None:
    error = outcome(project("import sme_eval as sme", 'sme.read_panel("nowhere.parquet")'))
    assert type(error) is DataError and error.exit_code == 10
    text = error.report()
    assert text.startswith("DataError: ") and "Traceback" not in text
    assert 'notebooks/training_grants.ipynb: sme.read_panel("nowhere.parquet")' in text
    assert "sme-eval run training_grants --set level=0.9" in text


def test_any_other_error_is_a_failed_run(project: Write) -> None:
    error = outcome(project("ratio = 1 / 0"))
    assert type(error) is RunError and error.exit_code == 16
    assert "ZeroDivisionError: division by zero" in str(error) and "ratio = 1 / 0" in str(error)


def test_a_dead_kernel_is_a_failed_run(project: Write) -> None:
    error = outcome(project("import os", "os._exit(1)"))
    assert type(error) is RunError and "lost its kernel" in str(error) and "os._exit(1)" in str(error)


def test_a_late_run_is_ended_with_its_kernel(project: Write, tmp_path: Path) -> None:
    reports = project("import os, pathlib, time", 'pathlib.Path("pid").write_text(str(os.getpid()))', "time.sleep(600)")
    error = outcome(reports, deadline=12.0)
    assert type(error) is RunError and "took longer than 12 seconds" in str(error)
    wait_for_end(int((tmp_path / "pid").read_text()))


def test_a_notebook_without_a_record_is_a_failed_run(project: Write) -> None:
    error = outcome(project("1 + 1"))
    assert "wrote 0 records" in str(error) and LAST in str(error)


def test_ctrl_c_ends_the_kernel_and_says_so(project: Write, tmp_path: Path) -> None:
    reports = project("import os, pathlib, time", 'pathlib.Path("pid").write_text(str(os.getpid()))', "time.sleep(600)")
    command = [sys.executable, "-m", "sme_eval", "run", "training_grants", "--reports", str(reports)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        for _ in range(600):
            if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
                break
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in said and "Traceback" not in said
    assert list(reports.iterdir()) == []
    wait_for_end(int((tmp_path / "pid").read_text()))
