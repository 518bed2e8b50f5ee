"""The executed notebook beside a record: it holds its parameters, and run again as it is it gives the same record."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import sme_eval as sme
from sme_eval.runs.keys import read_notebook, source
from sme_eval.runs.render import executed_name

AGAIN = "import papermill, sys; papermill.execute_notebook(sys.argv[1], 'again.ipynb', kernel_name='python3', progress_bar=False)"


@pytest.mark.slow
def test_an_executed_notebook_reproduces_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run by the form, as a person would, with one parameter changed."""
    monkeypatch.chdir(tmp_path)
    form = sme.parameter_form("training_grants", "en")
    form.fields["comparison"].value = "not_yet_treated"
    form.run.click()
    form.wait(300)
    assert "Done" in form.status.value, form.result.outputs
    (record,) = tmp_path.glob("reports/internal/*/evaluation.json")
    executed = record.with_name(executed_name(record.parent.name))
    injected = [cell for cell in read_notebook(executed)["cells"] if "injected-parameters" in cell["metadata"].get("tags", [])]
    assert [line for cell in injected for line in source(cell).splitlines() if "=" in line] == ['comparison = "not_yet_treated"']

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run([sys.executable, "-c", AGAIN, str(executed)], cwd=elsewhere, check=True, capture_output=True)
    again = elsewhere / record.relative_to(tmp_path)
    assert plain(again) == plain(record)
    assert again.read_bytes() == record.read_bytes()


def plain(record: Path) -> Any:
    return json.loads(record.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_stopped_run_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    form = sme.parameter_form("training_grants", "en")
    begun = threading.Event()
    form.status.observe(lambda change: begun.set() if "Running: 1 " in change["new"] else None, names="value")
    form.run.click()
    assert begun.wait(120)
    form.stop.click()
    form.wait(60)
    assert "Stopped" in form.status.value
    assert [path for path in (tmp_path / "reports").rglob("*") if path.is_file()] == []
